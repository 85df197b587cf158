"""Write a reconstruction for reading, as Markdown: areas, then step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from repobuild.code.areas.area_map import LEVELS
from repobuild.plain_text import escape_controls

_FENCES = {"python": "python", "markdown": "markdown", "restructuredtext": "rst"}


def page(export: Mapping[str, Any]) -> str:
    """Return the page of an export."""
    return escape_controls("\n".join(_lines(export))) + "\n"


def _lines(export: Mapping[str, Any]) -> Iterator[str]:
    trip = export["round_trip"]
    name = export["project"].get("project_name") or "the repository"
    yield f"# Reconstruction of {name}\n"
    yield (
        f"Commit {export['commit'][:12]}. {len(export['steps'])} steps, each after"
        f" those that it needs. {trip['same']} of {trip['elements']} elements come back"
        " when the skeletons are read.\n"
    )
    if export["areas"]:
        yield "## Areas\n"
    for area in export["areas"]:
        indent = "  " * LEVELS.index(area["level"])
        folders = ", ".join(f"`{one}`" for one in area["directories"])
        yield f"{indent}- {area['label']}: {folders}"
    for step in export["steps"]:
        yield f"\n## {step['number']}. {step['name']}\n"
        if step["after"]:
            yield f"After {', '.join(map(str, step['after']))}.\n"
        for file in step["files"]:
            yield from _file(file, len(step["files"]) > 1)


def _file(file: Mapping[str, Any], is_titled: bool) -> Iterator[str]:
    if is_titled:
        yield f"### {file['path']}\n"
    if file["features"]:
        yield f"For: {'; '.join(file['features'])}.\n"
    for cycle in file["cycles"]:
        yield f"Depend on each other: {', '.join(f'`{one}`' for one in cycle)}.\n"
    if text := file["skeleton"].strip("\n"):
        fence = "`" * 3
        while fence in text:
            fence += "`"
        language = _FENCES.get(file["language"], file["language"])
        yield f"{fence}{language}\n{text}\n{fence}"
    for element in file["elements"]:
        if element["features"]:
            yield f"- `{element['name']}`: {'; '.join(element['features'])}"
    yield ""
