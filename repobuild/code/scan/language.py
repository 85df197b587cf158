"""Which language a file is in, and how it is read.

A language is a TOML file in `configs/languages`, and beside it, unless it is read
without a grammar, a query file `.scm`:

    extensions     [".py"]                  or `files`, globs of whole names
    grammar        "tree_sitter_python"     package with a function `language`
    function       "language_tsx"           optional; the package's function, if another
    distribution   "tree-sitter-python"     what to install for it
    refine         "repobuild.code…"  optional module: what a query cannot say
    part_of        "typescript"             chosen, and queried, as that language is
    links          "javascript"             whose rules find names in other files
    always         true                     not subject to `project.languages`

The query file has two halves, parted by a line of dashes that ends in `sites`: patterns
for definitions (`(#set! kind "function")`, captures @definition @name @parameters
@returns @bases @body) and captures that are attributed by position (@call @comment
@string @branch @decorator @import). What a file may say beyond that when no module
refines it is told in `generic.py` and in docs/languages.md.

`language_of` is called for every path of a snapshot; this module imports no grammar.
"""

from __future__ import annotations

import fnmatch
import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from repobuild.code.scan.generated import foreign
from repobuild.resources import folder


@dataclass(frozen=True, slots=True)
class Language:
    """One entry of `configs/languages`."""

    name: str
    extensions: tuple[str, ...]
    files: tuple[str, ...]
    grammar: str
    function: str
    distribution: str
    refine: str
    part_of: str
    links: str
    always: bool
    query: Path

    def is_chosen(self, languages: Sequence[str]) -> bool:
        """Return whether `project.languages` asks for it."""
        return self.always or self.name in languages or self.part_of in languages


def _read(path: Path) -> Language:
    entry = tomllib.loads(path.read_text("utf-8"))
    return Language(
        name=path.stem,
        extensions=tuple(entry.get("extensions", ())),
        files=tuple(entry.get("files", ())),
        grammar=entry.get("grammar", ""),
        function=entry.get("function", "language"),
        distribution=entry.get("distribution", ""),
        refine=entry.get("refine", ""),
        part_of=entry.get("part_of", ""),
        links=entry.get("links", ""),
        always=entry.get("always", False),
        query=path.with_name(entry.get("part_of", path.stem) + ".scm"),
    )


@functools.cache
def known() -> dict[str, Language]:
    """Return every language of `configs/languages`, by name."""
    paths = sorted((folder("configs") / "languages").glob("*.toml"))
    return {path.stem: _read(path) for path in paths}


@functools.cache
def _extensions(languages: tuple[str, ...]) -> dict[str, str]:
    return {
        extension: name
        for name, language in known().items()
        if language.is_chosen(languages)
        for extension in language.extensions
    }


@functools.cache
def _file_names(languages: tuple[str, ...]) -> re.Pattern[str] | None:
    parts = [
        f"(?P<{name}>{'|'.join(fnmatch.translate(glob) for glob in language.files)})"
        for name, language in known().items()
        if language.files and language.is_chosen(languages)
    ]
    return re.compile("|".join(parts)) if parts else None


@functools.cache
def _excluded(globs: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(_glob, globs))) if globs else None


def _glob(glob: str) -> str:
    """Return a glob as a regular expression; a folder stands for all it holds."""
    stem = glob.rstrip("/")
    return rf"{fnmatch.translate(stem)}|{fnmatch.translate(stem + '/*')}"


def left_out(path: str, languages: Sequence[str]) -> str:
    """Return why a file of a chosen language is not analysed: what its path says."""
    found = foreign(path)
    return found if found and _language(path, tuple(languages)) else ""


def _language(path: str, chosen: tuple[str, ...]) -> str:
    name = path.rpartition("/")[2]
    found = _extensions(chosen).get(name[name.rfind(".") :] if "." in name else "", "")
    if not found:
        pattern = _file_names(chosen)
        match = pattern.match(name) if pattern else None
        found = (match.lastgroup or "") if match else ""
    return found


def language_of(path: str, languages: Sequence[str], exclude: Sequence[str]) -> str:
    """Return the language that a path is analysed as, or "" when it is left out."""
    found = _language(path, tuple(languages))
    if not found or foreign(path):
        return ""
    unwanted = _excluded(tuple(exclude))
    return "" if unwanted and unwanted.match(path) else found


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the digests of the chosen languages' files: another query, other facts.

    Raises `UsageError` on a language that there is not.
    """
    _check(settings["project.languages"])
    return {
        path.name: blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for language in _chosen(settings)
        for path in (language.query.with_name(f"{language.name}.toml"), language.query)
        if path.exists()
    }


def grammars(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `ingredients`, and which grammars are installed, "" when one is missing.

    So a language's files are read anew when its grammar is installed.
    """
    from repobuild.engine.rule import version

    names = {language.distribution for language in _chosen(settings)} - {""}
    return ingredients(settings) | {name: version(name) for name in sorted(names)}


def _chosen(settings: Mapping[str, Any]) -> list[Language]:
    languages = settings["project.languages"]
    return [found for found in known().values() if found.is_chosen(languages)]


def _check(languages: Sequence[str]) -> None:
    from repobuild.errors import UsageError, nearest

    names = [name for name, found in known().items() if not found.part_of]
    for name in languages:
        if name not in names:
            raise UsageError(
                f'unknown language "{name}" in project.languages'
                f"{nearest(name, names)}\nknown: {', '.join(names)}"
            )
