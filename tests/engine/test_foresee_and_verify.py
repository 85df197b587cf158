"""The forecast of a build, and verify, on toy tables."""

from __future__ import annotations

import pytest

from repobuild.cli.reason_text import stale_text
from repobuild.engine.explain.forecast import foresee
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
    assert stale_text(seen.reasons["files"]) == "1 changed path: b.txt"
    assert stale_text(seen.reasons["lines"]) == "depends on counts"


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
    assert state.keys == ('row "one" of "counts" does not match its digest',)


def test_verify_finds_a_changed_bit_in_a_value(toy):
    """The digests are all as they were: only the value tells."""
    build = toy.open()
    build.state.database.execute(
        "UPDATE memo SET value = x'7281a5776f72647391a36f6e65' WHERE id = 1"
    )
    (bad,) = [v for v in verify(build, quiet) if not v.holds]
    assert bad.keys == ("memo entry 1 does not match its digest",)


def test_verify_names_a_corrupt_artifact(toy):
    build = toy.open()
    digest = dict(build.table("book").items()).popitem()[1]["object"]
    (build.store.path(digest) / "book.txt").write_text("tampered")
    bad = [v for v in verify(toy.open(), quiet) if not v.holds]
    assert [v.found for v in bad] == ["missing or corrupt"]
