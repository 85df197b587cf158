"""Whatever befalls the files of the state: recovery or a clear error, no wrong row.

Longer: `REPOBUILD_FLIPS=500 pytest tests/promises/test_damaged_state.py`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from repobuild.engine.digest import inflate
from repobuild.engine.storage.artifact_store import object_path
from repobuild.engine.storage.damage_check import find_damage, is_corrupt
from repobuild.engine.storage.event_log import EventLog
from repobuild.engine.storage.integrity import seal, seal_holds
from repobuild.engine.storage.state import open_state
from repobuild.errors import BuildError
from tests.repository import Repository
from tests.toys import Toy

FLIPS = int(os.environ.get("REPOBUILD_FLIPS", "12"))
PAGE = 8192


@pytest.fixture
def toy(repository: Repository) -> Toy:
    """A state that is built, and a commit that is not."""
    chosen = random.Random(0)
    names = [f"word{n}" for n in range(400)]
    texts = {f"{n}.txt": " ".join(chosen.sample(names, 40)) for n in range(60)}
    repository.commit(texts)
    toy = Toy(repository.git)
    finish(toy)
    repository.commit({"3.txt": "word7 word8 fresh", "9.txt": None, "new.txt": "word1"})
    return toy


def finish(toy: Toy, goal: str = "book") -> None:
    """Build and close, as a process would."""
    toy.build(goal)
    assert toy.last is not None
    toy.last.state.close()
    toy.last = None


def content(folder: Path) -> dict[str, Any]:
    """Return digests, rows and index of every table, to the byte."""
    state = open_state(folder, read_only=True)
    found: dict[str, Any] = {ln.name: ln.digest.hex() for ln in state.lines()}
    for name in ("files", "words", "counts", "lines"):
        query = (
            f"SELECT r.key, r.digest, coalesce(r.value, m.value) "
            f'FROM "rows_{name}" r LEFT JOIN memo m ON m.id = r.memo ORDER BY r.key'
        )
        # Inflated: the last bits of a deflated value may be any.
        found[f"rows of {name}"] = [
            (key, row, inflate(value))
            for key, row, value in state.database.execute(query)
        ]
    found["index"] = state.database.execute(
        "SELECT t.term, k.key FROM terms_counts t JOIN keys_counts k ON k.id = t.id "
        "ORDER BY t.term, k.key"
    ).fetchall()
    state.close()
    del found["book"]  # its row tells builds by number
    return found


@pytest.fixture
def wanted(toy: Toy, tmp_path: Path) -> dict[str, Any]:
    """What a clean build of the second commit holds."""
    clean = Toy(toy.git)
    clean.folder = tmp_path / "clean"
    finish(clean)
    return content(clean.folder)


def rebuilt(toy: Toy, place: Path) -> dict[str, Any]:
    again = Toy(toy.git)
    again.folder = place
    finish(again)
    return content(place)


def copy(toy: Toy, place: Path) -> Path:
    shutil.copytree(toy.folder, place)
    return place / "build.db"


def flip(path: Path, number: int) -> None:
    """Change one bit; in every second case of a page's first hundred bytes."""
    chosen = random.Random(number)
    data = bytearray(path.read_bytes())
    at = chosen.randrange(len(data))
    if number % 2:
        at = at // PAGE * PAGE + chosen.randrange(100)
    data[at] ^= 1 << chosen.randrange(8)
    path.write_bytes(data)


def garble(path: Path) -> None:
    """Lose the head of a page, with the places of its rows."""
    with path.open("rb+") as file:
        file.seek(5 * PAGE)
        file.write(bytes(100))


# ------------------------------------------------------------------------ database


@pytest.mark.parametrize("killed", [False, True])
def test_a_flipped_bit_never_ends_in_a_wrong_row(toy, wanted, tmp_path, killed):
    """`killed`: without the seal, so that the rows themselves must tell."""
    aside = 0
    for number in range(FLIPS):
        place = tmp_path / str(number)
        path = copy(toy, place)
        if killed:
            (place / "build.db.seal").unlink()
        flip(path, number)
        assert rebuilt(toy, place) == wanted, number
        aside += (place / "build.db.bad-1").exists()
        shutil.rmtree(place)
    assert aside > FLIPS // 3  # the others hit nothing that is read


