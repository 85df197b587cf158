"""Word reasons, obstacles and forecasts of the engine, each short enough for a line.

`why` words plain reasons (engine/explain/reason.py), as `--json` prints them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from repobuild.cli.output import number_of
from repobuild.engine.explain.reason import Cause
from repobuild.plain_text import json_text

if TYPE_CHECKING:
    from repobuild.engine.as_of import Obstacle
    from repobuild.engine.explain.forecast import StaleReason

_MAX_CHARACTERS = 60
_DIGEST = re.compile(r"[0-9a-f]{24,}")
_DIGEST_CHARACTERS = 10
_LISTED = 3  # changes of a manifest
_GRAMMAR = "tree-sitter-"
_CONTEXT = 10  # characters shown before the first difference of two texts

Plain = Mapping[str, Any]


def short_value(value: Any, most: int = _MAX_CHARACTERS) -> str:
    """Return a value for people, cut to `most` characters; a digest is cut to ten."""
    if value is None:
        return "nothing"
    text = value.hex() if isinstance(value, bytes) else value
    text = text if isinstance(text, str) else json_text(text, default=str)
    if _DIGEST.fullmatch(text):
        return text[:_DIGEST_CHARACTERS]
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def short_key(key: str) -> str:
    """Return a row's key; a commit or digest is cut to ten characters."""
    return key[:_DIGEST_CHARACTERS] if _DIGEST.fullmatch(key) else key


def from_to(old: Any, new: Any) -> str:
    """Return two values; of long texts, the part around the first difference."""
    if not (isinstance(old, str) and isinstance(new, str)) or _DIGEST.fullmatch(old):
        return f"{short_value(old)} to {short_value(new)}"
    same = len(os.path.commonprefix([old, new]))
    start = same - _CONTEXT if max(len(old), len(new)) > _MAX_CHARACTERS // 2 else 0
    cut = [text if start <= 0 else "…" + text[start:] for text in (old, new)]
    mark = '"' if any(not text or " " in text for text in cut) else ""
    most = _MAX_CHARACTERS // 2
    return " to ".join(f"{mark}{short_value(text, most)}{mark}" for text in cut)


def commit_text(commit: str, subject: str) -> str:
    """Return a commit with its subject; "the work tree" without a commit."""
    if not commit:
        return "the work tree"
    return f'{commit[:10]} "{short_value(subject, 40)}"' if subject else commit[:10]


def field_text(leaf: Plain) -> str:
    """Return one changed field, from what to what."""
    name = f"{leaf['name']} " if leaf["name"] else ""
    if leaf["from"] is None:
        return f"{name}{short_value(leaf['to'])} came"
    if leaf["to"] is None:
        return f"{name}{short_value(leaf['from'])} went"
    return f"{name}{from_to(leaf['from'], leaf['to'])}"


def fields(leaves: list[Plain], most: int = 2) -> str:
    """Return the first changed fields and how many more there are."""
    text = "; ".join(field_text(leaf) for leaf in leaves[:most])
    more = len(leaves) - most
    return text + (f"; {more} more" if more > 0 else "")


# ---------------------------------------------------------------- why something changed


def sentence(reason: Plain) -> str:
    """Return what a plain reason says, without the reasons that led to it."""
    return _SENTENCES[Cause(reason["cause"])](reason)


def _manifest_sentence(word: str) -> Callable[[Plain], str]:
    return lambda reason: f"{word} {reason['name']} {_values(reason)}"


def _values(reason: Plain) -> str:
    return from_to(reason["from"], reason["to"])


def _version(reason: Plain) -> str:
    return f"rule version {_values(reason)}"


def _never_built(reason: Plain) -> str:
    what = " ".join(filter(None, (reason["table"], reason["key"][:10])))
    return f"{what} was never built before"


def _evicted(reason: Plain) -> str:
    return f"gc took the artifact {short_value(reason['to'] or reason['from'])}"


def _parent(reason: Plain) -> str:
    return f"it starts from another parent, {_values(reason)}"


