"""The tools: search, fetch, explore, tree, impact and change summary.

Parameters are those of RPG-Encoder's SearchNode, FetchNode and ExploreRPG, with a
budget of tokens and the item to go on from. Every tool returns one reply (reply.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import wraps
from itertools import chain
from typing import Any

from repobuild.code.graph.nodes import split_id
from repobuild.errors import UsageError, nearest
from repobuild.query import exploration, impact
from repobuild.query.change_summary import summarize_changes
from repobuild.query.exploration import KINDS, Direction, Walk
from repobuild.query.freshness import LOCATE, build_command
from repobuild.query.graph_view import GraphSource, GraphView
from repobuild.query.node_facts import brief, resolve, search_hint, whole
from repobuild.query.reply import Item, Page, Reply, fit
from repobuild.query.search import Hit

MODES = ("auto", "features", "snippets")
_LONGEST_TEXT = 200_000  # characters
# What the published tools call them.
_EDGE_NAMES = {"invokes": "calls", "contains": "contains", "composes": "contains"}
_FILE_KINDS = {"directory": "file", "module": "file"}


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched: see `GraphTools.search`."""

    terms: Sequence[str] = ()
    feature_terms: Sequence[str] = ()
    mode: str = "auto"
    scopes: Sequence[str] = ()  # ids of the hierarchy
    lines: Sequence[int] = ()  # first and last
    pattern: str = ""  # of paths


def _fresh(ask: Callable[..., Reply]) -> Callable[..., Reply]:
    """Ask again when a file that the reply is about changed since the last look."""

    @wraps(ask)
    def asked(tools: GraphTools, *arguments: Any) -> Reply:
        reply = ask(tools, *arguments)
        if tools.is_outdated(reply):
            reply = ask(tools, *arguments)
        return reply

    return asked


