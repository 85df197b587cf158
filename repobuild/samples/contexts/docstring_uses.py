"""Find docstrings that do not tell what their own element is for, within one file.

copied      another definition of the file has the same docstring: one of the two was
            copied from the other, and nothing says which. Definitions of one name,
            and one that calls the other, may well do the same
argument    it begins with what one argument is: "right is an immediate child of left"
owner       it begins with what the objects of its class are: "Boxes are immutable"
bare        it says only what the name says: "Initialize a Node object."
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from repobuild.samples.contexts.element_view import ElementView

COPIED, ARGUMENT = "copied", "argument"
OWNER, BARE = "owner", "bare"
NO_PURPOSE = (COPIED, ARGUMENT, OWNER, BARE)
_NAMED = ("function", "method", "class")
_WORD = re.compile(r"[^\W_]+")
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")
_KIND_WORDS = frozenset("a an the function method class object instance of".split())
_CONSTRUCTORS = ("__init__", "__new__")
_BARE_WORDS = frozenset(
    "initialize initialise initializes initialises initialization initializer init"
    " initializing construct constructs constructor create creates make makes build"
    " set up sets instantiate a an the this new self cls object instance class method"
    " for of default with parameters attributes".split()
)
_ARGUMENT = re.compile(
    r"(?:The )?[`'\"*]*(?P<name>[a-z_]\w*)[`'\"*]*(?:, [a-z_]\w*)*\s*"
    r"(?:[:=]|--? |(?:is|are|can|may|must|should|will|has|have|specifies|determines"
    r"|args?|arguments?|parameter)\b)"
)


def docstring_uses(elements: Mapping[str, ElementView]) -> dict[str, str]:
    """Return `COPIED` or another of the uses by qualified name, of no other element."""
    whole: dict[str, list[ElementView]] = defaultdict(list)
    for element in elements.values():
        if element.doc and element.type in _NAMED:
            whole[" ".join(element.doc.split())].append(element)
    uses = {e.qual: ARGUMENT for e in elements.values() if _tells_argument(e)}
    uses.update({e.qual: OWNER for e in elements.values() if _tells_owner(e)})
    uses.update({e.qual: BARE for e in elements.values() if _is_bare(e)})
    uses.update(_uses(whole, COPIED))
    return uses


def _tells_argument(element: ElementView) -> bool:
    """Return whether a docstring begins with what one argument is, and no purpose."""
    told = _ARGUMENT.match(element.doc) if element.doc else None
    return told is not None and told["name"] in {p.name for p in element.parameters()}


def _tells_owner(element: ElementView) -> bool:
    """Return whether a method's docstring begins with what its class is."""
    if not element.doc or element.type != "method":
        return False
    owner = re.escape(element.parent.rpartition(".")[2])
    subject = rf"(?:An? |The |All )?(?::\w+:)?`*~?{owner}s?`*(?: objects| instances)?"
    return re.match(rf"{subject} (?:is|are)\b", element.doc.strip()) is not None


def _is_bare(element: ElementView) -> bool:
    """Return whether a docstring says only what the element's name says."""
    if not element.doc or element.type not in _NAMED:
        return False
    first = element.doc.strip().split("\n\n", 1)[0].lower()
    own = {element.name.lower(), *_WORD.findall(_CASE.sub(" ", element.name).lower())}
    if element.name in _CONSTRUCTORS:
        own |= _BARE_WORDS | {element.parent.rpartition(".")[2].lower()}
    words = set(_WORD.findall(first))
    return words <= own | _KIND_WORDS and not first.strip().endswith(":")


def _uses(groups: Mapping[str, list[ElementView]], use: str) -> dict[str, str]:
    return {
        one.qual: use
        for group in groups.values()
        if len({_plain(element) for element in group}) > 1
        for one in group
        if any(not _may_do_the_same(one, other) for other in group)
    }


def _may_do_the_same(one: ElementView, other: ElementView) -> bool:
    return (
        _plain(one) == _plain(other)
        or other.name in _called(one)
        or one.name in _called(other)
    )


def _plain(element: ElementView) -> str:
    return element.name.strip("_").lower()


def _called(element: ElementView) -> set[str]:
    return {name.rpartition(".")[2] for name in element.calls()}
