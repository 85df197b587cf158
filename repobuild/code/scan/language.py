"""Decide which language a file is in, and how that language is read.

To add a language, add two files to `configs/languages`: NAME.toml, and NAME.scm with
its queries (none is needed for a language that is read without a grammar). No other
file changes: `facts/generic.py` turns the captures into facts. docs/languages.md does
it step by step for Lua. NAME.toml holds:

    extensions     [".py"]                  or `files`, globs of whole names
    grammar        "tree_sitter_python"     package with a function `language`
    function       "language_tsx"           optional; the package's function, if another
    distribution   "tree-sitter-python"     what to install for it
    refine         "repobuild.code…"        optional module whose `read` replaces the
                                            generic reader: facts/python, markdown.py
    part_of        "typescript"             chosen, and queried, as that language is
    links          "javascript"             rule set that links its names across files
    always         true                     not subject to `project.languages`

`links` names a rule set of `resolve/linked` (read link_rules.py there) and a reader of
import statements in `facts/imported_names.py`; without it no edge leaves a file. Python
links by `resolve/python` instead.

The query file has two halves, separated by a line of dashes that ends in `sites`:
patterns for definitions (`(#set! kind "function")`, captures @definition @name
@parameters @returns @bases @body) and captures that are attributed by position (@call
@comment @string @branch @decorator @import). `generic.py` lists the captures that it
reads beyond these.

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

from repobuild.code.scan.generated import classify_path
from repobuild.resources import data_folder


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
        """Return whether `project.languages` includes it."""
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
def all_languages() -> dict[str, Language]:
    """Return every language of `configs/languages`, by name."""
    paths = sorted((data_folder("configs") / "languages").glob("*.toml"))
    return {path.stem: _read(path) for path in paths}


@functools.cache
def _name_of_extension(languages: tuple[str, ...]) -> dict[str, str]:
    return {
        extension: name
        for name, language in all_languages().items()
        if language.is_chosen(languages)
        for extension in language.extensions
    }


@functools.cache
def _file_name_pattern(languages: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern whose matching group is named after the language."""
    parts = [
        f"(?P<{name}>{'|'.join(fnmatch.translate(glob) for glob in language.files)})"
        for name, language in all_languages().items()
        if language.files and language.is_chosen(languages)
    ]
    return re.compile("|".join(parts)) if parts else None


@functools.cache
def _exclude_pattern(globs: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern for the globs, each with everything below it as a folder."""
    stems = [glob.rstrip("/") for glob in globs]
    parts = [fnmatch.translate(s) for stem in stems for s in (stem, stem + "/*")]
    return re.compile("|".join(parts)) if parts else None


def reason_left_out(path: str, languages: Sequence[str]) -> str:
    """Return why the path excludes a file of a chosen language, "" when it does not."""
    reason = classify_path(path)
    return reason if reason and _language_by_name(path, tuple(languages)) else ""


def _language_by_name(path: str, chosen: tuple[str, ...]) -> str:
    name = path.rpartition("/")[2]
    extension = name[name.rfind(".") :] if "." in name else ""
    if language := _name_of_extension(chosen).get(extension, ""):
        return language
    pattern = _file_name_pattern(chosen)
    match = pattern.match(name) if pattern else None
    return (match.lastgroup or "") if match else ""


def language_of(path: str, languages: Sequence[str], exclude: Sequence[str]) -> str:
    """Return the language that a path is analysed as, or "" when it is left out."""
    language = _language_by_name(path, tuple(languages))
    if not language or classify_path(path):
        return ""
    excluded = _exclude_pattern(tuple(exclude))
    return "" if excluded and excluded.match(path) else language


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the digests of the chosen languages' files, which the facts depend on.

    Raises:
        UsageError: `project.languages` names an unknown language.
    """
    _check(settings["project.languages"])
    return {
        path.name: blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for language in _chosen(settings)
        for path in (language.query.with_name(f"{language.name}.toml"), language.query)
        if path.exists()
    }


def grammars(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `ingredients`, and the version of each grammar, "" when it is missing.

    Installing a grammar thus changes the cache key, and its files are read again.
    """
    from repobuild.engine.rule import installed_version

    names = {language.distribution for language in _chosen(settings)} - {""}
    return ingredients(settings) | {
        name: installed_version(name) for name in sorted(names)
    }


def _chosen(settings: Mapping[str, Any]) -> list[Language]:
    names = settings["project.languages"]
    return [
        language for language in all_languages().values() if language.is_chosen(names)
    ]


def _check(languages: Sequence[str]) -> None:
    from repobuild.errors import UsageError, nearest

    names = [name for name, language in all_languages().items() if not language.part_of]
    for name in languages:
        if name not in names:
            raise UsageError(
                f'unknown language "{name}" in project.languages'
                f"{nearest(name, names)}\nknown: {', '.join(names)}"
            )
