"""Complete a quoted call so that every name in it is known to its reader.

A name is known when the quotation binds it, Python has it, it is the callee, or the
file that is named beside the quotation defines it for all. Any other name needs a line
above the quotation:

    from shelf import Book          an import of the file, with the needed names alone
    LIMIT = 3                       a short constant of the file
    def lend(book):                 the head of the function around it, its parameters
        ...
        for reader in READERS:      a loop or a context manager that binds it
            desk.hand(book, reader)

A call with a name that none of these explains is no example, nor is one under an `else`
of the function whose head it needs: without the `if` it would be another function.
What a test's function is given (fixtures, `self`), the helpers of a test file and those
of the tests beside it explain nothing, nor does an import of a name that the function
gives another value. A method is not quoted without its class, and what returns or
yields not without its function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from tree_sitter import Node

from repobuild.code.facts.syntax import load_grammar
from repobuild.code.scan.python_table import builtin_names

_LONGEST_LINE = 110  # characters of a head
_LONGEST_CONSTANT = 80
_LONGEST_IMPORTS = 200  # characters of all of them
_INDENT = "    "
GAP = "..."  # stands for lines that are left out
_MOST_ABOVE = 200  # lines that are searched for heads
_METHOD = re.compile(r"(?:async )?def \w+\((?:self|cls)\b")
_METHOD_AT_TOP = re.compile(rf"^{_METHOD.pattern}", re.MULTILINE)
_DEFINES = re.compile(r"(?:async )?def ")
_DEFINED = re.compile(r"(?:async )?def (\w+)")
_BINDS = re.compile(r"(?:async )?(?:for|with) ")
_OF_FUNCTION = re.compile(r"^(?:return|yield)\b|[=(] ?yield\b", re.MULTILINE)
_FOR_TESTS = re.compile(r"\.|(?:.*\.)?(?:tests?|conftest)(?:\.|\Z)")  # of a module
_DECIDES = re.compile(r"(?:async )?(?:if|elif|else|while|for|except|match|case)\b")
_GOES_ON = re.compile(r"(?:elif|else|except|case)\b")  # says nothing alone
_DECORATORS = ("@property", "@staticmethod", "@classmethod")  # known to everybody
_DOCSTRING = re.compile(r"\s*[rRuU]?(\"\"\"|\'\'\')")
_HEAD = re.compile(
    r"(?:async |def |class |for |with |if |elif |else\b|while |try\b|except\b|finally\b"
    r"|match |case )"
)
_CONSTANT = re.compile(r"([A-Z][A-Z0-9_]*) = ")
_VARIABLE = re.compile(r"([A-Za-z_]\w*) = ")
_ASSIGNED = re.compile(r"\s+(\w+)(?:: [^=]+)? = ")
_BOUND = re.compile(r"\b(?:as|for) (?=(\w+))")
_IMPORT = re.compile(
    r"(?:from[ \t]+([\w.]+)[ \t]+)?import[ \t]+(?:\(([^()#]*)\)|([^\n#;()]+))"
)
_ALIASED = re.compile(r"([\w.]+)(?:\s+as\s+(\w+))?")
_COMPREHENSIONS = frozenset(
    "list_comprehension set_comprehension dictionary_comprehension generator_expression"
    .split()
)  # fmt: skip
_TARGETS = frozenset(
    "pattern_list tuple_pattern list_pattern list_splat_pattern expression_list tuple"
    " dictionary_splat_pattern parameters lambda_parameters as_pattern_target".split()
)


class FileImport(NamedTuple):
    """What binds one name; "" for `name` imports the module."""

    module: str
    name: str
    alias: str

    @property
    def bound(self) -> str:
        """The name that the import binds."""
        return self.alias or self.name or self.module.partition(".")[0]


class FileNames(NamedTuple):
    """The names that a file explains wherever it is quoted."""

    imports: Mapping[str, FileImport]
    constants: Mapping[str, str]  # a short one with its line
    defined: frozenset[str]  # functions and classes at the top of the file
    is_test: bool
    whole: Sequence[str] = ()  # lines of all blocks, of a document


NO_NAMES = FileNames({}, {}, frozenset(), is_test=False)


class _Names(NamedTuple):
    free: tuple[str, ...]  # used and not bound, in the order of their first use
    bound: frozenset[str]


def document_names(text: str, above: Iterable[str]) -> FileNames:
    """Return what a document explains: its imports, and variables of earlier blocks.

    `above` are the lines of the blocks above; a variable that two of them assign
    differently explains nothing.
    """
    found: dict[str, set[str]] = {}
    for line in above:
        if len(line) <= _LONGEST_CONSTANT and (match := _VARIABLE.match(line)):
            found.setdefault(match[1], set()).add(line.rstrip())
    variables = {name: lines.pop() for name, lines in found.items() if len(lines) == 1}
    imports = {one.bound: one for one in written_imports(text)}
    lines = text.split("\n")
    return FileNames(imports, variables, frozenset(), is_test=False, whole=lines)


def file_names(
    imports: Iterable[FileImport],
    lines: Iterable[str],
    defined: Iterable[str] = (),
    is_test: bool = False,
) -> FileNames:
    """Return what a file explains; `lines` are those without indentation."""
    constants = {
        match[1]: line.rstrip()
        for line in lines
        if len(line) <= _LONGEST_CONSTANT and (match := _CONSTANT.match(line))
        if not _tree(line.rstrip()).has_error
    }
    known = frozenset() if is_test else frozenset(defined)
    return FileNames({one.bound: one for one in imports}, constants, known, is_test)


def written_imports(text: str) -> Iterator[FileImport]:
    """Yield what the import statements without indentation in a text bind."""
    for line in re.finditer(rf"^{_IMPORT.pattern}", text, re.MULTILINE):
        for written in (line[2] or line[3]).split(","):
            if one := _ALIASED.fullmatch(written.strip()):
                module, name = (line[1], one[1]) if line[1] else (one[1], "")
                yield FileImport(module, name, one[2] or "")


def with_known_names(
    code: str, lines: Sequence[str], start: int, callee: str, names: FileNames
) -> str | None:
    """Return code with the lines that explain its names, None where some have none.

    `start` is the row of its first line in `lines`.
    """
    found = _names_of(code)
    known = _known() if callee in names.imports else {*_known(), callee}
    wanted = {one for one in found.free if one not in known}
    wanted |= _hiding_builtins(code, found.free, lines, start)
    heads = _needed_heads(wanted, lines, start, names.is_test)
    above = _explaining_lines(wanted - names.defined, names)
    if heads is None or above is None:
        return None
    imported = wanted & names.imports.keys()
    if _gives_other_value(imported, lines, heads[0][0] if heads else start):
        return None
    if not heads and _METHOD_AT_TOP.search(code):
        return None  # a decorator is shown with a method, whose class is not known
    if not heads and _OF_FUNCTION.search(code):
        heads = _head_of_function(lines, start, names.is_test)
        if not heads:
            return None
    first = heads[0][0] if heads else start
    constants = names.constants.values()
    if any(one in constants and _is_only_below(one, lines, first) for one in above):
        return None  # a quotation has the order of its source
    return "\n".join([*above, *_under_heads(code, heads, lines, start)])


def _hiding_builtins(
    code: str, free: Iterable[str], lines: Sequence[str], start: int
) -> set[str]:
    """Return the names of Python's that a function around a row has as parameters.

    `set_format(format)`: a reader would take it for the function `format`.
    """
    passed = {
        name
        for name in builtin_names().intersection(free)
        if re.search(rf"(?<![\w.]){name}\b(?!\s*[(=])", code)
    }
    if not passed:
        return passed
    heads = (text for _, text in _heads_above(lines, start) if _DEFINES.match(text))
    return passed & {name for head in heads for name in _names_of(head).bound}


def _is_only_below(text: str, lines: Sequence[str], row: int) -> bool:
    """Return whether a line is in none of the rows above one, and in one below."""
    found = [at for at, line in enumerate(lines) if line.rstrip() == text]
    return bool(found) and found[0] >= row


def _needed_heads(
    wanted: set[str], lines: Sequence[str], start: int, is_test: bool
) -> list[tuple[int, str]] | None:
    """Return (row, text) of the heads that bind some wanted names, the outermost first.

    The heads between come along: they decide whether the call runs. None where one of
    them cannot be quoted. `wanted` keeps the names that no head binds.
    """
    heads: list[tuple[int, str]] = []
    between: list[tuple[int, str]] = []
    for number, (row, text) in enumerate(_heads_above(lines, start)):
        head = _names_of(text)
        is_function = bool(_DEFINES.match(text))
        if is_function and (is_test or text.startswith("def test")):
            break
        bound_here = wanted & head.bound
        if bound_here and (is_function or _BINDS.match(text)):
            if _is_bound_between(bound_here, lines, row, start):
                return None
            within = [(row, text), *reversed(between)]
            if not all(_may_be_quoted(one) for _, one in within):
                return None
            heads[:0] = within
            between.clear()
            wanted |= {name for _, one in within[1:] for name in _names_of(one).free}
            wanted -= head.bound | _known()
            wanted |= set(head.free) - _known()
        elif _DECIDES.match(text):
            between.append((row, text))
        if text.startswith("class ") and not number:
            # What is set in the body of a class is no statement that stands alone.
            if text.startswith("class Test") or not _may_be_quoted(text):
                return None
            wanted |= set(head.free) - _known()
            return [(row, text)]
        if text.startswith("class ") and heads and _METHOD.match(heads[0][1]):
            # A method without its class reads as a function.
            wanted |= set(head.free) - _known()
            return [(row, text), *heads] if _may_be_quoted(text) else None
        if is_function and not _METHOD.match(text) or text.startswith("class "):
            break
    if heads and _METHOD.match(heads[0][1]):
        return None  # its class is not known
    return heads


def _is_bound_between(
    names: set[str], lines: Sequence[str], head: int, start: int
) -> bool:
    """Return whether a line between a head and a row gives one of its names anew.

    `def request(...):` with `request = Request(...)` in it: what the row uses is not
    what the head binds. `book = book or Book()` makes nothing else of it.
    """
    own = _DEFINED.match(lines[head].strip())
    for line in lines[head + 1 : start]:
        found = _VARIABLE.match(line.strip())
        if found is None or found[1] not in names:
            continue
        is_outer = _indent_of(line) <= _indent_of(lines[start])
        is_new = found[1] not in _names_of(line.strip()[found.end() :]).free
        if own and found[1] == own[1] or (is_outer and is_new and own):
            return True
    return False


def _head_of_function(
    lines: Sequence[str], start: int, is_test: bool
) -> list[tuple[int, str]]:
    """Return [(row, text)] of the function right around a statement, [] if none is.

    Without it a `return` is no Python, and nothing waits for what is yielded.
    """
    row, text = next(_heads_above(lines, start), (0, ""))
    is_plain = _DEFINES.match(text) and not _METHOD.match(text) and not is_test
    return [(row, text)] if is_plain and _may_be_quoted(text) else []


def _gives_other_value(names: set[str], lines: Sequence[str], row: int) -> bool:
    """Return whether the function around a row binds one of some imported names.

    `lookup = TemplateLookup()` in a function hides the module `lookup`.
    """
    if not names or not _indent_of(lines[row]):
        return False
    heads = [text for _, text in _heads_above(lines, row) if _DEFINES.match(text)]
    if any(names & _names_of(head).bound for head in heads):
        return True
    for at in range(row - 1, max(-1, row - _MOST_ABOVE), -1):
        if lines[at].strip() and not _indent_of(lines[at]):
            return False
        assigned = _ASSIGNED.match(lines[at])
        if assigned and assigned[1] in names:
            return True
        if not names.isdisjoint(_BOUND.findall(lines[at])):
            return True
    return False


def is_delegated(lines: Sequence[str], start: int, name: str) -> bool:
    """Return whether a row is in a method of a name: it passes on its own call.

    `def step(self): Environment.step(self)` shows nobody how `step` is called.
    """
    heads = (text for _, text in _heads_above(lines, start) if _DEFINES.match(text))
    head = next(heads, "")
    return bool(_METHOD.match(head)) and f"def {name}(" in head


def _under_heads(
    code: str, heads: Sequence[tuple[int, str]], lines: Sequence[str], start: int
) -> Iterator[str]:
    """Yield the heads and the code below them, with a mark for what is left out."""
    decorated = [row - _is_decorated(lines, row) for row, _ in heads]
    following = [*decorated[1:], start]
    for depth, ((row, text), below) in enumerate(zip(heads, following, strict=False)):
        if _is_decorated(lines, row):
            yield _INDENT * depth + lines[row - 1].strip()
        yield _INDENT * depth + text
        first = _row_after_docstring(lines, row + 1, below)
        if any(map(is_code, lines[first:below])):
            yield _INDENT * (depth + 1) + GAP
    margin = _INDENT * len(heads)
    yield from (margin + line for line in code.split("\n"))


def _is_decorated(lines: Sequence[str], row: int) -> bool:
    """Return whether the line above a head decides how what it defines is called.

    Without `@property` above it a reader would call what is only read.
    """
    return row > 0 and lines[row - 1].strip() in _DECORATORS


def _may_be_quoted(head: str) -> bool:
    is_endless = head == "while True:"  # nobody waits for what ends it
    return len(head) <= _LONGEST_LINE and not _GOES_ON.match(head) and not is_endless


def _explaining_lines(wanted: set[str], names: FileNames) -> list[str] | None:
    """Return the imports and constants of some names, None where one has neither."""
    constants = [name for name in names.constants if name in wanted]
    lines = [names.constants[name] for name in constants]
    if any(_tree(line).has_error for line in lines):
        return None  # the first line of a longer statement
    used = {one for line in lines for one in _names_of(line).free} - _known()
    used -= names.defined
    imported = (wanted - {*constants}) | used
    if not imported <= names.imports.keys():
        return None
    found = [names.imports[name] for name in imported]
    if names.is_test and any(_FOR_TESTS.match(one.module) for one in found):
        return None  # what stands beside a test is for tests
    statements = import_statements(found)
    if sum(map(len, statements)) > _LONGEST_IMPORTS:
        return None
    return [*statements, *([""] if statements else []), *lines]


def import_statements(imports: Iterable[FileImport]) -> list[str]:
    """Return statements with these imports, one for each module, plain ones first."""
    plain: list[str] = []
    named: dict[str, list[str]] = {}
    for one in sorted(imports):
        bound = f"{one.name or one.module}{f' as {one.alias}' * bool(one.alias)}"
        if one.name:
            named.setdefault(one.module, []).append(bound)
        else:
            plain.append(f"import {bound}")
    return [*plain, *(f"from {m} import {', '.join(n)}" for m, n in named.items())]


def _heads_above(lines: Sequence[str], start: int) -> Iterator[tuple[int, str]]:
    """Yield (row, text) of the heads around a statement, the nearest first."""
    indent = _indent_of(lines[start])
    for row in range(start - 1, max(-1, start - _MOST_ABOVE), -1):
        if not indent:
            return
        line = lines[row]
        text = line.lstrip()
        if len(line) - len(text) >= indent or not text or text.startswith("#"):
            continue
        indent = len(line) - len(text)
        text = text.rstrip()
        if not _HEAD.match(text) or not text.endswith(":"):
            return  # a head of several lines, or text of a docstring
        yield row, text


def _indent_of(line: str) -> int:
    return len(line) - len(line.lstrip())


def _row_after_docstring(lines: Sequence[str], row: int, below: int) -> int:
    """Return the row where the code of a body begins, its docstring left out."""
    quotes = _DOCSTRING.match(lines[row]) if row < below else None
    if quotes is None:
        return row
    for at in range(row, below):
        rest = lines[at][quotes.end() :] if at == row else lines[at]
        if quotes[1] in rest:
            return at + 1
    return row


@cache
def _known() -> frozenset[str]:
    """Return the names that need no explanation."""
    return builtin_names() | {"__name__", "__file__", GAP}


def is_code(line: str) -> bool:
    """Return whether a line is neither empty nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


