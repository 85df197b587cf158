"""One case: a repository that a `make.sh` made, what the product makes of it, and what
of that is wrong.

The product runs as a user starts it; what is compared are its exit codes, its messages
and its exports.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.cases.commands import repobuild, start

Edges = dict[tuple[str, str], float]


class CaseRun:
    """A repository, its exports read lazily, and the list of what is wrong."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.wrong: list[str] = []

    def other(self, name: str, files: dict[str, str]) -> CaseRun:
        """Return another repository of the same kind, which reports to this case."""
        other = CaseRun(start(self.place.with_name(name), files))
        other.wrong = self.wrong
        return other

    def expect(self, what: str, found: Any, right: Any) -> None:
        """Note what differs from the right value."""
        if found != right:
            self.wrong.append(f"{what}: {found!r}, right is {right!r}")

    def expect_true(self, what: str, holds: bool) -> None:
        if not holds:
            self.wrong.append(f"not so: {what}")

    def run(self, *words: str, code: int | None = 0) -> str:
        """Run a verb, expect its exit code, and return all that it printed."""
        try:
            done = repobuild(self.place, *words)
        except AssertionError as error:
            self.wrong.append(f"{' '.join(words)}: {str(error).splitlines()[-1]}")
            return ""
        printed = done.stdout + done.stderr
        if code is not None:
            last = printed.strip().rpartition("\n")[2]
            self.expect(
                f"exit code of `{' '.join(words)}` ({last})", done.returncode, code
            )
        return printed

    def build(self, *words: str, code: int | None = 0) -> str:
        """Build up to the samples, and check every claim that they make."""
        printed = self.run(*(words or ("build",)), "--until", "dataset", code=code)
        self.run("verify", "--samples")
        return printed

    def json(self, *words: str) -> Any:
        done = repobuild(self.place, *words, "--json")
        return json.loads(done.stdout or "{}")

    def rows(self, key: str) -> dict[str, Any]:
        """Return an element's rows by table, {} when there are none."""
        found: dict[str, Any] = self.json("show", key).get("rows", {})
        return found

    def purpose(self, key: str) -> str:
        return str(self.rows(key).get("contexts", {}).get("summary", ""))

    def exported(self, table: str) -> dict[str, Any]:
        """Return the parsed files of an export by name; of JSON lines, a list."""
        with tempfile.TemporaryDirectory() as folder:
            repobuild(self.place, "export", table, "-o", folder)
            found = {}
            for path in Path(folder).rglob("*.json*"):
                text = path.read_text("utf-8")
                lines = path.suffix == ".jsonl"
                found[path.name] = (
                    [json.loads(line) for line in text.splitlines()]
                    if lines
                    else json.loads(text)
                )
        return found

    @cached_property
    def project(self) -> dict[str, Any]:
        found: dict[str, Any] = self.rows("@project").get("graph", {})
        return found

    @cached_property
    def samples(self) -> list[dict[str, Any]]:
        """Return the samples of all splits, in the exchange format."""
        files = self.exported("dataset")
        return [
            row
            for name, rows in sorted(files.items())
            if name.endswith("l")
            for row in rows
        ]

    @cached_property
    def texts(self) -> list[str]:
        """Return question and answer of every sample."""
        return ["\n".join(self.turns(sample)) for sample in self.samples]

    def turns(self, sample: dict[str, Any]) -> list[str]:
        return [turn["content"] for turn in sample["conversations"]]

    def answers(self, question: str, element: str = "") -> list[str]:
        """Return the answers to a question, of one element where it is named."""
        return [
            self.turns(sample)[-1]
            for sample in self.samples
            if self.turns(sample)[0] == question
            and element in ("", sample["metadata"]["element"])
        ]

    @cached_property
    def _graph(self) -> dict[str, Any]:
        found: dict[str, Any] = self.exported("graph")["graph.json"]
        return found

    def edges(self, kind: str) -> Edges:
        return {
            (edge["src"], edge["dst"]): edge["confidence"]
            for edge in self._graph["edges"]
            if edge["kind"] == kind
        }

    def expect_edges(self, kind: str, right: Edges) -> None:
        """Expect these edges; there may be others."""
        found = self.edges(kind)
        self.expect(f"{kind} edges", {e: found[e] for e in right if e in found}, right)

    def node(self, id: str) -> dict[str, Any]:
        found = [node for node in self._graph["nodes"] if node["id"] == id]
        return found[0] if found else {}

    @cached_property
    def left_out(self) -> dict[str, str]:
        found: dict[str, str] = self.json("show", "files")["table"]["left_out"]
        return found


def make(case: Path, place: Path) -> CaseRun:
    """Make the repository of a case at a place."""
    subprocess.run(
        ["bash", str(case / "make.sh"), str(place)], check=True, capture_output=True
    )
    return CaseRun(place)
