"""Elements, edges and problems that are found in a folder, language by language.

    python -m tests.benchmarks.languages FOLDER [FOLDER ...]

Reads every file of a known language below the folders, in this process, and prints a
row a language: files, lines, elements, edges (containment, and base types and calls as
written, which nothing resolves yet), imports, problems, seconds, elements a second.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from repobuild.code.language import known, language_of
from repobuild.code.parse import facts_of
from repobuild.code.row import row_of

COLUMNS = "language files lines elements calls bases imports problems seconds".split()


def measured(folders: list[str]) -> dict[str, Counter[str]]:
    """Return the counts of each language."""
    languages = tuple(name for name, found in known().items() if not found.always)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted(p for f in folders for p in Path(f).rglob("*") if p.is_file()):
        name = language_of(path.as_posix().lstrip("/"), languages, ())
        if name and not known()[name].always:
            counts[name].update(_counts(path.read_bytes(), name, path))
    return counts


def _counts(blob: bytes, language: str, path: Path) -> Counter[str]:
    before = time.process_time()
    facts = facts_of(blob, language)
    seconds = time.process_time() - before
    rows = [row_of(item) for item in facts.get("elements", ())]
    if "problem" in facts:
        print(f"{path}: {facts['problem']}", file=sys.stderr)
    found: Counter[str] = Counter(files=1, lines=facts.get("lines", 0))
    found["elements"] = len(rows)
    found["calls"] = sum(len(call) - 1 for row in rows for call in row.calls)
    found["bases"] = sum(len(row.bases) for row in rows)
    found["imports"] = len(facts.get("imports", ()))
    found["problems"] = "problem" in facts
    found["microseconds"] = round(seconds * 1e6)
    return found


def main() -> None:
    print("|", " | ".join([*COLUMNS, "elements/s"]), "|")
    print("|---" + "|---:" * len(COLUMNS) + "|")
    for language, counts in sorted(measured(sys.argv[1:]).items()):
        seconds = counts["microseconds"] / 1e6
        cells = [f"{counts[name]:,}" for name in COLUMNS[1:-1]]
        cells += [f"{seconds:.2f}", f"{counts['elements'] / max(seconds, 1e-6):,.0f}"]
        print("|", " | ".join([language, *cells]), "|")


if __name__ == "__main__":
    main()
