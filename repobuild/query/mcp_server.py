"""Serve the tools to agents over the Model Context Protocol.

The tools and their parameters are those of RPG-Encoder, so that prompts written for it
work: SearchNode, FetchNode, ExploreRPG; beside them ListTree, LocateIssue, Impact and
ChangeSummary.
All are read-only. A reply is one JSON object as text; an error is one, too, with what
to do, so that an agent can go on. What models often get wrong and cannot be mistaken is
taken as meant: one name for a list of names, -1 for no bound of a depth.

The tools are coroutines that never wait: they run in the thread of the event loop,
which is the one that SQLite's connection belongs to.

Needs the extra `mcp`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import BeforeValidator, Field

from repobuild import __version__
from repobuild.errors import BuildError
from repobuild.plain_text import json_text
from repobuild.query.exploration import MOST_DEPTH, Direction
from repobuild.query.graph_view import GraphSource
from repobuild.query.node_facts import search_hint
from repobuild.query.reply import DEFAULT_BUDGET, Page, Redact, Reply
from repobuild.query.tools import MODES, GraphTools, Search, plan_of

_INSTRUCTIONS = """\
The repository graph: areas, categories and subcategories of what the code is for;
files and elements with short features; edges (calls, imports, inherits, uses).
Start with SearchNode (features or names) or ListTree, verify with FetchNode, follow
ExploreRPG. LocateIssue ranks files and functions for an issue's text or an error.
Before a change, ask Impact who is affected and which tests to run.
Ids: path::Class.method for elements, a path for files, Area/category/subcategory.
Every reply says which commit it is about (freshness) and whether it was cut: then pass
its `next`. It is not about uncommitted changes (dirty_files).
In a repository of few files, reading them costs less than asking.
"""
_MOST_LOCATED = 100
_READ_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)

# The schema names the words; the tools check them, so that the error is one of ours.
_Mode = Annotated[str, Field(json_schema_extra={"enum": [*MODES]})]
_Direction = Annotated[
    str, Field(json_schema_extra={"enum": [one.value for one in Direction]})
]


def _listed(given: Any) -> Any:
    """Return one name as a list of it."""
    return [given] if isinstance(given, str) else given


_Names = Annotated[list[str], BeforeValidator(_listed)]


def make_server(source: GraphSource, redact: Redact) -> MCPServer:
    """Return the server; `redact` replaces secrets in every reply."""
    server = MCPServer("repobuild", instructions=_INSTRUCTIONS, version=__version__)
    tools = GraphTools(source)

    def answer(ask: Callable[[Page], Reply], budget: int, next: int) -> str:
        try:
            reply: Any = ask(Page.of(budget, next))
        except BuildError as error:
            what, _, to_do = str(error).partition("\n")
            to_do = to_do.replace(search_hint(), "search: SearchNode")
            reply = {"version": 1, "error": what, "hint": to_do}
        return json_text(redact(reply))

    def add(function: Callable[..., Any]) -> None:
        server.add_tool(function, annotations=_READ_ONLY, structured_output=False)

    _add_look_ups(tools, answer, add)
    _add_exploration(tools, answer, add)
    _add_starting_points(tools, answer, add)
    _add_change_tools(tools, answer, add)
    return server


_Answer = Callable[[Callable[[Page], Reply], int, int], str]
_Add = Callable[[Callable[..., Any]], None]


def _add_look_ups(tools: GraphTools, answer: _Answer, add: _Add) -> None:
    async def SearchNode(
        mode: _Mode = "auto",
        feature_terms: _Names | None = None,
        search_scopes: _Names | None = None,
        search_terms: _Names | None = None,
        line_nums: list[int] | None = None,
        file_path_or_pattern: str = "",
        token_budget: int = DEFAULT_BUDGET,
        next: int = 0,
    ) -> str:
        """Find nodes by what they are for (feature_terms) or by name (search_terms).

        mode: features, snippets (names and paths), or auto (both).
        search_scopes: ids of the hierarchy; only what is below them.
        line_nums: [first, last], with file_path_or_pattern: the elements there.
        file_path_or_pattern: only these files, "pkg/*.py".
        """
        wanted = Search(
            search_terms or (), feature_terms or (), mode, search_scopes or (),
            line_nums or (), file_path_or_pattern,
        )  # fmt: skip
        return answer(lambda page: tools.search(wanted, page), token_budget, next)

    async def FetchNode(
        code_entities: _Names | None = None,
        feature_entities: _Names | None = None,
        token_budget: int = DEFAULT_BUDGET,
        next: int = 0,
    ) -> str:
        """Read nodes: kind, path, lines, features, area, callers, callees, code.

        code_entities: ids or names of elements and files.
        feature_entities: ids of the hierarchy.
        """
        names = [*(code_entities or ()), *(feature_entities or ())]
        return answer(lambda page: tools.fetch(names, page), token_budget, next)

    add(SearchNode)
    add(FetchNode)


def _add_exploration(tools: GraphTools, answer: _Answer, add: _Add) -> None:
    async def ExploreRPG(
        start_code_entities: _Names | None = None,
        start_feature_entities: _Names | None = None,
        direction: _Direction = "both",
        traversal_depth: int = 2,
        entity_type_filter: _Names | None = None,
        dependency_type_filter: _Names | None = None,
        token_budget: int = DEFAULT_BUDGET,
        next: int = 0,
    ) -> str:
        """Follow edges from nodes, nearest first; each node is visited once.

        direction: downstream = what it depends on (callees), upstream = what depends
        on it (callers).
        entity_type_filter: file, class, function, method.
        dependency_type_filter: calls (or invokes), imports, inherits, uses, contains.
        """
        names = [*(start_code_entities or ()), *(start_feature_entities or ())]

        def ask(page: Page) -> Reply:
            plan = plan_of(
                direction, _depth(traversal_depth), dependency_type_filter or (),
                entity_type_filter or (),
            )  # fmt: skip
            return tools.explore(names, plan, page)

        return answer(ask, token_budget, next)

    add(ExploreRPG)


def _add_starting_points(tools: GraphTools, answer: _Answer, add: _Add) -> None:
    async def ListTree(
        node: str = "",
        depth: int = 2,
        token_budget: int = DEFAULT_BUDGET,
        next: int = 0,
    ) -> str:
        """List the functional hierarchy below a node, "" for all of it."""
        return answer(
            lambda page: tools.tree(node, _depth(depth), page), token_budget, next
        )

    async def LocateIssue(
        text: str,
        most: int = 10,
        token_budget: int = DEFAULT_BUDGET,
        next: int = 0,
    ) -> str:
        """Rank the files, then the functions, that an issue or error is about.

        text: as reported, tracebacks and code included; its first line is the title.
        most: how many files, and how many functions.
        """
        most = max(1, min(most, _MOST_LOCATED))
        return answer(lambda page: tools.locate(text, most, page), token_budget, next)

    add(ListTree)
    add(LocateIssue)


def _add_change_tools(tools: GraphTools, answer: _Answer, add: _Add) -> None:
    async def Impact(
        code_entity: str,
        traversal_depth: int = 3,
        token_budget: int = DEFAULT_BUDGET,
        next: int = 0,
    ) -> str:
        """Tell who is affected by changing an element or file, tests included."""
        return answer(
            lambda page: tools.impact(code_entity, _depth(traversal_depth), page),
            token_budget,
            next,
        )

    async def ChangeSummary(
        old_commit: str,
        new_commit: str = "HEAD",
        token_budget: int = DEFAULT_BUDGET,
        next: int = 0,
    ) -> str:
        """Tell what changed between two commits: elements added, moved, changed."""
        return answer(
            lambda page: tools.changes(old_commit, new_commit, page), token_budget, next
        )

    add(Impact)
    add(ChangeSummary)


def _depth(asked: int) -> int:
    """Return how far to go; a negative depth is as far as can be, as in the paper."""
    return asked if asked >= 0 else MOST_DEPTH
