"""Decide which families of siblings the elements of one file belong to.

    subclass::BASE             classes that inherit from one class: an element's id, or
                               the bare name of one outside of the project
    decorated::FOLDER::NAME    functions of one folder under one decorator
    functions::FILE::CLASS::P  functions of one file or class with a common first or
                               last word (P is `parse_*` or `*_handler`) and arguments
    modules::FOLDER            files of one folder that define a function or a class of
                               the same name

A key is decided by one file alone, so that an update looks at the changed files only. A
family is one when enough files agree (`FEWEST`). Tests and examples have none.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from repobuild.code.scan.file_roles import is_test
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.contexts.graph_reader import FileEdgeLists

FEWEST = 3  # siblings that make a family: of two, each is as often the exception
_ASIDE = re.compile(
    r"(^|/)(examples?|docs?|doc|benchmarks?|demos?|samples?|vendor|third_party"
    r"|node_modules|fixtures|\.github|scripts?|tools|ci|testsuite|externals|_?vendored"
    r"|_vendor|extern)/|(^|/)(noxfile|setup|tasks|fabfile|dodo|conf)\.py$|\.pyi$"
)
# Bases that say nothing of a common purpose.
_GENERAL_BASES = frozenset(
    "object type Exception BaseException ValueError TypeError RuntimeError KeyError"
    " ABC ABCMeta Protocol Generic NamedTuple TypedDict Enum IntEnum StrEnum Flag"
    " IntFlag dict list str int tuple set float Struct BaseModel Object Error Thread"
    " TestCase Component Warning UserWarning DeprecationWarning local Mapping"
    " MutableMapping Iterator Iterable Callable Sequence OrderedDict UserDict Event"
    " LookupError AttributeError OSError IOError StringIO BytesIO TextIOWrapper"
    " RawIOBase deque defaultdict Serializable Cloneable Comparable Runnable"
    # What collections.abc, contextlib and typing ask for: a way to be used.
    " Hashable Sized Container Collection Reversible Generator Awaitable"
    " Coroutine AsyncIterable AsyncIterator AsyncGenerator Set MutableSet"
    " MutableSequence MappingView KeysView ItemsView ValuesView ByteString Buffer"
    " ContextManager AsyncContextManager AbstractContextManager ContextDecorator"
    " AbstractAsyncContextManager UserList UserString frozenset bytes bytearray complex"
    " date datetime timedelta SupportsInt SupportsFloat SupportsIndex".split()
)
# A decorator registers what it decorates, and says so (`@app.route`), or changes how
# that works: then functions under it have nothing else in common (`@retry`).
_REGISTERS = re.compile(
    r"(?i)regist|route|command|task|handle|hook|plugin|listen|receiver|(^|_)on_|event"
    r"|signal|rule|filter|tag|job|step|implement|provide|subscri|endpoint|expose|action"
    r"|^(on|get|post|put|patch|delete|head|options|websocket|group|callback)$"
    r"|^(before|after|teardown)_|processor|validator"
)
# Decorators that register nowhere, though they look as if they did.
_GENERAL_DECORATORS = frozenset(
    "mark mock patch hookimpl on_exception on_predicate ffi".split()
)
_GENERAL_WORDS = frozenset(
    "get set is has test to from on do as add make the new init run with check can no"
    " str repr default a b x value name type self all".split()
)
_LIKE = 0.6  # share of the functions that take the same arguments
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")
_ENTRY_STEMS = (
    "__init__",
    "__main__",
    "index",
    "mod",
    "setup",
    "conftest",
    "lib",
    "main",
)


# A base that lends methods to classes of many kinds, and siblings that are bases.
_LENDS = re.compile(r"\w*Mix[Ii]n\Z")
_IS_BASE = re.compile(r"_?(?:Abstract|Base)(?=[A-Z_])|\w+(?:Base|Mix[Ii]n|ABC)\Z")


class Family(NamedTuple):
    """A family's key, taken apart."""

    kind: str
    where: str  # base, folder or file
    owner: str = ""  # class that contains functions
    pattern: str = ""  # decorator, or the pattern of the names

    @classmethod
    def of(cls, key: str) -> Family:
        kind, _, rest = key.partition("::")
        if kind in ("subclass", "modules"):
            return cls(kind, rest)
        if kind == "decorated":
            where, _, pattern = rest.partition("::")
            return cls(kind, where, "", pattern)
        where, owner, pattern = rest.split("::")
        return cls(kind, where, owner, pattern)


def is_aside(path: str) -> bool:
    """Return whether a file holds tests, examples, tools or types: nothing to plan."""
    return is_test(path) or bool(_ASIDE.search(path))


