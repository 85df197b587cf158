"""Build many repositories, a few at a time; one that fails stops no other.

A fleet file has a repository on each line: a path, or a URL that is cloned. Each is
built by a process of its own, so that whatever happens to it stays there. They share
what belongs to the user: settings, the cache of base models, and a shared cache where
one is configured.

    # the web team's
    ../shop
    https://github.com/pallets/click
    git@host:web/site.git  name=site until=dataset adapter.rank=8

Relative paths start at the file's folder. After the repository come `name=`, its name
and the clone's folder; `until=`, the last table to build; and settings with a dot in
their names. A word with spaces is put in quotes; a word that begins with "#" begins a
comment.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from repobuild.errors import BuildError, UsageError, system_reason
from repobuild.git.clone import clone_or_update, is_url
from repobuild.git.program import REPOSITORY_VARIABLES

State = Literal["built", "current", "stale", "failed"]
_MOST_BYTES = 1 << 24  # of a fleet file: some 200,000 repositories
_HELPER = re.compile(r"[\w+.-]+::")  # ext::, which has git run a program
_PART = re.compile(r"[\w.+~@-]+")  # of a folder's name
_REASON_LINES = 3
_END_SECONDS = 10.0  # after SIGTERM, before SIGKILL


@dataclass(frozen=True, slots=True)
class Member:
    """One line of a fleet file."""

    name: str
    folder: Path
    url: str = ""  # "" for a repository that is here
    until: str = ""
    settings: tuple[str, ...] = ()  # NAME=VALUE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one repository."""

    member: Member
    state: State
    seconds: float
    code: int = 0  # exit code of its build
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)  # `build --json`

    @property
    def rows(self) -> int:
        """How many rows were computed; 0 where nothing was."""
        if self.state != "built":
            return 0
        return sum(table["built"] for table in self.facts["tables"].values())


# ------------------------------------------------------------------------- the file


def read_fleet(file: Path, clones: Path) -> list[Member]:
    """Return the repositories of a fleet file; clones are kept below `clones`.

    Raises `UsageError`, with the line, for what is no repository, and for two lines
    about one folder.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = system_reason(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f'"{file}" cannot be read: {why}\n'
            "name a file with a path or a URL of a repository on each line"
        ) from error
    if len(data) > _MOST_BYTES:
        raise UsageError(
            f'"{file}" has more than {_MOST_BYTES >> 20} MB\nsplit it into several'
        )
    members: dict[Path, Member] = {}
    for number, line in enumerate(text.split("\n"), 1):
        try:
            member = _read_line(line, file.parent, clones)
            if member and member.folder in members:
                raise ValueError(f'"{member.folder}" is there already')
        except ValueError as error:
            raise UsageError(
                f'line {number} of "{file}": {error}\n'
                "write a path or a URL, then name=, until= or settings"
            ) from error
        if member:
            members[member.folder] = member
    if not members:
        raise UsageError(
            f'"{file}" lists no repository\nwrite a path or a URL on each line'
        )
    return list(members.values())


def _read_line(line: str, here: Path, clones: Path) -> Member | None:
    """Return the repository of a line; raises `ValueError` for a line that has none."""
    words = shlex.split(line)
    comment = next((n for n, word in enumerate(words) if word[:1] == "#"), len(words))
    if not words[:comment]:
        return None
    where, *rest = words[:comment]
    options, settings = _read_options(rest)
    is_broken_url = "://" in where and not is_url(where)
    is_option = where.startswith("-")
    if is_option or is_broken_url or not where.isprintable() or _HELPER.match(where):
        raise ValueError(f"{json.dumps(where[:80])} is no path or URL of a repository")
    until = options.get("until", "")
    if is_url(where):
        parts = _folder_of(options.get("name") or _without_scheme(where))
        name = options.get("name") or parts[-1]
        return Member(name, clones.joinpath(*parts), where, until, settings)
    folder = Path(os.path.abspath(here / Path(where).expanduser()))
    return Member(options.get("name") or folder.name, folder, "", until, settings)


def _read_options(words: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the options of a line by name, and its settings as NAME=VALUE."""
    options, settings = {}, []
    for word in words:
        name, equals, value = word.partition("=")
        if equals and "." in name and not name.startswith("-"):
            settings.append(word)
        elif equals and name in ("name", "until") and not value.startswith("-"):
            options[name] = value
        else:
            raise ValueError(f"{json.dumps(word[:80])} is no option")
    return options, tuple(settings)


def _without_scheme(url: str) -> str:
    """Return host and path of a URL, without user and without `.git`."""
    rest = url.rpartition("://")[2].rstrip("/")
    return rest.rpartition("@")[2].replace(":", "/").removesuffix(".git")


def _folder_of(name: str) -> list[str]:
    """Return the parts of a clone's folder below the others'."""
    parts = [part for part in name.split("/") if part]
    if not parts or any(p in (".", "..") or not _PART.fullmatch(p) for p in parts):
        raise ValueError(f"{json.dumps(name[:80])} names no folder; give it a name=")
    return parts


# ------------------------------------------------------------------------- the builds


