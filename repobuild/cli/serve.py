"""repobuild serve: answer as an OpenAI-compatible endpoint, and follow the builds."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli.adapter_lookup import base_of, find_adapter
from repobuild.cli.output import emit, print_message, seconds
from repobuild.cli.shell_words import one_of
from repobuild.errors import UsageError, nearest, system_reason
from repobuild.resources import program
from repobuild.serve.front import LOOPBACK

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.serve.served import ServedAdapter, ServedNames
    from repobuild.serve.watch import AdapterWatch

ENGINES = ("auto", "transformers", "vllm")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen, and which server answers."""

    host: str
    port: int
    engine: str

    @property
    def is_public(self) -> bool:
        """Return whether other machines can reach it."""
        return self.host not in LOOPBACK

    def bind(self) -> socket.socket:
        """Listen at the address; raises `UsageError` when that cannot be."""
        try:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
            listening = socket.socket(family, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.host, self.port))
        except OSError as error:
            raise UsageError(
                f"cannot listen at {self.host}:{self.port}: "
                f"{system_reason(error)}\n"
                f"choose another port: {program()} serve --port 8001"
            ) from error
        return listening

    def url(self, port: int) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}/v1"


@click.command("serve")
@click.option("--host", metavar="HOST", help="Where to listen [default: 127.0.0.1].")
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    help="[default: 8000]; 0: any.",
)
@click.option(
    "--engine",
    metavar="NAME",
    help="auto, transformers or vllm.",
    shell_complete=one_of(ENGINES),
)
@click.option("--json", "as_json", is_flag=True, help="Say where as a JSON object.")
def command(
    host: str | None, port: int | None, engine: str | None, as_json: bool
) -> int:
    """Serve the adapter by an OpenAI-compatible endpoint until Ctrl-C.

    It follows the builds: a new adapter is loaded under NAME@COMMIT, and NAME@latest
    becomes it, while the server runs.

    \b
    repobuild serve
    repobuild serve --port 8001
    curl http://127.0.0.1:8000/v1/models
    """
    from repobuild.checkout import open_checkout
    from repobuild.powers import BASE_SETTINGS

    checkout = open_checkout()
    given = {"host": host, "port": port, "engine": engine}
    needed = [f"serve.{name}" for name, value in given.items() if value is None]
    checkout.powers.require([*BASE_SETTINGS, *needed])
    values: dict[str, Any] = {
        name: checkout.settings[f"serve.{name}"] if value is None else value
        for name, value in given.items()
    }
    endpoint = Endpoint(**values)
    serve = _engine(endpoint.engine)
    adapter = find_served(checkout)
    if endpoint.is_public:
        print_message(
            f"warning: whoever reaches {endpoint.host} can ask this adapter, which can "
            "repeat what it was trained on"
        )
    with suppress(KeyboardInterrupt):  # how it ends
        serve(checkout, endpoint, adapter, as_json)
    print_message("stopped")
    return 0


def find_served(checkout: Checkout) -> ServedAdapter:
    """Return the adapter that HEAD uses; raises `StaleError` when there is none."""
    from repobuild.code.graph.graph import PROJECT
    from repobuild.model.adapter.lineage import current_digest
    from repobuild.model.publish.publication import artifact_folder
    from repobuild.serve.served import ServedAdapter, project_word

    state = checkout.state()
    try:
        build = checkout.view(checkout.snapshot(), state)
        commit, row = find_adapter(build)
        base = base_of(checkout.settings, commit, row)
        digest = current_digest(row)
        folder = artifact_folder(build, digest, "adapter")
        project = (build.table("graph").get(PROJECT) or {}).get("") or {}
    finally:
        state.close()
    name = project_word(str(project.get("project_name", "")))
    return ServedAdapter(name, commit, digest, folder, base)


