"""Methods that a class calls by a computed name are told from others."""

from __future__ import annotations

import pytest

from repobuild.samples.text.source_names import computed_names


@pytest.mark.parametrize(
    "code, found, other",
    [
        ('getattr(self, f"xpath_{kind}_function")', "xpath_a_function", "xpath_a"),
        ('getattr(self, "visit_" + name, None)', "visit_a", "leave_a"),
        ('getattr(self, "do_%s" % name)', "do_a", "undo"),
        ("getattr(self, 'on_{}'.format(name))", "on_a", "off_a"),
        ("method = 'visit_' + name\ngetattr(self, method)", "visit_a", "a"),
        ("n = c.__name__.upper()\ngetattr(self, n, None)", "CLASSDEF", "report"),
    ],
)
def test_a_computed_name_is_found(code: str, found: str, other: str) -> None:
    patterns = list(computed_names(code))
    assert any(one.fullmatch(found) for one in patterns)
    assert not any(one.fullmatch(other) for one in patterns)


@pytest.mark.parametrize(
    "code",
    [
        'getattr(self, "name")',
        "getattr(self, name)",
        "for name in names:\n    getattr(self, name)",
        "getattr(other, 'visit_' + name)",
        "name = self.name\ngetattr(self, name)",
    ],
)
def test_another_name_is_not(code: str) -> None:
    assert list(computed_names(code)) == []
