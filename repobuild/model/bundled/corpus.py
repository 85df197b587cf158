"""Make the training texts of the bundled base model from Python's standard library.

Three kinds of documents, cut between definitions to about 512 tokens at most:

    code    <|file_sep|>json/decoder.py\\n + a piece of the file
    fim     the same piece with a hole: prefix, suffix, middle (PSM order, as Qwen)
    chat    one question and its answer in ChatML, from facts that `ast` finds in a file

A file belongs to the held-out part or to the training part as a whole, by a hash of its
path, and so do its questions. Python 3.11 has 1,790 files of 31 MB; left out are those
that teach nothing: tables (character maps, token tables), files that do not parse, and
files over 400 kB. Nothing is imported or executed.

From top to bottom: files, pieces and holes (code, fim), elements, facts, questions
(chat).
"""

from __future__ import annotations

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
LARGEST_FILE = 400_000  # bytes; larger ones are test tables and pydoc's topics
PIECE = 1_700  # characters, about 480 tokens
LONGEST_ANSWER = 700  # characters; question and answer stay within 256 tokens
LEFT_OUT = frozenset({"site-packages", "dist-packages", "__pycache__", "lib-dynload"})

Facts = Mapping[str, str | tuple[str, ...]]  # template fields; a tuple lists names


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the standard library; `path` is relative to the library's root."""

    path: str
    text: str
    tree: ast.Module

    @property
    def held_out(self) -> bool:
        """Return whether the file is held out, by a hash of its path.

        The hash gives the same answer on every machine; a position would not.
        """
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
    """A function, method or class, with the facts that questions ask about."""

    kind: str  # function, method or class
    name: str
    container: str  # the class of a method, else ""
    path: str
    start: int  # first line
    end: int  # last line
    signature: str
    parameters: tuple[str, ...]
    summary: str  # first paragraph of the docstring
    members: tuple[str, ...]  # methods of a class
    calls: tuple[str, ...]
    bases: tuple[str, ...]
    head: str  # source before the body: signature and docstring
    body: str

    @property
    def qualified_name(self) -> str:
        """Return `Class.method` for a method, the plain name otherwise."""
        return f"{self.container}.{self.name}" if self.container else self.name


def library_root() -> Path:
    """Return the folder of the running interpreter's standard library."""
    return Path(sysconfig.get_path("stdlib"))


def source_files(root: Path) -> Iterator[SourceFile]:
    """Yield every file that is worth training on, sorted by path."""
    for file in sorted(root.rglob("*.py")):
        relative = file.relative_to(root)
        if LEFT_OUT.isdisjoint(relative.parts):
            source = read_source(file, relative.as_posix())
            if source is not None:
                yield source


def read_source(file: Path, path: str) -> SourceFile | None:
    """Read a file; return None for tables, large files and invalid UTF-8 or Python."""
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
    """Return whether a text is data written as Python: digits, or very long lines."""
    letters = sum(1 for sign in text if sign.isalpha() or sign.isspace())
    longest = max(map(len, text.splitlines()), default=0)
    return letters < 0.65 * len(text) or longest > 1_000


# --------------------------------------------- code and fill-in-the-middle (FIM)


def split_text(text: str, size: int = PIECE) -> Iterator[str]:
    """Cut a text into pieces of at most `size` characters, or of one longer line.

    A piece that is half full ends before the next definition, a full one at any line.
    """
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
    """Yield the pieces of a file, each after the file token and its path."""
    for piece in split_text(file.text):
        if piece.strip():
            text = f"{FILE_SEP}{file.path}\n{piece}"
            yield CorpusDocument("code", file.path, text, file.held_out)


def fim_document(code: CorpusDocument, rng: random.Random) -> CorpusDocument:
    """Return the same piece with a hole, in the order prefix, suffix, middle (PSM).

    Source: Bavarian et al. 2022, "Efficient Training of Language Models to Fill in the
    Middle".
    """
    header, _, piece = code.text.partition("\n")
    start, end = choose_hole(piece, rng)
    text = (
        f"{header}\n{FIM_PREFIX}{piece[:start]}"
        f"{FIM_SUFFIX}{piece[end:]}{FIM_MIDDLE}{piece[start:end]}"
    )
    return CorpusDocument("fim", code.path, text, code.held_out)


def choose_hole(piece: str, rng: random.Random) -> tuple[int, int]:
    """Return start and end of a hole, which is never empty.

    Half of the holes are syntactic spans; the rest are one to six lines, or the end of
    a line.
    """
    kind = rng.random()
    spans = syntactic_spans(piece) if kind < 0.5 else []
    if spans:
        return rng.choice(spans)
    starts = [match.start() for match in re.finditer(r"^(?=.)", piece, re.MULTILINE)]
    first = rng.randrange(len(starts))
    if kind < 0.75:
        last = min(len(starts), first + rng.randint(1, 6))
        return starts[first], starts[last] if last < len(starts) else len(piece)
    end = piece.find("\n", starts[first])
    end = len(piece) if end < 0 else end
    return rng.randint(starts[first], end - 1), end


