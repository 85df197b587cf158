"""What a file is for is told by its path: tests, benchmarks and build scripts."""

from __future__ import annotations

import pytest

from repobuild.code.scan.file_roles import (
    is_benchmark,
    is_form,
    is_test,
    is_tool,
    tells_of_past,
)


@pytest.mark.parametrize(
    "id",
    [
        "bench_sort.py",
        "tests/benchmarks/sort.py",
        "tests/sort.bench.ts",
        "tests/test_sort.py::bench_sort",
        "tests/test_sort.py::Sorting.bench_all",
    ],
)
def test_a_benchmark_is_one_by_its_path_or_its_name(id: str) -> None:
    assert is_benchmark(id)


@pytest.mark.parametrize("id", ["workbench.py", "tests/test_workbench.py::test_all"])
def test_a_name_that_ends_in_bench_is_no_benchmark(id: str) -> None:
    assert not is_benchmark(id)


@pytest.mark.parametrize("path", ["setup.py", "docs/conf.py", "benchmarks/sort.py"])
def test_a_build_script_is_a_tool_and_no_test(path: str) -> None:
    assert is_tool(path) and not is_test(path)


@pytest.mark.parametrize(
    "path",
    [
        "CHANGES.md",
        "releasenotes/source/queens.rst",
        "docs/1.2.0.rst",
        "docs/whats_new_in_2.rst",
    ],
)
def test_what_tells_of_past_releases(path: str) -> None:
    assert tells_of_past(path)


@pytest.mark.parametrize(
    "path",
    [
        ".github/ISSUE_TEMPLATE/bug_report.md",
        ".github/pull_request_template.md",
        ".gitlab/merge_request_templates/default.md",
    ],
)
def test_what_is_to_be_filled_in_is_a_form(path: str) -> None:
    assert is_form(path) and not is_form("docs/issue_tracking.md")


@pytest.mark.parametrize(
    "path", ["property_tests.py", "typetests/usage.py", "unit_tests/a.py"]
)
def test_tests_of_a_kind_are_tests(path: str) -> None:
    assert is_test(path)


@pytest.mark.parametrize("path", ["contests/a.py", "pkg/latest.py", "pkg/contests.py"])
def test_a_word_that_ends_like_tests_makes_none(path: str) -> None:
    assert not is_test(path)
