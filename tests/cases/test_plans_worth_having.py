"""A plan says more than its question: what to define, and what else has to change."""

from __future__ import annotations

import ast

import pytest

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, of_kind

LINES = "\n".join(f"        total += level * {n}  # of a row" for n in range(14))


def item(name: str, is_typical: bool = True) -> str:
    """Return a class that is too long to be quoted whole."""
    unwrap = f"""

    def unwrap(self) -> str:
        return "{name.lower()}"
"""
    return f'''

class {name}(Item):
    """One {name.lower()} of a document."""

    sign = "{name[0]}"

    def __init__(self, text: str, level: int = 0) -> None:
        self.text, self.level = text, level

    @property
    def weight(self) -> int:
        level, total = self.level, 0
{LINES}
        return total

    def render(self, width: int, *, plain: bool = False) -> str:
        return self.text[:width] if plain else self.text.center(width)
{unwrap if is_typical else ""}'''


ITEMS = '''"""What documents are made of."""


class Item:
    """The base of all items."""

    def render(self, width: int, *, plain: bool = False) -> str:
        raise NotImplementedError
'''
MAKE = '''

def make(text: str) -> Item:
    """Return the item that a text is."""
    if text.startswith("#"):
        return Title(text)
    if text.startswith(">"):
        return Quotation(text)
    if text.startswith("-"):
        return Entry(text)
    return Passage(text)
'''
NAMES = ("Title", "Quotation", "Entry", "Passage")
COMMANDS = '''"""The commands."""

from .app import app
''' + "".join(
    f'\n\n@app.command()\ndef {n}(path):\n    """Do what {n} does."""\n'
    "    return path\n"
    for n in ("load", "dump", "check")
)
OPTIONS = '''"""Options."""


class Option:
    """The base of all options."""
''' + "".join(
    f'\n\nclass {n}(Option):\n    """An option."""\n\n    def __init__(self, a):\n'
    "        self.a = a\n"
    for n in ("Margin", "Edge", "Tint")
)
KINDS = '''"""Kinds of lines."""


class Border:
    """The base of all borders."""


class Shade:
    """The base of all shades."""
''' + "".join(
    f'\n\nclass {name}{base}({base}):\n    """One of them."""\n\n    width = {n}\n'
    for base in ("Border", "Shade")
    for n, name in enumerate(("Thin", "Thick", "Double"))
)
READERS = '''"""Read what was written."""


class Reader:
    """The base of all readers."""

    def read_the_whole_of_it(self, text):
        raise NotImplementedError

    def read_the_first_line_of_it(self, text):
        raise NotImplementedError
''' + "".join(
    f"""

class {name}Reader(Reader):
    def read_the_whole_of_it(self, text):
        lines = text.replace("{name}", "").split(self.sign_of_the_end_of_a_line)
        return [line.strip() for line in lines if line and not line.isspace()]

    def read_the_first_line_of_it(self, text):
        head, _, _ = text.partition(self.sign_of_the_end_of_a_line)
        return head.strip().removeprefix("{name}").removesuffix("{name}")
"""
    for name in ("Plain", "Quoted", "Folded")
)
READERS += "\n\nREADERS = [PlainReader(), QuotedReader(), FoldedReader()]\n"
FILES = {
    "leaf/readers.py": READERS,
    "docs/shades.md": "# Shades\n\n`ThinShade`, `ThickShade` and `DoubleShade`.\n",
    "leaf/kinds.py": KINDS,
    "setup.cfg": "[metadata]\nname = leaf\ndescription = Write leaves\n",
    "leaf/__init__.py": '"""Write leaves."""\n\nfrom .kinds import (\n'
    "    DoubleBorder,\n    ThickBorder,\n    ThinBorder,\n)\n\n"
    '__all__ = ["DoubleBorder", "ThickBorder", "ThinBorder"]\n',
    "leaf/items.py": ITEMS
    + "".join(map(item, NAMES))
    + item("Blank", is_typical=False)
    + MAKE,
    "leaf/app.py": '"""The application."""\n\n\nclass App:\n    """It runs."""\n\n'
    "    def command(self):\n        return lambda one: one\n\n\napp = App()\n",
    "leaf/commands.py": COMMANDS,
    "leaf/options.py": OPTIONS,
    "leaf/all.py": '"""All options."""\n\nfrom .options import Edge, Margin, Tint\n\n'
    "OPTIONS = [Edge, Margin, Tint]\n",
    "tests/test_items.py": "from leaf import items\n\n\ndef test_items():\n"
    + "".join(f"    assert items.{n}('a').text == 'a'\n" for n in (*NAMES, "Blank")),
    "tests/test_timeline.py": "from leaf import options\n\n\ndef test_timeline():\n"
    "    options.Margin(1), options.Edge(2), options.Tint(3)\n",
    "tests/test_tints.py": "from leaf import options\n\n\ndef test_tints():\n"
    "    assert options.Tint(3).a == 3\n",
}


