"""repobuild why: which input, setting, tool or rule version changed."""

from __future__ import annotations

import click

from repobuild.cli import options
from repobuild.cli.output import emit


@click.command("why")
@click.argument("key", metavar="KEY|TABLE")
@options.as_json
def command(key: str, as_json: bool) -> int:
    """Say why a table, an element or a sample was last made again.

    \b
    repobuild why samples
    repobuild why pkg/mod.py::Class.method
    """
    from repobuild.checkout import find
    from repobuild.engine.why import why

    checkout = find()
    build = checkout.view(checkout.snapshot(), checkout.state())
    lines = why(build, key)
    facts = {"version": 1, "key": key, "reasons": lines}
    emit(facts, as_json, lambda f: "\n".join(f["reasons"]))
    return 0
