"""Rows and artifacts that others made are taken, once they hold; else they are made."""

from __future__ import annotations

import shutil
import subprocess
import threading
import zlib
from pathlib import Path

import pytest

from repobuild.engine.digest import pack
from repobuild.engine.run.task import SHARED_ANCESTORS
from repobuild.engine.storage import table_writer
from repobuild.engine.storage.damage_check import find_damage
from repobuild.errors import UsageError
from repobuild.remote.cache_entry import (
    EntryName,
    Refused,
    encode_entry,
    inflate_bounded,
)
from repobuild.remote.row_chunks import read_view_chunk
from repobuild.remote.shared_cache import SharedCache, Wanted
from tests.remote.world import (
    MAIN,
    NOTHING,
    PULL_REQUEST,
    STRANGER,
    TEXTS,
    Clone,
    shared,
)
from tests.repository import Repository


@pytest.fixture
def origin(repository: Repository) -> Clone:
    repository.commit(TEXTS)
    clone = Clone(repository.path)
    clone.build()
    return clone


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "remote"


@pytest.fixture
def cache(remote: Path, tmp_path: Path) -> SharedCache:
    return shared(remote, tmp_path / "pusher")


def reader(remote: Path, tmp_path: Path, **changes) -> SharedCache:
    return shared(remote, tmp_path / "reader", key=None, **changes)


def files_of(remote: Path, part: str) -> list[Path]:
    found = (p for p in remote.rglob("*") if p.is_file())
    return sorted(p for p in found if part in f"/{p.relative_to(remote)}")


def test_a_clone_takes_all_rows_and_the_artifact(origin, cache, remote, tmp_path):
    mine = origin.build()
    origin.push(cache)
    clone = Clone(tmp_path / "clone", origin.path)
    theirs = clone.build(reader(remote, tmp_path))
    assert theirs.built.keys() == NOTHING
    assert theirs.digests == mine.digests
    assert theirs.row["object"] == mine.row["object"] and theirs.fetched
    with clone.opened() as (build, _):
        assert find_damage(build.state.database) == ""


def test_what_is_taken_lists_as_few_new_rows_as_what_is_made(
    origin, cache, remote, tmp_path, monkeypatch
):
    monkeypatch.setattr(table_writer, "_LISTED_ENTRIES", 10)
    origin.toy.change("counts", entries=True)
    origin.build()
    origin.push(cache)
    clone = Clone(tmp_path / "clone", origin.path)
    clone.toy.change("counts", entries=True)
    with clone.opened(reader(remote, tmp_path)) as (build, _):
        taken = build.run(["counts"])["counts"]
    assert taken.memo and not taken.built
    assert taken.counts.memo > 20 and len(taken.entries) <= 11


def test_what_is_taken_is_kept_up_to_date_like_what_was_made(
    origin, cache, remote, tmp_path, repository
):
    origin.push(cache)
    clone = Clone(tmp_path / "clone", origin.path)
    clone.build(reader(remote, tmp_path))
    repository.commit({"texts/t3.txt": "word0 new", "texts/t5.txt": None})
    subprocess.run(["git", "-C", clone.path, "pull", "-q"], check=True)
    clone = Clone(clone.path)
    assert clone.build(goal="lines").digests == origin.build(goal="lines").digests


def test_a_chain_continues_the_artifact_of_the_nearest_ancestor(
    origin, cache, remote, tmp_path, repository
):
    first = origin.build().row["object"]
    origin.push(cache)
    repository.commit({"texts/t3.txt": "word0 new"})
    repository.commit({"texts/t4.txt": "word0 newer"})
    clone = Clone(tmp_path / "clone", origin.path)
    assert clone.build(reader(remote, tmp_path)).row["follows"] == first


def test_an_ancestor_is_found_as_far_back_as_is_looked_in_every_namespace(
    origin, cache, remote, tmp_path
):
    origin.push(cache)
    path = next(p for p in files_of(remote, "entries") if p.parts[-3] == "counts")
    there = Wanted(*path.parts[-3:])
    nearer = [there._replace(name=f"{n:040x}") for n in range(SHARED_ANCESTORS)]
    reading = reader(remote, tmp_path, namespaces=("pr-1", "team", "main"))
    found = reading.find_first([*nearer, there])
    assert found and found.wanted == there


