"""How an element changed, in words: signature, parameters, description, lines."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

from repobuild.engine.contract import Value
from repobuild.samples.tasks.phrases import Phrases


def difference(item: Value, said: Phrases) -> str:
    """Return what a `changed` item (code/changes/change.py) says; may be ""."""
    parts = [*_signature(item, said), *_doc(item, said), *_body(item, said)]
    return "".join(parts)


def _signature(item: Value, said: Phrases) -> Iterator[str]:
    if "signature" not in item:
        return
    old, new = (_code(text, said) for text in item["signature"])
    yield said.part("change_signature", old=old, new=new)
    parameters = item["parameters"]
    for name in ("added", "removed"):
        if names := parameters[name]:
            items = said.listed([f"`{name}`" for name in names])
            yield said.part(f"change_{name}", items=items)
    for name, was, now in parameters["default"]:
        texts = (f"`{text}`" if text else said.words["none"] for text in (was, now))
        yield said.part(
            "change_default", name=name, **dict(zip(_SIDES, texts, strict=True))
        )


_SIDES = ("old", "new")


def _code(text: str, said: Phrases) -> str:
    return said.words["code"].format(fence="", code=text)


def _doc(item: Value, said: Phrases) -> Iterator[str]:
    if "doc" not in item:
        return
    old, new = item["doc"]
    if old == new or not new:
        yield said.part("change_doc" if new else "change_no_doc")
    else:
        yield said.part("change_summary", old=old or said.words["none"], new=new)


def _body(item: Value, said: Phrases) -> Iterator[str]:
    if "body" not in item:
        return
    went, came = item["body"]
    if isinstance(went, int):
        yield said.part("change_lines", went=str(went), came=str(came))
        return
    text = dedent("\n".join([*went, *came])).split("\n")
    lines = [f"{'-+'[n >= len(went)]} {line}" for n, line in enumerate(text)]
    code = said.words["code"].format(fence="diff", code="\n".join(lines))
    yield said.part("change_body", code=code)
