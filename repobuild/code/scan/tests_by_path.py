"""Tell tests and build scripts from other files by their paths, in any language."""

from __future__ import annotations

import re
from functools import cache

_TEST_FILE = re.compile(
    r"(^|/)(tests?|testing|__tests__)/"
    r"|(^|/)(test_[^/]*|[^/]*_test|tests?|conftest)\.py$"
    r"|_test\.go$|\.(test|spec)\.[jt]sx?$|Tests?\.java$|_(unit)?test\.(cc|cpp|cxx|c)$"
)

# They build, test or release the project, and nobody uses them for anything else.
_BUILD_SCRIPT = re.compile(
    r"(^|/)(setup|noxfile|versioneer|ez_setup|distribute_setup|fabfile)\.py$"
    r"|^tasks\.py$|(^|/)(docs?|documentation|sites?|website)/(.*/)?(\w+_)?conf\.py$"
)


@cache
def is_test(path: str) -> bool:
    """Return whether a path is that of a test file."""
    return bool(_TEST_FILE.search(path))


def is_build_script(path: str) -> bool:
    """Return whether a path is that of a script around the project."""
    return bool(_BUILD_SCRIPT.search(path))
