"""List what a Python package consists of: its modules, and the packages in it.

This is the part of the hierarchy that is certain: directories, and what docstrings say.
Labels that a group of files was given are in no sample (docs/graph.md).

The index of `contexts` holds, under the path of each such module, `part:` and the
folder that it is a part of.
"""

from __future__ import annotations

from collections.abc import Callable

from repobuild.code.scan.file_roles import is_test, is_tool
from repobuild.engine.contract import Value
from repobuild.samples.contexts.display_names import DisplayNames
from repobuild.samples.text.docstring_parts import first_sentence, summarise_module

INIT = "/__init__.py"
_MOST = 16  # parts of a package that are listed


def part_terms(path: str, facts: Value) -> list[str]:
    """Return the term by which a file is found as a part of a package; [] for none."""
    is_code = facts and facts.get("language") == "python" and path.endswith(".py")
    if not is_code or is_test(path) or is_tool(path):
        return []
    folder, _, name = path.removesuffix(INIT).rpartition("/")
    if not folder or name.startswith("__"):
        return []
    return [f"part:{folder}"]


def purpose_of(path: str, facts: Value) -> str:
    """Return the first sentence of a module's docstring."""
    return first_sentence(summarise_module((facts or {}).get("doc", ""), path))


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
    return [[one.removesuffix(INIT), purpose_of(one, facts(one))] for one in parts]
