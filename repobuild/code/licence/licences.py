"""Make the `licences` table: the licence of every analysed file, and who states it.

    path       {"licence": SPDX expression, "source": path of the stating file}
    folder/    the same, as stated by the folder's licence files and manifests

A file's own header wins (or its FILE.license, which replaces it), else what REUSE.toml
or .reuse/dep5 say of it, else the nearest folder above it that states a licence; with
none of them the licence is UNKNOWN with the source "". REUSE.toml may also add to the
header or override it (reuse.py). In a folder a manifest that names
its licence wins, because it states how several texts combine; texts without such a
manifest apply together. The index holds, under "/" and the path of a licence file or
manifest, its folder's term.

An update reads changed files only, and the files below a folder only when the folder's
licence changed.
"""

from __future__ import annotations

from collections.abc import Mapping

from repobuild.code.licence.detect import (
    MANIFESTS,
    UNKNOWN,
    is_statement,
    join_licences,
    licence_of_file,
    licence_of_header,
)
from repobuild.code.licence.reuse import COMPANION, ReuseFiles, concerned_folder
from repobuild.engine.contract import Value, View
from repobuild.errors import MissingObjectError
from repobuild.git.snapshot import is_regular

Row = dict[str, str]


def licences(view: View) -> None:
    """Bring the licences up to date with the changed files."""
    changes = view.changes("files")
    statements = {path for path in changes if is_statement(_name_of(path))}
    for path in sorted(statements):
        _update_index(view, path, changes[path][1])
    folders = sorted({_folder_of(path) for path in statements})
    changed_folders = tuple([f for f in folders if _update_folder(view, f)])
    outdated = set(changes)
    outdated |= {p.removesuffix(COMPANION) for p in changes if p.endswith(COMPANION)}
    annotated = {
        folder for path in changes if (folder := concerned_folder(path)) is not None
    }
    below = tuple(annotated.union("" if f == "/" else f for f in changed_folders))
    if below and not view.full:
        keys = view.table("files").keys()
        outdated.update(path for path in keys if path.startswith(below))
    reuse = ReuseFiles(lambda path: _read(view, path))
    for path in sorted(outdated):
        _update_file(view, path, reuse)


def _update_index(view: View, path: str, file: Value | None) -> None:
    exists = file is not None and is_regular(file["mode"])
    if exists or not view.full:
        terms = [f"in:{_folder_of(path)}"] if exists else []
        view.own.index.set(f"/{path}", terms)


def _update_folder(view: View, folder: str) -> bool:
    """Write a folder's row; returns whether it changed."""
    old, new = view.own.get(folder), _folder_row(view, folder)
    if new == old:
        return False
    if new is None:
        view.own.drop(folder)
    else:
        view.own.put(folder, new)
    return True


def _folder_row(view: View, folder: str) -> Row | None:
    """Return what the manifests and licence files of one folder state together."""
    stated: dict[str, str] = {}
    for key in view.own.index.find(f"in:{folder}"):
        path = key.removeprefix("/")
        file = view.table("files").get(path)
        if file is None or _folder_of(path) != folder:
            continue  # a false hit of the index
        try:
            text = view.blob(file["blob"])
        except MissingObjectError as error:
            view.fail("files", path, error)
            continue
        if licence := licence_of_file(_name_of(path), text):
            stated[path] = licence
    for path, licence in stated.items():
        if _name_of(path) in MANIFESTS:
            return {"licence": licence, "source": path}
    return _joint_row(stated) if stated else None


def _joint_row(stated: Mapping[str, str]) -> Row:
    """Return the row of several texts; unknown ones count only if all are unknown."""
    known = {path: one for path, one in stated.items() if one != UNKNOWN} or stated
    licences = sorted(set(known.values()))
    if len(licences) > 1 and any(id.startswith("LGPL") for id in licences):
        # The LGPL extends the GPL, whose text accompanies it.
        licences = [id for id in licences if not id.startswith("GPL")]
    return {"licence": join_licences(licences), "source": min(known)}


def _update_file(view: View, path: str, reuse: ReuseFiles) -> None:
    file = view.table("files").get(path)
    if file is None or not file["language"]:
        if not view.full:
            view.own.drop(path)
        return
    try:
        companion = _read(view, path + COMPANION)
        text = view.blob(file["blob"]) if companion is None else companion
    except MissingObjectError as error:
        view.fail("files", path, error)
        view.own.drop(path)
        return
    source = path if companion is None else path + COMPANION
    named = licence_of_header(text)
    term = reuse.term(path)
    if term and (not named or term.precedence == "override"):
        row = {"licence": term.licence, "source": term.source}
    elif term and term.precedence == "aggregate":
        row = {"licence": join_licences((named, term.licence)), "source": source}
    else:
        row = {"licence": named, "source": source} if named else _nearest(view, path)
    view.own.put(path, row)


def _read(view: View, path: str) -> bytes | None:
    """Return a file's content, None for a link, a submodule, or no such file."""
    file = view.table("files").get(path)
    if file is None or not is_regular(file["mode"]):
        return None
    return view.blob(file["blob"])


def _nearest(view: View, path: str) -> Row:
    """Return the row of the nearest folder above a path that states a licence."""
    folder = _folder_of(path)
    while True:
        row = view.own.get(folder)
        if row is not None:
            return dict(row)
        if folder == "/":
            return {"licence": UNKNOWN, "source": ""}
        folder = _folder_of(folder[:-1])


def _folder_of(path: str) -> str:
    """Return the key of a path's folder: "a/b/" of "a/b/c", "/" at the top."""
    return path.rpartition("/")[0] + "/"


def _name_of(path: str) -> str:
    return path.rpartition("/")[2]
