"""Find the keys by which siblings are known elsewhere, and what is entered with them.

`"ES256": ECAlgorithm()` and `Kind.JSON: (JsonReader, JsonWriter)` are entries of a
registration. Their keys stand for the sibling in other tables, branches and documents.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import split_id
from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import ElementView
from repobuild.samples.families.family_tree import NEARLY_ALL, Tree, is_usual
from repobuild.samples.families.membership import Family
from repobuild.samples.families.named_sites import FoundSites, can_register
from repobuild.samples.families.registration import (
    NamedPlace,
    is_document,
    mentions,
)

_FEWEST_IN_FUNCTION = 3
_MOST_PAIRED = 2
_ATTRIBUTE = re.compile(
    r"^ {4}[a-z]\w*(?:\s*:[^=\n]+)?\s*=\s*([A-Z]\w*)\s*$", re.MULTILINE
)
_SET = re.compile(r"^([A-Z][A-Z0-9_]+)\s*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_MOST_PLACES = 4  # in code; of documents one is enough
_MOST_HOMES = 4  # whose imports are read
_LARGEST = 1_000_000  # bytes
_KEY = (
    r"(?:[\"'](?P<text>\w{2,40})[\"']"
    r"|(?:\w+\.)*(?P<owner>[A-Z]\w*)\.(?P<member>[A-Za-z]\w*)"
    r"|(?P<constant>[A-Z][A-Z0-9_]{2,40}))"
)
# Of `key: value`, `table[key] = value` and `register(key, value)`.
_ENTRIES = (
    re.compile(rf"\s*{_KEY}\s*:(?!:)"),
    re.compile(rf"\s*[\w.]+\[{_KEY}\]\s*="),
    re.compile(rf"[^\"'(]*\(\s*{_KEY}\s*,"),
)
_BRANCH = re.compile(rf"\s*(?:(?:el)?if\b[^=]*==\s*|case\s+){_KEY}\s*:\s*$")
_IDENTIFIER = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*")
_CONSTANT = re.compile(
    r"^ {4}([A-Za-z]\w*)(?:\s*:[^=\n]+)?\s*=\s*([\"'])(\w{2,40})\2\s*$", re.MULTILINE
)


class Entry(NamedTuple):
    """One entry of a registration that names a sibling."""

    path: str
    number: int  # of the sibling
    key: str  # "" for none, or the sibling's own name
    owner: str  # class that has the key as an attribute, "" for a string
    others: tuple[str, ...]  # names besides, after the key


_Resolved = dict[tuple[str, str], str]  # (path, name in it) -> id, "" for none


class Keys(NamedTuple):
    """What the entries of a family show."""

    keys: dict[str, int]  # key, as `"text"` or `Owner.MEMBER` -> number of the sibling
    members: list[Value]  # [class, path of the entries, [[number, attribute], ...]]
    paired: list[Value]  # [base or file, [[number, class or function], ...]]
    read: list[str]  # ids of all that entries name besides


def read_keys(
    ids: list[str],
    elements: list[ElementView | None],
    places: Iterable[tuple[str, int, NamedPlace]],
    tree: Tree,
) -> Keys:
    """Return the keys of siblings; `places` are (path, number, mention) of them."""
    entries = [one for place in places if (one := _entry(*place))]
    entries += _assigned(elements, tree)
    entries += _makers(ids, tree)
    found: dict[str, set[int]] = defaultdict(set)
    for one in entries:
        if one.key:
            found[f"{one.owner}.{one.key}" if one.owner else one.key].add(one.number)
    for key, number in _constants(elements, tree):
        found[key].add(number)
    keys = {key: min(numbers) for key, numbers in found.items() if len(numbers) == 1}
    if not is_usual(len(set(keys.values())), ids):
        keys = {}
    resolved = {
        (one.path, name): _resolved(name, one.path, tree)
        for one in entries
        for name in (*one.others, one.owner)
    }
    members = _members(entries, ids, resolved, tree)
    read = sorted({id for id in resolved.values() if id} - set(ids))
    return Keys(keys, members, _paired(entries, ids, resolved, tree), read)


def _entry(path: str, number: int, place: NamedPlace) -> Entry | None:
    """Return the entry that a mention is part of, None where it is part of none."""
    for form in _ENTRIES:
        match = form.match(place.line)
        if match is None:
            continue
        rest = place.line[match.end() :]
        is_own = match["text"] == place.name  # of a table of names
        if not is_own and not re.search(rf"\b{place.name}\b", rest):
            return None
        key = "" if is_own else _key_of(match)
        others = dict.fromkeys(_IDENTIFIER.findall(rest))
        named = tuple(one for one in others if one != place.name)
        return Entry(path, number, key, match["owner"] or "", named)
    if branch := _BRANCH.match(place.above):
        return Entry(path, number, _key_of(branch), branch["owner"] or "", ())
    return None


def _key_of(match: re.Match[str]) -> str:
    return match["text"] or match["member"] or match["constant"]


def _assigned(elements: list[ElementView | None], tree: Tree) -> Iterator[Entry]:
    """Yield the classes that the bodies of siblings give to attributes."""
    for number, one in enumerate(elements):
        if one is not None and one.type == "class" and one.path.endswith(".py"):
            code = tree.code(one).decode("utf-8", "replace")
            yield Entry(one.path, number, "", "", tuple(_ATTRIBUTE.findall(code)))


def _makers(ids: list[str], tree: Tree) -> Iterator[Entry]:
    """Yield the functions beside the siblings that return a new one of a sibling."""
    for number, id in enumerate(ids):
        path, qual = split_id(id)
        made = re.compile(rf"\breturn {re.escape(name_of(qual) or '?')}\(")
        names = tuple(
            one.name
            for one in tree.reader.elements(path).values()
            if one.type == "function" and not one.parent
            if made.search(tree.code(one).decode("utf-8", "replace"))
        )
        yield Entry(path, number, "", "", names)


def _constants(
    elements: list[ElementView | None], tree: Tree
) -> Iterator[tuple[str, int]]:
    """Yield (text, number) of what classes set an attribute to, nearly each its own."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for number, one in enumerate(elements):
        if one is None or one.type != "class" or not one.path.endswith(".py"):
            continue
        for match in _CONSTANT.finditer(tree.code(one).decode("utf-8", "replace")):
            found[match[1]][number] = match[3]
    for texts in found.values():
        if len(set(texts.values())) >= NEARLY_ALL * len(elements):
            yield from ((text, number) for number, text in texts.items())