def syntactic_spans(piece: str) -> list[tuple[int, int]]:
    """Return function bodies, statements and calls of a piece that parses by itself."""
    if not piece.isascii():  # ast counts columns in bytes
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(piece)
    except (SyntaxError, ValueError):
        return []
    line_starts = [0]
    for line in piece.splitlines(keepends=True):
        line_starts.append(line_starts[-1] + len(line))
    spans = []
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                first: ast.stmt | ast.expr = node.body[0]
                last: ast.stmt | ast.expr = node.body[-1]
            case ast.Return() | ast.Assign() | ast.If() | ast.For() | ast.Call():
                first = last = node
            case _:
                continue
        assert last.end_lineno is not None and last.end_col_offset is not None
        begin = line_starts[first.lineno - 1] + first.col_offset
        end = line_starts[last.end_lineno - 1] + last.end_col_offset
        spans.append((begin, end))
    return [(begin, end) for begin, end in spans if 4 <= end - begin <= 900]


# --------------------------------------------------------------- source elements


def find_elements(file: SourceFile) -> Iterator[CorpusElement]:
    """Yield top-level functions and classes, and the methods of those classes."""
    for node in file.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _function_element(file, node, "")
        elif isinstance(node, ast.ClassDef):
            yield _class_element(file, node)
            for child in node.body:
                if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield _function_element(file, child, node.name)


def _function_element(
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
        summary=first_paragraph(ast.get_docstring(node)),
        members=(),
        calls=called_names(node),
        bases=(),
        head=_lines(file.text, node.lineno, body[0].lineno - 1),
        body=_lines(file.text, body[0].lineno, node.end_lineno or node.lineno),
    )


def _class_element(file: SourceFile, node: ast.ClassDef) -> CorpusElement:
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
        summary=first_paragraph(ast.get_docstring(node)),
        members=tuple(
            dict.fromkeys(n.name for n in node.body if isinstance(n, functions))
        ),
        calls=(),
        bases=bases,
        head="",
        body="",
    )


def called_names(node: ast.AST) -> tuple[str, ...]:
    """Return the names and dotted names that are called, in order, once each."""
    names = [
        ast.unparse(call.func)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and _is_dotted_name(call.func)
    ]
    return tuple(dict.fromkeys(names))


