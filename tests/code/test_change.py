"""The changes of elements in a commit, from the blobs before and after it."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.code.changes.change import changes
from repobuild.errors import MissingObjectError, PartialRowError

LONG = """
def sum_up(values):
    total = 0
    for value in values:
        total += value
    return total
"""
CLASS = """
class Box:
    def open(self):
        return self.inside

    def shut(self):
        self.is_shut = True
"""


class Blobs:
    """A scope whose blobs are named by their text."""

    settings = {
        "project.languages": ["python", "markdown"],
        "project.only": [],
        "project.exclude": [],
        "project.include": [],
        "project.max_file_bytes": 100_000,
    }

    def blob(self, blob: str) -> bytes:
        if blob == "lost":
            raise MissingObjectError(blob)
        return blob.encode()


def items_of(*files: tuple[str, str, str, str], count: int = 0) -> list[dict[str, Any]]:
    """Return the items of files given as (old path, text, new path, text)."""
    listed = [["M", *file] for file in files]
    value = {"files": count or len(listed), "changes": listed}
    return changes(value, Blobs())["items"]


def summary(items: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(filter(None, (i["what"], i["id"], i.get("to", "")))) for i in items]


def test_methods_are_added_and_removed_with_their_class():
    assert summary(items_of(("a.py", CLASS + LONG, "a.py", LONG))) == [
        ("removed", "a.py::Box")
    ]
    assert summary(items_of(("a.py", LONG, "a.py", CLASS + LONG))) == [
        ("added", "a.py::Box")
    ]


def test_a_method_changed_within_a_moved_class_is_reported():
    changed = CLASS.replace("True", "not False")
    items = items_of(
        ("a.py", CLASS + LONG, "a.py", LONG), ("b.py", "X = 1", "b.py", changed)
    )
    assert summary(items) == [
        ("moved", "a.py::Box", "b.py::Box"),
        ("changed", "b.py::Box.shut"),
    ]


def test_a_method_missing_from_a_moved_class_is_removed():
    whole = CLASS + "".join(
        f"    def m{n}(self):\n        return {n}\n" for n in range(9)
    )
    less = whole.replace("    def m8(self):\n        return 8\n", "")
    items = items_of(("a.py", whole, "a.py", "X = 1"), ("b.py", "X = 1", "b.py", less))
    assert summary(items) == [
        ("moved", "a.py::Box", "b.py::Box"),
        ("removed", "a.py::Box.m8"),
    ]


def test_new_overloads_do_not_change_the_definition():
    stub = "\n@typing.overload\ndef sum_up(values: None) -> None: ...\n"
    items = items_of(("a.py", LONG, "a.py", stub + LONG))
    assert "changed" not in {item["what"] for item in items}


def test_a_docstring_with_an_escape_is_not_code():
    doc = '    """Add up.\n\n    A `\\\\n` {} them.\n    """\n    total = 0'
    old, new = (LONG.replace("    total = 0", doc.format(w)) for w in ("ends", "parts"))
    (item,) = items_of(("a.py", old, "a.py", new.replace("+= value", "-= value")))
    assert item["body"] == [["        total += value"], ["        total -= value"]]


def test_a_decorators_string_is_not_the_docstring():
    text = '@marked(\n    "value",\n)\ndef f():\n    """Do {}."""\n    return {}\n'
    old, new = (text.format(*words) for words in (("this", 1), ("that", 2)))
    (item,) = items_of(("a.py", old, "a.py", new))
    assert item["body"] == [["    return 1"], ["    return 2"]]


def test_a_decorator_of_several_lines_is_no_line_of_the_body():
    text = '@named("f"{})\n@marked\ndef f():\n    return {}\n'
    more = ',\n    help="Say it.",\n'
    (item,) = items_of(("a.py", text.format("", 1), "a.py", text.format(more, 2)))
    assert item["body"] == [["    return 1"], ["    return 2"]]


def test_two_equal_candidates_are_not_paired():
    two = [("a.py", LONG, "a.py", "X = 1"), ("b.py", LONG, "b.py", "X = 1")]
    items = items_of(
        *two, ("c.py", "X = 1", "c.py", LONG), ("d.py", "X = 1", "d.py", LONG)
    )
    assert {item["what"] for item in items} == {"removed", "added"}


def test_the_more_similar_candidate_is_paired():
    far = LONG.replace("+= value", "+= 2 * abs(value)")
    files = [("a.py", LONG, "a.py", "X = 1"), ("b.py", "X = 1", "b.py", far)]
    items = items_of(*files, ("c.py", "X = 1", "c.py", LONG.replace("= 0", "= 1")))
    assert ("moved", "a.py::sum_up", "c.py::sum_up") in summary(items)


@pytest.mark.parametrize(
    "text", [LONG.replace("total = 0", "total = 0  # so"), "\n\n" + LONG, LONG + "\n"]
)
def test_layout_and_comments_do_not_change_an_element(text):
    assert items_of(("a.py", LONG, "a.py", text)) == []


def test_added_removed_and_changed_parameters_are_named():
    old = "def f(a, b=1, *, c: int = 2):\n    return a\n"
    new = "def f(a, *more, c: int = 3):\n    return a\n"
    (item,) = items_of(("a.py", old, "a.py", new))
    assert item["parameters"] == {
        "added": ["*more"],
        "removed": ["b"],
        "default": [["c", "2", "3"]],
    }
    assert "body" not in item


def test_a_docstring_change_shows_first_lines_and_is_not_a_body_change():
    old = 'def f(a):\n    """Say it.\n\n    At length.\n    """\n    return a\n'
    (item,) = items_of(("a.py", old, "a.py", old.replace("Say", "Tell")))
    assert item["doc"] == ["Say it.", "Tell it."]
    assert "body" not in item and "signature" not in item


def test_a_nested_functions_change_is_its_own():
    old = "def f(a):\n    def g(b):\n        return b\n    return g(a)\n"
    (item,) = items_of(("a.py", old, "a.py", old.replace("return b", "return -b")))
    assert item["id"] == "a.py::f.g"
    assert item["body"] == [["    return b"], ["    return -b"]]


def test_an_unreadable_file_hides_only_itself():
    broken = ("b.py", LONG, "b.py", "def f(:\n")
    fine = ("c.py", CLASS + LONG, "c.py", LONG)
    assert summary(items_of(broken, fine)) == [
        ("unread", "b.py"),
        ("removed", "c.py::Box"),
    ]


def test_a_missing_blob_fails_the_row_and_keeps_the_rest():
    fine = ("c.py", CLASS + LONG, "c.py", LONG)
    with pytest.raises(PartialRowError) as caught:
        items_of(("a.py", "lost", "a.py", LONG), fine)
    items = caught.value.value["items"]
    assert summary(items) == [("unread", "a.py"), ("removed", "c.py::Box")]


def test_a_commit_with_too_many_files_is_unread():
    assert summary(items_of(count=101)) == [("unread",)]


def test_documents_have_file_items_only():
    items = items_of(
        ("a.md", "# One\n", "b.md", "# Two\n"), ("c.bin", "x", "d.bin", "y")
    )
    assert summary(items) == [("file renamed", "a.md", "b.md")]