@dataclass
class Fleet:
    """Builds repositories, `at_once` at a time."""

    members: Sequence[Member]
    at_once: int = 1
    until: str = ""
    only_look: bool = False  # ask for the status, and build nothing
    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    _is_ended: bool = False

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what became of each repository, as they end."""
        with ThreadPoolExecutor(self.at_once) as pool:
            try:
                futures = [pool.submit(self._bring_up_to_date, m) for m in self.members]
                for future in as_completed(futures):
                    yield future.result()
            except BaseException:
                self._end()
                pool.shutdown(cancel_futures=True)
                raise

    def _bring_up_to_date(self, member: Member) -> Outcome:
        began = time.monotonic()
        try:
            if member.url and not self.only_look:
                member.folder.parent.mkdir(parents=True, exist_ok=True)
                clone_or_update(member.url, member.folder)
            if not member.folder.is_dir():
                why = "is not cloned yet" if member.url else "does not exist"
                raise BuildError(f'"{member.folder}" {why}')
            code, facts, reason = self._run(member)
        except (BuildError, OSError) as error:
            code = getattr(error, "exit_code", 3)
            return Outcome(member, "failed", _since(began), code, str(error))
        state = self._state(code, facts)
        return Outcome(member, state, _since(began), code, reason, facts)

    def _state(self, code: int, facts: Mapping[str, Any]) -> State:
        if code:
            return "failed"
        if self.only_look:
            return "stale" if facts["stale"] else "current"
        is_built = any(table["built"] for table in facts["tables"].values())
        return "built" if is_built else "current"

    def _run(self, member: Member) -> tuple[int, dict[str, Any], str]:
        """Run the verb in a repository; return exit code, its object, and the error."""
        process = subprocess.Popen(
            self._command(member), cwd=member.folder, env=self._environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        self._running.add(process)
        if self._is_ended:  # it was started while the others were ended
            process.terminate()
        try:
            printed, said = process.communicate()
        finally:
            self._running.discard(process)
        try:
            facts = json.loads(printed)
        except ValueError:
            facts = {}
        code = process.returncode or (0 if facts else 3)
        return code, facts, _reason(said) if code else ""

    def _command(self, member: Member) -> list[str]:
        settings = [part for setting in member.settings for part in ("-c", setting)]
        words = [sys.executable, "-P", "-m", "repobuild", *settings, "build", "--json"]
        if until := member.until or self.until:
            words += ["--until", until]
        return [*words, *(["-n"] if self.only_look else ["--jobs", str(self._cores)])]

    @property
    def _cores(self) -> int:
        """How many processor cores each build gets."""
        return max(1, (os.cpu_count() or 1) // min(self.at_once, len(self.members)))

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in REPOSITORY_VARIABLES}
        if self.at_once > 1:
            kept.setdefault("OMP_NUM_THREADS", str(self._cores))
        package = str(Path(__file__).parents[1])
        given = kept.get("PYTHONPATH", "").split(os.pathsep)
        # A relative entry would lead into the repository that is built.
        paths = [package, *(path for path in given if os.path.isabs(path))]
        return kept | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}

    def _end(self) -> None:
        """End the builds that run: they keep what they finished."""
        self._is_ended = True
        for process in list(self._running):
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _END_SECONDS
        while self._running and time.monotonic() < until:
            time.sleep(0.05)
        for process in list(self._running):
            process.kill()


def summary(members: Sequence[Member], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what became of all, in the order of the file, as `--json` prints it."""
    by_folder = {outcome.member.folder: outcome for outcome in outcomes}
    found = [by_folder[m.folder] for m in members if m.folder in by_folder]
    states = [outcome.state for outcome in found]
    return {
        "version": 1,
        "repositories": [_repository_facts(outcome) for outcome in found],
        **{
            state: states.count(state)
            for state in ("built", "current", "stale", "failed")
        },
    }


def exit_code(facts: Mapping[str, Any]) -> int:
    """Return 3 when a repository failed, 1 when one is stale, else 0."""
    return 3 if facts["failed"] else 1 if facts["stale"] else 0


def _repository_facts(outcome: Outcome) -> dict[str, Any]:
    facts = outcome.facts
    return {
        "name": outcome.member.name,
        "folder": str(outcome.member.folder),
        "url": outcome.member.url,
        "state": outcome.state,
        "commit": facts.get("commit") or facts.get("head") or "",
        "rows": outcome.rows,
        "adapter": (facts.get("adapter") or {}).get("current", ""),
        "seconds": round(outcome.seconds, 3),
        "exit": outcome.code,
        "reason": outcome.reason,
    }


def _reason(said: str) -> str:
    """Return the lines of an error message, as a verb printed it last."""
    lines = said.strip().splitlines()
    starts = [
        n for n, line in enumerate(lines) if line.startswith(("error:", "Error:"))
    ]
    chosen = lines[starts[-1] :] if starts else lines[-_REASON_LINES:]
    return "\n".join(chosen[:_REASON_LINES]).removeprefix("error: ")


def _since(began: float) -> float:
    return time.monotonic() - began
