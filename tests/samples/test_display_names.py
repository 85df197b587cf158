"""Names are as short as they are unambiguous."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.code.facts.element_row import ElementRow
from repobuild.samples.contexts.display_names import DisplayNames, names_of
from repobuild.samples.contexts.element_view import ElementView, strip_counts
from repobuild.samples.text.import_statements import module_of
from tests.fakes import MemoryIndex


def facts(*quals: str) -> Any:
    """Return a facts row of nothing but names and types."""
    return {"elements": [[qual, kind(qual)] for qual in quals]}


def kind(qual: str) -> str:
    return "method" if "." in qual else "function"


def label(path: str, qual: str, **files: Any) -> str:
    names = DisplayNames(MemoryIndex())
    for name, row in files.items():
        names.record(f"{name}.py", names_of(row))
    row = ElementRow(qual, kind(qual), 1, 1, 0, 0, 0, b"", b"")
    name = strip_counts(qual).rpartition(".")[2]
    element = ElementView(path, row, name, qual.rpartition(".")[0])
    found, alone = names.label(element, names_of(files[path.removesuffix(".py")]))
    assert alone == (found in (element.name, element.plain_qual))
    return found


def test_a_name_that_no_other_element_has_is_not_qualified() -> None:
    assert (
        label("a.py", "A.run_all", a=facts("A.run_all"), b=facts("walk")) == "run_all"
    )
    assert label("a.py", "A.runAll", a=facts("A.runAll"), b=facts("walk")) == "runAll"
    assert label("a.py", "run", a=facts("run"), b=facts("walk")) == "run"


def test_a_method_whose_name_is_a_word_is_asked_for_with_its_class() -> None:
    for name in ("run", "_run", "__next__"):
        assert label("a.py", f"A.{name}", a=facts(f"A.{name}")) == f"A.{name}"


def test_a_method_whose_name_others_have_is_qualified() -> None:
    assert label("a.py", "A.run", a=facts("A.run"), b=facts("B.run")) == "A.run"
    assert label("a.py", "A.run", a=facts("A.run", "B.run")) == "A.run"


def test_a_name_that_is_qualified_the_same_elsewhere_gets_its_module() -> None:
    assert label("a.py", "run", a=facts("run"), b=facts("run")) == "a.run"
    assert label("a.py", "A.run", a=facts("A.run"), b=facts("A.run")) == "a.A.run"


def test_a_name_of_another_language_gets_its_path_and_no_module() -> None:
    names, row = DisplayNames(MemoryIndex()), facts("run")
    for path in ("src/a.c", "src/b.c"):
        names.record(path, names_of(row))
    element = ElementView(
        "src/a.c", ElementRow("run", "function", 1, 1, 0, 0, 0, b"", b""), "run", ""
    )
    assert names.label(element, names_of(row)) == ("src/a.c::run", False)


def test_second_definitions_of_a_name_do_not_make_it_ambiguous() -> None:
    assert label("a.py", "run#2", a=facts("run", "run#2")) == "run"


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("a.py", "a"),
        ("src/pkg/mod.py", "pkg.mod"),
        ("pkg/__init__.py", "pkg"),
        ("tools/run", "tools.run"),
    ],
)
def test_the_module_of_a_path_is_dotted(path: str, module: str) -> None:
    assert module_of(path) == module


def test_only_a_name_with_one_unchanged_holder_can_flip() -> None:
    names = DisplayNames(MemoryIndex())
    for path in ("a.py", "b.py", "c.py"):
        names.record(path, ["run"] if path != "c.py" else ["run", "walk"])
    assert list(names.with_one_unchanged_file(["run", "walk"], {"a.py"})) == ["walk"]
    assert list(names.with_one_unchanged_file(["run", "walk"], {"a.py", "b.py"})) == [
        "run",
        "walk",
    ]
    assert (
        list(names.with_one_unchanged_file(["run", "walk"], {"a.py", "b.py", "c.py"}))
        == []
    )
