"""Check claims about the project as a whole.

Which folders are key modules is a choice, and so is a style. Only this is checked of
them: the folders exist and hold code, and the style's own rule applies.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from repobuild.truth.answer_template import answer_templates
from repobuild.truth.claims.prose_match import is_beginning, is_purpose, occurs
from repobuild.truth.subject import DeferredCheck, DeferredClaim
from repobuild.truth.tree.markdown_document import MarkdownDocument
from repobuild.truth.tree.tree_index import TreeIndex

_DEPTH = 3  # levels of folders
_NAMELESS = "this project"
_OUTSIDE = frozenset("test tests testing docs doc examples benchmarks".split())
_LAYERS = frozenset(
    "api app cli commands core controllers data database db domain engine handlers"
    " infrastructure models presentation repositories routes schemas services storage"
    " ui views web".split()
)
_LEAST_LAYERS = 3
_NAME = re.compile(r"""^\s*["']?name["']?\s*[:=]\s*["']?([^"'\n,]+)""", re.M)
_GO_MODULE = re.compile(r"^module[ \t]+\"?([^\s\"]+)", re.M)
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)|<[^<>]*>")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MODULE = re.compile(r"(?:^|\n)\n?- `([^`\n]+)`([^\n]*)")
_MANIFEST = "manifest"  # the language of files that define nothing
_MARKDOWN = (".md", ".markdown")
_KINDS = {"classes": "class", "functions": "function", "methods counted": "method"}


def project(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check the name: the setting's, else that of a manifest or README at the top.

    Without these a manifest one folder down may name it, else a folder with code.
    """
    if index.project:
        good = claim.claimed == index.project
        return "" if good else f"it is called {index.project}"
    for depth in (0, 1):
        names: set[str] = set()
        for path, text in index.project_documents.items():
            if path.count("/") != depth or not _OUTSIDE.isdisjoint(path.split("/")):
                continue
            if path.lower().endswith(_MARKDOWN):
                names.update(_titles(text) if depth == 0 else ())
            else:
                names.update(_manifest_names(path, text))
        if names:
            good = _letters(claim.claimed) in map(_letters, names)
            return "" if good else f"it is called {' or '.join(sorted(names))}"
    parts = {part for folder in code_folders(index) for part in folder.split("/")}
    good = claim.claimed in (parts or {_NAMELESS})
    return "" if good else "no manifest and no folder has that name"


def _manifest_names(path: str, text: str) -> Iterator[str]:
    """Yield what a manifest may name its project: every name that it states."""
    if path.endswith(".json"):
        try:
            stated = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(stated, dict) and isinstance(stated.get("name"), str):
            yield stated["name"].strip()
        return
    pattern = _GO_MODULE if path.endswith("go.mod") else _NAME
    yield from (name.strip() for name in pattern.findall(text))


def _titles(text: str) -> list[str]:
    """Return the title of a README, if its first heading is one of the top level."""
    first = list(MarkdownDocument(text).sections.values())[:1]
    return [_LINK.sub(r"\1", _IMAGE.sub("", s.title)) for s in first if s.level == 1]


def _letters(name: str) -> str:
    return re.sub(r"[`*\s]+", "", name)


def description(index: TreeIndex, claim: DeferredClaim) -> str:
    strings = [f"{quote}{claim.claimed}{quote}" for quote in "\"'"]  # of a manifest
    for text in index.project_documents.values():
        if any(string in text for string in strings):
            return ""
        if occurs(claim.claimed, _LINK.sub(r"\1", text)):
            return ""
    return "no README and no manifest says so"


def key_modules(index: TreeIndex, claim: DeferredClaim) -> str:
    known = code_folders(index)
    for path in claim.ids:
        if path not in known:
            return f"{path} is no folder with code"
    return ""


def module_purposes(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check "- folder: how its package's docstring begins", one a line."""
    parts = answer_templates(claim.language).parts
    before = parts["purpose"].replace("{text}", "")
    for path, rest in _MODULE.findall(claim.claimed):
        if path not in code_folders(index):
            return f"{path} is no folder with code"
        package = index.definition(f"{path}/__init__.py")
        text = rest.removeprefix(before)
        is_told = package and is_purpose(text) and is_beginning(text, package.doc)
        if rest and not is_told:
            return f"the docstring of {path} does not begin like that"
    is_list = _MODULE.sub("", claim.claimed) == ""
    return "" if is_list else "it cannot be read as a list"


def technologies(index: TreeIndex, claim: DeferredClaim) -> str:
    imported = {
        one.module.partition(".")[0]
        for file in index.files.values()
        for one in file.imports
    }
    for name in claim.ids:
        named = re.compile(rf"(?<![\w./@-]){re.escape(name)}(?![\w+/:-])")
        in_document = any(
            named.search(text)
            for path, text in index.project_documents.items()
            if not path.lower().endswith(_MARKDOWN)
            and _OUTSIDE.isdisjoint(path.split("/"))
        )
        in_text = any(name in one.text for one in index.files.values() if one.is_text)
        if not in_document and not in_text and name not in imported:
            return f"nothing imports {name}, no manifest names it"
    return ""


def style(index: TreeIndex, claim: DeferredClaim) -> str:
    actual = _style(index)
    words = answer_templates(claim.language).words
    good = words.get(f"style_{actual}", actual) == claim.claimed
    return "" if good else f"it is {actual}"


def count(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check one of the four numbers; a minimum where a file is only read as text."""
    if claim.claim == "files":
        actual = sum(1 for language in index.languages.values() if language)
        is_minimum = False
    else:
        counts = Counter(
            definition.kind
            for file in index.files.values()
            for definition in file.definitions.values()
        )
        actual = counts[_KINDS[claim.claim]]
        is_minimum = any(file.is_text for file in index.files.values())
    if claim.claimed == str(actual) or (is_minimum and actual <= int(claim.claimed)):
        return ""
    return f"there are {actual}"


def code_folders(index: TreeIndex) -> set[str]:
    """Return folders, up to three levels deep, that hold Python files at any depth."""
    folders = set()
    for path, file in index.files.items():
        parts = path.split("/")[:-1][:_DEPTH]
        if file.language == "python" and parts and _OUTSIDE.isdisjoint(parts):
            folders.add("/".join(parts))
    return folders


def _style(index: TreeIndex) -> str:
    folders = code_folders(index)
    names = {folder.rpartition("/")[2] for folder in folders}
    if {"models", "views", "controllers"} <= names:
        return "mvc"
    if len(names & _LAYERS) >= _LEAST_LAYERS:
        return "layered"
    if "plugins" in names:
        return "plugins"
    if len(folders) > 1:
        return "packages"
    return "single_package" if folders else "modules"


PROJECT_CLAIMS: Mapping[str, DeferredCheck] = {
    "project": project,
    "description": description,
    "key modules": key_modules,
    "key modules with purpose": module_purposes,
    "technologies": technologies,
    "style": style,
    "files": count,
    "classes": count,
    "functions": count,
    "methods counted": count,
}
