"""A call that an answer shows is a call of that very thing, and one that works."""

from __future__ import annotations

import pytest

from repobuild.code.usage.call_example import call_example
from repobuild.samples.text.refusals import only_raises
from repobuild.truth.audit import Audit
from tests.cases.sampled import Sampled, sampled_fixture

SHELF = '''\
"""A shelf of paths."""


class WindowsPath:
    """A path of the shelf."""

    def __init__(self, text):
        self.text = text


def measure(path):
    """Measure how long a path is."""
    if not path:
        raise ValueError(path)
    return len(path)
'''
TESTS = """\
import pathlib

import pytest

from shelf import paths
from shelf.paths import measure


def test_a_path_is_like_the_one_of_python():
    real = pathlib.WindowsPath("a")
    made = paths.WindowsPath("a")
    assert str(real) == made.text


def test_a_path_has_a_text():
    assert paths.WindowsPath("b").text == "b"


def test_a_path_has_a_length():
    long_enough = measure("a path that is long enough to be measured at all")
    assert long_enough


def test_no_path_has_no_length():
    with pytest.raises(ValueError):
        measure("")
"""
shelf = sampled_fixture(
    {
        "shelf/__init__.py": "",
        "shelf/paths.py": SHELF,
        "tests/test_paths.py": TESTS,
    }
)


def usages(sampled: Sampled, id: str) -> list[str]:
    return [one for one in sampled.answers(id) if "**A call" in one]


def test_a_class_of_another_package_with_the_name_is_not_shown(shelf: Sampled) -> None:
    assert usages(shelf, "shelf/paths.py::WindowsPath")
    for answer in usages(shelf, "shelf/paths.py::WindowsPath"):
        assert "pathlib." not in answer


def test_a_call_that_has_to_fail_is_not_shown(shelf: Sampled) -> None:
    assert usages(shelf, "shelf/paths.py::measure")
    for answer in usages(shelf, "shelf/paths.py::measure"):
        assert 'measure("a path' in answer
        assert 'measure("")' not in answer


@pytest.mark.parametrize(
    "header",
    [
        "with pytest.raises(ValueError):",
        "with self.assertRaises(ValueError) as caught:",
        "with self.raises_os_error(errno.ELOOP):",
        "with (\n    open(a) as b,\n    pytest.raises(ValueError),\n):",
    ],
)
def test_the_body_of_every_form_of_an_expected_error_is_no_example(header: str) -> None:
    lines = [*header.split("\n"), '    measure("a")']
    assert call_example(lines, len(lines) - 1, "measure") is None
    below = [*lines, 'measure("b")']
    found = call_example(below, len(below) - 1, "measure")
    assert found is not None and found.code == 'measure("b")'


def with_call(sampled: Sampled, id: str, code: str) -> Audit:
    """Check the samples that show a real call, with other code in it."""
    changed = {}
    for key, sample in sampled.samples.items():
        answer = sample["answer"]
        if key.rpartition("#")[0] == id and "**A call from**" in answer:
            before, _, after = answer.partition("```python\n")
            rest = after.partition("\n```")[2]
            answer = f"{before}```python\n{code}\n```{rest}"
            changed[key] = {**sample, "answer": answer}
    assert changed
    return sampled.audit(changed)


@pytest.mark.parametrize(
    "name, code, problem",
    [
        ("measure", 'measure("")', "expected to fail"),
        (
            "WindowsPath",
            'import pathlib\nreal = pathlib.WindowsPath("a")',
            "another package",
        ),
    ],
)
def test_a_wrong_call_is_noticed(
    shelf: Sampled, name: str, code: str, problem: str
) -> None:
    found = with_call(shelf, f"shelf/paths.py::{name}", code)
    assert any(problem in one.actual for one in found.wrong)


def test_a_method_that_only_raises_is_not_called_in_an_example() -> None:
    head = b"def set(self, a: int, b: str = ':') -> bool:\n"
    doc = b'    """Refuse it: a directory has none."""\n'
    assert only_raises(head + doc + b"    raise OSError(\n        a\n    )\n")
    assert only_raises(b"@x.y\nasync " + head + b"    raise OSError\n")
    assert not only_raises(head + doc + b"    if a:\n        raise OSError\n")
    assert not only_raises(head + b"    a = 1\n    raise OSError(a)\n")
    assert not only_raises(b"X = 1\n")


def test_what_a_string_or_a_comment_holds_is_no_call() -> None:
    line = 'gap = complete(prompt="def unquote(key: str):", suffix="return key")'
    assert call_example([line], 0, "unquote") is None
    found = call_example([line], 0, "complete")
    assert found is not None and found.code == line
    line = "gap = complete(key)  # as unquote(key) does"
    assert call_example([line], 0, "unquote") is None
