"""A file of any shape costs time in proportion to its size, or is reported.

Generated sources, amalgamations and hostile files have the shapes of
tests/slow_shapes.py. Growth is compared, never seconds: twice the file may cost three
times as much. tests/benchmarks/slow_shapes.py measures whole builds.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from repobuild.cli.main import run
from repobuild.code.facts.parse import facts_of
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.expectation import hide_expectation
from tests.code_world import World
from tests.repository import Repository
from tests.slow_shapes import EXTENSION, SHAPES

KILO = 1_000
NOISE = 0.15  # CPU seconds; a smaller cost is not compared
LARGE = 10_000_000  # bytes: above every file here
ALL = [(language, name) for language, shapes in SHAPES.items() for name in shapes]
# The shapes that were slow, and their siblings in other languages.
ONCE_SLOW = [
    ("python", "functions"),
    ("python", "calling functions"),
    ("python", "chain of classes"),
    ("python", "chain of calls"),
    ("python", "one name called"),
    ("python", "comments behind"),
    ("python", "comments within"),
    ("python", "backslashes"),
    ("python", "builtin calls"),
    ("python", "imports"),
    ("python", "decorators"),
    ("python", "unclosed brackets"),
    ("python", "comments and brackets"),
    ("javascript", "one name called"),
    ("javascript", "comment openings"),
    ("javascript", "sum"),
    ("typescript", "interfaces"),
    ("java", "angles"),
    ("java", "chain of methods"),
    ("java", "nested classes"),
    ("go", "angles"),
    ("rust", "modules"),
    ("c", "pointers"),
    ("cpp", "bases"),
    ("cpp", "namespaces"),
    ("markdown", "open brackets"),
    ("markdown", "brackets"),
    ("markdown", "open links"),
    ("markdown", "quotations"),
    ("markdown", "wide table"),
]


def _seconds(language: str, name: str, size: int) -> float:
    """Return the CPU time of reading and linking a file of a shape."""
    text = SHAPES[language][name].text(size)
    began = time.process_time()
    World({f"a.{EXTENSION[language]}": text})
    return time.process_time() - began


def _grows_in_proportion(language: str, name: str, size: int) -> bool:
    _seconds(language, name, KILO)  # load the grammar
    for _ in range(3):  # the machine is shared: one good try is proof
        small = max(_seconds(language, name, size), NOISE)
        if _seconds(language, name, 2 * size) < 3 * small:
            return True
    return False


@pytest.mark.slow  # ratios of CPU time wander on a loaded machine
@pytest.mark.parametrize("language, name", ONCE_SLOW)
def test_twice_the_file_costs_less_than_three_times_as_much(language, name):
    assert _grows_in_proportion(language, name, 50 * KILO)


@pytest.mark.slow
@pytest.mark.parametrize("language, name", ALL)
def test_no_shape_of_a_megabyte_costs_the_square_of_its_size(language, name):
    assert _grows_in_proportion(language, name, 500 * KILO)


def test_a_class_of_many_bases_is_one_class():
    bases = [f"A{i}" for i in range(300)]
    row = facts_of(f"class C : {', '.join(bases)} {{ }};\n".encode(), "cpp")
    (element,) = row["elements"]
    assert element[14] == bases and "problem" not in row


def test_comments_behind_a_function_are_not_part_of_it_however_many():
    comments = "".join(f"    # step {i} of the old way\n" for i in range(8000))
    row = facts_of(f"def solve(a):\n    return a\n{comments}".encode(), "python")
    alone = facts_of(b"def solve(a):\n    return a\n", "python")
    assert row["elements"] == alone["elements"]
    assert row["lines"] == 8002


def test_lines_that_look_like_comments_in_a_string_stay_in_it():
    lines = "# a\n" * 300
    text = f'def f(x):\n    """{lines}"""\n    return g(x)\n{lines}\ny = 1\n'
    row = facts_of(text.encode(), "python")
    (element,) = row["elements"]
    assert element[0] == "f" and element[10].count("# a") == 300
    assert element[3] == 303  # its last line, before the comments


def test_a_file_that_needs_too_much_work_is_reported_and_the_others_are_built(
    repository: Repository, monkeypatch, capsys
):
    slow = SHAPES["python"]["backslashes"].text(200 * KILO)
    repository.commit({"slow.py": slow, "good.py": "def f():\n    return 1\n"})
    monkeypatch.chdir(repository.path)
    assert run(["build", "--until", "dataset"]) == 0
    assert "too much work for its size" in capsys.readouterr().err
    assert run(["show", "good.py::f"]) == 0


@pytest.mark.parametrize("language, unit, end", [
    ("python", "{}class C:\n", " " * 200 + "x\n"),
    ("java", "class C {{ ", "}" * 200),
    ("cpp", "namespace n {{ ", "}" * 200),
])  # fmt: skip
def test_definitions_nested_more_than_a_hundred_deep_are_reported(language, unit, end):
    text = "".join(unit.format(" " * i) for i in range(200))
    row = facts_of((text + end).encode(), language)
    assert "elements" not in row
    assert "100 deep" in row["problem"]


@pytest.mark.parametrize(
    "unit", ["Args:\n", "Returns\n---\n", ":a", "`a ", ":param a: b\n"]
)
def test_a_docstring_is_read_in_proportion_to_its_length(unit):
    def seconds(size: int) -> float:
        began = time.process_time()
        parse_docstring("Do `it`.\n\n" + unit * (size // len(unit)))
        return time.process_time() - began

    assert seconds(400 * KILO) < 3 * max(seconds(200 * KILO), NOISE)


@pytest.mark.slow
@pytest.mark.parametrize("language, name", ALL)
def test_a_megabyte_of_any_shape_is_built_to_the_dataset(
    language: str, name: str, tmp_path: Path
):
    repository = Repository(tmp_path / "here")
    names = ", ".join(f'"{known}"' for known in EXTENSION)
    settings = f"[project]\nlanguages = [{names}]\nmax_file_bytes = {LARGE}\n"
    text = SHAPES[language][name].text(KILO * KILO)
    repository.commit({f"a.{EXTENSION[language]}": text, "repobuild.toml": settings})
    done = subprocess.run(
        [sys.executable, "-P", "-m", "repobuild", "--until", "dataset", "-q"],
        cwd=repository.path, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_expectation_of_an_assertion_may_have_long_names() -> None:
    """The cuts of a name of thirty letters were tried one by one: minutes a name."""
    asserted = f"    assert token == dict({'x' * 90}=9)\n"
    code = f'def test_it(keys):\n    token = make("a")\n{asserted}'
    assert hide_expectation(code, 1000, {"make"}) is not None
