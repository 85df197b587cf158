"""Tell tests, benchmarks and build scripts from other files by their paths."""

from __future__ import annotations

import re
from functools import cache

_TEST_FILE = re.compile(
    r"(^|/)(tests?|testing|__tests__)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|tests?|conftest)\.py$"
    r"|_test\.go$|\.(test|spec)\.[jt]sx?$|Tests?\.java$|_(unit)?test\.(cc|cpp|cxx|c)$"
)
# They measure, build or release the project, and nobody uses them for anything else.
_TOOL_FILE = re.compile(
    r"(^|/)(benchmarks|asv_bench)/|(^|/)(bench_[^/]*|[^/]*_bench)\.py$"
    r"|(^|/)(setup|noxfile|versioneer|ez_setup|distribute_setup|fabfile)\.py$"
    r"|^tasks\.py$|(^|/)(docs?|documentation|sites?|website)/(.*/)?(\w+_)?conf\.py$"
)


@cache
def is_test(path: str) -> bool:
    """Return whether a path is that of a test file."""
    return bool(_TEST_FILE.search(path))


@cache
def is_tool(path: str) -> bool:
    """Return whether a file only measures, builds or documents the project."""
    return bool(_TOOL_FILE.search(path))
