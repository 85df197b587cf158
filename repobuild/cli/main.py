"""Run the command line: one file per verb, imported when the verb is called."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from repobuild import __version__
from repobuild.cli.output import print_message
from repobuild.cli.shell_words import setting_names
from repobuild.cli.usage_message import usage_message
from repobuild.resources import program

if TYPE_CHECKING:
    from repobuild.errors import UsageError

VERBS = {
    "build": "bring the adapter up to date with a commit (the default)",
    "clone": "clone a URL and build it, or bring the clone up to date",
    "fleet": "bring many repositories up to date, a few at a time",
    "status": "what a build would do; exit 1 when stale",
    "why": "why a row, a table or the adapter was made again",
    "log": "the chain of adapters",
    "rollback": "make an earlier adapter the current one, without training",
    "show": "one element, sample or adapter, with provenance",
    "export": "write a table to a folder, in its exchange format",
    "publish": "put the adapter where it is served from: a folder, a URL or the hub",
    "ask": "put a question to base and adapter, side by side",
    "graph": "search, read and follow the repository graph",
    "mcp": "the same graph for agents: a server of the Model Context Protocol",
    "locate": "the files and functions that an issue's text is about",
    "report": "scores of base, parent and adapter",
    "serve": "answer as an OpenAI-compatible endpoint, and follow the builds",
    "review": "read samples, and say which are good or bad",
    "verify": "rebuild from nothing and compare every digest",
    "hook": "build in the background after a merge, commit or checkout",
    "ci": "recipes for a CI, and the summary of a pull request",
    "cache": "push and pull what is built; gc, verify and stats of what is stored",
    "hypernet": "train a network that generates adapters, or show one",
    "trust": "let the repository's own rules run on this machine",
    "doctor": "what is not well here, and the next step; exit 1 when something is not",
    "init": "write a repobuild.toml that fits the repository and the machine",
}
_EPILOG = (
    "exit codes: 0 done, 1 stale or a check failed, 2 usage or configuration, "
    "3 a rule failed, 4 locked, 5 a required server is absent, 130 interrupted"
)


class Verbs(click.Group):
    """Find verbs by name; a call without a verb is a build."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = import_module(f"repobuild.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        args = _move_quick_first(args)
        given = _count_global_options(args)
        rest = args[given:]
        if ctx.resilient_parsing and not rest:
            return super().parse_args(ctx, args)  # a shell asks for verbs
        if given > len(args):
            ctx.fail("-c needs NAME=VALUE, as in -c adapter.rank=8")
        if not rest or (rest[0].startswith("-") and rest[0] not in _GROUP_OPTIONS):
            if not ctx.resilient_parsing:
                self._refuse_early_options(ctx, rest)
            args = [*args[:given], "build", *rest]
        elif "://" in rest[0] or "@" in rest[0]:
            from repobuild.git.clone import is_url

            if is_url(rest[0]):
                args = [*args[:given], "clone", *rest]
        return super().parse_args(ctx, args)

    def _refuse_early_options(self, ctx: click.Context, rest: list[str]) -> None:
        """Fail where options of a verb stand before it: they would be a build's."""
        build = self.get_command(ctx, "build")
        with_value = {
            name
            for option in (build.params if build else ())
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        early: list[str] = []
        for word in rest:
            if word.startswith("-") or (early and early[-1] in with_value):
                early.append(word)
                continue
            if word in VERBS and early:
                raise self._early_option(ctx, early, word)
            return

    def _early_option(
        self, ctx: click.Context, early: list[str], verb: str
    ) -> UsageError:
        from repobuild.errors import UsageError

        command = self.get_command(ctx, verb)
        known = {n for o in (command.params if command else ()) for n in o.opts}
        step = f"write it after the verb: repobuild {verb} {' '.join(early)}"
        if early[0] not in known and not isinstance(command, click.Group):
            step = f"`{verb}` has no such option: see `repobuild {verb} --help`"
        return UsageError(
            f'"{early[0]}" stands before the verb "{verb}"\n'
            f"only --quick and -c NAME=VALUE stand before a verb\n{step}"
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from repobuild.errors import nearest

        if args and args[0] not in VERBS:
            ctx.fail(f'no such verb "{args[0]}"{nearest(args[0], VERBS)}')
        return super().resolve_command(ctx, args)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Return verbs; of options also those of a build, the verb left out."""
        found = super().shell_complete(ctx, incomplete)
        build = self.get_command(ctx, "build")
        if incomplete.startswith("-") and build:
            with build.make_context("build", [], ctx, resilient_parsing=True) as inner:
                known = {item.value for item in found}
                more = build.shell_complete(inner, incomplete)
                found += [item for item in more if item.value not in known]
        return found

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        # From the table above: importing every verb for its help costs 50 ms.
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


_QUICK = "--quick"
_GROUP_OPTIONS = ("-h", "--help", "--version")


def _count_global_options(args: list[str]) -> int:
    """Return how many arguments `--quick` and `-c` take up before the verb."""
    count = 0
    while count < len(args):
        if not (args[count] == _QUICK or args[count].startswith("-c")):
            break
        count += 2 if args[count] == "-c" else 1
    return count


def _move_quick_first(args: list[str]) -> list[str]:
    """Let `--quick` stand after the verb, too; it belongs to all of them."""
    end = args.index("--") if "--" in args else len(args)
    if _QUICK not in args[:end]:
        return args
    return [_QUICK, *(a for a in args[:end] if a != _QUICK), *args[end:]]


@click.command(
    cls=Verbs, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="repobuild")
@click.option(
    "-c",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    shell_complete=setting_names,
    help="A setting, as in -c adapter.rank=8; overrides every file.",
)
@click.option(
    _QUICK,
    "quick",
    is_flag=True,
    help="A small adapter in about two minutes, kept apart from the real one.",
)
@click.pass_context
def cli(context: click.Context, settings: tuple[str, ...], quick: bool) -> None:
    """Keep a LoRA adapter of a git repository current, as make does a program.

    Called without a verb, repobuild builds: it parses what a commit changed, makes the
    samples that this affects, and continues the adapter's training on them.
    """
    if quick:
        from repobuild.settings import use_quick

        context.with_resource(use_quick())
    if settings:
        from repobuild.settings import use_command_line

        context.with_resource(use_command_line(settings))


def run(arguments: list[str]) -> int:
    """Run one verb and return its exit code; a user's mistake shows no traceback."""
    from repobuild.errors import BuildError, system_reason

    try:
        # Not `cli.main`, which turns a signal into `Abort` and a closed pipe into 1.
        with cli.make_context("repobuild", list(arguments)) as context:
            result = _call_verb(context)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except BuildError as error:
        print_message(f"error: {error}")
        return error.exit_code
    except click.ClickException as error:
        print_message(f"error: {usage_message(error)}")
        return error.exit_code
    except KeyboardInterrupt as error:
        message = getattr(error, "message", "interrupted")
        with suppress(OSError):  # after SIGHUP the terminal may be gone
            print_message(f"{message}; run again to continue")
        return int(getattr(error, "exit_code", 130))
    except BrokenPipeError:
        _discard_stdout()  # the reader (`| head`) has stopped
        return 0
    except OSError as error:
        _discard_stdout()
        path = f' "{error.filename}"' if error.filename else ""
        print_message(
            f"error: {system_reason(error)}{path}\n"
            "nothing is half written: make room or rights, then run again to continue"
        )
        return 3


def _call_verb(context: click.Context) -> Any:
    """Call the verb; what SQLite reports of the state becomes an error with a step.

    Within the context: after it, nobody knows whether the build is a quick one.
    """
    from repobuild.errors import BuildError

    try:
        return cli.invoke(context)
    except Exception as error:
        if not (message := _database_message(error)):
            raise
        raise BuildError(message) from error


def _discard_stdout() -> None:
    """Let what is left to flush go nowhere, or Python ends with a code of its own."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _database_message(error: Exception) -> str:
    """Return what SQLite or a row's digest reports of the database; "" for others."""
    import sqlite3

    from repobuild.engine.storage.damage_check import is_corrupt

    if not isinstance(error, sqlite3.Error):
        return ""
    if is_corrupt(error):
        return (
            f"the state is damaged: {error}\n"
            f"run `{program()}`: it rebuilds the tables and finds the adapters again"
        )
    return (
        f"the state cannot be read: {error}\n"
        "its disk may fail or be full, or another program uses it\n"
        f"run again; `{program()} cache verify` checks it"
    )
