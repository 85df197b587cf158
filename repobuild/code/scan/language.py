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

`FileChoice.decide` is called for every path of a snapshot, so this module imports no
grammar.
"""

from __future__ import annotations

import fnmatch
import functools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from repobuild.code.scan.generated import classify_path
from repobuild.code.scan.linguist_attributes import UNMARKED, LinguistMarks
from repobuild.resources import data_folder

AUTO = "auto"  # every language; a file is read if its grammar is installed
NO_GRAMMAR = "no grammar for "  # begins the reason for which a file is left out
_ALL_GRAMMARS = "'repobuild[languages]'"
DOCUMENTS = frozenset({"markdown", "restructuredtext"})
PROSE = DOCUMENTS | {"manifest"}  # files that define no code


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

    @property
    def family(self) -> str:
        """The name under which `project.languages` chooses it."""
        return self.part_of or self.name

    @property
    def is_installed(self) -> bool:
        """Whether its grammar, if it needs one, is installed; nothing is imported."""
        return not self.grammar or _is_installed(self.grammar)

    def is_chosen(self, languages: Sequence[str]) -> bool:
        """Return whether `project.languages` includes it."""
        return self.always or self.family in languages


@functools.cache
def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


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


def language_names() -> tuple[str, ...]:
    """Return the names that `project.languages` may hold, sorted."""
    known = all_languages().values()
    return tuple(one.name for one in known if not (one.always or one.part_of))


def chosen_languages(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that `project.languages` stands for."""
    names = settings["project.languages"]
    return language_names() if names == AUTO else tuple(names)


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
def _glob_pattern(globs: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern for the globs, each with everything below it as a folder."""
    stems = [glob.rstrip("/") for glob in globs]
    parts = [fnmatch.translate(s) for stem in stems for s in (stem, stem + "/*")]
    return re.compile("|".join(parts)) if parts else None


def _language_by_name(path: str, chosen: tuple[str, ...]) -> str:
    name = path.rpartition("/")[2]
    extension = name[name.rfind(".") :] if "." in name else ""
    if language := _name_of_extension(chosen).get(extension, ""):
        return language
    pattern = _file_name_pattern(chosen)
    match = pattern.match(name) if pattern else None
    return (match.lastgroup or "") if match else ""


@dataclass(frozen=True, slots=True)
class FileChoice:
    """The settings that say which files are analysed; see docs/configuration.md."""

    languages: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    only: tuple[str, ...] = ()  # for one part of a monorepo

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> FileChoice:
        return cls(
            chosen_languages(settings),
            tuple(settings["project.exclude"]),
            tuple(settings["project.include"]),
            tuple(settings["project.only"]),
        )

    def decide(self, path: str, marks: LinguistMarks = UNMARKED) -> FileDecision:
        """Return how a path is analysed.

        `only` beats `exclude`, that beats `include`, that beats marks.

        A file that nobody chose (its language is unknown, or not in `languages`) has
        neither a language nor a reason.
        """
        language = _language_by_name(path, self.languages)
        if not language:
            return FileDecision("", "", False)
        if self.only and not _is_match(self.only, path):
            return FileDecision("", "outside project.only", False)
        if _is_match(self.exclude, path):
            return FileDecision("", "excluded", False)
        if _is_match(self.include, path):
            return FileDecision(language, "", True)
        if reason := classify_path(path, marks):
            return FileDecision("", reason, False)
        return FileDecision(language, "", marks.generated is False)


class FileDecision(NamedTuple):
    """How a file is analysed."""

    language: str  # "" when it is not
    left_out: str  # why not, such as "excluded", "vendored" or "generated"
    kept: bool  # also when its content looks generated or minified


def _is_match(globs: tuple[str, ...], path: str) -> bool:
    pattern = _glob_pattern(globs) if globs else None
    return bool(pattern and pattern.match(path))


def language_of(path: str, languages: Sequence[str], exclude: Sequence[str]) -> str:
    """Return the language that a path is analysed as, or "" when it is left out."""
    return FileChoice(tuple(languages), tuple(exclude)).decide(path).language


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the digests of the chosen languages' files, which the facts depend on.

    Raises:
        UsageError: `project.languages` names an unknown language.
    """
    _check(chosen_languages(settings))
    return {
        path.name: blake2b(path.read_bytes(), digest_size=16).hexdigest()
        for language in _chosen(settings)
        for path in (language.query.with_name(f"{language.name}.toml"), language.query)
        if path.exists()
    }


def grammars(settings: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what the facts of a file depend on, by its language.

    That is the digests of the language's files, and the version of its grammar, "" when
    it is missing: to install it changes the keys of its own files, no others.
    """
    from repobuild.engine.rule import installed_version

    digests = ingredients(settings)
    found: dict[str, dict[str, str]] = {}
    for language in _chosen(settings):
        names = (f"{language.name}.toml", language.query.name)
        own = {name: digests[name] for name in names if name in digests}
        if tool := language.distribution:
            own[tool] = installed_version(tool)
        found[language.name] = own
    return found


def without_grammar(language: str) -> str:
    """Return the reason for which files in a language are not read."""
    return f"{NO_GRAMMAR}{all_languages()[language].family}"


def install_grammars(languages: Iterable[str]) -> str:
    """Return the command that installs the grammars of these languages."""
    needed = {all_languages()[name].distribution for name in languages}
    return f"pip install {needed.pop() if len(needed) == 1 else _ALL_GRAMMARS}"


def _chosen(settings: Mapping[str, Any]) -> list[Language]:
    names = chosen_languages(settings)
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
