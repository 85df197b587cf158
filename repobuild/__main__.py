"""Start the program; answer a build with nothing to do before heavy imports."""

from __future__ import annotations

import os
import sys


def _end_interrupted(*_: object) -> None:
    """End with one line: nothing has begun that would have to be closed."""
    try:
        os.write(2, b"interrupted; run again to continue\n")
    finally:
        os._exit(130)


# First of all: `signal`, with which a handler is set, takes a while to import.
_default_hook = sys.excepthook
sys.excepthook = lambda kind, error, trace: (
    _end_interrupted()
    if issubclass(kind, KeyboardInterrupt)
    else _default_hook(kind, error, trace)
)


def main() -> None:
    """Run the command line and exit with its code."""
    _open_closed_streams()
    _ignore_working_folder()
    if "_REPOBUILD_COMPLETE" in os.environ:
        from repobuild.cli.main import cli
        from repobuild.cli.shell_words import complete

        sys.exit(complete(cli))
    arguments = sys.argv[1:]
    if _print_cached_answer(arguments):
        # Skips the interpreter's shutdown, which costs 5 ms; no file is open.
        os._exit(0)
    from repobuild.cli.signals import end_at_once, listen

    end_at_once(_end_interrupted)
    from repobuild.cli.main import run
    from repobuild.cli.output import print_traceback

    sys.excepthook = print_traceback
    listen()
    sys.exit(run(arguments))


def _open_closed_streams() -> None:
    """Open /dev/null for stdin, stdout or stderr where closed, as under a daemon.

    Otherwise the next file that is opened gets their number, and what a library prints
    to stderr is written into the database.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, "r+" if number else "r"))


def _ignore_working_folder() -> None:
    """Import nothing from the working folder, here or in processes started from here.

    `python -m` puts it first on the path, and it is the repository that is analysed:
    its `click.py` or `numpy.py` would run (tests/promises/test_nothing_is_executed.py).
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        working_folder = os.getcwd()
    except OSError:  # it was removed
        working_folder = ""
    if sys.path and sys.path[0] in ("", working_folder):
        del sys.path[0]


def _print_cached_answer(arguments: list[str]) -> bool:
    """Print the last build's answer if it still holds; return whether it does."""
    request = _parse_plain_build(arguments)
    if request is None:
        return False
    from repobuild.noop_cache import answer

    goal, options = request
    try:
        answers = answer(goal)
    except OSError:
        return False  # what cannot be read is reported by the build
    if answers is None:
        return False
    text, json = answers
    # The file may have come with the repository; control characters are escaped.
    if not (text + json).replace("\n", "").isprintable():
        return False
    try:
        if "--json" in options:
            print(json, flush=True)
        elif not options:
            print(text, flush=True)
    except BrokenPipeError:
        pass  # the reader, such as `| head`, has stopped reading
    except OSError as error:
        print(
            f"error: stdout cannot be written: {str(error.strerror).lower()}\n"
            "nothing had to be built; make room or print elsewhere",
            file=sys.stderr,
            flush=True,
        )
        os._exit(3)
    return True


def _parse_plain_build(arguments: list[str]) -> tuple[str, set[str]] | None:
    """Return goal and options of a call that only asks for a build of HEAD.

    Returns None for any other call, mistakes included: click parses those.
    """
    goal, options = "", set()
    rest = iter(arguments[1:] if arguments[:1] == ["build"] else arguments)
    for argument in rest:
        name, _, value = argument.partition("=")
        if name == "--until":
            goal = value or next(rest, "")
            if not goal:
                return None
        elif name in ("--jobs", "-j"):
            if not (value or next(rest, "")).isdecimal():
                return None  # with nothing to do, it does not matter how many
        elif argument in ("--json", "--quiet", "-q"):
            options.add(argument)
        else:
            return None
    return goal, options


if __name__ == "__main__":
    main()
