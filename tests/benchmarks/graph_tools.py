"""Ask the tools of a built repository, and time them.

    python -m tests.benchmarks.graph_tools REPOSITORY [--calls 200] [--seed 1]

The repository's `areas`, `lexicon` and `touches` must be built (`repobuild --until
areas`, `repobuild locate x`). Printed are, for each tool, milliseconds of wall and of
CPU time at the median and at the 95th percentile, in the process of a server, secrets
redacted and JSON written; the sizes of the replies in tokens as the budget counts them;
and, for the same nodes, what reading their files whole would take.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from repobuild.checkout import open_checkout
from repobuild.cli.output import redact_secrets
from repobuild.code.graph.nodes import split_id
from repobuild.plain_text import json_text
from repobuild.query.graph_view import GraphSource
from repobuild.query.reply import _TOKEN, Page, Reply, count_tokens
from repobuild.query.tools import GraphTools, Search, plan_of
from tests.benchmarks.table import markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    os.chdir(given.repository)
    print(measure(given.calls, random.Random(given.seed)))


def measure(calls: int, choice: random.Random) -> str:
    """Return a table of times and sizes by tool."""
    checkout = open_checkout()
    source = GraphSource(
        lambda: checkout.view(checkout.snapshot(), checkout.state()), in_memory=True
    )
    tools, page = GraphTools(source), Page()
    began = time.process_time()
    with source.reading() as view:
        ids = [id for p in view.graph.keys() if p[0] != "@" for id in view.elements(p)]
        phrases = [str(f[0][0]) for id in ids if (f := view.features_of(id))]
    print(f"{len(ids):,} elements; start {time.process_time() - began:.1f} s of CPU")
    asks: dict[str, Callable[[], Reply]] = {
        "SearchNode": lambda: tools.search(Search([choice.choice(phrases)]), page),
        "FetchNode": lambda: tools.fetch([choice.choice(ids)], page),
        "ExploreRPG": lambda: tools.explore(
            [choice.choice(ids)], plan_of("both", 2), page
        ),
        "LocateIssue": lambda: tools.locate(_issue(choice, ids, phrases), 10, page),
        "ListTree": lambda: tools.tree("", 3, page),
        "Impact": lambda: tools.impact(choice.choice(ids), 3, page),
    }
    wall, cpu, sizes = defaultdict(list), defaultdict(list), defaultdict(list)
    for number in range(calls):
        for name, ask in asks.items():
            start, used = time.perf_counter(), time.process_time()
            reply = redact_secrets(ask())
            json_text(reply)
            if number:  # the first loads what later ones have
                wall[name].append((time.perf_counter() - start) * 1000)
                cpu[name].append((time.process_time() - used) * 1000)
                sizes[name].append(count_tokens(reply))
    rows = [
        [
            name,
            *_spread(wall[name]),
            *_spread(cpu[name]),
            *_spread(sizes[name], "{:.0f}"),
        ]
        for name in asks
    ]
    every = [x for found in cpu.values() for x in found]
    rows.append(["all", "", "", *_spread(every), "", ""])
    print(
        f"a file read whole: {_file_tokens(choice.sample(ids, 50)):.0f} tokens, median"
    )
    head = ["tool", "ms", "p95", "ms of CPU", "p95", "tokens", "p95"]
    return markdown(head, rows)


def _issue(choice: random.Random, ids: list[str], phrases: list[str]) -> str:
    """Return a text like an issue: some phrases, some names, a frame."""
    path, _, name = choice.choice(ids).partition("::")
    frame = f'  File "/lib/{path}", line 3, in {name.rpartition(".")[2]}'
    names = [id.rpartition("::")[2] for id in choice.sample(ids, 3)]
    body = [*choice.sample(phrases, 12), *(f"`{one}`" for one in names), frame]
    return "\n".join([choice.choice(phrases), "", *body])


def _spread(values: list[float], form: str = "{:.1f}") -> list[str]:
    ranked = sorted(values)
    middle, high = statistics.median(ranked), ranked[int(0.95 * len(ranked))]
    return [form.format(middle), form.format(high)]


def _file_tokens(ids: list[str]) -> float:
    paths = {split_id(id)[0] for id in ids}
    texts = (Path(p).read_text("utf-8", "replace") for p in paths if Path(p).is_file())
    return statistics.median(len(_TOKEN.findall(text)) for text in texts)


if __name__ == "__main__":
    main()