def test_a_value_that_the_disk_garbled_is_noticed_where_it_is_read(toy, wanted):
    """No write was made, so the seal holds; the row's digest tells."""
    database = sqlite3.connect(toy.folder / "build.db")
    database.execute(
        "UPDATE rows_counts SET value = CAST(? AS BLOB)", (b"r\x81\xa1n\x07",)
    )
    database.commit()
    database.close()
    seal(toy.folder / "build.db")
    build = toy.open()
    key = next(build.table("counts").keys())
    with pytest.raises(
        sqlite3.DatabaseError, match="does not match its digest"
    ) as told:
        build.table("counts").get(key)
    assert is_corrupt(told.value)
    build.state.close(sealed=False)  # as a build does that met damage
    assert rebuilt(toy, toy.folder) == wanted


def test_a_copied_state_is_looked_through_and_used(toy, tmp_path):
    copy(toy, tmp_path / "state")
    assert not seal_holds(tmp_path / "state" / "build.db")
    toy.folder = tmp_path / "state"
    assert toy.build()["words"].counts.built == 2  # what the commit changed
    assert not (toy.folder / "build.db.bad-1").exists()


def test_a_database_cut_anywhere_is_rebuilt(toy, wanted, tmp_path):
    size = (toy.folder / "build.db").stat().st_size
    lengths = [*range(0, size, PAGE), 1, 15, 99, 100, 101, PAGE - 1, PAGE + 1, size - 1]
    assert size > 20 * PAGE
    for sealed in (True, False):
        for length in lengths[:: 4 if sealed else 9]:
            place = tmp_path / f"{length}.{sealed}"
            path = copy(toy, place)
            os.truncate(path, length)
            if not sealed:
                (place / "build.db.seal").unlink()
            assert rebuilt(toy, place) == wanted, length
            shutil.rmtree(place)


def test_a_damaged_database_costs_no_artifact(toy, tmp_path):
    garble(copy(toy, tmp_path / "state"))
    toy.folder = tmp_path / "state"
    first = {row["object"] for row in notes(toy.folder).values()}
    done = toy.build("book")
    assert toy.last is not None
    rows = dict(toy.last.table("book").items())
    assert first <= {row["object"] for row in rows.values()}
    assert done["book"].counts.built == 1  # the new commit's; the first was found
    assert rows[str(toy.git.head.target)]["follows"] in first


def test_an_artifact_of_a_commit_is_found_again_and_not_rebuilt(toy, tmp_path):
    """Same key, same row: a lost index costs no training at all."""
    finish(toy)
    (toy.folder / "build.db").unlink()
    done = toy.build("cover")
    assert done["book"].counts.unchanged == 1
    assert "book" in [e["table"] for e in events(toy) if e["event"] == "found"]


def test_a_build_killed_before_it_named_its_artifact_finds_it(toy):
    finish(toy)
    database = sqlite3.connect(toy.folder / "build.db")
    head = str(toy.git.head.target)
    (line,) = database.execute("SELECT digest, rows FROM tables WHERE name = 'book'")
    database.close()
    build = toy.open()
    with build.transaction():
        writer = build.writer(build.rules["book"])
        writer.drop(head)
        writer.finish(build.state.line("book"))
    assert toy.build("book")["book"].counts.unchanged == 1
    assert toy.last.state.line("book").rows == line[1]


