"""Read the top-level imports of a Python file, and say which of them code needs.

Nested and starred imports, and lines with several statements, are left out. An import
is `internal` when it imports from the project itself: it is relative, or the graph has
an import edge to the file. Code needs the names that it mentions and no others, so a
statement is written anew with these alone: `from ..core import Event` where the file
imports seven names in it, and a line for each where the file has one for each. The
rest would be noise in a question, and wrong in an answer.

What `if TYPE_CHECKING:` imports is there for annotations: at run time the file needs no
such module, and the module may import this file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from repobuild.code.facts.element_row import IDENTIFIER, NAME_SIGN, normal_form
from repobuild.code.graph.python_files import names_of_others
from repobuild.code.scan.python_table import standard_library
from repobuild.engine.contract import Value

_LONGEST = 300  # characters of all statements that are quoted for one piece of code
_MOST = 8  # such statements
# A name that is read: not `x.name`, `f(name=1)` nor `def name`.
_NAME = re.compile(
    rf"(?<!\.)(?<!{NAME_SIGN})(?<!def )(?<!class ){IDENTIFIER}"
    rf"(?!{NAME_SIGN}|\s*=[^=])"
)
_ANNOTATION = re.compile(rf"[:|]\s*({IDENTIFIER})\s*=[^=]")  # `x: Name = None`
_STRING = re.compile(r"""(?<![fF\w])("[^"\n]*"|'[^'\n]*')""")
# What stands in braces is code, the rest of it is text.
_FORMATTED = re.compile(r"""\b[rR]?[fF][rR]?("[^"\n]*"|'[^'\n]*')""")
_BRACED = re.compile(r"\{([^{}]+)\}")
# A line `name=value,` passes an argument, and one with a name alone passes it.
_BOUND = re.compile(
    rf"^[ \t]*(?:for )?({IDENTIFIER})(?=[ \t]+=[^=]|[ \t]+in )"
    rf"|^[ \t]*(?:import|from \S+ import) ({IDENTIFIER})(?=[ \t]*$)"
    rf"|\bas ({IDENTIFIER})",
    re.MULTILINE,
)
_FUTURE = "__future__"
_VENDORED = re.compile(r"\._?(?:vendor|vendored|third_party|extern|externals)\b")
_STATEMENTS = (b"import ", b"from ")
_FOR_TYPES = re.compile(rb"if (?:\w+\.)?TYPE_CHECKING\s*:")
_ELSE = re.compile(rb"(?:else|elif)\b")


class ImportedName(NamedTuple):
    """What one name is imported from, without its line: a moved import stays equal."""

    module: str
    name: str  # "" for `import module`
    alias: str
    internal: bool
    alone: bool  # no other name is imported by the statement

    @property
    def binding(self) -> str:
        """The part of a statement that binds the name: `write as put`."""
        return f"{self.name or self.module}{f' as {self.alias}' * bool(self.alias)}"


ImportsByName = Mapping[str, ImportedName]  # keys are the names that they bind


def module_of(path: str) -> str:
    """Return the dotted name of a source file: `src/a/b.py` is `a.b`."""
    stem = path.rpartition(".")[0] or path
    return stem.removeprefix("src/").removesuffix("/__init__").replace("/", ".")


def read_imports(facts: Value, source: bytes, targets: Iterable[str]) -> ImportsByName:
    """Return the imports of a file by the names that they bind.

    `targets` are the ids that the file has an import edge to.
    """
    if facts.get("language") != "python":
        return {}
    modules = {module_of(id) for id in targets if "::" not in id}
    lines = source.split(b"\n")
    imports: dict[str, ImportedName] = {}
    shared = Counter(line for line, *_ in facts.get("imports", ()))
    for line, module, name, alias in facts.get("imports", ()):
        text = lines[line - 1] if line <= len(lines) else b""
        if not text.startswith(_STATEMENTS) or b";" in text:
            continue
        if module != _FUTURE and name != "*":
            internal = _is_internal(module, name, modules)
            bound = alias or name or module.partition(".")[0]
            alone = shared[line] == 1
            imports[bound] = ImportedName(module, name, alias or "", internal, alone)
    return imports


