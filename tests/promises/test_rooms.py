"""Imports point one way, without cycles, and heavy packages are imported late."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.imports import PACKAGE, cycles, imports, modules, room_of

# What each room may import beside itself: every folder and every top-level module has
# its line, so a new one must be given a place here.
DATA = {"errors", "plain_text", "resources"}
START = {
    "settings",
    "settings_schema",
    "powers",
    "rulebook",
    "user_rules",
    "trust_record",
    "checkout",
    "noop_cache",
}
MAY_USE = {
    "__init__": set(),
    "__main__": {"cli", "noop_cache"},
    "errors": set(),
    "plain_text": set(),
    "resources": set(),
    "toml_document": set(),
    "settings_schema": DATA,
    "settings": DATA | {"settings_schema", "toml_document"},
    "powers": DATA | {"settings", "settings_schema", "trust_record"},
    "noop_cache": {"resources", "git"},
    "git": {"errors", "resources"},
    "chat_endpoint": {"errors"},
    "engine": {"errors", "git", "resources"},  # what its next steps call the program
    "user_rules": {"errors", "engine", "git", "toml_document"},
    "trust_record": {"errors"},
    "rulebook": {"errors", "engine", "trust_record", "user_rules"},
    "checkout": DATA | START | {"engine", "git", "toml_document"},
    "code": DATA | {"engine", "git"},
    "samples": DATA | {"engine", "git", "code"},
    "model": DATA | {"engine", "git", "code", "samples"},
    "evaluate": DATA | {"chat_endpoint", "engine", "git", "code", "samples", "model"},
    "lifting": DATA | {"chat_endpoint", "engine", "code", "samples"},
    "locate": {"errors", "engine", "git", "code"},
    "survey": DATA
    | START
    | {"engine", "git", "code", "samples", "model", "hooks", "remote"},
    "query": DATA | {"engine", "git", "code", "locate", "lifting"},
    # The checker of samples shares no code with what makes them.
    "truth": DATA | {"git"},
    # It builds in processes of their own, by the command line.
    "fleet": {"errors", "git"},
    "hooks": DATA | {"engine", "git"},
    "ci": DATA | START | {"__init__", "engine", "git", "code", "samples", "model"},
    "remote": DATA | {"engine", "git"},
    "serve": DATA | {"engine", "git", "model"},
    "cli": DATA
    | START
    | {"engine", "git", "code", "samples", "model", "evaluate", "truth", "hooks"}
    | {"survey", "fleet", "ci", "remote", "serve", "query", "locate"},
}
# Programs by themselves, which use the whole product and which nothing imports.
PROGRAMS = {"repobuild.model.bundled.corpus_facts"}
# Of git, the engine knows what a commit holds, which commits led to it, and how a
# worker opens the objects again, or fetches them; samples know which kind a tree entry
# is of.
NARROW = {
    ("engine", "git"): {"snapshot", "ancestors", "repository", "blob_cache"},
    ("samples", "git"): {"snapshot"},
}


def test_every_room_has_its_line():
    assert {room_of(module) for module in modules()} == set(MAY_USE)


@pytest.mark.parametrize("room", MAY_USE)
def test_a_room_imports_only_from_rooms_below_it(room: str):
    for module in modules():
        if room_of(module) != room or module in PROGRAMS:
            continue
        for used in imports(module):
            other = room_of(used)
            assert used not in PROGRAMS
            assert other in MAY_USE[room] | {room}, f"{module} imports {used}"
            narrow = NARROW.get((room, other))
            name = used.rpartition(".")[2]
            assert narrow is None or name in narrow, f"{module} imports {used}"


def test_no_modules_import_each_other():
    assert cycles() == []


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
def test_no_package_shadows_a_name_that_users_import(name):
    assert not (PACKAGE.parent / name / "__init__.py").exists()
