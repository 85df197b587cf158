"""The `licences` table: the licence of every analysed file, and who says so.

    path       {"licence": SPDX expression, "source": path of what says it}
    folder/    the same, as the licence files and manifests of a folder say it

A file's own header wins, else the nearest folder above it that says anything; UNKNOWN
with the source "" when none does. In a folder a manifest that names its licence wins,
for it tells how several texts are meant; of texts without that, all must be obeyed. The
index holds, under "/" and the path of a licence file or manifest, its folder's term.

An update looks at changed files only, and at the files below a folder only when that
folder came to say something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from repobuild.code.licence.detect import (
    MANIFESTS,
    UNKNOWN,
    expression,
    header,
    is_statement,
    of_file,
)
from repobuild.engine.contract import Value, View

Row = dict[str, str]
_LINK = 0o120000  # git's mode of a symbolic link: it points to a text, and is none
_SUBMODULE = 0o160000


def licences(view: View) -> None:
    """Bring the licences up to date with the changed files."""
    changes = view.changes("files")
    stated = {path for path in changes if is_statement(path.rpartition("/")[2])}
    for path in sorted(stated):
        _index(view, path, changes[path][1])
    changed = [f for f in sorted({_folder(p) for p in stated}) if _state(view, f)]
    todo = set(changes)
    if changed and not view.full:
        todo.update(_below(view, changed))
    for path in sorted(todo):
        _judge(view, path)


def _index(view: View, path: str, file: Value | None) -> None:
    there = file is not None and file["mode"] not in (_LINK, _SUBMODULE)
    if there or not view.full:
        view.own.index.set(f"/{path}", [f"in:{_folder(path)}"] if there else [])


def _state(view: View, folder: str) -> bool:
    """Write what a folder says of its files; returns whether that changed."""
    old, new = view.own.get(folder), _said(view, folder)
    if new == old:
        return False
    if new is None:
        view.own.drop(folder)
    else:
        view.own.put(folder, new)
    return True


def _said(view: View, folder: str) -> Row | None:
    """Join what the manifests and licence files of one folder say."""
    found: dict[str, str] = {}
    for key in view.own.index.find(f"in:{folder}"):
        path = key.removeprefix("/")
        file = view.table("files").get(path)
        if file is None or _folder(path) != folder:
            continue  # a false hit of the index
        name = path.rpartition("/")[2]
        if said := of_file(name, view.blob(file["blob"])):
            found[path] = said
    for path, said in found.items():
        if path.rpartition("/")[2] in MANIFESTS:
            return {"licence": said, "source": path}
    return _joined(found) if found else None


def _joined(found: Mapping[str, str]) -> Row:
    """Several texts in one folder; what could not be told counts when alone."""
    known = {path: said for path, said in found.items() if said != UNKNOWN} or found
    said = sorted(set(known.values()))
    if len(said) > 1 and any(id.startswith("LGPL") for id in said):
        said = [id for id in said if not id.startswith("GPL")]  # it adds to the GPL
    whole = said[0] if len(said) == 1 else expression(" AND ".join(map(_inner, said)))
    return {"licence": whole or UNKNOWN, "source": min(known)}


def _inner(said: str) -> str:
    return f"({said})" if " OR " in said else said


def _below(view: View, folders: list[str]) -> Iterator[str]:
    for path in view.table("files").keys():
        if any(folder == "/" or path.startswith(folder) for folder in folders):
            yield path


def _judge(view: View, path: str) -> None:
    file = view.table("files").get(path)
    if file is None or not file["language"]:
        if not view.full:
            view.own.drop(path)
        return
    named = header(view.blob(file["blob"]))
    row = {"licence": named, "source": path} if named else _nearest(view, path)
    view.own.put(path, row)


def _nearest(view: View, path: str) -> Row:
    folder = _folder(path)
    while True:
        found = view.own.get(folder)
        if found is not None:
            return dict(found)
        if folder == "/":
            return {"licence": UNKNOWN, "source": ""}
        folder = _folder(folder[:-1])


def _folder(path: str) -> str:
    """Return the key of a path's folder: "a/b/" of "a/b/c", "/" at the top."""
    return path.rpartition("/")[0] + "/"
