"""Entry point. A build with nothing to do is answered before anything is imported."""

from __future__ import annotations

import os
import sys

# What a plain build may be called with; anything else takes the long way.
_PLAIN = {"build", "--json", "--quiet"}


def main() -> None:
    """Run the command line and exit with its code."""
    _leave_the_folder_alone()
    arguments = sys.argv[1:]
    if set(arguments) <= _PLAIN and _nothing_to_do(arguments):
        sys.stdout.flush()
        # Skips the interpreter's tear-down: nothing is open, and it costs 5 ms.
        os._exit(0)
    from repobuild.cli.main import run

    sys.exit(run(arguments))


def _leave_the_folder_alone() -> None:
    """Import nothing from the working folder, here or in processes started here.

    `python -m` puts it first on the path, and it is the repository that is analysed:
    its `click.py` or `numpy.py` would run (tests/promises/test_nothing_is_executed.py).
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    if sys.path and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]


def _nothing_to_do(arguments: list[str]) -> bool:
    from repobuild.current import answer

    facts = answer()
    if facts is None:
        return False
    if "--json" in arguments:
        import json

        print(json.dumps(facts["json"], indent=2))
    elif "--quiet" not in arguments:
        print(facts["text"])
    return True


if __name__ == "__main__":
    main()
