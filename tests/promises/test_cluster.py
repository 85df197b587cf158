"""Large maps on other machines: the same rows, and one message when that fails.

The cluster is Dask's, of processes of this machine: a scheduler, and two workers each
with a cache of its own and without the repository.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from repobuild.engine.run import cluster as cluster_module
from repobuild.engine.run import map as map_module
from repobuild.engine.run.cluster import Cluster
from repobuild.engine.storage.state import open_state
from repobuild.errors import AbsentError, UsageError
from tests.repository import Repository
from tests.standard import Standard

ROOT = Path(__file__).parents[2]
MANY = 330  # files, more than are computed without workers
SCHEDULER = "distributed.cli.dask_scheduler"
WORKER = "distributed.cli.dask_worker"
_QUIET = ["--no-dashboard"]


@dataclass
class DaskCluster:
    """A scheduler and workers below a folder."""

    folder: Path
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, workers: int) -> None:
        contact = self.folder / "scheduler.json"
        self._run(
            SCHEDULER, "--host", "127.0.0.1", "--port", "0", *_QUIET, "--no-show",
            "--scheduler-file", str(contact),
        )  # fmt: skip
        while not (contact.exists() and contact.read_text()):
            time.sleep(0.05)
        self.address = json.loads(contact.read_text())["address"]
        for number in range(workers):
            self.add_worker(f"worker{number}")

    def add_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker with one thread, and a home and cache of its own."""
        home = self.folder / name
        home.mkdir()
        return self._run(
            WORKER, self.address, "--no-nanny", "--nthreads", "1", *_QUIET,
            "--local-directory", str(home), home=home,
        )  # fmt: skip

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def fetched(self, name: str) -> int:
        """Return how many objects a worker has fetched."""
        count = 0
        for place in (self.folder / name / "cache/repobuild/blobs").glob("*.git"):
            command = ["git", "-C", str(place), "cat-file", "--batch-all-objects"]
            done = subprocess.run([*command, "--batch-check"], capture_output=True)
            count += len(done.stdout.splitlines())
        return count

    def _run(self, module: str, *words: str, home: Path | None = None):
        home = home or self.folder
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=home, env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        return process


@pytest.fixture(scope="module")
def dask(tmp_path_factory) -> Iterator[DaskCluster]:
    pytest.importorskip("distributed")
    found = DaskCluster(tmp_path_factory.mktemp("dask"))
    try:
        found.start(workers=2)
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Repository:
    made = Repository(tmp_path_factory.mktemp("many") / "repository")
    made.commit(
        {
            f"m{n}.py": f'def f{n}():\n    """Return {n}."""\n    return {n}\n'
            for n in range(MANY)
        }
    )
    return made