def test_a_chain_is_found_also_after_a_setting_changed(
    origin, cache, remote, tmp_path, repository
):
    first = origin.build().row["object"]
    origin.push(cache)
    repository.commit({"texts/t3.txt": "word0 new"})
    clone = Clone(tmp_path / "clone", origin.path)
    clone.toy.change("book", version=2)
    assert clone.build(reader(remote, tmp_path)).row["follows"] == first


def test_a_commit_sends_the_chunks_that_it_changed(origin, cache, repository, remote):
    first = origin.push(cache)
    repository.commit({"texts/t3.txt": "word0 new"})
    origin.build()
    second = origin.push(cache)
    assert second.tables and second.objects <= first.objects


def test_nothing_is_pushed_of_a_commit_that_is_not_built(origin, cache, repository):
    repository.commit({"texts/t3.txt": "word0 new"})
    pushed = origin.push(cache)
    assert not pushed.tables and not pushed.artifacts
    assert set(pushed.skipped.values()) == {"not built for this commit"}


# ---------------------------------------------------------------------- what is refused


def taken(origin: Clone, cache: SharedCache, tmp_path: Path, name: str = "clone"):
    """Build a fresh clone; its rows are right, whatever the remote holds."""
    clone = Clone(tmp_path / name, origin.path)
    pulled = clone.build(cache)
    assert pulled.digests == origin.build().digests
    return pulled


def test_entries_of_an_unknown_key_are_misses(origin, cache, remote, tmp_path):
    origin.push(shared(remote, tmp_path / "s", STRANGER, trusted=(STRANGER,)))
    reading = reader(remote, tmp_path)
    assert "counts" in taken(origin, reading, tmp_path).built
    assert set(reading.refused) == {"entry is signed with a key that is not trusted"}
    assert "cache.trusted_keys" in reading.warnings()[0]


def test_unsigned_and_wrongly_signed_entries_are_misses(
    origin, cache, remote, tmp_path
):
    origin.push(cache)
    unsigned, wrong, *others = files_of(remote, "entries")
    unsigned.write_bytes(unsigned.read_bytes().partition(b"\n")[2])
    data = bytearray(wrong.read_bytes())
    data[-1] ^= 1
    wrong.write_bytes(bytes(data))
    for other in others:
        other.unlink()
    reading = reader(remote, tmp_path)
    for path in (unsigned, wrong):
        table, manifest, name = path.parts[-3:]
        assert reading.find(Wanted(table, manifest, name)) is None
    assert set(reading.refused) == {"entry is not signed", "entry is wrongly signed"}
    taken(origin, reader(remote, tmp_path), tmp_path)


def test_expired_entries_are_misses(origin, cache, remote, tmp_path):
    origin.push(cache)
    later = cache.clock() + 91 * 86_400
    reading = reader(remote, tmp_path, clock=lambda: later)
    assert "counts" in taken(origin, reading, tmp_path).built
    assert set(reading.refused) == {"entry has expired"}


def test_an_entry_that_was_moved_is_a_miss(origin, cache, remote, tmp_path):
    """Also one that the same key signed for another namespace."""
    origin.push(shared(remote, tmp_path / "pr", MAIN, namespaces=("pr-1",)))
    top = remote / "repobuild-1"
    shutil.copytree(top / "pr-1", top / "main")
    reading = reader(remote, tmp_path)
    assert "counts" in taken(origin, reading, tmp_path).built
    assert set(reading.refused) == {"entry was moved from another place"}


