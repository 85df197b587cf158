"""The benchmark of repository adapters: pieces of the source before a prompt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from repobuild.model.bundled.corpus import read_text
from tests.benchmarks.repository_adapters import lora
from tests.benchmarks.repository_adapters.context import CONTEXT, context_tokens
from tests.benchmarks.repository_adapters.dependencies import DependencyContext
from tests.benchmarks.repository_adapters.graph_search import GraphContext
from tests.benchmarks.repository_adapters.repositories import Repository, is_test_path
from tests.benchmarks.repository_adapters.table_run import CONTEXTS
from tests.benchmarks.repository_adapters.tasks import (
    Kind,
    Task,
    Windows,
    repository_windows,
)

BASE = """
class Shelf:
    def sort_all(self, key=None):
        return sorted(self.items, key=key)


class Box(Shelf):
    limit = 3

    def __init__(self, items):
        self.items = items

    def fetch_all(self):
        return list(self.items)


def make_box(text: str) -> Box:
    return Box(parse_items(text))


def parse_items(text):
    return text.split()
"""
TEST = """
import json
import box.base as base
from box import Crate, make_box

def test_fetch():
    crate = Crate([])
    assert crate.fetch_all() == []

def test_make():
    made = make_box("a b")
    assert base.parse_items("a b") == made.fetch_all()
    assert made.sort_all() == ["a", "b"]
"""
SOURCE = {
    "src/box/__init__.py": "from .api import *\nfrom .api import Box as Crate\n",
    "src/box/api.py": "try:\n    from box.base import Box, make_box\nexcept ValueError:"
    "\n    Box = None\n",
    "src/box/base.py": BASE,
}


def made(
    test: str = TEST, path: str = "tests/test_box.py"
) -> tuple[Repository, Windows]:
    return repository({**SOURCE, path: test})


def repository(texts: dict[str, str]) -> tuple[Repository, Windows]:
    files = [file for p, t in texts.items() if (file := read_text(t.encode(), p))]
    assert len(files) == len(texts)
    source = tuple(file for file in files if not is_test_path(file.path))
    tests = tuple(file for file in files if is_test_path(file.path))
    found = Repository("a/b", source, tests)
    return found, repository_windows(found)


def last(windows: Windows, target: str) -> Task:
    return [task for task in windows.tasks if task.target.strip() == target][-1]


def first_lines(pieces: list[str]) -> list[str]:
    return [piece.splitlines()[1] for piece in pieces]


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_target_and_what_follows_never_reach_the_context(name):
    found, windows = made()
    context = CONTEXTS[name](found)
    assert windows.tasks
    for task in windows.tasks:
        pieces = context.pieces(windows, task)
        before = TEST[: windows.begins[task.window]] + windows.piece_before(task)
        assert TEST.startswith(before + task.target)
        cut = replace(found, tests=tuple(replace(f, text=before) for f in found.tests))
        texts = tuple(text[: task.start] for text in windows.texts)
        assert CONTEXTS[name](cut).pieces(replace(windows, texts=texts), task) == pieces


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_context_is_of_the_source_alone(name):
    found, windows = made()
    for task in windows.tasks:
        for piece in CONTEXTS[name](found).pieces(windows, task):
            assert "src/box/" in piece.splitlines()[0]


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_context_keeps_its_budget(name):
    many = "".join(f"def parse_{n}(text, key):\n    return {n}\n\n" for n in range(99))
    found, windows = repository(
        {
            "box/base.py": BASE + many,
            "tests/test_box.py": "from box.base import Box, make_box\n",
        }
    )
    bench = lora.Bench.load()
    for task in windows.tasks:
        pieces = CONTEXTS[name](found).pieces(windows, task)
        assert len(context_tokens(bench, pieces)) <= CONTEXT


def test_the_best_piece_is_next_to_the_prompt_and_the_worst_is_cut():
    bench = lora.Bench.load()
    best, worst = "def best(): pass\n", "def worst(text): return text\n" * 200
    ids = context_tokens(bench, [best, worst])
    assert len(ids) == CONTEXT
    assert bench.tokenizer.decode(ids).endswith("return text\n" + best)


def test_a_name_that_is_exported_again_is_found_where_it_is_defined():
    found, windows = made()
    task = last(windows, ".fetch_all")
    pieces = DependencyContext(found).pieces(windows, task)
    assert all("box/base.py" in piece.splitlines()[0] for piece in pieces)
    # `Crate` by a package, a `*`, and a `try`; `base.parse_items` by a module's alias.
    assert {"class Box(Shelf):", "def parse_items(text):"} <= {*first_lines(pieces)}


def test_what_is_used_last_comes_first_with_what_it_is_made_of():
    found, windows = made()
    pieces = DependencyContext(found).pieces(windows, last(windows, ".sort_all"))
    lines = first_lines(pieces)
    assert lines[:4] == [
        "def parse_items(text):",
        "def make_box(text: str) -> Box:",
        "class Box(Shelf):",
        "class Shelf:",
    ]
    # Outlines first, and then the same definitions whole.
    whole = [piece for piece in pieces if "    return" in piece]
    assert pieces[-len(whole) :] == whole
    assert "return text.split()" in whole[0]


def test_an_import_that_is_being_written_is_of_the_names_of_its_module():
    found, windows = made("import json\nfrom box.base import (\n    Box,\n)\n")
    task = last(windows, "Box")
    assert task.kind is Kind.IMPORT
    (outline, *_) = DependencyContext(found).pieces(windows, task)
    assert "class Box(Shelf):" in outline and "def make_box" in outline
    assert "fetch_all" not in outline


def test_a_relative_import_is_read_from_the_folder_of_the_test():
    test = "from ..base import Box\nBox([]).limit()\n"
    found, windows = made(test, "src/box/tests/test_box.py")
    pieces = DependencyContext(found).pieces(windows, last(windows, ".limit"))
    assert first_lines(pieces)[:2] == ["class Box(Shelf):", "class Shelf:"]


def test_a_hit_of_the_graph_comes_with_what_it_depends_on():
    test = "def test_make(text):\n    made = make_box(text).fetch_all()\n"
    found, windows = repository({"box/base.py": BASE, "tests/test_box.py": test})
    pieces = GraphContext(found).pieces(windows, last(windows, ".fetch_all"))
    assert first_lines(pieces)[0] == "def make_box(text: str) -> Box:"
    assert "return Box(parse_items(text))" in pieces[0]
    assert {"class Box(Shelf):", "def parse_items(text):"} <= {*first_lines(pieces)}
