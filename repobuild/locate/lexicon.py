"""Make the `lexicon` table: which unit of code has which terms, and how often.

A unit is a function, a method, a class without its methods, or what is left of a file;
functions within functions belong to the outer one. The terms of a file's path are a
unit of their own. Documents have no units. No source text is stored.

    PATH            a file       {"blob", "units": [qual, ...], "imports": [path, ...]}
    @project        all files    {"paths", "counts": units of each, and for each unit in
                                 this order: "ids", "names", "rest"}
    @project#NNN    a bucket     {term: postings}; which terms: `bucket_of`

A unit's id is 40 bits of a hash of its path and qualified name, so that it has the same
id in a clean build, and keeps it when another unit is added before it. Two units with
one id share their postings: at 30,000 units one project in 2,000 has such a pair.

Postings are the ids, sorted (their upper 8 bits, then their lower 32), then how often
the term is among the names that a unit defines (uint8), and elsewhere in it (uint8).

A commit takes the postings of a changed file out and puts the new ones in: the terms
before are read again from the blob that the file's row names. Only buckets of terms
that differ are written. The index holds `n:NAME` for every element, under its path.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from repobuild.code.facts.element_row import name_of, parent_of, row_of
from repobuild.code.graph.graph import PROJECT, edges_of
from repobuild.code.scan.file_roles import is_test
from repobuild.code.scan.language import PROSE
from repobuild.code.scan.source_text import source_of
from repobuild.engine.contract import Table, Value, View
from repobuild.errors import MissingObjectError
from repobuild.locate.words import split_identifier, terms_of

BUCKETS = 1024
PATH_UNIT = "/"  # stands for the qualified name of the unit of a path's terms
_MOST_UNITS = 5_000  # of a file
_MOST = 255  # of a term in a unit
_NOT_CODE = {*PROSE, "", "manifest"}

Count = tuple[int, int]  # how often a term is among a unit's names, and elsewhere in it
UnitCounts = dict[str, Mapping[str, Count]]  # qual -> term -> count
Edits = dict[str, dict[int, Count | None]]  # term -> unit id -> new count, None removes


class Postings(NamedTuple):
    """The units that have a term; three columns of equal length."""

    ids: NDArray[np.uint64]
    names: NDArray[np.uint8]
    rest: NDArray[np.uint8]


def lexicon(view: View) -> None:
    """Bring the postings up to date with the changed files."""
    edits: Edits = defaultdict(dict)
    changed: dict[str, UnitCounts] = {}
    paths = {*view.changes("files"), *view.changes("facts")} - {PROJECT}
    for path in sorted(paths):
        before = None if view.full else view.own.get(path)
        counts = _counts_now(view, path)
        if before is None and not counts:
            continue
        _note_edits(view, path, before, counts, edits)
        changed[path] = counts
        _put_file(view, path, counts)
    _put_imports(view, changed)
    if changed or view.full:
        _put_units(view, changed)
        _put_buckets(view, edits)


# --------------------------------------------------------------------------- one file


def _counts_now(view: View, path: str) -> UnitCounts:
    file, facts = view.table("files").get(path), view.table("facts").get(path)
    if not file or not facts or facts.get("language", "") in _NOT_CODE:
        return {}
    try:
        return count_units(path, view.blob(file["blob"]), facts)
    except MissingObjectError as error:
        view.fail("files", path, error)
        return {}


def count_units(path: str, blob: bytes, facts: Mapping[str, Value]) -> UnitCounts:
    """Return how often each term is in each unit of a file."""
    source, _ = source_of(blob)
    counts: UnitCounts = {PATH_UNIT: _count_path(path)}
    for qual, text in split_units(source, facts):
        counts[qual] = _count_unit(text, name_of(qual))
    return counts


def split_units(source: bytes, facts: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Yield (qualified name, own text) of each unit; the rest of the file is ""."""
    spans: dict[str, tuple[int, int]] = {"": (0, len(source))}
    kinds = {"": "file"}
    inner: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for item in facts.get("elements", ()):
        row = row_of(item)
        parent = parent_of(row.qual)
        if kinds.get(parent) not in ("file", "class") or len(spans) > _MOST_UNITS:
            continue
        kinds[row.qual] = row.type
        spans[row.qual] = (row.start, row.start + row.length)
        inner[parent].append(spans[row.qual])
    for qual, (start, end) in spans.items():
        pieces, at = [], start
        for first, last in sorted(inner[qual]):
            pieces.append(source[at:first])
            at = max(at, last)
        pieces.append(source[at:end])
        yield qual, b"\n".join(pieces).decode("utf-8", "replace")


