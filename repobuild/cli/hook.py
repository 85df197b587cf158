"""repobuild hook: build in the background after a merge, a commit or a checkout."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.output import emit, print_message, seconds, short

if TYPE_CHECKING:
    from repobuild.hooks.background import HookSettings
    from repobuild.hooks.hook_files import HooksFolder

_DEFAULT = ("post-merge",)
# What pre-commit tells in variables, because it passes no arguments on.
_PRE_COMMIT = {
    "post-merge": ("PRE_COMMIT_IS_SQUASH_MERGE",),
    "post-checkout": (
        "PRE_COMMIT_FROM_REF",
        "PRE_COMMIT_TO_REF",
        "PRE_COMMIT_CHECKOUT_TYPE",
    ),
    "post-rewrite": ("PRE_COMMIT_REWRITE_COMMAND",),
}


def _names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[str]:
    """Return the hooks that begin so, for a shell."""
    from repobuild.hooks.hook_script import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


@click.group("hook")
def command() -> None:
    """Build in the background after git's own commands.

    \b
    repobuild hook install             after each merge, as `git pull` makes it
    repobuild hook install post-commit post-checkout post-rewrite
    repobuild hook status              what is installed, and what is built
    repobuild hook uninstall           as if it had never been there
    REPOBUILD=0 git pull                   without it, once
    """


@command.command("install")
@click.argument("names", metavar="[HOOK]...", nargs=-1, shell_complete=_names)
@options.as_json
def install_command(names: tuple[str, ...], as_json: bool) -> int:
    """Install hooks: post-merge, or those named.

    HOOK is post-merge, post-commit, post-checkout or post-rewrite. Hooks that are
    there already are kept and run first.

    \b
    repobuild hook install
    repobuild hook install post-commit post-checkout
    """
    from repobuild.hooks.hook_files import check_names, install

    check_names(names)
    folder = _folder()
    install(folder, names or _DEFAULT)
    _print_notes(folder)
    emit(hook_facts(folder), as_json, text)
    return 0


@command.command("uninstall")
@click.argument("names", metavar="[HOOK]...", nargs=-1, shell_complete=_names)
@options.as_json
def uninstall_command(names: tuple[str, ...], as_json: bool) -> int:
    """Take out all, or those named, as if never there.

    Hooks from before are put back: the same bytes, mode and time. When none of ours is
    left, a build in the background is ended.

    \b
    repobuild hook uninstall
    repobuild hook uninstall post-commit
    """
    from repobuild.hooks.hook_files import check_names, installed_names, uninstall
    from repobuild.hooks.hook_script import NAMES
    from repobuild.hooks.wanted import cancel

    check_names(names)
    folder = _folder()
    gone = uninstall(folder, names or NAMES)
    is_last = gone and not installed_names(folder)
    ended = cancel(folder.common / "repobuild") if is_last else ""
    facts = {**hook_facts(folder), "uninstalled": gone, "ended": ended}
    emit(facts, as_json, _uninstalled_text)
    return 0


@command.command("status")
@options.as_json
def status_command(as_json: bool) -> int:
    """Show what is installed and what is built.

    Exit 1 when an installed hook cannot work, or the last build failed.

    \b
    repobuild hook status
    repobuild hook status --json
    """
    facts = hook_facts(_folder())
    emit(facts, as_json, text)
    is_broken = any(hook["problem"] for hook in facts["hooks"])
    return 1 if is_broken or facts["builder"]["last"]["outcome"] == "failed" else 0


@command.command("run")
@click.argument("name", metavar="HOOK")
@click.argument("arguments", metavar="[ARGUMENT]...", nargs=-1)
def run_command(name: str, arguments: tuple[str, ...]) -> None:
    """Do what an installed hook does, for a hook manager.

    Or for a hook of your own, which calls it with its arguments.

    \b
    repobuild hook run post-merge "$@"
    """
    from repobuild.hooks.hook_files import check_names
    from repobuild.hooks.hook_script import HookScript

    check_names([name])
    variables = _PRE_COMMIT.get(name, ())
    if not arguments and all(variable in os.environ for variable in variables):
        arguments = tuple(os.environ[variable] for variable in variables)
    package = str(Path(__file__).parents[2])
    script = HookScript(name, sys.executable, package, (), False).command()
    os.execv("/bin/sh", ["sh", "-c", script, name, *arguments])


@command.command("drain", hidden=True)
@click.argument("common", metavar="FOLDER")
def drain_command(common: str) -> None:
    """Build what hooks have wanted; a hook starts this in the background."""
    from repobuild.engine.state_files import refuse_links
    from repobuild.hooks.background import detach, drain

    detach()
    state = Path(common) / "repobuild"
    refuse_links(state)
    drain(state, _read_settings)


@command.command("build", hidden=True)
@click.argument("commit")
def build_command(commit: str) -> int:
    """Build one commit as a child of the background builder."""
    from repobuild.cli.main import run
    from repobuild.engine.run.child_processes import follow_parent
    from repobuild.resources import BUILDER

    follow_parent(int(os.environ[BUILDER]))
    return run(["build", "--commit", commit])


def _read_settings(work_tree: Path) -> HookSettings:
    from repobuild.checkout import open_checkout
    from repobuild.errors import UsageError
    from repobuild.hooks.background import HookSettings
    from repobuild.hooks.build_window import BuildWindow

    try:
        settings = open_checkout(work_tree).settings
    except UsageError as error:  # goes into the log and the record
        from repobuild.samples.dataset.secret_detection import redact_tokens

        raise UsageError(redact_tokens(str(error))) from error
    return HookSettings(BuildWindow.parse(settings["hook.when"]), settings["hook.nice"])


def _folder() -> HooksFolder:
    from repobuild.checkout import open_checkout
    from repobuild.engine.state_files import refuse_links
    from repobuild.git.repository import common_folder
    from repobuild.hooks.hook_files import find_folder

    checkout = open_checkout()
    common = common_folder(checkout.repository)
    refuse_links(common / "repobuild")
    return find_folder(checkout.root, common, checkout.repository.is_bare)


def _print_notes(folder: HooksFolder) -> None:
    """Print what the user of an unusual folder of hooks must know."""
    if folder.is_shared:
        print_message(
            f'note: "{folder.path}" is not this repository\'s own; in others that use '
            "it the hook does nothing"
        )
    elif not folder.path.resolve().is_relative_to(folder.common.resolve()):
        print_message(
            f'note: "{folder.path}" is in the work tree; do not commit this hook, it '
            "names a path of this machine"
        )


# ------------------------------------------------------------------------------ facts


def hook_facts(folder: HooksFolder) -> dict[str, Any]:
    """Return what is installed and what the builder does."""
    from repobuild.hooks.builder_record import background_facts
    from repobuild.hooks.hook_files import installed_names, list_hooks

    hooks = [
        {
            "name": hook.name,
            "path": str(hook.path),
            "installed": hook.is_installed,
            "runs_first": hook.runs_first,
            "problem": hook.problem,
            "next": hook.next_step,
        }
        for hook in list_hooks(folder)
    ]
    unused = installed_names(folder.unused) if folder.unused else []
    return {
        "version": 1,
        "folder": str(folder.path),
        "shared": folder.is_shared,
        "hooks": hooks,
        "unused": [str(folder.common / "hooks" / name) for name in unused],
        "builder": background_facts(folder.common / "repobuild"),
    }


def text(facts: dict[str, Any]) -> str:
    """Return hooks and builder as a few lines."""
    width = max(len(hook["name"]) for hook in facts["hooks"])
    lines = [f"hooks in {facts['folder']}"]
    for hook in facts["hooks"]:
        lines.append(f"  {hook['name'].ljust(width)}  {_hook_text(hook)}")
    for path in facts["unused"]:
        lines.append(f"  {path} is not run: core.hooksPath names another folder")
    if not any(hook["installed"] for hook in facts["hooks"]):
        lines.append("run `repobuild hook install` to build after each merge")
    lines += builder_lines(facts["builder"])
    if facts["builder"]["log"]:
        lines.append(f"log: {facts['builder']['log']}")
    return "\n".join(lines)


def _hook_text(hook: dict[str, Any]) -> str:
    if not hook["installed"]:
        return "-"
    if hook["problem"]:
        return f"does not work: {hook['problem']}; run `{hook['next']}`"
    if hook["runs_first"]:
        return f"installed; runs {Path(hook['runs_first']).name} first"
    return "installed"


def _uninstalled_text(facts: dict[str, Any]) -> str:
    gone = facts["uninstalled"]
    if not gone:
        return f"nothing to do: {facts['folder']} has no hook of repobuild"
    lines = [f"uninstalled {', '.join(gone)} from {facts['folder']}"]
    if facts["ended"]:
        lines.append(f"the build of {short(facts['ended'])} in the background ends")
    return "\n".join(lines)


def builder_lines(builder: dict[str, Any]) -> list[str]:
    """Return what the background builder does, and how its last build ended."""
    commit, since = short(builder["commit"]), builder["since"][11:16]
    lines = {
        "building": [f"background: building {commit} since {since}"],
        "waiting": [f"background: {commit} waits {builder['waits']}"],
        "stopped": [
            f"background: the build of {commit} was stopped; the next hook continues "
            "it, or `repobuild`"
        ],
    }.get(builder["state"], [])
    last = builder["last"]
    if last["outcome"]:
        took = f"in {seconds(last['seconds'])}" if last["outcome"] == "built" else ""
        words = (last["outcome"], short(last["commit"]), took, "at", last["ended"][:16])
        lines.append(f"background: last {' '.join(filter(None, words))}")
    if last["error"]:
        lines += [f"  {line}" for line in last["error"].split("\n")]
    return lines
