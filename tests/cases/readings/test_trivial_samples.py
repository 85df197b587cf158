"""Samples that tell nothing, or half a thing, are completed or not made."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.samples.text.docstring_parts import parse_docstring
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

COUNT = 13
PARTS = "\n\n".join(
    f'def part_{letter}(size):\n    """Make part {letter}."""\n    return size * {n}\n'
    for n, letter in enumerate("abcdefghijklm", 2)
)
TREES = '''"""Trees of nodes."""

from shop.parts import part_a


class Node:
    """A node of a tree."""

    def weigh(self) -> int:
        """Return how heavy it is."""
        return part_a(4) + self.depth

    def width(self) -> int:
        """Return how wide it is."""
        return part_a(5) + self.depth

    def height(self) -> int:
        """Return how high it is."""
        return part_a(6) + self.depth

    def below(self, other, least: int = 0):
        """other is a node anywhere below this one"""
        return other.depth > self.depth

    def beside(self, other, least: int = 0):
        """
        and is used where `other` may be a neighbour.
        """
        return other.depth == self.depth

    def shrink(self, size):
        self.parts.remove(part_a(size))
        self.seen = len(self.parts)
        return self.parts


class Leaf(Node):
    """A node without others."""

    def __eq__(self, other):
        return self.depth == other.depth

    def __len__(self):
        return self.seen
'''
LONG = "def enormous():\n" + "".join(
    f"    print({n}, 'is written down, with all of its digits')\n" for n in range(60)
)
SECTIONS = "# Guide\n\n" + "".join(
    f"## About the part {letter}\n\nIt is a part.\n\n" for letter in "abcdefghijkl"
)
FILES = {
    "setup.cfg": "[metadata]\nname = shop\n",
    "guide.md": SECTIONS,
    "changes.md": SECTIONS + SECTIONS.replace("About", "After").replace("Guide", "X"),
    "shop/__init__.py": "",
    "shop/parts.py": PARTS,
    "shop/trees.py": TREES,
    "shop/huge.py": LONG + "\n\ndef write():\n    enormous()\n",
    "shop/use.py": "from shop.parts import part_b\n\n\n"
    + "\n\n".join(f"def use_{n}():\n    return part_b({n})\n" for n in range(COUNT)),
}
HOME = "shop/trees.py::"
shop = sampled_fixture(FILES, **{"samples.min_code_lines": 3})


def test_every_claim_of_these_samples_holds(shop: Sampled):
    assert shop.audit().wrong == []


def test_who_asks_what_to_pass_is_told_that_it_is_nothing(shop: Sampled):
    texts = answers(shop, "signature")
    assert any("(self) -> int" in text for text in texts)
    for text in texts:
        ends = text.endswith("\n```\n\nNothing has to be passed to it.")
        assert ends == ("(self) -> int" in text)


def test_a_wrong_nothing_is_noticed(shop: Sampled):
    ending = "\n\nNothing has to be passed to it."
    changed = {
        key: {**one, "answer": one["answer"] + ending}
        for key, one in shop.samples.items()
        if one["answer"].startswith("The signature of")
        and not one["answer"].endswith(ending)
    }
    assert changed and len(shop.audit(changed).wrong) == len(changed)


def test_a_list_of_a_dozen_is_whole(shop: Sampled):
    (text,) = answers(shop, "contents", "shop/parts.py")
    assert text.count("`part_") == COUNT and "others" not in text
    (text,) = answers(shop, "sections", "guide.md")
    assert text.count('"') == 2 * COUNT and "others" not in text
    (text,) = answers(shop, "callers", "shop/parts.py::part_b")
    assert text.count("`use_") == COUNT and "others" not in text


def test_nobody_asks_for_a_list_of_dozens(shop: Sampled):
    assert answers(shop, "sections", "changes.md") == set()


def test_what_an_argument_is_and_half_a_sentence_are_no_purpose(shop: Sampled):
    for name in ("below", "beside"):
        assert of_kind(shop, "explain", f"{HOME}Node.{name}") == []
        (text,) = answers(shop, "written", f"{HOME}Node.{name}")
        assert "return other" in text


def test_short_code_between_long_comments_is_shown(tmp_path: Path):
    comments = "".join(f"    # It counts, for the reason {n}.\n" for n in range(9))
    code = f"def count(parts):\n{comments}    return len(parts) + 1\n"
    sampled = Sampled(tmp_path, {"a.py": code}, **ALL_IN_ENGLISH)
    (text,) = answers(sampled, "written", "a.py::count")
    assert "def count(parts):\n    return len(parts) + 1\n```" in text


def test_who_uses_it_is_no_explanation(shop: Sampled):
    assert answers(shop, "sketch", "shop/huge.py::enormous") == set()
    (text,) = answers(shop, "written", "shop/huge.py::write")
    assert "enormous()" in text


def test_a_trace_has_no_step_in_which_nothing_happens(tmp_path: Path):
    code = 'def find(name):\n    """Mark a name."""\n    return name + "!"\n'
    for n in range(9):
        code += f"\n\ndef plain_{n}(name):\n    found = find(name)\n"
        code += "    found = find(found)\n    return found\n"
        code += f"\n\ndef odd_{n}(name):\n    if find(name):\n"
        code += "        name = find(name)\n    else:\n"
        code += "        name = find(name * 2)\n    return name\n"
    sampled = Sampled(tmp_path, {"a.py": code}, **ALL_IN_ENGLISH)
    traced = {one["element"] for one in of_kind(sampled, "trace")}
    assert traced and all(one.startswith("a.py::plain_") for one in traced)


def test_nobody_asks_for_code_that_anybody_would_guess(tmp_path: Path):
    code = "class Depths:\n"
    for n in range(9):
        code += f"    def set_{n}(self, depth, unit):\n        self.depth = depth\n"
        code += "        self.unit = unit\n        self.parts = []\n"
        code += "        return self\n\n"
        code += f"    def grow_{n}(self, other):\n        if other is None:\n"
        code += "            return self\n        self.number = 0\n"
        code += f"        self.unit = other + {n * 100}\n        return self.unit\n\n"
    sampled = Sampled(tmp_path, {"a.py": code}, **ALL_IN_ENGLISH)
    hidden = {one["answer"] for one in of_kind(sampled, "line")}
    hidden |= {one["answer"] for one in of_kind(sampled, "body")}
    assert hidden and not any("self.depth" in text for text in hidden)
    assert hidden.isdisjoint({"self.number = 0", "return self", "return self.unit"})


def test_only_dunder_methods_are_no_list_of_methods(shop: Sampled):
    assert answers(shop, "members", f"{HOME}Leaf") == set()
    assert answers(shop, "members", f"{HOME}Node") != set()


TOOL = '''"""Tools, described in reStructuredText_ and otherwise.

