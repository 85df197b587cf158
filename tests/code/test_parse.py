"""The facts of one file: elements as `ast` sees them, and the reason for gaps."""

from __future__ import annotations

import ast
import json
import random
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import pytest

from repobuild.code.facts.bounded_parse import blank_comment_lines
from repobuild.code.facts.element import CodeElement, code_of, element, elements, quals
from repobuild.code.facts.element_row import parameter_name, row_of
from repobuild.code.facts.parse import facts, facts_of
from repobuild.code.facts.python.looked_up import looked_up_names
from tests import agreement
from tests.agreement import Difference, Tally, compare, radon

LIBRARY = Path(sysconfig.get_path("stdlib"))
# Varied and quick: dataclasses, overloads, decorators, nested classes, long signatures.
SAMPLE = (
    "argparse.py ast.py asyncio/tasks.py collections/__init__.py contextlib.py"
    " dataclasses.py enum.py functools.py inspect.py json/decoder.py"
    " logging/__init__.py os.py subprocess.py traceback.py typing.py unittest/mock.py"
    " test/test_patma.py"
).split()
# radon 6 does not know `except*`.
EXCEPT_STAR = {"test/test_except_star.py", "test/test_asyncio/test_taskgroups.py"}
WRONG = {
    "qualified_name": "g",
    "type": "section",
    "start_line": 9,
    "first_line": 9,
    "end_line": 9,
    "parameters": [],
    "return_type": "int",
    "decorators": ["e"],
    "bases": ["C"],
    "is_async": True,
    "signature": "def f()",
    "docstring": "other",
    "complexity": 7,
}


def read(text: str, language: str = "python") -> dict[str, Any]:
    return facts_of(text.encode(), language)


def one(text: str, qual: str) -> CodeElement:
    found = element(read(text), qual, "a.py")
    assert found is not None
    return found


# ------------------------------------------------------------- agreement with ast


def _library() -> list[Path]:
    """Return the standard library's files, tests and all, in a fixed shuffled order."""
    paths = sorted(LIBRARY.rglob("*.py"))
    own = [path for path in paths if "site-packages" not in path.parts]
    random.Random(4).shuffle(own)
    return own


def disagreements(paths: list[Path]) -> list[Difference]:
    whole = Tally()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in what is read
        for path in paths:
            blob = path.read_bytes()
            whole.add(compare(str(path.relative_to(LIBRARY)), blob, radon))
    assert whole.elements > 500
    # test_compile.py: the grammar takes a dedent within brackets for the block's end.
    return [
        found
        for found in whole.differences
        if found.path != "test/test_compile.py"
        and (found.field != "complexity" or found.path not in EXCEPT_STAR)
    ]


def test_elements_agree_with_ast_and_radon() -> None:
    assert disagreements([LIBRARY / name for name in SAMPLE]) == []


def test_elements_of_a_hundred_and_fifty_files_agree() -> None:
    assert disagreements(_library()[:150]) == []


@pytest.mark.slow
def test_elements_of_the_whole_standard_library_agree() -> None:
    assert disagreements(_library()) == []


def test_a_wrong_fact_is_reported_as_a_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = b"class A(B):\n  @d\n  def f(self, *, x: int = 1) -> str:\n    'doc'\n"
    right = agreement.elements

    def wrong(facts: Any, path: str) -> Iterator[CodeElement]:
        for found in right(facts, path):
            yield replace(found, **changes)

    monkeypatch.setattr(agreement, "elements", wrong)
    for name, value in WRONG.items():
        changes: dict[str, Any] = {name: value}
        assert compare("a.py", text, radon).right < 2, name


# --------------------------------------------------------------------- elements


def test_nested_and_repeated_names_are_distinct() -> None:
    text = "def f():\n  def g(): pass\ndef f():\n  def g(): pass\nclass A:\n  x = 1\n"
    assert quals(read(text)) == ["f", "f.g", "f#2", "f#2.g", "A"]


def test_code_is_quoted_with_decorators_and_without_its_indentation() -> None:
    text = (
        "class A:\n    @d\n    def f(self):\n"
        "        return '''\n x'''  # why\n\nx = 1\n"
    )
    found = one(text, "A.f")
    assert code_of(text.encode(), found) == (
        "@d\ndef f(self):\n    return '''\n x'''  # why"
    )
    assert (found.first_line, found.start_line, found.end_line) == (2, 3, 5)


