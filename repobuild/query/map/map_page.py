"""Render the map as one HTML document: data, style and program in one file.

**Every text of the analysed repository is untrusted.** It reaches the page in one way:
as JSON, compressed, and written in the 64 signs of base64, so that no name ends the
element that holds it. The program gives it to `textContent` and to attributes that hold
text, never to a parser of HTML; `require-trusted-types-for` makes the browser refuse
the latter. The policy lets only the program and the style of this file run, by their
digests, and no request leave the page.

Compressed, the page of a repository of 1,600 files and 35,000 elements takes a quarter
of its JSON. Browsers unpack it by themselves (`DecompressionStream`: Chromium 80,
Firefox 113, Safari 16.4); others show what is missing.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from repobuild.errors import UsageError
from repobuild.plain_text import escape_line, json_text
from repobuild.query.freshness import build_command
from repobuild.query.graph_view import GraphSource
from repobuild.query.map.map_history import history_of
from repobuild.query.map.map_nodes import (
    cochange_of_map,
    described,
    edges_of_map,
    nodes_of,
    scopes_of_map,
)

VERSION = 1
_ASSETS = files("repobuild.query.map") / "assets"
Redact = Callable[[Any], Any]


def map_data(source: GraphSource, commits: int, title: str = "") -> dict[str, Any]:
    """Return everything that the page shows; `commits` are those of its slider.

    Raises `UsageError` where there is no hierarchy.
    """
    with source.reading() as view:
        freshness = source.freshness.facts(view.build)
        if not view.areas.nodes:
            raise UsageError(f"there is no hierarchy yet\nbuild it: {build_command()}")
        nodes = nodes_of(view)
        history = history_of(view, nodes, commits)
        return {
            "version": VERSION,
            "title": title,
            "freshness": freshness,
            "nodes": {**nodes.columns(), **described(view, nodes)},
            "scopes": scopes_of_map(view, nodes),
            "edges": edges_of_map(view, nodes),
            "cochange": cochange_of_map(view, nodes),
            "history": history.columns(),
        }


def render_map(data: Mapping[str, Any], redact: Redact = lambda value: value) -> str:
    """Return the document; secrets in its texts are replaced by `redact`."""
    shown = _plain({key: redact(value) for key, value in data.items()})
    packed = zlib.compress(json_text(shown).encode("utf-8", "replace"), 9)
    program, style = _program(), (_ASSETS / "map.css").read_text("utf-8")
    return Template((_ASSETS / "map.html").read_text("utf-8")).substitute(
        policy=escape(_policy(program, style)),
        title=escape(f"{shown['title']}: repository graph"),
        style=style,
        data=base64.b64encode(packed).decode(),
        program=program,
    )


def _program() -> str:
    """Return the program: its files in the order of their numbers."""
    parts = sorted(
        (path for path in _ASSETS.iterdir() if path.name.endswith(".js")),
        key=lambda path: path.name,
    )
    return "\n".join(path.read_text("utf-8") for path in parts)


def _policy(program: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src '{_digest(program)}'; "
        f"style-src '{_digest(style)}'; img-src data:; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()


def _plain(value: Any) -> Any:
    """Return plain data without control characters and signs that turn text around."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else escape_line(value)
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
