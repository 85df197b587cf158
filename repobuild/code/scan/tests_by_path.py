"""Tell test files from other files by their paths, in any supported language."""

from __future__ import annotations

import re
from functools import cache

_TEST_FILE = re.compile(
    r"(^|/)(tests?|testing|__tests__)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$"
    r"|_test\.go$|\.(test|spec)\.[jt]sx?$|Tests?\.java$|_(unit)?test\.(cc|cpp|cxx|c)$"
)


@cache
def is_test(path: str) -> bool:
    """Return whether a path is that of a test file."""
    return bool(_TEST_FILE.search(path))
