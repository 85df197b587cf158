"""Fill in hook.sh, and recognise a hook of ours by its second line.

A hook that was there before is kept beside ours, as NAME.before-repobuild, and ours
runs it first: with git's arguments, standard input and environment, and ending with its
exit status. It is run as git would run it, with one exception: a shell script that
reads `$0` (husky's, or one script for all hooks) is read into a shell that has our
name, because it would not know itself under its new one.
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

NAMES = ("post-merge", "post-commit", "post-checkout", "post-rewrite")
SAVED = ".before-repobuild"
_ID = b"# repobuild hook, format "
REPOSITORY = "# repository: "
_CHECKSUM = "# checksum: "
_SHELLS = ("sh", "bash", "dash", "ash", "ksh")
_MOST_BYTES = 1 << 20  # of a hook that is read: it may be a program
# How a script asks for the name that it was called by, outside of a shell.
_OWN_NAME = re.compile(
    r"basename\W+(\$0|sys\.argv\[0\]|__file__|__FILE__|\$PROGRAM_NAME)"
)


@dataclass(frozen=True)
class HookScript:
    """What a hook of ours is made from."""

    name: str
    python: str  # absolute path of the interpreter
    package: str  # a folder for PYTHONPATH; "" when the interpreter finds us without
    repositories: tuple[str, ...]  # common git folders that it was installed for
    is_shared: bool  # its folder may be used by others
    run: str = '"$before"'  # the command that runs the hook from before

    def text(self) -> str:
        """Return the file's content."""
        head, before, want = _template()
        text = self._fill(head + before) + want
        digest = _checksum(os.fsencode(text))
        return text.replace(_CHECKSUM, f"{_CHECKSUM}{digest}", 1)

    def command(self) -> str:
        """Return the script that another program's hook runs: without a chained one."""
        head, _, want = _template()
        return self._fill(head) + want

    def _fill(self, text: str) -> str:
        lines = [REPOSITORY + path for path in self.repositories if "\n" not in path]
        values = {
            "#@REPOSITORIES@": "\n".join(lines) or "#",
            "@HOOK@": self.name,
            "@PYTHON@": shlex.quote(self.python),
            "@PACKAGE@": shlex.quote(self.package),
            "@SHARED@": "yes" if self.is_shared else "",
            "@SAVED@": self.name + SAVED,
            "@RUN@": self.run,
        }
        for name, value in values.items():
            text = text.replace(name, value)
        return text


def _template() -> tuple[str, str, str]:
    """Return the parts of hook.sh: its values, the hook from before, `want`."""
    text = Path(__file__).with_name("hook.sh").read_text("utf-8")
    head, _, rest = text.partition("#@BEFORE@\n")
    before, _, want = rest.partition("#@WANT@\n")
    return head, before, want


def read_hook(path: Path) -> bytes:
    """Return the beginning of a hook's file; b"" when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""


def is_ours(content: bytes) -> bool:
    """Return whether `repobuild hook install` wrote this, in any format."""
    return _ID in b"\n".join(content[:400].splitlines()[:3])


def repositories_of(content: bytes) -> tuple[str, ...]:
    """Return the common git folders for which one of our hooks was installed."""
    lines = os.fsdecode(content).replace("\r\n", "\n").split("\n")
    found = (line for line in lines if line.startswith(REPOSITORY))
    return tuple(line.removeprefix(REPOSITORY) for line in found)


def is_edited(content: bytes) -> bool:
    """Return whether somebody changed one of our hooks; line ends do not count."""
    _, _, rest = content.partition(os.fsencode(_CHECKSUM))
    return bool(rest) and _checksum(content) != os.fsdecode(rest[:8])


def _checksum(content: bytes) -> str:
    """Return a checksum of a hook without the lines that come and go."""
    volatile = (os.fsencode(_CHECKSUM), os.fsencode(REPOSITORY))
    kept = [line for line in content.splitlines() if not line.startswith(volatile)]
    return f"{crc32(bytes(1).join(kept)):08x}"


def python_of(content: bytes) -> str:
    """Return the interpreter that one of our hooks starts."""
    for line in content.decode("utf-8", "surrogateescape").splitlines():
        if line.startswith("python="):
            return "".join(shlex.split(line.removeprefix("python=")))
    return ""


def command_for(content: bytes, is_link: bool) -> str:
    """Return the shell command that runs a hook from before, its path in `$before`."""
    interpreter, text = _shell_of(content), content.decode("utf-8", "replace")
    reads_name = "$0" in text or "${0" in text
    # A link finds its target's folder by itself, whatever its own name.
    follows_link = is_link and ("readlink" in text or "realpath" in text)
    if not interpreter or not reads_name or follows_link:
        return '"$before"'
    words = " ".join(map(shlex.quote, interpreter))
    return f"""{words} -c 'b=$1; shift; . "$b"' "$0" "$before\""""


def knows_its_name(content: bytes) -> bool:
    """Return whether a script of another language asks for the name it is called by."""
    text = content.decode("utf-8", "replace")
    is_script = text.startswith("#!") and not _shell_of(content)
    return is_script and bool(_OWN_NAME.search(text))


def _shell_of(content: bytes) -> list[str]:
    """Return the words of a first line that names a shell; [] for any other."""
    first = content[:400].splitlines()[:1] or [b""]
    if not first[0].startswith(b"#!"):
        return []
    words = first[0][2:].decode("utf-8", "replace").split()
    by_env = words[:1] == ["/usr/bin/env"] and len(words) == 2
    named = words[1] if by_env else words[0] if words else ""
    is_shell = named.rpartition("/")[2] in _SHELLS
    return words if is_shell and len(words) <= 2 else []
