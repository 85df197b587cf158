"""Make the `files` table: git's tree, with the language that each path is read as.

A row also depends on the `.gitattributes` files above its path. When one of them
changes, every row below it is decided again, and only these.
"""

from __future__ import annotations

from typing import Any

from repobuild.code.scan.language import FileChoice, FileDecision
from repobuild.code.scan.linguist_attributes import ATTRIBUTES, TreeAttributes
from repobuild.engine.contract import Source
from repobuild.errors import BuildError
from repobuild.git.snapshot import Entry, is_regular, unquote

_NOT_CHOSEN = FileDecision("", "", False)


def files(source: Source) -> None:
    """Update the rows to the snapshot's tree: by tree diff, else by comparing paths."""
    changes = source.snapshot.changes(source.last) if source.last else None
    if changes is None:
        removed_unless_listed = dict.fromkeys(source.own.keys())
        entries = removed_unless_listed | dict(source.snapshot.files())
    else:
        entries = _rows_below_changed_attributes(source, changes) | changes
    for key, reason in sorted(source.snapshot.refused.items()):
        source.warn(key, f"left out: {reason}")
    attributes = TreeAttributes(lambda key: _attribute_file(source, entries, key))
    choice = FileChoice.of(source.settings)
    for key, entry in entries.items():
        if entry is None:
            source.own.drop(key)
        else:
            source.own.put(key, _row(key, entry, choice, attributes))


def _rows_below_changed_attributes(
    source: Source, changes: dict[str, Entry | None]
) -> dict[str, Entry | None]:
    """Return the entries of the stored rows that a changed attribute file concerns."""
    folders = tuple(
        key.removesuffix(ATTRIBUTES)
        for key in changes
        if key.rpartition("/")[2] == ATTRIBUTES
    )
    if not folders:
        return {}
    found: dict[str, Entry | None] = {}
    for key in source.own.keys():
        if key.startswith(folders) and (row := source.own.get(key)) is not None:
            found[key] = row["blob"], row["mode"]
    return found


def _attribute_file(
    source: Source, entries: dict[str, Entry | None], key: str
) -> bytes | None:
    """Return the content of an attribute file of this tree, None where there is none.

    Unchanged ones are found in the rows of the last build.
    """
    if key in entries:
        entry = entries[key]
    else:
        row = source.own.get(key)
        entry = (row["blob"], row["mode"]) if row else None
    if entry is None or not is_regular(entry[1]):
        return None
    try:
        return source.snapshot.blob(entry[0])
    except KeyError as error:
        raise BuildError(
            f'"{key}" cannot be read: its blob is not in this repository\n'
            "a partial clone leaves out blobs that were not asked for\n"
            f"fetch it with: git cat-file -p {entry[0][:12]}"
        ) from error


def _row(
    key: str, entry: Entry, choice: FileChoice, attributes: TreeAttributes
) -> dict[str, Any]:
    """Return a file's row; links and submodules have no language."""
    decision = _NOT_CHOSEN
    if is_regular(entry[1]) and (decision := choice.decide(key)) != _NOT_CHOSEN:
        decision = choice.decide(key, attributes.marks(key, unquote(key)))
    row = {
        "blob": entry[0],
        "mode": entry[1],
        "language": decision.language,
        "kept": decision.kept,
    }
    return {**row, "left_out": decision.left_out} if decision.left_out else row