def families_of(
    path: str, elements: dict[str, ElementView], edges: FileEdgeLists
) -> dict[str, list[str]]:
    """Return {key: qualified names} of a file's elements, {"modules": ..} with ""."""
    if is_aside(path) or not elements:
        return {}
    found: dict[str, list[str]] = defaultdict(list)
    folder = path.rpartition("/")[0]
    seen: set[str] = set()
    for element in elements.values():
        parent = elements.get(element.parent)
        is_inner = parent is not None and parent.type != "class"
        if is_inner or element.is_overload or element.is_dead or "#" in element.qual:
            continue
        if element.plain_qual in seen:
            continue
        seen.add(element.plain_qual)
        if element.type == "class":
            for base in _bases(element, edges):
                bare = base.rpartition("::")[2].rpartition(".")[2]
                if _LENDS.match(bare) or _IS_BASE.match(element.name):
                    continue
                if bare.startswith("_") or not element.name.startswith("_"):
                    found[f"subclass::{base}"].append(element.qual)
        elif element.type == "function":
            # One of the same file is a helper of its functions, and registers nothing.
            for name in _decorators(element):
                if name in elements:
                    continue
                found[f"decorated::{folder}::{name}"].append(element.qual)
    for key, quals in _alike(path, elements):
        found[key] += quals
    stem = path.rpartition("/")[2].partition(".")[0]
    if stem not in _ENTRY_STEMS and any(shape_names(elements)):
        found[f"modules::{folder}"].append("")
    return dict(found)


def shape_names(elements: dict[str, ElementView]) -> Iterator[str]:
    """Yield the names of a file's public functions and classes at the top level."""
    for one in elements.values():
        if one.type in ("function", "class") and not one.parent:
            if not one.name.startswith("_"):
                yield one.name


def words_of(name: str) -> list[str]:
    """Return the words of a name in snake or camel case, as written."""
    return _WORD.findall(name)


def _bases(element: ElementView, edges: FileEdgeLists) -> Iterator[str]:
    """Yield the ids of a class's bases, and the names of those from elsewhere."""
    targets = edges.outgoing.get((element.qual, "inherits"), [])
    yield from targets
    known = {id.rpartition("::")[2].rpartition(".")[2] for id in targets}
    if targets:
        return  # a class of the project says more than a mixin from elsewhere
    for base in element.row.bases:
        name = base.partition("[")[0].partition("(")[0].partition("<")[0]
        last = name.rpartition(".")[2].strip()
        if last.isidentifier() and last not in known | _GENERAL_BASES:
            yield last


def _decorators(element: ElementView) -> Iterator[str]:
    for text in dict.fromkeys(d.partition("(")[0] for d in element.row.decorators):
        name = text.strip().lstrip("@")
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            continue
        if not _REGISTERS.search(parts[-1]):
            continue
        if not _GENERAL_DECORATORS.intersection(parts) and name[:1] != "_":
            yield name


def _alike(
    path: str, elements: dict[str, ElementView]
) -> Iterator[tuple[str, list[str]]]:
    """Yield families of functions whose names and arguments follow one pattern."""
    groups: dict[tuple[str, str], list[ElementView]] = defaultdict(list)
    for element in elements.values():
        parent = elements.get(element.parent)
        if element.type not in ("function", "method") or "#" in element.qual:
            continue
        if parent is not None and parent.type != "class":
            continue
        bare = element.name.lstrip("_")
        words = words_of(bare)
        if element.name.startswith("__") or len(words) < 2:
            continue
        lead = element.name[: len(element.name) - len(bare)]
        join = "_" if "_" in bare else ""
        if words[0].lower() not in _GENERAL_WORDS and len(words[0]) > 1:
            groups[element.parent, f"{lead}{words[0]}{join}*"].append(element)
        if words[-1].lower() not in _GENERAL_WORDS and len(words[-1]) > 1:
            groups[element.parent, f"*{join}{words[-1]}"].append(element)
    for (owner, pattern), members in groups.items():
        if len(members) < FEWEST:
            continue
        shapes = Counter(shape_of(one) for one in members)
        shape, count = max(shapes.items(), key=lambda pair: (pair[1], pair[0]))
        if shape and count >= max(FEWEST, _LIKE * len(members)):
            like = [one.qual for one in members if shape_of(one) == shape]
            yield f"functions::{path}::{owner}::{pattern}", like


def shape_of(element: ElementView) -> tuple[str, ...]:
    """Return the names of the first parameters, without the receiver."""
    names = [one.name for one in element.arguments() if not one.default]
    return tuple(names[:2])
