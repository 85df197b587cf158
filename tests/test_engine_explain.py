"""outlook, verify and gc: what the engine says of itself."""

from __future__ import annotations

import pytest

from repobuild.engine.collect import collect, waste
from repobuild.engine.outlook import foresee
from repobuild.engine.verify import verify
from tests.toys import Toy, quiet


@pytest.fixture
def toy(repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two"})
    made = Toy(repository.git)
    made.build("cover")
    return made


def test_nothing_is_foreseen_after_a_build(toy):
    assert foresee(toy.open(), ["cover"]).reasons == {}


def test_a_changed_file_is_foreseen_with_all_that_depends_on_it(toy, repository):
    repository.commit({"b.txt": "else"})
    seen = foresee(toy.open(), ["cover"])
    assert seen.files == 1
    assert seen.reasons["files"] == "1 changed path: b.txt"
    assert seen.reasons["lines"] == "depends on counts"


def test_looking_ahead_writes_nothing(toy, repository):
    repository.commit({"b.txt": "else"})
    before = toy.digests()
    foresee(toy.open(), ["cover"])
    assert toy.digests() == before


def test_verify_finds_every_digest_equal(toy):
    assert all(v.holds for v in verify(toy.open(), quiet))


def test_verify_names_a_row_that_was_tampered_with(toy):
    build = toy.open()
    database = build.state.database
    database.execute("UPDATE rows_counts SET digest = x'00' WHERE key = 'one'")
    database.execute("UPDATE tables SET digest = x'00' WHERE name = 'counts'")
    table, state = [v for v in verify(build, quiet) if not v.holds]
    assert table.name == "counts" and table.keys == ("one",)
    assert state.keys == ('row "one" of "counts" is not what its digest says',)


def test_verify_finds_a_changed_bit_in_a_value(toy):
    """The digests are all as they were: only the value tells."""
    build = toy.open()
    build.state.database.execute(
        "UPDATE memo SET value = x'7281a5776f72647391a36f6e65' WHERE id = 1"
    )
    (bad,) = [v for v in verify(build, quiet) if not v.holds]
    assert bad.keys == ("memo entry 1 is not what its digest says",)


def test_verify_names_a_corrupt_artifact(toy):
    build = toy.open()
    digest = dict(build.table("book").items()).popitem()[1]["object"]
    (build.store.path(digest) / "book.txt").write_text("tampered")
    bad = [v for v in verify(toy.open(), quiet) if not v.holds]
    assert [v.found for v in bad] == ["missing or corrupt"]


def test_gc_keeps_what_a_branch_needs_whatever_the_cap(toy, repository):
    head = str(repository.git.head.target)
    build = toy.open()
    assert waste(build, [head], cap=0) == []


def test_gc_takes_older_artifacts_beyond_the_cap(toy, repository):
    first = str(repository.git.head.target)
    second = repository.commit({"b.txt": "else"})
    toy.build("cover")
    build = toy.open()
    old = build.table("book").get(first)["object"]
    found = waste(build, [second], cap=0)
    collect(build, found)
    assert old not in set(build.store.digests())
    assert build.table("book").get(first) is None
    assert toy.build("cover")["cover"].counts.unchanged == 1


def test_gc_keeps_older_artifacts_under_the_cap(toy, repository):
    second = repository.commit({"b.txt": "else"})
    toy.build("cover")
    assert waste(toy.open(), [second]) == []


def test_gc_takes_memo_entries_that_no_row_and_no_late_build_used(toy, repository):
    for number in range(25):
        repository.commit({"b.txt": f"word{number}"})
        toy.build()
    build = toy.open()
    found = waste(build, [str(repository.git.head.target)])
    assert found and {w.kind for w in found} == {"memo"}
    before = toy.digests()
    collect(build, found)
    assert toy.build()["lines"].counts.unchanged > 0
    assert toy.digests() == before
    assert all(v.holds for v in verify(toy.open(), quiet))