def _members(
    entries: list[Entry], ids: list[str], resolved: _Resolved, tree: Tree
) -> list[Value]:
    """Return the classes that have the keys of most siblings as attributes."""
    found: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for one in entries:
        owner = resolved[one.path, one.owner]
        if owner and one.key in _attributes(owner, tree):
            found[owner, one.path].setdefault(one.number, one.key)
    rows = []
    for (owner, path), numbers in sorted(found.items()):
        if is_usual(len(set(numbers.values())), ids):
            rows.append([owner, path, [[n, key] for n, key in sorted(numbers.items())]])
    return sorted(rows, key=lambda row: -len(row[2]))[:1]


def _paired(
    entries: list[Entry], ids: list[str], resolved: _Resolved, tree: Tree
) -> list[Value]:
    """Return the classes and functions that most siblings are entered with, alone.

    Classes have a base in common, functions their file.
    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for one in entries:
        for name in one.others:
            id = resolved[one.path, name]
            for group in _groups(id, tree) if id and id not in ids else ():
                found[group].setdefault(one.number, id)
    rows: list[Value] = []
    for group, numbers in sorted(found.items()):
        count = Counter(numbers.values())
        own = [[n, id] for n, id in sorted(numbers.items()) if count[id] == 1]
        if is_usual(len(own), ids):
            rows.append([group, own])
    kept: list[Value] = []
    for group, own in sorted(rows, key=lambda row: -len(row[1])):
        # A class with two bases in common is one companion.
        if not any(all(pair in known for pair in own) for _, known in kept):
            kept.append([group, own])
    return kept[:_MOST_PAIRED]


def _groups(id: str, tree: Tree) -> list[str]:
    """Return the bases of a class, or the file of a function; [] for anything else."""
    path, qual = split_id(id)
    element = tree.reader.elements(path).get(qual)
    if element is None or element.type not in ("class", "function"):
        return []
    return tree.reader.outgoing(id, "inherits") if element.type == "class" else [path]


def _resolved(name: str, path: str, tree: Tree) -> str:
    """Return the id of what a name means at the top level of a file, or ""."""
    if name in tree.reader.elements(path):
        return f"{path}::{name}"
    imported = tree.reader.edges(path).outgoing.get(("", "imports"), [])
    named = (id for id in imported if "::" in id and name_of(split_id(id)[1]) == name)
    return next(named, "") if name else ""


def _attributes(id: str, tree: Tree) -> Iterable[str]:
    path, qual = split_id(id)
    element = tree.reader.elements(path).get(qual)
    return element.row.attrs if element is not None and element.type == "class" else ()


# ------------------------------------------------------------------- where they occur


def key_places(
    keys: dict[str, int],
    ids: list[str],
    found_sites: FoundSites,
    imported: set[str],
    tree: Tree,
) -> list[Value]:
    """Return [kind, path, name, [[number, key], ...]] of places with most siblings'
    keys, those with the most first: tables, functions, documents, definitions.
    """
    words = {word_of(key): key for key in keys}
    own_lines = found_sites.own_lines
    found: dict[tuple[str, str, str], dict[int, str]] = defaultdict(dict)
    for path in filter(can_register, sorted(found_sites.searched)):
        source = tree.read(path)
        if source is None or len(source) > _LARGEST:
            continue
        if len(words.keys() & tree.words(path)) < 2:
            continue
        text = source.decode("utf-8", "replace").replace("\r\n", "\n")
        inner = tree.reader.elements(path)
        for one in mentions(path, text, set(words), inner, own_lines[path]):
            key = words[one.name]
            if one.kind in ("table", "function", "document"):
                if not is_word(key) if is_document(path) else is_key(key, one.line):
                    found[one.kind, path, one.where].setdefault(keys[key], key)
    for path in sorted(imported):
        for key in _defined(path, tree) & keys.keys():
            found["definition", path, ""].setdefault(keys[key], key)
    rows: list[Value] = []
    for (kind, path, where), numbers in sorted(found.items()):
        fewest = _FEWEST_IN_FUNCTION if kind == "function" else 2
        if is_usual(len(numbers), ids) and len(numbers) >= fewest:
            pairs = [[n, key] for n, key in sorted(numbers.items())]
            rows.append([kind, path, where, pairs])
    return sorted(rows, key=lambda row: -len(row[3]))


def imported_files(ids: list[str], family: Family, tree: Tree) -> set[str]:
    """Return the files that the base and some siblings import: they may know keys."""
    homes = {split_id(id)[0] for id in (family.where, *ids[:_MOST_HOMES])}
    return {
        split_id(id)[0]
        for home in homes
        for id in tree.reader.edges(home).outgoing.get(("", "imports"), [])
    } - homes


def _defined(path: str, tree: Tree) -> set[str]:
    """Return the functions, classes and constants at the top level of a file.

    A key may be the name of one: `getattr(colors, "darken")`.
    """
    inner = tree.reader.elements(path).values()
    names = {one.name for one in inner if one.type in ("function", "class")}
    return names | set(
        _SET.findall((tree.read(path) or b"").decode("utf-8", "replace"))
    )


def word_of(key: str) -> str:
    """Return the word by which a text with a key is found."""
    return key.rpartition(".")[2]


def is_word(key: str) -> bool:
    """Return whether a key is a plain word, that prose may have for another reason."""
    return key.isalpha() and key.islower()


def is_key(key: str, line: str) -> bool:
    """Return whether a line of code has a key: as a whole string, or with its class."""
    if "." in key or key.isupper() and "_" in key:
        return bool(re.search(rf"\b{re.escape(key)}\b", line))
    return bool(re.search(rf"([\"']){re.escape(key)}\1", line))


def least_places(places: list[Value], known: set[tuple[str, str]]) -> list[Value]:
    """Return four places in code and a document, without those known by siblings."""
    fresh = [one for one in places if (one[1], one[2]) not in known]
    code = [one for one in fresh if one[0] != "document"]
    documents = [one for one in fresh if one[0] == "document"]
    return [*code[:_MOST_PLACES], *documents[:1]]
