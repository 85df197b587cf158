"""Let the agent of another project use the tools, over both transports.

    python -m tests.benchmarks.agent_session REPOSITORY [--commits 20] [--replies]
        [--server "repobuild mcp"]

The agent is Pydantic AI's (`pip install 'pydantic-ai-slim[mcp]'`, in an environment of
its own: it brings its own versions of the protocol). It starts the server or finds it
by its address, tells its model of the tools, calls them and hands the replies back. In
the place of the model is a script, so that a session can be repeated: for the subject
of each of the last commits it does what the server's instructions say (locate, fetch,
explore, ask for the impact, search, list), asks on where a reply was cut, and then
makes the mistakes that models make. Printed are the calls of each tool and, with
`--replies`, what each mistake was answered. The repository's `areas`, `lexicon` and
`touches` must be built (`repobuild --until areas`, `repobuild locate x`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shlex
import socket
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent, ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import UsageLimits

from repobuild.query.reply import DEFAULT_BUDGET, count_tokens
from tests.benchmarks.table import markdown

_PATIENCE = 120.0  # seconds until a server must answer, on a busy machine
MISTAKES: dict[str, tuple[str, dict[str, Any]]] = {
    "a name for a list": ("FetchNode", {"code_entities": "{path}"}),
    "a list as a text": ("FetchNode", {"code_entities": '["{path}"]'}),
    "one colon in an id": ("FetchNode", {"code_entities": ["{path}:{name}"]}),
    "a name without its file": ("FetchNode", {"code_entities": ["{name}"]}),
    "a name as imported": ("FetchNode", {"code_entities": ["{dotted}"]}),
    "an absolute path": ("FetchNode", {"code_entities": ["{root}/{path}"]}),
    "nothing of the name": ("FetchNode", {"code_entities": ["no_such_thing_zz"]}),
    "nothing asked": ("FetchNode", {}),
    "a mode of its own": ("SearchNode", {"mode": "semantic", "search_terms": ["x"]}),
    "a text for terms": ("SearchNode", {"search_terms": "{name}"}),
    "another word for a direction": (
        "ExploreRPG",
        {"start_code_entities": ["{id}"], "direction": "callers"},
    ),
    "a parameter that does not exist": (
        "ExploreRPG",
        {"start_code_entities": ["{id}"], "max_results": 5},
    ),
    "without end": (
        "ExploreRPG",
        {"start_code_entities": ["{id}"], "traversal_depth": -1},
    ),
    "a number as a text": ("ListTree", {"depth": "1"}),
    "a node that does not exist": ("ListTree", {"node": "No/such/node"}),
    "an empty text": ("LocateIssue", {"text": ""}),
    "a commit that does not exist": ("ChangeSummary", {"old_commit": "no-such-thing"}),
    "beyond the last": ("Impact", {"code_entity": "{id}", "next": 100_000}),
    "a budget of nothing": ("Impact", {"code_entity": "{id}", "token_budget": 1}),
}


class Ask(NamedTuple):
    """One call of a tool; `mistake` says what is wrong with it."""

    tool: str
    arguments: dict[str, Any]
    mistake: str = ""


class Exchange(NamedTuple):
    """A call, and what came back to the model."""

    ask: Ask
    reply: Any  # what the agent hands its model: a reply of ours, or a text
    milliseconds: float  # as the agent sees it

    @property
    def was_answered(self) -> bool:
        return isinstance(self.reply, dict) and "error" not in self.reply


class Session(NamedTuple):
    """All of one run of the agent."""

    tools: int  # tokens that the model reads of the tools
    exchanges: list[Exchange]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=20)
    parser.add_argument("--server", type=shlex.split, default="repobuild mcp")
    parser.add_argument("--replies", action="store_true")
    given = parser.parse_args()
    root = given.repository.resolve()
    subjects = _subjects(root, given.commits)
    for transport in (over_stdio, over_http):
        before = _seconds_of_servers()
        session = asyncio.run(hold(transport, given.server, root, subjects))
        print(
            f"\n{transport.__name__}: the tools take {session.tools} tokens;"
            f" {len(session.exchanges)} calls, the server"
            f" {_seconds_of_servers() - before:.1f} s of CPU with its start\n"
        )
        print(_by_tool(session.exchanges))
        if given.replies:
            print("\n" + _mistakes(session.exchanges))


# -- the two transports


@asynccontextmanager
async def over_stdio(server: list[str], root: Path) -> AsyncIterator[Any]:
    """Let the agent start the server, as `mcpServers` in its settings would."""
    yield StdioTransport(server[0], server[1:], env=dict(os.environ), cwd=str(root))


@asynccontextmanager
async def over_http(server: list[str], root: Path) -> AsyncIterator[Any]:
    """Start a server, and give the agent its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [*server, "--http", str(port)],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            await _listening(port)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


async def _listening(port: int) -> None:
    for _ in range(int(_PATIENCE * 10)):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return
    raise TimeoutError(f"nothing listens on port {port}")


# -- the agent


