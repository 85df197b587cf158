"""Put our hooks into the folder where git looks for them, and take them out again.

Git names the folder: `core.hooksPath`, the common folder that worktrees share, a
submodule's own. Three kinds of folders need care:

    the repository's own         hooks are installed, others are kept and chained
    in the work tree             the same, but a hook that git tracks is left alone: a
                                 path of this machine would be committed for everyone
    elsewhere, perhaps shared    the hook does nothing in repositories without the file
                                 `hooked` in their state, and stays as long as one of
                                 those that it was installed for has it

A hook from before gets a second name (a hard link), then ours replaces its first name,
so that at no time it is missing. Taking ours out renames it back: the same bytes, mode
and time, because it is the same file.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from repobuild.engine.state_files import replace_file
from repobuild.errors import UsageError, nearest, system_reason
from repobuild.git.program import ask_git
from repobuild.hooks.hook_script import (
    NAMES,
    REPOSITORY,
    SAVED,
    HookScript,
    command_for,
    is_edited,
    is_ours,
    knows_its_name,
    python_of,
    read_hook,
    repositories_of,
)

HOOKED = "hooked"  # in the state of a repository that uses a shared folder
_FRESH = ".new-repobuild"  # a hook of ours that is being written


@dataclass(frozen=True)
class HooksFolder:
    """The folder from which git runs the hooks of one work tree."""

    path: Path  # as git names it, absolute
    common: Path  # git's common folder of the repository
    work_tree: Path

    @property
    def is_shared(self) -> bool:
        """Whether other repositories may run hooks from this folder."""
        real = self.path.resolve()
        own = (self.common.resolve(), self.work_tree.resolve())
        return not any(real.is_relative_to(folder) for folder in own)

    @property
    def unused(self) -> HooksFolder | None:
        """The repository's own folder, when core.hooksPath names another."""
        own = self.common / "hooks"
        is_used = own.resolve() == self.path.resolve()
        return None if is_used else replace(self, path=own)

    @property
    def marker(self) -> Path:
        return self.common / "repobuild" / HOOKED


@dataclass(frozen=True)
class InstalledHook:
    """One of git's hooks, as it is found."""

    name: str
    path: Path  # where ours is, or would be
    is_installed: bool
    runs_first: str  # path of the user's own hook that ours runs; "" for none
    problem: str = ""  # why git does not run ours, or ours starts nothing

    @property
    def next_step(self) -> str:
        """The command that solves the problem; "" where there is none."""
        if not self.problem:
            return ""
        install = f"repobuild hook install {self.name}"
        if self.path.name == self.name:
            return install
        # Another program moved it: install would write it anew where it is now.
        return f"repobuild hook uninstall {self.name} && {install}"


def find_folder(work_tree: Path, common: Path, is_bare: bool) -> HooksFolder:
    """Return the folder of hooks; raises `UsageError` where git runs none."""
    if is_bare:
        raise UsageError(
            f'"{common}" is a bare repository, where nothing is merged, committed or '
            "checked out\nnone of these hooks would ever run\n"
            "let its `post-receive` hook run `repobuild`, or build in a clone"
        )
    # From the top: a relative core.hooksPath starts there, where git runs hooks.
    answer = ask_git(work_tree, "rev-parse", "--git-path", "hooks").removesuffix("\n")
    if not answer:
        raise UsageError(
            f'git does not say where the hooks of "{work_tree}" are\n'
            "it runs the hooks, so they are of no use without it\n"
            "install it: https://git-scm.com"
        )
    path = Path(work_tree, answer)
    if path.exists() and not path.is_dir():
        raise UsageError(_no_folder(path, work_tree))
    return HooksFolder(path, common, work_tree)


def _no_folder(path: Path, work_tree: Path) -> str:
    if not ask_git(work_tree, "config", "--get", "core.hooksPath"):
        return (
            f'git looks for hooks in "{path}", which is no folder\n'
            "so it runs no hooks here\nmove it away, and run again"
        )
    return (
        f'core.hooksPath names "{path}", which is no folder: git runs no hooks here\n'
        "see who set it: git config --show-origin --get core.hooksPath\n"
        "without it git runs the repository's own: git config --unset core.hooksPath"
    )


def check_names(names: Collection[str]) -> None:
    """Raise `UsageError` for a name of no hook that we install."""
    for name in names:
        if name not in NAMES:
            raise UsageError(
                f'repobuild has no hook "{name}"{nearest(name, NAMES)}\n'
                f"its hooks are {', '.join(NAMES)}"
            )


# --------------------------------------------------------------------------- install


