"""A project is introduced by its own manifests and the README at its top."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import PROJECT
from repobuild.code.graph.project.introduction import find_install
from repobuild.code.scan.manifest import read
from repobuild.code.scan.setup_script import read_setup_script
from repobuild.samples.contexts.project_context import whole_sentences
from tests.cases.sampled import Sampled
from tests.code_world import World
from tests.mutants import changeable_tokens

LINE = "A line from the manifest"
MANIFEST = f'[project]\nname = "tool"\ndescription = "{LINE}"\n'
CODE = '"""Draw pictures."""\n\n\ndef draw(x):\n    """Draw a thing."""\n    return x\n'
BADGES = (
    "[![Build](https://x/b.svg)](https://x) [![PyPI][1]][2]\n"
    '<p align="center"><img src="logo.png"></p>\n\n'
)
REST_HEAD = """.. image:: https://x/b.svg
   :target: https://x

|badge| |other|

====
Tool
====

.. contents::

.. note:: This text is an admonition.

"""


def described(files: dict[str, str]) -> str:
    world = World({"tool/__init__.py": CODE, **files})
    return str(world.rows[PROJECT][""]["description"])


@pytest.mark.parametrize(
    ("readme", "text"),
    [
        ("# Tool\n\nTool draws.\n\nTool is a pen.\n", "Tool is a pen."),
        (f"# Tool\n\n{BADGES}Tool is a **fast** pen.\n", "Tool is a fast pen."),
        ("# Tool\n\nTool is [a pen](https://x).\n", "Tool is a pen."),
        ("# T\n\n> [!NOTE]\n> Read this.\n\nTool is a pen.\n", "Tool is a pen."),
        ("# Tool\n\nThis library lets you draw.\n", "This library lets you draw."),
        ("# Tool\n\nA small pen for you.\n", "A small pen for you."),
        ("# Tool\n\n## About\n\nTool is a pen.\n", "Tool is a pen."),
        (
            "# Tool\n\n在Github和码云上同步。\n\n## 用途\nTool是一个画图工具。\n",
            "Tool是一个画图工具。",
        ),
        (
            "# Tool\n\nTool is a pen.\n\nIt draws lines on paper.\n\nTry it.\n",
            "Tool is a pen. It draws lines on paper.",
        ),
        ("# Tool\n\nTool is a pen.\n\nPens are for all.\n", "Tool is a pen."),
        (
            "# Tool\n\n## 简介\n\n纸上作图费时费力，有了tool之后就不再如此。\n",
            "纸上作图费时费力，有了tool之后就不再如此。",
        ),
        ("# Tool\n\n## 简介\n\n在纸上画图从来都不是容易的事。\n", LINE),
        ("# Tool\n\n如果喜欢本项目可以在右上角给颗星！tool感谢你。\n", LINE),
        (f"# {LINE}\n\nTo draw is human, to err is not.\n", LINE),
        (
            "# Tool\n\n*Be a pen.*\n\nTool is a set of pens, including:\n\n- ink\n",
            "Tool is a set of pens.",
        ),
        # None of these introduces the project.
        ("# Tool\n\n## 简介\n\ntool文中文档较长，但大部分是概念。\n", LINE),
        ("# Tool\n\n本文介绍tool的概念，需要一些耐心。\n", LINE),
        ("# Tool\n\nTool is explained by this README in full.\n", LINE),
        ("# Tool\n\n## Installation\n\nTool is a pen.\n", LINE),
        ("# Tool\n\nDocumentation is at https://x.\n", LINE),
        ("# Tool\n\nTool is a pen which has:\n\n- ink\n", LINE),
        ("# Tool\n\nThis package is maintained by nobody.\n", LINE),
        ("# Tool\n\nIn addition to ink, tool uses paint.\n", LINE),
        ("# Tool\n\nAn alternative way is a brush.\n", LINE),
        ("# Tool\n\nThese pictures show that on paper tool is slow.\n", LINE),
        ("# Tool\n\nTool is licensed under the MIT licence.\n", LINE),
        ("# Tool\n\nA full list of changes may be found elsewhere.\n", LINE),
        ("# Tool\n\nTool is *not* a set of pens.\n", LINE),
        ("# Tool\n\nTool isn't a set of pens.\n", LINE),
        ("# Tool\n\nTool is not only a pen.\n", "Tool is not only a pen."),
        ("# Tool\n\nTool lets you draw:\n\n- ink\n\nThe package has ink.\n", LINE),
        (f"# Tool\n\n{BADGES}", LINE),
        ("", LINE),
    ],
)
def test_the_readme_describes_the_project_where_it_introduces_it(
    readme: str, text: str
) -> None:
    assert described({"pyproject.toml": MANIFEST, "README.md": readme}) == text


@pytest.mark.parametrize(
    ("readme", "text"),
    [
        (REST_HEAD + "Tool is a *fast* pen.\n", "Tool is a fast pen."),
        (REST_HEAD + "`Tool`_ is a pen_ [1]_.\n", "`Tool`_ is a pen."),
        (REST_HEAD + "* Tool is a list.\n\nTool is a pen.\n", "Tool is a pen."),
        (REST_HEAD + ":Tool is: a field\n\nTool is a pen.\n", "Tool is a pen."),
        (REST_HEAD + "  Tool is quoted.\n", LINE),
        (REST_HEAD + "Usage\n-----\n\nTool is a pen.\n", LINE),
    ],
)
def test_a_readme_in_restructuredtext_is_read(readme: str, text: str) -> None:
    assert described({"pyproject.toml": MANIFEST, "README.rst": readme}) == text


@pytest.mark.parametrize(
    ("name", "title", "lead", "is_told"),
    [
        ("cytool", "CyTool", "`tool` is a pure pen of Python.", False),
        ("flask-pen", "Flask-Pen", "Flask is a framework for the web.", False),
        ("pypen", "PyPen", "Pen is a format for drawings.", False),
        ("ink-store", "Python Client for Ink Store", "Ink Store is a shop.", False),
        ("big-ink-store", "Client for Ink Store", "Big Ink Store is a shop.", False),
        ("ink-store", "Ink Store", "Ink Store is a shop.", True),
        ("ink", "Ink: a pen for ink", "Ink is a library for drawings.", True),
        ("python-pen", "Python Pen", "Pen is a library for drawings.", True),
        ("x", "Pen - draw lines", "Pen is a library for drawings.", True),
    ],
)
def test_a_paragraph_about_another_project_does_not_introduce(
    name: str, title: str, lead: str, is_told: bool
) -> None:
    manifest = f'[project]\nname = "{name}"\ndescription = "{LINE}"\n'
    files = {"pyproject.toml": manifest, "README.md": f"# {title}\n\n{lead}\n"}
    assert (described(files) != LINE) == is_told


def test_a_package_at_the_top_of_the_tree_has_no_main_parts(tmp_path: Path) -> None:
    files = {"__init__.py": CODE, "pen.py": CODE, "ink/__init__.py": CODE}
    sampled = Sampled(tmp_path, files)
    assert not any("``" in one for one in sampled.answers(PROJECT))
    row = World(files).rows[PROJECT][""]
    assert row["key_modules"] == [] and row["architecture_style"] == ""
    assert sampled.audit().wrong == []


def test_the_manifest_of_a_part_does_not_speak_for_a_project_that_is_built() -> None:
    part = '[project]\nname = "part"\ndescription = "A part"\nlicense = "MIT"\n'
    files = {"part/pyproject.toml": part, "part/part.py": CODE, "README.md": "# Tool\n"}
    assert World(files).rows[PROJECT][""]["licence"]
    files["pyproject.toml"] = '[build-system]\nbuild-backend = "setuptools"\n'
    row = World(files).rows[PROJECT][""]
    assert row["project_name"] == "Tool" and "licence" not in row


def test_an_installation_without_dependencies_is_none_of_the_released_package() -> None:
    commands = ["pip install --no-deps tool ink", "pip install tool"]
    assert find_install("tool", commands) == "pip install tool"
    assert find_install("tool", commands[:1]) == ""


@pytest.mark.parametrize("lines", [["ink>=1", 'ink>=2; os_name=="x"'], ["ink>=1"]])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_package_that_one_line_needs_always_is_needed_always(
    tmp_path: Path, lines: list[str], is_reversed: bool
) -> None:
    ordered = lines[::-1] if is_reversed else lines
    files = {"tool/__init__.py": CODE, "pyproject.toml": MANIFEST}
    files["pyproject.toml"] += f"dependencies = {ordered}\n"
    sampled = Sampled(tmp_path, files)
    told = "To run, tool needs `ink`, as `pyproject.toml` declares."
    assert told in sampled.answers(PROJECT)
    assert sampled.audit().wrong == []


def test_no_project_is_called_after_what_any_readme_has() -> None:
    readme = "Summary\n=======\n\nA pen for everybody.\n"
    world = World({"tool/__init__.py": CODE, "README.rst": readme})
    assert world.rows[PROJECT][""]["project_name"] in ("", "tool")


def test_a_nested_readme_describes_nothing() -> None:
    nested = {"tool/README.md": "# Tool\n\nTool is nested.\n"}
    assert described({"pyproject.toml": MANIFEST, **nested}) == LINE
    assert described(nested) == ""


def test_no_sentence_is_cut() -> None:
    long = "Tool is a pen, e.g. for you. " + "It draws well. " * 40
    text = whole_sentences(long)
    assert len(text) <= 400 and text.endswith("It draws well.")
    assert whole_sentences("Tool is a " + "very " * 90 + "good pen.").endswith("pen.")
    assert whole_sentences("Tool is a pen. It has:") == "Tool is a pen."
    assert whole_sentences("Tool is a pen. See the docs.") == "Tool is a pen."


def test_restructuredtext_has_sections_as_markdown_has() -> None:
    text = "=====\nTitle\n=====\n\nWords.\n\nPart\n----\n\n"
    text += ".. x::\n\n   No\n   --\n\nOwn.\n"
    facts = facts_of(text.encode(), "restructuredtext")
    rows = [(row[0], row[2], row[3], row[10]) for row in facts["elements"]]
    assert rows == [("title", 1, 15, "Words."), ("title.part", 7, 15, "Own.")]


def test_a_setup_script_declares_by_literals() -> None:
    source = b"""from setuptools import setup