def _input_sentence(word: str) -> Callable[[Plain], str]:
    def worded(reason: Plain) -> str:
        if reason["table"] == "git":
            where = commit_text(reason["commit"], reason["subject"])
            return f"{reason['key']} {word} in {where}"
        text = " ".join(filter(None, (reason["table"], short_key(reason["key"]), word)))
        if reason["fields"]:
            return f"{text}: {fields(reason['fields'])}"
        if reason["from"] or reason["to"]:
            return f"{text}: {reason['name']} {_values(reason)}"
        return f"{text} ({reason['name']})" if reason["name"] else text

    return worded


_SENTENCES = {
    Cause.INPUT_CHANGED: _input_sentence("changed"),
    Cause.INPUT_ADDED: _input_sentence("added"),
    Cause.INPUT_REMOVED: _input_sentence("removed"),
    Cause.SETTING_CHANGED: _manifest_sentence("setting"),
    Cause.TOOL_CHANGED: _manifest_sentence("tool"),
    Cause.INGREDIENT_CHANGED: _manifest_sentence("ingredient"),
    Cause.RULE_VERSION_CHANGED: _version,
    Cause.PARENT_CHANGED: _parent,
    Cause.NEVER_BUILT: _never_built,
    Cause.EVICTED: _evicted,
}


# ------------------------------------------------------- why a table is stale, or stuck


def stale_text(reason: StaleReason) -> str:
    """Return why a table is stale, for `status`."""
    from repobuild.engine.explain.forecast import Staleness

    names = ", ".join(reason.names)
    if reason.kind is Staleness.MANIFEST_CHANGED:
        plain = [found.plain() for found in reason.reasons]
        return _manifest_text(plain) or "starts anew"
    if reason.kind is Staleness.PATHS_CHANGED:
        more = "" if reason.count <= len(reason.names) else ", …"
        return f"{reason.count} changed path{'s' * (reason.count != 1)}: {names}{more}"
    return {
        Staleness.NEVER_BUILT: "never built",
        Staleness.OTHER_TREE: "another tree",
        Staleness.OTHER_COMMIT: "another commit",
        Staleness.INPUTS_STALE: f"depends on {names}",
        Staleness.ROWS_PENDING: "news of its inputs are waiting",
        Staleness.TASK_NOT_BUILT: "not built for this commit",
    }[reason.kind]


def _manifest_text(reasons: Sequence[Plain]) -> str:
    """Return what changed of a manifest; of many grammars and queries, their number."""
    # A grammar that is not installed is "", and no longer listed is nothing.
    seen = [r for r in reasons if (r["from"] or "") != (r["to"] or "") or not r["name"]]
    files = [r for r in seen if Cause(r["cause"]) is Cause.INGREDIENT_CHANGED]
    few = seen if len(files) <= _LISTED else [r for r in seen if r not in files]
    parts = [sentence(r) for r in few[:_LISTED]]
    if len(few) > _LISTED:
        parts.append(f"{len(few) - _LISTED} more changes")
    if len(files) > _LISTED:
        grammars = [r for r in files if r["name"].startswith(_GRAMMAR)]
        others = [r for r in files if r not in grammars]
        parts += [
            _many(r, w) for r, w in ((others, "ingredient"), (grammars, "grammar")) if r
        ]
    return "; ".join(parts)


def _many(reasons: Sequence[Plain], word: str) -> str:
    verb = "changed"
    if not any(reason["to"] for reason in reasons):
        verb = "went"
    elif not any(reason["from"] for reason in reasons):
        verb = "came"
    names = ", ".join(reason["name"] for reason in reasons[:_LISTED])
    more = ", …" if len(reasons) > _LISTED else ""
    return f"{number_of(len(reasons), word)} {verb} ({names}{more})"


def obstacle_text(obstacle: Obstacle) -> str:
    """Return why `verify` cannot remake a table."""
    from repobuild.engine.as_of import ObstacleKind

    if obstacle.kind is ObstacleKind.WORK_TREE:
        return "built from a work tree"
    if obstacle.kind is ObstacleKind.COMMIT_GONE:
        return f"its commit {obstacle.commit[:10]} is not in this repository any more"
    reasons = (f"{r.table}: {sentence(r.plain())}" for r in obstacle.reasons)
    return f"made by what is not installed now ({'; '.join(reasons)}); build first"