class GraphTools:
    """Answers from one repository's tables."""

    def __init__(self, source: GraphSource) -> None:
        self._source = source

    @_fresh
    def search(self, search: Search, page: Page) -> Reply:
        """Return nodes by words, best first; or the elements at lines of a file."""
        with self._source.reading() as view:
            frame = self._frame(view)
            if search.mode not in MODES:
                raise _unknown("mode", search.mode, "modes", MODES)
            return fit(frame, _found(view, search), page)

    @_fresh
    def fetch(self, names: Sequence[str], page: Page) -> Reply:
        """Return everything about some nodes: place, features, neighbours, code."""
        with self._source.reading() as view:
            frame = self._frame(view)
            ids, unknown = _resolve_all(view, names)
            if unknown:
                frame["unknown"] = unknown
            return fit(frame, (whole(view, id) for id in ids), page)

    @_fresh
    def explore(self, names: Sequence[str], plan: Walk, page: Page) -> Reply:
        """Return the edges around some nodes, nearest first."""
        with self._source.reading() as view:
            ids, unknown = _resolve_all(view, names)
            frame = self._frame(view) | {"start": ids}
            frame |= {"direction": plan.direction.value}
            if unknown:
                frame["unknown"] = unknown
            if area_ids := [id for id in ids if id in view.areas.nodes]:
                ids = [id for id in ids if id not in area_ids]
                inner = _inside(view, area_ids)
            else:
                inner = iter(())
            steps = exploration.walk(view, ids, plan)
            found = chain(inner, exploration.items(view, steps, plan))
            return fit(frame, found, page)

    @_fresh
    def tree(self, start: str, depth: int, page: Page) -> Reply:
        """Return the hierarchy, or a part of it, as far down as asked."""
        with self._source.reading() as view:
            frame = self._frame(view)
            if not view.areas.nodes:
                raise UsageError(
                    f"there is no hierarchy yet\nbuild it: {build_command()}"
                )
            tops = resolve(view, start) if start else view.areas.children()[""]
            if start and tops[0] not in view.areas.nodes:
                path = split_id(tops[0])[0]
                tops = [view.area_of(path)]
                if not tops[0]:
                    raise UsageError(
                        f'"{path}" is newer than the hierarchy\n'
                        f"update it: {build_command()}"
                    )
            return fit(frame, _branches(view, tops, depth), page)

    @_fresh
    def impact(self, name: str, depth: int, page: Page) -> Reply:
        """Return who is affected by changing a node: product code, then tests."""
        with self._source.reading() as view:
            ids = resolve(view, name)
            found = impact.affected(view, ids[:1], depth)
            tests = sorted({split_id(one.id)[0] for one in found if one.is_test})
            frame = self._frame(view) | {
                "of": ids[0],
                "affected": sum(not one.is_test for one in found),
                "affected_tests": sum(one.is_test for one in found),
                "test_files": tests[:10],
            }
            if len(ids) > 1:
                frame["other_nodes_of_this_name"] = ids[1:]
            partners = view.build.table("cochange").get(split_id(ids[0])[0])
            if partners:
                frame["changes_with"] = dict(list(partners.items())[:5])
            return fit(frame, impact.items(view, found), page)

    @_fresh
    def locate(self, text: str, most: int, page: Page) -> Reply:
        """Return the files, then the functions, that a text is about, best first."""
        # Late: NumPy is needed by this tool alone.
        from repobuild.locate.ranking import locate

        if not text.strip():
            raise UsageError("there is no text to locate\ngive an issue or an error")
        with self._source.reading() as view:
            frame = {"freshness": self._source.freshness.facts(view.build, LOCATE)}
            text = text[:_LONGEST_TEXT]
            found = locate(view.ranked_project, text, most)
            ranked = [*found.files, *found.functions]
            return fit(frame, (_ranked(view, *one) for one in ranked), page)

    @_fresh
    def changes(self, old: str, new: str, page: Page) -> Reply:
        """Return what changed between two commits."""
        with self._source.reading() as view:
            summary = summarize_changes(view, old, new)
            frame = self._frame(view) | {
                "from": summary.old[:12],
                "to": summary.new[:12],
                "files": summary.files,
                "counts": summary.counts,
                "areas": summary.areas,
            }
            if any(not item["id"] for item in summary.items):
                frame["hint"] = "too much changed to compare it; give nearer commits"
            return fit(frame, summary.items, page)

    def is_outdated(self, reply: Reply) -> bool:
        """Return whether a file of a reply changed since the work tree was compared."""
        paths = {split_id(str(item["id"]))[0] for item in reply["items"]}
        with self._source.reading() as view:
            return self._source.freshness.is_outdated(view.build, sorted(paths))

    def _frame(self, view: GraphView) -> dict[str, Any]:
        return {"freshness": self._source.freshness.facts(view.build)}


def plan_of(
    direction: str, depth: int, kinds: Sequence[str] = (), types: Sequence[str] = ()
) -> Walk:
    """Return what is explored; raises `UsageError` for an unknown word."""
    names = {"callers": "upstream", "callees": "downstream"}
    word = names.get(direction, direction)
    if word not in [one.value for one in Direction]:
        known = [*names, *(one.value for one in Direction)]
        raise _unknown("direction", direction, "directions", known)
    chosen = tuple(_EDGE_NAMES.get(kind, kind) for kind in kinds)
    for kind in chosen:
        if kind not in KINDS:
            raise _unknown("kind of edge", kind, "kinds", KINDS)
    if direction in names and not chosen:
        chosen = ("calls",)
    shown = tuple(_FILE_KINDS.get(one, one) for one in types)
    return Walk(Direction(word), depth, chosen or exploration.DEFAULT_KINDS, shown)


def _unknown(
    what: str, given: str, all_of_them: str, known: Sequence[str]
) -> UsageError:
    """Return the error for an unknown word: the nearest one, and all there are."""
    return UsageError(
        f'unknown {what} "{given}"{nearest(given, known)}\n'
        f"{all_of_them}: {', '.join(known)}"
    )