def test_code_of_a_file_with_a_byte_order_mark_and_carriage_returns() -> None:
    blob = b"\xef\xbb\xbfdef f():\r\n    pass\r\ndef g(): pass\r\n"
    found = element(facts_of(blob, "python"), "f", "a.py")
    assert found is not None
    assert code_of(blob, found) == "def f():\n    pass"


def test_a_comment_after_a_function_is_not_part_of_it() -> None:
    found = one("def f():\n    pass\n    # after\n# more\n\nx = 1\n", "f")
    assert found.end_line == 2


def test_calls_are_chains_with_their_lines() -> None:
    text = "def f():\n  a.b()\n  super().c()\n  x[0].d()\n  a.b()\n  (p or q)()\n"
    assert one(text, "f").calls == [
        ("a.b", [2, 5]),
        ("super().c", [3]),
        ("super", [3]),
        ("x[].d", [4]),
        ("?", [6]),
    ]


def test_imports_and_dependencies_of_an_element() -> None:
    text = (
        "import os\nfrom a.b import C as D\ndef h(): pass\n"
        "def f(x: D) -> int:\n  os.path.join()\n  h()\n  x.go()\n"
    )
    found = one(text, "f")
    assert found.imports == ["a.b", "os"]
    assert found.dependencies == ["D", "h", "os.path.join"]


def test_the_keywords_of_an_element() -> None:
    text = 'def parseHTTPHeader():\n  """Read the response headers."""\n'
    assert one(text, "parseHTTPHeader").business_context == (
        "parse, http, header, read, response, headers"
    )


@pytest.mark.parametrize(
    ("body", "complexity"),
    [
        ("pass", 1),
        ("if a: pass\n elif b: pass\n else: pass", 3),
        ("for x in y: pass\n else: pass", 3),
        ("while a and b or c: pass", 4),
        ("try: pass\n except A: pass\n except B: pass\n else: pass", 4),
        ("return [x for x in y if x if z]", 4),
        ("return a if b else c", 2),
        ("assert a and b", 2),
        ("with a: pass", 1),
        ("match a:\n  case 1: pass\n  case None: pass\n  case _: pass", 3),
        ("match a:\n  case x,: pass", 2),
        ("match a:\n  case (x): pass", 1),
        ("match a:\n  case x, y: pass", 2),
        ("match a:\n  case x if x: pass\n  case _: pass", 2),
        ("match a:\n  case 1:\n   match b:\n    case _: pass\n  case _: pass", 2),
        ("try: pass\n except* A: pass\n except* B: pass", 3),
        ("def g():\n  if a: pass", 1),
        ("return lambda: a or b", 2),
    ],
)
def test_complexity_is_that_of_radon(body: str, complexity: int) -> None:
    assert one(f"def f():\n {body}\n", "f").complexity == complexity


def test_complexity_of_a_class_is_its_methods() -> None:
    text = "class A:\n def f(self):\n  if a: pass\n def g(self): pass\n"
    assert one(text, "A").complexity == 4


@pytest.mark.parametrize(
    "text",
    [
        '"""plain"""',
        "'single'",
        'r"raw \\d"',
        '"a" "b"',
        '("in brackets")',
        '"""\n    first\n      more\n\n    last\n    """',
        '"tab\\tescape\\n  x"',
        'b"bytes"',
        'f"no {x}"',
        '"x" + "y"',
        'u"old"',
        '"""ends in a quote \\""""',
        '"\\ud800"',
    ],
)
def test_docstrings_are_those_of_ast(text: str) -> None:
    source = f"def f():\n    # first\n    {text}\n    pass\n"
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    expected = ast.get_docstring(node) or ""
    found = one(source, "f").docstring
    assert found == expected.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("end", ["", "  # type: ignore[override]", "\n"])
def test_a_stub_is_one_with_a_comment_behind_it(end: str) -> None:
    def flags(body: str) -> str:
        row = read(f"def arity(self) -> int:{body}{end}")
        return row_of(row["elements"][0]).flags

    assert "s" in flags(" ...")
    assert "s" not in flags("\n    return 2")


