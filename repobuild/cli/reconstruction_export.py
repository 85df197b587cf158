"""Write the export `reconstruction`, and read it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from repobuild.cli.output import print_text
from repobuild.plain_text import escape_line, json_text

if TYPE_CHECKING:
    from repobuild.code.areas.area_map import AreaMap
    from repobuild.code.reconstruction.round_trip import RoundTrip
    from repobuild.engine.build import Build

FILES = ("reconstruction.json", "reconstruction.md")


def write_reconstruction(
    folder: Path, build: Build, secrets: Sequence[tuple[str, str]]
) -> RoundTrip:
    """Write both files; return how much of the repository comes back from them."""
    from repobuild.code.reconstruction.reconstruction import reconstruction
    from repobuild.code.reconstruction.reconstruction_page import page
    from repobuild.code.reconstruction.round_trip import compare
    from repobuild.samples.dataset.secret_detection import redact_found

    facts, graph, features = map(build.table, ("facts", "graph", "features"))
    parts = dict(reconstruction(facts, graph, features, _areas(build)))
    commit = {"version": 1, "commit": build.snapshot.commit}
    export = redact_found({**commit, **parts}, secrets)
    trip = compare(facts, (file for step in export["steps"] for file in step["files"]))
    export["round_trip"] = trip.facts()
    texts = (json_text(export, indent=1) + "\n", page(export))
    for name, text in zip(FILES, texts, strict=True):
        (folder / name).write_text(text, "utf-8")
    return trip


def print_round_trip(trip: RoundTrip) -> int:
    """Print how many elements come back; return the exit code."""
    from repobuild.code.reconstruction.round_trip import ENOUGH

    share = f"{100 * trip.share:.2f} %"
    print_text(
        f"read back: {trip.same:,} of {trip.elements:,} elements are the same, {share}"
    )
    if trip.share >= ENOUGH:
        return 0
    languages = (
        f"{name} {same} of {all}" for name, (all, same) in trip.by_language.items()
    )
    print_text(f"less than {100 * ENOUGH} % came back: {', '.join(languages)}")
    print_text(f"missing, for example: {escape_line(', '.join(trip.lost[:3]))}")
    return 1


def _areas(build: Build) -> AreaMap:
    """Return the hierarchy of the commit; empty without it, or without its artifact."""
    from repobuild.code.areas.area_map import AreaMap

    is_built = build.state.line("areas") is not None
    row = build.table("areas").get(build.snapshot.commit) if is_built else None
    try:
        path = build.store.checked_path(str(row["object"])) if row else None
    except KeyError:
        return AreaMap()
    return AreaMap.read(path) if path else AreaMap()
