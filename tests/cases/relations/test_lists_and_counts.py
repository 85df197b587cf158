"""Lists say what they leave out, and numbers what they count."""

from __future__ import annotations

import re

import pytest

from repobuild.code.facts.parse import facts_of
from repobuild.code.facts.python.looked_up import looked_up_names
from repobuild.code.scan.manifest import read
from repobuild.samples.families.registration import listed_names
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.truth.tree.project_manifest import read_project_manifest
from tests.cases.sampled import Sampled, answers, sampled_fixture

PAPER = '''"""Make pages of paper."""

WIDTH = 80
HEIGHT: int = 24
_DEPTH = 1


class Page:
    """A page that makes its parts by a table."""

    def __init__(self):
        """Make a page."""
        self.table = {"Line": self.lay_line}

    def lay_line(self, part):
        """Make a line of a part."""
        return part * WIDTH

    def make(self, part):
        """Make what the table has for a part."""
        return self.table[type(part).__name__](part)


class Sheet(Page):
    """A page of another size."""

    def lay_line(self, part):
        """Make a longer line of a part."""
        return part * HEIGHT


def twice(part):
    """Make a line two times."""
    sheet = Sheet()
    return sheet.lay_line(part) + sheet.lay_line(part)
'''
RULES = '''"""Rules by their names."""


def check_names(page):
    """Check the names of a page."""
    return bool(page)


def check_links(page):
    """Check the links of a page."""
    return not page


def check_sizes(page):
    """Check the sizes of a page."""
    return page != 1


def first_check(page):
    """Check a page for the first time."""
    return check_names(page) and check_links(page)


def last_check(page):
    """Check a page for the last time."""
    return check_sizes(page)
'''
RUN = '''"""Run the rules of a list."""

import paper.rules

ORDER = ["check_links"]


def run_rules(page):
    """Run the rules of the list on a page."""
    return [getattr(paper.rules, name)(page) for name in ORDER]
'''
SHAPES = '''"""Shapes in the order in which they are tried."""

__all__ = ("Square", "Circle", "Arrow")


class Shape:
    """What all shapes have."""

    def draw(self):
        """Draw the shape."""
        raise NotImplementedError
''' + "".join(
    f'\n\nclass {name}(Shape):\n    """A {name.lower()} on a page."""\n\n'
    f'    def draw(self):\n        """Draw a {name.lower()}."""\n'
    f"        return {number}\n"
    for number, name in enumerate(["Square", "Circle", "Arrow"])
)
TABLES = '''"""Tables of shapes."""

from paper.shapes import Arrow, Circle, Square

BY_NAME = [Arrow, Circle, Square]
'''
FILES = {
    "setup.cfg": "[metadata]\nname = paper\ndescription = Make pages of paper\n",
    "requirements.txt": "# optional\nPygments>=2\n",
    "README.md": "# Paper\n\nPaper makes pages.\n\n```sh\npip install -e .[all]\n```\n",
    "paper/__init__.py": '"""Paper."""\n',
    "paper/pages.py": PAPER,
    "paper/rules.py": RULES,
    "paper/run.py": RUN,
    "paper/shapes.py": SHAPES,
    "paper/tables.py": TABLES,
    "paper/sizes.py": TABLES.replace(
        "BY_NAME = [Arrow, Circle, Square]", "BY_SIZE = [Circle, Square, Arrow]"
    ),
    "tests/test_shapes.py": "from paper.shapes import Circle, Square\n\n\n"
    "def test_circle():\n    assert Circle().draw() == 1\n\n\n"
    "def test_square():\n    assert Square().draw() == 0\n",
}
paper = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(paper: Sampled) -> None:
    assert paper.audit().wrong == []


@pytest.mark.parametrize("name", ["check_names", "check_links"])
def test_callers_are_open_where_a_table_holds_the_name(
    paper: Sampled, name: str
) -> None:
    opened = paper.context(f"paper/rules.py::{name}").get("open", ())
    assert ("callers" in opened) == (name == "check_links")
    told = "\n".join(paper.answers(f"paper/rules.py::{name}"))
    assert ("is called by `first_check`." in told) == (name == "check_names")


def test_callers_are_open_where_a_table_holds_the_method_that_it_overrides(
    paper: Sampled,
) -> None:
    assert "callers" in paper.context("paper/pages.py::Sheet.lay_line")["open"]
    assert not answers(paper, "callers", "paper/pages.py::Sheet.lay_line")


