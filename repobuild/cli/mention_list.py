"""Below an answer of `ask`: where the things that it names stand.

    mentioned, as of HEAD 1a2b3c4d5e:
      click.core.Command  src/click/core.py:1183-1440
      src/click/core.py   (exists, 3,100 lines)
      make_thing          no such function or class at HEAD
      src/click/gone.py   no such path at HEAD

From the tables of the state, never from the model. Where the state is not of HEAD, the
title and what is missing name its commit instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import short
from repobuild.cli.side_by_side import display_width, pad, printable, truncate

if TYPE_CHECKING:
    from repobuild.engine.build import Build
    from repobuild.evaluate.scoring.mentions import Mention

MOST = 8  # lines below the title
_SHOWN = 2  # places of one name
_WIDEST = 40  # columns of a name
_COUNT = re.compile(r"#\d+")  # of definitions of one name, in ids
_WORK_TREE = "worktree:"  # how its name begins, where others have a tree's id


def mentioned(build: Build, question: str, answer: str, whole: bool) -> dict[str, Any]:
    """What `--json` prints: `mentioned`, and `mentioned_at`, the commit it is of."""
    at = _at(build)
    if not at:
        return {"mentioned": [], "mentioned_at": None}
    from repobuild.evaluate.scoring.mentions import mentions
    from repobuild.evaluate.scoring.symbol_lookup import SymbolLookup

    graph, contexts, files = map(build.table, ("graph", "contexts", "files"))
    languages = build.settings["project.languages"]
    ground = SymbolLookup(graph, contexts, files, languages, build.snapshot.blob)
    said = printable(answer) if whole else re.sub(r"\S*\Z", "", printable(answer))
    found = mentions(question, said, ground)
    return {"mentioned": [_facts(mention) for mention in found], "mentioned_at": at}


def _at(build: Build) -> dict[str, Any] | None:
    """The commit that the places are of; None where nothing is known of any."""
    lines = [build.state.line(name) for name in ("files", "graph", "contexts")]
    files, graph, contexts = lines
    if files is None or graph is None or contexts is None:
        return None
    if files.tree == build.tree and not _is_behind(build):
        return {"commit": build.snapshot.commit, "head": True, "worktree": False}
    is_worktree = graph.tree.startswith(_WORK_TREE)
    return {"commit": graph.commit, "head": False, "worktree": is_worktree}


def _is_behind(build: Build) -> bool:
    """Whether a build ended between the files and what is made of them."""
    from repobuild.engine.storage.table import pending

    return any(
        pending(build.state, name, source)
        for name in ("facts", "graph", "contexts")
        for source in build.rules[name].inputs
    )


def _facts(mention: Mention) -> dict[str, Any]:
    return {
        "name": mention.name,
        "kind": "path" if mention.is_path else "name",
        "found": bool(mention.places),
        "places": [asdict(place) for place in mention.places],
        "others": mention.others,
    }


def mentioned_text(facts: Mapping[str, Any]) -> list[str]:
    """The lines for people, a title and at most `MOST`; none for nothing to say."""
    found = facts["mentioned"]
    if not found:
        return []
    title, point = _named(facts["mentioned_at"])
    told = found if len(found) <= MOST else found[: MOST - 1]
    width = min(_WIDEST, max(display_width(printable(item["name"])) for item in told))
    lines = [_line(item, width, point) for item in told]
    return [f"mentioned, as of {title}:", *lines, *_rest(found[len(told) :])]


def _rest(items: Sequence[Mapping[str, Any]]) -> list[str]:
    if not items:
        return []
    lost = sum(not item["found"] for item in items)
    nowhere = f", {lost} of them nowhere" if lost else ""
    return [f"  and {len(items)} more{nowhere}; --json lists them"]


def _named(at: Mapping[str, Any]) -> tuple[str, str]:
    """How the commit is called in the title, and below it."""
    commit = short(at["commit"])
    if at["worktree"]:
        return f"the work tree at {commit}", "in the work tree"
    if at["head"]:
        return f"HEAD {commit}", "at HEAD"
    return f"{commit}, not HEAD", f"at {commit}"


def _line(item: Mapping[str, Any], width: int, point: str) -> str:
    name = pad(truncate(printable(item["name"]), width), width)
    return f"  {name}  {printable(_where(item, point))}"


def _where(item: Mapping[str, Any], point: str) -> str:
    is_path = item["kind"] == "path"
    if not item["found"]:
        what = "path" if is_path else "function or class"
        return f"no such {what} {point}"
    places = item["places"]
    if is_path and [place["path"] for place in places] == [item["name"]]:
        lines = _lines(places[0])
        return f"(exists, {lines})" if lines else "(exists)"
    told = ", ".join(_place(place, item["name"]) for place in places[:_SHOWN])
    others = max(0, len(places) - _SHOWN) + item["others"]
    return f"{told}{_others(others)}"


def _place(place: Mapping[str, Any], name: str) -> str:
    """With the qualified name where it tells more than the name that was mentioned."""
    path, _, qual = place["id"].partition("::")
    qual = _COUNT.sub("", qual)
    if not qual:
        lines = _lines(place)
        return f"{path} ({lines})" if lines else str(path)
    start, end = place["start_line"], place["end_line"]
    said = f"{path}:{start}" if start == end else f"{path}:{start}-{end}"
    return said if name.endswith(qual) else f"{said} ({qual})"


def _lines(place: Mapping[str, Any]) -> str:
    count = place["end_line"]
    return "" if count is None else f"{count:,} line{'s' if count != 1 else ''}"


def _others(count: int) -> str:
    return f" and {count:,} other{'s' if count != 1 else ''}" if count else ""
