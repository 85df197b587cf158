"""Make the `@project` row of `contexts`: what samples may quote of the whole project.

Everything comes from the graph's row of the project, and a few facts: a package is
described by the first sentence of its docstring, a command by the function that it
runs. The row is computed again by every update: it reads a few dozen rows, whatever the
size of the repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from repobuild.code.graph.graph import PROJECT
from repobuild.code.licence.detect import MANIFESTS, licence_of_field
from repobuild.code.scan.language import NO_GRAMMAR
from repobuild.engine.contract import Value, View
from repobuild.samples.contexts.graph_reader import GraphReader
from repobuild.samples.contexts.package_parts import (
    INIT,
    first_sentence_of_module,
    purposes_of,
)
from repobuild.samples.text.markup import strip_markup

DEFAULT_LANGUAGES = ["en"]  # rows do not say so
_NAMELESS = "this project"
_MOST_TECHNOLOGIES = 12
_MOST_COMMANDS = 12
_LONGEST = 400  # characters of a description; its first sentence is never cut
_LONGEST_SENTENCE = 700
_STUBS = ".pyi"
# Languages that a reader counts as one.
_COUNTED_AS = {"typescript": "javascript", "tsx": "javascript", "cpp": "c"}
# The licences whose texts the checker knows, too (truth/claims/declared_claims.py).
_KNOWN_TEXTS = frozenset(
    "MIT Apache-2.0 BSD-2-Clause BSD-3-Clause GPL-2.0-only GPL-3.0-only MPL-2.0"
    " AGPL-3.0-only LGPL-3.0-only ISC Unlicense".split()
)
_COUNTS = ("classes", "functions", "methods")
# A sentence ends before white space, but not after "e.g." or before a small letter.
_SENTENCE_END = re.compile(
    r"(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\betc\.)(?<!\bvs\.)(?<!\bcf\.)"
    r"(?<=[.!?])[\"')`]*(?=\s+[^a-z\s])|(?<=[。！？])"
)
_TITLE_OF_MODULE = re.compile(r"(?:Module|Package|File)\s*:?\s+[\w.`]+", re.IGNORECASE)
_POINTER = re.compile(
    r"\s*\(?(?:see|please|for more|for details|read|check|visit|refer to|here is"
    r"|here's)\b",
    re.IGNORECASE,
)
_SOURCE_ROOTS = ("", "src/", "lib/", "python/")
# How a checkout is installed, by the kind of its main manifest.
_INSTALL = {
    "python": "pip install .",
    "npm": "npm install",
    "cargo": "cargo build",
    "go": "go build ./...",
}


def project_row(view: View, reader: GraphReader) -> dict[str, Value]:
    """Return the project's row."""
    known: Mapping[str, Value] = (view.table("graph").get(PROJECT) or {}).get("", {})
    name = project_name(known)
    counts = known.get("statistics", {})
    is_counted = _is_counted(counts)
    needs: Mapping[str, str] = known.get("dependencies", {})
    sometimes: Mapping[str, str] = known.get("dependencies_if", {})
    row: dict[str, Value] = {
        "kind": "project",
        "id": PROJECT,
        "name": name,
        "label": name,
        "project": name,
        "description": whole_sentences(known.get("description", "")),
        "described_by": known.get("described_by", ""),
        "style": known.get("architecture_style", ""),
        "technologies": known.get("main_technologies", ())[:_MOST_TECHNOLOGIES],
        "imports_besides": known.get("imports_besides", []),
        "imports_by_extras": known.get("imports_by_extras", {}),
        "modules": _modules(known.get("key_modules", ()), reader),
        "commands": list(_commands(known, reader)),
        "needs": [name for name in needs if name not in sometimes],
        "needs_sometimes": dict(sometimes),
        "needs_by": known.get("dependencies_by", ""),
        "counts": {count: counts.get(count, 0) for count in _COUNTS if is_counted},
    }
    row["more_modules"] = bool(known.get("more_modules"))
    for field in ("in_tests", "in_documents"):
        aside = counts.get(field, {})
        row[field] = aside if is_counted and any(aside.values()) else {}
    kind, folder = known.get("manifest", ("", ""))
    if kind in _INSTALL and not folder and not known.get("setup_needs"):
        row["checkout"] = _INSTALL[kind]
    if told := known.get("setup"):
        row["checkout"], row["checkout_by"] = told
    for field in ("extras", "dev", "licence", "python", "install", "distributions"):
        row[field] = known.get(field, [])
    for field in ("tests", "documentation"):
        row[field] = known.get(field, [])
    declared, _ = row["licence"] or ("", "")
    row["licence_text"] = _other_licence_text(view, declared)
    if spoken := spoken_languages(view.table("documents").get(PROJECT)):
        row["languages"] = spoken
    return row


