"""Where the things that an answer names stand, whatever the answer says of them.

    mentions(question, answer, ground)      each path and each name in backticks once,
                                            in order of mention; known.py has the rule

A model is taught no line numbers: every edit moves the lines of all that lies below it.
So they are looked up in the state's tables.

A name is a bare one, a qualified one, or one behind its module or a package of that.
Where several elements have it, those count that stand in a path which the answer names.

What is not found is told only where it must mean the repository; who reads "no such
name" behind a parameter does not read the next one.  Not told are

    Python's own names, those of imported packages, and constants
    plain words, settings and attributes, unless they are asked about or called
    whatever stands in the text of a file that the answer or its question is about
    paths that are neither in a folder of the repository nor end as its files do
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from repobuild.code.graph.graph import split_id
from repobuild.code.resolve.python.modules import stem_of
from repobuild.evaluate.scoring.mention_parser import (
    is_python,
    names_in,
    path_of,
    paths_in,
    spans,
)
from repobuild.evaluate.scoring.symbol_lookup import SymbolLocation, SymbolLookup
from repobuild.samples.contexts.element_view import shown
from repobuild.samples.contexts.graph_reader import is_test
from repobuild.samples.text.import_statements import module_of

MOST_FILES = 20  # that are read for one name: `__init__` stands in thousands
_AT_HAND = 8  # files whose text is searched
_WORD = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
# As definitions are called and plain words are not: `make_thing`, `HelpFormatter`.
_COMPOSED = re.compile(r".*([a-z0-9]_+[a-z0-9]|[a-z][A-Z]|[A-Z][A-Z][a-z]).*")


@dataclass(frozen=True, slots=True)
class Mention:
    """A name or path as it was written; no places: it is nowhere."""

    name: str
    is_path: bool
    places: tuple[SymbolLocation, ...] = ()
    others: int = 0  # files beyond `MOST_FILES` that have it, too


def mentions(question: str, answer: str, ground: SymbolLookup) -> tuple[Mention, ...]:
    """What an answer names: found, or surely meant and missing."""
    return tuple(_Reading(question, answer, ground).mentions())


class _Reading:
    """One answer, read against the tables."""

    def __init__(self, question: str, answer: str, ground: SymbolLookup) -> None:
        self._question = question
        self._answer = answer
        self._ground = ground
        self._written = [path_of(span).removesuffix("()") for span in spans(answer)]
        self._paths = paths_in(answer, ground.known)
        self._files = {path: self._files_of(path) for path in self._paths}
        self._near = {path for found in self._files.values() for path in found}
        names = names_in(answer, ground.known)
        self._found = {name: self._named(name) for name in names}

    def mentions(self) -> Iterator[Mention]:
        parameters = self._parameters()
        told: set[tuple[SymbolLocation, ...]] = set()
        for text in self._in_order():
            mention = self._of(text)
            if mention is None or mention.places in told:
                continue
            if text in parameters and not self._is_asked(text):
                continue
            told |= {mention.places} - {()}
            yield mention

    def _in_order(self) -> list[str]:
        listed = {*self._paths, *self._found}
        written = (text for text in self._written if text in listed)
        return list(dict.fromkeys([*written, *self._paths]))

    def _of(self, text: str) -> Mention | None:
        if text in self._files:
            places = tuple(self._ground.file(path) for path in self._files[text])
            is_told = bool(places) or self._is_lost_path(text)
            return Mention(text, True, places) if is_told else None
        mention = self._found[text]
        if mention.places:
            aside = is_python(text) and not self._is_asked(text)
            return None if aside else mention
        return mention if self._is_lost_name(text) else None

    # ------------------------------------------------------------------- what is there

    def _files_of(self, path: str) -> list[str]:
        """The file of a path, or those of a path that begins further in."""
        if path in self._ground.known.paths:
            return [path]
        name = stem_of(path).rpartition("/")[2]
        found = self._ground.modules(name)
        return [file for file in found if file.endswith(f"/{path}")]

    def _named(self, name: str) -> Mention:
        paths, qual = self._holders(name)
        near = [path for path in paths if path in self._near]
        paths = sorted(near or paths, key=lambda path: (is_test(path), path))
        read = (self._ground.elements(path, qual) for path in paths[:MOST_FILES])
        found = [place for places in read for place in places]
        # What is called so whole comes before methods that are called so at the end.
        found.sort(key=lambda p: (is_test(p.path), shown(split_id(p.id)[1]) != qual))
        if not found and "." in name:
            found = [self._ground.file(path) for path in self._module(name)]
        return Mention(name, False, tuple(found), max(0, len(paths) - MOST_FILES))

    def _holders(self, name: str) -> tuple[list[str], str]:
        """The files that hold a name, and what of it is no module's."""
        parts = name.split(".")
        for start in range(len(parts)):
            module, qual = ".".join(parts[:start]), ".".join(parts[start:])
            if paths := _below(module, self._ground.holders(qual)):
                return paths, qual
        return [], ""

    def _module(self, name: str) -> list[str]:
        found = self._ground.modules(name.rpartition(".")[2])
        return [p for p in found if f".{module_of(p)}".endswith(f".{name}")]

    def _parameters(self) -> set[str]:
        """Of the elements that are surely meant: they are no mentions themselves."""
        sure = [m.places[0].id for m in self._found.values() if len(m.places) == 1]
        return {name for id in sure for name in self._ground.parameters(id)}

    # --------------------------------------------------------------------- what is not

    def _is_lost_path(self, path: str) -> bool:
        """A path that only this repository can be meant by."""
        if path.startswith(("/", "~", ".")) or self._ground.is_folder(path.strip("/")):
            return False
        folder, slash, name = path.rpartition("/")
        suffix = name.rpartition(".")[2] if "." in name else ""
        if not slash:  # `response.json` is no file, neither is Node.js
            return path in self._written and self._ground.is_source(suffix)
        has_suffix = suffix in self._ground.known.suffixes
        return has_suffix or bool(name and self._ground.is_folder(folder))

    def _is_lost_name(self, name: str) -> bool:
        known, parts = self._ground.known, name.split(".")
        if known.has_name(name) or self._ground.is_imported(parts[0]):
            return False
        lost = [part for part in parts if not known.has_name(part)]
        if name.upper() == name or not self._is_claim(name, lost):
            return False
        return not any(self._is_at_hand(part) for part in lost)

    def _is_claim(self, name: str, lost: list[str]) -> bool:
        """Whether a name must be one of a function or class."""
        if self._is_asked(name) or f"{name}()" in spans(self._answer):
            return True
        holder, dot, _ = name.rpartition(".")
        if not dot:
            return bool(_COMPOSED.fullmatch(name))
        if holder.islower():  # of a module, else a setting, or a variable's attribute
            return "." in holder and bool(self._module(holder))
        return any(_COMPOSED.fullmatch(p) for p in lost) or holder not in lost

    def _is_asked(self, name: str) -> bool:
        return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", self._question))

    def _is_at_hand(self, name: str) -> bool:
        return any(re.search(rf"\b{name}\b", text) for text in self._texts)

    @cached_property
    def _texts(self) -> list[str]:
        """The files that the answer and its question are about."""
        paths = dict.fromkeys(islice(self._concerned(), 4 * _AT_HAND))
        return [self._ground.text(path) for path in islice(paths, _AT_HAND)]

    def _concerned(self) -> Iterator[str]:
        for found in self._files.values():
            yield from found[:1]
        for mention in self._found.values():
            yield from (place.path for place in mention.places[:1])
        for word in _WORD.findall(self._question):
            yield from self._holders(word)[0][:1]


def _below(module: str, paths: list[str]) -> list[str]:
    """The files of a module of that name, else those of what lies in a package of it:
    what `click.core` defines is also called `click.Command`."""
    if not module:
        return paths
    named = [p for p in paths if f".{module_of(p)}".endswith(f".{module}")]
    return named or [p for p in paths if f".{module}." in f".{module_of(p)}."]
