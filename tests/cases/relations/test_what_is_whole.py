"""Answers say all of what they tell of, or say what they leave out.

Read by outside readers in html2text, dacite and feapder: documents of tests told as the
project's, constructors with annotations for a call, sections without their code, lists
that hide one file, extras that gather others, and tags for a purpose.
"""

from __future__ import annotations

from repobuild.code.scan.file_roles import is_test_data
from repobuild.code.scan.generated import classify_content
from repobuild.code.scan.setup_script import read_setup_script
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.text.docstring_parts import parse_docstring
from tests.cases.sampled import (
    Sampled,
    answers,
    of_kind,
    sampled_fixture,
)

PAGES = '''"""Pages that are turned into text."""

from ._version import version
from .rules import Rule


class Web2Text:
    """A page on its way to text."""

    def __init__(self, width: int, base: str = "", *, rule: Rule = None) -> None:
        self.width = width
        self.base = base
        self.rule = rule

    def handle_emphasis(self, tag: str) -> str:
        """Handles various text emphases"""
        return f"*{tag}*" if self.width else f"{version}{tag}"

    def update_rules(self, names: list[str]) -> list[str]:
        """Return the rules of a page in the order of their names.

        Warning: the page has to be closed before, otherwise nothing is written.

        :param names: the names of the rules
        """
        return sorted(names)


class Sole:
    """What is plain from the first line to the last."""

    def __init__(self, size: int = 0, mark: str = "x") -> None:
        self.size = size
        self.mark = mark
'''
README = """# Pages of text

Pages are turned into text that people read.

## Pages with rules

Give a page its rules and it follows them to the end.

```python
page = Web2Text(80, rule=Rule())
page.update_rules(["a"])
```

## Pages without any rules

A page without rules is possible, too.

```python
page = Web2Text(80)
```

```python
plain = Sole(size=1, mark="a")
other = Sole(size=2, mark="b")
third = Sole(size=3, mark="c")
```
"""
EXPECTED = """# This test document is long

## Processing of empty links

This checks whether empty links still appear in what is written.
"""
FILES = {
    "pyproject.toml": '[project]\nname = "pages"\ndependencies = []\n'
    "[project.optional-dependencies]\n"
    'docs = ["sphinx"]\ntables = ["tablib[pandas]"]\nall = ["pages[docs,tables]"]\n',
    "README.md": README,
    "test/empty_links.md": EXPECTED,
    "tests/README.md": "# How the tests are run\n\nThey are run with pytest.\n",
    "pages/__init__.py": PAGES,
    "pages/_version.py": "# This file is generated. Do not edit.\nversion = '1'\n",
    "pages/rules.py": '"""Rules."""\n\n\nclass Rule:\n    """One rule of a page."""\n',
}
HOME = "pages/__init__.py::"
pages = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(pages: Sampled):
    assert pages.audit().wrong == []


def test_a_document_that_tests_read_documents_nothing(pages: Sampled):
    asked = [s["element"] for s in pages.samples.values() if "element" in s]
    told = "\n".join(s["question"] + s["answer"] for s in pages.samples.values())
    assert "empty_links.md" not in told and "empty links" not in told
    assert not any("test/empty_links.md" in one for one in asked)
    assert is_test_data("test/fixtures/a.md") and is_test_data("pkg/tests/data/b.rst")
    for path in ("tests/README.md", "docs/tests/run.md", "docs/testing.md"):
        assert not is_test_data(path)


def test_a_constructor_is_shown_as_a_call(pages: Sampled):
    (text,) = answers(pages, "construct", f"{HOME}Web2Text")
    assert 'Web2Text(width, base="", rule=None)\n' in text
    assert "- `width` (`int`)" in text and "Everything has a default" not in text
    (plain,) = answers(pages, "construct", f"{HOME}Sole")
    assert 'Sole(size=0, mark="x")' in plain and "Everything has a default." in plain