def _other_licence_text(view: View, declared: str) -> list[str]:
    """Return the licence whose text lies at the top, with its file, if not declared.

    jqdatasdk declares Apache's in `setup.py`, and its LICENSE is MIT's.
    """
    stated = view.table("licences").get("/") or {"licence": "", "source": ""}
    licence, source = str(stated["licence"]), str(stated["source"])
    if source in MANIFESTS or licence not in _KNOWN_TEXTS:
        return []
    named = licence_of_field(declared)
    family = licence.partition("-")[0]
    return [] if not named or family in named else [licence, source]


def _is_counted(counts: Mapping[str, Value]) -> bool:
    """Return whether the numbers of a project are those that people would give."""
    # What no grammar here reads is in no count, and stubs count everything twice.
    if any(reason.startswith(NO_GRAMMAR) for reason in counts.get("left_out", {})):
        return False
    if _STUBS in counts.get("file_type_counts", {}):
        return False
    # Nobody adds up those of several languages: most are of a submodule, or a page.
    return len({_COUNTED_AS.get(n, n) for n in counts.get("languages", ())}) == 1


def spoken_languages(documents: Value) -> list[str]:
    """Return the languages of a project's documents; [] for the default, English."""
    spoken = list((documents or {}).get("languages", []))
    return [] if spoken == DEFAULT_LANGUAGES else spoken


def project_name(known: Mapping[str, Value]) -> str:
    """Return the project's name; without a manifest, that of its largest top folder."""
    if known.get("project_name"):
        return str(known["project_name"])
    largest = next(iter(known.get("key_modules", ())), "")
    folders = largest.split("/")[: -1 if "." in largest.rpartition("/")[2] else None]
    parts = [part for part in folders if part not in ("", "src")]
    return parts[0] if parts else _NAMELESS


def whole_sentences(text: str) -> str:
    """Return as many whole sentences as fit, the first one in any case.

    A last sentence that only announces a list ("It supports:") or points elsewhere
    ("See the documentation.") is left out.
    """
    text = strip_markup(" ".join(text.split()))
    ends = [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    starts = [0, *ends[:-1]]
    if len(ends) > 1 and text.rstrip().endswith(":"):
        ends.pop()
    fitting = [end for end in ends if end <= _LONGEST] or ends[:1]
    while len(fitting) > 1 and _POINTER.match(text[fitting[-2] : fitting[-1]]):
        fitting.pop()
    kept = text[: fitting[-1]].strip()
    is_whole = not kept.endswith(":") and fitting[-1] - starts[0] <= _LONGEST_SENTENCE
    return kept if is_whole else ""


def _modules(paths: Sequence[str], reader: GraphReader) -> list[list[str]]:
    """Return each package or module with the first sentence of its docstring.

    A package that holds all others is the project: it may begin as one of them does.
    """
    files = {one: one if one.endswith(".py") else f"{one}{INIT}" for one in paths}
    whole = [
        path
        for path in paths
        if all(one == path or one.startswith(f"{path}/") for one in paths)
    ]
    parts = [path for path in paths if path not in whole]
    told = purposes_of([files[one] for one in parts], reader.facts, _own_sentence)
    purposes = dict(zip(parts, told, strict=True))
    purposes |= {
        one: _own_sentence(files[one], reader.facts(files[one])) for one in whole
    }
    return [[path, purposes[path]] for path in paths]


def _own_sentence(file: str, facts: Value) -> str:
    """Return the first sentence of the docstring of a package or a module."""
    text = first_sentence_of_module(file, facts)
    return "" if _TITLE_OF_MODULE.fullmatch(text) else text


def _commands(known: Mapping[str, Value], reader: GraphReader) -> Iterator[list[str]]:
    """Yield (command, what it runs, the file that defines this or "")."""
    scripts, _ = known.get("scripts", ({}, ""))
    for command, target in list(scripts.items())[:_MOST_COMMANDS]:
        yield [command, target, _target_path(target, reader)]
    for folder in known.get("key_modules", ()):
        path = f"{folder}/__main__.py"
        if reader.facts(path):
            parts = [part for part in folder.split("/") if f"{part}/" != "src/"]
            yield [f"python -m {'.'.join(parts)}", path, ""]


def _target_path(target: str, reader: GraphReader) -> str:
    """Return the file that defines `package.module:function`, "" if none is found."""
    module, _, function = target.partition(":")
    function = function.partition("[")[0].strip()
    stem = module.strip().replace(".", "/")
    for root in _SOURCE_ROOTS:
        for path in (f"{root}{stem}.py", f"{root}{stem}/__init__.py"):
            if function in reader.elements(path):
                return path
    return ""
