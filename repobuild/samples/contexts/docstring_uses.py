"""Find docstrings that do not tell what their own element is for, within one file.

copied      another definition of the file has the same docstring: one of the two was
            copied from the other, and nothing says which. Definitions of one name,
            and one that calls the other, may well do the same
argument    it begins with what one argument is: "right is an immediate child of left",
            "A string of HTML that will be wrapped around each target" of `wrap(value)`
owner       it begins with what the objects of its class are: "Boxes are immutable"
bare        it says only what the name says: "Initialize a Node object.", "Handles
            various text emphases" of a method `handle_emphasis` of `HTML2Text`
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from repobuild.code.usage.prose_language import is_chinese
from repobuild.samples.contexts.element_view import CONSTRUCTORS, ElementView

COPIED, ARGUMENT = "copied", "argument"
OWNER, BARE = "owner", "bare"
NO_PURPOSE = (COPIED, ARGUMENT, OWNER, BARE)
_NAMED = ("function", "method", "class")
_SECTION = re.compile(r"\n[ \t]*(?:[A-Z]\w*:[ \t]*(?=\n|$)|[:@]\w)")
_WORD = re.compile(r"[^\W_]+")
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")
_EXAMPLE = re.compile(
    r"`*[\w.]+\([^\n]*\)`*\s*(?:#?[-=]+>|==)\s*`*[bru]{0,2}['\"\[({\d][^\n]*"
)
_KIND_WORDS = frozenset("a an the function method class object instance of".split())
_ANY_KIND = _KIND_WORDS | frozenset("general generic custom simple basic this".split())
_MAIN_WORDS = _KIND_WORDS | frozenset(
    "program entry entrypoint point script command line cli application app routine for"
    " of to run runs start starts module tool".split()
)
_LONGEST_BARE = 10  # words
_FEW_WORDS = 2  # that a summary adds to a name
_FEW_SIGNS = 8  # of a summary in Chinese
_BARE_WORDS = frozenset(
    "initialize initialise initializes initialises initialization initializer init"
    " initializing construct constructs constructor create creates make makes build"
    " set up sets instantiate a an the this new self cls object instance class method"
    " for of default with parameters attributes".split()
)
# Words that add nothing to those of a name.
_FILLING = frozenset(
    "various different several some all any given certain specific particular this that"
    " these those it its to of in for from with and".split()
)
_ROLE = re.compile(r":[a-z][\w:]*:(?=`)")
_GETTING = frozenset(("get", "return", "retriev", "fetch"))  # without their endings
_ENDING = re.compile(r"(?<=\w{3})(?:ies|ing|es|ed|is|s|e|y)$")
_ARGUMENT = re.compile(
    r"(?:The )?[`'\"*]*(?P<name>[a-z_]\w*)[`'\"*]*(?:, [a-z_]\w*)*\s*"
    r"(?:[:=]|--? |(?:is|are|can|may|must|should|will|has|have|specifies|determines"
    r"|args?|arguments?|parameter)\b|[ ]?(?:是|为|表示|指的?是))",
    re.ASCII,  # a name ends before the signs of Chinese
)

# What is passed will be used; what is returned would be so, too, and says it as well.
_VALUE_TO_USE = re.compile(
    r"An? (?:optional )?(?:string|str|text|list|tuple|dict|dictionary|mapping|set"
    r"|number|int|integer|float|bool|boolean|function|callable|callback|object|iterable"
    r"|path)\b"
    r"(?:(?!\breturn)[^.])*?\b(?:that|which) (?:will|should|must|is to) be\b"
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
    if not element.doc:
        return False
    if told := _ARGUMENT.match(element.doc):
        return told["name"] in {one.name for one in element.parameters()}
    is_function = element.type in ("function", "method") and any(element.arguments())
    return is_function and _VALUE_TO_USE.match(element.doc) is not None


def _tells_owner(element: ElementView) -> bool:
    """Return whether a method's docstring begins with what its class is."""
    if not element.doc or element.type != "method":
        return False
    owner = re.escape(element.parent.rpartition(".")[2])
    name = rf"(?:The )?`*{re.escape(element.name)}`*(?:\(\))?"
    if re.match(rf"{name} (?:is|was|has been) already\b", element.doc.strip()):
        return True  # "The emit is already locked": what those who change it know
    subject = rf"(?:An? |The |All )?(?::\w+:)?`*~?{owner}s?`*(?: objects| instances)?"
    return re.match(rf"{subject} (?:is|are)\b", element.doc.strip()) is not None


