"""Describe the parameters of a function for its context row."""

from __future__ import annotations

from repobuild.samples.contexts.element_view import ElementView, ParameterRow
from repobuild.samples.contexts.file_context import FileContext
from repobuild.samples.text.docstring_parts import description
from repobuild.samples.text.refusals import refuses_defaults


def parameter_rows(element: ElementView, texts: dict[str, str]) -> list[list[str]]:
    """Return the parameters without the receiver, each as a `ParameterRow`'s list."""
    rows = []
    for one in element.arguments():
        text = texts.get(one.name.lstrip("*"), "")
        text = description(text, one.default, one.type)
        row = ParameterRow(one.name, one.type, one.default, text, one.passing)
        rows.append(list(row))
    return rows


def refuses_all_defaults(file: FileContext, element: ElementView) -> bool:
    """Return whether a call that leaves all defaults as they are raises."""
    if file.language != "python":
        return False
    defaults = [(one.name, one.default) for one in element.arguments() if one.default]
    return refuses_defaults(file.own_bytes(element), defaults)


def undeclared_parameters(element: ElementView, texts: dict[str, str]) -> list[str]:
    """Return the parameters that a docstring describes and the definition lacks."""
    known = {one.name.lstrip("*") for one in element.parameters()}
    takes_any = any(one.name.startswith("*") for one in element.parameters())
    is_told = bool(known.intersection(texts)) and not (takes_any or element.is_property)
    return [name for name in texts if name not in known] if is_told else []
