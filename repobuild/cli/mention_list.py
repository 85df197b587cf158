"""List where the symbols and paths are that an answer of `ask` names.

    mentioned, as of HEAD 1a2b3c4d5e:
      click.core.Command  src/click/core.py:1183-1440
      src/click/core.py   (exists, 3,100 lines)
      make_thing          no such function or class at HEAD
      src/click/gone.py   no such path at HEAD

The locations come from the tables of the state, never from the model. Where the tables
were not built at HEAD, the title and the "no such" lines name their commit instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import short
from repobuild.cli.side_by_side import display_width, pad, printable, truncate

if TYPE_CHECKING:
    from repobuild.engine.build import Build

MOST = 8  # lines below the title
_MOST_LOCATIONS = 2  # that are listed of one name
_WIDEST = 40  # columns of a name
_COUNT = re.compile(r"#\d+")  # the number of a repeated definition, in ids
_WORK_TREE = "worktree:"  # prefix of a work tree's id; commits have a tree id


def mention_facts(
    build: Build, question: str, answer: str, whole: bool
) -> dict[str, Any]:
    """Return `mentioned` and `mentioned_at` (the commit of the locations) for `--json`.

    The last word of an answer that is not `whole` may be cut, and is ignored.
    """
    at = _tables_commit(build)
    if not at:
        return {"mentioned": [], "mentioned_at": None}
    from repobuild.code.scan.language import chosen_languages
    from repobuild.evaluate.mentions.mention_finder import find_mentions
    from repobuild.evaluate.mentions.symbol_lookup import SymbolLookup

    graph, contexts, files = map(build.table, ("graph", "contexts", "files"))
    languages = chosen_languages(build.settings)
    lookup = SymbolLookup(graph, contexts, files, languages, build.snapshot.blob)
    text = printable(answer)
    if not whole:
        text = re.sub(r"\S*\Z", "", text)
    mentions = [
        {
            "name": mention.name,
            "kind": "path" if mention.is_path else "name",
            "found": bool(mention.locations),
            "places": [asdict(location) for location in mention.locations],
            "others": mention.others,
        }
        for mention in find_mentions(question, text, lookup)
    ]
    return {"mentioned": mentions, "mentioned_at": at}


def _tables_commit(build: Build) -> dict[str, Any] | None:
    """Return the commit that the tables describe; None when one is not built."""
    lines = [build.state.line(name) for name in ("files", "graph", "contexts")]
    files, graph, contexts = lines
    if files is None or graph is None or contexts is None:
        return None
    if files.tree == build.tree and not _is_partly_built(build):
        return {"commit": build.snapshot.commit, "head": True, "worktree": False}
    is_worktree = graph.tree.startswith(_WORK_TREE)
    return {"commit": graph.commit, "head": False, "worktree": is_worktree}


def _is_partly_built(build: Build) -> bool:
    """Return whether a build ended after `files` and before the tables made from it."""
    from repobuild.engine.storage.table import pending_rows

    return any(
        pending_rows(build.state, name, source)
        for name in ("facts", "graph", "contexts")
        for source in build.rules[name].inputs
    )


def mention_lines(facts: Mapping[str, Any]) -> list[str]:
    """Return a title and at most `MOST` lines; nothing when nothing is mentioned."""
    items = facts["mentioned"]
    if not items:
        return []
    title, when = _describe_commit(facts["mentioned_at"])
    shown = items if len(items) <= MOST else items[: MOST - 1]
    names = [printable(item["name"]) for item in shown]
    width = min(_WIDEST, max(map(display_width, names)))
    lines = [f"mentioned, as of {title}:"]
    for name, item in zip(names, shown, strict=True):
        cell = pad(truncate(name, width), width)
        lines.append(f"  {cell}  {printable(_locations(item, when))}")
    rest = items[len(shown) :]
    if rest:
        missing = sum(not item["found"] for item in rest)
        nowhere = f", {missing} of them nowhere" if missing else ""
        lines.append(f"  and {len(rest)} more{nowhere}; --json lists them")
    return lines


def _describe_commit(at: Mapping[str, Any]) -> tuple[str, str]:
    """Return how the title and how a "no such" line name the commit."""
    commit = short(at["commit"])
    if at["worktree"]:
        return f"the work tree at {commit}", "in the work tree"
    if at["head"]:
        return f"HEAD {commit}", "at HEAD"
    return f"{commit}, not HEAD", f"at {commit}"


def _locations(item: Mapping[str, Any], when: str) -> str:
    is_path = item["kind"] == "path"
    if not item["found"]:
        kind = "path" if is_path else "function or class"
        return f"no such {kind} {when}"
    locations = item["places"]
    if is_path and [location["path"] for location in locations] == [item["name"]]:
        lines = _line_count(locations[0])
        return f"(exists, {lines})" if lines else "(exists)"
    shown = locations[:_MOST_LOCATIONS]
    listed = ", ".join(_location(one, item["name"]) for one in shown)
    others = len(locations) - len(shown) + item["others"]
    if not others:
        return listed
    return f"{listed} and {others:,} other{'s' if others != 1 else ''}"


def _location(location: Mapping[str, Any], name: str) -> str:
    """Return path and lines, with the qualified name unless `name` ends in it."""
    path, _, qualified = location["id"].partition("::")
    qualified = _COUNT.sub("", qualified)
    if not qualified:
        lines = _line_count(location)
        return f"{path} ({lines})" if lines else str(path)
    start, end = location["start_line"], location["end_line"]
    text = f"{path}:{start}" if start == end else f"{path}:{start}-{end}"
    return text if name.endswith(qualified) else f"{text} ({qualified})"


def _line_count(location: Mapping[str, Any]) -> str:
    count = location["end_line"]
    return "" if count is None else f"{count:,} line{'s' if count != 1 else ''}"
