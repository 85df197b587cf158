"""What newcomers and maintainers ask names what matters most, and nothing beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.graph.graph import PROJECT
from repobuild.samples.tasks.phrases import load_phrases
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers, sampled_fixture
from tests.code_world import World

LINE = "纸上作图接口."
CODE = '"""Draw pictures."""\n\n\ndef draw(x):\n    """Draw a thing."""\n    return x\n'
MARKS = '''"""What stands in for values."""


class Mark:
    """What stands in for a value."""


def _resolve_skipped():
    return skipped


def _resolve_not_read():
    return not_read


def _resolve_unknown():
    return unknown


class Skipped(Mark):
    def __reduce__(self):
        return (_resolve_skipped, ())


class NotRead(Mark):
    def __reduce__(self):
        return (_resolve_not_read, ())


class Unknown(Mark):
    def __reduce__(self):
        return (_resolve_unknown, ())


skipped = Skipped()
not_read = NotRead()
unknown = Unknown()
'''
NAMES = "`Skipped`, `NotRead` and `Unknown` stand in for values.\n"
SMALL = "".join(
    f'class Part{n}:\n    """Part {n}."""\n\n    size = {n}\n\n\n' for n in range(12)
)
LARGE = 'class Whole:\n    """All parts."""\n\n' + "".join(
    f"    part_{n} = Part{n}\n" for n in range(12)
)
BROWSER = '''"""Browse pages."""


class Opener:
    """Open pages."""

    def open(self, url):
        """Open a page."""
        return url


class Log:
    """What was read."""


class Leaf:
    """A page that is read."""

    log = Log()

    def read(self, url):
        """Read the page."""
        return Opener().open(url)


def visit(url):
    """Visit a page."""
    return Leaf()
'''
LIBRARIES = """[project]
name = "tool"
dependencies = ["numpy", "lxml"]

[project.optional-dependencies]
fast = ["orjson"]
docs = ["sphinx"]
"""
IMPORTS = '''"""Draw."""

import lxml
import numpy

try:
    import orjson
except ImportError:
    orjson = None
'''
tool = sampled_fixture(
    {
        "pyproject.toml": LIBRARIES,
        "README.md": "# Draw on paper\n\nSome text.\n\n## Draw a long line\n\nSo.\n",
        "tool/__init__.py": IMPORTS,
        "tool/marks.py": MARKS,
        "tool/browser.py": BROWSER,
        "docs/marks.md": "# Ticket: pickle marks\n\n" + NAMES,
    }
)


def described(readme: str, line: str = "") -> str:
    manifest = f'[project]\nname = "tool"\ndescription = "{line}"\n'
    files = {"tool/__init__.py": CODE, "README.md": readme, "pyproject.toml": manifest}
    return str(World(files).rows[PROJECT][""]["description"])


@pytest.mark.parametrize(
    "banner",
    [
        "**Tool is now part of [Suite](/suite).**",
        "Give us a star on the hub.",
        "如果喜欢本项目可以在右上角给颗⭐！你的支持是我最大的动力😎！",
    ],
)
def test_a_banner_introduces_no_project(banner: str) -> None:
    readme = f"# Tool\n\n{banner}\n\nTool is a pen.\n"
    assert described(readme, "A line from the manifest") == "Tool is a pen."
    readme = f"# Tool\n\n{banner}\n"
    assert described(readme, "A line from the manifest") == "A line from the manifest"
    assert described(readme) == ""


def test_a_line_that_is_the_title_too_says_what_the_project_is() -> None:
    assert described("纸上作图接口\n======\n\n见文档。\n", LINE) == LINE
    assert described("# Tool\n\nSee below.\n", "Tool") == ""


def test_code_imports_what_the_manifest_leaves_to_users(tool: Sampled) -> None:
    (text,) = answers(tool, "technologies")
    assert text.endswith("the extra that installs them**:\n- `fast`: `orjson`")
    assert "sphinx" not in text


def test_a_sibling_needs_the_function_that_is_called_after_it(tool: Sampled) -> None:
    plans = answers(tool, "plan") | answers(tool, "plan_like")
    assert plans
    for text in plans:
        assert "Write a function of its own for it in `tool/marks.py`" in text
        assert "3 of 3 siblings" in text
    assert not [text for text in plans if "docs/marks.md" in text]
    assert not tool.audit().wrong


def test_a_class_works_together_with_what_its_methods_use(tool: Sampled) -> None:
    assert not answers(tool, "place", "tool/browser.py::Leaf")


def test_nobody_asks_where_a_project_has_its_title(tool: Sampled) -> None:
    found = " ".join(answers(tool, "heading"))
    assert "Draw a long line" in found
    assert "Draw on paper" not in found


def test_a_list_of_a_file_that_is_cut_names_the_largest(tmp_path: Path) -> None:
    files = {"tool/parts.py": f'"""Parts."""\n\n\n{SMALL}{LARGE}'}
    cut = 0
    for salt in map(str, range(12)):
        settings = {**ALL_IN_ENGLISH, "split.generalise": 0.2, "split.salt": salt}
        sampled = Sampled(tmp_path / salt, files, **settings)
        for text in answers(sampled, "contents"):
            cut += "and others" in text
            assert "`Whole`" in text
    assert cut


def test_parts_without_a_word_are_no_list_where_modules_are_left_out() -> None:
    body = "".join(f"def f{n}(x):\n    return x\n\n\n" for n in range(8))
    files = {f"tool/{one}/__init__.py": body for one in "abcd"}
    files |= {"tool/__init__.py": "", "tool/entry.py": "def run(x):\n    return x\n"}
    assert World(files).rows[PROJECT][""]["more_modules"] == 1


def test_a_question_for_one_of_several_subclasses_asks_for_an_example() -> None:
    questions = load_phrases("zh").kinds["example"].questions
    asked = [one for one in questions if "`{name}`" not in one]
    assert asked
    assert all("例" in one for one in asked)
