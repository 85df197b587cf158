"""Write an export into a folder, and leave everything there that is not an export.

    DIR/.repobuild-export.json    {"version": 1, "exports": {TABLE: {PATH: sha256}}}
    DIR/.repobuild-export.new/    the files while they are written

The marker lists the files of every table that was exported into the folder. An export
replaces and removes only the listed files of its own table, as long as they have their
digests; for anything else it wants `--force`. Even then it follows no link: a link
in place of a file is replaced, one in place of a folder is refused.

All files are written to the inner folder first, and renamed. While they are renamed the
marker lists the digests before and after, so an export that is killed can be repeated.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from repobuild.errors import UsageError

MARKER = ".repobuild-export.json"
STAGING = ".repobuild-export.new"
_FORCE = "export into another folder, or add `--force` to replace files in this one"

Digests = dict[str, list[str]]  # path -> digests that the file may have


@dataclass(frozen=True, slots=True)
class ExportTarget:
    """A folder to export into, with what its marker lists."""

    folder: Path
    table: str
    force: bool
    exports: dict[str, Digests] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, table: str, force: bool) -> ExportTarget:
        """Check the folder; raises `UsageError` when it holds what is not ours."""
        if folder.is_symlink():
            raise UsageError(
                f'"{folder}" is a symbolic link\n'
                "an export follows no links: name the folder that it points to"
            )
        names = set(os.listdir(folder)) - {STAGING} if folder.is_dir() else set()
        exports = _read_marker(folder / MARKER)
        if names and not exports and not force:
            raise UsageError(
                f'"{folder}" is not empty and no earlier export of repobuild\n{_FORCE}'
            )
        return cls(folder, table, force, exports)

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """Yield an empty folder; what was written there becomes the export.

        Raises:
            UsageError: a file would replace one that is not ours.
        """
        self._check_former()
        self.folder.mkdir(parents=True, exist_ok=True)
        staging = self.folder / STAGING
        if staging.is_symlink():
            staging.unlink()
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        try:
            yield staging
            self._move(staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    @property
    def _former(self) -> Digests:
        return self.exports.get(self.table, {})

    def _check_former(self) -> None:
        """Refuse to replace a file that was edited since it was exported."""
        for name in () if self.force else self._former:
            if os.path.lexists(self.folder / name) and not self._is_ours(name):
                path = self.folder / name
                raise UsageError(f'"{path}" was changed since its export\n{_FORCE}')

    def _is_ours(self, name: str) -> bool:
        """Return whether a file is one that an export of this table wrote."""
        path = self.folder / name
        if self._link_above(name) or path.is_symlink() or not path.is_file():
            return False
        return _digest(path) in self._former.get(name, ())

    def _link_above(self, name: str) -> Path | None:
        """Return the first folder on the way to a file that is a link."""
        above = [self.folder / parent for parent in PurePosixPath(name).parents]
        return next((path for path in above[-2::-1] if path.is_symlink()), None)

    def _move(self, staging: Path) -> None:
        files = {
            path.relative_to(staging).as_posix(): path
            for path in sorted(staging.rglob("*"))
            if path.is_file()
        }
        for name in files:
            self._check_place(name)
        digests = {name: [_digest(path)] for name, path in files.items()}
        gone = [n for n in self._former if n not in files and self._is_ours(n)]
        self._write_marker(
            {
                name: digests.get(name, []) + self._former.get(name, [])
                for name in {*files, *gone}
            }
        )
        for name, path in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(self.folder / name)
        for name in gone:
            (self.folder / name).unlink()
        self._write_marker(digests)

    def _check_place(self, name: str) -> None:
        """Refuse to put a file where another one, or a link, is in the way."""
        path = self.folder / name
        if link := self._link_above(name):
            raise UsageError(
                f'"{link}" is a symbolic link\n'
                "an export follows no links: remove it, or export into another folder"
            )
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder or (path.parent.exists() and not path.parent.is_dir()):
            raise UsageError(
                f'"{path}" cannot be written: a folder or a file is in the way\n'
                "move it away, or export into another folder"
            )
        if os.path.lexists(path) and not self.force and name not in self._former:
            raise UsageError(f'"{path}" is no file of an earlier export\n{_FORCE}')

    def _write_marker(self, digests: Digests) -> None:
        exports = {**self.exports, self.table: dict(sorted(digests.items()))}
        body = {"version": 1, "exports": dict(sorted(exports.items()))}
        fresh = self.folder / STAGING / MARKER
        fresh.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
        fresh.replace(self.folder / MARKER)


def _read_marker(path: Path) -> dict[str, Digests]:
    """Return what a marker lists; nothing when it is missing, a link or garbled.

    A path that leads out of the folder is left out: the marker may be another's.
    """
    if path.is_symlink() or not path.is_file():
        return {}
    try:
        exports = json.loads(path.read_bytes())["exports"]
        return {
            str(table): {
                str(name): [str(digest) for digest in digests]
                for name, digests in files.items()
                if _is_inside(str(name))
            }
            for table, files in exports.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
