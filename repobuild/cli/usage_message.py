"""Word what click finds wrong with a command line as every other error is worded.

click prints a line of usage, one on help, and a sentence with quotes of its own.
"""

from __future__ import annotations

import re

import click

_MEANT = re.compile(r"\.? \(?Did you mean (?:one of: )?(.+?)\?\)?\Z")
_QUOTED = re.compile(r"'([^']*)'")
_NUMBER = re.compile(r"is not a valid integer( range)?")


def usage_message(error: click.ClickException) -> str:
    """Return what is wrong, and what to do: nearly always, to read the help."""
    text = " ".join(error.format_message().split())
    text = _MEANT.sub(_meant, text).rstrip(".")
    text = _NUMBER.sub("is no whole number", _QUOTED.sub(r'"\1"', text))
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "repobuild"
    step = f"see `{path} --help`"
    if isinstance(error, click.NoSuchOption) and error.option_name == "-c":
        verb = path.removeprefix("repobuild")
        step = f"write it before the verb: repobuild -c NAME=VALUE{verb}"
    return f"{text[:1].lower()}{text[1:]}\n{step}"


def _meant(found: re.Match[str]) -> str:
    return f" (did you mean {' or '.join(found[1].split(', '))}?)"