CHANGES = {
    "a dropped index": 'DROP TABLE "terms_counts"; DROP TABLE "keys_counts"',
    "dropped terms": 'DROP TABLE "terms_counts"',
    "dropped keys": 'DROP TABLE "keys_counts"',
    "emptied terms": 'DELETE FROM "terms_counts"',
    "emptied keys": 'DELETE FROM "keys_counts"',
    "one lost term": 'DELETE FROM "terms_counts" WHERE term = '
    '(SELECT min(term) FROM "terms_counts")',
    "a renamed key": "UPDATE \"keys_counts\" SET key = key || 'x' WHERE id = 3",
    "a renamed row": "UPDATE \"rows_words\" SET key = key || 'x' WHERE key = '7.txt'",
    "a trigger": 'CREATE TRIGGER t AFTER INSERT ON "rows_words" '
    'BEGIN DELETE FROM "rows_words"; END',
    "a view": "CREATE VIEW v AS SELECT * FROM tables",
    "a renamed column": 'ALTER TABLE "terms_counts" RENAME COLUMN term TO word',
    "dropped pending rows": "DROP TABLE pending",
    "a dropped memo": "DROP TABLE memo",
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_makes_rows_findable_is_looked_through_too(toy, wanted, tmp_path, change):
    place = tmp_path / "state"
    copy(toy, place)
    database = sqlite3.connect(place / "build.db")
    database.executescript(CHANGES[change])
    database.close()
    assert open_reason(place)
    assert rebuilt(toy, place) == wanted


def open_reason(place):
    """Return why a state that something else wrote to is set aside; "" if it is not."""
    database = sqlite3.connect(place / "build.db")
    reason = find_damage(database)
    database.close()
    return reason


def test_a_newer_state_is_refused_and_left_as_it_is(toy):
    database = sqlite3.connect(toy.folder / "build.db")
    database.execute("UPDATE meta SET value = 99")
    database.execute("DROP TABLE pending")
    database.commit()
    database.close()
    before = (toy.folder / "build.db").read_bytes()
    for read_only in (False, True):
        with pytest.raises(BuildError, match="newer repobuild"):
            (toy.folder / "build.db.seal").unlink(missing_ok=True)
            open_state(toy.folder, read_only)
    assert (toy.folder / "build.db").read_bytes() == before


def test_a_reader_of_a_damaged_database_gets_the_remedy(toy):
    garble(toy.folder / "build.db")
    with pytest.raises(BuildError, match="is damaged.*\nrun `repobuild`"):
        open_state(toy.folder, read_only=True)


# ------------------------------------------------------------------------- journal


def killed_with_a_journal(toy: Toy, place: Path) -> Path:
    """A state as a kill leaves it: the last rows are in the write-ahead log."""
    build = toy.open()
    build.run(["counts"])
    path = copy(toy, place)
    assert path.with_name("build.db-wal").stat().st_size > 0
    build.state.close()
    return path


def test_a_journal_that_a_kill_left_is_replayed(toy, wanted, tmp_path):
    path = killed_with_a_journal(toy, tmp_path / "state")
    path.with_name("build.db-shm").unlink()
    assert rebuilt(toy, path.parent) == wanted


@pytest.mark.parametrize("number", range(12))
def test_a_journal_cut_or_flipped_loses_its_end_only(toy, wanted, tmp_path, number):
    path = killed_with_a_journal(toy, tmp_path / "state")
    journal = path.with_name("build.db-wal")
    if number % 2:
        flip(journal, number)
    else:
        os.truncate(journal, random.Random(number).randrange(journal.stat().st_size))
    assert rebuilt(toy, path.parent) == wanted


def test_a_lost_journal_or_database_is_noticed(toy, wanted, tmp_path):
    for lost in ("build.db-wal", "build.db", "build.db-shm"):
        path = killed_with_a_journal(toy, tmp_path / lost)
        path.with_name(lost).unlink()
        assert rebuilt(toy, path.parent) == wanted


def test_a_garbled_index_of_the_journal_is_rebuilt(toy, wanted, tmp_path):
    path = killed_with_a_journal(toy, tmp_path / "state")
    path.with_name("build.db-shm").write_bytes(os.urandom(32768))
    assert rebuilt(toy, path.parent) == wanted


# -------------------------------------------------------------------- other files


@pytest.mark.parametrize("name", ["current", "events.jsonl", "build.db.seal", "lock"])
def test_garbage_in_an_auxiliary_file_is_ignored(toy, wanted, tmp_path, name):
    place = tmp_path / "state"
    copy(toy, place)
    for garbage in (b"", b"\x00\xff garbage \xfe", b"[]", b'{"format": 1}\n3\n'):
        (place / name).write_bytes(garbage)
        assert rebuilt(toy, place) == wanted


def test_a_changed_byte_in_the_short_answer_is_no_answer(toy, repository, monkeypatch):
    from repobuild import noop_cache
    from repobuild.git.discovery import locate

    monkeypatch.chdir(repository.path)
    commit = locate().head
    path = toy.folder / "current"
    noop_cache.write(
        str(toy.folder), str(repository.path), commit, "", [], "text", "{}"
    )
    data = path.read_bytes()
    assert noop_cache.answer() == ("text", "{}")
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert noop_cache.answer() is None, at


def test_an_event_after_a_line_that_a_kill_cut_is_kept(tmp_path):
    log = EventLog(tmp_path / "events.jsonl")
    log.emit("one")
    with log.path.open("ab") as file:
        file.write(b'{"build": 3, "eve')
    log.emit("two")
    assert [event["event"] for event in log.read()] == ["one", "two"]


def test_temporary_files_of_killed_builds_are_removed(toy, repository):
    from repobuild.checkout import open_checkout, silent

    left = toy.folder / "tmp" / "worktree"
    left.mkdir(parents=True)
    unfinished = toy.folder / "tmp" / "adapter-00ff"
    unfinished.mkdir()
    checkout = open_checkout(repository.path)
    with checkout.building(checkout.snapshot(), silent) as build:
        build.run(["files"])
    assert not left.exists()
    assert unfinished.exists()  # a training goes on there


# ------------------------------------------------------------------------- objects


@pytest.mark.parametrize("how", ["truncated", "flipped", "removed", "added"])
def test_a_damaged_artifact_is_a_cache_miss_and_reported_in_one_line(toy, how):
    finish(toy)
    row = notes(toy.folder)[str(toy.git.head.target)]
    place = object_path(toy.folder / "objects", row["object"])
    file = place / "book.txt"
    if how == "truncated":
        os.truncate(file, 3)
    elif how == "flipped":
        flip(file, 2)
    elif how == "removed":
        file.unlink()
    else:
        (place / "more.txt").write_text("not ours")
    done = toy.build("book")
    assert done["book"].counts.built == 1
    ((table, _, said),) = toy.last.problems
    assert table == "book" and "missing or not whole" in said
    assert toy.last.store.checked_path(row["object"])


def test_a_damaged_artifact_does_not_block_a_good_one(toy):
    finish(toy)
    row = notes(toy.folder)[str(toy.git.head.target)]
    place = object_path(toy.folder / "objects", row["object"])
    (place / "book.txt").write_text("tampered")
    good = toy.folder / "good"
    good.mkdir()
    shutil.copy(place / "book.txt", good)
    build = toy.open()
    (good / "book.txt").write_text("\n".join(pages(build)))
    assert build.store.put(good) == row["object"]
    assert (place / "book.txt").read_text() != "tampered"


def pages(build: Any) -> list[str]:
    return sorted(f"{key}: {item}" for key, item in build.table("lines").entries())


def test_files_that_are_no_artifacts_are_kept(toy):
    finish(toy)
    objects = toy.folder / "objects"
    (objects / "README").write_text("hello")
    (objects / "ab").mkdir(exist_ok=True)
    (objects / "ab" / "stray").write_text("x")
    (objects / "v2").mkdir()
    (objects / "v2" / "unknown").mkdir()
    digests = list(toy.open().store.digests())
    assert digests and all(len(name) == 64 for name in digests)
    assert (objects / "v2" / "unknown").is_dir()


def test_a_note_of_a_newer_format_is_not_read_and_not_lost(toy):
    (path,) = toy.folder.glob("objects/*/*.rows")
    path.write_text(json.dumps({"format": 99, "rows": []}))
    (toy.folder / "build.db").unlink()
    toy.build("book")
    assert json.loads(path.read_text())["format"] == 99


def notes(folder: Path) -> dict[str, Any]:
    """Return what the notes beside the artifacts say of `book`, by commit."""
    read = [json.loads(p.read_text())["rows"] for p in folder.glob("objects/*/*.rows")]
    return {n["key"]: n["row"] for rows in read for n in rows if n["table"] == "book"}


def events(toy: Toy) -> list[dict[str, Any]]:
    return list(EventLog(toy.folder / "events.jsonl").read())


def test_every_stored_value_is_looked_at(toy):
    """What `verify` and a build after a kill rely on."""
    state = open_state(toy.folder)
    assert find_damage(state.database) == ""
    for table in ("rows_files", "memo"):
        state.database.execute("BEGIN")
        state.database.execute(
            f"UPDATE {table} SET value = "
            "CAST(substr(value, 1, length(value) - 1) || x'2a' AS BLOB)"
        )
        assert "does not match its digest" in find_damage(state.database)
        state.database.execute("ROLLBACK")
    state.database.execute("DELETE FROM rows_words WHERE key = '3.txt'")
    assert (
        find_damage(state.database) == 'the rows of "words" do not add up to its digest'
    )