# A commit reads a changed file before and after it: most units are the same in both.
@lru_cache(maxsize=1 << 12)
def _count_unit(text: str, name: str) -> Mapping[str, Count]:
    counts = {term: (0, min(n, _MOST)) for term, n in terms_of(text).items()}
    for term in split_identifier(name):
        counts[term] = (1, counts[term][1] if term in counts else 0)
    return counts


def _count_path(path: str) -> dict[str, Count]:
    stem = path.rpartition(".")[0] if "." in path.rpartition("/")[2] else path
    return {term: (min(n, _MOST), 0) for term, n in terms_of(stem).items()}


def unit_id(path: str, qual: str) -> int:
    """Return the id of a unit."""
    name = f"{path}::{qual}".encode("utf-8", "surrogateescape")
    return int.from_bytes(blake2b(name, digest_size=5).digest())


def _put_file(view: View, path: str, counts: UnitCounts) -> None:
    if not counts:
        view.own.drop(path)
        return
    units = [qual for qual in counts if qual != PATH_UNIT]
    file = view.table("files").get(path) or {}
    row = {"blob": file["blob"], "units": units, "imports": []}
    view.own.put(path, row)


def _put_imports(view: View, changed: Mapping[str, UnitCounts]) -> None:
    """Note which files each file depends on, as the graph has it."""
    graph = view.table("graph")
    for path in sorted({*changed, *view.changes("graph")} - {PROJECT}):
        row = view.own.get(path)
        if row is None:
            continue
        imports = sorted(_imported(graph.get(path) or {}) - {path})
        view.own.put(path, {**row, "imports": imports})
        names = {f"n:{name_of(qual)}" for qual in row["units"] if qual}
        view.own.index.set(path, sorted(names | {f"i:{p}" for p in imports}))


def _imported(row: Value) -> set[str]:
    edges = edges_of(row, "") if row else []
    return {dst.partition("::")[0] for kind, dst, _ in edges if kind == "imports"}


# ---------------------------------------------------------------------------- postings


def _note_edits(
    view: View, path: str, row: Value | None, counts: UnitCounts, edits: Edits
) -> None:
    """Note how the postings of a file differ from those that are stored."""
    before: UnitCounts | None = {}
    if row is not None:
        changes = view.changes("facts")
        facts = changes[path][0] if path in changes else view.table("facts").get(path)
        before = _counts_before(view, path, row["blob"], facts)
    if before is None and row is not None:
        units = [unit_id(path, qual) for qual in (PATH_UNIT, *row["units"])]
        for term in _terms_with(view, set(units)):
            edits[term].update(dict.fromkeys(units))
    for qual in sorted({*(before or {}), *counts}):
        unit, old, new = unit_id(path, qual), (before or {}).get(qual), counts.get(qual)
        if old == new:
            continue
        for term in old or ():
            edits[term][unit] = None
        for term, count in (new or {}).items():
            if old and old.get(term) == count:
                del edits[term][unit]
            else:
                edits[term][unit] = count


def _counts_before(
    view: View, path: str, blob: str, facts: Value | None
) -> UnitCounts | None:
    """Return what is stored for a file; None when its blob is gone from history."""
    try:
        return count_units(path, view.blob(blob), facts) if facts else None
    except MissingObjectError:
        return None


