"""repobuild cache: what is stored, whether it is intact, and what can be removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import (
    columns,
    emit,
    redact_secrets,
)

_LISTED = 10


@click.group("cache")
def command() -> None:
    """Look after the state: gc, verify, stats.

    \b
    repobuild cache stats
    repobuild cache gc --max-size 500M
    """


@command.command("gc")
@click.option(
    "--max-size",
    metavar="SIZE",
    default="",
    help="Cap for artifacts, such as 500M [default: cache.max_size].",
)
@options.dry_run
@options.as_json
def gc(max_size: str, dry_run: bool, as_json: bool) -> int:
    """Remove what no branch's newest adapter needs, longest unused first.

    Every build does so by itself; this does it now, and gives all room back.

    \b
    repobuild cache gc --dry-run
    repobuild cache gc --max-size 500M
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.progress import progress_for
    from repobuild.engine.storage.garbage_collection import (
        CacheLimits,
        find_garbage,
        parse_size,
        remove_garbage,
    )

    checkout = open_checkout(redact=redact_secrets)
    limits = CacheLimits.of(checkout.settings)
    if max_size:
        limits = replace(limits, max_bytes=parse_size(max_size))
    with checkout.building(checkout.snapshot(), progress_for(quiet=True)) as build:
        removable = find_garbage(build, limits)
        if not dry_run:
            remove_garbage(build, limits, removable)
    facts = {
        "version": 1,
        "removed": not dry_run,
        "objects": [
            {"object": w.name, "bytes": w.size, "why": w.why}
            for w in removable
            if w.kind == "object"
        ],
        "memo": sum(w.kind == "memo" for w in removable),
        "bytes": sum(w.size for w in removable),
    }
    emit(facts, as_json, _gc_text)
    return 0


def _gc_text(facts: dict[str, Any]) -> str:
    verb = "removed" if facts["removed"] else "would remove"
    lines = [
        f"{verb} {len(facts['objects'])} artifacts and {facts['memo']} memo entries, "
        f"{_size(facts['bytes'])}"
    ]
    for item in facts["objects"][:_LISTED]:
        lines.append(f"  {item['object'][:12]}  {_size(item['bytes'])}: {item['why']}")
    more = len(facts["objects"]) - _LISTED
    return "\n".join(lines + [f"  and {more} more"] * (more > 0))


@command.command("verify")
@options.as_json
def verify(as_json: bool) -> int:
    """Check artifacts and rows against their digests. Exit 1 when one is not whole.

    \b
    repobuild cache verify
    """
    from repobuild.checkout import open_checkout

    checkout = open_checkout()
    store = checkout.store
    bad = []
    count = 0
    for digest in store.digests():
        count += 1
        try:
            store.checked_path(digest)
        except KeyError:
            bad.append(digest)
    reason = checkout.database_damage()
    facts = {"version": 1, "artifacts": count, "bad": bad, "database": reason}
    emit(facts, as_json, _verify_text)
    return 1 if bad or reason else 0


def _verify_text(facts: dict[str, Any]) -> str:
    if facts["database"]:
        damage = facts["database"]
        return f"the database is damaged: {damage}\nrun `repobuild` to rebuild it"
    if not facts["bad"]:
        return f"{facts['artifacts']} artifacts and the database, all whole"
    listed = "\n".join(f"  {digest}" for digest in facts["bad"])
    return f"not whole, set aside; the next build makes them again:\n{listed}"


@command.command("stats")
@options.as_json
def stats(as_json: bool) -> int:
    """Show how large the state is, table by table.

    \b
    repobuild cache stats
    """
    from repobuild.checkout import open_checkout

    checkout = open_checkout()
    state = checkout.state()
    build = checkout.view(checkout.snapshot(), state)
    database = checkout.folder / "build.db"
    sizes = {digest: build.store.size(digest) for digest in build.store.digests()}
    facts = {
        "version": 1,
        "folder": str(checkout.folder),
        "database_bytes": database.stat().st_size if database.is_file() else 0,
        "artifacts": len(sizes),
        "artifact_bytes": sum(sizes.values()),
        "tables": {line.name: line.entries for line in state.lines()},
    }
    emit(facts, as_json, _stats_text)
    return 0


def _stats_text(facts: dict[str, Any]) -> str:
    rows = [
        ["database", _size(facts["database_bytes"])],
        [f"{facts['artifacts']} artifacts", _size(facts["artifact_bytes"])],
        *([name, f"{count:,} rows"] for name, count in facts["tables"].items()),
    ]
    return f"{facts['folder']}\n{columns(rows)}"


def _size(count: float) -> str:
    """Return a number of bytes with a binary unit."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
