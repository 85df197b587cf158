"""The texts of the embedded base model: the running Python's standard library.

Three kinds of documents, cut between definitions to at most about 512 tokens:

    code    <|file_sep|>json/decoder.py\\n + a piece of the file
    fim     the same piece with a hole: prefix, suffix, middle (PSM order, as Qwen)
    chat    one question and its answer in ChatML, made from what `ast` says of a file

A file belongs to the held-out part or to the trained part as a whole, by a hash of its
path, and its questions go with it.  Python 3.11 has 1,790 files of 31 MB; what is left
out is what teaches nothing: tables (character maps, token tables), files that do not
parse, and files over 400 kB.  Nothing is imported or executed.
"""

import ast
import hashlib
import random
import re
import sysconfig
import textwrap
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repobuild.model.bundled.tokenizer import (
    FILE_SEP,
    FIM_MIDDLE,
    FIM_PREFIX,
    FIM_SUFFIX,
    TURN_END,
    TURN_START,
)

HELD_OUT_SHARE = 50  # one file in fifty
LARGEST_FILE = 400_000  # bytes; above are test tables and pydoc's topics
PIECE = 1_700  # characters, about 480 tokens
LONGEST_ANSWER = 700  # characters; question and answer stay within 256 tokens
LEFT_OUT = frozenset({"site-packages", "dist-packages", "__pycache__", "lib-dynload"})

Facts = Mapping[str, str | tuple[str, ...]]  # a tuple is a list of names
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the standard library, by its path below the library's root."""

    path: str
    text: str
    tree: ast.Module

    @property
    def held_out(self) -> bool:
        """The same on every machine: a hash of the path, not of the position."""
        digest = hashlib.sha256(self.path.encode()).digest()
        return int.from_bytes(digest[:4], "big") % HELD_OUT_SHARE == 0


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """One training text; `kind` is code, fim or chat."""

    kind: str
    path: str
    text: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class CorpusElement:
    """A function, method or class, with what the questions about it need."""

    kind: str
    name: str
    container: str
    path: str
    start: int
    end: int
    signature: str
    parameters: tuple[str, ...]
    summary: str
    members: tuple[str, ...]
    calls: tuple[str, ...]
    bases: tuple[str, ...]
    head: str
    body: str

    @property
    def qualified_name(self) -> str:
        return f"{self.container}.{self.name}" if self.container else self.name


def library_root() -> Path:
    """Where the running interpreter keeps its standard library."""
    return Path(sysconfig.get_path("stdlib"))


def source_files(root: Path) -> Iterator[SourceFile]:
    """Every file worth learning from, sorted by path."""
    for file in sorted(root.rglob("*.py")):
        relative = file.relative_to(root)
        if LEFT_OUT.isdisjoint(relative.parts):
            source = read_source(file, relative.as_posix())
            if source is not None:
                yield source


