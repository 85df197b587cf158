"""repobuild cache: what is stored, whether it is whole, and what others have built."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import (
    columns,
    emit,
    number_of,
    print_message,
    print_text,
    redact_secrets,
    seconds,
    short,
)
from repobuild.resources import program

_LISTED = 10


@click.group("cache")
def command() -> None:
    """Look after the state, and share it: pull, push, key, gc, verify, stats.

    \b
    repobuild cache key        make a key, print its public half
    REPOBUILD_CACHE_REMOTE=s3://team/cache repobuild cache push
    REPOBUILD_CACHE_REMOTE=s3://team/cache repobuild cache pull
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
    progress = progress_for(as_json)
    with (
        checkout.building(checkout.snapshot(), progress, tell=print_message) as build,
        progress("gc", 0),
    ):
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
    memo = number_of(facts["memo"], "memo entry")
    lines = [
        f"{verb} {number_of(len(facts['objects']), 'artifact')} and {memo}, "
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
    from repobuild.cli.progress import progress_for

    checkout = open_checkout()
    progress = progress_for(as_json)
    store = checkout.store
    digests = list(store.digests())
    bad = []
    with progress("artifacts", len(digests)) as step:
        for digest in digests:
            try:
                store.checked_path(digest)
            except KeyError:
                bad.append(digest)
            step.advance()
    with progress("the database", 0):
        reason = checkout.database_damage()
    facts = {"version": 1, "artifacts": len(digests), "bad": bad, "database": reason}
    emit(facts, as_json, _verify_text)
    return 1 if bad or reason else 0


def _verify_text(facts: dict[str, Any]) -> str:
    if facts["database"]:
        damage = facts["database"]
        return f"the database is damaged: {damage}\nrun `{program()}` to rebuild it"
    if not facts["bad"]:
        return (
            f"{number_of(facts['artifacts'], 'artifact')} and the database, all whole"
        )
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
        [number_of(facts["artifacts"], "artifact"), _size(facts["artifact_bytes"])],
        *([name, number_of(count, "row")] for name, count in facts["tables"].items()),
    ]
    return f"{facts['folder']}\n{columns(rows)}"


@command.command("pull")
@options.as_json
def pull(as_json: bool) -> int:
    """Take what others have built of HEAD, or of its nearest ancestor. Exit 5 without.

    A build does so by itself; this takes rows and adapters without building.

    \b
    REPOBUILD_CACHE_REMOTE=s3://team/cache repobuild cache pull
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.cache_session import SETTINGS, open_session
    from repobuild.cli.progress import progress_for

    checkout = open_checkout(redact=redact_secrets)
    checkout.powers.require(SETTINGS)
    snapshot = checkout.snapshot()
    goals = checkout.goals("", snapshot)
    with checkout.building(
        snapshot, progress_for(as_json), tell=print_message
    ) as build:
        session = open_session(checkout, build, goals, required=True)
        assert session is not None
        session.pull()
        session.warn()
    facts = {"version": 1, **session.facts()}
    emit(facts, as_json, _pull_text)
    return 0


def _pull_text(facts: dict[str, Any]) -> str:
    if not (facts["commit"] or facts["artifacts"]):
        return f"nothing of HEAD or its last ancestors at {facts['url']}"
    return (
        f"pulled {number_of(facts['rows'], 'row')} as of {short(facts['commit'])} and "
        f"{number_of(len(facts['artifacts']), 'artifact')}: {_size(facts['bytes'])} in "
        f"{facts['requests']:,} requests, {seconds(facts['seconds'])}"
    )


@command.command("push")
@options.as_json
def push(as_json: bool) -> int:
    """Give others what is built of HEAD: signed, and each object once. Exit 5 without.

    \b
    REPOBUILD_CACHE_REMOTE=sftp://build@host/srv/cache repobuild cache push
    """
    import os

    from repobuild.checkout import open_checkout
    from repobuild.cli.cache_session import SETTINGS, open_session
    from repobuild.cli.progress import progress_for

    checkout = open_checkout()
    checkout.powers.require(SETTINGS)
    snapshot = checkout.snapshot()
    goals = checkout.goals("", snapshot)
    state = checkout.state()
    build = checkout.view(snapshot, state)
    session = open_session(checkout, build, goals, required=True)
    assert session is not None
    session.cache.require_writable(os.environ)
    state.database.execute("BEGIN")  # what a build writes meanwhile is not seen
    with progress_for(as_json)("pushing", 0):
        session.push(required=True)
    session.warn()
    facts = {"version": 1, **session.facts()}
    emit(facts, as_json, _push_text)
    return 0


def _push_text(facts: dict[str, Any]) -> str:
    pushed = facts["pushed"]
    where = f"{facts['url']}, namespace {facts['namespace']}"
    lines = []
    if pushed["skipped"]:
        names = ", ".join(f"{name} ({why})" for name, why in pushed["skipped"].items())
        lines.append(f"left out: {names}")
    if not (pushed["tables"] or pushed["artifacts"]):
        return "\n".join(["nothing new to push to " + where, *lines])
    return "\n".join(
        [
            f"pushed {number_of(len(pushed['tables']), 'table')} and "
            f"{number_of(len(pushed['artifacts']), 'artifact')} to {where}: "
            f"{_size(pushed['bytes'])} in {number_of(pushed['objects'], 'object')}, "
            f"{seconds(facts['seconds'])}",
            *lines,
        ]
    )


@command.command("key")
@click.option("--secret", is_flag=True, help="Print the secret half, for a CI's store.")
def key(secret: bool) -> int:
    """Make the key that signs what is pushed, once; print its public half.

    \b
    repobuild cache key              a line for cache.trusted_keys
    repobuild cache key --secret     the value of REPOBUILD_CACHE_KEY in a CI job
    """
    from repobuild.remote.signing_keys import (
        create_signing_key,
        key_file,
        public_text,
        read_signing_key,
        require_signing,
        secret_text,
    )

    require_signing()
    path = key_file()
    known = read_signing_key()
    if known is None:
        known = create_signing_key(path)
        print_message(f'made a key: "{path}"')
    if secret:
        print_text(secret_text(known.seed))
    else:
        print_text(public_text(known.public))
    return 0


def _size(count: float) -> str:
    """Return a number of bytes with a binary unit."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"
