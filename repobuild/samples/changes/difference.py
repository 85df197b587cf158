"""Describe how an element changed: signature, parameters, description, lines."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

from repobuild.engine.contract import Value
from repobuild.samples.tasks.phrases import Phrases


def describe_difference(item: Value, wording: Phrases) -> str:
    """Describe a `changed` item (code/changes/change.py); return "" for no detail."""
    parts = (_signature(item, wording), _doc(item, wording), _body(item, wording))
    return "".join(text for part in parts for text in part)


def _signature(item: Value, wording: Phrases) -> Iterator[str]:
    if "signature" not in item:
        return
    code = wording.words["code"]
    old, new = (code.format(fence="", code=text) for text in item["signature"])
    yield wording.part("change_signature", old=old, new=new)
    parameters = item["parameters"]
    for change in ("added", "removed"):
        if names := parameters[change]:
            items = wording.listed([f"`{name}`" for name in names])
            yield wording.part(f"change_{change}", items=items)
    none = wording.words["none"]
    for name, was, now in parameters["default"]:
        old, new = (f"`{default}`" if default else none for default in (was, now))
        yield wording.part("change_default", name=name, old=old, new=new)


def _doc(item: Value, wording: Phrases) -> Iterator[str]:
    if "doc" not in item:
        return
    old, new = item["doc"]
    if old == new or not new:
        yield wording.part("change_doc" if new else "change_no_doc")
    elif not old:
        yield wording.part("change_documented", new=new)
    else:
        yield wording.part("change_summary", old=old, new=new)


def _body(item: Value, wording: Phrases) -> Iterator[str]:
    if "body" not in item:
        return
    removed, added = item["body"]
    if isinstance(removed, int):
        yield wording.part("change_lines", went=str(removed), came=str(added))
        return
    text = dedent("\n".join([*removed, *added])).split("\n")
    lines = [f"{'-+'[n >= len(removed)]} {line}" for n, line in enumerate(text)]
    code = wording.words["code"].format(fence="diff", code="\n".join(lines))
    yield wording.part("change_body", code=code)