def needed_imports(
    code: str, known: ImportsByName, bound: Iterable[str] = (), internal: bool = False
) -> list[str]:
    """Return the statements that code needs, plain imports first; none if too many.

    The result is sorted, so that sorting a file's imports changes no row of its
    elements. Names that the code binds itself, or that `bound` lists, need no import.
    With `internal`, return only imports of the project, and none where a string is one
    of these names: it may be a type, `cast("Order", x)`. Nor is there any where the
    tree lacks a module that can be the project's own, as what an installation makes.
    """
    quoted = {text[1:-1] for text in _STRING.findall(code)} if internal else ()
    if any(known[text].internal for text in quoted if text in known):
        return []
    without_strings = normal_form(_STRING.sub("", _FORMATTED.sub(_fields, code)))
    own = {name for pair in _BOUND.findall(without_strings) for name in pair}
    read = {*_NAME.findall(without_strings), *_ANNOTATION.findall(without_strings)}
    used = (read & known.keys()) - own - set(bound)
    chosen = [known[name] for name in used if known[name].internal or not internal]
    if internal and _leaves_out_own(chosen, [known[name] for name in used]):
        return []
    plain = sorted(f"import {one.binding}" for one in chosen if not one.name)
    bindings: dict[tuple[str, str], list[str]] = {}
    for one in sorted(chosen):
        if one.name:
            statement = one.module, one.binding if one.alone else ""
            bindings.setdefault(statement, []).append(one.binding)
    named = sorted(
        f"from {module} import {', '.join(names)}"
        for (module, _), names in bindings.items()
    )
    texts = [*plain, *named]
    is_short = len(texts) <= _MOST and sum(map(len, texts)) <= _LONGEST
    return texts if is_short else []


def _fields(formatted: re.Match[str]) -> str:
    """Return the code in a formatted string, in parentheses: it binds no name."""
    return f"({', '.join(_BRACED.findall(formatted[1]))})"


def _leaves_out_own(
    chosen: Iterable[ImportedName], used: Iterable[ImportedName]
) -> bool:
    """Return whether names come from the packages of the chosen, and are not chosen."""
    tops = {one.module.partition(".")[0] for one in chosen} - {""}
    return any(one.module.partition(".")[0] in tops for one in used if not one.internal)


def has_star_import(facts: Value) -> bool:
    """Return whether any name of a file may come from `from module import *`."""
    return any(name == "*" for _, _, name, _ in facts.get("imports", ()))


def names_imported_inside(facts: Value, source: bytes) -> set[str]:
    """Return the names that a file imports further in, as under `if TYPE_CHECKING`."""
    if facts.get("language") != "python":
        return set()
    lines = source.split(b"\n")
    return {
        alias or name or module.partition(".")[0]
        for line, module, name, alias in facts.get("imports", ())
        if line <= len(lines) and lines[line - 1][:1] in (b" ", b"\t")
    }


def changed_names(old: ImportsByName, new: ImportsByName) -> set[str]:
    """Return the names whose import differs between two versions."""
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _is_internal(module: str, name: str, modules: set[str]) -> bool:
    """Return whether an import names one of the project's modules or their members.

    `import typing` is none because the file also imports `pkg/_compat/typing.py`. What
    the project ships of others (`pkg/_vendor`) is its own, though it is not analysed.
    """
    if module.startswith("."):
        return True
    wanted = (module, f"{module}.{name}")
    if any(one in modules for one in wanted):
        return True
    top = module.partition(".")[0]
    if _VENDORED.search(module) and any(one.startswith(f"{top}.") for one in modules):
        return True
    return module.partition(".")[0] not in names_of_others() and any(
        known.endswith(f".{one}") for known in modules for one in wanted
    )


def imports_for_types(
    path: str, facts: Value, source: bytes, targets: Iterable[str]
) -> list[str]:
    """Return those of the imported files that no import at run time names."""
    if facts.get("language") != "python" or b"TYPE_CHECKING" not in source:
        return []
    lines = source.split(b"\n")
    targets = list(targets)
    tops = {re.split(r"[/.]", one.removeprefix("src/"))[0] for one in targets}
    at_run_time: set[str] = set()
    for_types: set[str] = set()
    for line, module, name, _ in facts.get("imports", ()):
        top = module.partition(".")[0]
        if top in standard_library() and top not in tops:
            continue  # `typing` is no file of that name in the package
        names = for_types if _is_for_types(lines, line - 1) else at_run_time
        names.update(_dotted_names(path, module, name))
    return [
        target
        for target in targets
        if _is_named(target, for_types) and not _is_named(target, at_run_time)
    ]


def _is_for_types(lines: Sequence[bytes], row: int) -> bool:
    """Return whether a row is in the body of `if TYPE_CHECKING:`."""
    if row >= len(lines):
        return False
    indent = _indent(lines[row])
    for line in reversed(lines[:row]):
        if not indent:
            return False
        text = line.strip()
        if not text or text.startswith(b"#") or _indent(line) >= indent:
            continue
        indent = _indent(line)
        if _FOR_TYPES.match(text):
            return True
        if _ELSE.match(text):
            return False
    return False


def _dotted_names(path: str, module: str, name: str) -> Iterator[str]:
    """Yield the modules that an import can name: `from a import b` is a, or a.b."""
    level = len(module) - len(module.lstrip("."))
    if level:
        folders = path.removeprefix("src/").split("/")[:-level]
        module = ".".join([*folders, *filter(None, [module[level:]])])
    yield module
    if name and name != "*":
        yield f"{module}.{name}".lstrip(".")


def _is_named(target: str, names: set[str]) -> bool:
    """Return whether a file has one of these names, which may begin in any folder."""
    parts = module_of(target).split(".")
    return any(".".join(parts[start:]) in names for start in range(len(parts)))


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip())