def test_damaged_objects_are_misses_and_the_next_push_heals_them(
    origin, cache, remote, tmp_path
):
    origin.push(cache)
    objects = files_of(remote, "objects")
    whole = {path: path.read_bytes() for path in objects}
    for number, path in enumerate(objects):
        data = whole[path]
        if number % 3 == 0:
            path.write_bytes(data[: len(data) // 2])  # half an upload
        elif number % 3 == 1:
            path.write_bytes(bytes(len(data)))  # wrong bytes
        else:
            path.unlink()
    reading = reader(remote, tmp_path)
    pulled = taken(origin, reading, tmp_path)
    assert {"words", "counts", "book"} <= pulled.built.keys()
    assert {k for k in reading.refused if k.startswith("object")} >= {
        "object has another size", "object has another digest", "object is missing",
    }  # fmt: skip
    # The machine that met the damage writes the objects again.
    clone = Clone(tmp_path / "clone")
    clone.push(shared(remote, tmp_path / "reader", damaged=reading.damaged))
    assert {path: path.read_bytes() for path in objects} == whole
    assert (
        taken(origin, reader(remote, tmp_path), tmp_path, "b").built.keys() == NOTHING
    )


def test_rows_that_do_not_add_up_are_no_table(origin, cache, remote, tmp_path):
    """A trusted writer with a bug: the digest over the whole table must hold."""
    origin.push(cache)
    path = next(p for p in files_of(remote, "entries") if p.parts[-3] == "counts")
    reading = shared(remote, tmp_path / "x")
    table, manifest, name = path.parts[-3:]
    found = reading.find(Wanted(table, manifest, name))
    body = {
        k: v for k, v in found.body.items() if k not in ("name", "created", "expires")
    }
    body["chunks"] = body["chunks"][:-1]
    place = EntryName("main", table, manifest, name)
    path.write_bytes(encode_entry(place, body, MAIN, reading.now, 1_000))
    reading = reader(remote, tmp_path)
    assert "counts" in taken(origin, reading, tmp_path).built
    assert "table is not whole" in reading.refused


@pytest.mark.parametrize(
    "listed",
    [
        [["../../escape.json", None]],
        [["/etc/escape.json", None]],
        [["adapter_model.bin", None]],
        [["model.pt", None]],
        [["run.py", None]],
        [[".hidden.json", None]],
        [["a\\b.json", None]],
        "no list",
        [["book.txt"]],
    ],
)
def test_an_artifact_of_names_that_are_not_allowed_is_not_taken(
    origin, cache, remote, tmp_path, listed
):
    origin.push(cache)

    def change(body: dict) -> None:
        [(digest, files)] = body["artifacts"].items()
        if isinstance(listed, list) and len(listed[0]) == 2:
            files = [[listed[0][0], files[0][1]]]
        else:
            files = listed
        body["artifacts"] = {digest: files}

    sign_again(remote, tmp_path, change)
    pulled = taken(origin, reader(remote, tmp_path), tmp_path)
    assert pulled.fetched == []
    assert not list(tmp_path.rglob("escape.json"))


def sign_again(remote: Path, tmp_path: Path, change) -> None:
    """Change the entries of the artifact as a trusted writer with a bug would."""
    for path in files_of(remote, "/entries/book"):
        reading = shared(remote, tmp_path / "x")
        wanted = Wanted(*path.parts[-3:])
        body = dict(reading.find(wanted).body)
        for field in ("name", "created", "expires"):
            del body[field]
        change(body)
        place = EntryName("main", *wanted)
        path.write_bytes(encode_entry(place, body, MAIN, reading.now, 1_000))


@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        {"object": ""},
        {"object": "../../../escape"},
        {"object": "f" * 64, "current": "/etc"},
        {"build": "x"},
    ],
)
def test_an_artifacts_row_that_is_malformed_is_not_taken(
    origin, cache, remote, tmp_path, row
):
    origin.push(cache)

    def change(body: dict) -> None:
        body["row"] = {**body["row"], **row} if row else row

    sign_again(remote, tmp_path, change)
    pulled = taken(origin, reader(remote, tmp_path), tmp_path)
    assert pulled.fetched == [] and "book" in pulled.built
    assert not list(tmp_path.rglob("*escape*"))


def test_a_bomb_is_refused_before_it_is_inflated():
    bomb = zlib.compress(bytes(100 << 20), 9)
    with pytest.raises(Refused, match="larger than allowed"):
        inflate_bounded(bomb, 1 << 20)
    row = ["key", b"d" * 16, b"z" + bomb]
    with pytest.raises(Refused, match="larger than allowed"):
        read_view_chunk(zlib.compress(pack([row])))


# ------------------------------------------------------------- namespaces and poisoning


def pull_request(remote: Path, tmp_path: Path, **changes) -> SharedCache:
    trusted = (MAIN, PULL_REQUEST)
    options = {"namespaces": ("pr-1", "main"), "trusted": trusted, **changes}
    return shared(remote, tmp_path / "pr", PULL_REQUEST, **options)


