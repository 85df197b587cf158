"""What round 8 of the readings found is asked and told as people would."""

from __future__ import annotations

from pathlib import Path

from repobuild.code.facts.parse import facts_of
from repobuild.samples.text.docstring_parts import parse_docstring
from repobuild.samples.text.summary.purpose import summarise
from repobuild.truth.claims.prose_match import is_beginning
from tests.cases.sampled import (
    ALL_IN_ENGLISH,
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

CORE = '''"""Walk over trees of files."""

from abc import ABC
from enum import Enum

from walker.kinds import Kind


class Walk(ABC):
    """Walk over a tree."""

    def begin(self, root):
        """Remember where the walk begins."""
        self.root = root
        return self

    def __next__(self):
        """Return the next file of the tree, in the order of names."""
        return self.root.pop()

    def skip_all(self, names):
        found = [name for name in self.root if name not in names]
        self.root = found
        return found


class Deep(Walk, ABC):
    """Walk over a tree, the deepest folders first."""

    def skip_some(self, names):
        # Hidden folders are never walked.
        return self.skip_all([*names, ".git"])


def walk(root):
    """Return all files of a tree."""
    return Deep().begin(root)


def split(root):
    parts = root.split("/")
    return [part for part in parts if part]


if __name__ == "__main__":
    from walker.show import show_files

    print(split("a/b"))
    show_files(walk("."))
'''
SHOW = '''"""Show what was found."""


def show_files(files):
    """Print a line for each file."""
    for file in files:
        print(file)
'''
GUIDE = """# Walker

Walks over trees.

## The order of files {: #order }

Files come in the order of their names.

## Folders that are hidden {#hidden .advanced}

Hidden folders are left out.
"""
HOME = "walker/core.py::"
walker = sampled_fixture(
    {
        "walker/__init__.py": "",
        "walker/core.py": CORE,
        "walker/kinds.py": '"""Kinds of files."""\n\n\nclass Kind:\n    pass\n',
        "walker/show.py": SHOW,
        "guide.md": GUIDE,
    }
)


def test_every_claim_of_these_samples_holds(walker: Sampled) -> None:
    assert walker.audit().wrong == []


def test_code_alone_answers_only_a_question_for_code(walker: Sampled) -> None:
    id = f"{HOME}Walk.skip_all"
    assert answers(walker, "sketch", id) == set()
    (text,) = answers(walker, "written", id)
    assert "self.root = found" in text and "no docstring" in text


def test_a_method_that_is_called_by_a_word_is_asked_for_with_its_class(
    walker: Sampled,
) -> None:
    for name in ("begin", "__next__"):
        for sample in of_kind(walker, "explain", f"{HOME}Walk.{name}"):
            assert f"`Walk.{name}`" in sample["question"]


def test_a_base_from_outside_is_a_base(walker: Sampled) -> None:
    (text,) = answers(walker, "bases", f"{HOME}Deep")
    assert text == "`Deep` inherits from `Walk`. It also inherits from `ABC`."


def test_a_heading_is_asked_for_as_it_is_shown(walker: Sampled) -> None:
    (text,) = {
        one["answer"] for one in of_kind(walker, "sections") if "guide" in one["answer"]
    }
    assert '"The order of files", "Folders that are hidden"' in text
    told = [one["question"] for one in walker.samples.values()]
    assert not any("{" in one for one in told if "The order of files" in one)


def test_what_a_file_does_as_a_program_makes_it_depend_on_nothing(
    walker: Sampled,
) -> None:
    (text,) = answers(walker, "imports", "walker/core.py")
    assert text == "`walker/core.py` imports `walker/kinds.py`."
    assert answers(walker, "importers", "walker/show.py") == set()
    told = [one["answer"] for one in walker.samples.values()]
    assert not any("at its top level" in one for one in told)


def test_a_program_that_uses_what_the_module_uses_hides_nothing(tmp_path: Path) -> None:
    files = {
        "a.py": "def count(names):\n    total = len(names)\n    return total\n",
        "b.py": "from a import count\n\nSIZE = count('abc')\n\n"
        "if '__main__' == __name__:\n    from a import count\n\n    count('ab')\n"
        "else:\n    count('a')\n",
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    told = "\n".join(sampled.answers("a.py::count"))
    assert "`b.py` (at its top level)" in told
    (text,) = answers(sampled, "imports", "b.py")
    assert "`a.py`" in text


def test_a_library_that_the_manifest_forgot_is_told(tmp_path: Path) -> None:
    manifest = (
        '[project]\nname = "shop"\ndependencies = ["pandas", "requests"]\n'
        '[project.optional-dependencies]\nplots = ["seaborn"]\n'
    )
    lazy = "\n\ndef show():\n    import bokeh\n\n    return bokeh\n"
    files = {"pyproject.toml": manifest, "shop/__init__.py": "import requests\n"}
    files |= {
        f"shop/m{n}.py": f"import numpy\nimport pandas\nimport seaborn\n{lazy}"
        for n in range(3)
    }
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (text,) = answers(sampled, "technologies")
    assert "`numpy`, `pandas`, `requests`." in text.partition("\n")[0]
    assert sampled.audit().wrong == []


def test_nobody_asks_which_document_has_a_heading_that_all_have(tmp_path: Path) -> None:
    text = "# 分词\n\n## 使用示例\n\n见下文。\n\n## 自定义词典格式\n\n一行一词。\n"
    settings = {**ALL_IN_ENGLISH, "samples.languages": ["zh"]}
    sampled = Sampled(tmp_path, {"README.md": text, "a.py": "X = 1\n"}, **settings)
    told = [one["question"] for one in sampled.samples.values()]
    asked = [one for one in told if "哪个文档" in one or "哪一篇" in one]
    assert any("自定义词典格式" in one for one in asked)
    assert not any("使用示例" in one for one in asked)


def test_a_large_class_is_told_as_large(tmp_path: Path) -> None:
    methods = "".join(
        f"\n    def handle_event_number_{n}(self, event):\n"
        f"        self.seen_{n} = event\n        return event\n"
        for n in range(40)
    )
    code = f"class Handler:\n    limit = 3\n{methods}"
    sampled = Sampled(tmp_path, {"a.py": code}, **ALL_IN_ENGLISH)
    (text,) = answers(sampled, "sketch", "a.py::Handler")
    listed = text.partition("**Among its methods**: ")[2].partition("\n")[0]
    assert listed.startswith("`handle_event_number_0`") and "and others" in listed
    attributes = text.partition("**Attributes**: ")[2].partition("\n")[0]
    assert attributes.count("`seen_") == 11 and "and others" in attributes
    assert sampled.audit().wrong == []


PATHS = '''"""Find words."""

words = "data/words.txt"


class Finder:
    """Find words in a text."""

    def __init__(self, words=words, limit=3):
        self.words = words
        self.limit = limit

    def find_all(self, text):
        raise NotImplementedError
'''


def test_a_default_of_the_same_name_is_another_variable(tmp_path: Path) -> None:
    use = "from finder.core import Finder\n\nFOUND = Finder(words='a.txt', limit=2)\n"
    files = {"finder/core.py": PATHS, "finder/use.py": use, "finder/__init__.py": ""}
    sampled = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    (text,) = answers(sampled, "usage", "finder/core.py::Finder")
    assert "- `words`, default: the outer variable of this name\n" in text
    assert "- `limit`, default `3`" in text
    assert answers(sampled, "written", "finder/core.py::Finder.find_all") == set()
    assert sampled.audit().wrong == []


def test_emphasis_of_chinese_is_no_text() -> None:
    facts = facts_of("# It\n\n**它**实现了多种*模型*的纠错。\n".encode(), "markdown")
    assert facts["leads"] == ["它实现了多种模型的纠错。"]


def test_a_backslash_within_marks_stays() -> None:
    text = "Anneal, where :math:`\\eta_{max}` is the rate of `all`\\ s."
    assert summarise(text) == "Anneal, where `\\eta_{max}` is the rate of `all`s."
    assert is_beginning(summarise(text), text)


def test_what_goes_in_is_no_purpose() -> None:
    assert summarise("Input: a list of words, e.g. [1]\nOutput: a list of pairs") == ""


NUMPY = """Return prices.

Parameters
----------
step : int, optional
    Time between two prices, which is a day by default, one of the following

    - ``1``: a minute
    - ``101``: a day

kind : str
    Kind of prices
since : str
    开始日期，可选示例如下

    - ``None``: all

Returns
-------
DataFrame
    The prices
"""


def test_a_description_ends_before_the_list_that_it_announces() -> None:
    parts = parse_docstring(NUMPY)
    assert parts.parameters == {
        "step": "Time between two prices, which is a day by default",
        "kind": "Kind of prices",
        "since": "开始日期",
    }
    assert parts.returns == "The prices"
