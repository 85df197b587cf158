"""Check claims about the project's code: its name, folders, style and counts.

Which folders are key modules is a choice, and so is a style. Only this is checked of
them: the folders exist and hold code, and the style's own rule applies. What manifests
and READMEs say: declared_claims.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from repobuild.truth.answer_template import answer_templates
from repobuild.truth.claims.declared_claims import (
    DECLARED_CLAIMS,
    check_lines,
    is_readme,
    lines_of,
    speaking_manifests,
)
from repobuild.truth.claims.list_claims import parse_names, strip_more
from repobuild.truth.claims.prose_match import (
    begins_comment,
    is_beginning,
    is_purpose,
)
from repobuild.truth.claims.relation_claims import TEST_PATH
from repobuild.truth.subject import DeferredCheck, DeferredClaim
from repobuild.truth.tree.file_evidence import FileEvidence, ImportEvidence
from repobuild.truth.tree.markdown_document import MarkdownDocument
from repobuild.truth.tree.rest_document import RestDocument
from repobuild.truth.tree.standard_library import standard_modules
from repobuild.truth.tree.tree_index import TreeIndex

_DEPTH = 3  # levels of folders
_NAMELESS = "this project"
# Titles that a README of any project may have.
_ANY_TITLE = frozenset(
    "readme introduction overview about summary description features usage abstract"
    " background contents installation install motivation purpose preface".split()
)
# Folders with code that is no part of what the project is used for.
_OUTSIDE = frozenset(
    "test tests testing docs doc documentation example examples benchmark benchmarks"
    " bench demo demos dist fixtures testdata test_data __tests__ e2e tutorial"
    " tutorials".split()
)
# Folders whose manifests describe something else.
_ELSEWHERE = _OUTSIDE | frozenset(
    "fixture __fixtures__ spec specs sample samples template templates cookiecutter"
    " website site www".split()
)
# Folders at the top whose code shows how the project is used.
_SHOWING = frozenset(
    "doc docs documentation example examples demo demos tutorial tutorials".split()
)
_PROSE = ("markdown", "restructuredtext", "manifest", "")
_TOOLS = frozenset(
    "setup.py conftest.py noxfile.py tasks.py fabfile.py versioneer.py conf.py"
    " ez_setup.py distribute_setup.py bootstrap.py runtests.py run_tests.py build.py"
    " _custom_build.py release.py make.py benchmark.py benchmarks.py bench.py"
    " example.py examples.py demo.py".split()
)
_INIT = "/__init__.py"
_SOURCE_FOLDERS = ("src", "lib", "python")  # which are no packages
_TEST = re.compile(r"test_.*\.py|.*_tests?\.py|tests?\.py")
_LAYERS = frozenset(
    "api app cli commands core controllers data database db domain engine handlers"
    " infrastructure models presentation repositories routes schemas services storage"
    " ui views web".split()
)
_LEAST_LAYERS = 3
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)|<[^<>]*>")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
# It ends with a full stop, or with its paragraph.
_FIRST_SENTENCE = re.compile(r".+?(?:[.!?](?=\s+[A-Z`])|\n[ \t]*(?=\n))\s*", re.DOTALL)
_RULED_TITLE = re.compile(r"\s*[^\n]+\n[ \t]*([=\-~^*#+])\1+[ \t]*\n\s*")
_MODULE = re.compile(r"(?:^|\n)\n?- `([^`\n]+)`([^\n]*)")
_KINDS = {
    "classes": "class",
    "functions": "function",
    "methods": "method",
    "methods counted": "method",
}


def project(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check the name: the setting's, else that of a manifest or README at the top.

    Without these a manifest one folder down may name it, else a folder with code.
    """
    if index.project:
        good = claim.claimed == index.project
        return "" if good else f"it is called {index.project}"
    for depth in (0, 1):
        names: set[str] = set()
        for path, manifest in index.manifests.items():
            if path.count("/") == depth and _ELSEWHERE.isdisjoint(path.split("/")):
                names.update({manifest.name} - {""})
        for path, text in index.project_documents.items():
            if depth == 0 and is_readme(path):
                names.update(_titles(path, text))
        if names:
            good = _letters(claim.claimed) in map(_letters, names)
            return "" if good else f"it is called {' or '.join(sorted(names))}"
    parts = {part for folder in code_folders(index) for part in folder.split("/")}
    good = claim.claimed in {*parts, _NAMELESS}
    return "" if good else "no manifest and no folder has that name"


