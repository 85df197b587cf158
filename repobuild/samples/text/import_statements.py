"""Read the top-level import statements of a Python file, as they are written.

A statement of several lines is taken whole. Nested and starred imports, statements that
a backslash continues, and statements longer than `_LONGEST` are left out. An import is
`internal` when it imports from the project itself: it is relative, or the graph has an
import edge to the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from repobuild.code.facts.element_row import IDENTIFIER, NAME_SIGN, normal_form
from repobuild.engine.contract import Value

_LONGEST = 300  # characters of a statement
_MOST = 6  # statements that are quoted for one piece of code
_NAME = re.compile(rf"(?<!\.)(?<!{NAME_SIGN}){IDENTIFIER}(?!{NAME_SIGN}|\s*=[^=])")
_STRING = re.compile(r"""(?<![fF\w])("[^"\n]*"|'[^'\n]*')""")
_BOUND = re.compile(
    rf"^[ \t]*(?:for |import |from \S+ import )?({IDENTIFIER})"
    rf"(?=[ \t]*=[^=]|[ \t]+in |$)|\bas ({IDENTIFIER})",
    re.MULTILINE,
)
_FUTURE = "__future__"


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """One import statement, without its line: a moved statement stays equal."""

    text: str
    internal: bool


ImportsByName = Mapping[str, ImportStatement]  # keys are the names that they bind


def module_of(path: str) -> str:
    """Return the dotted name of a source file: `src/a/b.py` is `a.b`."""
    stem = path.rpartition(".")[0] or path
    return stem.removeprefix("src/").removesuffix("/__init__").replace("/", ".")


def read_imports(facts: Value, source: bytes, targets: Iterable[str]) -> ImportsByName:
    """Return the statements of a file by the names that they bind.

    `targets` are the ids that the file has an import edge to.
    """
    if facts.get("language") != "python":
        return {}
    modules = {module_of(id) for id in targets if "::" not in id}
    lines = source.split(b"\n")
    imports: dict[str, ImportStatement] = {}
    for line, entries in groupby(facts.get("imports", ()), key=lambda entry: entry[0]):
        text = _statement_text(lines, line - 1)
        for _, module, name, alias in entries if text else ():
            if module != _FUTURE and name != "*":
                internal = _is_internal(module, name, modules)
                bound = alias or name or module.partition(".")[0]
                imports[bound] = ImportStatement(text, internal)
    return imports


def needed_imports(
    code: str, known: ImportsByName, bound: Iterable[str] = (), internal: bool = False
) -> list[str]:
    """Return the statements that code needs, plain imports first; none if too many.

    The result is sorted, so that sorting a file's imports changes no row of its
    elements. Names that the code binds itself, or that `bound` lists, need no import.
    With `internal`, return only imports of the project, and none at all when one of
    them has several lines.
    """
    without_strings = normal_form(_STRING.sub("", code))
    own = {name for pair in _BOUND.findall(without_strings) for name in pair}
    mentioned = {name for name in _NAME.findall(without_strings) if name in known}
    used = mentioned - own - set(bound)
    chosen = {known[name] for name in used if known[name].internal or not internal}
    texts = sorted((one.text for one in chosen), key=lambda t: (t[:4] == "from", t))
    if internal and any("\n" in text for text in texts):
        return []
    return texts if len(texts) <= _MOST and sum(map(len, texts)) <= _LONGEST else []


def changed_names(old: ImportsByName, new: ImportsByName) -> set[str]:
    """Return the names whose import statement differs between two versions."""
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _statement_text(lines: list[bytes], row: int) -> str:
    """Return the statement that begins in a row, "" when it is not to be quoted."""
    text = b""
    for line in lines[row:]:
        text += line.rstrip() + b"\n"
        if len(text) > _LONGEST or b"#" in line or line.rstrip().endswith(b"\\"):
            return ""
        if text.count(b"(") == text.count(b")"):
            break
    whole = text.decode("utf-8", "replace").rstrip()
    return whole if whole.startswith(("import ", "from ")) and ";" not in whole else ""


def _is_internal(module: str, name: str, modules: set[str]) -> bool:
    """Return whether an import names one of the project's modules or their members."""
    if module.startswith("."):
        return True
    wanted = (module, f"{module}.{name}")
    return any(one in modules for one in wanted) or any(
        known.endswith(f".{one}") for known in modules for one in wanted
    )
