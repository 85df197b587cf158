"""Which files are analysed, and in which language."""

from __future__ import annotations

import subprocess
import sys

import pytest

from repobuild.code.facts import generic
from repobuild.code.facts.element_row import row_of
from repobuild.code.scan.language import (
    FileChoice,
    chosen_languages,
    install_grammars,
    language_names,
    language_of,
)


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "python"),
        ("a/b.pyi", "python"),
        ("README.md", "markdown"),
        ("pyproject.toml", "manifest"),
        ("sub/requirements-dev.txt", "manifest"),
        ("other.toml", ""),
        ("py", ""),
        ("a.py/b", ""),
        ("a.PY", ""),
        ("node_modules/x/a.py", ""),
        ("pip/_vendor/a.py", ""),
        ("a_pb2.py", ""),
        ("vendor.py", "python"),
        ("skip/a.py", ""),
        ("b/a_skip.py", ""),
    ],
)
def test_language_of(path: str, language: str) -> None:
    chosen = language_of(path, ["python", "markdown"], ["skip", "*_skip.py"])
    assert chosen == language


def test_a_language_that_is_not_chosen_is_left_out() -> None:
    assert language_of("README.md", ["python"], []) == ""
    assert language_of("pyproject.toml", ["python"], []) == "manifest"


def test_auto_is_every_language_that_a_list_may_name() -> None:
    globs = {f"project.{name}": [] for name in ("only", "exclude", "include")}
    auto = {"project.languages": "auto", **globs}
    assert chosen_languages(auto) == language_names()
    choice = FileChoice.of(auto)
    found = [choice.decide(path).language for path in ("a.go", "a.tsx", "a.h", "a.rst")]
    assert found == ["go", "tsx", "cpp", "restructuredtext"]
    assert chosen_languages({"project.languages": ["go"]}) == ("go",)


def test_one_missing_grammar_is_installed_by_itself_and_several_at_once() -> None:
    assert install_grammars(["go"]) == "pip install tree-sitter-go"
    assert install_grammars(["go", "rust"]) == "pip install 'repobuild[languages]'"


def test_naming_languages_loads_no_grammar() -> None:
    code = (
        "import sys\nfrom repobuild.code.scan.language import language_of\n"
        "language_of('a.py', ['python'], [])\n"
        "sys.exit(any('tree_sitter' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_query_file_alone_gives_elements() -> None:
    # Python's own query, read without Python's own reader.
    text = (
        b"# About f.\ndef f(a, b=(1, 2)) -> int:\n    if a: g()\n\nclass A(B): pass\n"
    )
    found = {item[0]: row_of(item) for item in generic.read(text, "python")["elements"]}
    assert list(found) == ["f", "A"]
    f = found["f"]
    assert (f.doc, f.returns, f.head) == (
        "About f.",
        "int",
        "def f(a, b=(1, 2)) -> int:",
    )
    assert f.parameters == ["a", ["b", "", "", "(1, 2)"]]
    assert (f.complexity, f.calls) == (2, [["g", 3]])
    assert found["A"].bases == ["B"]
