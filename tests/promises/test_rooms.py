"""Dependencies point one way, and heavy packages are imported late."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "repobuild"
MAY_USE = {
    "engine": {"engine", "git"},
    "git": {"git", "engine"},
    "code": {"code", "git", "engine"},
    "samples": {"samples", "code", "engine"},
    "model": {"model", "samples", "code", "engine", "git"},
    "evaluate": {"evaluate", "model", "samples", "code", "engine", "git"},
}
# Of git, the engine knows snapshots; of the engine, git knows how to complain.
NARROW = {("engine", "git"): {"snapshot"}, ("git", "engine"): {"errors"}}


def imported(path: Path) -> set[tuple[str, str]]:
    """Return (room, module) of every import of ours in a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] + [f"{node.module}.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "repobuild" and len(parts) > 2:
                found.add((parts[1], parts[2]))
    return found


@pytest.mark.parametrize("room", MAY_USE)
def test_a_room_uses_only_what_lies_below_it(room):
    for path in (PACKAGE / room).glob("*.py"):
        for used, module in imported(path):
            assert used in MAY_USE[room] or used not in MAY_USE, (path, used)
            narrow = NARROW.get((room, used))
            assert narrow is None or module in narrow, (path, module)


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


HEAVY = {"pygit2", "joblib", "torch", "transformers", "peft", "datasets", "numpy"}


def test_the_command_line_imports_nothing_heavy():
    assert not loaded("import repobuild.cli.main") & HEAVY


def test_every_verb_can_be_asked_for_help_without_torch():
    code = (
        "from importlib import import_module\n"
        "from repobuild.cli.main import VERBS\n"
        "for verb in VERBS: import_module(f'repobuild.cli.{verb}')"
    )
    assert not loaded(f"exec({code!r})") & {"torch", "transformers", "datasets"}


def test_the_path_with_nothing_to_do_imports_almost_nothing():
    light = loaded("from repobuild.noop_cache import answer; answer()")
    assert not light & (HEAVY | {"sqlite3", "click", "msgpack", "tomllib"})


def test_building_tables_needs_no_torch():
    code = "import repobuild.engine.build, repobuild.engine.run.map, repobuild.checkout"
    assert not loaded(code) & {"torch", "transformers", "joblib"}


@pytest.mark.parametrize("name", ["cache", "rules", "configs"])
def test_no_package_of_ours_takes_a_name_that_users_have(name):
    assert not (PACKAGE.parent / name / "__init__.py").exists()