def install(folder: HooksFolder, names: Collection[str]) -> None:
    """Install these hooks; one that is there already is written anew.

    Raises `UsageError` before anything is written when one of them cannot be.
    """
    for name in names:
        _refuse(folder, name)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        if folder.is_shared:
            folder.marker.parent.mkdir(exist_ok=True)
            replace_file(folder.marker, b"")
        package = _package()
        for name in names:
            _install(folder, name, package)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _refuse(folder: HooksFolder, name: str) -> None:
    """Raise `UsageError` when a hook's file must not be replaced."""
    path, saved = folder.path / name, folder.path / (name + SAVED)
    content = read_hook(path)
    if own := find_own(folder.path, name):
        _refuse_edited(own, saved)
    if own or not os.path.lexists(path):
        return
    if os.path.lexists(saved) and not _is_same(path, saved):
        raise UsageError(
            f'"{path}" and "{saved.name}" beside it are both not of repobuild\n'
            "the second was kept when repobuild's hook took its name, and the first "
            "came later\nkeep one of them, under the first name, and run again"
        )
    if path.is_dir():
        raise UsageError(f'"{path}" is a folder\ngit runs no folder; move it away')
    entry = path.parent.resolve() / name  # a link itself, not what it names
    if ask_git(folder.work_tree, "ls-files", "--", str(entry)):
        raise UsageError(
            f'"{path}" belongs to the repository: git tracks it\n'
            "repobuild's own would be committed with it, with a path of this machine\n"
            f'write this line into it: repobuild hook run {name} "$@"'
        )
    real = path.resolve()
    if b"husky" in content and real.parent.name == "_":
        users = real.parent.parent / name
        raise UsageError(
            f'"{path}" is written by husky, anew whenever it is installed\n'
            "husky runs your own commands from another file\n"
            f'write this line into "{users}": repobuild hook run {name} "$@"'
        )
    if knows_its_name(content):
        raise UsageError(
            f'"{path}" decides by its own name what it does\n'
            "repobuild would have to run it under another name\n"
            f"let it run this command, too: repobuild hook run {name}"
        )


def _refuse_edited(own: Path, saved: Path) -> None:
    """Raise `UsageError` when our hook holds lines that are not ours."""
    if is_edited(read_hook(own)):
        raise UsageError(
            f'"{own}" was changed after repobuild had installed it\n'
            "the change would be lost\n"
            f'move your lines into "{saved.name}" beside it, an executable script that '
            "is run first, then delete the changed file and run again"
        )


def _install(folder: HooksFolder, name: str, package: str) -> None:
    path, saved = folder.path / name, folder.path / (name + SAVED)
    own = find_own(folder.path, name)
    repositories = repositories_of(read_hook(own)) if own else ()
    if own is None and os.path.lexists(path) and not os.path.lexists(saved):
        _link(path, saved)
    script = HookScript(
        name,
        os.path.abspath(sys.executable),
        package,
        tuple(dict.fromkeys((*repositories, str(folder.common)))),
        folder.is_shared,
        command_for(read_hook(saved), saved.is_symlink()),
    )
    _write(own or path, script.text())