@pytest.fixture(scope="module")
def leaf(tmp_path_factory) -> Sampled:
    return Sampled(tmp_path_factory.mktemp("leaf"), FILES, **ALL_IN_ENGLISH)


def plans_about(leaf: Sampled, family: str) -> list[str]:
    kinds = ("plan", "plan_like", "plan_need")
    every = (one for kind in kinds for one in of_kind(leaf, kind))
    return [one["answer"] for one in every if f"`{family}`" in one["question"]]


def example(plan: str) -> str:
    _, _, code = plan.partition("```python\n")
    return code.removesuffix("\n```")


def test_every_claim_of_these_samples_holds(leaf: Sampled) -> None:
    assert leaf.audit().wrong == []


def test_a_long_class_is_shown_by_the_heads_of_all_its_methods(leaf: Sampled) -> None:
    told = plans_about(leaf, "Item")
    assert told
    for text in told:
        (shown,) = ast.parse(example(text)).body
        assert isinstance(shown, ast.ClassDef)
        heads = [one.name for one in shown.body if isinstance(one, ast.FunctionDef)]
        assert heads == ["__init__", "weight", "render", "unwrap"]
        assert f"the outline of `{shown.name}`" in text
        assert "    @property\n    def weight(self) -> int: ..." in text
        assert f'    sign = "{shown.name[0]}"' in text


def test_an_outline_with_another_head_is_noticed(leaf: Sampled) -> None:
    (key, sample), *_ = (
        (key, one)
        for key, one in leaf.samples.items()
        if "the outline" in one["answer"]
    )
    changes = {
        "width: int": "width: str",
        "    @property\n": "",
        'sign = "': 'mark = "',
        "\n\n    def unwrap(self) -> str: ...": "",
    }
    for old, new in changes.items():
        answer = sample["answer"].replace(old, new)
        assert answer != sample["answer"]
        assert leaf.audit({key: {**sample, "answer": answer}}).wrong


def test_who_lacks_what_nearly_all_define_is_no_model(leaf: Sampled) -> None:
    assert "unwrap` (4 of 5)" in plans_about(leaf, "Item")[0]
    assert not any("Example**: the outline of `Blank`" in one for one in _all(leaf))
    assert not any("`Blank` as the model" in one for one in _all(leaf))


def _all(leaf: Sampled) -> list[str]:
    return [one["answer"] for one in leaf.samples.values()]


def test_a_function_that_makes_most_siblings_may_have_to_know_it(leaf: Sampled) -> None:
    told = plans_about(leaf, "Item")
    step = "See whether `make` of `leaf/items.py` has to know it, too: it names 4 of 5"
    assert told and all(step in text for text in told)


def test_what_the_base_leaves_open_is_told_once(leaf: Sampled) -> None:
    told = [one["answer"] for one in of_kind(leaf, "plan_like")]
    told = [text for text in told if "leaves open: `render`" in text]
    assert told
    for text in told:
        steps = text.partition("**Example**")[0]
        assert steps.count("`render`") == 1
        assert "defines besides: `__init__`, `weight`, `unwrap`" in steps


def test_tests_of_another_module_are_no_place_for_these(leaf: Sampled) -> None:
    told = plans_about(leaf, "Option")
    assert told
    for text in told:
        assert "Enter it in `OPTIONS` of `leaf/all.py`" in text
        assert "test_timeline" not in text


def test_nothing_is_planned_where_only_the_decorator_is_known(leaf: Sampled) -> None:
    assert not plans_about(leaf, "@app.command")


def test_one_file_that_imports_and_lists_is_one_step(leaf: Sampled) -> None:
    told = plans_about(leaf, "Border")
    assert told
    for text in told:
        step = "Import it in `leaf/__init__.py` and list it in its `__all__`, as all 3"
        assert step in text
        assert "(as in" not in text.partition("**Example**")[0]


def test_documents_alone_are_no_reason_for_a_plan(leaf: Sampled) -> None:
    assert not plans_about(leaf, "Shade")


def test_a_model_that_there_is_no_room_for_is_shown_by_its_outline(leaf: Sampled):
    told = [one for one in plans_about(leaf, "Reader") if "leaves open" in one]
    assert told
    for text in told:
        assert "Enter it in `READERS` of `leaf/readers.py`, which holds all 3" in text
        (shown,) = ast.parse(example(text)).body
        assert isinstance(shown, ast.ClassDef) and len(text) <= 980
