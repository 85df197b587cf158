"""Record the screens of docs/screens.md as pictures, from a terminal of 80 columns.

    python -m tests.benchmarks.screens [--into docs/screens] [--untrained]

The commands of docs/tutorial.md are followed, training included (minutes; without it
`--untrained` records what shows no adapter). Between them each verb runs on a
pseudo-terminal; what it writes is drawn by rich, as an SVG of a few kilobytes that asks
no other host for a font.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import tempfile
import termios
import time
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.cases.commands import CODE
from tests.cases.verbs.test_tutorial import Terminal, commands

COLUMNS, LINES = 80, 40
FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)
IDS = re.compile(r"terminal-\d+-")
UNDER_WAY = re.compile(rb"training:\s+(2[5-9]|[3-6]\d)%.*left")
# The build that is recorded while it runs, what is recorded before it, and at the end.
FIRST_BUILD, SECOND_BUILD = 1, 3
BEFORE_SECOND = {"status": "repobuild --quick status"}
AT_THE_END = {
    "why": "repobuild --quick why garden/beds.py::plants",
    "log": "repobuild --quick log",
    "doctor": "repobuild --quick doctor",
    "hook-status": "repobuild hook status",
}
UNTRAINED = ("doctor", "hook-status")
MERGE = """
git checkout -q -b herbs
git commit -q --allow-empty -m 'Sow herbs'
git checkout -q main
git merge -q --no-ff --no-edit herbs
"""


def on_terminal(terminal: Terminal, command: str, until: re.Pattern[bytes]) -> bytes:
    """Return what a command writes to a terminal, until it ends or shows a pattern.

    It goes on without being seen.
    """
    leader, follower = pty.openpty()
    size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
    fcntl.ioctl(follower, termios.TIOCSWINSZ, size)
    environment = {**terminal.environment, "TERM": "xterm-256color"}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)
    shown, seen = b"", b""
    with subprocess.Popen(
        ["sh", "-c", command], cwd=terminal.where, env=environment,
        stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
    ) as child:  # fmt: skip
        os.close(follower)
        try:
            while piece := os.read(leader, 1 << 16):
                shown += piece
                if not seen and until.search(shown):
                    seen = shown
        except OSError:  # the last process has closed it
            pass
        child.wait()
    os.close(leader)
    return seen or shown


def screen(written: bytes) -> str:
    """Return the lines that a terminal shows: each from its last carriage return on."""
    lines = []
    for line in written.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        parts = [part for part in line.split("\r") if part.strip()]
        lines.append(parts[-1].rstrip() if parts else "")
    return "\n".join(lines).rstrip("\n")


def draw(command: str, text: str, title: str) -> str:
    """Return a picture of a command and what it printed."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(text))
    picture = FONTS.sub("", console.export_svg(title=title))
    picture = IDS.sub("terminal-", picture)
    return re.sub(r"[ \t]+\n", "\n", re.sub(r"\n\s*\n", "\n", picture))


def merge(terminal: Terminal) -> None:
    """Merge, and wait until the hook's build has ended; here it trains nothing."""
    terminal.environment["REPOBUILD_BUILD_GOALS"] = '["dataset"]'
    terminal.run(MERGE)
    while "background: last" not in terminal.run("repobuild hook status"):
        time.sleep(1)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--into", type=Path, default=CODE / "docs/screens")
    options.add_argument("--untrained", action="store_true")
    chosen = options.parse_args()
    into = chosen.into
    into.mkdir(exist_ok=True)
    never = re.compile(rb"\Z.")
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def record(name: str, command: str, until: re.Pattern[bytes] = never) -> None:
        text = screen(on_terminal(terminal, command, until))
        folder = str(terminal.folder.resolve())
        text = text.replace(folder, "/home/me")
        title = command.replace(" --quick", "")
        picture = draw(title, text, f"{COLUMNS} columns")
        (into / f"{name}.svg").write_text(picture, "utf-8")
        print(f"--- {name}: {len(picture):,} bytes\n{text}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(Path(folder))
        builds = 0
        for command in commands():
            if chosen.untrained and command.trains:
                continue
            builds += command.text == "repobuild --quick"
            if command.text != "repobuild --quick":
                if "uninstall" in command.text:
                    merge(terminal)
                    for name in UNTRAINED if chosen.untrained else AT_THE_END:
                        record(name, AT_THE_END[name])
                terminal.run(command.text)
            elif builds == FIRST_BUILD:
                record("progress", command.text, UNDER_WAY)
            else:
                if builds == SECOND_BUILD:
                    for name, text in BEFORE_SECOND.items():
                        record(name, text)
                    record("build", command.text)
                else:
                    terminal.run(command.text)


if __name__ == "__main__":
    main()
