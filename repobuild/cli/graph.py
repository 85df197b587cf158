"""repobuild graph: search, read and follow the repository graph."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, number_of, redact_secrets
from repobuild.errors import UsageError, system_reason
from repobuild.plain_text import escape_line
from repobuild.query.reply import DEFAULT_BUDGET, LEAST_BUDGET, MOST_BUDGET
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.query.reply import Page, Reply
    from repobuild.query.tools import GraphTools

_RELATIONS = (
    "callers", "callees", "bases", "subclasses", "imports", "imported_by", "reads",
    "read_by", "contains", "scopes",
)  # fmt: skip


@click.group("graph")
def command() -> None:
    """Ask the repository graph: what things are for, and how they hang together.

    Reads what is built, also while a build runs. Nodes are elements
    (`pkg/mod.py::Class.method`), files (`pkg/mod.py`) and nodes of the hierarchy
    (`Training/plan-passes`); a bare name will do where it is clear.

    \b
    repobuild graph tree
    repobuild graph search 'parse option string'
    repobuild graph fetch StoredTable.get
    repobuild graph explore StoredTable.get --direction callers
    repobuild graph impact repobuild/engine/digest.py::pack
    repobuild graph diff HEAD~5 HEAD
    repobuild graph view --open
    """


def _paged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every reply has."""
    for option in (
        options.as_json,
        click.option(
            "--next",
            "start",
            metavar="N",
            default=0,
            type=click.IntRange(0),
            help="Go on from this item: the `next` of a reply that was cut.",
        ),
        click.option(
            "--budget",
            metavar="TOKENS",
            default=DEFAULT_BUDGET,
            show_default=True,
            type=click.IntRange(LEAST_BUDGET, MOST_BUDGET),
            help="How long a reply may be, at most.",
        ),
    ):
        function = option(function)
    return function


@command.command("search")
@click.argument("terms", nargs=-1, required=True)
@click.option(
    "--mode",
    type=click.Choice(["auto", "features", "snippets"]),
    default="auto",
    show_default=True,
    help="What is searched: features only, names and paths only, or all.",
)
@click.option(
    "--scope", "scopes", multiple=True, metavar="AREA", help="Below this node only."
)
@click.option("--path", "pattern", metavar="GLOB", default="", help="In these files.")
@_paged
def search(
    terms: tuple[str, ...],
    mode: str,
    scopes: tuple[str, ...],
    pattern: str,
    budget: int,
    start: int,
    as_json: bool,
) -> int:
    """Find nodes by words.

    \b
    repobuild graph search 'digest of a table'
    repobuild graph search pack --path 'repobuild/engine/*' --json
    """
    from repobuild.query.tools import Search

    wanted = Search(terms, (), mode, scopes, (), pattern)
    return _answer(
        lambda tools, page: tools.search(wanted, page), budget, start, as_json
    )


@command.command("fetch")
@click.argument("nodes", nargs=-1, required=True, metavar="NODE...")
@_paged
def fetch(nodes: tuple[str, ...], budget: int, start: int, as_json: bool) -> int:
    """Show everything about some nodes: features, neighbours, code.

    \b
    repobuild graph fetch repobuild/engine/digest.py::pack
    """
    return _answer(lambda tools, page: tools.fetch(nodes, page), budget, start, as_json)


@command.command("explore")
@click.argument("nodes", nargs=-1, required=True, metavar="NODE...")
@click.option(
    "--direction",
    type=click.Choice(["both", "upstream", "downstream", "callers", "callees"]),
    default="both",
    show_default=True,
    help="upstream: what depends on it. downstream: what it depends on.",
)
@click.option(
    "--depth", metavar="N", default=2, show_default=True, type=click.IntRange(1, 8)
)
@click.option(
    "--edge",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="calls, imports, inherits, uses, contains [default: all but contains].",
)
@_paged
def explore(
    nodes: tuple[str, ...],
    direction: str,
    depth: int,
    kinds: tuple[str, ...],
    budget: int,
    start: int,
    as_json: bool,
) -> int:
    """Follow the edges around some nodes, nearest first; each node once.

    \b
    repobuild graph explore pack --direction callers --depth 1
    """
    from repobuild.query.tools import plan_of

    plan = plan_of(direction, depth, kinds)
    return _answer(
        lambda tools, page: tools.explore(nodes, plan, page), budget, start, as_json
    )


