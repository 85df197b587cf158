"""Handle paths in the repository, with `/` on every platform; "" is the top folder."""

from __future__ import annotations


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def resolve_relative(folder: str, path: str) -> str | None:
    """Return a path relative to a folder, None when it leaves the repository."""
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)