def _is_bare(element: ElementView) -> bool:
    """Return whether a docstring says only what the element's name says."""
    if not element.doc or element.type not in _NAMED:
        return False
    first = _SECTION.split(element.doc.strip().split("\n\n", 1)[0], maxsplit=1)[0]
    first = _ROLE.sub("", first.lower())
    own = {element.name.lower(), *_words(element.name)}
    if element.name in CONSTRUCTORS:
        own |= _BARE_WORDS | {element.parent.rpartition(".")[2].lower()}
    if _EXAMPLE.fullmatch(element.doc.strip()):
        return True  # "unquote('a%20b') -> 'a b'" shows one value, and says nothing
    words = set(_WORD.findall(first))
    joined = "".join(one for one in _WORD.findall(first) if one not in _ANY_KIND)
    if joined == "".join(_WORD.findall(element.name.lower())):
        return True  # "General CliTable error." of `CliTableError`
    if element.name == "main" and words <= own | _MAIN_WORDS:
        return True  # "Program entry point."
    if words <= own | _KIND_WORDS:
        return not first.strip().endswith(":")
    return _repeats_name(element, first)


def _repeats_name(element: ElementView, first: str) -> bool:
    """Return whether a sentence has all words of a name, and else those of its owner.

    What one word alone adds may be what matters, so that at least two are of the name,
    or the sentence is all there is: "Get the platform." of `platform`.
    """
    name = {_ENDING.sub("", word) for word in _words(element.name)} - {""}
    owner = _words(element.parent.rpartition(".")[2]) | _KIND_WORDS | _FILLING
    words = {word for word in _WORD.findall(first) if word not in owner}
    stems = {_ENDING.sub("", word) for word in words}
    is_sentence = len(_WORD.findall(first)) < _LONGEST_BARE
    if not is_sentence:
        return False
    is_all = "\n" not in element.doc.strip()
    got = name - _GETTING
    return (
        stems == name
        and len(name) > 1
        or (is_all and bool(got) and stems - _GETTING == got)
    )


def adds_little(element: ElementView, summary: str) -> bool:
    """Return whether a summary says little more of a function than its name does.

    It has all words of the name, and two others at most: "Cancel this put request." of
    `Put.cancel`. In Chinese, of which names have no words, it is a few signs long.
    """
    if element.type not in ("function", "method") or not summary:
        return False
    if is_chinese(summary):
        return len(summary.rstrip("。")) <= _FEW_SIGNS
    if len(_WORD.findall(summary)) >= _LONGEST_BARE:
        return False
    name = {_ENDING.sub("", word) for word in _words(element.name)} - {""}
    owner = _words(element.parent.rpartition(".")[2]) | _KIND_WORDS | _FILLING
    words = [word for word in _WORD.findall(summary.lower()) if word not in owner]
    stems = {_ENDING.sub("", word): word for word in words}
    told = [word for stem, word in stems.items() if stem not in _GETTING]
    if "".join(told) == element.name.replace("_", "").lower():
        return True  # "Return a natural day." of `naturalday`
    return bool(name) and name <= stems.keys() and len(stems) <= len(name) + _FEW_WORDS


def _words(name: str) -> set[str]:
    """Return the words of a name; the digits of `HTML2Text` part words, too."""
    parted = re.sub(r"\d+", " ", _CASE.sub(" ", name))
    return set(_WORD.findall(parted.lower()))


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