def _resolve_all(
    view: GraphView, names: Sequence[str]
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the ids of some names, and what is nearest to those without any.

    Raises `UsageError` when none has any.
    """
    ids: dict[str, None] = {}
    unknown: dict[str, list[str]] = {}
    for name in names:
        try:
            ids |= dict.fromkeys(resolve(view, name))
        except UsageError:
            if len(names) == 1:
                raise
            unknown[name] = [hit.id for hit in view.search.find([name])[:3]]
    if not ids:
        raise UsageError(f"give at least one node\n{search_hint()}")
    return list(ids), unknown


def _found(view: GraphView, search: Search) -> Iterator[Item]:
    if search.lines and search.pattern:
        yield from _at_lines(view, search)
    allowed = _in_scopes(view, search.scopes)
    for id, score in _hits(view, search):
        path = split_id(id)[0]
        if allowed is not None and path not in allowed:
            continue
        if search.pattern and not _matches(path, search.pattern):
            continue
        item = brief(view, id)
        if area := view.area_of(path):
            item["area"] = area
        yield item | {"score": score}


def _ranked(view: GraphView, id: str, score: float) -> Item:
    """Return what a list shows of a file or function that a text is about.

    The graph may be of an earlier or later commit, and not have it.
    """
    known = view.node(id) is not None
    item = brief(view, id) if known else {"id": id}
    if area := view.area_of(split_id(id)[0]):
        item["area"] = area
    return item | {"score": score}


def _hits(view: GraphView, search: Search) -> list[Hit]:
    match search.mode:
        case "features":
            return view.search.find((), [*search.terms, *search.feature_terms])
        case "snippets":
            return view.search.find((), name_terms=search.terms)
    return view.search.find(search.terms, search.feature_terms)


def _matches(path: str, pattern: str) -> bool:
    """Return whether a path is that of a pattern, or ends so; `**/` may be nothing."""
    return (
        fnmatchcase(path, pattern)
        or fnmatchcase(path, pattern.replace("**/", ""))
        or f"/{path}".endswith(f"/{pattern}")
    )


def _in_scopes(view: GraphView, scopes: Sequence[str]) -> set[str] | None:
    """Return the files below some nodes of the hierarchy; None for no scope."""
    if not scopes:
        return None
    found: set[str] = set()
    for scope in scopes:
        for id in resolve(view, scope):
            found.update(view.members.get(id, [split_id(id)[0]]))
    return found


def _at_lines(view: GraphView, search: Search) -> Iterator[Item]:
    """Yield the elements of a file that some lines are in, the innermost first."""
    first, last = search.lines[0], search.lines[-1]
    for path in [p for p in view.graph.keys() if _matches(p, search.pattern)][:5]:
        found = []
        for id in view.elements(path):
            item = brief(view, id)
            start, end = item["lines"]
            if start <= last and end >= first:
                found.append((end - start, id, item))
        for _, _, item in sorted(found, key=lambda one: one[:2]):
            yield item


def _inside(view: GraphView, ids: Sequence[str]) -> Iterator[Item]:
    """Yield what is directly below nodes of the hierarchy."""
    children = view.areas.children()
    for id in ids:
        for child in children.get(id, []) or view.members[id]:
            yield {"of": id, "relation": "contains", **brief(view, child)}


def _branches(view: GraphView, tops: Sequence[str], depth: int) -> Iterator[Item]:
    """Yield nodes depth first, each with its depth below the start."""
    children = view.areas.children()

    def below(id: str) -> Sequence[str]:
        if id in children:
            return children[id]
        if id in view.areas.nodes:
            return view.members[id]
        return view.elements(id) if "::" not in id else ()

    waiting = [(id, 0) for id in reversed(list(tops))]
    while waiting:
        id, level = waiting.pop()
        item = brief(view, id)
        if id in view.areas.nodes:
            item["scopes"] = view.grounding.scopes(view.members[id])[:4]
        yield {"depth": level, **item}
        if level + 1 < depth:
            waiting += [(one, level + 1) for one in reversed(below(id))]
