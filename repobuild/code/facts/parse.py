"""What one source file says by itself: the `facts` table.

A facts row (msgpack; empty values are left out):

    language   str       python, markdown, manifest, ...
    lines      int       physical lines
    doc        str       module docstring (as ast.get_docstring); a document's title and
                         first paragraph
    elements   list      rows of row.py in source order; read by element.py
    imports    list      [line, module, name, alias]: `from .m import n as a` is
                         [l, ".m", "n", "a"], `import m` [l, "m", "", ""]; star: "*"
    names      dict      module-level name -> binding, or bindings in source order; of
                         what is not just defined once; "*" -> modules of star imports;
                         JavaScript's exports under another name: imported.py
    all        list      `__all__`, when strings are assigned to it
    calls      list      calls at module level, [name as written, line, line, ...]
    package    str       what a file says it is part of (Go, Java)
    project    dict      manifests only: name, description, version, dependencies
    left_out   str       generated or minified (generated.py); then nothing else
    problem    str       why the row is incomplete ("syntax error in line 3", ...)

No source text is stored: elements carry byte spans into the source (`source.py`). A
file that cannot be read well still has a row, which says why.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from repobuild.code.scan.generated import made
from repobuild.code.scan.language import known
from repobuild.code.scan.source_text import refusal, source_of
from repobuild.engine.contract import Scope, Value

Reader = Callable[[bytes, str], dict[str, Any]]
_LARGEST = 1_000_000
_TEXTS = ("markdown", "manifest")  # prose may speak of what is generated


def facts(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return the facts of one file: a pure function of its bytes and language."""
    language = str(value["language"])
    if not language:
        return {"language": ""}
    limit = int(scope.settings.get("project.max_file_bytes", _LARGEST))
    blob = scope.blob(str(value["blob"]))
    if reason := left_out(blob, language):
        return {"language": "", "left_out": reason}
    return facts_of(blob, language, limit)


def left_out(blob: bytes, language: str) -> str:
    """Return why a file is nothing to learn: "generated", "minified" or ""."""
    return "" if language in _TEXTS else made(blob)


def facts_of(blob: bytes, language: str, limit: int = _LARGEST) -> dict[str, Any]:
    """Return the facts of a blob."""
    problem = refusal(blob, limit)
    if problem:
        return {"language": language, "problem": problem}
    source, problem = source_of(blob)
    lines = source.count(b"\n") + (not source.endswith(b"\n") and bool(source))
    said = _read(source, language)
    if problem:
        said["problem"] = problem
    said = {key: found for key, found in said.items() if found}
    return {"language": language, "lines": lines, **said}


def _read(source: bytes, language: str) -> dict[str, Any]:
    from repobuild.code.facts.syntax import UnparsableError

    try:
        return reader(language)(source, language)
    except UnparsableError as error:
        return {"problem": str(error)}


@functools.cache
def reader(language: str) -> Reader:
    """Return what reads a language: its own module, or the generic one."""
    refine = known()[language].refine or "repobuild.code.facts.generic"
    read: Reader = importlib.import_module(refine).read
    return read
