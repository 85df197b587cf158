"""Entry point. A build with nothing to do is answered before anything is imported."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    _open_the_streams()
    _leave_the_folder_alone()
    arguments = sys.argv[1:]
    if _nothing_to_do(arguments):
        # Skips the interpreter's tear-down: nothing is open, and it costs 5 ms.
        os._exit(0)
    from repobuild.cli.signals import listen

    listen()
    from repobuild.cli.main import run

    sys.exit(run(arguments))


def _open_the_streams() -> None:
    """Put /dev/null where stdin, stdout or stderr are closed, as under a daemon.

    Else the next file that is opened gets their number, and what a library prints to
    stderr would be written into the database.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, "r+" if number else "r"))


def _leave_the_folder_alone() -> None:
    """Import nothing from the working folder, here or in processes started here.

    `python -m` puts it first on the path, and it is the repository that is analysed:
    its `click.py` or `numpy.py` would run (tests/promises/test_nothing_is_executed.py).
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]


def _nothing_to_do(arguments: list[str]) -> bool:
    asked = _plain(arguments)
    if asked is None:
        return False
    from repobuild.noop_cache import answer

    goal, options = asked
    found = answer(goal)
    if found is None:
        return False
    text, json = found
    try:
        if "--json" in options:
            print(json, flush=True)
        elif not options:
            print(text, flush=True)
    except BrokenPipeError:
        pass  # `| head` has read enough
    return True


def _plain(arguments: list[str]) -> tuple[str, set[str]] | None:
    """Return goal and options of a call that asks for nothing but a build of HEAD.

    Anything else, mistakes included, takes the long way, where click reads the call.
    """
    goal, options = "", set()
    left = iter(arguments[1:] if arguments[:1] == ["build"] else arguments)
    for argument in left:
        name, _, value = argument.partition("=")
        if name == "--until":
            goal = value or next(left, "")
            if not goal:
                return None
        elif argument in ("--json", "--quiet", "-q"):
            options.add(argument)
        else:
            return None
    return goal, options


if __name__ == "__main__":
    main()
