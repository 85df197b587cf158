"""The import statements at the top level of a Python file, as they are written.

A statement of several lines is taken whole; what is nested, starred, continued by a
backslash or longer than a few lines is left out. `internal` says that the statement
imports from the project itself: it is relative, or the graph knows the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import module_of

_LONGEST = 300  # characters of a statement
_MOST = 6  # statements that one piece of code is told to need
_NAME = re.compile(r"(?<![.\w])[A-Za-z_]\w*(?!\w|\s*=[^=])")
_STRING = re.compile(r"""(?<![fF\w])("[^"\n]*"|'[^'\n]*')""")
_BOUND = re.compile(
    r"^[ \t]*(?:for |import |from \S+ import )?([A-Za-z_]\w*)"
    r"(?=[ \t]*=[^=]|[ \t]+in |$)|\bas ([A-Za-z_]\w*)",
    re.MULTILINE,
)
_FUTURE = "__future__"


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """One import statement; where it stands in the file is nothing it says."""

    text: str
    internal: bool


Statements = Mapping[str, ImportStatement]  # by the names that they bind


def statements(facts: Value, source: bytes, targets: Iterable[str]) -> Statements:
    """Return the statements of a file by the names that they bind.

    `targets` are the ids that the file has an import edge to.
    """
    if facts.get("language") != "python":
        return {}
    modules = {module_of(id) for id in targets if "::" not in id}
    lines = source.split(b"\n")
    found: dict[str, ImportStatement] = {}
    for line, entries in groupby(facts.get("imports", ()), key=lambda entry: entry[0]):
        text = _text(lines, line - 1)
        for _, module, name, alias in entries if text else ():
            if module != _FUTURE and name != "*":
                internal = _internal(module, name, modules)
                bound = alias or name or module.partition(".")[0]
                found[bound] = ImportStatement(text, internal)
    return found


def needed(
    code: str, known: Statements, bound: Iterable[str] = (), internal: bool = False
) -> list[str]:
    """Return the statements that code needs, plain imports first; none if many.

    Sorted, so that who only sorts a file's imports changes no row of its elements. With
    `internal` only imports of the project, each on one line; none if one of those that
    are needed is longer. Names that the code gives a meaning itself are its own.
    """
    plain = _STRING.sub("", code)
    own = {name for pair in _BOUND.findall(plain) for name in pair}
    used = {name for name in _NAME.findall(plain) if name in known} - own - set(bound)
    chosen = {known[name] for name in used if known[name].internal or not internal}
    texts = sorted((one.text for one in chosen), key=lambda t: (t[:4] == "from", t))
    if internal and any("\n" in text for text in texts):
        return []
    return texts if len(texts) <= _MOST and sum(map(len, texts)) <= _LONGEST else []


def other_names(old: Statements, new: Statements) -> set[str]:
    """Return the names that are imported otherwise than before."""

    def said(known: Statements, name: str) -> tuple[str, bool] | None:
        return (known[name].text, known[name].internal) if name in known else None

    return {name for name in {*old, *new} if said(old, name) != said(new, name)}


def _text(lines: list[bytes], row: int) -> str:
    """The statement that begins in a row, or "" when it is not to be quoted."""
    text = b""
    for line in lines[row:]:
        text += line.rstrip() + b"\n"
        if len(text) > _LONGEST or b"#" in line or line.rstrip().endswith(b"\\"):
            return ""
        if text.count(b"(") == text.count(b")"):
            break
    whole = text.decode("utf-8", "replace").rstrip()
    return whole if whole.startswith(("import ", "from ")) and ";" not in whole else ""


def _internal(module: str, name: str, modules: set[str]) -> bool:
    if module.startswith("."):
        return True
    wanted = (module, f"{module}.{name}")
    return any(one in modules for one in wanted) or any(
        known.endswith(f".{one}") for known in modules for one in wanted
    )