# ---------------------------------------------------------------------- trouble


def test_a_syntax_error_keeps_the_sound_parts() -> None:
    row = read("def f(): pass\n\ndef (:\n\ndef g(): pass\n")
    assert row["problem"] == "syntax error in line 3"
    assert {"f", "g"} <= set(quals(row))


def test_an_empty_file_is_no_problem() -> None:
    assert read("") == {"language": "python", "lines": 0}


@pytest.mark.parametrize(
    ("blob", "problem"),
    [
        (b"x = 1\n" * 300_000, "1,800,000 bytes"),
        (b"\x7fELF\0\0", "binary"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "LFS"),
    ],
)
def test_what_cannot_be_analysed_is_reported_and_skipped(
    blob: bytes, problem: str
) -> None:
    row = facts_of(blob, "python")
    assert problem in row["problem"]
    assert "elements" not in row


def test_a_file_that_is_not_utf8_is_read_and_reported() -> None:
    row = facts_of(b"def f():\n    '''caf\xe9'''\n", "python")
    assert "latin-1" in row["problem"]
    assert element(row, "f", "").docstring == "caf\xe9"  # type: ignore[union-attr]


def test_a_coding_cookie_is_honoured() -> None:
    blob = "# -*- coding: koi8-r -*-\ndef f():\n    '''привет'''\n".encode("koi8-r")
    row = facts_of(blob, "python")
    found = element(row, "f", "")
    assert "problem" not in row
    assert found is not None and found.docstring == "привет"
    assert code_of(blob, found).endswith("'''привет'''")


@pytest.mark.parametrize("cookie", ["no-such-codec", "rot13", "zlib", "idna", "utf-16"])
def test_an_odd_coding_cookie_does_no_harm(cookie: str) -> None:
    row = facts_of(f"# coding: {cookie}\ndef f(): 'é'\n".encode(), "python")
    assert "language" in row


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 50_000 + "1" + ")" * 50_000 + "\n",
        "x = " + "[" * 100_000,
        "f" + "()" * 50_000 + "\n",
        "x" + ".y" * 50_000 + "()\n",
        "x = " + "-" * 100_000 + "1\n",
        "".join(" " * depth + "def f():\n" for depth in range(1_000))
        + " " * 1_000
        + "1",
        "def f():\n    " + "'a' " * 20_000 + "\n",
        "def f():\n    " + "(" * 5_000 + "'a'" + ")" * 5_000 + "\n",
        "@" * 10_000,
        "def f(a=" * 5_000,
        "f'{" * 3_000,
        "\\\n" * 10_000 + "x",
        "class A(" + "B[" * 5_000 + "]" * 5_000 + "): pass\n",
    ],
    ids=range(13),
)
def test_deep_and_odd_nesting_ends(text: str) -> None:
    assert msgpack.packb(read(text))


def test_cut_at_every_byte_a_file_still_has_facts() -> None:
    text = (
        "# coding: utf-8\n@d(1)\nclass A(B, metaclass=M):\n    '''é'''\n"
        "    async def f(self, a: int = 1, /, *b, c, **d) -> 'X':\n"
        "        with x() as (y, z): self.q = [w for w in f'{y!r}']\n"
        "from . import (a as b, c)\n__all__ = ['x'] + ['y']\n"
    ).encode()
    for end in range(len(text)):
        assert msgpack.packb(facts_of(text[:end], "python"))


class Blobs:
    """A scope of one blob."""

    settings = {"project.max_file_bytes": 10}

    def blob(self, blob_id: str) -> bytes:
        return {"aa": b"x = 1\n", "bb": b"x = 1\n" * 2}[blob_id]


def test_the_map_reads_the_blob_it_is_given() -> None:
    scope: Any = Blobs()
    assert facts({"blob": "aa", "language": "python"}, scope)["lines"] == 1
    assert "problem" in facts({"blob": "bb", "language": "python"}, scope)
    assert facts({"blob": "aa", "language": ""}, scope) == {"language": ""}


# -------------------------------------------------------------- documents, manifests

GUIDE = """\
# The *Tool*

[![badge](x)](y)

It does [things](http://x).
More of it.

## Install it

```sh
# no heading
```

Run this.

## Use

Sub
---

## Use
"""