def test_a_pull_request_reads_what_main_wrote(origin, cache, remote, tmp_path):
    origin.push(cache)
    pulled = taken(origin, pull_request(remote, tmp_path), tmp_path)
    assert pulled.built.keys() == NOTHING


def test_a_pull_request_sends_only_what_main_has_not(
    origin, cache, remote, tmp_path, repository
):
    origin.push(cache)
    before = set(files_of(remote, "/main/"))
    repository.commit({"texts/t3.txt": "word0 new"})
    origin.build()
    pushed = origin.push(pull_request(remote, tmp_path))
    assert pushed.tables and set(files_of(remote, "/main/")) == before
    pulled = taken(origin, pull_request(remote, tmp_path), tmp_path)
    assert pulled.built.keys() == NOTHING


def test_a_pull_request_cannot_change_what_main_reads(
    origin, cache, remote, tmp_path, repository
):
    """It may even write everywhere in the remote, and copy its entries over main's."""
    repository.commit({"texts/evil.txt": "evil words"})
    evil = Clone(tmp_path / "evil", origin.path)
    evil.toy.change("words", run="tests.remote.test_push_pull:evil_words")
    evil.build()
    evil.push(pull_request(remote, tmp_path))
    top = remote / "repobuild-1"
    shutil.copytree(top / "pr-1", top / "main")
    # Signed for "main" outright, with the key of pull requests.
    evil.push(pull_request(remote, tmp_path, namespaces=("main",)))
    origin.build()
    reading = reader(remote, tmp_path)  # trusts main's key
    pulled = taken(origin, reading, tmp_path)
    assert {"words", "counts", "lines", "book"} <= pulled.built.keys()
    assert set(reading.refused) == {"entry is signed with a key that is not trusted"}
    # Main's own push then holds, whatever was there before.
    origin.push(shared(remote, tmp_path / "pusher"))
    again = taken(origin, reader(remote, tmp_path), tmp_path, "again")
    assert again.built.keys() == NOTHING


def evil_words(row, scope):
    return {"words": ["evil"]}


@pytest.mark.parametrize(
    "environment",
    [
        {"GITHUB_EVENT_NAME": "pull_request"},
        {"GITHUB_EVENT_NAME": "pull_request_target"},
        {"CI_MERGE_REQUEST_IID": "7"},
        {"CHANGE_ID": "7"},
    ],
)
def test_a_pull_requests_job_is_refused_a_protected_namespace(
    cache, remote, tmp_path, environment
):
    with pytest.raises(UsageError, match="pull request"):
        cache.require_writable(environment)
    assert cache.require_writable({}) is MAIN
    own = pull_request(remote, tmp_path)
    assert own.require_writable(environment) is PULL_REQUEST


def test_nobody_pushes_what_nobody_would_read(remote, tmp_path):
    with pytest.raises(UsageError, match="trusted_keys"):
        shared(remote, tmp_path / "x", STRANGER).require_writable({})
    with pytest.raises(UsageError, match="no key"):
        shared(remote, tmp_path / "x", None).require_writable({})
    with pytest.raises(UsageError, match="read only"):
        shared("https://example.org/c", tmp_path / "x").require_writable({})


# ---------------------------------------------------------------------- many at a time


def test_concurrent_pushes_of_many_clones_lose_nothing(origin, remote, tmp_path):
    """Of one commit and of different ones, all at the same time."""
    clones = []
    for number in range(6):
        clone = Clone(tmp_path / f"c{number}", origin.path)
        if number >= 2:  # the first two push the same commit
            repository = Repository(clone.path)
            repository.commit({f"texts/new{number}.txt": f"only{number} common"})
        clone.build()
        clones.append(clone)
    errors: list[BaseException] = []

    def push(number: int) -> None:
        try:
            clones[number].push(shared(remote, tmp_path / f"state{number}"))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=push, args=(n,)) for n in range(len(clones))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for number, clone in enumerate(clones):
        fresh = Clone(tmp_path / f"fresh{number}", clone.path)
        reading = shared(remote, tmp_path / f"reader{number}", key=None)
        pulled = fresh.build(reading)
        assert pulled.built.keys() == NOTHING, number
        assert pulled.digests == clone.build().digests
        assert not reading.refused
