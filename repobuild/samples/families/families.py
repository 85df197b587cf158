"""Keep the `families` table: one row for each family of siblings (family_row.py).

    subclass::..., decorated::..., functions::..., modules::...
                      a family: membership.py
    like::ID in KEY   one sibling of a family as the model for a new one
    together::PATH    the files that changed with a file: together.py
    changelog::       the change log, when commits that add code usually touch it

The index holds, under a file's path, `in:KEY` for each family that has siblings in it,
`says:NAME` for each name in a document, and `tests:STEM` for a test file. Under
`sibling::ID` it holds `sibling:KEY` for each family of an element, so that nobody reads
the files of a large family to know who is in it. Under a family's key it holds
`watch:PATH` for each file that its row was read from, and `alike:KEY` where its
siblings are enough, and alike, so that only what names them can be missing. An update
computes again:

    changed file         the families with siblings in it, before or after, and those
                         that watch it, unless it named no siblings and names none
    changed edge         the families that watch the file of its target
    document, test       the families that a new name in it can concern: those that
                         watch a file which defines the name
    added commit         the families that watch a file in which it added names
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import filterfalse, islice

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import PROJECT, split_id
from repobuild.code.scan.file_roles import is_changelog, is_test
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.element_view import read_elements
from repobuild.samples.contexts.graph_reader import (
    GraphReader,
    element_id,
    read_edges,
)
from repobuild.samples.contexts.project_context import (
    project_name,
    spoken_languages,
)
from repobuild.samples.contexts.unchanged import read_source
from repobuild.samples.families.family_row import (
    FamilyRow,
    family_row,
)
from repobuild.samples.families.family_tree import Tree
from repobuild.samples.families.membership import (
    FEWEST,
    Family,
    families_of,
    is_aside,
    shape_names,
)
from repobuild.samples.families.named_sites import (
    describes,
    may_name_two,
    may_raise,
    searched_names,
)
from repobuild.samples.families.past_additions import PastAdditions
from repobuild.samples.families.registration import ROOT_CHANGELOGS, recorded_names
from repobuild.samples.families.sibling_keys import word_of
from repobuild.samples.families.sibling_models import LIKE, like_key, like_rows
from repobuild.samples.families.together import TOGETHER, companions, together_row

_MOST_USERS = 40  # of a sibling or of its file, of each kind of edge
CHANGE_LOG = "changelog::"  # key of the row with the project's change log
_WORD = re.compile(r"[^\W\d]\w*")
_NAME_IN_TEXT = re.compile(r"[A-Za-z_]\w*[a-z0-9]\w*")
_FEWEST_TOGETHER = 0.4  # share of the siblings in the folder that has most
_LARGEST_DOCUMENT = 400_000  # bytes
SIBLING = "sibling::"  # begins the index keys of elements
_MOST_IN_FOLDER = 0.6  # share of a folder's files that define one name


def families(view: View) -> None:
    """Bring the families up to date with the changed files and commits."""
    keeper = _Keeper(view)
    changed = keeper.changed_paths()
    affected: set[str] = set()
    watching: dict[str, set[str]] = {}
    if not view.full:
        affected = keeper.affected_before(changed)
        watching = keeper.watching(changed)
    for path in changed:
        affected.update(keeper.record(path))
    if not view.full:
        affected.update(keeper.affected_after(changed))
    if keeper.is_all_changed:
        fixed = (LIKE, CHANGE_LOG)
        affected.update(key for key in view.own.keys() if not key.startswith(fixed))
    affected.update(
        key
        for key, paths in watching.items()
        if key not in affected and keeper.is_concerned(key, paths)
    )
    together = {key for key in affected if key.startswith(TOGETHER)}
    for key in sorted(affected - together):
        keeper.write(key)
    keeper.write_together(together)


class _Keeper:
    """Finds the families of changed files and writes their rows."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._reader = GraphReader(view)
        self._files = view.table("files")
        self._past = PastAdditions(dict(view.table("additions").items()))
        self._sources: dict[str, bytes | None] = {}
        self._members: dict[str, dict[str, list[str]]] = {}  # by path
        self._before: dict[str, set[str]] = {}  # path -> siblings before the update
        self._reshaped: set[str] = set()  # folders with a file that defines other names
        graph, old = view.table("graph"), view.changes("graph").get(PROJECT)
        name = project_name((graph.get(PROJECT) or {}).get("", {}))
        self.is_all_changed = bool(
            not view.full and old and project_name((old[0] or {}).get("", {})) != name
        )
        spoken = spoken_languages(view.table("documents").get(PROJECT))
        self._common = {"languages": spoken} if spoken else {}
        before = view.changes("documents").get(PROJECT)
        self.is_all_changed |= bool(
            not view.full and before and spoken_languages(before[0]) != spoken
        )
        changelog = self._changelog()
        at_root = next(filter(self._exists, ROOT_CHANGELOGS), "")
        logs = {"kind": "changelog", "path": changelog, "root": at_root}
        self.is_all_changed |= not view.full and view.own.get(CHANGE_LOG) != logs
        view.own.put(CHANGE_LOG, logs)
        self._tree = Tree(
            self._reader,
            self._past,
            self._source,
            cache(self._all_words),
            cache(self._users),
            self._exists,
            self._find,
            name,
            changelog,
            at_root,
        )

    def _changelog(self) -> str:
        """Return the change log that commits which add code usually touch, or ""."""
        logs = self._past.usual(is_changelog)
        return next(filter(self._exists, logs), "")

    def changed_paths(self) -> list[str]:
        view = self._view
        paths = {*view.changes("facts"), *view.changes("graph"), *view.changes("files")}
        return sorted(paths - {PROJECT})

    def record(self, path: str) -> set[str]:
        """Index one file and its siblings; return the families that it has some in."""
        keys = self._families_in(path)
        families_of_sibling = {qual: set[str]() for qual in self._before.get(path, ())}
        for key, quals in keys.items():
            for qual in quals:
                families_of_sibling.setdefault(qual, set()).add(f"sibling:{key}")
        for qual, of in families_of_sibling.items():
            self._view.own.index.set(SIBLING + element_id(path, qual), of)
        terms = {f"in:{key}" for key in keys} | set(self._words(path))
        if terms or not self._view.full:
            self._view.own.index.set(path, terms)
        return set(keys)

    def affected_before(self, changed: list[str]) -> set[str]:
        """Return the families of the files before the update, and those that an edge
        or an added name concerns.
        """
        view, found = self._view, set[str]()
        facts, graph = view.changes("facts"), view.changes("graph")
        for path in changed:
            old = facts[path][0] if path in facts else view.table("facts").get(path)
            row = graph[path][0] if path in graph else view.table("graph").get(path)
            elements = read_elements(old, path)
            families = families_of(path, elements, read_edges(path, row))
            found.update(families)
            self._before[path] = {qual for quals in families.values() for qual in quals}
            after = self._reader.elements(path)
            if set(shape_names(elements)) != set(shape_names(after)):
                self._reshaped.add(path.rpartition("/")[0])
        targets = {
            split_id(id)[0]
            for old_row, new_row in graph.values()
            for id in _targets(old_row) ^ _targets(new_row)
        }
        for target in sorted(targets):
            found.update(self._watching(target))
        for versions in view.changes("additions").values():
            for row in filter(None, versions):
                for path in {*row["names"], *row["new"]}:
                    found.update(self._watching(path))
        return found

    def watching(self, changed: list[str]) -> dict[str, set[str]]:
        """Return the families whose rows were read from changed files, and which."""
        found: dict[str, set[str]] = {}
        for path in changed:
            for key in self._watching(path):
                found.setdefault(key, set()).add(path)
        return found

    def is_concerned(self, key: str, paths: set[str]) -> bool:
        """Return whether a family's row can be another one since files changed.

        It cannot where they hold no sibling, and the row only searched them: when they
        exist as before, have the edges that they had, and neither text names two or
        raises one.
        """
        if key.startswith(TOGETHER):
            return True
        row = self._view.own.get(key)
        ids = [one[0] for one in row["siblings"]] if row else self._ids(key)
        besides = _besides(row or {})
        homes = {split_id(id)[0] for id in (*ids, *besides, Family.of(key).where)}
        if homes & paths:
            return True
        names = searched_names(ids) | set(map(word_of, _keys(row or {})))
        return any(self._is_other_place(path, names) for path in paths)

    def _is_other_place(self, path: str, names: set[str]) -> bool:
        """Return whether a change of a file can change what a search in it finds."""
        unchanged = self._files.get(path)
        old, new = self._view.changes("files").get(path, (unchanged, unchanged))
        if not old or not new:
            return True
        rows = self._view.changes("graph").get(path, (None, None))
        before, after = (read_edges(path, one).outgoing for one in rows)
        if before != after or self._defines_otherwise(path, names):
            return True
        sources = [read_source(self._view, one) for one in (old, new)]
        if path == self._tree.root_changelog and not describes(path):
            return _recorded(path, sources[0], names) != _recorded(
                path, sources[1], names
            )
        return any(
            one is None or may_name_two(names, one) or may_raise(names, one)
            for one in sources
        )

    def _defines_otherwise(self, path: str, names: set[str]) -> bool:
        """Return whether a file defines more or fewer of the names than before."""
        rows = self._view.changes("facts").get(path, (None, None))
        before, after = (set(shape_names(read_elements(one, path))) for one in rows)
        return not names.isdisjoint(before ^ after)

    def affected_after(self, changed: list[str]) -> set[str]:
        """Return the families that names in changed documents and tests concern."""
        found: set[str] = set()
        for path in changed:
            before, after = (set(self._words_of_version(path, n)) for n in (0, 1))
            # Of a document those words matter that one version has and not the other.
            words = before | after if is_test(path) else before ^ after
            for word in sorted(words):
                found.update(self._view.own.index.find(f"names:{word}"))
        return found

    def write(self, key: str) -> None:
        """Compute the row of one family again, or drop it when it is none any more."""
        own, family = self._view.own, Family.of(key)
        old = None if self._view.full else own.get(key)
        if family.kind == "modules":
            is_same = not (self._view.full or family.where in self._reshaped)
            if is_same and not self._find(f"alike:{key}"):
                return  # the names that its files define decide that it is none
        ids = self._ids(key)
        stale = {like_key(key, one[0]) for one in (old or {}).get("siblings", ())}
        made = FamilyRow({}, set())
        if len(ids) >= FEWEST and not _is_scattered(ids):
            made = family_row(key, ids, self._tree)
        if not made.row:  # what it was read from may make it a family later
            for gone in (*stale, key) if old else ():
                own.drop(gone)
        terms = {f"watch:{path}" for path in made.watched}
        if made.watched:
            terms.update(f"names:{word}" for id in ids for word in _names_of(id))
            terms.update(f"names:{word_of(key)}" for key in _keys(made.row))
            terms.add(f"alike:{key}")
        if terms or not self._view.full:
            own.index.set(key, terms)
        if not made.row:
            return
        row = {**made.row, "count": len(ids)}
        own.put(key, row | self._common)
        for id, like in like_rows(row):
            own.put(like_key(key, id), like | self._common)
            stale.discard(like_key(key, id))
        for gone in stale:
            own.drop(gone)

    def write_together(self, affected: set[str]) -> None:
        """Compute the rows `together` again: `affected`, and those of new commits."""
        paths = {key.removeprefix(TOGETHER) for key in affected}
        paths |= {
            path
            for versions in self._view.changes("additions").values()
            for row in filter(None, versions)
            for path in row["paths"]
        }
        paths.update(self._view.changes("facts"))
        for path in sorted(paths):
            row = None
            if self._reader.elements(path):
                row = together_row(path, self._past, self._exists, self._tree.project)
            if row is not None:
                self._view.own.put(TOGETHER + path, row | self._common)
                watched = {f"watch:{one}" for one in companions(path, self._past)}
                self._view.own.index.set(TOGETHER + path, watched)
            elif not self._view.full:
                self._view.own.drop(TOGETHER + path)

    def _ids(self, key: str) -> list[str]:
        """Return the siblings of a family."""
        find = self._view.own.index.find
        if Family.of(key).kind == "modules":
            return self._of_one_shape(find(f"in:{key}"))
        return [found.removeprefix(SIBLING) for found in find(f"sibling:{key}")]

    def _families_in(self, path: str) -> dict[str, list[str]]:
        if path not in self._members:
            elements, edges = self._reader.elements(path), self._reader.edges(path)
            self._members[path] = families_of(path, elements, edges)
        return self._members[path]

    def _of_one_shape(self, ids: list[str]) -> list[str]:
        """Return the files of a folder that define the name which most of them do."""
        names = {id: set(shape_names(self._reader.elements(id))) for id in ids}
        counts: dict[str, int] = {}
        for name in (name for group in names.values() for name in group):
            counts[name] = counts.get(name, 0) + 1
        if not counts:
            return []
        shared = max(counts, key=lambda name: (counts[name], name))
        if counts[shared] < _MOST_IN_FOLDER * len(ids):
            return []
        return [id for id in ids if shared in names[id]]

    def _watching(self, path: str) -> list[str]:
        return self._view.own.index.find(f"watch:{path}")

    def _words(self, path: str) -> Iterator[str]:
        """Yield the terms of a document's names, and of a test file's own name."""
        if not self._exists(path):
            return
        if is_test(path):
            yield f"tests:{_test_stem(path)}"
        elif describes(path):
            source = self._source(path) or b""
            if len(source) <= _LARGEST_DOCUMENT:
                for word in _names_in(source):
                    yield f"says:{word}"

    def _words_of_version(self, path: str, side: int) -> Iterable[str]:
        """Return the names that a changed document or test could concern."""
        row = self._view.changes("files").get(path, (None, None))[side]
        if row is None:
            return ()
        if is_test(path):
            return (_test_stem(path),)
        if not describes(path):
            return ()
        source = read_source(self._view, row) or b""
        return _names_in(source) if len(source) <= _LARGEST_DOCUMENT else ()

    def _exists(self, path: str) -> bool:
        return self._files.get(path) is not None

    def _find(self, term: str) -> list[str]:
        return self._view.own.index.find(term)

    def _users(self, id: str) -> frozenset[str]:
        """Return the first files that import or call something and are not aside."""
        users: set[str] = set()
        for kind in ("imports", "calls"):
            sources = self._reader.incoming(id, kind, False)
            paths = (split_id(source)[0] for source in sources)
            users.update(islice(filterfalse(is_aside, paths), _MOST_USERS))
        return frozenset(users)

    def _all_words(self, path: str) -> frozenset[str]:
        text = (self._source(path) or b"").decode("utf-8", "replace")
        return frozenset(_WORD.findall(text))

    def _source(self, path: str) -> bytes | None:
        if path not in self._sources:
            if len(self._sources) >= 256:
                del self._sources[next(iter(self._sources))]
            row = self._files.get(path)
            self._sources[path] = read_source(self._view, row)
        return self._sources[path]


