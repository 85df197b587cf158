"""What garbage collection removes, in which order, and what it never removes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pygit2
import pytest

from repobuild.engine.explain.why import explain
from repobuild.engine.storage.garbage_collection import (
    CacheLimits,
    collect_after_build,
    find_garbage,
    parse_size,
    remove_garbage,
)
from repobuild.engine.verify import verify
from repobuild.errors import UsageError
from tests.repository import Repository
from tests.toys import Toy, quiet

_HERE = "tests.engine.test_garbage_collection"
_PAGE = 4_000
NONE = CacheLimits(0, 20)
PLENTY = CacheLimits(1 << 30, 20)


def thick_book(task: Any) -> dict[str, Any]:
    """A book as large as a small adapter."""
    pages = sorted(key for key, _ in task.table("lines").entries())
    (task.folder / "book.txt").write_text("\n".join(pages).ljust(_PAGE))
    return {"pages": len(pages)}


def explanations(build: Any, key: str, table: str) -> list[dict[str, Any]]:
    """Return what `why` answers for one table, in its JSON form."""
    found = (explanation.plain() for explanation in explain(build, key))
    return [row for row in found if row["table"] == table]


@pytest.fixture
def toy(repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two"})
    made = Toy(repository.git)
    made.change("book", run=f"{_HERE}:thick_book")
    made.build("cover")
    return made


def stored(toy: Toy) -> set[str]:
    return set(toy.open().store.digests())


def book(toy: Toy, commit: str) -> str:
    row = toy.open().table("book").get(commit)
    return str(row["object"]) if row else ""


def gc(toy: Toy, limits: CacheLimits) -> list[str]:
    """Collect as a build does at its end; return the artifacts that it removed."""
    build = toy.open()
    found = find_garbage(build, limits)
    remove_garbage(build, limits, found)
    build.state.close()
    return [item.name for item in found if item.kind == "object"]


def test_what_head_needs_stays_whatever_the_cap(toy):
    assert gc(toy, NONE) == []


def test_over_the_cap_the_longest_unused_is_removed_first(toy, repository):
    commits = [str(repository.git.head.target)]
    for number in range(3):
        commits.append(repository.commit({"b.txt": f"word{number}"}))
        toy.build("cover")
    books = [book(toy, commit) for commit in commits]
    repository.checkout(commits[0])
    toy.build("cover")  # used again: now it is the youngest
    repository.checkout(commits[3])
    toy.build("cover")
    gone = gc(toy, CacheLimits(2 * (_PAGE + 100), 20))
    assert books[1] in gone and books[2] in gone
    assert books[0] not in gone and books[3] not in gone
    assert stored(toy) >= {books[0], books[3]}


def test_the_newest_of_every_branch_and_worktree_stays(toy, repository, tmp_path):
    first = str(repository.git.head.target)
    second = repository.commit({"b.txt": "branch"})
    toy.build("cover")
    repository.git.branches.local.create("side", repository.git[second])
    third = repository.commit({"b.txt": "tree"})
    toy.build("cover")
    repository.git.add_worktree("away", str(tmp_path / "away"))
    away = pygit2.Repository(str(tmp_path / "away"))
    away.set_head(pygit2.Oid(hex=third))
    repository.git.branches.local.delete("away")
    fourth = repository.commit({"b.txt": "main"})
    toy.build("cover")
    kept = {book(toy, commit) for commit in (second, third, fourth)}
    old = book(toy, first)
    assert old in gc(toy, NONE)
    assert kept <= stored(toy)


def test_a_branch_without_its_own_adapter_keeps_its_ancestors(toy, repository):
    first = str(repository.git.head.target)
    repository.git.branches.local.create("old", repository.git[first])
    repository.commit({"b.txt": "later"})
    toy.build("cover")
    assert book(toy, first) not in gc(toy, NONE)


def test_a_tag_keeps_nothing(toy, repository):
    first = str(repository.git.head.target)
    repository.git.references.create("refs/tags/v1", first)
    repository.commit({"b.txt": "later"})
    toy.build("cover")
    assert book(toy, first) in gc(toy, NONE)


def test_what_a_row_names_stays(toy, repository):
    first = book(toy, str(repository.git.head.target))
    toy.change("book", run=f"{_HERE}:pointing_book")
    repository.commit({"b.txt": "later"})
    toy.build("cover")
    assert gc(toy, NONE) == [
        row["object"] for key, row in toy.open().table("cover").items() if key == first
    ] or first in stored(toy)
    assert first in stored(toy)


def pointing_book(task: Any) -> dict[str, Any]:
    """A book that is no better than the one before, which stays current."""
    before = max(task.rows("book").values(), key=lambda row: row["build"])
    return {**thick_book(task), "current": before["object"]}


def test_a_collected_artifact_is_made_again_and_why_says_so(toy, repository):
    first = str(repository.git.head.target)
    old = book(toy, first)
    repository.commit({"b.txt": "later"})
    toy.build("cover")
    assert old in gc(toy, NONE)
    assert book(toy, first) == ""
    (found,) = explanations(toy.open(), first[:10], "book")
    assert found["what"] == "evicted"
    assert [r["cause"] for r in found["reasons"]] == ["evicted"]
    repository.checkout(first)
    assert toy.build("cover")["book"].counts.built == 1
    (found,) = explanations(toy.last, first[:10], "book")
    assert found["what"] == "built"
    assert found["reasons"][0]["cause"] == "evicted"
    assert found["reasons"][0]["to"] == old or found["reasons"][0]["from"] == old


def test_a_kill_between_rows_and_files_leaves_what_the_next_gc_removes(
    toy, repository, monkeypatch
):
    old = book(toy, str(repository.git.head.target))
    repository.commit({"b.txt": "later"})
    toy.build("cover")
    build = toy.open()
    found = find_garbage(build, NONE)
    assert old in {item.name for item in found}

    def killed(digest: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build.store, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        remove_garbage(build, NONE, found)
    build.state.close()
    assert old in stored(toy)
    assert all(row["object"] != old for _, row in toy.open().table("book").items())
    assert old in gc(toy, PLENTY)
    assert old not in stored(toy)


def test_an_artifact_that_no_row_names_stays_under_the_cap(toy):
    build = toy.open()
    folder = build.state.folder / "tmp" / "stray"
    folder.mkdir(parents=True)
    (folder / "file").write_text("stray")
    stray = build.store.put(folder)
    assert find_garbage(build, PLENTY) == []
    (item,) = find_garbage(build, NONE)
    assert (item.name, item.why) == (stray, "beyond the cap, unnamed")


def test_memo_entries_of_rows_removed_long_ago_are_removed(toy, repository):
    for number in range(25):
        repository.commit({"b.txt": f"word{number}"})
        toy.build()
    build = toy.open()
    found = [item for item in find_garbage(build, PLENTY) if item.kind == "memo"]
    assert found
    before = toy.digests()
    remove_garbage(build, PLENTY, found)
    build.state.close()
    assert toy.build()["lines"].counts.unchanged > 0
    assert toy.digests() == before
    assert all(v.holds for v in verify(toy.open(), quiet))


def test_a_row_removed_recently_is_still_a_hit(toy, repository):
    for number in range(25):
        repository.commit({"c.txt": f"word{number}"})
        toy.build()
    repository.commit({"b.txt": "later"})
    toy.build()
    gc(toy, PLENTY)
    repository.commit({"b.txt": "two"})
    assert toy.build()["words"].memo == ["b.txt"]


def test_a_build_with_nothing_to_collect_scans_no_row(toy, repository):
    repository.commit({"b.txt": "later"})
    toy.build()
    asked: list[str] = []
    toy.last.state.database.set_trace_callback(asked.append)
    assert collect_after_build(toy.last, PLENTY) == []
    assert asked and not any('FROM "rows_' in statement for statement in asked)


def test_repeated_commits_do_not_grow_the_state(toy, repository, monkeypatch):
    monkeypatch.setattr("repobuild.engine.storage.memo_gc._MIN_IDLE", 20)
    limits = CacheLimits(3 * (_PAGE + 100), 5)
    sizes = []
    for number in range(60):
        repository.commit({"b.txt": " ".join(f"w{number}x{k}" for k in range(30))})
        toy.build("cover")
        collect_after_build(toy.last, limits)
        database = toy.last.state.database
        (entries,) = database.execute("SELECT count(*) FROM memo").fetchone()
        sizes.append((len(stored(toy)), entries, pages(database)))
        toy.last.state.close()
    for early, late in zip(
        zip(*sizes[20:40], strict=True), zip(*sizes[40:], strict=True), strict=True
    ):
        assert max(late) <= 1.2 * max(early)


def pages(database: Any) -> int:
    """Return the pages in use, without free ones."""
    used, free = (
        int(database.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count")
    )
    return used - free


def test_free_pages_return_to_the_file_system(toy, repository):
    text = " ".join(f"word{number}" for number in range(3_000))
    repository.commit({"big.txt": text})
    toy.build()
    repository.commit({"big.txt": None})
    toy.build()
    for number in range(22):
        repository.commit({"b.txt": f"w{number}"})
        toy.build()
    toy.last.state.close()
    path: Path = toy.folder / "build.db"
    before = path.stat().st_size
    gc(toy, PLENTY)
    assert path.stat().st_size < before / 2


def test_an_older_state_is_converted_to_return_free_pages(toy):
    database = toy.last.state.database
    database.executescript("PRAGMA auto_vacuum = NONE; VACUUM")
    assert database.execute("PRAGMA auto_vacuum").fetchone() == (0,)
    toy.last.state.close()
    gc(toy, PLENTY)
    state = toy.open().state
    assert state.database.execute("PRAGMA auto_vacuum").fetchone() == (2,)


@pytest.mark.parametrize(
    ("text", "size"), [("500M", 500 << 20), ("2G", 2 << 30), ("1.5 kb", 1536), ("7", 7)]
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert parse_size(text) == size


def test_a_malformed_size_is_named():
    with pytest.raises(UsageError, match=r'"much" is no size'):
        parse_size("much")


def test_the_command_lists_what_and_why(here: Repository, capsys):
    from repobuild.cli.main import run

    assert run(["--until", "files", "-q"]) == 0
    assert run(["cache", "gc", "--dry-run", "--max-size", "1K"]) == 0
    assert "would remove 0 artifacts" in capsys.readouterr().out
    assert run(["cache", "gc", "--max-size", "much"]) == 2


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    repository.commit({"a.py": "x = 1\n"})
    monkeypatch.chdir(repository.path)
    return repository


def test_every_build_collects_by_itself(here: Repository, monkeypatch):
    from repobuild.checkout import open_checkout
    from repobuild.cli.main import run

    monkeypatch.setattr("repobuild.engine.storage.memo_gc._MIN_IDLE", 1)
    monkeypatch.setattr("repobuild.engine.storage.memo_gc._ROWS_PER_IDLE", 1_000_000)
    (here.path / "repobuild.toml").write_text("[cache]\nkeep_builds = 2\n")
    counts = []
    for number in range(8):
        here.commit({"a.py": f"def f{number}():\n    return {number}\n"})
        assert run(["--until", "facts", "-q"]) == 0
        state = open_checkout().state()
        counts += state.database.execute("SELECT count(*) FROM memo").fetchone()
        state.close()
    assert max(counts) <= 4  # the row as it is, two builds back, and one to be taken


def test_a_build_of_whole_tables_leaves_no_pages_half_empty(toy, repository):
    repository.commit({f"{n:04}.txt": f"some{n} words{n}" for n in range(1200)})
    toy.change("words", version=7)
    toy.build("lines")
    database = toy.last.state.database
    sparse = pages(database)
    collect_after_build(toy.last, PLENTY)
    dense = pages(database)
    database.execute("VACUUM")
    assert pages(database) == dense < sparse