def build(repository: Repository, *settings: str, until: str = "graph"):
    """Build in a process of its own, as a user does; return the finished process."""
    given = [word for setting in settings for word in ("-c", setting)]
    return subprocess.run(
        [sys.executable, "-P", "-m", "repobuild", *given, "--until", until, "-q"],
        cwd=repository.path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def digests(repository: Repository) -> dict[str, str]:
    state = open_state(repository.path / ".git/repobuild", read_only=True)
    found = {line.name: line.digest.hex() for line in state.lines()}
    state.close()
    return found


def on(cluster: DaskCluster, url: str) -> list[str]:
    return [
        "build.backend=dask",
        f"build.scheduler={cluster.address}",
        f"build.repository={url}",
    ]


def test_workers_fetch_blobs_themselves_and_make_the_same_rows(
    dask, repository, tmp_path
):
    done = build(repository, *on(dask, f"file://{repository.path}"))
    assert (done.returncode, done.stderr) == (0, "")
    fetched = [dask.fetched("worker0"), dask.fetched("worker1")]
    assert sum(fetched) >= MANY and all(fetched)
    alone = Standard(repository.git, tmp_path / "alone")
    alone.build("graph", jobs=1)
    assert digests(repository) == alone.digests()
    alone.close()


def test_what_no_worker_can_fetch_is_computed_here(
    dask, repository, tmp_path, monkeypatch
):
    nowhere = tmp_path / "nowhere.git"
    elsewhere = Standard(repository.git, tmp_path / "state")
    monkeypatch.setattr(map_module, "_POOL_ABOVE", 10)
    monkeypatch.setattr(cluster_module, "MOST_ROWS", 100)
    done = elsewhere.build(
        "facts", cluster=Cluster("dask", dask.address, f"file://{nowhere}")
    )
    assert len(done["facts"].built) == MANY and not done["facts"].failed
    assert elsewhere.last is not None
    (problem,) = elsewhere.last.problems
    assert "not on a worker: git cannot fetch" in problem.text
    elsewhere.close()


def test_a_worker_with_another_version_of_the_rule_computes_nothing(
    dask, repository, tmp_path, monkeypatch
):
    from repobuild.engine.rule import Rule

    state = Standard(repository.git, tmp_path / "state")
    monkeypatch.setattr(
        Rule, "manifest", changed(Rule.manifest, {"tools": {"tree-sitter": "0.1"}})
    )
    with pytest.raises(Exception, match="other rows") as failed:
        state.build("facts", cluster=Cluster("dask", dask.address))
    assert "install the same versions" in str(failed.value)
    assert "facts" not in {line.name for line in state.state.lines()}
    state.close()


def changed(manifest, parts):
    return lambda rule, settings: manifest(rule, settings) | parts


@pytest.mark.slow
@pytest.mark.parametrize("dead", [slice(1, 3), slice(1)], ids=["workers", "scheduler"])
def test_a_build_whose_cluster_dies_ends_with_one_message_and_continues(
    dead, repository, tmp_path, monkeypatch
):
    """They are killed as soon as the first rows come."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_module, "SILENT_SECONDS", 8.0)
    monkeypatch.setattr(cluster_module, "MOST_ROWS", 5)
    monkeypatch.setattr(map_module, "_COMMIT_SECONDS", 0.0)
    dying = DaskCluster(tmp_path)
    try:
        dying.start(workers=2)
        state = Standard(repository.git, tmp_path / "state")
        accept = map_module._MapRun._accept

        def kill_some(run, result):
            for process in dying.processes[dead]:
                process.send_signal(signal.SIGKILL)
            return accept(run, result)

        monkeypatch.setattr(map_module._MapRun, "_accept", kill_some)
        with pytest.raises(Exception, match="what was computed is kept"):
            state.build("facts", cluster=Cluster("dask", dying.address))
    finally:
        dying.stop()
    kept = state.state.database.execute("SELECT count(*) FROM memo").fetchone()[0]
    assert 0 < kept < MANY
    assert "facts" not in {line.name for line in state.state.lines()}
    monkeypatch.undo()
    done = state.build("facts", jobs=1)
    assert len(done["facts"].memo) == kept
    clean = Standard(repository.git, tmp_path / "clean")
    clean.build("facts", jobs=1)
    assert state.digests() == clean.digests()
    state.close()
    clean.close()


def test_a_scheduler_that_is_not_there_is_named_in_one_message(
    repository, tmp_path, monkeypatch
):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    state = Standard(repository.git, tmp_path / "state")
    with pytest.raises(AbsentError) as failed:
        state.build("facts", cluster=Cluster("dask", "tcp://127.0.0.1:9"))
    what, why, remedy = str(failed.value).splitlines()
    assert "tcp://127.0.0.1:9 cannot be reached" in what
    assert "build.backend=loky" in remedy
    assert failed.value.exit_code == 5
    assert "facts" not in {line.name for line in state.state.lines()}
    state.close()


@pytest.mark.parametrize(
    "cluster, message",
    [
        (Cluster("dask"), "no cluster is named"),
        (Cluster("ray", "auto"), "ray is not installed"),
    ],
)
def test_a_backend_that_cannot_be_used_is_a_mistake_of_the_settings(
    cluster, message, repository, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    state = Standard(repository.git, tmp_path / "state")
    with pytest.raises(UsageError, match=message):
        state.build("facts", cluster=cluster)
    state.close()


def test_the_repositorys_own_file_sends_nothing_to_a_cluster(repository):
    toml = repository.path / "repobuild.toml"
    toml.write_text('[build]\nbackend = "dask"\nscheduler = "tcp://127.0.0.1:9"\n')
    try:
        done = build(repository, until="facts")
    finally:
        toml.unlink()
    assert done.returncode == 0
    assert "build.backend" in done.stderr and "never trusted" in done.stderr


@pytest.mark.slow
def test_ray_makes_the_same_rows(repository, tmp_path, monkeypatch):
    """Ray's wheel is 70 MB, 240 MB unpacked: no extra of the tests installs it."""
    pytest.importorskip("ray")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(map_module, "_POOL_ABOVE", 10)
    there = Standard(repository.git, tmp_path / "there")
    url = f"file://{repository.path}"
    there.build("graph", cluster=Cluster("ray", "local", url))
    assert list((tmp_path / "cache/repobuild/blobs").iterdir())
    alone = Standard(repository.git, tmp_path / "alone")
    alone.build("graph", jobs=1)
    assert there.digests() == alone.digests()
    there.close()
    alone.close()
