"""An agent's session with the SDK's client, over stdio and over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from repobuild.query.reply import count_tokens
from tests.query.test_graph_tools import Here
from tests.repository import Repository

mcp = pytest.importorskip("mcp")
ROOT = Path(__file__).parents[2]


SERVER = ["-P", "-m", "repobuild", "mcp"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def started(folder: Path):
    """Return what makes a client start the server."""
    server = mcp.StdioServerParameters(
        command=sys.executable, args=SERVER, cwd=folder, env=ENVIRONMENT
    )
    return mcp.stdio_client(server)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Start the server, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *SERVER, "--http", str(port)]
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert any("running on" in line for line in process.stderr)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


async def session(server, calls):
    """Return the names of the tools, and the reply of each call."""
    replies = []
    async with mcp.Client(server) as client:
        tools = await client.list_tools()
        for name, arguments in calls:
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result
            replies.append(json.loads(result.content[0].text))
    return {tool.name: tool for tool in tools.tools}, replies


def test_a_session_searches_fetches_explores_and_asks_for_the_impact(
    repository: Repository,
):
    Here(repository).build("areas", "importance", "lexicon", "touches")
    name = "pkg/shapes.py::scaled"
    calls = [
        ("SearchNode", {"mode": "features", "feature_terms": ["unit people read"]}),
        ("FetchNode", {"code_entities": [name], "token_budget": 400}),
        (
            "ExploreRPG",
            {
                "start_code_entities": [name],
                "direction": "upstream",
                "traversal_depth": 1,
                "dependency_type_filter": ["invokes"],
            },
        ),
        ("Impact", {"code_entity": name}),
        ("ListTree", {"depth": 3}),
        ("LocateIssue", {"text": "looped never ends\n\nfor `scaled`", "most": 2}),
        ("ChangeSummary", {"old_commit": "HEAD", "new_commit": "HEAD"}),
        ("FetchNode", {"code_entities": ["nothing_of_the_kind_zz"]}),
    ]
    tools, replies = asyncio.run(session(started(repository.path), calls))
    assert set(tools) == {
        "SearchNode", "FetchNode", "ExploreRPG", "ListTree", "LocateIssue", "Impact",
        "ChangeSummary",
    }  # fmt: skip
    found, fetched, explored, impact, tree, located, changes, unknown = replies
    assert found["items"][0]["id"] == name
    assert fetched["items"][0]["callees"] == ["pkg/shapes.py::looped"]
    assert count_tokens(fetched) <= 400
    assert {item["relation"] for item in explored["items"]} == {"caller"}
    assert impact["test_files"] == ["tests/test_shapes.py"]
    assert tree["items"][0]["kind"] == "area"
    first, *_, last = located["items"]
    assert (first["id"], first["kind"]) == ("pkg/shapes.py", "file")
    assert last["kind"] == "function" and last["feature"] and last["score"] > 0
    assert len(located["items"]) == 4
    assert changes["items"] == []
    assert "no node is named" in unknown["error"] and unknown["hint"]
    for reply in replies[:-1]:
        assert reply["freshness"]["commits_behind"] == 0
        assert count_tokens(reply) <= 2_000


def test_what_models_get_wrong_and_can_only_mean_one_thing_is_taken_so(
    repository: Repository,
):
    Here(repository).build("areas", "importance", "lexicon", "touches")
    name = "pkg/shapes.py::scaled"
    right = [
        ("FetchNode", {"code_entities": [name]}),
        ("SearchNode", {"search_terms": ["scaled"]}),
        ("ExploreRPG", {"start_code_entities": [name], "traversal_depth": 8}),
        ("Impact", {"code_entity": name, "traversal_depth": 8}),
        ("ListTree", {"depth": 8}),
    ]
    wrong = [
        ("FetchNode", {"code_entities": name}),
        ("SearchNode", {"search_terms": "scaled"}),
        ("ExploreRPG", {"start_code_entities": name, "traversal_depth": -1}),
        ("Impact", {"code_entity": name, "traversal_depth": -1}),
        ("ListTree", {"depth": -1}),
    ]
    callers = {"start_code_entities": [name], "direction": "callers"}
    calls = [*right, *wrong, ("ExploreRPG", callers)]
    _, replies = asyncio.run(session(started(repository.path), calls))
    assert replies[: len(right)] == replies[len(right) : -1]
    assert all(reply["items"] for reply in replies)
    assert {item["relation"] for item in replies[-1]["items"]} == {"caller"}


def test_every_error_is_ours_and_tells_an_agent_of_tools_not_of_verbs(
    repository: Repository,
):
    Here(repository).build("areas", "importance")
    calls = [
        ("SearchNode", {"mode": "semantic", "search_terms": ["x"]}),
        ("ExploreRPG", {"start_code_entities": ["scaled"], "direction": "inwards"}),
        ("FetchNode", {"code_entities": ["nothing_of_the_kind_zz"]}),
        ("FetchNode", {}),
    ]
    tools, replies = asyncio.run(session(started(repository.path), calls))
    assert [set(reply) for reply in replies] == [{"version", "error", "hint"}] * 4
    assert "SearchNode" in replies[2]["hint"] and "SearchNode" in replies[3]["hint"]
    assert not any("repobuild graph" in reply["hint"] for reply in replies)
    assert replies[0]["hint"] == "modes: auto, features, snippets"
    modes = tools["SearchNode"].input_schema["properties"]["mode"]
    assert modes["enum"] == ["auto", "features", "snippets"]


def test_a_session_over_http_has_the_same_replies(repository: Repository):
    Here(repository).build("areas", "importance")
    calls = [
        ("SearchNode", {"search_terms": ["scaled"]}),
        ("FetchNode", {"code_entities": ["pkg/shapes.py::scaled"]}),
        ("ListTree", {"depth": 3}),
    ]
    expected = asyncio.run(session(started(repository.path), calls))
    with served(repository.path) as address:
        assert asyncio.run(session(address, calls)) == expected
