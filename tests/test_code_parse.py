"""What one file says: elements as `ast` sees them, and a reason when it says less."""

from __future__ import annotations

import ast
import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest

from repobuild.code.element import CodeElement, code_of, element, elements, quals
from repobuild.code.parse import facts, facts_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
LIBRARY = Path(sysconfig.get_path("stdlib"))
# Varied and quick: dataclasses, overloads, decorators, nested classes, long signatures.
SAMPLE = (
    "argparse.py ast.py asyncio/tasks.py collections/__init__.py contextlib.py"
    " dataclasses.py enum.py functools.py inspect.py json/decoder.py"
    " logging/__init__.py os.py subprocess.py traceback.py typing.py unittest/mock.py"
).split()


def read(text: str, language: str = "python") -> dict[str, Any]:
    return facts_of(text.encode(), language)


def one(text: str, qual: str) -> CodeElement:
    found = element(read(text), qual, "a.py")
    assert found is not None
    return found


# ------------------------------------------------------------- agreement with ast


def _definitions(
    node: ast.AST, outer: str, in_class: bool, seen: dict[str, int]
) -> Iterator[tuple[str, bool, Function | ast.ClassDef]]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef):
            yield from _definitions(child, outer, in_class, seen)
            continue
        qual = outer + child.name
        seen[qual] = seen.get(qual, 0) + 1
        if seen[qual] > 1:
            qual += f"#{seen[qual]}"
        yield qual, in_class, child
        inner = isinstance(child, ast.ClassDef)
        yield from _definitions(child, qual + ".", inner, seen)


def _same(node: ast.expr | None, text: str) -> bool:
    if node is None:
        return text == ""
    for wrapped in (f"({text})", f"f({text})"):  # a starred annotation needs a call
        try:
            made = ast.parse(wrapped, mode="eval").body
        except SyntaxError:
            continue
        if wrapped[0] == "f" and isinstance(made, ast.Call):
            made = made.args[0]
        if ast.dump(made) == ast.dump(node):
            return True
    return False


def _parameters(given: ast.arguments) -> Iterator[tuple[str, str, Any, Any]]:
    plain = given.posonlyargs + given.args
    without = len(plain) - len(given.defaults)
    for place, arg in enumerate(plain):
        only = place < len(given.posonlyargs)
        kind = "positional_only" if only else "positional_or_keyword"
        default = given.defaults[place - without] if place >= without else None
        yield arg.arg, kind, arg.annotation, default
    if given.vararg:
        yield given.vararg.arg, "var_positional", given.vararg.annotation, None
    for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield arg.arg, "keyword_only", arg.annotation, value
    if given.kwarg:
        yield given.kwarg.arg, "var_keyword", given.kwarg.annotation, None


def _check(
    found: CodeElement, in_class: bool, node: Function | ast.ClassDef
) -> Iterator[str]:
    """Yield what the element and the node disagree on."""
    is_class = isinstance(node, ast.ClassDef)
    kind = "class" if is_class else "method" if in_class else "function"
    lines = (found.start_line, found.end_line)
    if found.type != kind:
        yield "type"
    if lines != (node.lineno, node.end_lineno):
        yield "lines"
    if found.docstring != (ast.get_docstring(node) or ""):
        yield "docstring"
    if node.decorator_list and found.first_line != node.decorator_list[0].lineno:
        yield "first line"
    pairs = [(node.decorator_list, found.decorators)]
    if isinstance(node, ast.ClassDef):
        pairs.append((node.bases, found.bases))
    for nodes, texts in pairs:
        if len(nodes) != len(texts) or not all(map(_same, nodes, texts)):
            yield "decorators or bases"
    if isinstance(node, Function):
        yield from _check_function(found, node)


def _check_function(found: CodeElement, node: Function) -> Iterator[str]:
    expected = list(_parameters(node.args))
    if len(expected) != len(found.parameters):
        yield "parameters"
        return
    for (name, kind, annotation, default), given in zip(
        expected, found.parameters, strict=True
    ):
        if (name, kind) != (given["name"], given["kind"]):
            yield f"parameter {name}"
        if not _same(annotation, given["type"]) or not _same(default, given["default"]):
            yield f"type or default of {name}"
    if not _same(node.returns, found.return_type):
        yield "return type"
    if found.is_async != isinstance(node, ast.AsyncFunctionDef):
        yield "async"
    made = ast.parse(found.signature + ": pass").body[0]
    assert isinstance(made, Function)
    if ast.dump(made.args) != ast.dump(node.args):
        yield "signature"


