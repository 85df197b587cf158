"""Task `api_usage`: how a function, method or class is called."""

from __future__ import annotations

import re
from collections.abc import Iterator

from repobuild.samples.tasks import answer_parts
from repobuild.samples.tasks.facts import Fact, FactScope

_SHOWN_DEFAULTS = 2
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# How such a method is written where it is used: not with the instance before it.
_ON_CLASS = ("staticmethod", "classmethod")
_ATTRIBUTE = ("property", "cached_property")


def facts(about: FactScope) -> Iterator[Fact]:
    kind, name = about.get("kind"), str(about.get("name"))
    if kind not in ("function", "method", "class") or name.startswith("__"):
        return
    if is_attribute(about.get("decorators") or []):
        return
    parameters = about.get("params")
    # How a method is called, and an object made, is Python's way here.
    python = about.get("fence") == "python"
    if parameters and not name.startswith("_") and (python or kind == "function"):
        yield _usage(about)
    if kind == "class" and not python:
        return
    if kind == "class":
        if parameters:
            yield _construct(about)
    elif about.get("signature") and (parameters or about.get("returns")):
        yield _signature(about)


def _usage(about: FactScope) -> Fact:
    answer = about.answer("usage", code=answer_parts.code(about, call(about)))
    answer += answer_parts.parameters(about) + answer_parts.returns(about)
    if text := about.get("summary"):
        answer += about.phrases.part("brief", summary=text)
    return Fact("usage", answer, (about.id,))


def _signature(about: FactScope) -> Fact:
    code = answer_parts.code(about, about.get("signature"))
    return Fact("signature", about.answer("signature", code=code), (about.id,))


def _construct(about: FactScope) -> Fact:
    """What a class is made with; its own line names its base classes only."""
    parameters = ", ".join(written(about.get("params")))
    code = answer_parts.code(about, f"{about.get('name')}({parameters})")
    return Fact("construct", about.answer("construct", code=code), (about.id,))


def written(rows: list[list[str]]) -> Iterator[str]:
    """Parameters as declared, with the bare `/` and `*` between them."""
    passed = ""
    for row in rows:
        passing = "*" if row[0].startswith("*") else row[4]
        if passed == "/" != passing:
            yield "/"
        if passing == "k" and passed not in ("k", "*"):
            yield "*"
        yield _declared(row)
        passed = passing
    if passed == "/":
        yield "/"


def _declared(row: list[str]) -> str:
    name, type, default, *_ = row
    if not default:
        return f"{name}: {type}" if type else name
    return f"{name}: {type} = {default}" if type else f"{name}={default}"


def call(about: FactScope) -> str:
    """The call as one would write it: what is required, and a default or two.

    More positional arguments cannot follow a default that is given by name.
    """
    arguments: list[str] = []
    defaults = 0 if about.get("fence") == "python" else _SHOWN_DEFAULTS
    for name, _, default, _, passing in about.get("params"):
        if name.startswith("**") or (name.startswith("*") and defaults):
            continue
        if default:
            defaults += 1
            short = len(default) <= answer_parts.LONGEST_DEFAULT
            if defaults <= _SHOWN_DEFAULTS and short and passing != "/":
                arguments.append(f"{name}={default}")
        else:
            arguments.append(f"{name}={name}" if passing == "k" else name)
    return f"{_callee(about)}({', '.join(arguments)})"


def _callee(about: FactScope) -> str:
    name, container = about.get("name"), about.get("container")
    decorators = about.get("decorators") or ()
    if about.get("kind") != "method":
        return _awaited(about, name)
    owner = container.rpartition(".")[2]
    if any(d in decorators for d in _ON_CLASS):
        return _awaited(about, f"{owner}.{name}")
    instance = _WORD.sub("_", owner).lower().strip("_")
    return _awaited(about, f"{instance}.{name}")


def _awaited(about: FactScope, callee: str) -> str:
    return f"await {callee}" if about.get("async") else callee


def is_attribute(decorators: list[str]) -> bool:
    """Whether the method is read like an attribute, not called."""
    return any(d.rpartition(".")[2] in _ATTRIBUTE for d in decorators)
