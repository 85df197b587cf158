"""The condition under which a file makes a definition is found, and no other."""

from __future__ import annotations

import pytest

from repobuild.samples.text.conditions import ELSE, IF, TRY, conditions

SOURCE = '''\
import sys
"""
if this_is_text:
"""
if sys.version_info >= (3, 13):

    @cache
    def new(): ...
elif os.name == "nt":  # for Windows
    def windows(): ...
else:
    class Old:
        def inner(self): ...

x = [
    a
    if b
    else c
]
for one in x:
    def looped(): ...
try:
    # It is optional.
    import yaml
except ImportError:
    def fallback(): ...
else:
    def dump(): ...

class Whole:
    if (
        hasattr(os, "fork")
        and not WINDOWS
    ):
        def fork(self): ...

    def plain(self):
        if plain:
            def deep(): ...

if TYPE_CHECKING:
    def typed(): ...
else:
    def untyped(): ...
if __name__ == "__main__":
    def main(): ...
'''
EXPECTED = {
    "@cache": (IF, "if sys.version_info >= (3, 13):"),
    "def windows": (IF, 'elif os.name == "nt":'),
    "class Old": (ELSE, 'elif os.name == "nt":'),
    "def inner": (ELSE, 'elif os.name == "nt":'),
    "def looped": None,
    "def fallback": (IF, "except ImportError:"),
    "def dump": (TRY, "import yaml"),
    "class Whole": None,
    "def fork": (IF, 'if ( hasattr(os, "fork") and not WINDOWS ):'),
    "def plain": None,
    "def typed": None,
    "def untyped": None,
    "def main": None,
}


@pytest.mark.parametrize(("head", "condition"), EXPECTED.items())
def test_a_definition_has_the_condition_of_its_branch(
    head: str, condition: tuple[str, str] | None
) -> None:
    line = next(n for n, one in enumerate(SOURCE.split("\n"), 1) if head in one)
    assert conditions(SOURCE).get(line) == condition


def test_a_condition_that_is_too_long_is_known_without_its_text() -> None:
    source = f"if {' and '.join(['something'] * 20)}:\n    def made(): ...\n"
    assert conditions(source) == {2: (IF, "")}