async def hold(
    transport: Any, server: list[str], root: Path, subjects: list[str]
) -> Session:
    """Run the agent once, and return what its model was told and answered."""
    play = _Player(_script(root, subjects))
    async with transport(server, root) as target:
        agent = Agent(
            FunctionModel(play),
            toolsets=[MCPToolset(target, init_timeout=_PATIENCE)],
            retries=len(MISTAKES),
        )
        await agent.run("Go on.", usage_limits=UsageLimits(request_limit=None))
    return Session(play.tools, play.exchanges)


class _Player:
    """Answers in the place of a model: the next call of the script."""

    def __init__(self, script: Generator[Ask, Any, None]) -> None:
        self.exchanges: list[Exchange] = []
        self.tools = 0
        self._script = script
        self._asked: tuple[Ask, float] | None = None

    def __call__(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        reply = None
        if self._asked is None:
            self.tools = sum(
                count_tokens([one.name, one.description, one.parameters_json_schema])
                for one in info.function_tools
            )
        else:
            ask, began = self._asked
            reply = messages[-1].parts[-1].content
            elapsed = (time.perf_counter() - began) * 1000
            self.exchanges.append(Exchange(ask, reply, elapsed))
        try:
            ask = self._script.send(reply)
        except StopIteration:
            return ModelResponse(parts=[TextPart("done")])
        self._asked = ask, time.perf_counter()
        return ModelResponse(parts=[ToolCallPart(ask.tool, ask.arguments)])


def _script(root: Path, subjects: list[str]) -> Generator[Ask, Any, None]:
    """Ask about each subject what the server's instructions advise, then wrongly."""
    located: dict[str, Any] = {}
    for subject in subjects:
        located = yield Ask("LocateIssue", {"text": subject})
        ids = [one["id"] for one in located["items"] if "::" in one["id"]]
        yield Ask("FetchNode", {"code_entities": ids[:2]})
        explored = {"start_code_entities": ids[:1], "direction": "upstream"}
        reply = yield Ask("ExploreRPG", explored)
        if reply["truncated"]:
            yield Ask("ExploreRPG", explored | {"next": reply["next"]})
        yield Ask("Impact", {"code_entity": ids[0]})
        yield Ask("SearchNode", {"feature_terms": [subject]})
        yield Ask("ListTree", {"depth": 3})
    yield Ask("ChangeSummary", {"old_commit": "HEAD~1", "new_commit": "HEAD"})
    id = next(one["id"] for one in located["items"] if "::" in one["id"])
    path, _, name = id.partition("::")
    dotted = path.removesuffix(".py").removeprefix("src/").replace("/", ".")
    words = {"id": id, "path": path, "name": name, "root": str(root)}
    words["dotted"] = f"{dotted}.{name}"
    for mistake, (tool, arguments) in MISTAKES.items():
        yield Ask(tool, _filled(arguments, words), mistake)


def _filled(arguments: Any, words: dict[str, str]) -> Any:
    """Return arguments with `{id}` and the like in their texts replaced."""
    if isinstance(arguments, dict):
        return {name: _filled(one, words) for name, one in arguments.items()}
    if isinstance(arguments, list):
        return [_filled(one, words) for one in arguments]
    if isinstance(arguments, str):
        for word, text in words.items():
            arguments = arguments.replace(f"{{{word}}}", text)
    return arguments


def _subjects(root: Path, commits: int) -> list[str]:
    log = ["git", "-C", str(root), "log", "--no-merges", f"-{commits}", "--format=%s"]
    return subprocess.run(
        log, check=True, capture_output=True, text=True
    ).stdout.splitlines()


# -- what came of it


def _seconds_of_servers() -> float:
    """Return the CPU time of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _by_tool(exchanges: list[Exchange]) -> str:
    right = [one for one in exchanges if not one.ask.mistake]
    rows = []
    for tool in dict.fromkeys(one.ask.tool for one in right):
        of_tool = [one for one in right if one.ask.tool == tool]
        sizes = [count_tokens(one.reply) for one in of_tool]
        times = sorted(one.milliseconds for one in of_tool)
        rows.append(
            [
                tool,
                f"{len(of_tool)}",
                f"{sum(not one.was_answered for one in of_tool)}",
                f"{statistics.median(sizes):.0f}",
                f"{max(sizes)}",
                f"{sum(one > DEFAULT_BUDGET for one in sizes)}",
                f"{statistics.median(times):.1f}",
                f"{times[int(0.95 * len(times))]:.1f}",
            ]
        )
    head = ["tool", "calls", "not answered", "tokens", "most", "above the budget"]
    return markdown([*head, "ms", "95th percentile"], rows)


def _mistakes(exchanges: list[Exchange]) -> str:
    lines = []
    for ask, reply, _ in exchanges:
        if ask.mistake:
            told = reply if isinstance(reply, str) else json.dumps(reply)
            lines.append(f"{ask.mistake}: {ask.tool} {json.dumps(ask.arguments)}")
            lines.append("    " + told[:600])
    return "\n".join(lines)


if __name__ == "__main__":
    main()
