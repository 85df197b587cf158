"""Complete verbs, options, settings and tables in bash, zsh and fish.

A shell asks the program itself, with a variable of click's in the environment:

    eval "$(_REPOBUILD_COMPLETE=bash_source repobuild)"        bash
    eval "$(_REPOBUILD_COMPLETE=zsh_source repobuild)"         zsh
    _REPOBUILD_COMPLETE=fish_source repobuild | source         fish
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem, shell_complete

from repobuild.cli.output import print_message

if TYPE_CHECKING:
    import click

Complete = Callable[["click.Context", "click.Parameter", str], list[CompletionItem]]
VARIABLE = "_REPOBUILD_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def complete(cli: click.Command) -> int:
    """Answer a shell; return the exit code. Nothing is built, whatever is asked."""
    asked = os.environ[VARIABLE]
    if asked.partition("_")[0] not in SHELLS:
        print_message(
            f'error: {VARIABLE}="{asked}" names no shell that is known\n'
            f"it begins with {', '.join(SHELLS)}, as in bash_source"
        )
        return 2
    return shell_complete(cli, {}, "repobuild", VARIABLE, asked)


def one_of(words: Iterable[str]) -> Complete:
    """Return a function that completes one of these words."""
    return lambda _, __, incomplete: [
        CompletionItem(word) for word in words if word.startswith(incomplete)
    ]


def setting_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the settings that begin so, ready for a value."""
    from repobuild.settings_schema import settings

    return [
        CompletionItem(f"{name}=", help=setting.description)
        for name, setting in settings().items()
        if name.startswith(incomplete)
    ]


def table_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the tables of the standard build that begin so."""
    from repobuild.engine.rule import read_rules
    from repobuild.resources import data_folder

    return [
        CompletionItem(name, help=rule.description)
        for name, rule in read_rules(data_folder("rules")).items()
        if name.startswith(incomplete)
    ]
