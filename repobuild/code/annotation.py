"""Which one class an annotation's source text names."""

from __future__ import annotations

_WRAPPERS = frozenset({"Optional", "Final", "ClassVar", "Annotated", "Required"})


def declared(text: str) -> str:
    """Return the one class that an annotation names, None aside, or ""."""
    while True:
        text = text.strip().strip("'\"").strip()
        if "[" not in text.partition("|")[0]:
            options = [part.strip() for part in text.split("|")]
            options = [part for part in options if part != "None"]
            return options[0].partition("[")[0] if len(options) == 1 else ""
        name, _, inner = text.partition("[")
        if name.rpartition(".")[2] not in _WRAPPERS:
            rest = inner.rpartition("]")[2].strip()
            return name if rest in ("", "| None") else ""
        text = _first_argument(inner)


def _first_argument(text: str) -> str:
    """Return the first of the comma-separated arguments before a closing bracket."""
    depth = 0
    for place, character in enumerate(text):
        if character in "[(":
            depth += 1
        elif depth == 0 and character in ",]":
            return text[:place]
        elif character in "])":
            depth -= 1
    return text