@lru_cache(8)  # every plan and every change names the project
def _titles(path: str, text: str) -> tuple[str, ...]:
    """Return the title of a README, if it begins with one."""
    is_markdown = path.lower().endswith((".md", ".markdown"))
    document = MarkdownDocument(text) if is_markdown else RestDocument(text)
    first = list(document.sections.values())[:1]
    titles = (s.title for s in first if s.level == 1)
    names = (_LINK.sub(r"\1", _IMAGE.sub("", title)) for title in titles)
    return tuple(name for name in names if name.strip().lower() not in _ANY_TITLE)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


def module_purposes(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check "- folder: how its package's docstring begins", one a line."""
    for path, rest in _MODULE.findall(claim.claimed):
        is_module = path in index.files and path.endswith(".py") and _is_product(path)
        known = is_module or path in code_folders(index) or path in _top_modules(index)
        if not known:
            return f"{path} is no module and no folder with code"
        if rest and not _is_told(index, path, rest, claim.language):
            return f"the docstring of {path} does not begin like that"
    more = answer_templates(claim.language).parts["more_modules"]
    is_list = _MODULE.sub("", claim.claimed.removesuffix(more)) == ""
    return "" if is_list else "it cannot be read as a list"


def _is_told(index: TreeIndex, path: str, rest: str, language: str) -> bool:
    """Return whether the docstring of a module, or of its only class, begins so."""
    parts = answer_templates(language).parts
    before, after = parts["package_purpose"].split("{text}")
    source = path if path.endswith(".py") else f"{path}/__init__.py"
    module, file = index.definition(source), index.file(source)
    text = rest.removeprefix(before).removesuffix(after)
    docs = [module.doc if module else "", _doc_of_only_class(file)]
    docs = [_without_title(doc) for doc in docs] + docs
    docs += [rest for _, rest in map(_first_and_rest, docs) if rest]
    is_told = is_purpose(text) and any(is_beginning(text, doc) for doc in docs)
    if file is not None and file.is_text:  # Python 2, and what `ast` cannot read
        is_told = begins_comment(text, file.text)
    return bool(is_told) and rest == f"{before}{text}{after}"


def _first_and_rest(doc: str) -> tuple[str, str]:
    """Return a docstring in two: several modules may begin with one sentence."""
    match = _FIRST_SENTENCE.match(doc)
    return (match[0], doc[match.end() :]) if match else (doc, "")


def _without_title(doc: str) -> str:
    """Return a docstring without a first line that has a rule below it."""
    return _RULED_TITLE.sub("", doc, count=1)


def _doc_of_only_class(file: FileEvidence | None) -> str:
    """Return the docstring of a class that is all that a module has for others."""
    public = [
        one
        for qual, one in (file.definitions.items() if file else ())
        if qual and "." not in qual and not qual.startswith("_")
    ]
    return public[0].doc if [one.kind for one in public] == ["class"] else ""


def package_parts(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that a list names all modules and packages of a package, and no other."""
    package = claim.id.removesuffix(_INIT)
    listed = _MODULE.findall(claim.claimed)
    if not claim.id.endswith(_INIT) or _MODULE.sub("", claim.claimed):
        return "it cannot be read as a list of a package's parts"
    for path, rest in listed:
        if rest and not _is_told(index, path, rest, claim.language):
            return f"the docstring of {path} does not begin like that"
    known = {path for path, _ in listed}
    parts = {
        path.removesuffix(_INIT)
        for path, language in index.languages.items()
        if language == "python" and path.endswith(".py")
    }
    for part in sorted(parts):
        folder, _, name = part.rpartition("/")
        if folder != package or part in known or name == "__main__.py":
            continue
        file = index.file(part if part.endswith(".py") else part + _INIT)
        is_test = TEST_PATH.search(part if part.endswith(".py") else part + _INIT)
        is_aside = is_test or name in _TOOLS or name.startswith("bench")
        if not is_aside and file is not None:
            return f"{part} is a part of it, too"
    strange = sorted(one for one in known - parts)
    strange += sorted(one for one in known if one.rpartition("/")[0] != package)
    return f"{strange[0]} is no part of it" if strange else ""


def _importable_folders(index: TreeIndex) -> set[str]:
    """Return the names of folders that an import of their name may mean.

    A folder far below the top is a part of a package, whose name goes before its own,
    unless a manifest or a folder of sources is right above it.
    """
    roots = {path.rpartition("/")[0] for path in index.manifests}
    found: set[str] = set()
    product = (path.split("/")[:-1] for path in index.paths if _is_product(path))
    for parts in {tuple(folders) for folders in product}:
        found.update(parts[:_DEPTH])
        for depth in range(_DEPTH, len(parts)):
            above = parts[:depth]
            if above[-1] in _SOURCE_FOLDERS or "/".join(above) in roots:
                found.add(parts[depth])
    return found


def technologies(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check that the product's code imports them, and that nobody else's they are."""
    imported = {
        name
        for path, file in index.files.items()
        if _is_product(path)
        for one in file.imports
        for name in _enclosing(one)
    }
    folders = _importable_folders(index)
    declared = {
        _letters(name)
        for one in speaking_manifests(index).values()
        for name in [
            *one.needs,
            *one.dev,
            *(n.partition("[")[0] for names in one.extras.values() for n in names),
        ]
    }
    for name in claim.ids:
        if name not in imported:
            return f"nothing imports {name}"
        is_own = name in folders and _letters(name) not in declared
        if is_own or name in standard_modules() or name.startswith("_"):
            return f"{name} is no other project's"
    return ""


def imports_by_extras(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check "- extra: modules", one a line: the code imports them, the extra exists."""
    manifests = speaking_manifests(index).values()
    for fields in lines_of(claim, "extra"):
        templates = answer_templates(claim.language)
        bare, _ = strip_more(fields["members"], templates)
        names = tuple(one.name for one in parse_names(bare, templates) or ())
        known = [one.extras.get(fields["extra"], set()) for one in manifests]
        if not names or max(map(len, known), default=0) < len(names):
            return f"no extra {fields['extra']} installs as many"
        if wrong := technologies(index, replace(claim, ids=names)):
            return wrong
    return check_lines(claim, "extra")


def _enclosing(one: ImportEvidence) -> Iterator[str]:
    """Yield `a`, `a.b` and `a.b.c` for `from a.b import c`."""
    parts = [one.module, one.name] if one.name else [one.module]
    names = ".".join(parts).split(".") if not one.level else []
    return (".".join(names[:end]) for end in range(1, len(names) + 1))


def _is_product(path: str) -> bool:
    *folders, name = path.split("/")
    is_aside = not _OUTSIDE.isdisjoint(folders) or _TEST.fullmatch(name)
    return not (is_aside or name in _TOOLS)


def style(index: TreeIndex, claim: DeferredClaim) -> str:
    actual = _style(index)
    words = answer_templates(claim.language).words
    good = words.get(f"style_{actual}", actual) == claim.claimed
    return "" if good else f"it is {actual}"


def count(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check one of the numbers; a minimum where not all files are Python."""
    kind, _, where = claim.claim.partition(" of ")
    files = [
        file
        for path, file in index.files.items()
        if not where or _counted_as(path) == where
    ]
    counts = Counter(
        definition.kind for file in files for definition in file.definitions.values()
    )
    actual = counts[_KINDS[kind]]
    is_minimum = any(
        file.is_text or file.problem or file.language not in ("python", *_PROSE)
        for file in files
    )
    if claim.claimed == str(actual) or (is_minimum and actual <= int(claim.claimed)):
        return ""
    return f"there are {actual}"


def _counted_as(path: str) -> str:
    """Return what a file is counted with beside the project's own code, or ""."""
    if path.partition("/")[0] in _SHOWING and "/" in path:
        return "documents"
    return "tests" if TEST_PATH.search(path) else ""


def code_folders(index: TreeIndex) -> set[str]:
    """Return folders, up to three levels deep, that hold code at any depth."""
    folders: set[str] = set()
    for path, language in index.languages.items():
        parts = path.split("/")[:-1][:_DEPTH]
        if language not in _PROSE and parts and _OUTSIDE.isdisjoint(parts):
            folders.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    return folders


def _top_modules(index: TreeIndex) -> set[str]:
    """Return the modules at the top, or at the top of a folder of sources."""
    found = set()
    for path, language in index.languages.items():
        folder = path.rpartition("/")[0]
        if language not in _PROSE and folder in ("", "src", "lib", "python"):
            found.add(path)
    return {path for path in found if _is_product(path)}


def _style(index: TreeIndex) -> str:
    if len(distribution_folders(index)) > 1:
        return "monorepo"
    packages = {
        path.rpartition("/")[0]
        for path, language in index.languages.items()
        if path.endswith("/__init__.py") and language and path.count("/") <= _DEPTH
        if _is_product(path)
    }
    tops = {one for one in packages if not _has_package_above(one, packages)}
    names = {package.rpartition("/")[2] for package in packages}
    python_modules = {one for one in _top_modules(index) if one.endswith(".py")}
    if {"models", "views", "controllers"} <= names:
        return "mvc"
    if len(names & _LAYERS) >= _LEAST_LAYERS:
        return "layered"
    if "plugins" in names:
        return "plugins"
    if len(tops) > 1:
        return "packages"
    if tops:
        own = {_letters(name) for name in _own_names(index)}
        stems = (
            path.rpartition("/")[2].partition(".")[0] for path in _top_modules(index)
        )
        if any(_letters(stem) in own for stem in stems):
            return "package_and_module"
        return "subpackages" if len(packages) > 1 else "single_package"
    return "single_module" if len(python_modules) == 1 else "modules"


def _own_names(index: TreeIndex) -> Iterable[str]:
    if index.project:
        return [index.project]
    titles = (
        title
        for path, text in index.project_documents.items()
        if is_readme(path)
        for title in _titles(path, text)
    )
    return [*(one.name for one in speaking_manifests(index).values()), *titles]


def _has_package_above(package: str, packages: set[str]) -> bool:
    parts = package.split("/")
    return any("/".join(parts[:end]) in packages for end in range(1, len(parts)))


def distribution_folders(index: TreeIndex) -> set[str]:
    """Return the folders below the top whose manifests name a project."""
    return {
        path.rpartition("/")[0]
        for path, manifest in index.manifests.items()
        if "/" in path and manifest.name and _ELSEWHERE.isdisjoint(path.split("/"))
    }


def distribution_count(index: TreeIndex, claim: DeferredClaim) -> str:
    count = len(distribution_folders(index))
    return "" if claim.claimed == str(count) else f"there are {count}"


PROJECT_CLAIMS: Mapping[str, DeferredCheck] = {
    "project": project,
    **DECLARED_CLAIMS,
    "distribution count": distribution_count,
    "key modules with purpose": module_purposes,
    "package parts": package_parts,
    "technologies": technologies,
    "imports by extras": imports_by_extras,
    "style": style,
    "classes": count,
    "functions": count,
    "methods counted": count,
    "classes of tests": count,
    "functions of tests": count,
    "methods of tests": count,
    "classes of documents": count,
    "functions of documents": count,
    "methods of documents": count,
}
