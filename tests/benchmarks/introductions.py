"""python -m tests.benchmarks.introductions PATH...: how projects are introduced.

PATH is a git repository, or a folder of them. Each is built up to its samples in a
folder of its own; its own settings are not read. Prints what a newcomer is told: what
the project is, in one line, and with `--all` every other answer. The last line counts
the claims about the projects, and those that the tree does not confirm.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pygit2

from repobuild.cli.claim_audit import audit_tree
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.audit import audit
from tests.standard import Standard

_LANGUAGES = "python markdown javascript typescript java go rust c cpp".split()


def main() -> None:
    paths = [Path(one) for one in sys.argv[1:] if one != "--all"]
    claims = wrong = 0
    for path in repositories(paths):
        checked, failed = introduce(path, "--all" in sys.argv)
        claims, wrong = claims + checked, wrong + failed
    print(f"{claims:,} claims, {wrong:,} wrong")


def repositories(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        is_repository = (path / ".git").exists() or (path / "objects").exists()
        yield from [path] if is_repository else sorted(path.iterdir())


def introduce(path: Path, show_all: bool) -> tuple[int, int]:
    """Print a project's introduction; return its claims, and how many are wrong."""
    with tempfile.TemporaryDirectory() as place:
        settings = {"project.languages": _LANGUAGES, "samples.languages": ["en", "zh"]}
        git = pygit2.Repository(str(path))
        standard = Standard(git, Path(place) / "state", **settings)
        standard.build("samples")
        build = standard.open()
        samples = {
            key: one
            for key, one in AllSamples.of(build).entries()
            if one["element"] == "@project"
        }
        found = audit(samples.items(), audit_tree(build))
        standard.close()
    english = [one for one in samples.values() if one["language"] == "en"]
    answers = {one["answer"]: one["question"] for one in english}
    told = [a for a, q in answers.items() if is_purpose(q)]
    print(f"{path.name}: {told[0] if told else '(no answer)'}")
    if show_all:
        for one in samples.values():
            text = one["answer"].replace("\n", "\n      ")
            print(f"   [{one['question']}]\n      {text}")
    for one in found.wrong:
        print(f"   WRONG {one.key} {one.claim}: {one.claimed!r}: {one.actual}")
    return found.claims.total(), len(found.wrong)


def is_purpose(question: str) -> bool:
    return question.startswith(
        ("What is ", "What does ", "Give me a short", "I have n")
    )


if __name__ == "__main__":
    main()