def read_source(file: Path, path: str) -> SourceFile | None:
    """The file, or None when it is a table, too large, or no valid UTF-8 Python."""
    if file.stat().st_size > LARGEST_FILE:
        return None
    try:
        text = file.read_text(encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old escapes in the library's tests
            tree = ast.parse(text)
    except (UnicodeDecodeError, SyntaxError, ValueError, RecursionError):
        return None
    if not text.strip() or is_table(text):
        return None
    return SourceFile(path, text, tree)


def is_table(text: str) -> bool:
    """Mostly digits and signs, or very long lines: data written as Python."""
    words = sum(1 for sign in text if sign.isalpha() or sign.isspace())
    longest = max(map(len, text.splitlines()), default=0)
    return words < 0.65 * len(text) or longest > 1_000


# ---------------------------------------------------------------- code and fim


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """Cut between definitions where possible, between lines where not."""
    piece: list[str] = []
    length = 0
    for line in text.splitlines(keepends=True):
        at_definition = re.match(r"(    )?(@|def |class |async def )", line)
        decorated = bool(piece) and piece[-1].lstrip().startswith("@")
        full = length + len(line) > size
        if full or (length > size // 2 and at_definition and not decorated):
            yield "".join(piece)
            piece, length = [], 0
        piece.append(line)
        length += len(line)
    yield "".join(piece)


def code_documents(file: SourceFile) -> Iterator[CorpusDocument]:
    """The file's pieces, each under its path."""
    for piece in pieces(file.text):
        if piece.strip():
            text = f"{FILE_SEP}{file.path}\n{piece}"
            yield CorpusDocument("code", file.path, text, file.held_out)


def fim_document(code: CorpusDocument, chance: random.Random) -> CorpusDocument:
    """The same piece with a hole to fill."""
    header, _, piece = code.text.partition("\n")
    start, end = hole(piece, chance)
    text = (
        f"{header}\n{FIM_PREFIX}{piece[:start]}"
        f"{FIM_SUFFIX}{piece[end:]}{FIM_MIDDLE}{piece[start:end]}"
    )
    return CorpusDocument("fim", code.path, text, code.held_out)


def hole(piece: str, chance: random.Random) -> tuple[int, int]:
    """A syntactic span for half of the pieces, else lines, else part of a line."""
    kind = chance.random()
    spans = syntactic_spans(piece) if kind < 0.5 else []
    if spans:
        return chance.choice(spans)
    starts = [match.start() for match in re.finditer(r"^(?=.)", piece, re.MULTILINE)]
    first = chance.randrange(len(starts))
    if kind < 0.75:
        last = min(len(starts), first + chance.randint(1, 6))
        return starts[first], starts[last] if last < len(starts) else len(piece)
    end = piece.find("\n", starts[first])
    end = len(piece) if end < 0 else end
    return chance.randint(starts[first], end - 1), end  # never empty


def syntactic_spans(piece: str) -> list[tuple[int, int]]:
    """Function bodies, statements and calls of a piece that parses by itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(piece)
    except (SyntaxError, ValueError):
        return []
    if not piece.isascii():  # ast counts columns in bytes
        return []
    lines = [0]
    for line in piece.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    spans = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                ends: tuple[ast.stmt | ast.expr, ...] = (node.body[0], node.body[-1])
            case ast.Return() | ast.Assign() | ast.If() | ast.For() | ast.Call():
                ends = (node, node)
            case _:
                continue
        first, last = ends
        begin = lines[first.lineno - 1] + first.col_offset
        assert last.end_lineno is not None and last.end_col_offset is not None
        spans.append((begin, lines[last.end_lineno - 1] + last.end_col_offset))
    return [(begin, end) for begin, end in spans if 4 <= end - begin <= 900]


# ------------------------------------------------------------------------ facts


def elements(file: SourceFile) -> Iterator[CorpusElement]:
    """Top-level functions and classes, and the methods of those classes."""
    for node in file.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _function(file, node, "")
        elif isinstance(node, ast.ClassDef):
            yield _class(file, node)
            for child in node.body:
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield _function(file, child, node.name)


def _function(
    file: SourceFile, node: ast.FunctionDef | ast.AsyncFunctionDef, container: str
) -> CorpusElement:
    arguments = node.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    names += [f"*{arguments.vararg.arg}"] if arguments.vararg else []
    names += [a.arg for a in arguments.kwonlyargs]
    names += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    signature = f"{word} {node.name}({ast.unparse(arguments)}){returns}"
    documented = ast.get_docstring(node, clean=False) is not None
    body = node.body[1:] if documented and len(node.body) > 1 else node.body
    return CorpusElement(
        kind="method" if container else "function",
        name=node.name,
        container=container,
        path=file.path,
        start=node.lineno,
        end=node.end_lineno or node.lineno,
        signature=signature,
        parameters=tuple(name for name in names if name not in ("self", "cls")),
        summary=summary(ast.get_docstring(node)),
        members=(),
        calls=called(node),
        bases=(),
        head=_lines(file.text, node.lineno, body[0].lineno - 1),
        body=_lines(file.text, body[0].lineno, node.end_lineno or node.lineno),
    )


def _class(file: SourceFile, node: ast.ClassDef) -> CorpusElement:
    bases = tuple(ast.unparse(base) for base in node.bases)
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    return CorpusElement(
        kind="class",
        name=node.name,
        container="",
        path=file.path,
        start=node.lineno,
        end=node.end_lineno or node.lineno,
        signature=f"class {node.name}({', '.join(bases)})".replace("()", ""),
        parameters=(),
        summary=summary(ast.get_docstring(node)),
        members=tuple(
            dict.fromkeys(n.name for n in node.body if isinstance(n, functions))
        ),
        calls=(),
        bases=bases,
        head="",
        body="",
    )


def called(node: ast.AST) -> tuple[str, ...]:
    """Names and dotted names that are called, in order, once each."""
    found = [
        ast.unparse(call.func)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and _is_dotted(call.func)
    ]
    return tuple(dict.fromkeys(found))


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _lines(text: str, first: int, last: int) -> str:
    return "\n".join(text.split("\n")[first - 1 : last])


def summary(docstring: str | None) -> str:
    """The first paragraph on one line, cut after the sentence that fills it."""
    if not docstring:
        return ""
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    if len(paragraph) > 240:
        cut = paragraph.rfind(". ", 0, 240)
        paragraph = paragraph[: cut + 1] if cut > 0 else ""
    return paragraph if len(paragraph) >= 8 else ""


# ------------------------------------------------------------------------- chat

# Filled into {project}; `location` answers must not depend on it.
PROJECTS: Mapping[str, tuple[str, ...]] = {
    "en": ("the standard library", "Python", "CPython", "stdlib"),
    "zh": ("Python 标准库", "Python", "CPython", "标准库"),
}

# What follows the answer's frame, for the frames that end where the facts begin.
PARTS: Mapping[str, tuple[str, ...]] = {
    "explain": (" {summary}", "\n\n{summary}\n\n```python\n{signature}\n```"),
    "module": (" {summary}",),
}

# Which text stands as {code}, in a fence, in the answers of these kinds.
BLOCKS = {"signature": "signature", "usage": "call", "code": "code"}


@dataclass(frozen=True, slots=True)
class Phrasing:
    """How one kind of fact is asked and answered in one language."""

    questions: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class QuestionLanguage:
    """One file of `configs/questions`, without its held-out questions."""

    code: str
    words: Mapping[str, str]
    phrasings: Mapping[str, Phrasing]


def read_questions(folder: Path) -> tuple[QuestionLanguage, ...]:
    """Every language of the folder; held-out phrasings are not even read."""
    return tuple(
        read_language(tomllib.loads(file.read_text(encoding="utf-8")))
        for file in sorted(folder.glob("*.toml"))
    )


def read_language(table: Mapping[str, Any]) -> QuestionLanguage:
    """The tables that have questions and an answer are facts."""
    phrasings = {
        task: Phrasing(tuple(entry["questions"]), entry["answer"])
        for task, entry in table.items()
        if isinstance(entry, dict) and "questions" in entry and "answer" in entry
    }
    return QuestionLanguage(table["language"], table["words"], phrasings)


def chat_documents(
    file: SourceFile, languages: Iterable[QuestionLanguage], chance: random.Random
) -> Iterator[CorpusDocument]:
    """One question in each language for every fact of the file."""
    for task, facts in file_facts(file):
        for language in languages:
            if task not in language.phrasings:
                continue
            question, answer = ask(task, facts, language, chance)
            if len(answer) <= LONGEST_ANSWER and len(question) <= LONGEST_ANSWER:
                text = render(question, answer)
                yield CorpusDocument("chat", file.path, text, file.held_out)


def ask(
    task: str, facts: Facts, language: QuestionLanguage, chance: random.Random
) -> Pair:
    """A question and its answer."""
    phrasing = language.phrasings[task]
    fields: dict[str, str] = {"fence": "python", "mark": "???"}
    for name, value in facts.items():
        fields[name] = value if isinstance(value, str) else _list(value, language)
    fields["kind"] = language.words.get(fields.get("kind", ""), "")
    fields["project"] = chance.choice(PROJECTS.get(language.code, PROJECTS["en"]))
    if task in BLOCKS:
        fields["code"] = f"```python\n{fields[BLOCKS[task]]}\n```"
    part = chance.choice(PARTS.get(task, ("",)))
    question = chance.choice(phrasing.questions).format_map(fields)
    return question, (phrasing.answer + part).format_map(fields)


def _list(names: tuple[str, ...], language: QuestionLanguage) -> str:
    """At most twelve names, then how many more."""
    shown = language.words["join"].join(f"`{name}`" for name in names[:12])
    if len(names) <= 12:
        return shown
    more = language.words["more"].format(count=len(names) - 12, total=len(names))
    return f"{shown}{language.words['join']}{more}"


def render(question: str, answer: str) -> str:
    """What the chat template gives for one turn of each side."""
    return (
        f"{TURN_START}user\n{question}{TURN_END}\n"
        f"{TURN_START}assistant\n{answer}{TURN_END}\n"
    )


def file_facts(file: SourceFile) -> Iterator[tuple[str, Facts]]:
    """(task, fields) pairs: of the file itself, then of each element."""
    found = list(elements(file))
    base: Facts = {"path": file.path, "name": file.path, "kind": "module"}
    top = tuple(e.name for e in found if not e.container)
    if top:
        yield "contents", {**base, "members": top}
    about = summary(ast.get_docstring(file.tree))
    if about:
        yield "module", {**base, "summary": about}
    modules = imported(file.tree)
    if modules:
        yield "imports", {**base, "members": modules}
    in_tests = file.path.startswith("test/") or "/test" in file.path
    for element in found:
        # Test methods are 60 % of all elements and mostly without a docstring.
        if not in_tests or element.kind == "class" or element.summary:
            yield from element_facts(element)


def imported(tree: ast.Module) -> tuple[str, ...]:
    """The modules a file imports at its top level, in order, once each."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("." * node.level + (node.module or ""))
    return tuple(dict.fromkeys(names))


def element_facts(element: CorpusElement) -> Iterator[tuple[str, Facts]]:
    """Every task whose answer the element's own source holds."""
    fields: Facts = {
        "name": element.qualified_name,
        "short": element.name,
        "container": element.container,
        "path": element.path,
        "kind": element.kind,
        "start": str(element.start),
        "end": str(element.end),
        "signature": element.signature,
        "summary": element.summary,
    }
    dunder = element.name.startswith("__")
    if not dunder:
        yield "location", fields
        yield "lines", fields
    if element.summary:
        yield "explain", fields
        yield "reverse", fields
    if element.kind != "class":
        yield from callable_facts(element, fields)
    if element.members:
        yield "members", {**fields, "members": element.members}
    if element.bases:
        yield "bases", {**fields, "members": element.bases}
    if element.container and not dunder:
        yield "container", fields


def callable_facts(
    element: CorpusElement, fields: Facts
) -> Iterator[tuple[str, Facts]]:
    """What a function or a method adds: its call, its code and what it calls."""
    yield "signature", fields
    arguments = ", ".join(element.parameters)
    yield "usage", {**fields, "call": f"{element.qualified_name}({arguments})"}
    if element.calls:
        yield "callees", {**fields, "members": element.calls}
    whole = textwrap.dedent(f"{element.head}\n{element.body}")
    yield "code", {**fields, "code": whole}
    if element.summary:
        bare = textwrap.indent(textwrap.dedent(element.body), "    ")
        yield "describe", {**fields, "code": f"{element.signature}:\n{bare}"}
    lines = element.body.split("\n")
    if len(lines) >= 2:
        head = textwrap.dedent(element.head)
        body = textwrap.indent(textwrap.dedent(element.body), "    ")
        yield "body", {**fields, "code": head, "body": body}
        # The middle line is as good as any, and the same in every run.
        middle = lines[len(lines) // 2]
        lines[len(lines) // 2] = "???"
        code = "\n".join([element.head, *lines])
        yield "line", {**fields, "code": code, "body": middle}
