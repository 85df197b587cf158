"""What a commit did to elements, from the blobs before and after it."""

from __future__ import annotations

from typing import Any

import pytest

from repobuild.code.changes.change import changes

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
        "project.exclude": [],
        "project.max_file_bytes": 100_000,
    }

    def blob(self, blob: str) -> bytes:
        if blob == "lost":
            raise KeyError(blob)
        return blob.encode()


def said(*files: tuple[str, str, str, str], count: int = 0) -> list[dict[str, Any]]:
    """Return the items of files given as (old path, text, new path, text)."""
    listed = [["M", *file] for file in files]
    value = {"files": count or len(listed), "changes": listed}
    return changes(value, Blobs())["items"]


def brief(items: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [tuple(filter(None, (i["what"], i["id"], i.get("to", "")))) for i in items]


def test_methods_go_with_their_class():
    assert brief(said(("a.py", CLASS + LONG, "a.py", LONG))) == [
        ("removed", "a.py::Box")
    ]
    assert brief(said(("a.py", LONG, "a.py", CLASS + LONG))) == [("added", "a.py::Box")]


def test_a_method_that_changes_within_a_moved_class_is_told():
    changed = CLASS.replace("True", "not False")
    items = said(
        ("a.py", CLASS + LONG, "a.py", LONG), ("b.py", "X = 1", "b.py", changed)
    )
    assert brief(items) == [
        ("moved", "a.py::Box", "b.py::Box"),
        ("changed", "b.py::Box.shut"),
    ]


def test_a_method_that_a_moved_class_lost_is_gone():
    whole = CLASS + "".join(
        f"    def m{n}(self):\n        return {n}\n" for n in range(9)
    )
    less = whole.replace("    def m8(self):\n        return 8\n", "")
    items = said(("a.py", whole, "a.py", "X = 1"), ("b.py", "X = 1", "b.py", less))
    assert brief(items) == [
        ("moved", "a.py::Box", "b.py::Box"),
        ("removed", "a.py::Box.m8"),
    ]


def test_a_definition_that_got_overloads_did_not_lose_its_body():
    stub = "\n@typing.overload\ndef sum_up(values: None) -> None: ...\n"
    items = said(("a.py", LONG, "a.py", stub + LONG))
    assert "changed" not in {item["what"] for item in items}


def test_a_docstring_with_an_escape_is_no_code():
    doc = '    """Add up.\n\n    A `\\\\n` {} them.\n    """\n    total = 0'
    old, new = (LONG.replace("    total = 0", doc.format(w)) for w in ("ends", "parts"))
    (item,) = said(("a.py", old, "a.py", new.replace("+= value", "-= value")))
    assert item["body"] == [["        total += value"], ["        total -= value"]]


def test_a_decorators_string_is_no_docstring():
    text = '@marked(\n    "value",\n)\ndef f():\n    """Do {}."""\n    return {}\n'
    old, new = (text.format(*words) for words in (("this", 1), ("that", 2)))
    (item,) = said(("a.py", old, "a.py", new))
    assert item["body"] == [["    return 1"], ["    return 2"]]


def test_which_of_two_equals_moved_nobody_knows():
    two = [("a.py", LONG, "a.py", "X = 1"), ("b.py", LONG, "b.py", "X = 1")]
    items = said(*two, ("c.py", "X = 1", "c.py", LONG), ("d.py", "X = 1", "d.py", LONG))
    assert {item["what"] for item in items} == {"removed", "added"}


def test_of_two_that_look_alike_the_nearer_one_moved():
    far = LONG.replace("+= value", "+= 2 * abs(value)")
    files = [("a.py", LONG, "a.py", "X = 1"), ("b.py", "X = 1", "b.py", far)]
    items = said(*files, ("c.py", "X = 1", "c.py", LONG.replace("= 0", "= 1")))
    assert ("moved", "a.py::sum_up", "c.py::sum_up") in brief(items)


@pytest.mark.parametrize(
    "text", [LONG.replace("total = 0", "total = 0  # so"), "\n\n" + LONG, LONG + "\n"]
)
def test_layout_and_comments_are_no_change(text):
    assert said(("a.py", LONG, "a.py", text)) == []


def test_parameters_that_came_went_and_changed_are_named():
    old = "def f(a, b=1, *, c: int = 2):\n    return a\n"
    new = "def f(a, *more, c: int = 3):\n    return a\n"
    (item,) = said(("a.py", old, "a.py", new))
    assert item["parameters"] == {
        "added": ["*more"],
        "removed": ["b"],
        "default": [["c", "2", "3"]],
    }
    assert "body" not in item


def test_a_docstring_is_told_by_its_first_line_and_is_no_body():
    old = 'def f(a):\n    """Say it.\n\n    At length.\n    """\n    return a\n'
    (item,) = said(("a.py", old, "a.py", old.replace("Say", "Tell")))
    assert item["doc"] == ["Say it.", "Tell it."]
    assert "body" not in item and "signature" not in item


def test_a_nested_function_is_told_of_itself():
    old = "def f(a):\n    def g(b):\n        return b\n    return g(a)\n"
    (item,) = said(("a.py", old, "a.py", old.replace("return b", "return -b")))
    assert item["id"] == "a.py::f.g"
    assert item["body"] == [["    return b"], ["    return -b"]]


def test_a_bad_file_hides_only_itself():
    lost = ("a.py", "lost", "a.py", LONG)
    broken = ("b.py", LONG, "b.py", "def f(:\n")
    fine = ("c.py", CLASS + LONG, "c.py", LONG)
    assert brief(said(lost, broken, fine)) == [
        ("unread", "a.py"),
        ("unread", "b.py"),
        ("removed", "c.py::Box"),
    ]


def test_what_is_too_much_is_not_looked_into():
    assert brief(said(count=101)) == [("unread",)]


def test_documents_are_told_as_files_only():
    items = said(("a.md", "# One\n", "b.md", "# Two\n"), ("c.bin", "x", "d.bin", "y"))
    assert brief(items) == [("file renamed", "a.md", "b.md")]
