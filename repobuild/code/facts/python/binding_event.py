"""Define what one statement of a Python module binds."""

from __future__ import annotations

from typing import NamedTuple


class BindingEvent(NamedTuple):
    """One binding of a name in a scope; tuples of it sort by offset."""

    offset: int  # bytes
    owner: int  # index of the scope's definition, -1 the module
    name: str
    binding: str