def test_a_document_has_a_section_for_each_heading() -> None:
    row = read(GUIDE, "markdown")
    assert row["doc"] == "It does things. More of it."
    found = {entry.qualified_name: entry for entry in elements(row, "README.md")}
    assert list(found) == [
        "the-tool",
        "the-tool.install-it",
        "the-tool.use",
        "the-tool.sub",
        "the-tool.use#2",
    ]
    install = found["the-tool.install-it"]
    assert (install.start_line, install.end_line) == (8, 14)
    assert install.docstring == "Run this."
    assert code_of(GUIDE.encode(), install).endswith("Run this.")
    assert found["the-tool"].end_line == 21


@pytest.mark.parametrize(
    "text", ["", "text\n", "#\n", "\n\n# A", "# A\n# A\n", "- # x"]
)
def test_odd_documents_have_facts(text: str) -> None:
    assert read(text, "markdown")["language"] == "markdown"


@pytest.mark.parametrize(
    ("text", "project"),
    [
        (
            '[project]\nname = "n"\nversion = "1"\ndescription = "d"\n'
            'dependencies = ["b>=2,<3", "a[x]==1 ; os_name > \'3\'", "c @ git+x"]\n',
            {
                "name": "n",
                "description": "d",
                "version": "1",
                "dependencies": {"a": '==1; os_name > "3"', "b": ">=2,<3", "c": ""},
            },
        ),
        (
            '[tool.poetry]\nname = "n"\n[tool.poetry.dependencies]\na = "^1"\n'
            'b = {version = "2"}\n',
            {"name": "n", "dependencies": {"a": "^1", "b": "2"}},
        ),
        (
            "[metadata]\nname = n\n[options]\ninstall_requires =\n  a>=1\n  b\n",
            {"name": "n", "dependencies": {"a": ">=1", "b": ""}},
        ),
        ("a==1\n# c\n-r other\nb\n", {"dependencies": {"a": "==1", "b": ""}}),
        (
            json.dumps({"name": "n", "dependencies": {"x": "^1"}}),
            {"name": "n", "dependencies": {"x": "^1"}},
        ),
    ],
)
def test_a_manifest_lists_the_dependencies(text: str, project: dict[str, Any]) -> None:
    found = read(text, "manifest")["project"]
    assert {key: found.get(key) for key in project} == project


@pytest.mark.parametrize("text", ["{", "[a\n", "[a]\nb\n= c", "{" + "[" * 10_000, "[]"])
def test_an_unreadable_manifest_is_reported(text: str) -> None:
    row = read(text, "manifest")
    assert row["language"] == "manifest"


def test_a_name_in_an_import_with_comments_is_no_read():
    found = read(
        "from shop import (  # all of it\n    Order,\n    Part,\n)\n\nKINDS = [Part]\n"
    )
    assert found["reads"] == ["Part"]


@pytest.mark.parametrize("offset", range(0, 41, 3))
def test_a_run_of_comment_lines_is_found_wherever_it_begins(offset):
    run = b"# note\n   # note\n\n\t\n" * 25
    source = b"x = 1\n" * offset + run + b"y = 2\n"
    text, hidden = blank_comment_lines(source)
    assert len(hidden) == 50 and b"note" not in text and len(text) == len(source)
    text, hidden = blank_comment_lines(source.replace(run, run[:-8] + b"z = 3\n"))
    assert not hidden


def test_a_name_that_ends_like_a_look_up_is_none():
    looked_up = b"getattr(x, 'one')\nattrgetter('two')\nhasattr(x.y, \"three\")\n"
    assert looked_up_names(looked_up, []) == ["one", "three", "two"]
    assert looked_up_names(b"my" + looked_up[:17], []) == []
    names = b"f(['four', {'five': 'a.six'}])\n"
    assert looked_up_names(b"import_module(n)\n" + names, []) == ["four", "six"]
    assert looked_up_names(b"my_import_module(n)\n" + names, []) == []


def test_the_stars_of_a_parameter_may_stand_apart_from_its_name() -> None:
    source = b"def f(a, * b, **\n      c): ...\n"
    (element,) = facts_of(source, "python")["elements"]
    names = [parameter_name(one) for one in row_of(element).parameters]
    assert names == ["a", "b", "c"]