.. _reStructuredText: https://docutils.sourceforge.io
"""

from shop.errors import Broken


class Tool:
    """A tool of the shop."""

    def __init__(self, name, weight):
        """
        Initialize a :class:`Tool` object.

        :param name: What it is called.
        """
        self.name = name
        self.load = weight * 2
        self.broken = Broken(name)
        self.parts = [name]
        self.uses = 0

    def lift(self, height=2):
        """lift(height=2)
        Lift the tool above the ground.
        """
        return self.load * height
'''
TESTS = """import unittest

from shop.tool import Tool, weigh


class ToolTestCase(unittest.TestCase):
    def test_weigh(self):
        self.assertEqual("4711 grams", weigh(4711))

    def test_again(self):
        assert weigh(815) == expected(test_again)

    def test_more(self):
        tool = Tool("saw", 3)
        assert weigh(tool) == "three of them"
"""
TOOLS = {
    "setup.py": "from setuptools import setup\n\n\ndef version(path):\n"
    '    """Return the version that a file states."""\n'
    "    return open(path).read()\n\n\n"
    "setup(name='shop', install_requires=version('needs'))\n",
    "CHANGES.rst": "Changes\n=======\n\n`Release 1.2`_ (2015-05-25)\n"
    "---------------------------\n\nTools can be lifted by more than one metre.\n\n"
    ".. _Release 1.2: https://example.org/1.2\n",
    "shop/__init__.py": '"""A shop."""\n\nimport colorama\nimport requests\n',
    "shop/errors.py": "class Broken(Exception):\n    pass\n",
    "shop/tool.py": TOOL
    + '\n\ndef weigh(tool):\n    """Weigh a tool."""\n    return f"{tool} grams"\n',
    "shop/tests.py": TESTS,
}
tools = sampled_fixture(TOOLS)


def test_every_claim_about_tools_holds(tools: Sampled):
    assert tools.audit().wrong == []


def test_a_module_of_tests_beside_the_code_holds_tests(tools: Sampled):
    told = "\n".join(one["answer"] for one in of_kind(tools, "callers"))
    assert "ToolTestCase" not in told
    assert answers(tools, "explain", "shop/tests.py::ToolTestCase") == set()
    (text,) = answers(tools, "test_folders")
    assert text == "The tests of shop are in `shop/tests.py`."


def test_nobody_asks_for_the_functions_of_a_build_script(tools: Sampled):
    asked = {one["element"] for one in tools.samples.values()}
    assert "setup.py::version" not in asked and "shop/tool.py::weigh" in asked


def test_what_a_build_script_computes_is_no_foundation(tools: Sampled):
    assert answers(tools, "technologies") == set()


def test_a_heading_is_named_without_the_marks_of_a_reference(tools: Sampled):
    asked = [one["question"] for one in of_kind(tools, "passage")]
    assert asked and all("Release 1.2 (2015-05-25)" in text for text in asked)


def test_a_reference_is_quoted_without_its_marks(tools: Sampled):
    (text,) = answers(tools, "module", "shop/tool.py")
    assert "**Purpose**: Tools, described in reStructuredText and otherwise." in text
    assert parse_docstring("Fit coef_ of it.").summary == "Fit coef_ of it."


def test_a_constructor_that_says_only_that_it_is_one_has_no_purpose(tools: Sampled):
    assert answers(tools, "describe", "shop/tool.py::Tool.__init__") == set()
    (text,) = answers(tools, "written", "shop/tool.py::Tool.__init__")
    assert "Tool()" not in text and "**Its code**" in text


def test_how_it_is_called_is_no_purpose(tools: Sampled):
    (text,) = answers(tools, "explain", "shop/tool.py::Tool.lift")
    assert "**Purpose**: Lift the tool above the ground." in text
    doc = "where(condition, [x, y], /)\n\nReturn what is chosen."
    assert parse_docstring(doc).summary == "Return what is chosen."


def test_an_expectation_is_a_value_that_only_the_test_knows(tools: Sampled):
    hidden = {one["answer"] for one in of_kind(tools, "assertion")}
    assert hidden == {'"three of them"'}


SHAPES = '''"""Shapes."""


def marked(**marks):
    def mark(function):
        function.marks = marks
        return function

    return mark


@marked(size=1)
def is_small(shape):
    """Tell whether a shape is small."""
    return _area(shape) < 9


@marked(size=2)
def is_large(shape):
    """Tell whether a shape is large."""
    return _area(shape) > 99


@marked(size=3)
def is_square(shape):
    """Tell whether a shape is a square."""
    return _area(shape) == shape.width**2


def _area(shape):
    """Return the area of a shape."""
    return shape.width * shape.height


class AbstractShape:
    """What all shapes have."""

    def __init__(self, width: int, height: int):
        self.width = width
        self.height = height

    def grow(self, by: int):
        """Make it larger."""
        self.width = _area(self) + by
        self.height = _area(self) - by
        self.grown = [by, self.width]
        return self


class Rug(AbstractShape):
    """Lie flat."""

    def __init__(self, width: int):
        super().__init__(width, 2)

    def grow(self, by: int):
        """Make it longer only."""
        self.height = _area(self) * by
        self.grown = [by, self.height]
        self.width = max(self.width, by)
        return self

    def roll(self, times: int):
        """Roll it up."""
        self.width = _area(self) // times
        self.rolled = [times, self.width]
        self.height = max(self.height, times)
        return self


def rug(width):
    """Make a rug."""
    return Rug(width).roll(2)
'''
OTHER_SHAPES = '''from shapes.plain import AbstractShape, Rug

first = Rug(3)


class Carpet(AbstractShape):
    """Cover the floor."""

    def grow(self, by: int):
        """Make it wider only."""
        self.width = max(self.width, by)
        self.grown = [by, self.width]
        self.height = min(self.height, by)
        return self

    def beat(self, times: int):
        """Beat the dust out."""
        self.beaten = times
        self.height = max(self.height, times)
        self.rolled = first.roll(times)
        return self
'''
SHAPED = {
    "setup.cfg": "[metadata]\nname = shapes\n",
    "README.md": "# Shapes\n\nShapes lie flat and can be rolled up.\n\n"
    "## More\n\nThere is more of them.\n",
    "shapes/__init__.py": "",
    "shapes/plain.py": SHAPES,
    "shapes/other.py": OTHER_SHAPES,
    "tests/test_plain.py": "from shapes.plain import Rug\n\n\n"
    "def test_rug():\n    rug = Rug(4)\n    assert rug is rug.grow(3)\n",
}
shapes = sampled_fixture(SHAPED)


def test_every_claim_about_shapes_holds(shapes: Sampled):
    assert shapes.audit().wrong == []


def test_nobody_makes_an_abstract_class_or_calls_what_is_private(shapes: Sampled):
    asked = {one["element"] for one in of_kind(shapes, "usage")}
    asked |= {one["element"] for one in of_kind(shapes, "construct")}
    assert "shapes/plain.py::Rug" in asked
    assert asked.isdisjoint(
        {"shapes/plain.py::AbstractShape", "shapes/plain.py::_area"}
    )


def test_nobody_calls_a_constructor_by_its_name(shapes: Sampled):
    asked = {one["element"] for one in of_kind(shapes, "callers")}
    assert asked and not any(one.endswith("__init__") for one in asked)


def test_a_model_is_one_of_several_and_shown_whole(shapes: Sampled):
    (text,) = answers(shapes, "similar", "shapes/other.py::Carpet.grow")
    assert "**Its code**" in text
    assert answers(shapes, "similar", "shapes/other.py::Carpet.beat") == set()


def test_a_question_for_a_model_does_not_name_it(shapes: Sampled):
    questions = [one["question"] for one in of_kind(shapes, "similar")]
    assert questions
    assert not [one for one in questions if "is a model" in one or "good model" in one]


def test_a_readme_and_a_bare_list_of_paths_explain_nothing(shapes: Sampled):
    assert answers(shapes, "module", "README.md") == set()
    assert answers(shapes, "architecture") == set()


def test_nobody_plans_for_a_decorator_of_the_same_file(shapes: Sampled):
    asked = [one["question"] for one in of_kind(shapes, "plan")]
    assert not any("@marked" in text for text in asked)


def test_a_method_that_returns_its_own_object_is_no_expectation(shapes: Sampled):
    assert answers(shapes, "assertion") == set()


PLAYERS = '''"""One of the oldest games has two players."""

from abc import ABC


def beep(times):
    """Beep a few times."""
    return "beep" * times


class PlayerMixin:
    """What players can do."""

    def win(self, points: int):
        """Win some points."""
        return self.points + points


class Player(PlayerMixin):
    """Player class."""

    def __init__(self, points: int):
        self.points = points

    def lose(self, points: int, alarm=beep):
        """Lose some points,

        or all of them.
        """

        def warn():
            def again():
                return alarm(points)

            return again()

        return warn()

    def set_level(self, other, value):
        first, second = other.pair, value.pair
        other.level = level = first
        value.level = level
        return first, second
'''
PLAYED = {
    "setup.cfg": "[metadata]\nname = game\n",
    "docs/conf.py": '"""Configure the documentation."""\n\nimport game.players\n',
    "docs/install.md": "# Install\n\nTo install it, type this:\n\n    pip install x\n\n"
    "## More\n\nThere is more.\n",
    "game/__init__.py": '"""A game."""\n',
    "game/version.py": "VERSION = 1\n",
    "game/test.py": "from game.players import beep\n\n\ndef trial():\n"
    '    """Try it."""\n    return beep(2)\n',
    "game/players.py": PLAYERS,
    "tests/test_players.py": "import unittest\n\nfrom game.players import Player\n\n\n"
    "class PlayerTest(unittest.TestCase):\n    def test_lose(self):\n"
    "        player = Player(2)\n"
    "        self.assertRaises(TypeError, lambda: player.lose('two points'))\n",
}
game = sampled_fixture(PLAYED)


def test_what_a_default_of_an_outer_function_is_called_by_holds(game: Sampled):
    told = "\n".join(one["answer"] for one in game.samples.values())
    assert "`Player.lose.warn.again`" in told
    assert game.audit().wrong == []


def test_nobody_has_a_mixin_to_call_its_methods_on(game: Sampled):
    asked = {one["element"] for one in of_kind(game, "usage")}
    assert "game/players.py::Player" in asked
    assert "game/players.py::PlayerMixin.win" not in asked


def test_what_only_repeats_the_name_and_half_a_sentence_are_no_purpose(game: Sampled):
    for name in ("Player", "Player.lose"):
        assert answers(game, "explain", f"game/players.py::{name}") == set()


def test_a_module_is_not_introduced_by_a_detour(game: Sampled):
    assert answers(game, "module", "game/players.py") == set()
    assert "oldest" not in "".join(one["answer"] for one in of_kind(game, "place"))


def test_a_list_of_methods_says_what_they_are_inherited_from(game: Sampled):
    (text,) = answers(game, "members", "game/players.py::Player")
    assert text.endswith("```python\nclass Player(PlayerMixin)\n```")


def test_a_document_that_announces_something_is_not_quoted(game: Sampled):
    assert answers(game, "module", "docs/install.md") == set()


def test_nobody_asks_who_builds_the_documents(game: Sampled):
    asked = {one["element"] for one in game.samples.values()}
    assert "docs/conf.py" not in asked
    assert answers(game, "importers", "game/players.py") == set()


def test_a_test_script_and_a_version_are_no_parts_of_the_game(game: Sampled):
    told = "\n".join(one["answer"] for one in game.samples.values())
    assert "game/version.py`\n" not in told and "`trial`" not in told


def test_a_call_that_fails_is_no_expectation(game: Sampled):
    assert answers(game, "assertion") == set()


@pytest.mark.parametrize(
    "line",
    [
        "return first, second",
        "value.level = level",
        "for part in self.parts:",
        "if value.is_level:",
    ],
)
def test_a_line_without_anything_of_its_own_is_trivial(tmp_path: Path, line: str):
    inner = "\n            print(part)" if line.endswith(":") else ""
    code = "class Parts:\n" + "".join(
        f"    def use_{n}(self, value, level, first, second):\n        pass\n"
        "        pass\n        pass\n"
        f"        {line}{inner}\n        pass\n\n"
        for n in range(8)
    )
    sampled = Sampled(tmp_path, {"a.py": code}, **ALL_IN_ENGLISH)
    assert line not in answers(sampled, "line") | answers(sampled, "body")


ERRORS = '''"""Errors of the mill."""


class Broken(Exception):
    """Something is broken. See :doc:`/concepts/broken`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.parts = list(kwargs)


