"""Every case of `../shared/cases`: is its result the right one?

    python -m tests.benchmarks.cases ../shared/cases [NN ...]

One line for each case, with what differs, and the tests that hold the other inputs of
its kind with the number of inputs of each. Exit code 1 when a case is wrong.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.benchmarks.case_results import RESULTS
from tests.benchmarks.case_run import make
from tests.benchmarks.tool import ENVIRONMENT, ROOT


def count_inputs() -> Counter[str]:
    """Collect the tests, slow ones too, and count the inputs of each function."""
    folders = ["tests/cases", "tests/promises", "tests/samples", "tests/code"]
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-o", "addopts="]
    done = subprocess.run(
        [*words, *folders], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True
    )
    found: Counter[str] = Counter()
    for line in done.stdout.splitlines():
        path, mark, test = line.partition("::")
        if mark:
            found[f"{path}::{test.partition('[')[0]}"] += 1
    return found


def siblings_text(names: tuple[str, ...], inputs: Counter[str]) -> str:
    """Return the tests of a kind as `file: test 3, test 1`, with their inputs."""
    by_file: dict[str, list[str]] = {}
    total = 0
    for name in names:
        for test, count in sorted(inputs.items()):
            file, _, function = test.removeprefix("tests/").partition("::")
            # A name without a folder is that of a file below `cases/`.
            is_short = "/" not in name and file.startswith("cases/")
            known = file.rpartition("/")[2] if is_short else file
            if name in (known, f"{known}::{function}"):
                total += count
                by_file.setdefault(file, []).append(f"{function} {count}")
    tests = "; ".join(f"{file}: {', '.join(found)}" for file, found in by_file.items())
    return f"{total} inputs in {tests}"


def result_of(folder: Path) -> list[str]:
    """Return what is wrong with the product's result for a case."""
    result = RESULTS.get(folder.name[:2])
    if result is None:
        return ["no right result is entered for it"]
    with tempfile.TemporaryDirectory(prefix="repobuild-case-") as name:
        run = make(folder, Path(name) / "case")
        try:
            result.check(run)
        except (AssertionError, KeyError, IndexError, ValueError) as error:
            run.wrong.append(f"{type(error).__name__}: {error}")
        return run.wrong


def main() -> int:
    # The cases were written when both languages were the default.
    os.environ["REPOBUILD_SAMPLES_LANGUAGES"] = '["en", "zh"]'
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("numbers", nargs="*", metavar="NN")
    options = parser.parse_args()
    cases = sorted(path.parent for path in options.folder.glob("*/make.sh"))
    chosen = [c for c in cases if not options.numbers or c.name[:2] in options.numbers]
    inputs = count_inputs()
    count = 0
    for folder in chosen:
        wrong = result_of(folder)
        count += bool(wrong)
        number, _, name = folder.name.partition("-")
        verdict = f"WRONG: {'; '.join(wrong)}" if wrong else "right"
        result = RESULTS.get(number)
        tests = siblings_text(result.siblings, inputs) if result else ""
        print(f"{number} {name}: {verdict} | siblings: {tests}", flush=True)
    print(f"{len(chosen) - count} of {len(chosen)} right")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
