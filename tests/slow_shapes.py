"""Sources of any size in shapes that made a reader slow, for each language.

A shape is a unit of text that is repeated up to a size, between a head and a tail. In
the unit `{i}` is the number of the repetition, `{j}` the next, `{p}` the previous one.
Generated sources, amalgamations and hostile files have these shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to fill a file."""

    unit: str
    head: str = ""
    tail: str = ""
    limit: int = 0  # bytes; a larger file has this size, where more is no valid use

    def text(self, size: int) -> str:
        """Return a source of about `size` bytes."""
        size = min(size, self.limit or size)
        if "{" not in self.unit.replace("{{", ""):
            unit = self.unit.replace("{{", "{").replace("}}", "}")
            return self.head + unit * max(1, size // len(unit)) + self.tail
        parts, length = [], 0
        for i in count():
            if length >= size:
                break
            parts.append(self.unit.format(i=i, j=i + 1, p=i - 1))
            length += len(parts[-1])
        return self.head + "".join(parts) + self.tail


PYTHON = {
    "functions": Shape('def f{i}(a, b=1):\n    """Do it."""\n    return a\n\n'),
    "calling functions": Shape("def f{i}(a):\n    return f{j}(a)\n\n"),
    "ring of calls": Shape(
        'def f{i}(a):\n    """Do."""\n    return f{j}(a)\n\n',
        tail="def last():\n    return f0(1)\n",
    ),
    "one name": Shape("def f(a):\n    return a\n\n"),
    "one name called": Shape("def f(a):\n    return f(a)\n\n"),
    "chain of classes": Shape(
        "class C{i}(C{p}):\n    def m(self):\n        return self.m()\n\n"
    ),
    "methods": Shape(
        "    def m{i}(self):\n        return self.m{j}()\n\n", head="class C:\n"
    ),
    "assignments": Shape("x{i} = f{i}(1)\n", head="def f0(a):\n    return a\n\n"),
    "chain of assignments": Shape("x{j} = x{i}\n", head="x0 = f\n"),
    "assignments of one name": Shape(
        "x = f{i}(x)\n", head="def f0(a):\n    return a\n\n"
    ),
    "local assignments": Shape(
        "    x = f{i}(x)\n    y{i} = x.run()\n",
        head="def f0(x):\n    pass\ndef g(x):\n",
    ),
    "attributes": Shape(
        "        self.a{i} = f{i}()\n        self.a{i}.run()\n",
        head="class C:\n    def __init__(self):\n",
    ),
    "imports": Shape("from m{i} import a as b{i}\n"),
    "one import": Shape("a{i}, ", head="from m import (", tail=")\n"),
    "star imports": Shape(
        "from m{i} import *\n", tail="\n\ndef g():\n    return h()\n"
    ),
    "calls in a function": Shape("    f{i}(f{i}, x=1)\n", head="def g():\n"),
    "own calls in a function": Shape("    g()\n", head="def g():\n"),
    "arguments": Shape("f(1),\n", head="x = g(", tail=")\n"),
    "chain of calls": Shape("(\n1)", head="x = (f", tail=")\n"),
    "chain of methods": Shape(".m(1)\n", head="x = (f", tail=")\n"),
    "chain of attributes": Shape(".m", head="x = f", tail="()\n"),
    "chain of subscripts": Shape("[1]", head="x = f", tail="()\n"),
    "nested calls": Shape("f(\n", tail="1\n"),
    "closed calls": Shape("f(", tail="1" + ")" * 5000 + "\n", limit=10_000),
    "decorators": Shape("@d{i}(1)\n", tail="def f():\n    pass\n"),
    "parameters": Shape("a{i}: int = 1, ", head="def f(", tail="):\n    pass\n"),
    "comments behind": Shape(
        "    # step {i} of the old way is kept here\n",
        head='def f(a):\n    """Do it."""\n    return a\n',
    ),
    "comments before": Shape(
        "# step {i} of the old way is kept here\n",
        tail='def f(a):\n    """Do it."""\n    return a\n',
    ),
    "comments within": Shape(
        "    # step {i} of the old way is kept here\n",
        head="def f(a):\n",
        tail="    return a\n",
    ),
    "functions and comments": Shape(
        "def f{i}(a):\n    return a\n    # old\n    # older\n\n"
    ),
    "comments in brackets": Shape("# c\n", head="x = [\n", tail="]\n"),
    "blank lines": Shape("\n", head="def f():\n    return 1\n", tail="x = 1\n"),
    "blanks": Shape(" ", head="x =", tail="1\n"),
    "backslashes": Shape("\\\n", head="x =", tail="1\n"),
    "numbers": Shape("1,\n", head="x = [", tail="]\n"),
    "mapping": Shape("    'k{i}': f{i},\n", head="x = {\n", tail="}\n"),
    "sum": Shape("a +\n", head="x = (", tail="a)\n"),
    "conjunction": Shape("a and\n", head="x = (", tail="a)\n"),
    "comparisons": Shape("a < ", head="x = ", tail="a\n"),
    "negations": Shape("not ", head="x = ", tail="a\n"),
    "alternatives": Shape("a if b else ", head="x = ", tail="a\n"),
    "lambdas": Shape("lambda:\n", head="x = (", tail="a)\n"),
    "elif": Shape(
        "    elif a == {i}:\n        f{i}()\n",
        head="def g(a):\n    if a:\n        pass\n",
    ),
    "cases": Shape(
        "        case {i}:\n            f{i}()\n", head="def g(a):\n    match a:\n"
    ),
    "docstring of Args": Shape(
        "    Args:\n",
        head='def f(a):\n    """Do it.\n\n',
        tail='    """\n    return a\n',
    ),
    "docstring of parameters": Shape(
        "        a{i}: The {i}.\n",
        head='def f(a):\n    """Do it.\n\n    Args:\n',
        tail='    """\n    return a\n',
    ),
    "docstring of headings": Shape(
        "    Returns\n    -------\n    int\n",
        head='def f(a):\n    """Do it.\n\n',
        tail='    """\n    return a\n',
    ),
    "docstring of fields": Shape(
        "    :param a{i}: the {i}\n",
        head='def f(a):\n    """Do it.\n\n',
        tail='    """\n    return a\n',
    ),
    "docstring of examples": Shape(
        "    >>> f({i})\n    {i}\n",
        head='def f(a):\n    """Do it.\n\n',
        tail='    """\n    return a\n',
    ),
    "docstring of backticks": Shape(
        "`", head='def f(a):\n    """Do ', tail='"""\n    return a\n'
    ),
    "docstring of words": Shape(
        "word ", head='def f(a):\n    """Do ', tail='"""\n    return a\n'
    ),
    "docstring of colons": Shape(
        "a:b: ", head='def f(a):\n    """Do ', tail='"""\n    return a\n'
    ),
    "docstring of brackets": Shape(
        "[x ", head='def f(a):\n    """Do ', tail='"""\n    return a\n'
    ),
    "docstring of blanks": Shape(
        " ", head='def f(a):\n    """Do ', tail='.x"""\n    return a\n'
    ),
    "docstring of blank lines": Shape(
        "\n", head='def f(a):\n    """Do ', tail='.x"""\n    return a\n'
    ),
    "docstring of dots": Shape(
        ".", head='def f(a):\n    """Do ', tail='"""\n    return a\n'
    ),
    "strings": Shape("'a' ", head="x = (", tail=")\n"),
    "format strings": Shape("f'{{a}}' ", head="x = (", tail=")\n"),
    "unclosed string": Shape("word ", head='x = """'),
    "unclosed quote": Shape("word ", head='x = "'),
    "unclosed quotes": Shape('x = "\n'),
    "unclosed brackets": Shape("[\n"),
    "unclosed braces": Shape("{{\n"),
    "comments and brackets": Shape("[\n", head="# old\n" * 300, limit=900_000),
    "closing brackets": Shape(")"),
    "unclosed definitions": Shape("def f(\n"),
    "broken lines": Shape("def class = ) if\n"),
    "dots": Shape("."),
    "colons": Shape("a: "),
    "words": Shape("word\n"),
    "at signs": Shape("@"),
    "nested blocks": Shape("if a:\n", tail="x\n"),
    "builtin calls": Shape("sorted(a, key=f)\n"),
    "docstring of roles": Shape(
        ":a", head='def f(a):\n    """Do `', tail='"""\n    return a\n'
    ),
    "asserts": Shape("assert a\n", head="def f():\n    pass\n"),
    "returns": Shape("    if a:\n        return f{i}(a)\n", head="def f0(a):\n"),
    "all names": Shape("'a{i}', ", head="__all__ = [", tail="]\n"),
    "globals": Shape("    global a{i}\n    a{i} = 1\n", head="def f():\n"),
    "tests": Shape(
        "def test_f{i}():\n    assert f(1) == {i}\n\n",
        head="def f(a):\n    return a\n\n",
    ),
    "long name": Shape("x", tail=" = 1\n"),
    "long names": Shape("def f" + "x" * 1000 + "{i}(a):\n    return a\n\n"),
}


_LINES = "// step {i} of the old way is kept here\n"


def _braces(
    function: str, call: str, wrap: tuple[str, str] = ("", ""), **more: Shape
) -> dict[str, Shape]:
    """Return the shapes that languages with braces share.

    `function` holds `{i}` for its name and `BODY`; `call` is the call of `f{j}`.
    """
    head, tail = wrap
    one = function.replace("BODY", "")
    first, last = function.format(i="x").split("BODY")
    shapes = {
        "functions": Shape(one, head, tail),
        "calling functions": Shape(function.replace("BODY", call), head, tail),
        "one name": Shape(one.replace("{i}", "0"), head, tail),
        "one name called": Shape(
            function.replace("BODY", call.replace("{j}", "0")).replace("{i}", "0"),
            head,
            tail,
        ),
        "documented functions": Shape("// Do it.\n" + one, head, tail),
        "comments before": Shape(_LINES, head, first + last + tail),
        "comments behind": Shape(_LINES, head + first + last, tail),
        "comments within": Shape(_LINES, head + first, last + tail),
        "block comments": Shape("/* step {i} */ ", head, first + last + tail),
        "unclosed comment": Shape("word ", "/*", ""),
        "comment openings": Shape("/*\n", head, tail),
        "calls": Shape(call.replace("{j}", "{i}"), head + first, last + tail),
        "own calls": Shape(call.replace("{j}", "x"), head + first, last + tail),
        "nested calls": Shape("f(\n", head + first, last + tail),
        "chain of calls": Shape("(\n1)", head + first + "f", ";" + last + tail),
        "chain of methods": Shape(".\nm(1)", head + first + "f", ";" + last + tail),
        "nested blocks": Shape("{{\n", head + first, last + tail),
        "closed blocks": Shape("{{}}", head + first, last + tail),
        "conditions": Shape("if (a) {{ }} else ", head + first, "{ }" + last + tail),
        "sum": Shape("a +\n", head + first + "x = ", "a;" + last + tail),
        "numbers": Shape("1,\n", head + first + "g(", "1);" + last + tail),
        "negations": Shape("!\n", head + first + "x = ", "a;" + last + tail),
        "unclosed brackets": Shape("[\n"),
        "unclosed braces": Shape("{{\n"),
        "unclosed parentheses": Shape("(\n"),
        "closing braces": Shape("}}\n"),
        "unclosed string": Shape("word ", '"'),
        "unclosed strings": Shape('x = "\n'),
        "angles": Shape("A<\n", head + first, last + tail),
        "broken lines": Shape("if class ) = else ;\n"),
        "words": Shape("word\n"),
        "stars": Shape("*"),
        "hashes": Shape("#\n"),
        "commas": Shape(","),
        "blanks": Shape(" ", head, first + last + tail),
        "blank lines": Shape("\n", head, first + last + tail),
        "long name": Shape("x", "", ";\n"),
    }
    return shapes | more


_JAVASCRIPT = _braces(
    "function f{i}(a) {{ BODY return a; }}\n",
    "f{j}(a); ",
    **{
        "chain of classes": Shape(
            "class C{i} extends C{p} {{ m() {{ this.m(); }} }}\n"
        ),
        "methods": Shape("  m{i}() {{ this.m{j}(); }}\n", "class C {\n", "}\n"),
        "imports": Shape("import {{a as b{i}}} from './m{i}';\n"),
        "one import": Shape("a{i}, ", "import {", "} from './m';\n"),
        "exports": Shape("export {{f as f{i}}};\n", "function f() {}\n"),
        "star exports": Shape("export * from './m{i}';\n"),
        "requires": Shape("const b{i} = require('./m{i}');\n"),
        "arrows": Shape("a => ", "x = ", "a;\n"),
        "templates": Shape("`${{", "x = ", ""),
        "backticks": Shape("`\n"),
        "regular expressions": Shape("/"),
        "tags": Shape("<a>", "x = ", ";\n"),
        "constants": Shape("const x{i} = f{i}(1);\n"),
        "locals": Shape(
            "let y{i} = new C{i}(); y{i}.run();\n", "function g() {\n", "}\n"
        ),
        "nested functions": Shape("function f() {{ ", "", ""),
        "objects": Shape("{{a: ", "x = ", ""),
        "decorators": Shape("@d{i}\n", "", "class C {}\n"),
    },
)
SHAPES: dict[str, dict[str, Shape]] = {
    "python": PYTHON,
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT
    | {
        "interfaces": Shape("interface I{i} extends I{p} {{ m(): void; }}\n"),
        "types": Shape("type T{i} = T{p} | {i};\n"),
        "union": Shape("A | ", "type T = ", "A;\n"),
        "generics": Shape("A<", "type T = ", ";\n"),
    },
    "java": _braces(
        "  void f{i}(int a) {{ BODY }}\n",
        "f{j}(a); ",
        ("class A {\n", "}\n"),
        **{
            "chain of classes": Shape(
                "class C{i} extends C{p} {{ void m() {{ m(); }} }}\n"
            ),
            "nested classes": Shape("class C{i} {{\n"),
            "imports": Shape("import a.b{i}.C;\n"),
            "annotations": Shape("@D{i}\n", "", "class C {}\n"),
            "annotations within": Shape("@A(", "", "class C {}\n"),
            "fields": Shape("  C{i} c{i} = new C{i}();\n", "class A {\n", "}\n"),
            "generics": Shape("List<", "class A { ", " a; }\n"),
            "locals": Shape(
                "C{i} y{i} = new C{i}(); y{i}.run();\n",
                "class A { void f() {\n",
                "}}\n",
            ),
        },
    ),
    "go": _braces(
        "func f{i}(a int) {{ BODY }}\n",
        "f{j}(a); ",
        ("package a\n", ""),
        **{
            "types": Shape(
                "type C{i} struct {{ C{p} }}\nfunc (c C{i}) m() {{ c.m() }}\n",
                "package a\n",
            ),
            "methods": Shape(
                "func (c *C) m{i}() {{ c.m{j}() }}\n", "package a\ntype C struct {}\n"
            ),
            "imports": Shape('import b{i} "a/b{i}"\n', "package a\n"),
            "literals": Shape("T{{", "package a\nvar x = ", "\n"),
            "locals": Shape(
                "y{i} := f{i}(); y{i}.run()\n", "package a\nfunc f() {\n", "}\n"
            ),
            "pointers": Shape("*\n", "package a\nvar x ", "T\n"),
            "raw strings": Shape("`\n"),
        },
    ),
    "rust": _braces(
        "fn f{i}(a: i32) {{ BODY }}\n",
        "f{j}(a); ",
        **{
            "types": Shape(
                "struct C{i};\nimpl T{i} for C{i} {{ fn m(&self) {{ self.m() }} }}\n"
            ),
            "impls": Shape("impl T{i} for C {{ }}\n", "struct C;\n"),
            "methods": Shape(
                "  fn m{i}(&self) {{ self.m{j}() }}\n", "struct C;\nimpl C {\n", "}\n"
            ),
            "modules": Shape("mod m{i} {{\n"),
            "imports": Shape("use a::b{i}::c;\n"),
            "one import": Shape("b{i}, ", "use a::{", "};\n"),
            "nested import": Shape("a{i}::{{", "use ", "b;\n"),
            "attributes": Shape("#[d{i}]\n", "", "fn f() {}\n"),
            "macros": Shape("m!(", "fn f() { ", "}\n"),
            "references": Shape("&", "fn f(a: ", "A) {}\n"),
            "lifetimes": Shape("'a "),
            "raw strings": Shape('r#"'),
            "nested comments": Shape("/* ", "", "fn f() {}\n"),
            "locals": Shape(
                "let y{i} = C{i}::new(); y{i}.run();\n", "fn f() {\n", "}\n"
            ),
        },
    ),
    "c": _braces(
        "void f{i}(int a) {{ BODY }}\n",
        "f{j}(a); ",
        **{
            "declarations": Shape("int f{i}(int a);\n"),
            "structs": Shape("struct s{i} {{ struct s{p} *a; }};\n"),
            "imports": Shape('#include "b{i}.h"\n'),
            "macros": Shape("#define A{i} A{p}\n"),
            "conditionals": Shape("#if A\n", "", "int x;\n"),
            "closed conditionals": Shape("#if A\nint x{i};\n#endif\n"),
            "pointers": Shape("*\n", "int ", "x;\n"),
            "casts": Shape("(int)", "int x = ", "1;\n"),
            "initialisers": Shape("{{", "int x[] = ", ";\n"),
            "exports": Shape("class A ", "", "x {};\n"),
            "locks": Shape(" GUARDED_BY(a)", "int x", ";\n"),
        },
    ),
    "cpp": _braces(
        "void f{i}(int a) {{ BODY }}\n",
        "f{j}(a); ",
        **{
            "chain of classes": Shape("class C{i} : C{p} {{ void m() {{ m(); }} }};\n"),
            "members": Shape("void C::m{i}() {{ m{j}(); }}\n", "class C {};\n"),
            "namespaces": Shape("namespace n{i} {{\n"),
            "templates": Shape("template <class T{i}> void f{i}(T{i} a) {{ }}\n"),
            "template heads": Shape("template <", "", "class T> void f();\n"),
            "bases": Shape("A{i},\n", "class C : ", "A { };\n"),
            "imports": Shape('#include "b{i}.h"\n'),
            "scopes": Shape("a::", "void ", "f() {}\n"),
            "lambdas": Shape("[]() {{ ", "void f() { auto x = ", "; }\n"),
            "operators": Shape("operator<", "void ", "() {}\n"),
            "exports": Shape("class EXPORT ", "", "x {};\n"),
        },
    ),
    "markdown": {
        "headings": Shape("# Part {i}\n\nText of it.\n\n"),
        "headings of one name": Shape("# Part\n\nText of it.\n\n"),
        "sections": Shape("## Part {i}\n\nText of it.\n\n", "# Top\n\n"),
        "deep headings": Shape(
            "# A\n## B\n### C\n#### D\n##### E\n###### F\n\nText.\n\n"
        ),
        "underlined headings": Shape("Part {i}\n======\n\nText of it.\n\n"),
        "long heading": Shape("word ", "# "),
        "heading marks": Shape("#"),
        "heading ends": Shape(" #", "# a"),
        "open brackets": Shape("[x ", "# A\n\n", "\n"),
        "brackets": Shape("[", "# A\n\n", "\n"),
        "closing brackets": Shape("]", "# A\n\n", "\n"),
        "images": Shape("![", "# A\n\n", "\n"),
        "badges": Shape("[![", "# A\n\n", "\n"),
        "links": Shape("[a](b) ", "# A\n\n", "x\n"),
        "open links": Shape("[a](b ", "# A\n\n", "\n"),
        "link lines": Shape("[a](b)\n", "# A\n\n", "x\n"),
        "references": Shape("[a{i}]: b\n", "# A\n\n"),
        "reference links": Shape("[a][b] ", "# A\n\n", "x\n"),
        "bracketed words": Shape("[a] ", "# A\n\n", "x\n"),
        "backticks": Shape("`", "# A\n\nx ", "\n"),
        "backtick runs": Shape("`a``b```c", "# A\n\nx ", "\n"),
        "code spans": Shape("`a` ", "# A\n\n", "\n"),
        "asterisks": Shape("*", "# A\n\nx ", "\n"),
        "asterisk words": Shape("*a **b ", "# A\n\n", "\n"),
        "underscores": Shape("_a ", "# A\n\n", "\n"),
        "tildes": Shape("~a ", "# A\n\n", "\n"),
        "angles": Shape("<a ", "# A\n\nx ", "\n"),
        "angle lines": Shape("<a\n", "# A\n\n", "\n"),
        "html comments": Shape("<!-- ", "# A\n\n", "\n"),
        "comment lines": Shape("<!--\n\n", "# A\n\n", "\n"),
        "ampersands": Shape("&a", "# A\n\n", "\n"),
        "backslashes": Shape("\\", "# A\n\nx ", "\n"),
        "table": Shape("| a{i} | b |\n", "# A\n\n| a | b |\n|---|---|\n"),
        "wide table": Shape("a |", "# A\n\n| ", "\n|---|\n"),
        "table rules": Shape("|---\n", "# A\n\n| a |\n"),
        "pipes": Shape("|", "# A\n\nx ", "\n"),
        "list": Shape("- item {i}\n", "# A\n\n"),
        "numbered list": Shape("{i}. item\n", "# A\n\n"),
        "list marks": Shape("- ", "# A\n\n", "x\n"),
        "loose list": Shape("- item {i}\n\n", "# A\n\n"),
        "quotations": Shape("> ", "# A\n\n", "x\n"),
        "quoted lines": Shape("> a\n", "# A\n\n"),
        "rules": Shape("---\n\n", "# A\n\n"),
        "dashes": Shape("-", "# A\n\nx\n", "\n"),
        "fences": Shape("```\na\n```\n\n", "# A\n\n"),
        "open fences": Shape("```a\n~~~b\n", "# A\n\n"),
        "open fence": Shape("word\n", "# A\n\n```\n"),
        "long fence": Shape("`", "# A\n\n", "\nx\n"),
        "indented code": Shape("    a{i}\n", "# A\n\n"),
        "front matter": Shape("a{i}: b\n", "---\n"),
        "paragraphs": Shape("Text of it.\n\n", "# A\n\n"),
        "long line": Shape("word ", "# A\n\n", "\n"),
        "lines": Shape("word\n", "# A\n\n"),
        "blank lines": Shape("\n", "# A\n\n", "x\n"),
        "blanks": Shape(" ", "# A\n\n", "x\n"),
        "trailing blanks": Shape(" ", "# A\n\nx", "y\n"),
        "tabs": Shape("\t", "# A\n\n", "x\n"),
        "mixed": Shape("- > 1. *a* `b` [c](d)\n", "# A\n\n"),
    },
}
EXTENSION = {
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "java": "java",
    "go": "go",
    "rust": "rs",
    "c": "c",
    "cpp": "cpp",
    "markdown": "md",
}
