"""Compute the rows of large maps on a cluster, through joblib's backend for it.

    dask    a scheduler of Dask's at an address; its workers may be on any machine
    ray     a Ray cluster that runs already

The backend enters no key, and a worker computes nothing unless it would make the same
rows (cluster_worker.py). What no worker can read, this process computes, from the
repository that is built. Results are written to the memo as they come, so a build whose
cluster goes away keeps what was computed, and no table is half written.

Runs in the building process. The clients are imported when a cluster is used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any, NamedTuple

from repobuild.engine.run.cluster_worker import (
    ClusterResults,
    ClusterWork,
    compute_on_worker,
)
from repobuild.engine.run.worker import MapResult, Payload, compute
from repobuild.errors import AbsentError, BuildError, UsageError
from repobuild.resources import program

LOCAL = "loky"
CONNECT_SECONDS = 10  # to reach a scheduler, and for it to have a worker
SILENT_SECONDS = 120.0  # a batch takes seconds; then all workers are taken for dead
BATCHES_PER_CORE = 16
MOST_ROWS = 400  # of a batch
_WAVE_ROWS = 20_000
_BATCHES_OF_A_LIST = 4  # for each core, where results come all at once
_KEPT = "what was computed is kept; run again to continue"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where rows of large maps are computed: the settings `build.backend` and others.

    `url` is where workers fetch blobs; "" = from the folder of the repository, on one
    machine or on a shared file system.
    """

    backend: str = LOCAL
    scheduler: str = ""
    url: str = ""

    @property
    def is_local(self) -> bool:
        return self.backend == LOCAL


def compute_on_cluster(
    cluster: Cluster, task: ClusterWork, payloads: Iterator[Payload], total: int,
    tell: Tell,
) -> Iterator[Sequence[MapResult]]:  # fmt: skip
    """Yield rows as the workers compute them; `tell` gets why some are computed here.

    Raises:
        AbsentError: the scheduler cannot be reached or has no worker.
        BuildError: workers died, or would make other rows than this installation.
        UsageError: the backend is not installed, or no scheduler is named.
    """
    from joblib import delayed

    with ExitStack() as stack:
        pool = stack.enter_context(_connected(cluster))
        size = max(1, min(MOST_ROWS, total // (pool.cores * BATCHES_PER_CORE)))
        rows = _WAVE_ROWS if pool.is_lazy else size * pool.cores * _BATCHES_OF_A_LIST
        while wave := list(islice(payloads, rows)):
            batches = [wave[i : i + size] for i in range(0, len(wave), size)]
            tasks = [delayed(compute_on_worker)(task, batch) for batch in batches]
            for found in _from_workers(cluster, pool, tasks):
                if found.unread:
                    tell(f"computed here, not on a worker: {found.reason}")
                    yield compute(task.work, found.unread)
                yield found.rows


def _from_workers(
    cluster: Cluster, pool: Pool, tasks: list[Any]
) -> Iterator[ClusterResults]:
    """Yield what the workers return; raises `BuildError` when they cannot."""
    try:
        yield from pool.parallel(tasks)
    except BuildError:
        raise
    except TimeoutError as error:
        raise BuildError(
            f"no worker of {cluster.scheduler} answered for {SILENT_SECONDS:.0f} s\n"
            f"they died, or do something else (build.backend)\n{_KEPT}"
        ) from error
    except Exception as error:  # of the cluster: rows report their own errors
        raise BuildError(
            f"the workers of {cluster.scheduler} failed: {_first_line(error)}\n"
            f"they died, or cannot run repobuild (build.backend)\n{_KEPT}"
        ) from error


class Pool(NamedTuple):
    """A joblib pool over a cluster, and how many cores it has."""

    parallel: Any
    cores: int
    is_lazy: bool = True  # it returns each result as it comes, not all at once


@contextmanager
def _connected(cluster: Cluster) -> Iterator[Pool]:
    if not cluster.scheduler:
        raise UsageError(
            f'build.backend is "{cluster.backend}", and no cluster is named\n'
            f"set its address: build.scheduler = {_EXAMPLES[cluster.backend]}"
        )
    try:
        with _CONNECT[cluster.backend](cluster.scheduler) as pool:
            yield pool
    except ImportError as error:
        raise UsageError(
            f'build.backend is "{cluster.backend}", and {error.name} is not installed\n'
            f"install it: pip install 'repobuild[{cluster.backend}]'"
        ) from error


@contextmanager
def _dask_pool(address: str) -> Iterator[Pool]:
    distributed: Any = import_module("distributed")  # typed only in part
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(
            address, timeout=CONNECT_SECONDS, set_as_default=False
        )
    except (OSError, ValueError, ImportError) as error:
        raise _unreachable("dask", address, error) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError as error:
            raise AbsentError(
                f"the scheduler {address} has no worker (build.scheduler)\n"
                f"none came within {CONNECT_SECONDS} s\n"
                f"start some: dask worker {address}"
            ) from error
        yield Pool(
            _parallel("dask", client=client, wait_for_workers_timeout=CONNECT_SECONDS),
            sum(client.ncores().values()),
        )


@contextmanager
def _ray_pool(address: str) -> Iterator[Pool]:
    ray: Any = import_module("ray")
    register: Any = import_module("ray.util.joblib").register_ray
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable("ray", address, error) from error
    try:
        register()
        cores = int(ray.cluster_resources().get("CPU", 1))
        yield Pool(_parallel("ray", return_as="list"), cores, is_lazy=False)
    finally:
        ray.shutdown()


def _parallel(
    backend: str, return_as: str = "generator_unordered", **options: Any
) -> Any:
    from joblib import Parallel, parallel_config

    with parallel_config(backend, **options):  # which registers the backend, too
        return Parallel(
            n_jobs=-1, batch_size=1, timeout=SILENT_SECONDS,
            return_as=return_as,
        )  # fmt: skip


def _unreachable(backend: str, address: str, error: Exception) -> AbsentError:
    return AbsentError(
        f"the scheduler {address} cannot be reached: {_first_line(error)}\n"
        f'build.backend is "{backend}", and large maps are computed there\n'
        f"start it, or build on this machine: {program()} -c build.backend=loky"
    )


def _first_line(error: Exception) -> str:
    name = type(error).__name__
    return f"{name}: {text[0]}" if (text := str(error).splitlines()) else name


_CONNECT = {"dask": _dask_pool, "ray": _ray_pool}
_EXAMPLES = {"dask": '"tcp://host:8786"', "ray": '"auto"'}
