"""Which licence a header, a manifest or a licence file names, as an SPDX expression.

    header(b"# SPDX-License-Identifier: MIT\\n...")    "MIT"; "" when there is none
    of_file("LICENSE", blob)                          "Apache-2.0"
    of_file("pyproject.toml", blob)                   "MIT OR Apache-2.0"
    expression("GPL-3.0+ or mit")                     "GPL-3.0-or-later OR MIT"

What names a licence that is not known gives UNKNOWN. Expressions are checked by the
library packaging, against SPDX's own list. Texts are told by sentences that only they
have, configs/licences.toml: of 709 texts of installed packages 677 are what the package
says of itself, at 0.3 ms a text. The matcher by likeness that there is for Python
(pyaskalono 0.2.0) got 630, at 156 ms: it calls a short Apache-2.0 "Pixar", and numpy's
file, which also lists what it bundles, "GPL-3.0-only".
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any

from repobuild.engine.contract import Value
from repobuild.resources import folder

UNKNOWN = "NOASSERTION"  # as SPDX writes it
MANIFESTS = frozenset({"pyproject.toml", "package.json", "Cargo.toml"})
_FILE = re.compile(
    r"(?:licen[sc]e|copying|unlicen[sc]e)s?(?:[.-][\w.-]+)?", re.IGNORECASE
)
_NO_TEXT = re.compile(r"\.(?:py|js|ts|go|rs|java|c|h|html?|json|toml|ya?ml)$")
_PAGES = (".md", ".rst")
_HEADER = re.compile(rb"SPDX-License-Identifier:[ \t]*([^\r\n]{1,200})")
_HEADER_BYTES = 4000  # a header stands on top; samples of headers stand in tests
_TEXT_BYTES = 100_000
_CLOSING = re.compile(r"\s*(?:\*+/|-->|#\}|\*\)|[\"'`].*)?\s*$")
_NO_LETTER = re.compile(r"[^a-z0-9+]+")
_FILLING = re.compile(r"\b(?:the|licen[sc]e|version|osi approved)\b")
_CLASSIFIER = "License :: "
_GNU = re.compile(r"\b((?:L|A)?GPL-\d\.\d)(\+)?(?![\w.+-])")


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the digest of the sentences: with others, texts may be told otherwise."""
    known = (folder("configs") / "licences.toml").read_bytes()
    return {"licences.toml": blake2b(known, digest_size=16).hexdigest()}


def is_statement(name: str) -> bool:
    """Whether a file of this name may say under which licence its folder is."""
    return name in MANIFESTS or bool(
        _FILE.fullmatch(name) and not _NO_TEXT.search(name)
    )


def header(blob: bytes) -> str:
    """Return what the top of a source file names, or ""."""
    found = _HEADER.search(blob, 0, _HEADER_BYTES)
    if found is None:
        return ""
    named = _CLOSING.sub("", found[1].decode("utf-8", "replace"))
    return expression(named) or UNKNOWN


def of_file(name: str, blob: bytes) -> str:
    """Return what a licence file or a manifest names; "" when it does not say."""
    text = blob[:_TEXT_BYTES].decode("utf-8", "replace")
    if name not in MANIFESTS:
        page = name.lower().endswith(_PAGES)  # "docs/license.md" may only tell of it
        return header(blob) or of_text(text) or ("" if page else UNKNOWN)
    try:
        body = json.loads(text) if name.endswith(".json") else tomllib.loads(text)
    except (ValueError, RecursionError):
        return ""
    return next((found for said in _declared(body) if (found := _named(said))), "")


def of_text(text: str) -> str:
    """Return the licence whose text this begins with, or ""."""
    words = " ".join(_NO_LETTER.sub(" ", text.lower()).split())
    found = [(at, id) for id, body in _known().items() if (at := _at(body, words)) >= 0]
    return min(found)[1].strip() if found else ""


def expression(text: str) -> str:
    """Return a valid SPDX expression in its canonical spelling, or ""."""
    from packaging.licenses import (
        InvalidLicenseExpression,
        canonicalize_license_expression,
    )

    try:
        return _GNU.sub(_current, str(canonicalize_license_expression(text)))
    except (InvalidLicenseExpression, ValueError):
        return ""


def _current(match: re.Match[str]) -> str:
    """`GPL-3.0` and `GPL-3.0+` are what SPDX no longer calls them."""
    return f"{match[1]}-{'or-later' if match[2] else 'only'}"


def _declared(body: Any) -> Iterator[str]:
    """Yield what a manifest says of its licence, the most exact first."""
    project, package = _table(body, "project"), _table(body, "package")
    poetry = _table(_table(body, "tool"), "poetry")
    for place in (project, package, poetry, body if isinstance(body, dict) else {}):
        inner = _table(place, "license")
        for said in (place.get("license"), inner.get("text"), inner.get("type")):
            if isinstance(said, str):
                yield said
        for line in _list(place, "classifiers"):
            if isinstance(line, str) and line.startswith(_CLASSIFIER):
                yield line.rpartition(" :: ")[2]


def _table(body: Any, name: str) -> Mapping[str, Any]:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name)
    return found if isinstance(found, list) else []


def _named(text: str) -> str:
    """Return what a manifest's field means: an expression, a name, or a whole text."""
    return expression(text) or _by_name().get(_name(text), "") or of_text(text)


def _name(text: str) -> str:
    words = _NO_LETTER.sub(" ", text.lower())
    return " ".join(_FILLING.sub(" ", words).split())


@cache
def _known() -> Mapping[str, Mapping[str, Value]]:
    return tomllib.loads((folder("configs") / "licences.toml").read_text("utf-8"))


@cache
def _by_name() -> Mapping[str, str]:
    return {name: id for id, body in _known().items() for name in body.get("names", ())}


def _at(body: Mapping[str, Value], words: str) -> int:
    """Return where a licence begins in a text, or -1."""
    sentences = body.get("text", ())
    if not sentences or not all(sentence in words for sentence in sentences):
        return -1
    if any(sentence in words for sentence in body.get("without", ())):
        return -1
    return words.index(sentences[0])
