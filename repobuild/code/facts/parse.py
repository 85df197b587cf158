"""Make the `facts` table: what one source file states by itself.

A facts row (msgpack; empty values are left out):

    language   str       python, markdown, manifest, ...
    lines      int       physical lines
    doc        str       module docstring (as ast.get_docstring); a document's title and
                         first paragraph
    elements   list      `ElementRow`s in source order (element_row.py)
    imports    list      [line, module, name, alias]: `from .m import n as a` is
                         [l, ".m", "n", "a"], `import m` [l, "m", "", ""]; star: "*"
    names      dict      module-level name -> binding, or bindings in source order; left
                         out when the name is only defined once; "*" -> modules of star
                         imports; JavaScript's renaming exports: imported_names.py
    all        list      `__all__`, when strings are assigned to it
    strings    list      names in strings that it may look up (Python)
    calls      list      calls at module level, [name as written, line, line, ...]
    package    str       the package that a file declares (Go, Java)
    leads      list      documents only: paragraphs that may introduce a project
    install    list      documents only: commands that install something
    setup      str       documents only: the first command that installs a checkout
    project    dict      manifests and setup.py only: see scan/manifest.py
    left_out   str       generated or minified (generated.py), or "no grammar for go";
                         then nothing else
    problem    str       why the row is incomplete ("syntax error in line 3", ...)

Rows hold no source text: elements carry byte spans into the source (source_text.py). A
file that cannot be read well still has a row, with the reason as `problem`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from repobuild.code.scan.generated import classify_content
from repobuild.code.scan.language import PROSE, all_languages, without_grammar
from repobuild.code.scan.source_text import reason_refused, source_of
from repobuild.engine.contract import Scope, Value

Reader = Callable[[bytes, str], dict[str, Any]]
_MAX_BYTES = 1_000_000


def facts(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return the facts of one file: a pure function of its bytes and language."""
    language = str(value["language"])
    if not language:
        return {"language": ""}
    if not all_languages()[language].is_installed:
        return {"language": "", "left_out": without_grammar(language)}
    limit = int(scope.settings.get("project.max_file_bytes", _MAX_BYTES))
    blob = scope.blob(str(value["blob"]))
    reason = "" if value.get("kept") else reason_left_out(blob, language)
    if reason:
        return {"language": "", "left_out": reason}
    return facts_of(blob, language, limit)


def reason_left_out(blob: bytes, language: str) -> str:
    """Return why a blob is not analysed: "generated" or "minified"; else ""."""
    # Prose may mention generators without being generated.
    return "" if language in PROSE else classify_content(blob)


@functools.lru_cache(maxsize=16)
def facts_of(blob: bytes, language: str, limit: int = _MAX_BYTES) -> dict[str, Any]:
    """Return the facts of a blob; above `limit` bytes only a problem.

    Cached: the tables `changes` and `facts` both read what a commit changed.
    """
    from repobuild.code.facts.bounded_parse import UnparsableError

    if problem := reason_refused(blob, limit):
        return {"language": language, "problem": problem}
    source, problem = source_of(blob)
    lines = source.count(b"\n") + (not source.endswith(b"\n") and bool(source))
    try:
        row = reader(language)(source, language)
    except UnparsableError as error:
        row = {"problem": str(error)}
    if problem:
        row["problem"] = problem
    row = {key: value for key, value in row.items() if value}
    return {"language": language, "lines": lines, **row}


@functools.cache
def reader(language: str) -> Reader:
    """Return the function that reads a language: its own module's, or the generic."""
    module = all_languages()[language].refine or "repobuild.code.facts.generic"
    read: Reader = importlib.import_module(module).read
    return read