@command.command("tree")
@click.argument("node", default="")
@click.option(
    "--depth", metavar="N", default=2, show_default=True, type=click.IntRange(1, 6)
)
@_paged
def tree(node: str, depth: int, budget: int, start: int, as_json: bool) -> int:
    """Show the functional hierarchy: areas, categories, subcategories, files, elements.

    \b
    repobuild graph tree --depth 3
    """
    return _answer(
        lambda tools, page: tools.tree(node, depth, page), budget, start, as_json
    )


@command.command("impact")
@click.argument("node")
@click.option(
    "--depth", metavar="N", default=3, show_default=True, type=click.IntRange(1, 8)
)
@_paged
def impact(node: str, depth: int, budget: int, start: int, as_json: bool) -> int:
    """Show who is affected by changing a node, and the tests to run.

    \b
    repobuild graph impact StoredTable.get --depth 2
    """
    return _answer(
        lambda tools, page: tools.impact(node, depth, page), budget, start, as_json
    )


@command.command("diff")
@click.argument("old")
@click.argument("new", default="HEAD")
@_paged
def diff(old: str, new: str, budget: int, start: int, as_json: bool) -> int:
    """Show what changed between two commits, by element.

    \b
    repobuild graph diff HEAD~5
    """
    return _answer(
        lambda tools, page: tools.changes(old, new, page), budget, start, as_json
    )


