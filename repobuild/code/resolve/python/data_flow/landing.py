"""Tell in which parameter something lands that a call passes.

What a call passes is named as facts do (facts/python/flow.py): by the argument's index
or keyword, with the keys of an element where the argument makes a container (`0[a]`);
`*1` is a list that is spread from index 1 on, `**` a dictionary.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from repobuild.code.facts.element_row import Binding, Parameter
from repobuild.code.resolve.binding_marks import ASSIGNED_CALL, ASSIGNED_NAME, CALL

_ANY = "[]"  # an element of which no key is known


class Landing(NamedTuple):
    """Where something lands."""

    keys: str = ""  # of the parameter's elements; "" is the parameter itself
    taken: str = ""  # the part of what is passed, as a chain's segment; "" all of it

    def part_of(self, binding: Binding) -> Binding:
        """Return the binding of the part that lands."""
        if not self.taken:
            return binding
        call = CALL if binding[:1] == ASSIGNED_CALL else ""
        return ASSIGNED_NAME + binding[1:] + call + self.taken


def landing(
    parameter: Parameter, index: int, named: Collection[str], which: str, receivers: int
) -> Landing | None:
    """Return where an argument lands within a parameter, None where it does not.

    `named` are all of the function's parameters; `receivers` stand before the call's
    own arguments.
    """
    place, bracket, rest = which.partition("[")
    keys, kind = bracket + rest, parameter.kind
    is_positional = kind in ("", "/")
    if place == "**":
        if kind == "**":
            return Landing(_ANY, _ANY)
        return Landing("", f"[{parameter.name}]") if kind in ("", "k") else None
    if place[:1] == "*":
        first = int(place[1:]) + receivers
        if kind == "*":
            return Landing(_ANY, _ANY)
        is_within = is_positional and index >= first
        return Landing("", f"[{index - first}]") if is_within else None
    if place.isdigit():
        position = int(place) + receivers
        if kind == "*" and position >= index:
            return Landing(f"[{position - index}]{keys}")
        return Landing(keys) if is_positional and position == index else None
    if kind == "**":
        return Landing(f"[{place}]{keys}") if place not in named else None
    return Landing(keys) if place == parameter.name and kind in ("", "k") else None