# ---------------------------------------------------------------- names in code


@lru_cache(4096)
def _names_of(code: str) -> _Names:
    """Return the names that code uses and binds, annotations left out."""
    reader = _NameReader()
    reader.read(_tree(f"{code} ..." if code.rstrip().endswith(":") else code))
    return _Names(tuple(dict.fromkeys(reader.free)), frozenset(reader.bound))


def _tree(code: str) -> Node:
    source = f"{code}\n".encode("utf-8", "replace")
    return load_grammar("python").parser.parse(source).root_node


class _NameReader:
    """Collects names in the order in which Python would look them up."""

    def __init__(self) -> None:
        self.free: list[str] = []
        self.bound: set[str] = set()

    def read(self, node: Node | None) -> None:
        """Note the names that a node uses and binds."""
        if node is None:
            return
        kind = node.type
        if kind == "identifier":
            name = _text(node)
            if name not in self.bound:
                self.free.append(name)
        elif kind == "attribute":
            self.read(node.child_by_field_name("object"))
        elif kind in ("keyword_argument", "named_expression"):
            self.read(node.child_by_field_name("value"))
            if kind == "named_expression":
                self.bind(node.child_by_field_name("name"))
        elif kind in ("assignment", "for_statement", "for_in_clause"):
            self.read(node.child_by_field_name("right"))
            self.bind(node.child_by_field_name("left"))
            self.read(node.child_by_field_name("body"))
            self.read(node.child_by_field_name("alternative"))
        elif kind in _COMPREHENSIONS:
            clauses = [one for one in node.named_children if "clause" in one.type]
            for one in [
                *clauses,
                *(n for n in node.named_children if n not in clauses),
            ]:
                self.read(one)
        elif kind == "as_pattern":
            self.read(node.named_children[0])
            self.bind(node.child_by_field_name("alias"))
        elif kind in ("function_definition", "lambda", "class_definition"):
            self.read(node.child_by_field_name("superclasses"))
            self.bind(node.child_by_field_name("name"))
            self.bind(node.child_by_field_name("parameters"))
            self.read(node.child_by_field_name("body"))
        elif kind.startswith("import_"):
            self._bind_all(node)
        elif kind != "type":
            for child in node.named_children:
                self.read(child)

    def bind(self, node: Node | None) -> None:
        """Note the names that a target, or a list of parameters, binds."""
        if node is None:
            return
        if node.type == "identifier":
            self.bound.add(_text(node))
        elif node.type in _TARGETS:
            for child in node.named_children:
                self.bind(child)
        elif node.type == "typed_parameter":
            self.bind(node.named_children[0])
        elif node.type in ("default_parameter", "typed_default_parameter"):
            self.read(node.child_by_field_name("value"))
            self.bind(node.child_by_field_name("name"))
        else:
            self.read(node)  # `a.b = 1` and `a[0] = 1` use `a`

    def _bind_all(self, node: Node) -> None:
        for written in re.split(r"\bimport\b|,", _text(node))[1:]:
            if one := _ALIASED.fullmatch(written.strip(" ()\n")):
                self.bound.add(one[2] or one[1].partition(".")[0])


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