class Stuck(Broken):
    """Something does not move any more."""

    def __init__(self, part):
        self.part = part
        Broken.__init__(self, part)


def grind(input_, weight=1):
    """Grind something, see above.

    :param input_: What is ground.
    """
    raise Stuck(input_)


def stop(part):
    """Stop a part of the mill."""
    return Stuck(part)
'''
MILL = {
    "setup.cfg": "[metadata]\nname = mill\n",
    "docs/grain.md": "# **Grain**\n\nWhat the mill makes looks like\n\n    flour\n\n"
    "## More\n\nThere is more.\n",
    "tasks.py": 'def publish(where):\n    """Publish the mill."""\n    print(where)\n',
    "mill/__init__.py": "",
    "mill/errors.py": ERRORS,
    **{f"mill/part_{n}.py": f"SIZE = {n}\n" for n in range(12)},
}
mill = sampled_fixture(MILL)


def test_every_claim_about_the_mill_holds(mill: Sampled):
    assert mill.audit().wrong == []


def test_a_purpose_does_not_end_with_a_pointer_elsewhere(mill: Sampled):
    (text,) = answers(mill, "explain", "mill/errors.py::Broken")
    assert "**Purpose**: Something is broken.\n" in text
    (text,) = answers(mill, "explain", "mill/errors.py::grind")
    assert "**Purpose**: Grind something, see above.\n" in text


def test_nobody_makes_an_object_of_any_arguments(mill: Sampled):
    asked = {one["element"] for one in of_kind(mill, "construct")}
    assert "mill/errors.py::Broken" not in asked


def test_a_constructor_is_not_used_by_those_who_name_it(mill: Sampled):
    (text,) = answers(mill, "written", "mill/errors.py::Broken.__init__")
    assert "**Used by**" not in text


def test_a_list_of_some_paths_is_no_list_of_modules(mill: Sampled):
    assert answers(mill, "modules") == set()


def test_a_document_is_quoted_by_whole_sentences(mill: Sampled):
    assert answers(mill, "module", "docs/grain.md") == set()


def test_a_heading_is_named_without_its_stars(mill: Sampled):
    assert answers(mill, "sections", "docs/grain.md") == {
        '`docs/grain.md` has the sections "Grain", "More".'
    }


def test_nobody_asks_for_tasks_around_the_project(mill: Sampled):
    assert not any(
        one["element"] == "tasks.py::publish" for one in mill.samples.values()
    )


def test_functions_with_nothing_in_common_but_a_suffix_have_no_plan(tmp_path: Path):
    names = ["join_lines", "sort_lines", "trim_lines", "count_lines"]
    code = f"__all__ = {names!r}\n" + "".join(
        f'\n\ndef {name}(text):\n    """Do it: {name}."""\n    return text\n'
        for name in names
    )
    files = {"shop/__init__.py": "", "shop/text.py": code}
    asked = Sampled(tmp_path, files, **ALL_IN_ENGLISH).samples
    assert not any(key.startswith("plans//") for key in asked)
