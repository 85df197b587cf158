"""verify compares every table with a clean build of what it was built from."""

from __future__ import annotations

import pytest

from repobuild.cli.main import run
from repobuild.cli.reason_text import obstacle_text
from repobuild.engine.verify import TableCheck, verify
from repobuild.git.worktree import at_worktree
from tests.repository import Repository
from tests.toys import Toy, quiet


@pytest.fixture
def toy(repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two"})
    made = Toy(repository.git)
    made.build("cover")
    return made


def checks(toy: Toy) -> dict[str, TableCheck]:
    return {check.name: check for check in verify(toy.open(), quiet)}


def test_verify_finds_every_digest_equal(toy):
    assert all(v.holds for v in checks(toy).values())


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
    (build.store.checked_path(digest) / "book.txt").write_text("tampered")
    bad = [v for v in verify(toy.open(), quiet) if not v.holds]
    assert [v.found for v in bad] == ["missing or corrupt"]


def test_settings_that_were_edited_since_raise_no_alarm(toy):
    toy.settings["toy.shout"] = True
    assert all(v.holds for v in checks(toy).values())


def test_a_table_built_with_edited_settings_is_verified_with_these(toy):
    toy.settings["toy.shout"] = True
    toy.build()
    toy.settings["toy.shout"] = False
    assert all(v.holds for v in checks(toy).values())


def test_tables_may_be_built_at_different_commits(toy, repository):
    repository.commit({"b.txt": "three"})
    toy.build("words")
    repository.commit({"c.txt": "four"})
    found = checks(toy)
    assert all(v.holds for v in found.values())
    assert {"files", "words", "counts", "lines"} <= set(found)


def test_a_wrong_row_is_found_at_whatever_commit_its_table_was_built(toy, repository):
    repository.commit({"b.txt": "three"})
    toy.build("words")
    build = toy.open()
    database = build.state.database
    database.execute("UPDATE rows_counts SET digest = x'00' WHERE key = 'one'")
    database.execute("UPDATE tables SET digest = x'00' WHERE name = 'counts'")
    table, _ = [v for v in verify(build, quiet) if not v.holds]
    assert (table.name, table.keys) == ("counts", ("one",))


def test_what_another_rule_version_made_is_unknown_not_wrong(toy):
    toy.change("counts", version=2)
    found = checks(toy)
    assert found["files"].holds and found["words"].holds
    for name in ("counts", "lines"):
        assert "counts: rule version 1 to 2" in obstacle_text(found[name].obstacle)
        assert "build first" in obstacle_text(found[name].obstacle)
        assert not found[name].holds and not found[name].found


def test_what_another_tool_made_is_unknown_not_wrong(toy, monkeypatch):
    toy.change("words", tools=("toyer",))
    monkeypatch.setattr("repobuild.engine.rule.installed_version", lambda tool: "1.0")
    toy.build()
    assert checks(toy)["words"].holds
    monkeypatch.setattr("repobuild.engine.rule.installed_version", lambda tool: "2.0")
    assert "words: tool toyer 1.0 to 2.0" in obstacle_text(
        checks(toy)["words"].obstacle
    )


def test_an_input_that_was_rebuilt_since_is_used_as_it_was(toy, repository):
    toy.change("words", settings=("toy.shout",), version=2)
    toy.build()
    toy.settings["toy.shout"] = True
    repository.commit({"b.txt": "three"})
    toy.build("words")
    assert all(v.holds for v in checks(toy).values())


def test_a_work_tree_cannot_be_verified(toy, repository, tmp_path):
    (repository.path / "b.txt").write_text("fresh")
    toy.build("lines", at_worktree(repository.git, tmp_path / "copies"))
    obstacles = {obstacle_text(v.obstacle) for v in checks(toy).values() if not v.holds}
    assert obstacles == {"built from a work tree"}


def test_the_command_is_0_after_an_edit_of_the_settings(
    repository: Repository, monkeypatch, capsys
):
    repository.commit({"a.py": 'def f():\n    """Say nothing."""\n    return 1\n'})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "dataset", "-q"]) == 0
    (repository.path / "repobuild.toml").write_text(
        "[samples]\nlanguages = ['en']\n[project]\nname = 'Other'\n"
    )
    assert run(["verify"]) == 0
    assert "every digest is equal" in capsys.readouterr().out


def test_the_command_says_what_it_could_not_verify(
    repository: Repository, monkeypatch, capsys
):
    import repobuild.code.scan.language as language

    repository.commit({"a.py": 'def f():\n    """Say nothing."""\n    return 1\n'})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "graph", "-q"]) == 0
    changed = {
        **language.ingredients({"project.languages": ["python"]}),
        "python.scm": "0" * 32,
    }
    monkeypatch.setattr(language, "ingredients", lambda settings: changed)
    assert run(["verify"]) == 1
    printed = capsys.readouterr().out
    assert "facts cannot be verified: made by what is not installed now" in printed
    assert "NOT" not in printed and "build first" in printed
