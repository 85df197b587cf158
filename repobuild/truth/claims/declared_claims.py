"""Check claims about what manifests and the README say of the project.

Each is checked against the file that the answer names, or the manifests at the top of
the tree, as `tree/project_manifest.py` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from repobuild.truth.answer_template import answer_templates
from repobuild.truth.claims.list_claims import parse_names, strip_more
from repobuild.truth.claims.prose_match import collapsed, is_beginning, plain
from repobuild.truth.subject import DeferredCheck, DeferredClaim
from repobuild.truth.tree.project_manifest import ProjectManifest
from repobuild.truth.tree.tree_index import TreeIndex

_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?|<!--.*?-->", re.S)
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^)]*\)|\[[^\]]*\])|\[\^\w+\]")
_TAG = re.compile(r"</?\w[^<>]*>")
_SUBSTITUTION = re.compile(r"\|[\w][^|\n]*\|_{0,2}")
_SIGNS = re.compile(
    r"[*`<>|\\\[\]]|_+(?=\W|$)|(?<!\w)_+|\[(?:#?\w*|\*)\]_|:[a-z_]+\d*:(?=\s|$)"
)
_WHOLE = tuple(".!?。！？\"')”`")
_TEST_NAMES = frozenset("test tests testing __tests__".split())
_TEST_FILE = re.compile(
    r"test_.*\.py|.*_tests?\.\w+|.*\.(?:test|spec)\.\w+|.*Test\.java|tests?\.py"
)
# Where a sentence goes on in the list below it, what stands before is a whole one.
_BEFORE_LIST = re.compile(r"[,;]? (?:including|such as|like|among others) ?[:：]?")
_DOCUMENT_ENDS = (".md", ".mdx", ".rst", ".txt", ".adoc")
_DOCUMENT_FOLDERS = frozenset("doc docs documentation".split())
# How a checkout is installed, and the manifests that it needs.
_INSTALLS = {
    "pip install .": ("pyproject.toml", "setup.cfg", "setup.py"),
    "npm install": ("package.json",),
    "cargo build": ("Cargo.toml",),
    "go build ./...": ("go.mod",),
}
_LICENCE_TEXTS = {
    "MIT": "permission is hereby granted free of charge to any person",
    "ISC": "permission to use copy modify and or distribute this software",
    "Apache-2.0": "apache license version 2 0",
    "BSD-2-Clause": "redistribution and use in source and binary forms",
    "BSD-3-Clause": "to endorse or promote products derived from this software",
    "GPL-2.0-only": "gnu general public license version 2",
    "GPL-3.0-only": "gnu general public license version 3",
    "AGPL-3.0-only": "gnu affero general public license version 3",
    "LGPL-3.0-only": "gnu lesser general public license version 3",
    "MPL-2.0": "mozilla public license version 2 0",
    "Unlicense": "this is free and unencumbered software released into",
}
_DOCUMENTS = (".md", ".markdown", ".rst", ".txt")
_ROOTS = ("", "src/", "lib/", "python/")
_NO_MODULE = "no file at that path is run by it"


def is_readme(path: str) -> bool:
    return path.rpartition("/")[2].lower().partition(".")[0] == "readme"


def speaking_manifests(index: TreeIndex) -> dict[str, ProjectManifest]:
    """Return the manifests at the top; without a name there, those one folder down."""
    top = {path: one for path, one in index.manifests.items() if "/" not in path}
    if any(one.name for one in top.values()):
        return top
    below = {p: one for p, one in index.manifests.items() if p.count("/") == 1}
    return {**top, **below}


def description(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check the words of the README at the top, or of the manifest that is named."""
    if claim.source and not is_readme(claim.source):
        manifest = speaking_manifests(index).get(claim.source)
        told = collapsed(manifest.description) if manifest else ""
        is_told = told and (claim.claimed == told or is_beginning(claim.claimed, told))
        return "" if is_told else f"it says {told!r}"
    for path, text in index.project_documents.items():
        is_asked = path == claim.source if claim.source else is_readme(path)
        if is_asked and is_readme(path) and _begins_paragraph(claim.claimed, text):
            return ""
    return "no paragraph of a README at the top begins with whole sentences like that"


def _begins_paragraph(claimed: str, text: str) -> bool:
    """Return whether a text is the beginning of a paragraph, or goes on in the next."""
    paragraphs = re.split(r"\n[ \t]*\n", _IMAGE.sub("", text))
    return any(
        _begins_here(claimed, paragraphs[number:]) for number in range(len(paragraphs))
    )


def _begins_here(claimed: str, paragraphs: list[str]) -> bool:
    words = _words(claimed)
    # A heading may stand right above its text.
    lines = paragraphs[0].split("\n")
    for first in range(len(lines)):
        found = _words("\n".join(lines[first:]))
        rest = found.removeprefix(words)
        if words and len(rest) < len(found) and (rest == "" or rest[0] == " "):
            return not rest or claimed.rstrip().endswith(_WHOLE)
        if _BEFORE_LIST.fullmatch(found.removeprefix(words.removesuffix("."))):
            return True
        after = words.removeprefix(f"{found} ")
        if found and len(after) < len(words):
            # An example may stand between a paragraph and what goes on saying.
            below = (paragraphs[n:] for n in range(1, len(paragraphs)))
            return any(_begins_here(after, one) for one in below)
    return False


