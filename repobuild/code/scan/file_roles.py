"""Tell by its path what a file is for: tests, tools, past versions, work on the code.

Other files are the product, or documents for those who use it.
"""

from __future__ import annotations

import re
from functools import cache

_TEST_FILE = re.compile(
    r"(^|/)((type|unit|functional|integration|property)?_?tests?|__tests__)/"
    # In a package of Python it is what users test their code with: `pandas.testing`.
    r"|^testing/|(^|/)testing/(?!.*\.pyi?$)"
    r"|(^|/)(test_[^/]*|[^/]*_tests?|tests?|conftest)\.py$"
    r"|_test\.go$|\.(test|spec)\.[jt]sx?$|Tests?\.java$|_(unit)?test\.(cc|cpp|cxx|c)$"
)
# They show, measure, build or release the project, and nobody uses them for more.
_TOOL_FILE = re.compile(
    r"^(examples?|demos?|dev|devtools?)/|(^|/)(benchmarks|asv_bench)/|(^|/)(bench_[^/]*|[^/]*_bench)\.py$"
    r"|^(docs?|documentation)/(.*/)?[^/]+\.py$"  # code of documents is no product
    r"|(^|/)(setup|noxfile|versioneer|ez_setup|distribute_setup|fabfile)\.py$"
    r"|^tasks\.py$|(^|/)(docs?|documentation|sites?|website)/(.*/)?(\w+_)?conf\.py$"
)
_SHOWN = re.compile(r"(docs?|documentation|examples?|demos?|tutorials?)/")
_CHANGE_LOG = re.compile(
    r"(?i)(^|/)(changes|changelog|history|news|whats_?new|release[-_]?notes|releases)"
    r"(\.(md|rst|txt))?$"
)
# What tells of earlier versions: a guide to an upgrade, notes on releases, a document
# named by a version.
_PAST = re.compile(
    r"(?i)(^|/)[^/]*(upgrad|migrat|deprecat)[^/]*$"
    r"|(^|/)(release[-_ ]?notes?|releases?|change[-_]?(?:s|logs?)|news(?:fragments)?"
    r"|whats?[-_]?new|history)/"
    r"|(^|/)[^/]*(release[-_]?notes?|whats?[-_]?new)[^/]*$|(^|/)v?\d+(\.\w+)+\.(md|rst|txt)$"
)
# What tells agents, or people, how to work on the project.
_GUIDE_FOR_WORK = re.compile(
    r"(?i)(^|/)(agents|claude|gemini|copilot-instructions|contributing|development"
    r"|developing|hacking)(\.(md|rst|txt))?$|(^|/)\.(github|cursor|claude)/"
)
# What a site shows to who begins an issue, to be filled in.
_FORM = re.compile(
    r"(?i)(^|/)(issue|pull_request|merge_request|discussion)_templates?\b"
)
# What tests read or compare with; a README there says how they are run.
_TEST_DATA = re.compile(
    r"(?i)^(?!(?:docs?|documentation|website|site|content|guides?|pages|blog)/)"
    r"(?:[^/]+/)*"
    r"(?:(?:\w+[-_])?tests?|test[-_]?(?:data|files|cases)|__tests__|fixtures"
    r"|(?:__)?snapshots(?:__)?|golden)"
    r"/(?:[^/]+/)*(?!readme|index\.|contributing)[^/]+\.(?:md|markdown|rst|txt)$"
)
# Parts of a path and of an element's name, as `benches/` and `sort.bench.ts`.
_BENCHMARK = re.compile(r"(?i)(^|[/_.:])bench")


@cache
def is_test(path: str) -> bool:
    """Return whether a path is that of a test file."""
    return bool(_TEST_FILE.search(path))


@cache
def is_shown(path: str) -> bool:
    """Return whether a file belongs to documentation or examples, or their tests."""
    return bool(_SHOWN.match(path))


@cache
def is_test_data(path: str) -> bool:
    """Return whether a document lies among tests: it is data, and documents nothing."""
    return bool(_TEST_DATA.match(path))


@cache
def is_tool(path: str) -> bool:
    """Return whether a file only shows, measures, builds or documents the project."""
    return bool(_TOOL_FILE.search(path))


def is_benchmark(id: str) -> bool:
    """Return whether a file or an element is a benchmark by its path or its name."""
    return _BENCHMARK.search(id) is not None


def is_changelog(path: str) -> bool:
    return bool(_CHANGE_LOG.search(path))


def guides_work(path: str) -> bool:
    """Return whether a document tells how to work on the project, not how to use it."""
    return bool(_GUIDE_FOR_WORK.search(path))


def is_form(path: str) -> bool:
    """Return whether a document is a form for issues or pull requests."""
    return bool(_FORM.search(path))


def tells_of_past(path: str) -> bool:
    """Return whether a document tells what changed, and not what there is now."""
    return is_changelog(path) or bool(_PAST.search(path))
