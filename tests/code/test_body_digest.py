"""An element's digests change with its meaning, and not with its layout."""

from __future__ import annotations

import pytest

from repobuild.code.facts.element import element
from repobuild.code.facts.parse import facts_of

FUNCTION = """\
class A:
    @d
    def f(self, a, b=1):
        '''Doc.'''
        x = g(a, b)
        if x:
            return [1, 2]
        return "a  b"
"""


def digests(text: str, qual: str = "A.f") -> tuple[bytes, bytes]:
    """Return the body digest and the interface digest of an element."""
    found = element(facts_of(text.encode(), "python"), qual, "")
    assert found is not None
    return found.body_digest, found.interface_digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("class A", "# moved\n\n\nclass A"),
        ("        x = g", "        # why\n\n        x = g"),
        ("x = g(a, b)", "x=g( a,b )  # why"),
        ("g(a, b)", "g(\n            a,\n  b\n        )"),
        ("x = g(a, b)", "x = \\\n            g(a, b)"),
        ("            return", "                return"),
        ("class A:", "class A:\n    y = 1\n"),
        ("class A:", "def before(): pass\nclass A:"),
        ("    @d", "    @ d"),
        ("[1, 2]", "[1,  # one\n  2]"),
    ],
)
def test_layout_does_not_change_the_digests(old: str, new: str) -> None:
    assert old in FUNCTION
    assert digests(FUNCTION.replace(old, new)) == digests(FUNCTION)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("g(a, b)", "g(b, a)"),
        ('"a  b"', '"a b"'),
        (
            "            return [1, 2]\n",
            "            pass\n            return [1, 2]\n",
        ),
        (
            "            return [1, 2]\n        return",
            "            return [1, 2]\n        x;return",
        ),
        ("[1, 2]", "[12]"),
        ("[1, 2]", "[1 , 2,]"),
        ("if x:", "if not x:"),
        ("if x:", "while x:"),
    ],
)
def test_the_body_changes_the_body_digest_only(old: str, new: str) -> None:
    body, interface = digests(FUNCTION.replace(old, new))
    assert body != digests(FUNCTION)[0]
    assert interface == digests(FUNCTION)[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [("b=1", "b=2"), ("Doc.", "Other."), ("@d", "@e"), ("self, a,", "self, a: int,")],
)
def test_the_interface_changes_both_digests(old: str, new: str) -> None:
    body, interface = digests(FUNCTION.replace(old, new))
    assert body != digests(FUNCTION)[0]
    assert interface != digests(FUNCTION)[1]


def test_a_statement_that_leaves_a_block_changes_the_digests() -> None:
    inside = "def f():\n    if a:\n        b()\n        c()\n"
    outside = "def f():\n    if a:\n        b()\n    c()\n"
    assert digests(inside, "f") != digests(outside, "f")


def test_a_method_keeps_its_digests_when_its_class_moves_into_another() -> None:
    flat = "class A:\n    def f(self):\n        if a:\n            b()\n"
    nested = "class B:\n" + "".join("    " + line + "\n" for line in flat.splitlines())
    assert digests(flat, "A.f") == digests(nested, "B.A.f")