NAME = "tool"
setup(name=NAME, description="Draws", install_requires=["ink>=1"], license=read(),
      extras_require={"all": ["paint"]}, python_requires=">=3",
      entry_points={"console_scripts": ["draw=tool.cli:main"]})
"""
    found = {key: value for key, value in read_setup_script(source).items() if value}
    assert found == {
        "name": "tool",
        "description": "Draws",
        "python": ">=3",
        "kind": "python",
        "dependencies": {"ink": ">=1"},
        "extras": {"all": ["paint"]},
        "scripts": {"draw": "tool.cli:main"},
    }
    found = read_setup_script(b"import setuptools\nsetup(**read())\n")
    assert {key: value for key, value in found.items() if value} == {"kind": "python"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[tool.flit.metadata]\nmodule = "a"\nrequires = ["b"]\n', {"name": "a"}),
        ('{"name": "a", "bin": "x.js"}', {"scripts": {"a": "x.js"}}),
        ('{"devDependencies": {"b": "1"}}', {"dev": ["b"]}),
        (
            "module x.y/a\nrequire (\n\tx.y/b v1\n\tx.y/c v1 // indirect\n)\n",
            {"dependencies": {"x.y/b": "v1"}},
        ),
        (
            "<project><artifactId>a</artifactId><description>D\n e</description>"
            "</project>",
            {"name": "a", "description": "D e"},
        ),
        ('<!DOCTYPE x [<!ENTITY y "z">]><project/>', {}),
        (
            '[package]\nname = "a"\nlicense = "MIT"\n[dependencies]\n'
            'b = {version = "1", optional = true}\n',
            {"licence": "MIT", "extras": {"optional": ["b"]}},
        ),
        (
            "[metadata]\nname = a\n[options.entry_points]\nconsole_scripts =\n"
            "  Run = a:main\n",
            {"scripts": {"Run": "a:main"}},
        ),
    ],
)
def test_manifests_of_all_kinds_are_read(text: str, expected: Any) -> None:
    project = read(text.encode(), "manifest").get("project", {})
    assert {key: project.get(key) for key in expected} == expected


def test_technologies_are_other_projects_that_the_product_imports() -> None:
    lines = "".join(
        f"import {name}\n" for name in "numpy urllib2 _pytest extra tool local".split()
    )
    files = {
        "tool/a.py": lines,
        "local/b.py": "",
        "tests/test_a.py": "import pytest\n",
        "setup.py": "import distro\n",
    }
    row = World(files).rows[PROJECT][""]
    assert row["main_technologies"] == ["extra", "numpy"]
    files["pyproject.toml"] = '[project]\nname = "tool"\ndependencies = ["numpy"]\n'
    assert World(files).rows[PROJECT][""]["main_technologies"] == ["numpy"]


def test_a_distribution_with_dots_in_its_name_is_a_technology(tmp_path) -> None:
    files = {
        "tool/__init__.py": "from jaraco.functools import once\nimport numpy.linalg\n"
        "from google.cloud import storage\nfrom jaraco import text\n"
        "from tool.parts.core import *\n",
        "tool/parts.core.py": "",
        "pyproject.toml": '[project]\nname = "tool"\ndependencies = ["numpy",'
        ' "jaraco.functools", "google-cloud-storage", "tool-parts"]\n',
    }
    names = ["google.cloud.storage", "jaraco.functools", "numpy"]
    assert World(files).rows[PROJECT][""]["main_technologies"] == names
    sampled = Sampled(tmp_path, files, **{"samples.languages": ["en"]})
    told = ", ".join(f"`{name}`" for name in names)
    asked = {one["answer"] for one in sampled.samples.values()}
    assert f"Among the libraries that the code of tool imports are {told}." in asked
    assert sampled.audit().wrong == []


def test_what_developers_install_is_no_folder_of_the_same_name(tmp_path: Path) -> None:
    manifest = '[dependency-groups]\ndev = ["inks"]\n'
    files = {
        "tool/__init__.py": "import pots\nimport cups\n\ntry:\n    import inks\n"
        "except ImportError:\n    inks = None\n",
        "tool/query/inks/__init__.py": "",
        "pyproject.toml": '[project]\nname = "tool"\ndependencies = ["pots", "cups"]\n'
        + manifest,
    }
    sampled = Sampled(tmp_path, files, **{"samples.languages": ["en"]})
    assert any("require them**: `inks`" in one for one in sampled.answers(PROJECT))
    assert sampled.audit().wrong == []


def test_a_folder_far_within_a_package_is_no_project_of_its_name(tmp_path: Path):
    files = {
        f"send/src/tool/by/{name}.py": "import inkrpc\nimport pots\n" for name in "ab"
    }
    files |= {
        "send/src/tool/by/inkrpc/notes.txt": "x",
        "send/setup.cfg": "[metadata]\n",
        "pyproject.toml": '[project]\nname = "post"\ndependencies = ["pots"]\n',
    }
    sampled = Sampled(tmp_path, files, **{"samples.languages": ["en"]})
    assert any("are `inkrpc`, `pots`" in one for one in sampled.answers(PROJECT))
    assert sampled.audit().wrong == []
    false = {
        key: {**one, "answer": one["answer"].replace("`inkrpc`", "`tool`")}
        for key, one in sampled.samples.items()
        if "`inkrpc`, `pots`" in one["answer"]
    }
    assert {one.key for one in sampled.audit(false).wrong} == set(false)


@pytest.mark.parametrize(
    ("paths", "style"),
    [
        (["tool/__init__.py", "tests/__init__.py", "docs/conf.py"], "single package"),
        (["src/tool/__init__.py", "scripts/x.py"], "single package"),
        (["tool/__init__.py", "tool/part/__init__.py"], "subpackages"),
        (["tool/__init__.py", "other/__init__.py"], "packages"),
        (["tool.py", "setup.py", "test_tool.py"], "single module"),
        (["a/pyproject.toml", "b/pyproject.toml", "a/a/__init__.py"], "monorepo"),
        (["tool/__init__.py", "website/package.json"], "single package"),
    ],
)
def test_several_packages_are_only_those_of_the_product(paths: Any, style: str) -> None:
    files = {path: CODE for path in paths}
    for path in paths:
        if path.endswith("pyproject.toml"):
            files[path] = f'[project]\nname = "{path[0]}"\n'
        elif path.endswith(".json"):
            files[path] = '{"name": "website"}'
    assert World(files).rows[PROJECT][""]["architecture_style"] == style


PROJECT_FILES = {
    "README.rst": REST_HEAD + "Tool is a small pen. It draws lines.\n\n"
    "Install it::\n\n    pip install tool\n",
    "pyproject.toml": """[project]