def disagreements(path: Path) -> list[tuple[str, str]]:
    blob = path.read_bytes()
    tree = ast.parse(blob)
    said = facts_of(blob, "python")
    got = {found.qualified_name: found for found in elements(said, path.name)}
    wrong = []
    if said.get("doc", "") != (ast.get_docstring(tree) or ""):
        wrong.append(("", "docstring"))
    for qual, in_class, node in _definitions(tree, "", False, {}):
        found = got.pop(qual, None)
        problems = ["missing"] if found is None else _check(found, in_class, node)
        wrong += [(qual, problem) for problem in problems]
    return wrong + [(qual, "extra") for qual in got]


@pytest.mark.parametrize("name", SAMPLE)
def test_elements_agree_with_ast(name: str) -> None:
    assert disagreements(LIBRARY / name) == []


@pytest.mark.slow
def test_elements_agree_with_ast_on_the_whole_standard_library() -> None:
    # test_compile.py: the grammar takes a dedent within brackets for the block's end.
    wrong = {}
    for path in sorted(LIBRARY.rglob("*.py")):
        if "site-packages" in path.parts or path.name == "test_compile.py":
            continue
        try:
            ast.parse(path.read_bytes())
        except (SyntaxError, ValueError):
            continue
        if found := disagreements(path):
            wrong[str(path)] = found
    assert wrong == {}


# --------------------------------------------------------------------- elements


def test_nested_and_repeated_names_are_told_apart() -> None:
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


def test_code_of_a_file_with_a_mark_and_carriage_returns() -> None:
    blob = b"\xef\xbb\xbfdef f():\r\n    pass\r\ndef g(): pass\r\n"
    found = element(facts_of(blob, "python"), "f", "a.py")
    assert found is not None
    assert code_of(blob, found) == "def f():\n    pass"


def test_a_comment_after_a_function_is_not_its_own() -> None:
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


def test_the_words_of_an_element() -> None:
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


# ---------------------------------------------------------------------- trouble


def test_a_syntax_error_leaves_the_sound_parts() -> None:
    said = read("def f(): pass\n\ndef (:\n\ndef g(): pass\n")
    assert said["problem"] == "syntax error in line 3"
    assert {"f", "g"} <= set(quals(said))


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
    said = facts_of(blob, "python")
    assert problem in said["problem"]
    assert "elements" not in said


def test_a_file_that_is_not_utf8_is_read_and_reported() -> None:
    said = facts_of(b"def f():\n    '''caf\xe9'''\n", "python")
    assert "latin-1" in said["problem"]
    assert element(said, "f", "").docstring == "caf\xe9"  # type: ignore[union-attr]


def test_a_coding_cookie_is_honoured() -> None:
    blob = "# -*- coding: koi8-r -*-\ndef f():\n    '''привет'''\n".encode("koi8-r")
    said = facts_of(blob, "python")
    found = element(said, "f", "")
    assert "problem" not in said
    assert found is not None and found.docstring == "привет"
    assert code_of(blob, found).endswith("'''привет'''")


@pytest.mark.parametrize("cookie", ["no-such-codec", "rot13", "zlib", "idna", "utf-16"])
def test_an_odd_coding_cookie_does_no_harm(cookie: str) -> None:
    said = facts_of(f"# coding: {cookie}\ndef f(): 'é'\n".encode(), "python")
    assert "language" in said


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
    said = read(GUIDE, "markdown")
    assert said["doc"] == "It does things. More of it."
    found = {entry.qualified_name: entry for entry in elements(said, "README.md")}
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
                "dependencies": {"a": "==1", "b": ">=2,<3", "c": ""},
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
def test_a_manifest_says_what_the_project_needs(
    text: str, project: dict[str, Any]
) -> None:
    assert read(text, "manifest")["project"] == project


@pytest.mark.parametrize("text", ["{", "[a\n", "[a]\nb\n= c", "{" + "[" * 10_000, "[]"])
def test_an_unreadable_manifest_is_reported(text: str) -> None:
    said = read(text, "manifest")
    assert said["language"] == "manifest"
