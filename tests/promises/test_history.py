"""What is told of changes is true at HEAD, and comes out of any build the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pygit2
import pytest

from repobuild.git.commit_diffs import LOOP, MOST_FILES, kept_commits
from repobuild.git.worktree import at_worktree
from repobuild.samples.changes.change_samples import TASK
from repobuild.samples.dataset.split import Split
from tests.promises.test_incremental_equals_clean import assert_equal
from tests.repository import Repository
from tests.standard import Standard

TABLES = ("commits", "changes", "history", "dataset")
NUMBERS = '''\
"""Numbers and what is done with them."""


def double(value: int) -> int:
    """Return twice the number that is given."""
    result = value + value
    if result < 0:
        raise ValueError(value)
    return result


class Counter:
    """Count things."""

    def step(self, by: int = 1) -> int:
        """Go on by so much."""
        self.count += by
        return self.count
'''
WORDS = '''\
"""Words, which have nothing to do with numbers."""


def shout(text: str) -> str:
    """Return the text in capital letters."""
    found = text.strip()
    return found.upper()
'''
DOUBLE = NUMBERS.partition("\n\n\nclass")[0].partition("\n\n\n")[2]


@pytest.fixture
def built(repository: Repository, tmp_path: Path):
    repository.commit({"numbers.py": NUMBERS, "words.py": WORDS, "README.md": "# It\n"})
    # Nothing is held out, so that every test sees what it asks for.
    standard = Standard(repository.git, tmp_path / "state", **{"split.generalise": 0.0})
    standard.build()
    yield standard
    standard.close()


def told(standard: Standard, id: str, language: str = "en") -> set[str]:
    """Return the answers about an id."""
    row = standard.table("history").get(id) or {}
    return {s["answer"] for s in row.values() if s["language"] == language}


def all_told(standard: Standard) -> str:
    items = standard.table("history").entries()
    return "\n".join(f"{s['question']}\n{s['answer']}" for _, s in items)


def both(standard: Standard, id: str) -> str:
    """Return all that is told of an id; kinds that take turns use one language."""
    return "\n".join(sorted(told(standard, id) | told(standard, id, "zh")))


def assert_clean(standard: Standard, place: Path) -> None:
    """Hold the tables against a build from nothing."""
    clean = Standard(standard.git, place, **standard.settings)
    clean.build()
    for table in TABLES:
        assert_equal(standard, clean, table)
    clean.close()


def without(text: str, part: str) -> str:
    assert part in text
    return text.replace(part, "")


def test_a_clean_build_yields_the_same_rows(built, repository, tmp_path):
    for n, text in enumerate(
        (without(NUMBERS, DOUBLE), NUMBERS, NUMBERS + "\nX = 1\n")
    ):
        repository.commit({"numbers.py": text, f"n{n}.py": WORDS})
        built.build()
        assert_clean(built, tmp_path / f"clean{n}")


def test_the_root_has_nothing_to_be_compared_with(built):
    assert list(built.table("commits").keys()) == []


def test_a_sample_about_a_changed_signature_has_both_versions(built, repository):
    commit = repository.commit(
        {"numbers.py": NUMBERS.replace("by: int = 1", "by: int = 2")}
    )
    built.build()
    said = both(built, "numbers.py::Counter.step")
    assert '"a change"' in said or "“a change”" in said
    row = built.table("history").get("numbers.py::Counter.step")
    assert {sample["commit"] for sample in row.values()} == {commit}
    assert commit[:7] not in said  # ten random digits are not learnt
    assert "def step(self, by: int = 1) -> int" in said
    assert "def step(self, by: int = 2) -> int" in said
    assert "`1`" in said and "`2`" in said


def test_changed_lines_are_quoted_when_they_are_few(built, repository):
    repository.commit({"numbers.py": NUMBERS.replace("value + value", "2 * value")})
    built.build()
    said = both(built, "numbers.py::double")
    assert "- result = value + value\n+ result = 2 * value\n" in said


def test_a_comment_is_no_change(built, repository):
    repository.commit(
        {"numbers.py": NUMBERS.replace("value + value", "value + value  # x")}
    )
    built.build()
    (row,) = built.table("changes").items()
    assert row[1]["items"] == []
    history = {"commits", "changes", "past_commits", "additions"}
    assert set(built.events()) == {*history, "files", "facts"}


def test_a_sample_says_that_a_removed_function_is_gone(built, repository):
    commit = repository.commit({"numbers.py": without(NUMBERS, DOUBLE)})
    built.build()
    absent, said = sorted(told(built, "numbers.py::double"))
    assert "There is no `double` in" in absent
    assert "not in `numbers.py` any more" in said
    row = built.table("history").get("numbers.py::double")
    assert {source for s in row.values() for source in s["sources"]} == {"numbers.py"}
    assert {sample["commit"] for sample in row.values()} == {commit}


def test_a_location_question_about_a_removed_function_answers_that_it_is_gone(
    built, repository
):
    def asked() -> set[str]:
        found = built.table("samples").get("numbers.py::double") or {}
        gone = built.table("history").get("numbers.py::double") or {}
        rows = [*found.values(), *gone.values()]
        return {s["question"] for s in rows if s["task"] in ("code_location", TASK)}

    before = asked()
    repository.commit({"numbers.py": without(NUMBERS, DOUBLE)})
    built.build()
    row = built.table("history").get("numbers.py::double")
    plain = {s["question"] for s in row.values() if "`numbers.py`" not in s["question"]}
    places = {
        question for question in before if "file" in question or "文件" in question
    }
    assert places and places <= plain  # in the very words that taught the old place
    assert all("numbers.py" not in s["answer"] for s in row.values()
               if s["question"] in plain)  # fmt: skip


def test_a_name_that_means_something_else_now_is_not_called_removed(
    built, repository, tmp_path
):
    repository.commit({"numbers.py": without(NUMBERS, DOUBLE)})
    built.build()
    assert "There is no `double`" in both(built, "numbers.py::double")
    other = "def double(text: str) -> str:\n    return text * 2\n"
    repository.commit({"texts.py": other})
    built.build()
    said = both(built, "numbers.py::double")
    assert "There is no `double`" not in said and "any more" in said
    assert_clean(built, tmp_path / "clean")
    repository.commit({"texts.py": "TEXTS = 1\n"})
    built.build()
    assert "There is no `double`" in both(built, "numbers.py::double")
    assert_clean(built, tmp_path / "again")


def test_an_element_that_came_back_is_not_called_removed(built, repository):
    repository.commit({"numbers.py": without(NUMBERS, DOUBLE)})
    built.build()
    repository.commit({"numbers.py": NUMBERS, "words.py": WORDS + "\n\nX = 1\n"})
    built.build()
    assert "any more" not in both(built, "numbers.py::double")
    assert "added to `numbers.py`" in both(built, "numbers.py::double") + all_told(
        built
    )


def test_a_sample_names_the_new_file_of_a_moved_function(built, repository):
    repository.commit(
        {"numbers.py": without(NUMBERS, DOUBLE), "words.py": f"{WORDS}\n\n{DOUBLE}\n"}
    )
    built.build()
    (said,) = told(built, "numbers.py::double")
    assert "it is `double` in `words.py` now" in said
    assert "`numbers.py`" in both(built, "words.py::double")


def test_a_function_that_moved_twice_has_its_last_location(built, repository, tmp_path):
    repository.commit(
        {"numbers.py": without(NUMBERS, DOUBLE), "words.py": f"{WORDS}\n\n{DOUBLE}\n"}
    )
    built.build()
    repository.commit({"words.py": WORDS, "README.md": None, "last.py": f"{DOUBLE}\n"})
    built.build()
    (said,) = told(built, "numbers.py::double")
    assert "`double` in `last.py` now" in said
    assert_clean(built, tmp_path / "clean")
    repository.commit({"last.py": None})
    built.build()
    assert told(built, "numbers.py::double") == set()
    assert_clean(built, tmp_path / "again")


def test_a_class_that_moved_takes_its_methods_along(built, repository):
    counter = "class" + NUMBERS.partition("class")[2]
    repository.commit(
        {"numbers.py": without(NUMBERS, counter), "words.py": f"{WORDS}\n\n{counter}"}
    )
    built.build()
    ids = set(built.table("history").keys())
    assert ids == {"numbers.py::Counter", "words.py::Counter"}


def test_a_sample_names_the_new_name_of_a_renamed_function(built, repository):
    repository.commit({"numbers.py": NUMBERS.replace("double", "twofold")})
    built.build()
    now, former = sorted(told(built, "numbers.py::double"), key=len)
    assert "`twofold` in `numbers.py` now" in former + now
    assert "`twofold` in `numbers.py` since the commit" in former + now


def test_a_renamed_file_has_one_sample_for_all_its_elements(
    built, repository, tmp_path
):
    repository.commit({"numbers.py": NUMBERS.replace("value + value", "2 * value")})
    built.build()
    repository.move("numbers.py", "amounts.py")
    built.build()
    ids = set(built.table("history").keys())
    assert ids == {"numbers.py", "amounts.py::double"}
    (said,) = told(built, "numbers.py")
    assert "`amounts.py`" in said
    assert "2 * value" in both(built, "amounts.py::double")
    assert_clean(built, tmp_path / "clean")


def test_the_newest_change_wins(built, repository):
    repository.commit({"numbers.py": NUMBERS.replace("value + value", "2 * value")})
    newest = repository.commit(
        {"numbers.py": NUMBERS.replace("value + value", "value * 2")}
    )
    built.build()
    said = both(built, "numbers.py::double")
    assert "+ result = value * 2" in said and "+ result = 2 * value" not in said
    row = built.table("history").get("numbers.py::double")
    assert {sample["commit"] for sample in row.values()} == {newest}


def test_a_revert_leaves_the_history_as_it_was(built, repository):
    repository.commit({"numbers.py": NUMBERS.replace("value + value", "2 * value")})
    built.build()
    before = {table: built.table(table) and built.rows(table) for table in TABLES}
    repository.commit({"numbers.py": without(NUMBERS, DOUBLE), "words.py": None})
    built.build()
    repository.commit(
        {"numbers.py": NUMBERS.replace("value + value", "2 * value"), "words.py": WORDS}
    )
    built.build()
    for table in TABLES:
        rows = built.rows(table)
        assert {k: r.digest for k, r in rows.items()} == {
            k: r.digest for k, r in before[table].items()
        }, table
    assert built.events()["changes"]["built"] == []


def test_trees_that_come_back_again_and_again_are_one(repository):
    repository.commit({"a.py": WORDS})
    first = repository.commit({"a.py": NUMBERS})
    for n in range(LOOP + 10):
        repository.commit({"a.py": f"X = {n}\n"})
        repository.commit({"a.py": NUMBERS})
    head = str(repository.git.head.target)
    assert [step.commit for step in kept_commits(repository.git, head)] == [first]


def test_a_loop_longer_than_is_looked_for_stays(repository):
    repository.commit({"a.py": WORDS})
    for n in range(LOOP + 1):
        repository.commit({"a.py": f"X = {n}\n"})
    head = repository.commit({"a.py": WORDS})
    assert len(list(kept_commits(repository.git, head))) == LOOP + 2


def test_a_merge_counts_against_its_first_parent(built, repository):
    root = str(repository.git.head.target)
    side = repository.commit({"words.py": WORDS.replace("text.strip()", "text")})
    repository.checkout(root)
    repository.git.set_head("refs/heads/main")
    repository.git.references.create("refs/heads/main", root, force=True)
    main = repository.commit(
        {"numbers.py": NUMBERS.replace("value + value", "2 * value")}
    )
    repository.write({"words.py": WORDS.replace("text.strip()", "text")})
    tree = repository.git.index.write_tree()
    who = repository.git[main].author
    merge = repository.git.create_commit(
        "refs/heads/main", who, who, "Merge it", tree, [main, side]
    )
    built.build()
    rows = dict(built.table("commits").items())
    assert set(rows) == {str(merge), main}
    assert [change[3] for change in rows[str(merge)]["changes"]] == ["words.py"]
    assert "Merge it" in both(built, "words.py::shout")


def test_the_window_is_as_long_as_asked_for(built, repository, tmp_path):
    for n in range(5):
        repository.commit({"numbers.py": NUMBERS.replace("+ value", f"+ {n}")})
    built.settings["history.commits"] = 2
    built.build()
    assert len(built.table("commits")) == 2
    assert_clean(built, tmp_path / "clean")
    built.settings["history.commits"] = 0
    built.build()
    assert [len(built.table(name)) for name in TABLES[:3]] == [0, 0, 0]


def test_an_update_compares_and_reads_only_commits_that_came(built, repository):
    for n in range(3):
        repository.commit({"numbers.py": NUMBERS.replace("+ value", f"+ {n}")})
    built.build()
    commit = repository.commit({"words.py": WORDS.replace("text.strip()", "text")})
    built.build()
    assert built.events()["commits"]["built"] == [commit]
    assert built.events()["changes"]["built"] == [commit]
    assert built.events()["history"]["built"] == ["words.py::shout"]


def test_an_amended_message_reads_no_file_again(built, repository):
    root = str(repository.git.head.target)
    commit = repository.commit({"words.py": WORDS.replace("text.strip()", "text")})
    built.build()
    old = repository.git[commit]
    amended = repository.git.create_commit(
        None, old.author, old.author, "Said better", old.tree_id, [root]
    )
    repository.git.references.create("refs/heads/main", amended, force=True)
    built.build()
    assert built.events()["changes"]["built"] == []
    assert "Said better" in both(built, "words.py::shout")


def clone(repository: Repository, place: Path, depth: int) -> pygit2.Repository:
    source = f"file://{repository.path}"
    command = ["git", "clone", "-q", "--depth", str(depth), source, str(place)]
    subprocess.run(command, check=True)
    return pygit2.Repository(str(place))


def test_a_shallow_clone_ends_its_history_where_it_ends(built, repository, tmp_path):
    commits = [
        repository.commit({"numbers.py": NUMBERS.replace("+ value", f"+ {n}")})
        for n in range(4)
    ]
    git = clone(repository, tmp_path / "clone", 3)
    standard = Standard(git, tmp_path / "other")
    standard.build()
    assert sorted(standard.table("commits").keys()) == sorted(commits[2:])
    fetch = ["git", "-C", str(tmp_path / "clone"), "fetch", "-q", "--unshallow"]
    subprocess.run(fetch, check=True)
    standard.close()
    whole = Standard(pygit2.Repository(str(tmp_path / "clone")), tmp_path / "other")
    whole.build()
    assert sorted(whole.table("commits").keys()) == sorted(commits)
    assert_clean(whole, tmp_path / "clean")
    whole.close()


def test_a_bad_blob_does_not_lose_the_others(built, repository, tmp_path):
    repository.commit(
        {
            "numbers.py": NUMBERS.replace("value + value", "2 * value"),
            "words.py": WORDS.replace("text.strip()", "text"),
        }
    )
    repository.commit({"numbers.py": NUMBERS.replace("value + value", "value * 2")})
    middle = next(
        change[2]
        for row in dict(_history(built)).values()
        for change in row["changes"]
        if change[3] == "numbers.py" and change[2] != str(pygit2.hash(NUMBERS.encode()))
    )
    _lose(repository, middle)
    git = pygit2.Repository(str(repository.path))
    other = Standard(git, tmp_path / "other", **{"split.generalise": 0.0})
    other.build()
    assert {problem[0] for problem in other.last.problems} == {
        "changes",
        "additions",
    }
    assert both(other, "words.py::shout") and not both(other, "numbers.py::double")
    other.close()


def _history(standard: Standard):
    standard.build("commits")
    return standard.table("commits").items()


def _lose(repository: Repository, blob: str) -> None:
    path = repository.path / ".git" / "objects" / blob[:2] / blob[2:]
    path.unlink()


def test_no_change_is_followed_across_a_commit_that_is_too_large(built, repository):
    repository.commit({"numbers.py": NUMBERS.replace("value + value", "2 * value")})
    repository.commit({f"data/{n}.txt": str(n) for n in range(MOST_FILES + 1)})
    built.build()
    assert len(built.table("changes")) == 2
    assert len(built.table("history")) == 0


def test_an_edit_in_the_work_tree_removes_samples_that_it_makes_false(
    built, repository, tmp_path
):
    repository.commit({"numbers.py": NUMBERS.replace("value + value", "2 * value")})
    repository.commit({"words.py": without(WORDS, WORDS.partition("\n\n\n")[2])})
    built.build()
    assert both(built, "numbers.py::double") and both(built, "words.py::shout")
    (repository.path / "numbers.py").write_text(NUMBERS)
    (repository.path / "words.py").write_text(WORDS)
    built.build("dataset", at_worktree(repository.git, tmp_path / "copies"))
    assert len(built.table("history")) == 0
    built.build()
    assert both(built, "numbers.py::double") and both(built, "words.py::shout")


def test_a_secret_of_the_past_stays_there(built, repository):
    token = "gh" + "p_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
    old = NUMBERS.replace("value + value", f'value + len("{token}")')
    repository.commit({"numbers.py": old})
    repository.commit({"numbers.py": NUMBERS + "\nX = 1\n"})
    built.build()
    assert token in all_told(built)
    rows = dict(built.table("dataset").entries())
    items = dict(built.table("history").entries())
    shown = [key for key, sample in items.items() if token in str(sample)]
    assert shown
    assert all(rows[f"history//{key}"].get("dropped") for key in shown)


def test_a_subject_is_one_clean_line(built, repository):
    who = pygit2.Signature("A", "a@b")
    repository.write({"words.py": WORDS.replace("text.strip()", "text")})
    tree = repository.git.index.write_tree()
    message = "One\x1b[31m \t `line`" + "x" * 200 + "\n\nand more"
    repository.git.create_commit(
        "HEAD", who, who, message, tree, [repository.git.head.target]
    )
    built.build()
    (row,) = (row for _, row in built.table("commits").items())
    assert len(row["subject"]) <= 100 and row["subject"].startswith("One [31m `line`")
    assert "One [31m 'line'" in both(built, "words.py::shout")


def test_a_link_and_a_submodule_are_not_read(built, repository):
    (repository.path / "numbers.py").unlink()
    (repository.path / "numbers.py").symlink_to("words.py")
    repository.git.index.add("numbers.py")
    repository.commit()
    built.build()
    assert built.last.problems == []
    assert "removed" in "".join(told(built, "numbers.py"))


def test_the_location_of_a_held_out_successor_is_not_revealed(repository, tmp_path):
    """The old name was trained, the new one is held out whole: only that it is gone."""
    repository.commit({"numbers.py": NUMBERS, "README.md": "# It\n"})
    standard = Standard(repository.git, tmp_path / "state", **{"split.generalise": 0.5})
    standard.build()
    hidden = Split.of(standard.settings).is_held_out
    assert not hidden("numbers.py::double") and not hidden("numbers.py")
    names = (f"double_{n}" for n in range(99))
    new = next(name for name in names if hidden(f"numbers.py::{name}"))
    repository.commit({"numbers.py": NUMBERS.replace("double", new)})
    standard.build()
    row = standard.table("history").get("numbers.py::double")
    places = standard.table("dataset").get("history//numbers.py::double")
    trained = [s for sub, s in row.items() if places[sub].get("split") == "train"]
    assert trained and all(new not in sample["answer"] for sample in trained)
    assert all(
        "double` in" in s["answer"] or "`double`" in s["answer"] for s in trained
    )
    assert_clean(standard, tmp_path / "clean")
    standard.close()