def _is_dotted_name(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _lines(text: str, first: int, last: int) -> str:
    return "\n".join(text.split("\n")[first - 1 : last])


def first_paragraph(docstring: str | None) -> str:
    """Return the first paragraph on one line, in whole sentences of 240 characters.

    A paragraph of fewer than 8 characters is no summary and gives "".
    """
    if not docstring:
        return ""
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    if len(paragraph) > 240:
        end = paragraph.rfind(". ", 0, 240)
        paragraph = paragraph[: end + 1] if end > 0 else ""
    return paragraph if len(paragraph) >= 8 else ""


# ------------------------------------------------------------------------- facts


def file_facts(file: SourceFile) -> Iterator[tuple[str, Facts]]:
    """Yield (task, template fields) of a file, then of each of its elements."""
    elements = list(find_elements(file))
    base: Facts = {"path": file.path, "name": file.path, "kind": "module"}
    top_level = tuple(e.name for e in elements if not e.container)
    if top_level:
        yield "contents", {**base, "members": top_level}
    summary = first_paragraph(ast.get_docstring(file.tree))
    if summary:
        yield "module", {**base, "summary": summary}
    modules = imported_modules(file.tree)
    if modules:
        yield "imports", {**base, "members": modules}
    in_tests = file.path.startswith("test/") or "/test" in file.path
    for element in elements:
        # Test methods are 60 % of all elements, most of them without a docstring.
        if not in_tests or element.kind == "class" or element.summary:
            yield from element_facts(element)


def imported_modules(tree: ast.Module) -> tuple[str, ...]:
    """Return the modules that a file imports at its top level, in order, once each."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append("." * node.level + (node.module or ""))
    return tuple(dict.fromkeys(names))


def element_facts(element: CorpusElement) -> Iterator[tuple[str, Facts]]:
    """Yield every task whose answer the element's own source contains."""
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
    """Yield the tasks of functions and methods only: signature, calls and code."""
    yield "signature", fields
    arguments = ", ".join(element.parameters)
    yield "usage", {**fields, "call": f"{element.qualified_name}({arguments})"}
    if element.calls:
        yield "callees", {**fields, "members": element.calls}
    whole = textwrap.dedent(f"{element.head}\n{element.body}")
    yield "code", {**fields, "code": whole}
    body = textwrap.indent(textwrap.dedent(element.body), "    ")
    if element.summary:
        yield "describe", {**fields, "code": f"{element.signature}:\n{body}"}
    lines = element.body.split("\n")
    if len(lines) >= 2:
        yield "body", {**fields, "code": textwrap.dedent(element.head), "body": body}
        # The middle line is as good as any other, and the same in every run.
        middle = lines[len(lines) // 2]
        lines[len(lines) // 2] = "???"
        code = "\n".join([element.head, *lines])
        yield "line", {**fields, "code": code, "body": middle}


# --------------------------------------------------------- questions and answers

# Values of {project}; the answers of `location` must not depend on it.
PROJECTS: Mapping[str, tuple[str, ...]] = {
    "en": ("the standard library", "Python", "CPython", "stdlib"),
    "zh": ("Python 标准库", "Python", "CPython", "标准库"),
}

# Text after an answer template that ends where the facts begin; one is drawn.
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "explain": (" {summary}", "\n\n{summary}\n\n```python\n{signature}\n```"),
    "module": (" {summary}",),
}

# The field that fills {code}, in a fence, in the answers of these tasks.
CODE_FIELDS = {"signature": "signature", "usage": "call", "code": "code"}

MOST_NAMES = 12  # of a list in an answer


@dataclass(frozen=True, slots=True)
class Phrasing:
    """The question templates and the answer template of one task in one language."""

    questions: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class QuestionLanguage:
    """One file of `configs/questions`, without its held-out questions."""

    code: str
    words: Mapping[str, str]
    phrasings: Mapping[str, Phrasing]


def read_questions(folder: Path) -> tuple[QuestionLanguage, ...]:
    """Read every language of the folder; held-out phrasings are not even read."""
    return tuple(
        read_language(tomllib.loads(file.read_text(encoding="utf-8")))
        for file in sorted(folder.glob("*.toml"))
    )


def read_language(table: Mapping[str, Any]) -> QuestionLanguage:
    """Read one language: its tasks are the tables with questions and an answer."""
    phrasings = {
        task: Phrasing(tuple(entry["questions"]), entry["answer"])
        for task, entry in table.items()
        if isinstance(entry, dict) and "questions" in entry and "answer" in entry
    }
    return QuestionLanguage(table["language"], table["words"], phrasings)


def chat_documents(
    file: SourceFile, languages: Iterable[QuestionLanguage], rng: random.Random
) -> Iterator[CorpusDocument]:
    """Yield one question and answer per language for every fact of the file."""
    for task, facts in file_facts(file):
        for language in languages:
            if task not in language.phrasings:
                continue
            question, answer = fill_templates(task, facts, language, rng)
            if len(answer) <= LONGEST_ANSWER and len(question) <= LONGEST_ANSWER:
                text = render_chat(question, answer)
                yield CorpusDocument("chat", file.path, text, file.held_out)


def fill_templates(
    task: str, facts: Facts, language: QuestionLanguage, rng: random.Random
) -> tuple[str, str]:
    """Return a question and its answer."""
    phrasing = language.phrasings[task]
    verb = language.words.get("verb", "")
    fields: dict[str, str] = {"fence": "python", "mark": "???", "verb": verb}
    for name, value in facts.items():
        fields[name] = value if isinstance(value, str) else join_names(value, language)
    fields["kind"] = language.words.get(fields.get("kind", ""), "")
    fields["project"] = rng.choice(PROJECTS.get(language.code, PROJECTS["en"]))
    if task in CODE_FIELDS:
        fields["code"] = f"```python\n{fields[CODE_FIELDS[task]]}\n```"
    ending = rng.choice(ENDINGS.get(task, ("",)))
    question = rng.choice(phrasing.questions).format_map(fields)
    return question, (phrasing.answer + ending).format_map(fields)


def join_names(names: tuple[str, ...], language: QuestionLanguage) -> str:
    """Return the names in backticks; after MOST_NAMES of them, "and others"."""
    text = language.words["join"].join(f"`{name}`" for name in names[:MOST_NAMES])
    if len(names) <= MOST_NAMES:
        return text
    return language.words["more"].format(items=text)


def render_chat(question: str, answer: str) -> str:
    """Return what the chat template makes of one question and its answer."""
    return (
        f"{TURN_START}user\n{question}{TURN_END}\n"
        f"{TURN_START}assistant\n{answer}{TURN_END}\n"
    )
