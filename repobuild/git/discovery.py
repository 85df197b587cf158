"""Ask git where a repository is, so that every part of the program finds the same one.

Git's own rules hold: the folders above, GIT_DIR, GIT_WORK_TREE, GIT_COMMON_DIR,
GIT_CEILING_DIRECTORIES and safe.directory. One `git rev-parse` answers, for the answer
of a build without work (noop_cache.py) as for everything else (repository.py).

This module is loaded before any heavy import: it avoids `pathlib`, `re`, `typing` and
`subprocess`.
"""

from __future__ import annotations

import os

_QUESTION = (
    "rev-parse", "--path-format=absolute",
    "--git-dir", "--git-common-dir", "--show-toplevel", "HEAD^{commit}",
)  # fmt: skip


class FoundRepository:
    """Where a repository is; a text is "" for what git does not name.

    A bare repository has no `work_tree`, and one without a commit no `head`. `refusal`
    is git's reason when it finds no repository or does not open it.
    """

    def __init__(self, answers: list[str], refusal: str) -> None:
        known = [*answers, "", "", "", ""]
        self.folder, self.common, self.work_tree, self.head = known[:4]
        self.refusal = "" if self.common else refusal


def locate(start: str = "") -> FoundRepository | None:
    """Return where the repository of a folder is; None when git is not installed."""
    command = ["git", *(["-C", start] if start else []), *_QUESTION]
    answered = _outputs(command)
    if answered is None:
        return None
    status, output, errors = answered
    _, _, fatal = f"\n{errors}".partition("\nfatal: ")
    reason = " ".join((fatal.partition("\nfatal: ")[0] or errors).split())
    answers = output.split("\n")[:-1]
    if status:
        del answers[3:]  # git repeats a HEAD that names no commit
    return FoundRepository(answers, reason or "no reason given")


def _outputs(command: list[str]) -> tuple[int, str, str] | None:
    """Return status, stdout and stderr of a program; None when it cannot be run.

    Both texts must be short: the second is read when the first has ended.
    """
    out, err = os.pipe(), os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, out[1], 1), (os.POSIX_SPAWN_DUP2, err[1], 2)]
    english = {**os.environ, "LC_ALL": "C"}
    with open(out[0], "rb") as stdout, open(err[0], "rb") as stderr:
        try:
            child = os.posix_spawnp(command[0], command, english, file_actions=actions)
        except OSError:
            return None
        finally:
            os.close(out[1])
            os.close(err[1])
        texts = os.fsdecode(stdout.read()), os.fsdecode(stderr.read())
    _, status = os.waitpid(child, 0)
    return status, *texts