def _terms_with(view: View, units: set[int]) -> Iterator[str]:
    wanted = np.array(sorted(units), np.uint64)
    for number in range(BUCKETS):
        for term, packed in (view.own.get(bucket_key(number)) or {}).items():
            if np.isin(unpack_postings(packed).ids, wanted).any():
                yield term


def _put_buckets(view: View, edits: Edits) -> None:
    by_bucket: dict[int, list[str]] = defaultdict(list)
    for term in edits:
        by_bucket[bucket_of(term)].append(term)
    for number, terms in sorted(by_bucket.items()):
        key = bucket_key(number)
        rows = dict((not view.full and view.own.get(key)) or {})
        for term in terms:
            if not edits[term]:
                continue
            packed = _edit(rows.get(term, b""), edits[term])
            if packed:
                rows[term] = packed
            else:
                rows.pop(term, None)
        if rows:
            view.own.put(key, dict(sorted(rows.items())))
        else:
            view.own.drop(key)


def _edit(packed: bytes, edits: Mapping[int, Count | None]) -> bytes:
    """Return packed postings with some units' counts replaced or removed."""
    new = sorted((unit, *count) for unit, count in edits.items() if count is not None)
    if not packed:  # a new term: most have few units, for which arrays cost more
        low = struct.pack(f"<{len(new)}I", *(unit & 0xFFFFFFFF for unit, _, _ in new))
        counts = bytes(n for _, n, _ in new) + bytes(n for _, _, n in new)
        return bytes(unit >> 32 for unit, _, _ in new) + low + counts
    old = unpack_postings(packed)
    kept = ~np.isin(old.ids, np.array(list(edits), np.uint64))
    ids = np.append(old.ids[kept], np.array([unit for unit, _, _ in new], np.uint64))
    names = np.append(old.names[kept], np.array([n for _, n, _ in new], np.uint8))
    rest = np.append(old.rest[kept], np.array([n for _, _, n in new], np.uint8))
    order = np.argsort(ids, kind="stable")
    return pack_ids(ids[order]) + names[order].tobytes() + rest[order].tobytes()


def unpack_postings(packed: bytes) -> Postings:
    count = len(packed) // 7
    return Postings(
        unpack_ids(packed[: 5 * count]),
        np.frombuffer(packed, np.uint8, count, 5 * count),
        np.frombuffer(packed, np.uint8, count, 6 * count),
    )


def pack_ids(ids: NDArray[np.uint64]) -> bytes:
    return (ids >> 32).astype(np.uint8).tobytes() + ids.astype("<u4").tobytes()


def unpack_ids(packed: bytes) -> NDArray[np.uint64]:
    count = len(packed) // 5
    high = np.frombuffer(packed, np.uint8, count).astype(np.uint64)
    low = np.frombuffer(packed, "<u4", count, count)
    return np.asarray((high << np.uint64(32)) | low, np.uint64)


def bucket_of(term: str) -> int:
    return crc32(term.encode()) % BUCKETS


def bucket_key(number: int) -> str:
    return f"{PROJECT}#{number:03x}"


# ------------------------------------------------------------------------- all units


class _Columns(NamedTuple):
    """Units: their ids, how many terms name them, and how many others they have."""

    ids: NDArray[np.uint64]
    names: NDArray[np.uint16]
    rest: NDArray[np.uint32]


def _put_units(view: View, changed: Mapping[str, UnitCounts]) -> None:
    """Write the row of all units, sorted by path."""
    files: dict[str, _Columns] = {}
    if not view.full and (row := view.own.get(PROJECT)):
        files = dict(_columns_of(row))
    for path, counts in changed.items():
        if counts:
            files[path] = _columns(path, counts)
        else:
            files.pop(path, None)
    ordered = sorted(files.items())
    nothing = _Columns(*(np.array([], kind) for kind in (np.uint64, "<u2", "<u4")))
    every = [nothing, *(columns for _, columns in ordered)]
    ids, names, rest = map(np.concatenate, zip(*every, strict=True))
    row = {
        "paths": [path for path, _ in ordered],
        "counts": np.array([len(c.ids) for _, c in ordered], "<u2").tobytes(),
        "ids": pack_ids(ids),
        "names": names.astype("<u2").tobytes(),
        "rest": rest.astype("<u4").tobytes(),
    }
    view.own.put(PROJECT, row)