def test_names_in_strings_count_where_a_module_looks_names_up() -> None:
    table = b'STEPS = ["open_all", "close_all"]\n'
    assert looked_up_names(table, []) == []
    assert looked_up_names(table + b"getattr(a, name)()\n", []) == [
        "close_all",
        "open_all",
    ]
    exported = b'__all__ = ["open_all"]\ngetattr(a, "close_all")\n'
    assert looked_up_names(exported, ["open_all"]) == ["close_all"]
    assert looked_up_names(b'{"x": ["run = a.b:main"]}', []) == ["main"]
    assert looked_up_names(b'f("open_all")\nprint("a:b c")\n', []) == []
    facts = facts_of(table + b"globals()\n", "python")
    assert facts["strings"] == ["close_all", "open_all"]


def test_contents_have_the_public_constants(paper: Sampled) -> None:
    (text,) = answers(paper, "contents", "paper/pages.py")
    assert text.endswith("**Public constants**: `WIDTH`, `HEIGHT`")
    assert "_DEPTH" not in text


def test_a_constant_that_is_none_is_noticed(paper: Sampled) -> None:
    changed = {
        key: {**one, "answer": one["answer"].replace("`HEIGHT`", "`DEPTH`")}
        for key, one in paper.samples.items()
        if "**Public constants**" in one["answer"] and "`HEIGHT`" in one["answer"]
    }
    assert changed
    assert {one.key for one in paper.audit(changed).wrong} == set(changed)


def test_what_a_comment_calls_optional_is_no_dependency(paper: Sampled) -> None:
    assert not any("Pygments" in one["answer"] for one in paper.samples.values())


@pytest.mark.parametrize(
    "text, needed",
    [
        ("# optional\na\nb\n\nc\n", {"c"}),
        ("a  # optional, for colours\nb\n", {"b"}),
        ("# for development\na\n# for all\nb\n", {"b"}),
        ("# tests\na\n", set()),
        ("# a comment\na\n", {"a"}),
    ],
)
def test_comments_divide_requirements(text: str, needed: set[str]) -> None:
    found = read(text.encode(), "manifest")["project"]
    assert set(found.get("dependencies", {})) == needed
    assert read_project_manifest("requirements.txt", text).needs == needed


def test_a_command_of_the_project_goes_before_what_its_manifest_suggests(
    paper: Sampled,
) -> None:
    assert answers(paper, "install_told") == {
        "In a checkout of paper, run `pip install -e .[all]`, as `README.md` says."
    }
    assert not answers(paper, "install")


def test_a_plan_says_where_in_a_list_a_new_one_goes(paper: Sampled) -> None:
    told = "\n".join(one["answer"] for one in paper.samples.values())
    assert re.search(
        r"`BY_SIZE` of `paper/sizes.py`, .*; put it after its sibling `\w+`", told
    )
    # Of names that are exported the order is of no importance.
    assert not re.search(r"`__all__` of `paper/shapes.py`, .*; put it", told)
    assert re.search(
        r"`BY_NAME` of `paper/tables.py`, .*; put it in its alphabetical", told
    )


def test_a_wrong_place_in_a_list_is_noticed(paper: Sampled) -> None:
    for old, new in (
        ("; put it in its alphabetical place", "; put it after its sibling `Arrow`"),
        ("; put it after its sibling `Arrow`", "; put it in its alphabetical place"),
        ("; put it after its sibling `Arrow`", "; put it after its sibling `Shape`"),
    ):
        changed = {
            key: {**one, "answer": one["answer"].replace(old, new)}
            for key, one in paper.samples.items()
            if old in one["answer"]
        }
        assert {one.key for one in paper.audit(changed).wrong} == set(changed)


def test_a_plan_counts_no_tests(paper: Sampled) -> None:
    told = "\n".join(one["answer"] for one in paper.samples.values())
    assert "Test it in `tests/test_shapes.py`, as most siblings are tested." in told


def test_items_of_a_list_are_read_with_their_last_names() -> None:
    assert listed_names("A = [a.B, 'C', D(1, 2), (E, 3)]\n", "A") == [
        "B",
        "C",
        "D",
        "E",
    ]
    assert listed_names("A: list = (\n    B,  # b, c\n    C,\n)\n", "A") == ["B", "C"]
    assert listed_names("A = {1: 2}\nB = A\n", "A") == []


def test_numbers_are_those_of_the_source_files(paper: Sampled) -> None:
    (text,) = answers(paper, "statistics")
    assert text.startswith("The source files of paper, without generated")
    assert "files of paper are analysed" not in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_answered_by_steps_is_asked_by_its_steps(language: str) -> None:
    questions = "\n".join(load_phrases(language).kinds["change"].questions)
    assert "affected" not in questions and "影响" not in questions
