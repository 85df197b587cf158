"""Parse an annotation's source text: the classes it names, and their container.

declared("Optional[A]")      "A"                     one class, None aside
options("A | B[int]")        ["A", "B"]              each class of a union
contained("dict[str, A]")    (Kind.MAPPING, "A")     a mapping whose values are A
contained("Iterator[A]")     (Kind.ITERABLE, "A")    iterating over it gives A
contained("type[A]")         (Kind.CLASS, "A")       the class itself
"""

from __future__ import annotations

from collections.abc import Iterator

from repobuild.code.resolve.symbol import Kind

_WRAPPERS = frozenset(
    "Optional Union Final ClassVar Annotated Required NotRequired ReadOnly".split()
)
_ITERABLES = frozenset(
    "list List set Set frozenset FrozenSet AbstractSet MutableSet Sequence deque Deque"
    " MutableSequence Iterable Iterator Collection Generator AsyncIterable"
    " AsyncIterator AsyncGenerator Reversible ValuesView".split()
)
_MAPPINGS = frozenset(
    "dict Dict Mapping MutableMapping defaultdict DefaultDict OrderedDict".split()
)
_MAX_CHARACTERS = 400  # a longer annotation does not name one class
_MAX_DEPTH = 10  # nested wrappers


def declared(text: str) -> str:
    """Return the one class that an annotation names, None aside, or ""."""
    classes = options(text)
    return classes[0] if len(classes) == 1 else ""


def options(text: str) -> list[str]:
    """Return the classes that an annotation names, None aside, without arguments."""
    return [part.partition("[")[0].strip() for part in _union(text)]


def contained(text: str) -> tuple[Kind | None, str]:
    """Return the kind of container that an annotation names, and its element type."""
    types = _union(text)
    if len(types) != 1:
        return None, ""
    name, _, inner = types[0].partition("[")
    name = name.rpartition(".")[2]
    arguments = list(_split(inner.rpartition("]")[0], ","))
    if name in ("type", "Type") and len(arguments) == 1:
        return Kind.CLASS, arguments[0]
    if name in _ITERABLES and arguments:
        return Kind.ITERABLE, arguments[0]
    if name in ("tuple", "Tuple") and len(arguments) == 2 and arguments[1] == "...":
        return Kind.ITERABLE, arguments[0]
    if name in _MAPPINGS and len(arguments) == 2:
        return Kind.MAPPING, arguments[1]
    return None, ""


def _union(text: str, depth: int = 0) -> list[str]:
    """Return the members of a union, None aside, with wrappers taken off."""
    if len(text) > _MAX_CHARACTERS or depth > _MAX_DEPTH:
        return []
    types = []
    for part in _split(text.strip().strip("'\"").strip(), "|"):
        name, _, inner = part.partition("[")
        if name.rpartition(".")[2] not in _WRAPPERS:
            types.append(part)
            continue
        arguments = list(_split(inner.rpartition("]")[0], ","))
        for one in arguments if name.endswith("Union") else arguments[:1]:
            types += _union(one, depth + 1)
    return [part for part in dict.fromkeys(types) if part and part != "None"]


def _split(text: str, separator: str) -> Iterator[str]:
    """Yield the parts of a text between separators that are outside of brackets."""
    depth = start = 0
    for index, character in enumerate(text):
        if character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif character == separator and depth == 0:
            yield text[start:index].strip().strip("'\"")
            start = index + 1
    yield text[start:].strip().strip("'\"")