def _columns(path: str, counts: UnitCounts) -> _Columns:
    names = [sum(name for name, _ in terms.values()) for terms in counts.values()]
    rest = [sum(rest for _, rest in terms.values()) for terms in counts.values()]
    return _Columns(
        np.array([unit_id(path, qual) for qual in counts], np.uint64),
        np.minimum(names, 0xFFFF).astype(np.uint16),
        np.array(rest, np.uint32),
    )


def _columns_of(row: Mapping[str, Value]) -> Iterator[tuple[str, _Columns]]:
    whole = _Columns(
        unpack_ids(row["ids"]),
        np.frombuffer(row["names"], "<u2"),
        np.frombuffer(row["rest"], "<u4"),
    )
    at = 0
    counts = np.frombuffer(row["counts"], "<u2").tolist()
    for path, count in zip(row["paths"], counts, strict=True):
        part = slice(at, at + count)
        yield path, _Columns(whole.ids[part], whole.names[part], whole.rest[part])
        at += count


# ------------------------------------------------------------------------ reading it


class Lexicon:
    """Reads the table: the units of a project, and those that have a term.

    It keeps what it read, so a server has one for as long as the table is the same.
    """

    def __init__(self, table: Table) -> None:
        self.table = table
        row = table.get(PROJECT) or {}
        self.paths: list[str] = list(row.get("paths", ()))
        counts = np.frombuffer(row.get("counts", b""), "<u2").astype(np.int64)
        self.file_of = np.repeat(np.arange(len(self.paths)), counts)  # of each unit
        self.first = np.cumsum(counts) - counts  # unit of each file: its path
        self.names = np.frombuffer(row.get("names", b""), "<u2").astype(np.float64)
        self.rest = np.frombuffer(row.get("rest", b""), "<u4").astype(np.float64)
        ids = unpack_ids(row.get("ids", b""))
        self._order = np.argsort(ids, kind="stable")
        self._sorted = ids[self._order]
        self._buckets: dict[int, Mapping[str, bytes]] = {}
        self._quals: dict[int, list[tuple[str, str]]] = {}
        self._importing: dict[str, list[str]] = {}

    @cached_property
    def products(self) -> list[int]:
        """The numbers of the files that are no tests."""
        return [n for n, path in enumerate(self.paths) if not is_test(path)]

    @cached_property
    def tests(self) -> dict[str, list[int]]:
        """The numbers of the tests by the last part of their paths."""
        found: dict[str, list[int]] = defaultdict(list)
        for number in sorted({*range(len(self.paths))}.difference(self.products)):
            found[self.paths[number].rpartition("/")[2]].append(number)
        return dict(found)

    def find(self, term: str) -> tuple[NDArray[np.int64], Postings]:
        """Return the numbers of the units that have a term, and their postings."""
        number = bucket_of(term)
        if number not in self._buckets:
            self._buckets[number] = self.table.get(bucket_key(number)) or {}
        found = unpack_postings(self._buckets[number].get(term, b""))
        at = np.searchsorted(self._sorted, found.ids)
        return self._order[np.minimum(at, len(self._order) - 1)], found

    def quals(self, file: int) -> list[tuple[str, str]]:
        """Return the qualified and the bare name of a file's units, its path first."""
        if file not in self._quals:
            row = self.table.get(self.paths[file]) or {}
            quals = [PATH_UNIT, *row.get("units", ())]
            self._quals[file] = [(qual, name_of(qual)) for qual in quals]
        return self._quals[file]

    def importing(self, path: str) -> list[str]:
        """Return the files that import a file."""
        if path not in self._importing:
            self._importing[path] = self.table.index.find(f"i:{path}")
        return self._importing[path]

    def imports(self, file: int) -> list[str]:
        return list((self.table.get(self.paths[file]) or {}).get("imports", ()))
