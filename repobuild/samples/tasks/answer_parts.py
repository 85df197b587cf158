"""The pieces that answers share: signature, parameters, lists, code."""

from __future__ import annotations

from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import shown
from repobuild.samples.tasks.facts import FactScope

MEMBERS = 8  # names in a list; a longer one says that there are more
LONGEST_LIST = 420  # characters, about 140 tokens of the embedded model
PARAMETERS = 8
_NOTHING = ("None", "void", "()")  # that nothing is returned needs no line
LONGEST_DEFAULT = 40


def signature(about: FactScope) -> str:
    text = about.get("signature")
    part = "definition" if about.get("kind") == "class" else "signature"
    return about.phrases.part(part, code=code(about, text)) if text else ""


def summary(about: FactScope) -> str:
    text = about.get("summary")
    return about.phrases.part("summary", summary=text) if text else ""


def code(about: FactScope, text: str) -> str:
    return about.phrases.words["code"].format(fence=about.get("fence"), code=text)


def parameters(about: FactScope, described: bool = False) -> str:
    """One line for each parameter, with its type, default and description.

    With `described`, nothing unless this says more than the signature does.
    """
    rows = about.get("params") or []
    if not rows or (described and not any(text for *_, text in rows)):
        return ""
    part = about.phrases.part
    lines = [_parameter(about, row) for row in rows[:PARAMETERS]]
    while sum(map(len, lines)) > LONGEST_LIST and len(lines) > 1:
        lines.pop()
    return part("parameters", items="\n".join(lines))


def _parameter(about: FactScope, row: list[str]) -> str:
    name, type, default, text, _ = row
    part = about.phrases.part
    line = part("parameter", name=name)
    if type:
        line += part("type", type=type)
    if default and len(default) <= LONGEST_DEFAULT:
        line += part("default", default=default)
    return line + part("description", text=text) if text else line


def returns(about: FactScope) -> str:
    type, text = about.get("returns"), about.get("returns_text")
    if type in _NOTHING:
        return ""
    if text:
        typed = about.phrases.part("returned", type=type, text=text)
        shown = typed if type else text
        return about.phrases.part("returns", returns=shown)
    return about.phrases.part("returns", returns=f"`{type}`") if type else ""


def mention(about: FactScope, id: str) -> str:
    """Name another element, with its file when that is another one."""
    path, _, name = id.partition("::")
    qual = shown(name)
    if not qual:
        return f"`{path}`"
    if path == about.get("path"):
        return f"`{qual}`"
    return about.phrases.part("mention", names=f"`{qual}`", path=path)


def mentions(about: FactScope, ids: list[str], more: bool = False) -> str:
    """List elements, those of one file together; "" when there is none."""
    groups: dict[str, list[str]] = {}
    length = count = 0
    for id in ids[:MEMBERS]:
        path, _, qual = id.partition("::")
        length += len(qual) + (len(path) if path not in groups else 0)
        if count and length > LONGEST_LIST:
            break
        groups.setdefault(path, []).append(shown(qual))
        count += 1
    items = [_group(about, path, quals) for path, quals in groups.items()]
    return about.phrases.listed(items, more or count < len(ids)) if items else ""


def _group(about: FactScope, path: str, quals: list[str]) -> str:
    items = [] if all(quals) else [f"`{path}`"]  # the file's own code
    if named := [f"`{qual}`" for qual in quals if qual]:
        names = about.phrases.listed(named)
        here = path == about.get("path")
        part = about.phrases.part
        items.append(names if here else part("mention", names=names, path=path))
    return about.phrases.listed(items)


def listed(about: FactScope, items: list[str], more: bool = False) -> str:
    """Join items up to a bound; says so when some are left out."""
    shown: list[str] = []
    length = 0
    for item in items[:MEMBERS]:
        length += len(item)
        if shown and length > LONGEST_LIST:
            break
        shown.append(item)
    if not shown:
        return ""
    return about.phrases.listed(shown, more or len(shown) < len(items))


def told(about: FactScope, name: str) -> tuple[str, tuple[str, ...]]:
    """A context's list of ids as text, and as the sources that it rests on."""
    value: Value = about.get(name)
    if not value:
        return "", ()
    ids = about.seen(list(value))
    more = about.get("more")
    left_out = len(ids) < len(value) or (bool(more) and name in more)
    return mentions(about, ids, left_out), (about.id, *ids[:MEMBERS])
