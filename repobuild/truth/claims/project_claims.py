"""Claims about the project as a whole.

Key modules are a choice, and so is a style; of these is checked that the folders are
there, with code in them, and that the style's own rule holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from repobuild.truth.answer_template import answer_templates
from repobuild.truth.claims.prose_match import begins, stands
from repobuild.truth.claims.relation_claims import FarCheck
from repobuild.truth.subject import DeferredClaim
from repobuild.truth.tree.tree_index import TreeIndex

_DEPTH = 3
_NAMELESS = "this project"
_OUTSIDE = frozenset("test tests testing docs doc examples benchmarks".split())
_LAYERS = frozenset(
    "api app cli commands core controllers data database db domain engine handlers"
    " infrastructure models presentation repositories routes schemas services storage"
    " ui views web".split()
)
_NAME = re.compile(r"""^\s*["']?name["']?\s*[:=]\s*["']?([^"'\n,]+)""", re.M)
_MODULE = re.compile(r"(?:^|\n)\n?- `([^`\n]+)`([^\n]*)")


def project(index: TreeIndex, far: DeferredClaim) -> str:
    """The name in the settings, else in a manifest, else of a folder with code."""
    if index.project:
        return "" if far.said == index.project else f"it is called {index.project}"
    names = {n.strip() for text in index.papers.values() for n in _NAME.findall(text)}
    if names:
        return "" if far.said in names else f"it is called {' or '.join(sorted(names))}"
    parts = {part for folder in folders(index) for part in folder.split("/")}
    known = parts or {_NAMELESS}
    return "" if far.said in known else "no manifest and no folder has that name"


def description(index: TreeIndex, far: DeferredClaim) -> str:
    for text in index.papers.values():
        if stands(far.said, re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)):
            return ""
    return "no README and no manifest says so"


def key_modules(index: TreeIndex, far: DeferredClaim) -> str:
    known = folders(index)
    odd = [path for path in far.ids if path not in known]
    return f"{odd[0]} is no folder with code" if odd else ""


def module_purposes(index: TreeIndex, far: DeferredClaim) -> str:
    """`- folder: what its package's docstring says`, one a line."""
    said = answer_templates(far.language).parts["purpose"].replace("{text}", "")
    for path, rest in _MODULE.findall(far.said):
        if path not in folders(index):
            return f"{path} is no folder with code"
        mark = index.mark(f"{path}/__init__.py")
        if rest and not (mark and begins(rest.removeprefix(said), mark.doc)):
            return f"the docstring of {path} does not begin like that"
    return "" if _MODULE.sub("", far.said) == "" else "it cannot be read as a list"


def technologies(index: TreeIndex, far: DeferredClaim) -> str:
    for name in far.ids:
        manifest = any(name in text for text in index.papers.values())
        if not manifest and name not in _imported(index):
            return f"nothing imports {name}, no manifest names it"
    return ""


def style(index: TreeIndex, far: DeferredClaim) -> str:
    found = _style(index)
    words = answer_templates(far.language).words
    return "" if words.get(f"style_{found}", found) == far.said else f"it is {found}"


def counted(index: TreeIndex, far: DeferredClaim) -> str:
    """One of the four numbers; exact where every file could be read."""
    found = _counts(index)
    if far.claim == "files":
        number = sum(1 for language in index.languages.values() if language)
    else:
        number = found[_KINDS[far.claim]]
    unread = [p for p, face in index.faces.items() if face.problem]
    more = bool(unread) and far.claim != "files" and number <= int(far.said)
    return "" if far.said == str(number) or more else f"there are {number}"


_KINDS = {"classes": "class", "functions": "function", "methods counted": "method"}


def folders(index: TreeIndex) -> set[str]:
    """The folders, three levels deep, that hold Python files of their own or below."""
    found = set()
    for path, face in index.faces.items():
        parts = path.split("/")[:-1][:_DEPTH]
        if face.language == "python" and parts and _OUTSIDE.isdisjoint(parts):
            found.add("/".join(parts))
    return found


def _imported(index: TreeIndex) -> set[str]:
    faces = index.faces.values()
    return {found.module.partition(".")[0] for face in faces for found in face.imports}


def _style(index: TreeIndex) -> str:
    known = folders(index)
    names = {folder.rpartition("/")[2] for folder in known}
    if {"models", "views", "controllers"} <= names:
        return "mvc"
    if len(names & _LAYERS) >= 3:
        return "layered"
    if "plugins" in names:
        return "plugins"
    if len(known) > 1:
        return "packages"
    return "single_package" if known else "modules"


def _counts(index: TreeIndex) -> Counter[str]:
    return Counter(
        mark.kind for face in index.faces.values() for mark in face.marks.values()
    )


PROJECT_CLAIMS: Mapping[str, FarCheck] = {
    "project": project,
    "description": description,
    "key modules": key_modules,
    "key modules with purpose": module_purposes,
    "technologies": technologies,
    "style": style,
    "files": counted,
    "classes": counted,
    "functions": counted,
    "methods counted": counted,
}
