"""Which classes an annotation's source text names, and what it says they are within.

declared("Optional[A]")     "A"             one class, None aside
options("A | B[int]")       ["A", "B"]      each of several
contained("dict[str, A]")   ("d", "A")      a mapping to A
contained("Iterator[A]")    ("l", "A")      something that is iterated
contained("type[A]")        ("c", "A")      the class itself
"""

from __future__ import annotations

from collections.abc import Iterator

_WRAPPERS = frozenset(
    "Optional Union Final ClassVar Annotated Required NotRequired ReadOnly".split()
)
_SEQUENCES = frozenset(
    "list List set Set frozenset FrozenSet AbstractSet MutableSet Sequence deque Deque"
    " MutableSequence Iterable Iterator Collection Generator AsyncIterable"
    " AsyncIterator AsyncGenerator Reversible ValuesView".split()
)
_MAPPINGS = frozenset(
    "dict Dict Mapping MutableMapping defaultdict DefaultDict OrderedDict".split()
)
_LONGEST = 400  # characters; a longer one says too much to say one thing
_DEEPEST = 10  # of wrappers within wrappers


def declared(text: str) -> str:
    """Return the one class that an annotation names, None aside, or ""."""
    found = options(text)
    return found[0] if len(found) == 1 else ""


def options(text: str) -> list[str]:
    """Return the classes that an annotation names, None aside, without arguments."""
    return [part.partition("[")[0].strip() for part in _types(text)]


def contained(text: str) -> tuple[str, str]:
    """Return what kind of container an annotation names, and what is in it."""
    found = _types(text)
    if len(found) != 1:
        return "", ""
    name, _, inner = found[0].partition("[")
    name = name.rpartition(".")[2]
    held = list(_parts(inner.rpartition("]")[0], ","))
    if name in ("type", "Type") and len(held) == 1:
        return "c", held[0]
    if name in _SEQUENCES and held:
        return "l", held[0]
    if name in ("tuple", "Tuple") and len(held) == 2 and held[1] == "...":
        return "l", held[0]
    return ("d", held[1]) if name in _MAPPINGS and len(held) == 2 else ("", "")


def _types(text: str, depth: int = 0) -> list[str]:
    """Return what a union and its like are of."""
    if len(text) > _LONGEST or depth > _DEEPEST:
        return []
    found = []
    for part in _parts(text.strip().strip("'\"").strip(), "|"):
        name, _, inner = part.partition("[")
        if name.rpartition(".")[2] not in _WRAPPERS:
            found.append(part)
            continue
        held = list(_parts(inner.rpartition("]")[0], ","))
        for one in held if name.endswith("Union") else held[:1]:
            found += _types(one, depth + 1)
    return [part for part in dict.fromkeys(found) if part and part != "None"]


def _parts(text: str, mark: str) -> Iterator[str]:
    """Yield what stands between marks that no bracket holds."""
    depth = last = 0
    for place, character in enumerate(text):
        if character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif character == mark and depth == 0:
            yield text[last:place].strip().strip("'\"")
            last = place + 1
    yield text[last:].strip().strip("'\"")