def test_a_changed_constructor_is_noticed(pages: Sampled):
    for old, new in ((", rule=None)", ")"), ('base=""', 'base="x"'), ("(width", "(w")):
        changed = {
            key: {**one, "answer": one["answer"].replace(old, new)}
            for key, one in pages.samples.items()
            if "Web2Text(width" in one["answer"] and one["task"] == "api_usage"
        }
        assert changed and pages.audit(changed).wrong


def test_a_section_has_its_code_or_is_not_asked_for(pages: Sampled):
    told = {one["element"]: one["answer"] for one in of_kind(pages, "passage")}
    (text,) = (t for one, t in told.items() if one.endswith("pages-with-rules"))
    assert text.endswith('page.update_rules(["a"])\n```')
    assert not any(one.endswith("without-any-rules") for one in told)
    wrong = {
        key: {**one, "answer": one["answer"].replace("(80, rule", "(90, rule")}
        for key, one in pages.samples.items()
        if one["answer"].endswith('(["a"])\n```') and "#code_explanation" in key
    }
    assert wrong and pages.audit(wrong).wrong


def test_an_import_that_is_not_read_is_named(pages: Sampled):
    (text,) = answers(pages, "imports", "pages/__init__.py")
    assert "others" not in text and "`pages/rules.py`." in text
    assert text.endswith("not in the repository: `._version`")
    changed = {
        key: {**one, "answer": text.replace("._version", "._built")}
        for key, one in pages.samples.items()
        if one["answer"] == text
    }
    assert changed and pages.audit(changed).wrong


def test_an_extra_that_gathers_others_names_what_they_install(pages: Sampled):
    (text,) = {t for t in answers(pages, "independent") if "Extras" in t}
    assert "- `all`: `sphinx`, `tablib[pandas]`" in text
    assert "- `tables`: `tablib[pandas]`" in text


def test_lists_of_a_setup_script_are_joined():
    source = b"""
from setuptools import setup
some = ["a"]
setup(name="x", extras_require={"some": some, "all": ["b", *some] + ["c"] + some})
"""
    assert read_setup_script(source)["extras"] == {
        "some": ["a"],
        "all": ["a", "b", "c"],
    }


def test_a_docstring_that_says_its_name_again_is_no_purpose(pages: Sampled):
    told = "\n".join(one["answer"] for one in pages.samples.values())
    assert "Handles various" not in told
    (code,) = answers(pages, "written", f"{HOME}Web2Text.handle_emphasis")
    assert "Its docstring repeats its name" in code and "return f" in code


def test_a_line_that_warns_is_quoted(pages: Sampled):
    (text,) = answers(pages, "explain", f"{HOME}Web2Text.update_rules")
    assert "**Its docstring warns**: Warning: the page has to be closed before" in text


def test_a_tag_before_the_purpose_is_not_part_of_it():
    parts = parse_docstring(
        "@summary: 获取一段时间的日期\n---------\n@param a: 开始\n---\n"
    )
    assert parts.summary == "获取一段时间的日期" and parts.parameters == {"a": "开始"}
    assert parse_docstring("@summary:\n---------\n@param a: b").summary == ""
    cases = "@summary:\n无数据： 返回()\n有数据： 返回 (data1, data2)\n"
    assert parse_docstring(cases).summary == ""
    assert parse_docstring("@summary: Request参数\n---------\n框架参数").summary == ""


def test_a_library_on_one_line_makes_a_file_minified():
    library = "!function(){" + "".join(
        f"var a{n}=function(e){{return e;}};" for n in range(200)
    )
    own = "\n".join(f"// line {n}\nwindow.rules = [{n}]" for n in range(20))
    assert classify_content(f"{library}}}();\n{own}\n".encode()) == "minified"
    assert classify_content(f"{own}\n".encode() * 9) == ""


def test_no_question_asks_for_a_method_after_its_own_model():
    for language in ("en", "zh"):
        kind = load_phrases(language).kinds["similar"]
        for question in (*kind.questions, kind.held_out):
            assert "参考 `{container}`，`{short}` 方法可以怎样写" not in question


def test_libraries_are_told_as_some_of_all():
    assert load_phrases("en").kinds["technologies"].answer.startswith("Among the")
    assert "包括" in load_phrases("zh").kinds["technologies"].answer
