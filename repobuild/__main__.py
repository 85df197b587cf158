"""Entry point. A build with nothing to do is answered before anything is imported."""

from __future__ import annotations

import os
import sys

# What a plain build may be called with; anything else takes the long way.
_PLAIN = {"build", "--json", "--quiet"}


def main() -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:]
    if set(arguments) <= _PLAIN and _nothing_to_do(arguments):
        sys.stdout.flush()
        # Skips the interpreter's tear-down: nothing is open, and it costs 5 ms.
        os._exit(0)
    from repobuild.cli.main import run

    sys.exit(run(arguments))


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
