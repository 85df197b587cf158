"""Reads what REUSE says of a file's licence: REUSE.toml, .reuse/dep5, FILE.license.

    REUSE.toml     annotations with path globs below its folder; the last match counts.
                   `precedence` says how it goes with the file's own header: "closest"
                   (the default) gives way, "aggregate" adds, "override" wins
    .reuse/dep5    the older form: paragraphs `Files:` and `License:`; gives way
    FILE.license   stands for the header of FILE

Several tags, in a file or an annotation, apply together.

Source: the REUSE Specification, version 3.3 (https://reuse.software/spec).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from repobuild.code.licence.detect import UNKNOWN, join_licences, spdx_expression

REUSE_TOML = "REUSE.toml"
DEP5 = ".reuse/dep5"
COMPANION = ".license"
_TAG = "SPDX-License-Identifier"
_ANY, _IN_FOLDER, _ONE = object(), object(), object()  # wildcards
_MAX_BYTES = 1_000_000

ReadFile = Callable[[str], bytes | None]  # by path; None where there is no such file
_Token = object  # a wildcard, or literal text


class ReuseTerm(NamedTuple):
    """What one annotation says of a file."""

    licence: str
    source: str  # path of the REUSE.toml or dep5
    precedence: str  # "closest", "aggregate" or "override"


class _Annotation(NamedTuple):
    patterns: tuple[tuple[_Token, ...], ...]
    licence: str
    precedence: str


class ReuseFiles:
    """The REUSE.toml and dep5 files of one tree, each read once."""

    def __init__(self, read: ReadFile) -> None:
        self._read = read
        self._known: dict[str, tuple[_Annotation, ...]] = {}

    def term(self, path: str) -> ReuseTerm | None:
        """Return what applies to a path: the outermost override, else the nearest."""
        nearest: ReuseTerm | None = None
        folders = path.split("/")[:-1]
        for depth in range(len(folders) + 1):
            folder = "".join(f"{name}/" for name in folders[:depth])
            for name in (DEP5, REUSE_TOML):
                found = self._match(folder + name, path[len(folder) :])
                if found and found.precedence == "override":
                    return found
                nearest = found or nearest
        return nearest

    def _match(self, source: str, inner: str) -> ReuseTerm | None:
        if source not in self._known:
            data = (self._read(source) or b"")[:_MAX_BYTES]
            parse = _parse_dep5 if source.endswith(DEP5) else _parse_toml
            self._known[source] = tuple(parse(data.decode("utf-8", "replace")))
        for one in reversed(self._known[source]):
            if any(_matches(pattern, inner) for pattern in one.patterns):
                return ReuseTerm(one.licence, source, one.precedence)
        return None


def concerned_folder(path: str) -> str | None:
    """Return the folder that a REUSE file is about ("" = all); None for other files."""
    folder, slash, name = path.rpartition("/")
    if name == REUSE_TOML:
        return folder + slash
    if f"/{path}".endswith(f"/{DEP5}"):
        return path.removesuffix(DEP5)
    return None


def _parse_toml(text: str) -> Iterator[_Annotation]:
    try:
        listed = tomllib.loads(text).get("annotations", ())
    except (ValueError, RecursionError):
        return
    for entry in listed if isinstance(listed, list) else ():
        if not isinstance(entry, dict):
            continue
        licence = join_licences(
            spdx_expression(one) or UNKNOWN for one in _texts(entry.get(_TAG))
        )
        patterns = tuple(_tokens(one, "*") for one in _texts(entry.get("path")))
        if licence and patterns:
            precedence = str(entry.get("precedence", "closest"))
            yield _Annotation(patterns, licence, precedence)


def _parse_dep5(text: str) -> Iterator[_Annotation]:
    for paragraph in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in paragraph.split("\n"):
            if not line.startswith((" ", "\t")):
                name, _, line = line.partition(":")
            fields[name] = f"{fields.get(name, '')} {line.strip()}".strip()
        licence = fields.get("License", "")
        if licence and fields.get("Files"):
            patterns = tuple(_tokens(one, "") for one in fields["Files"].split())
            named = spdx_expression(licence) or UNKNOWN
            yield _Annotation(patterns, named, "closest")


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]


def _tokens(pattern: str, single: str) -> tuple[_Token, ...]:
    """Return literal texts and wildcards; `single` is the star within a folder."""
    tokens: list[_Token] = []
    literal, rest = "", pattern
    while rest:
        size, wildcard = 1, None
        if rest.startswith("\\") and len(rest) > 1:
            literal, rest = literal + rest[1], rest[2:]
            continue
        if rest[0] == "*":
            size = len(rest) - len(rest.lstrip("*"))
            wildcard = _IN_FOLDER if single and size == 1 else _ANY
        elif rest[0] == "?" and not single:
            wildcard = _ONE
        if wildcard is None:
            literal += rest[0]
        else:
            tokens += [literal, wildcard] if literal else [wildcard]
            literal = ""
        rest = rest[size:]
    return tuple([*tokens, literal] if literal else tokens)


def _matches(tokens: tuple[_Token, ...], path: str) -> bool:
    """Follow all positions that a pattern can have reached, a token at a time.

    So the cost is the pattern's length times the path's, whatever the pattern.
    """
    reached = {0}
    for token in tokens:
        if token is _ANY:
            reached = set(range(min(reached), len(path) + 1))
        elif token is _IN_FOLDER:
            ends = (path.find("/", start) for start in reached)
            stops = [end if end >= 0 else len(path) for end in ends]
            spans = zip(reached, stops, strict=True)
            reached = {at for start, stop in spans for at in range(start, stop + 1)}
        elif token is _ONE:
            reached = {start + 1 for start in reached if start < len(path)}
        else:
            text = str(token)
            reached = {at + len(text) for at in reached if path.startswith(text, at)}
        if not reached:
            return False
    return len(path) in reached
