"""Find where the paths and names of an answer are in the repository.

`mentions(question, answer, lookup)` returns each path and each name in backticks once,
in order of mention; mention_parser.py has the rule of what they are.

No model is taught line numbers, because every edit moves the lines below it. So they
are looked up in the state's tables.

A name may be bare, qualified, or qualified by its module or by a package of the module.
If several elements have it, those in a path that the answer also mentions count.

A missing name or path is reported only if it must mean the repository: after one wrong
"no such name", about a parameter say, users ignore the next one. Not reported are

    Python's own names, those of imported packages, and constants
    plain words, settings and attributes, unless the question has them or they are
    called
    any name in the text of a file that the answer or its question is about
    paths that neither are in a folder of the repository nor have one of its suffixes
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from repobuild.code.graph.graph import split_id
from repobuild.code.scan.file_roles import is_test
from repobuild.evaluate.mentions.mention_parser import (
    is_python,
    names_in,
    path_of,
    paths_in,
    spans,
)
from repobuild.evaluate.mentions.symbol_lookup import SymbolLocation, SymbolLookup
from repobuild.samples.contexts.element_view import strip_counts

MOST_FILES = 20  # read for one name: thousands define `__init__`
_MOST_TEXTS = 8  # files whose text is searched for a missing name
_WORD = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# A definition's name, not a plain word: `make_thing`, `HelpFormatter`.
_COMPOUND = re.compile(r".*([a-z0-9]_+[a-z0-9]|[a-z][A-Z]|[A-Z][A-Z][a-z]).*")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name or path as it was written; without `locations` it does not exist."""

    name: str
    is_path: bool
    locations: tuple[SymbolLocation, ...] = ()
    others: int = 0  # further files that have it, beyond `MOST_FILES`


def find_mentions(
    question: str, answer: str, lookup: SymbolLookup
) -> tuple[Mention, ...]:
    """Return what an answer mentions: existing, or missing where that is certain."""
    return tuple(_AnswerReader(question, answer, lookup).mentions())


class _AnswerReader:
    """One answer with what the tables have for its paths and names."""

    def __init__(self, question: str, answer: str, lookup: SymbolLookup) -> None:
        self._question = question
        self._answer = answer
        self._lookup = lookup
        self._quoted = [path_of(span).removesuffix("()") for span in spans(answer)]
        self._paths = paths_in(answer, lookup.known)
        self._files = {path: lookup.files_ending_in(path) for path in self._paths}
        self._mentioned_files = {f for files in self._files.values() for f in files}
        names = names_in(answer, lookup.known)
        self._names = {name: self._find_name(name) for name in names}

    def mentions(self) -> Iterator[Mention]:
        parameters = self._parameters()
        reported: set[tuple[SymbolLocation, ...]] = set()
        listed = {*self._paths, *self._names}
        quoted = (text for text in self._quoted if text in listed)
        for text in dict.fromkeys([*quoted, *self._paths]):
            mention = self._mention(text)
            if mention is None or mention.locations in reported:
                continue
            if text in parameters and not self._is_in_question(text):
                continue
            if mention.locations:
                reported.add(mention.locations)
            yield mention

    def _mention(self, text: str) -> Mention | None:
        """Return one path or name, None if it is not worth reporting."""
        if text in self._files:
            locations = tuple(self._lookup.file(path) for path in self._files[text])
            if locations or self._is_missing_path(text):
                return Mention(text, True, locations)
            return None
        mention = self._names[text]
        if mention.locations:
            is_builtin = is_python(text) and not self._is_in_question(text)
            return None if is_builtin else mention
        return mention if self._is_missing_name(text) else None

    # ------------------------------------------------------------------ what exists

    def _find_name(self, name: str) -> Mention:
        paths, qual = self._lookup.definitions(name)
        mentioned = [path for path in paths if path in self._mentioned_files]
        paths = sorted(mentioned or paths, key=lambda path: (is_test(path), path))
        locations = [
            location
            for path in paths[:MOST_FILES]
            for location in self._lookup.elements(path, qual)
        ]
        # An element with exactly this name precedes methods whose last name it is.
        locations.sort(
            key=lambda p: (is_test(p.path), strip_counts(split_id(p.id)[1]) != qual)
        )
        if not locations and "." in name:
            locations = [
                self._lookup.file(path) for path in self._lookup.files_of_module(name)
            ]
        return Mention(name, False, tuple(locations), max(0, len(paths) - MOST_FILES))

    def _parameters(self) -> set[str]:
        """Return the parameters of unambiguous elements: they are no mentions."""
        certain = [
            m.locations[0].id for m in self._names.values() if len(m.locations) == 1
        ]
        return {name for id in certain for name in self._lookup.parameters(id)}

    # ------------------------------------------------------------- what is missing

    def _is_missing_path(self, path: str) -> bool:
        """Return whether a path can only mean this repository."""
        if path.startswith(("/", "~", ".")) or self._lookup.is_folder(path.strip("/")):
            return False
        folder, slash, name = path.rpartition("/")
        suffix = name.rpartition(".")[2] if "." in name else ""
        if not slash:  # neither `response.json` nor Node.js is a file
            return path in self._quoted and self._lookup.is_source_suffix(suffix)
        has_suffix = suffix in self._lookup.known.suffixes
        return has_suffix or bool(name and self._lookup.is_folder(folder))

    def _is_missing_name(self, name: str) -> bool:
        """Return whether a name can only mean a definition of this repository."""
        known, parts = self._lookup.known, name.split(".")
        if known.has_name(name) or self._lookup.is_imported(parts[0]):
            return False
        if self._lookup.is_folder(name):
            return False
        missing = [part for part in parts if not known.has_name(part)]
        if name.upper() == name or not self._must_be_defined(name, missing):
            return False
        return not any(
            re.search(rf"\b{part}\b", text) for part in missing for text in self._texts
        )

    def _must_be_defined(self, name: str, missing: list[str]) -> bool:
        """Return whether a name must be one of a function or class."""
        if self._is_in_question(name) or f"{name}()" in spans(self._answer):
            return True
        owner, dot, _ = name.rpartition(".")
        if not dot:
            return bool(_COMPOUND.fullmatch(name))
        if owner.islower():  # a module; else a setting, or a variable's attribute
            return "." in owner and bool(self._lookup.files_of_module(owner))
        return any(_COMPOUND.fullmatch(p) for p in missing) or owner not in missing

    def _is_in_question(self, name: str) -> bool:
        return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self._question))

    @cached_property
    def _texts(self) -> list[str]:
        """The texts of files that the answer and its question are about."""
        paths = dict.fromkeys(islice(self._subjects(), 4 * _MOST_TEXTS))
        return [self._lookup.text(path) for path in islice(paths, _MOST_TEXTS)]

    def _subjects(self) -> Iterator[str]:
        for files in self._files.values():
            yield from files[:1]
        for mention in self._names.values():
            yield from (location.path for location in mention.locations[:1])
        for word in _WORD.findall(self._question):
            yield from self._lookup.definitions(word)[0][:1]
