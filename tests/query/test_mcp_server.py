"""An agent's session: the SDK's client starts the server and speaks over stdio."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from repobuild.query.reply import count_tokens
from tests.query.test_graph_tools import Here
from tests.repository import Repository

mcp = pytest.importorskip("mcp")
ROOT = Path(__file__).parents[2]


async def session(folder: Path, calls):
    """Return the names of the tools, and the reply of each call."""
    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "repobuild", "mcp"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    replies = []
    async with mcp.Client(mcp.stdio_client(server)) as client:
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
    tools, replies = asyncio.run(session(repository.path, calls))
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
