"""Read the imports of a Python module: what they name, and what that binds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from repobuild.code.facts.python.binding_event import BindingEvent
from repobuild.code.facts.syntax import Outline

_FROM = re.compile(r"from\s*(\.[\s.]*)?\s*([^()]*?)\s*\bimport\b(.*)\Z", re.DOTALL)
_COMMENT = re.compile(r"#[^\n]*|\\\n")


@dataclass
class ImportBindings:
    """The imports of a module: facts, what they bind, where its names come from."""

    entries: list[list[Any]] = field(default_factory=list)  # as facts store them
    events: list[BindingEvent] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)  # name -> full name


def read_imports(outline: Outline) -> ImportBindings:
    """Read all imports of a module."""
    imports = ImportBindings()
    for node in outline.sites.get("import", ()):
        offset, line = node.start_byte, node.start_point.row + 1
        owner = outline.owner(offset)
        text = _COMMENT.sub(" ", outline.text(node))
        for module, name, alias in _import_names(text):
            imports.entries.append([line, module, name, alias])
            if not name:
                target = module if alias else module.partition(".")[0]
                bound, binding = alias or target, "!" + target
                imports.origins[bound] = target
            elif name == "*":
                bound, binding = "*", module
            else:
                bound, binding = alias or name, f"@{module}:{name}"
                imports.origins[bound] = f"{module}.{name}"
            imports.events.append(BindingEvent(offset, owner, bound, binding))
    return imports


def _import_names(text: str) -> list[tuple[str, str, str]]:
    """Return (module, name, alias) for each name of an import statement."""
    match = _FROM.match(text)
    if match:
        dots = "".join((match[1] or "").split())
        module = dots + "".join(match[2].split())
        return [(module, *_name_and_alias(item)) for item in _items(match[3])]
    items = _items(text.strip().removeprefix("import"))
    return [(name, "", alias) for name, alias in map(_name_and_alias, items)]


def _items(text: str) -> list[str]:
    items = text.replace("(", " ").replace(")", " ").split(",")
    return [item for item in items if item.strip()]


def _name_and_alias(item: str) -> tuple[str, str]:
    words = re.split(r"\sas\s", item.strip())
    name = "".join(words[0].split())
    return name, "".join(words[1].split()) if len(words) > 1 else ""