def _words(text: str) -> str:
    """Return the text without markup, tags and the targets of links."""
    text = _SUBSTITUTION.sub("", _LINK.sub(r"\1", plain(text)))
    return collapsed(_SIGNS.sub("", _TAG.sub("", text))).strip(" ·•-")


def declaring_file(index: TreeIndex, claim: DeferredClaim) -> str:
    is_document = claim.claimed.endswith(_DOCUMENTS) and claim.claimed in index.paths
    known = is_document or claim.claimed in index.project_documents
    return "" if known else "no manifest and no README has that path"


def no_dependencies(index: TreeIndex, claim: DeferredClaim) -> str:
    manifest = index.manifests.get(claim.claimed)
    if manifest is None:
        return "there is no such manifest"
    return "it declares some" if manifest.needs or manifest.is_open else ""


def dependencies(index: TreeIndex, claim: DeferredClaim) -> str:
    manifest = index.manifests.get(claim.source)
    known = manifest.needs - manifest.conditional.keys() if manifest else set()
    return _check_listed(claim, known)


def conditional_dependencies(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check "- package, where condition", one a line."""
    manifest = index.manifests.get(claim.source)
    known = manifest.conditional if manifest else {}
    lines = lines_of(claim, "needed_if")
    if {one["package"] for one in lines} != known.keys():
        return f"those under a condition are {', '.join(sorted(known))}"
    for one in lines:
        if _bare_marker(one["condition"]) != _bare_marker(known[one["package"]]):
            return f"the condition of {one['package']} is {known[one['package']]}"
    return check_lines(claim, "needed_if")


def only_conditional_dependencies(index: TreeIndex, claim: DeferredClaim) -> str:
    manifest = index.manifests.get(claim.claimed)
    if manifest is None or not manifest.needs:
        return "it declares none"
    always = sorted(manifest.needs - manifest.conditional.keys())
    return f"{', '.join(always)} has no condition" if always else ""


def _bare_marker(condition: str) -> str:
    """Return a condition without what its author may write otherwise."""
    return re.sub(r"[\s'\"()]", "", condition)


def developers_packages(index: TreeIndex, claim: DeferredClaim) -> str:
    known = (one.dev for one in speaking_manifests(index).values())
    return _check_any(claim.ids, claim.has_more, known)


def extras(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check "- extra: packages", one a line."""
    templates = answer_templates(claim.language)
    manifests = speaking_manifests(index).values()
    for fields in lines_of(claim, "extra"):
        bare, has_more = strip_more(fields["members"], templates)
        names = tuple(one.name for one in parse_names(bare, templates) or ())
        known = [one.extras.get(fields["extra"], set()) for one in manifests]
        if not names or (wrong := _check_any(names, has_more, iter(known))):
            return wrong or "it cannot be read as a list"
    return check_lines(claim, "extra")


def commands(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check "- command runs what (in a file)", one a line."""
    scripts: dict[str, str] = {}
    for one in speaking_manifests(index).values():
        scripts = {**one.scripts, **scripts}
    for fields in lines_of(claim, "command", "command_in"):
        command, target, path = fields["command"], fields["target"], fields["path"]
        if command.startswith("python -m "):
            module = command.removeprefix("python -m ").replace(".", "/")
            paths = {f"{root}{module}/__main__.py" for root in _ROOTS}
            if target not in index.paths or target not in paths:
                return _NO_MODULE
        elif scripts.get(command) != target:
            return f"no manifest declares that {command} runs {target}"
        elif path:
            module, _, function = target.partition(":")
            function = function.partition("[")[0].strip()
            stem = module.strip().replace(".", "/")
            ends = (f"{stem}.py", f"{stem}/__init__.py")
            if path not in {root + end for root in _ROOTS for end in ends}:
                return _NO_MODULE
            if index.definition(f"{path}::{function}") is None:
                return f"{path} does not define {function}"
    return check_lines(claim, "command", "command_in")


def install_command(index: TreeIndex, claim: DeferredClaim) -> str:
    names = _INSTALLS.get(claim.claimed, ())
    known = any(name in index.paths for name in names)
    return "" if known else "no manifest at the top is installed like that"


def readme_command(index: TreeIndex, claim: DeferredClaim) -> str:
    text = index.project_documents.get(claim.source, "")
    if not text and claim.source in index.paths:
        text = index.read_text(claim.source)
    found = re.search(
        rf"(?<!\S){re.escape(claim.claimed)}(?!\S)", text.replace("`", " ")
    )
    return "" if found else "the file does not give that command"


def test_folders(index: TreeIndex, claim: DeferredClaim) -> str:
    for folder in claim.ids:
        inside = [p for p in index.paths if p == folder or p.startswith(f"{folder}/")]
        if not inside:
            return f"there is no {folder}"
        above, _, last = folder.rpartition("/")
        is_product = last == "testing" and above  # of a package, if no file says more
        is_named = last in _TEST_NAMES and not is_product
        names = (path.rpartition("/")[2] for path in inside)
        if not is_named and not any(map(_TEST_FILE.fullmatch, names)):
            return f"{folder} holds no tests"
    return ""


def document_folders(index: TreeIndex, claim: DeferredClaim) -> str:
    for folder in claim.ids:
        top = folder.partition("/")[0]
        documents = [
            path
            for path in index.paths
            if path.startswith(f"{top}/") and path.endswith(_DOCUMENT_ENDS)
        ]
        if not documents or top not in _DOCUMENT_FOLDERS:
            return f"{folder} is no folder of documents"
        if not all(path.startswith(f"{folder}/") for path in documents):
            return f"there are documents in {top}, too"
    return ""


def licence(index: TreeIndex, claim: DeferredClaim) -> str:
    manifest = index.manifests.get(claim.source)
    told = collapsed(manifest.licence) if manifest else ""
    return "" if told and told == collapsed(claim.claimed) else f"it says {told!r}"


def licence_text(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check a file's text against the first words of the licence's own."""
    words = " ".join(re.findall(r"\w+", index.read_text(claim.source).lower()))
    begins = _LICENCE_TEXTS.get(claim.claimed)
    if begins is None:
        return "its text is not known"
    return "" if begins in words else f"{claim.source} does not say {begins!r}"


def licence_file(index: TreeIndex, claim: DeferredClaim) -> str:
    return "" if claim.claimed in index.paths else "there is no such file"


def python_version(index: TreeIndex, claim: DeferredClaim) -> str:
    manifest = index.manifests.get(claim.source)
    told = collapsed(manifest.python) if manifest else ""
    return "" if told and told == collapsed(claim.claimed) else f"it says {told!r}"


def distributions(index: TreeIndex, claim: DeferredClaim) -> str:
    """Check "- name (in folder): how its manifest describes it", one a line."""
    for fields in lines_of(claim, "distribution", "package_purpose"):
        folder, title, text = fields["path"], fields["title"], fields["text"]
        manifests = [
            one
            for path, one in index.manifests.items()
            if path.rpartition("/")[0] == folder and _is_called(one, title)
        ]
        if not manifests:
            return f"no manifest in {folder} names {title}"
        told = [collapsed(one.description) for one in manifests]
        if text and text not in told:
            return f"{folder} is described as {told!r}"
    return check_lines(claim, "distribution", "package_purpose")


def _is_called(manifest: ProjectManifest, title: str) -> bool:
    """Return whether it has the name; that of a Go module ends with it."""
    return bool(manifest.name) and f"/{title}".endswith(f"/{manifest.name}")


def _check_listed(claim: DeferredClaim, known: set[str]) -> str:
    return _check_any(claim.ids, claim.has_more, iter([known]))


def _check_any(
    names: tuple[str, ...], has_more: bool, options: Iterator[set[str]]
) -> str:
    """Check that one manifest has all names, and more only if the text says so."""
    for known in options:
        if set(names) <= known and has_more == (len(names) < len(known)):
            return ""
    return f"no manifest declares exactly {', '.join(names)}"


def lines_of(
    claim: DeferredClaim, part: str, optional: str = ""
) -> list[dict[str, str]]:
    """Return the fields of every line; a missing one is ""."""
    found = _pattern(claim.language, part, optional).finditer(claim.claimed)
    return [{k: v or "" for k, v in match.groupdict().items()} for match in found]


def check_lines(claim: DeferredClaim, part: str, optional: str = "") -> str:
    rest = _pattern(claim.language, part, optional).sub("", claim.claimed)
    return "it cannot be read as a list" if rest else ""


def _pattern(language: str, part: str, optional: str) -> re.Pattern[str]:
    parts = answer_templates(language).parts
    first = _group_template(parts[part])
    second = f"(?:{_group_template(parts[optional])})?" if optional else ""
    return re.compile(rf"{first}{second}(?=\n|$)")


def _group_template(template: str) -> str:
    pieces = re.split(r"\{(\w+)\}", template)
    return "".join(
        f"(?P<{piece}>[^\\n]+?)" if number % 2 else re.escape(piece)
        for number, piece in enumerate(pieces)
    )


DECLARED_CLAIMS: Mapping[str, DeferredCheck] = {
    "description": description,
    "declaring file": declaring_file,
    "dependencies": dependencies,
    "conditional dependencies": conditional_dependencies,
    "no dependencies": no_dependencies,
    "only conditional dependencies": only_conditional_dependencies,
    "extras": extras,
    "developers' packages": developers_packages,
    "commands": commands,
    "install command": install_command,
    "command of the README": readme_command,
    "test folders": test_folders,
    "document folders": document_folders,
    "licence": licence,
    "licence text": licence_text,
    "licence file": licence_file,
    "python": python_version,
    "distributions": distributions,
}
