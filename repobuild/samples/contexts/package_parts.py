"""List what a Python package consists of: its modules, and the packages in it.

This is the part of the hierarchy that is certain: directories, and what docstrings say.
Labels that a group of files was given are in no sample (docs/graph.md).

The index of `contexts` holds, under the path of each such module, `part:` and the
folder that it is a part of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from repobuild.code.scan.file_roles import is_test, is_tool
from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import NAMED_TYPES, DisplayNames
from repobuild.samples.contexts.element_view import read_elements
from repobuild.samples.text.summary.module_purpose import (
    first_sentence_of_module_summary,
    module_summary,
    repeats_path,
)
from repobuild.samples.text.summary.purpose import first_sentence_of
from repobuild.samples.text.summary.sentences import first_sentence

INIT = "/__init__.py"
_MOST = 16  # parts of a package that are listed


def part_terms(path: str, facts: Value) -> list[str]:
    """Return the term by which a file is found as a part of a package; [] for none."""
    is_code = facts and facts.get("language") == "python" and path.endswith(".py")
    if not is_code or is_test(path) or is_tool(path):
        return []
    folder, _, name = path.removesuffix(INIT).rpartition("/")
    if not folder or name in ("__init__.py", "__main__.py"):
        return []
    return [f"part:{folder}"]


def first_sentence_of_module(path: str, facts: Value) -> str:
    """Return the first sentence of a module's docstring.

    A title without a stop gets one before what is told with it, and not alone. What
    says no more than the path is none.
    """
    doc = (facts or {}).get("doc", "")
    told = first_sentence_of_module_summary(module_summary(path, facts), path)
    if repeats_path(told, path):
        return ""
    title = " ".join(doc.strip().partition("\n\n")[0].split())
    return title if told == f"{title}." else told


def purpose_of(path: str, facts: Value) -> str:
    """Return the first sentence of a module's docstring, or of its only class."""
    if told := first_sentence_of_module(path, facts):
        return told
    public = [
        one
        for one in read_elements(facts, path).values()
        if not one.parent and one.type in NAMED_TYPES and not one.name.startswith("_")
    ]
    is_class = len(public) == 1 and public[0].type == "class"
    return first_sentence_of(public[0].doc) if is_class else ""


def purposes_of(
    paths: Sequence[str],
    facts: Callable[[str], Value],
    purpose: Callable[[str, Value], str] = purpose_of,
) -> list[str]:
    """Return the purpose of each file, by a sentence that no other of them begins with.

    Where several begin with one, it tells nothing of any: the next sentence does,
    unless several have that one, too.
    """
    told = [purpose(path, facts(path)) for path in paths]
    counts = Counter(told)
    second = [
        "" if counts[text] == 1 else _second_sentence(path, text, facts(path))
        for path, text in zip(paths, told, strict=True)
    ]
    repeated = Counter(second)
    return [
        first if counts[first] == 1 else after if repeated[after] == 1 else ""
        for first, after in zip(told, second, strict=True)
    ]


def _second_sentence(path: str, first: str, facts: Value) -> str:
    summary = module_summary(path, facts)
    is_first = bool(first) and summary.startswith(first)
    return first_sentence(summary.removeprefix(first).strip()) if is_first else ""


def package_of(path: str) -> str:
    """Return the path of the package that a file is a part of; "" for none."""
    folder = path.removesuffix(INIT).rpartition("/")[0]
    return folder + INIT if folder else ""


def package_parts(
    path: str, names: DisplayNames, facts: Callable[[str], Value]
) -> list[list[str]]:
    """Return (path, purpose) of each part of a package; [] for no package.

    Of packages with more parts than are listed there is none either: nothing says which
    of them matter.
    """
    if not path.endswith(INIT):
        return []
    parts = sorted(names.holders(f"part:{path.removesuffix(INIT)}"))
    if len(parts) > _MOST:
        return []
    purposes = zip(parts, purposes_of(parts, facts), strict=True)
    return [[one.removesuffix(INIT), text] for one, text in purposes]