name = "tool"
description = "Draws lines on paper for everybody"
license = "MIT"
requires-python = ">=3.11"
dependencies = ["inkpot>=1"]
[project.optional-dependencies]
colour = ["paintbox"]
[dependency-groups]
dev = ["checker"]
[project.scripts]
draw = "tool.cli:main"
""",
    "tool/__init__.py": '"""Draw lines of all kinds."""\nimport inkpot\n',
    "tool/cli.py": CODE.replace("draw(x)", "main(x)"),
    "tool/__main__.py": "from tool.cli import main\n\nmain(1)\n",
    "tests/test_cli.py": "from tool import cli\n\n\ndef test_it():\n    cli.main(1)\n",
    "docs/index.rst": "Guide\n=====\n\nHow to draw lines with it.\n",
    "part/a/package.json": '{"name": "left", "description": "The left part"}',
    "part/b/package.json": '{"name": "right"}',
}


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
    settings = {"samples.languages": ["en", "zh"]}
    return Sampled(tmp_path_factory.mktemp("project"), PROJECT_FILES, **settings)


def test_a_newcomer_is_answered(sampled: Sampled) -> None:
    answers = set(sampled.answers(PROJECT))
    assert {
        "Tool is a small pen. It draws lines.",
        "`README.rst` 中这样介绍 tool：“Tool is a small pen. It draws lines.”",
        "In a checkout of tool, run `pip install .`.",
        "`README.rst` gives this command for the published package of tool:"
        " `pip install tool`.",
        "tool installs these commands:\n- `draw` runs `tool.cli:main` (in"
        " `tool/cli.py`)\n\n**Without a script**:\n- `python -m tool` runs"
        " `tool/__main__.py`",
        "To run, tool needs `inkpot`, as `pyproject.toml` declares.\n\n**Extras**:\n"
        "- `colour`: `paintbox`\n\n**For development**: `checker`",
        "The tests of tool are in `tests`.",
        "The sources of the documentation of tool are in `docs`.",
        "tool states its licence in `pyproject.toml`: MIT.",
        "tool requires Python `>=3.11`, as `pyproject.toml` declares.",
        "The repository of tool holds 2 packages of their own, each with its"
        " manifest:\n- `left` (in `part/a`): The left part\n- `right` (in `part/b`)",
    } <= answers
    assert sampled.audit().wrong == []


@pytest.mark.parametrize(
    ("others", "is_counted"),
    [
        ({}, True),
        ({"tests/suite/main.go": "package main\n\nfunc main() {}\n"}, False),
        ({"docs/page.js": "// no code\n"}, True),
        ({"tool/page.js": "function f() { return 1; }\n"}, False),
    ],
)
def test_elements_of_several_languages_are_not_added_up(
    tmp_path: Path, others: dict[str, str], is_counted: bool
) -> None:
    files = {"pyproject.toml": MANIFEST, "tool/__init__.py": CODE, **others}
    found = Sampled(tmp_path, files).answers(PROJECT)
    assert any("functions and" in one for one in found) == is_counted


@pytest.mark.parametrize(
    ("before", "is_told"), [("", True), ("$ pip install -r requirements.txt\n", False)]
)
def test_a_command_that_needs_another_before_it_is_not_told_alone(
    tmp_path: Path, before: str, is_told: bool
) -> None:
    readme = f"# Tool\n\n```\n$ cd tool\n{before}$ python setup.py install\n```\n"
    files = {"pyproject.toml": MANIFEST, "tool/__init__.py": CODE, "README.md": readme}
    found = Sampled(tmp_path, files).answers(PROJECT)
    assert any("python setup.py install" in one for one in found) == is_told
    assert is_told or any("run `pip install .`" in one for one in found)


def test_the_name_of_a_module_is_no_purpose_of_it(tmp_path: Path) -> None:
    files = {"pyproject.toml": MANIFEST, "tool/__init__.py": CODE}
    for name in ("pen", "ink", "lid"):
        files[f"tool/{name}.py"] = f'"""Module: tool.{name}"""\n\nX = 1\n'
    found = Sampled(tmp_path, files).answers(PROJECT)
    assert not any("Module: tool" in one for one in found)


def test_what_no_script_is_installed_for_is_no_command(tmp_path: Path) -> None:
    files = {"pyproject.toml": MANIFEST, "tool/__init__.py": CODE}
    files["tool/__main__.py"] = "from tool import draw\n\ndraw(1)\n"
    assert not any(
        "python -m" in one for one in Sampled(tmp_path, files).answers(PROJECT)
    )


def test_a_false_introduction_is_noticed(sampled: Sampled) -> None:
    """Every token of every answer about the project is changed in turn."""
    tokens = 0
    mutants: dict[str, Any] = {}
    for key, one in sampled.samples.items():
        if one["element"] != PROJECT:
            continue
        answer = one["answer"]
        for _, start, end in set(changeable_tokens(answer)):
            text = answer[start:end]
            new = str(int(text) + 1) if text.isdigit() else text + "q"
            changed = {**one, "answer": answer[:start] + new + answer[end:]}
            tokens += 1
            mutants[f"{tokens} {key}"] = changed
    wrong = {w.key for w in sampled.audit(mutants).wrong}
    assert tokens > 200
    assert [m["answer"] for key, m in mutants.items() if key not in wrong] == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("`draw` runs `tool.cli:main`", "`draw` runs `tool.cli:test`"),
        ("It draws lines.", "It draws"),
        ("Tool is a small pen. It draws lines.", "It draws lines."),
        ("needs `inkpot`", "needs `paintbox`"),
        ("`colour`: `paintbox`", "`colour`: `inkpot`"),
        ("in `docs`", "in `tests`"),
        ("a monorepo of several packages, each with a manifest of its own", "layers"),
        ("(in `part/a`): The left part", "(in `part/b`): The left part"),
    ],
)
def test_a_swapped_fact_is_noticed(sampled: Sampled, before: str, after: str) -> None:
    changed = {
        key: {**one, "answer": one["answer"].replace(before, after)}
        for key, one in sampled.samples.items()
        if before in one["answer"] and one["language"] == "en"
    }
    assert changed
    assert {w.key for w in sampled.audit(changed).wrong} == set(changed)


def test_an_update_of_the_introduction_equals_a_full_build() -> None:
    world = World(PROJECT_FILES)
    changes: list[dict[str, str | None]] = [
        {"README.rst": None},
        {"README.md": "# Tool\n\nTool is new here.\n"},
        {"setup.py": "from setuptools import setup\nsetup(name='x')\n"},
        {"pyproject.toml": None, "part/b/package.json": None},
        {"tool/part/__init__.py": CODE, "test_more.py": ""},
    ]
    files: dict[str, Any] = dict(PROJECT_FILES)
    for change in changes:
        files = {k: v for k, v in {**files, **change}.items() if v is not None}
        world.put(files)
        assert world.rows[PROJECT] == World(files).rows[PROJECT]


def test_a_title_that_goes_before_a_text_gets_no_stop_of_its_own(
    tmp_path: Path,
) -> None:
    files = {"pyproject.toml": MANIFEST, "tool/__init__.py": CODE}
    for name in ("pen", "ink", "lid"):
        text = f"The {name} of pens\n\nVery experimental {name} that nobody uses yet."
        files[f"tool/{name}.py"] = f'"""{text}"""\n\nX = 1\n'
    sampled = Sampled(tmp_path, files)
    assert any(
        "`: The ink of pens\n" in one["answer"] for one in sampled.samples.values()
    )
    assert sampled.audit().wrong == []