def _recorded(path: str, source: bytes | None, names: set[str]) -> set[str]:
    """Return the names that a change log records, see `registration.py`."""
    return recorded_names(path, (source or b"").decode("utf-8", "replace"), names)


def _besides(row: Value) -> list[str]:
    """Return what siblings have besides themselves: classes, and members of an enum."""
    made = [one for own in row.get("own", {}).values() for one in own]
    enums = (enum for enum, _ in row.get("members", ()))
    return [*made, *enums, *row.get("read", ())]


def _keys(row: Value) -> list[str]:
    """Return the keys by which a family's siblings are known elsewhere."""
    return list(row.get("keys", ()))


def _is_scattered(ids: list[str]) -> bool:
    """Return whether siblings share no folder: the base of all has no purpose."""
    folders = Counter(split_id(id)[0].rpartition("/")[0] for id in ids)
    return max(folders.values()) < _FEWEST_TOGETHER * len(ids)


def _targets(row: Value | None) -> set[str]:
    """Return the ids that edges of a graph row lead to."""
    return {
        sub.split(" ", 2)[2]
        for sub in row or ()
        if " " in sub and " contains " not in sub
    }


def _names_of(id: str) -> Iterator[str]:
    """Yield the words by which documents and tests name a sibling."""
    path, qual = split_id(id)
    stem = path.rpartition("/")[2].partition(".")[0]
    yield name_of(qual) or stem
    yield stem.strip("_").lower()


def _names_in(source: bytes) -> set[str]:
    """Return the words of a document that look like names: `ab_c`, `aBc`, `AB1`."""
    words = set(_NAME_IN_TEXT.findall(source.decode("utf-8", "replace")))
    return {w for w in words if "_" in w.strip("_") or w[1:].lower() != w[1:]}


def _test_stem(path: str) -> str:
    stem = path.rpartition("/")[2].partition(".")[0].lower()
    return stem.removeprefix("test_").removesuffix("_test").removeprefix("tests_")
