"""What a build does, asserted from which rows were built."""

from __future__ import annotations

import pytest

from repobuild.engine.context import usable_cores
from repobuild.errors import BuildError, UsageError
from repobuild.git.snapshot import at_commit
from repobuild.git.worktree import at_worktree
from tests.repository import Repository
from tests.toys import Toy


@pytest.fixture
def toy(repository: Repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two three", "c.md": "nothing"})
    return Toy(repository.git)


def clean_digests(toy: Toy, tmp_path, name="clean") -> dict[str, str]:
    other = Toy(toy.git)
    other.rules, other.settings = toy.rules, toy.settings
    other.folder = tmp_path / name
    other.build()
    return other.digests()


def test_a_first_build_makes_every_row(toy):
    done = toy.build()
    assert done["words"].built == ["a.txt", "b.txt"]
    assert done["counts"].built == ["one", "three", "two"]
    assert done["lines"].counts.built == 6


def test_a_second_build_makes_nothing(toy):
    toy.build()
    done = toy.build()
    assert not any(o.built or o.memo or o.removed for o in done.values())
    assert done["lines"].counts.unchanged == 6


def test_one_changed_file_is_one_computed_row(toy, repository):
    toy.build()
    repository.commit({"a.txt": "one four"})
    done = toy.build()
    assert done["words"].built == ["a.txt"]
    assert done["counts"].built == ["four", "two"]
    assert done["lines"].entries == ["four#short", "four#long", "two#long"]


def test_an_unchanged_result_stops_the_build_there(toy, repository):
    toy.build()
    repository.commit({"a.txt": "ONE   two #"})
    done = toy.build()
    assert done["words"].counts.unchanged == 2
    assert not done["counts"].built and not done["lines"].built


def test_a_renamed_file_is_a_memo_hit(toy, repository):
    toy.build()
    repository.move("a.txt", "z.txt")
    done = toy.build()
    assert done["words"].built == [] and done["words"].memo == ["z.txt"]


def test_a_revert_computes_no_map_row(toy, repository):
    toy.build()
    before = toy.digests()
    repository.commit({"a.txt": "other words"})
    toy.build()
    repository.commit({"a.txt": "one two"})
    done = toy.build()
    assert done["words"].built == [] and done["lines"].built == []
    assert done["words"].memo == ["a.txt"]
    assert toy.digests() == before


def test_a_setting_remakes_only_what_declares_it(toy):
    toy.build()
    toy.settings["toy.shout"] = True
    done = toy.build()
    assert done["words"].counts.unchanged == 2
    assert done["lines"].counts.built == 6


def test_a_raised_version_rebuilds_the_table_and_stops_at_equal_rows(toy):
    toy.build()
    toy.change("words", version=2)
    done = toy.build()
    assert done["words"].built == ["a.txt", "b.txt"]
    assert done["words"].counts.built == 0
    assert not done["counts"].built


def test_step_by_step_equals_clean(toy, repository, tmp_path):
    toy.build()
    steps = [
        {"a.txt": "five"},
        {"b.txt": None},
        {"d.txt": "one five six", "a.txt": None},
        {"sub/a.txt": "five"},
        {"d.txt": "one"},
    ]
    for number, step in enumerate(steps):
        repository.commit(step)
        toy.build()
        assert toy.digests() == clean_digests(toy, tmp_path, f"clean{number}")


def test_a_partial_build_leaves_pending_rows_for_the_rest(toy, repository, tmp_path):
    toy.build()
    repository.commit({"a.txt": "seven"})
    toy.build("words")
    repository.commit({"b.txt": "eight"})
    toy.build("counts")
    toy.build()
    assert toy.digests() == clean_digests(toy, tmp_path)


def test_a_kill_between_two_tables_is_harmless(toy, repository, tmp_path):
    toy.build()
    repository.commit({"a.txt": "nine"})
    toy.change("counts", run="tests.engine.test_build:killed")
    with pytest.raises(KeyboardInterrupt):
        toy.build()
    toy.change("counts", run="tests.toys:counts")
    toy.build()
    assert toy.digests() == clean_digests(toy, tmp_path)


def killed(view) -> None:
    view.own.put("half", {"word": "half", "in": []})
    raise KeyboardInterrupt


def test_any_number_of_workers_and_any_order_give_the_same_digests(
    repository, tmp_path
):
    files = {f"{n}.txt": f"word{n} word{n % 7}" for n in range(320)}
    repository.commit(files)
    digests = []
    for name, options in {
        "one": {"jobs": 1},
        "two": {"jobs": 2},
        "shuffled": {"jobs": 2, "shuffle": 3},
    }.items():
        toy = Toy(repository.git)
        toy.folder = tmp_path / name
        toy.build(**options)
        digests.append(toy.digests())
    assert digests[0] == digests[1] == digests[2]


def test_one_bad_row_is_reported_and_the_others_are_built(toy, repository, tmp_path):
    repository.commit({"bad.txt": "explode", "good.txt": "fine"})
    done = toy.build()
    assert done["words"].failed == ["bad.txt"]
    assert "good.txt" in done["words"].built
    assert ("words", "bad.txt", "ValueError: it exploded") in toy.last.problems


def test_a_failed_row_is_tried_again_and_its_old_value_is_gone(toy, repository):
    toy.build()
    repository.commit({"a.txt": "explode"})
    toy.build()
    assert toy.last.table("words").get("a.txt") is None
    done = toy.build()
    assert done["words"].failed == ["a.txt"]
    repository.commit({"a.txt": "one two"})
    assert toy.build()["words"].failed == []


def test_a_reported_problem_keeps_the_row(toy, repository):
    repository.commit({"a.txt": "oops one"})
    toy.build()
    assert ("words", "a.txt", "oops found") in toy.last.problems
    assert toy.last.table("words").get("a.txt")["words"] == ["one", "oops"]


def test_unstored_rows_are_rendered_again(toy):
    toy.build()
    assert dict(toy.last.table("lines").entries())["one#long"] == "one is in a.txt"


def test_a_build_of_an_older_commit_goes_back(toy, repository, tmp_path):
    toy.build()
    before = toy.digests()
    first = str(repository.git.head.target)
    repository.commit({"a.txt": "ten", "b.txt": None})
    toy.build()
    toy.build(snapshot=at_commit(repository.git, first))
    assert toy.digests() == before


def test_the_work_tree_is_built_on_request_and_left_again(toy, repository, tmp_path):
    toy.build()
    before = toy.digests()
    (repository.path / "a.txt").write_text("changed")
    (repository.path / "new.txt").write_text("brand new")
    snapshot = at_worktree(repository.git, tmp_path / "copies")
    done = toy.build(snapshot=snapshot)
    assert done["words"].built == ["a.txt", "new.txt"]
    toy.build()
    assert toy.digests() == before


def test_a_task_runs_once_for_the_same_inputs(toy):
    first = toy.build("cover")
    again = toy.build("cover")
    assert first["book"].counts.built == 1 and first["cover"].counts.built == 1
    assert again["book"].counts.unchanged == 1 and not again["cover"].built


def test_a_build_that_is_ended_before_its_tasks_keeps_the_tables(toy):
    def refuse() -> None:
        raise UsageError("too little")

    with pytest.raises(UsageError, match="too little"):
        toy.open().run(["cover"], before_tasks=refuse)
    build = toy.open()
    assert build.state.line("lines") is not None
    assert build.state.line("book") is None


@pytest.mark.parametrize("goal", ["lines", "cover"])
def test_before_the_tasks_is_once_and_after_the_tables(toy, goal):
    build, seen = toy.open(), []
    build.run([goal], before_tasks=lambda: seen.append(set(build.outcomes)))
    assert seen == [{"files", "words", "counts", "lines"}]


def test_a_chain_continues_from_the_nearest_ancestor(toy, repository):
    toy.build("book")
    first = str(repository.git.head.target)
    second = repository.commit({"a.txt": "eleven"})
    toy.build("book")
    rows = dict(toy.last.table("book").items())
    assert rows[first]["follows"] == ""
    assert rows[second]["follows"] == rows[first]["object"]


def test_what_is_built_elsewhere_does_not_make_a_commit_stale(toy, repository):
    toy.build("book")
    first = at_commit(repository.git)
    repository.commit({"a.txt": "twelve"})
    toy.build("book")
    done = toy.build("book", snapshot=first)
    assert done["book"].counts.unchanged == 1


def test_a_missing_artifact_is_made_again(toy):
    toy.build("book")
    for digest in list(toy.last.store.digests()):
        toy.last.store.remove(digest)
    assert toy.build("book")["book"].counts.built == 1


def test_a_corrupt_artifact_is_never_read(toy):
    toy.build("book")
    store = toy.last.store
    digest = next(store.digests())
    (store.checked_path(digest) / "book.txt").write_text("tampered")
    assert toy.build("book")["book"].counts.built == 1


def test_a_state_of_a_newer_format_is_refused_and_kept(toy):
    toy.build()
    toy.last.state.database.execute("UPDATE meta SET value = 99")
    toy.last.state.close()
    size = (toy.folder / "build.db").stat().st_size
    with pytest.raises(BuildError, match="newer repobuild"):
        toy.build()
    assert (toy.folder / "build.db").stat().st_size >= size


def test_a_garbled_database_is_set_aside_and_rebuilt(toy):
    toy.build()
    before = toy.digests()
    toy.last.state.close()
    (toy.folder / "build.db").write_bytes(b"no database" * 1000)
    toy.build()
    assert toy.digests() == before
    assert (toy.folder / "build.db.bad-1").exists()


def test_a_rule_that_fails_is_named_and_its_traceback_kept(toy, repository):
    toy.change("counts", run="tests.engine.test_build:broken")
    with pytest.raises(BuildError, match='rule "counts" failed: KeyError') as caught:
        toy.build()
    assert caught.value.exit_code == 3
    assert "in broken" in (toy.folder / "failure.txt").read_text()
    assert toy.last.table("words").get("a.txt")["words"] == ["one", "two"]


def broken(view) -> None:
    view.settings["no such setting"]


def test_cores_are_counted_where_the_system_does_not_say_which_may_be_used(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity")  # as on macOS
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    assert usable_cores() == 3