def _link(path: Path, saved: Path) -> None:
    """Give a hook its second name; a link stays a link."""
    try:
        os.link(path, saved, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links
        os.rename(path, saved)


def _is_same(path: Path, saved: Path) -> bool:
    """Whether these are two names of one file: an installation was cut between them."""
    with suppress(OSError):
        one, other = path.lstat(), saved.lstat()
        return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
    return False


def _write(path: Path, text: str) -> None:
    """Write an executable file in one step, whatever the umask."""
    fresh = path.with_name(path.name + _FRESH)
    fresh.unlink(missing_ok=True)
    with fresh.open("xb") as file:
        file.write(os.fsencode(text))
        os.fchmod(file.fileno(), 0o755)
    fresh.replace(path)


def _package() -> str:
    """Return the folder to import us from; "" when the interpreter finds it itself.

    A hook runs without the variables of this shell, such as PYTHONPATH.
    """
    package = Path(__file__).parents[2]
    question = "import repobuild; print(repobuild.__file__)"
    bare = {n: v for n, v in os.environ.items() if n != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", question], cwd="/", env=bare, capture_output=True
    )
    found = os.fsdecode(done.stdout).strip()
    is_same = bool(found) and Path(found).resolve().is_relative_to(package.resolve())
    return "" if is_same else str(package)


def _unwritable(folder: HooksFolder, error: OSError) -> UsageError:
    reason = system_reason(error)
    return UsageError(
        f'hooks cannot be written into "{folder.path}": {reason}\n'
        "what was there is unchanged, and git goes on to run it\n"
        "get the right to write there, or set core.hooksPath to a folder of your own"
    )


# ------------------------------------------------------------------------- uninstall


def uninstall(folder: HooksFolder, names: Collection[str]) -> list[str]:
    """Take these hooks out and put back what was there; return the names of ours.

    Those in the repository's own folder go, too, when git runs another one's. Raises
    `UsageError` when a folder cannot be written.
    """
    found = _uninstall_from(folder, names)
    if folder.unused:
        found += _uninstall_from(folder.unused, names)
    if not any(_is_there(folder, name) for name in NAMES):
        folder.marker.unlink(missing_ok=True)
    return [name for name in names if name in found]


def _uninstall_from(folder: HooksFolder, names: Collection[str]) -> list[str]:
    found = [name for name in names if _is_there(folder, name)]
    for name in found:
        if own := find_own(folder.path, name):
            _refuse_edited(own, folder.path / (name + SAVED))
    try:
        for name in names:  # of an installation that was killed
            (folder.path / (name + _FRESH)).unlink(missing_ok=True)
        for name in found:
            _uninstall(folder, name)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return found


def _is_there(folder: HooksFolder, name: str) -> bool:
    """Whether a hook of ours, or what is left of one, is there for this repository."""
    own, saved = find_own(folder.path, name), folder.path / (name + SAVED)
    if own is None:
        # Killed between two steps, or ours was deleted: the user's own is put back.
        path = folder.path / name
        is_left = os.path.lexists(saved) and (
            not os.path.lexists(path) or _is_same(path, saved)
        )
        return is_left and not folder.is_shared
    return not folder.is_shared or str(folder.common) in repositories_of(read_hook(own))


def _uninstall(folder: HooksFolder, name: str) -> None:
    path, saved = folder.path / name, folder.path / (name + SAVED)
    own = find_own(folder.path, name)
    if own and _has_other_users(folder, own):
        text = os.fsdecode(read_hook(own))
        _write(own, text.replace(f"\n{REPOSITORY}{folder.common}\n", "\n"))
    elif _is_same(path, saved):
        saved.unlink()  # to rename it to its other name would do nothing
    elif os.path.lexists(saved):
        os.replace(saved, own or path)
    elif own:
        own.unlink()


def _has_other_users(folder: HooksFolder, own: Path) -> bool:
    """Return whether another repository still uses one of our hooks."""
    others = set(repositories_of(read_hook(own))) - {str(folder.common)}
    markers = (os.path.join(other, "repobuild", HOOKED) for other in others)
    return folder.is_shared and any(map(os.path.isfile, markers))


# ---------------------------------------------------------------------------- status


def find_own(folder: Path, name: str) -> Path | None:
    """Return our hook's file, also where another program has moved it to."""
    if is_ours(read_hook(folder / name)):
        return folder / name
    for path in sorted(folder.glob(f"{name}.*")):
        if path.suffix not in (SAVED, _FRESH) and is_ours(read_hook(path)):
            return path
    return None


def list_hooks(folder: HooksFolder) -> list[InstalledHook]:
    """Return what there is of each of our hooks."""
    return [_describe(folder, name) for name in NAMES]


def _describe(folder: HooksFolder, name: str) -> InstalledHook:
    path, saved = folder.path / name, folder.path / (name + SAVED)
    own = find_own(folder.path, name)
    if own is None or not _is_there(folder, name):
        return InstalledHook(name, path, False, "")
    first = str(saved) if os.access(saved, os.X_OK) and saved.is_file() else ""
    hook = InstalledHook(name, own, True, first)
    return replace(hook, problem=_problem(folder, hook))


def _problem(folder: HooksFolder, hook: InstalledHook) -> str:
    content, ahead = read_hook(hook.path), read_hook(folder.path / hook.name)
    python = python_of(content)
    if hook.path.name != hook.name and b"pre-commit" not in ahead:
        return f'another program has moved it to "{hook.path.name}"'
    if b"\r\n" in content:
        return "its line ends were changed to those of Windows"
    if not os.access(hook.path, os.X_OK):
        return "it is not executable"
    if not os.access(python, os.X_OK):
        return f'its interpreter "{python}" is gone'
    if folder.is_shared and not folder.marker.is_file():
        return "the state it was installed for was removed"
    return ""


def installed_names(folder: HooksFolder) -> list[str]:
    """Return the names of our hooks that are installed here."""
    with suppress(OSError):
        return [hook.name for hook in list_hooks(folder) if hook.is_installed]
    return []