def _engine(name: str) -> Any:
    """Return the function that serves by a server; raises `UsageError` for none."""
    from importlib.util import find_spec

    from repobuild.model.load.libraries import pick_device
    from repobuild.serve.vllm_server import is_installed

    if name not in ENGINES:
        raise UsageError(
            f'unknown engine "{name}"{nearest(name, ENGINES)}\n'
            "repobuild serves by transformers or by vLLM\n"
            f"name one of {', '.join(ENGINES)}, or leave out `--engine`"
        )
    if name == "auto":
        has_vllm = is_installed() and pick_device() == "cuda"
        name = "vllm" if has_vllm else "transformers"
    if name == "vllm":
        if not is_installed():
            raise UsageError(
                "vLLM is not installed beside repobuild\n"
                "install it there, or serve by transformers: --engine transformers"
            )
        return _serve_by_vllm
    missing = [part for part in ("fastapi", "uvicorn") if find_spec(part) is None]
    if missing:
        raise UsageError(
            f"the server of transformers needs {' and '.join(missing)}\n"
            "install it: pip install 'repobuild[serve]'"
        )
    return _serve_by_transformers


def _serve_by_transformers(
    checkout: Checkout, endpoint: Endpoint, adapter: ServedAdapter, as_json: bool
) -> None:
    from repobuild.serve.transformers_server import RepositoryModels, make_app, run_app

    listening = endpoint.bind()
    print_message(f"loading {adapter.base.name} and the adapter {adapter.name}")
    models = RepositoryModels.load(adapter)
    app = make_app(models, endpoint.is_public)
    watch = _watch(checkout, models)
    url = endpoint.url(listening.getsockname()[1])

    def ready() -> None:
        watch.start()
        _announce(url, models.names, "transformers", as_json)

    try:
        run_app(app, listening, ready)
    finally:
        watch.stop()


def _serve_by_vllm(
    checkout: Checkout, endpoint: Endpoint, adapter: ServedAdapter, as_json: bool
) -> None:
    from tempfile import TemporaryDirectory

    from repobuild.serve.vllm_server import VllmServer

    with endpoint.bind() as listening:  # is it free, and which one is it?
        port = listening.getsockname()[1]
    with TemporaryDirectory(prefix="repobuild-serve-") as folder:
        server = VllmServer(endpoint.host, port, Path(folder), endpoint.is_public)
        watch = _watch(checkout, server)
        try:
            print_message(f"starting vLLM with {adapter.base.name} and {adapter.name}")
            server.start(adapter)
            watch.start()
            _announce(endpoint.url(port), server.names, "vllm", as_json)
            server.wait()
        finally:
            watch.stop()
            with suppress(OSError):
                server.stop()


def _watch(checkout: Checkout, server: Any) -> AdapterWatch:
    """Return the watch that brings new adapters into a server."""
    from repobuild.checkout import open_checkout
    from repobuild.powers import BASE_SETTINGS
    from repobuild.serve.watch import AdapterWatch

    def find() -> ServedAdapter:
        fresh = open_checkout(checkout.root)  # settings and trust may have changed
        fresh.powers.require(BASE_SETTINGS)
        return find_served(fresh)

    def load(adapter: ServedAdapter) -> None:
        if adapter.name in server.names.adapters[:1]:
            return
        began = time.monotonic()
        server.add(adapter)
        took = seconds(time.monotonic() - began)
        latest = server.names.latest
        print_message(f"{latest} is {adapter.name} now, loaded in {took}")

    database = checkout.folder / "build.db"
    return AdapterWatch(database, checkout.repository, find, load, print_message)


def _announce(url: str, names: ServedNames, engine: str, as_json: bool) -> None:
    facts = {"version": 1, "url": url, "engine": engine, "models": names.all}
    emit(facts, as_json, text)
    import sys

    sys.stdout.flush()


def text(facts: dict[str, Any]) -> str:
    """Return where the models are served, one name a line."""
    lines = [f"serving at {facts['url']} by {facts['engine']}; Ctrl-C stops it"]
    return "\n".join([*lines, *(f"  {name}" for name in facts["models"])])