@command.command("view")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    default=None,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page to write [default: graph.html in the state's folder].",
)
@click.option(
    "--commits",
    metavar="N",
    default=20,
    show_default=True,
    type=click.IntRange(0, 200),
    help="How many commits the slider goes back.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@options.as_json
def view(output: Path | None, commits: int, show: bool, as_json: bool) -> int:
    """Write a page with the map of the repository, and what commits moved on it.

    The page is one file that asks nothing of any network.

    \b
    repobuild graph view --open
    repobuild graph view --output map.html --commits 50
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.progress import progress_for
    from repobuild.query.graph_view import GraphSource
    from repobuild.query.map.map_page import map_data, render_map

    checkout = open_checkout()
    source = GraphSource(lambda: checkout.view(checkout.snapshot(), checkout.state()))
    page = output or checkout.folder / "graph.html"
    with progress_for(as_json)("drawing the map", 0):
        data = map_data(source, commits, checkout.root.name)
        html = render_map(data, redact_secrets).encode("utf-8", "replace")
    _write_page(page, html)
    emit(
        {
            "version": 1,
            "freshness": data["freshness"],
            "page": str(page),
            "bytes": len(html),
            "nodes": len(data["nodes"]["names"]),
            "commits": len(data["history"]["commits"]),
        },
        as_json,
        _view_text,
    )
    if show:
        click.launch(page.absolute().as_uri())
    return 0


def _write_page(page: Path, html: bytes) -> None:
    """Write a file whole or not at all."""
    part = page.with_name(f".{page.name}.{os.getpid()}")
    try:
        with part.open("xb") as file:
            file.write(html)
        part.replace(page)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(
            f'"{page}" cannot be written: {system_reason(error)}\n'
            f"name another file: {program()} graph view --output FILE"
        ) from None


def _view_text(facts: dict[str, Any]) -> str:
    size = (
        f"{number_of(facts['nodes'], 'node')}, {number_of(facts['commits'], 'commit')}"
    )
    return (
        f"{_freshness(facts['freshness'])}\n{facts['page']}\n"
        f"{size}, {facts['bytes'] / 1e6:.1f} MB"
    )


def _answer(
    ask: Callable[[GraphTools, Page], Reply], budget: int, start: int, as_json: bool
) -> int:
    from repobuild.checkout import open_checkout
    from repobuild.query.graph_view import GraphSource
    from repobuild.query.reply import Page
    from repobuild.query.tools import GraphTools

    checkout = open_checkout()
    source = GraphSource(lambda: checkout.view(checkout.snapshot(), checkout.state()))
    emit(ask(GraphTools(source), Page.of(budget, start)), as_json, text)
    return 0


def text(reply: dict[str, Any]) -> str:
    """Return a reply as lines: the head, an item each, and how to go on."""
    lines = [_freshness(reply["freshness"]), *_head(reply)]
    for item in reply["items"]:
        lines += _item(item)
    if not reply["items"]:
        lines.append("nothing found")
    if reply["truncated"]:
        hint = f"; {reply['hint']}" if "hint" in reply else ""
        lines.append(f"cut{hint}; go on with --next {reply['next']}, or raise --budget")
    elif "hint" in reply:
        lines.append(_plain(reply["hint"]))
    return "\n".join(lines)


def _freshness(facts: dict[str, Any]) -> str:
    parts = [f"as of {facts['indexed_commit']}"]
    if facts["commits_behind"]:
        parts.append(f"{number_of(facts['commits_behind'], 'commit')} behind HEAD")
    dirty = len(facts["dirty_files"]) + facts.get("more_dirty_files", 0)
    if dirty:
        parts.append(f"{number_of(dirty, 'changed file')} not in it")
    if facts.get("building"):
        parts.append("a build is under way")
    return ", ".join(parts)


def _head(reply: dict[str, Any]) -> list[str]:
    lines = []
    for name in ("of", "affected", "affected_tests", "from", "to", "files"):
        if name in reply:
            lines.append(f"{name.replace('_', ' ')}: {_plain(reply[name])}")
    for name in ("counts", "areas", "changes_with", "unknown"):
        for key, value in (reply.get(name) or {}).items():
            lines.append(f"{name.replace('_', ' ')}: {_plain(key)} {_plain(value)}")
    for id in reply.get("other_nodes_of_this_name", ()):
        lines.append(f"another node of this name: {_plain(id)}")
    for path in reply.get("test_files", ()):
        lines.append(f"test file: {_plain(path)}")
    return [*lines, ""]


def _item(item: dict[str, Any]) -> list[str]:
    is_of_tree = "of" not in item and "depth" in item
    indent = "  " * int(item["depth"]) if is_of_tree else ""
    shown = item.get("what", item.get("relation", item.get("kind", "")))
    first = f"{indent}{_plain(shown):12} {_plain(item['id'])}"
    if "to" in item:
        first += f" -> {_plain(item['to'])}"
    notes = [item.get("feature", ""), item.get("label", "")]
    if "files" in item:
        notes.append(number_of(item["files"], "file"))
    if "parts" in item:
        notes.append(", ".join(item["parts"]))
    if "of" in item:
        notes.append(f"of {item['of']}")
    if item.get("test"):
        notes.append("test")
    notes = [_plain(note) for note in notes if note]
    lines = [f"{first}  {'; '.join(notes)}".rstrip()]
    for name in ("path", "lines", "area", "signature"):
        if "features" in item and item.get(name):
            lines.append(f"  {name}: {_plain(item[name])}")
    for phrase, source, confidence in item.get("features", ()):
        lines.append(f"  for: {_plain(phrase)} ({source}, {confidence})")
    for name in _RELATIONS:
        for id in item.get(name, ()) if "features" in item or name != "scopes" else ():
            lines.append(f"  {name}: {_plain(id)}")
    if "code" in item:
        lines += ["", *(f"    {line}" for line in str(item["code"]).split("\n")), ""]
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return escape_line(str(value))
