"""Questions whose answer is another one now: about what changed, and never trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.samples.changes import old_answers
from tests.promises.test_history import DOUBLE, NUMBERS, WORDS, without
from tests.promises.test_incremental_equals_clean import assert_equal
from tests.repository import Repository
from tests.standard import Standard

OPEN = {"split.generalise": 0.0, "samples.languages": ["en"]}
WHERE = "Where can I find the source code of `{}`?"


@pytest.fixture
def built(repository: Repository, tmp_path: Path):
    repository.commit({"numbers.py": NUMBERS, "words.py": WORDS, "README.md": "# It\n"})
    standard = Standard(repository.git, tmp_path / "state", **OPEN)
    standard.build("old_answers")
    yield standard
    standard.close()


def rows(standard: Standard) -> dict[str, dict]:
    return dict(standard.table("old_answers").items())


def step(built: Standard, repository: Repository, **files: str | None) -> dict:
    repository.commit({f"{name}.py": text for name, text in files.items()})
    built.build("old_answers")
    return rows(built)


def test_a_moved_element_is_asked_for_with_both_locations(built, repository):
    moved = {"numbers": without(NUMBERS, DOUBLE), "words": f"{WORDS}\n\n{DOUBLE}\n"}
    row = step(built, repository, **moved)["numbers.py::double"]
    assert (row["kind"], row["gone"]) == ("moved", False)
    assert row["question"] == WHERE.format("double")
    assert row["expected"] == "`double` is defined in `words.py`."
    assert row["old"] == "`double` is defined in `numbers.py`."
    assert row["element"] == "words.py::double"


def test_a_removed_element_is_asked_for_by_its_old_name(built, repository):
    row = step(built, repository, numbers=without(NUMBERS, DOUBLE))
    row = row["numbers.py::double"]
    assert (row["kind"], row["gone"]) == ("removed", True)
    assert row["question"] == WHERE.format("double")
    assert "is not in `numbers.py` any more" in row["expected"]


def test_an_element_renamed_in_its_file_is_asked_for_by_its_description(
    built, repository
):
    found = step(built, repository, numbers=NUMBERS.replace("double", "twice"))
    row = found["numbers.py::double"]
    assert (row["kind"], row["gone"]) == ("moved", False)
    assert '"Return twice the number that is given."' in row["question"]
    assert row["expected"] == "That is the function `twice` in `numbers.py`."
    assert row["old"] == "That is the function `double` in `numbers.py`."


def test_what_moved_to_another_class_and_file_is_asked_for_as_it_was(built, repository):
    head, _, step_ = NUMBERS.partition("    def step")
    moved = {
        "numbers": f"{head}    pass\n",
        "words": f"{WORDS}\n\nclass Pair:\n    def step{step_}",
    }
    row = step(built, repository, **moved)["numbers.py::Counter.step"]
    assert (row["kind"], row["gone"]) == ("moved", True)
    assert row["question"] == WHERE.format("Counter.step")
    assert "it is `Pair.step` in `words.py` now" in row["expected"]


def test_a_name_that_means_something_else_now_is_not_asked_for(built, repository):
    other = f"{WORDS}\n\nclass Pair:\n    def double(self):\n        return 2\n"
    found = step(built, repository, numbers=without(NUMBERS, DOUBLE), words=other)
    assert "numbers.py::double" not in found


def test_a_changed_signature_is_asked_for_with_both(built, repository):
    found = step(built, repository, numbers=NUMBERS.replace("by: int = 1", "by: int"))
    row = found["numbers.py::Counter.step"]
    assert row["kind"] == "changed"
    assert row["question"] == "What do I have to pass to `Counter.step`?"
    assert "def step(self, by: int) -> int" in row["expected"]
    assert "def step(self, by: int = 1) -> int" in row["old"]


def test_another_body_is_no_other_answer(built, repository):
    found = step(built, repository, numbers=NUMBERS.replace("+= by", "+= by + 0"))
    assert found == {}


def test_a_renamed_file_is_asked_about_by_its_elements(built, repository):
    found = step(built, repository, numbers=None, figures=NUMBERS)
    assert 0 < len(found) <= old_answers.OF_A_FILE
    row = found["numbers.py::double"]
    assert "`figures.py`" in row["expected"] and "`numbers.py`" in row["old"]


def test_a_reverted_change_is_not_asked_for(built, repository):
    assert step(built, repository, numbers=without(NUMBERS, DOUBLE))
    assert step(built, repository, numbers=NUMBERS) == {}


def test_a_held_out_element_is_not_asked_for(repository, tmp_path):
    repository.commit({"numbers.py": NUMBERS, "README.md": "# It\n"})
    hidden = Standard(repository.git, tmp_path / "all", **{"split.generalise": 1.0})
    repository.commit({"numbers.py": without(NUMBERS, DOUBLE)})
    hidden.build("old_answers")
    assert rows(hidden) == {}
    hidden.close()


def test_a_clean_build_yields_the_same_questions(built, repository, tmp_path):
    texts = (
        without(NUMBERS, DOUBLE),
        NUMBERS.replace("by: int = 1", "by: int"),
        NUMBERS.replace("double", "twice"),
    )
    for n, text in enumerate(texts):
        repository.commit({"numbers.py": text, f"n{n}.py": WORDS})
        built.build("old_answers")
        clean = Standard(repository.git, tmp_path / f"clean{n}", **OPEN)
        clean.build("old_answers")
        assert_equal(built, clean, "old_answers")
        clean.close()
    assert rows(built)


def test_no_question_is_ever_trained(built, repository):
    step(built, repository, numbers=NUMBERS.replace("by: int = 1", "by: int"))
    found = step(built, repository, numbers=without(NUMBERS, DOUBLE))
    built.build("dataset")
    asked = {row["question"] for row in found.values()}
    samples = {**dict(built.table("samples").items())}
    samples |= {f"history//{k}": v for k, v in built.table("history").items()}
    trained = {
        samples[key][sub]["question"]
        for key, row in built.table("dataset").items()
        for sub, said in row.items()
        if said.get("split") == "train"
    }
    assert asked and trained and not asked & trained


def test_a_commit_that_changes_no_answer_writes_no_row(built, repository):
    before = step(built, repository, numbers=without(NUMBERS, DOUBLE))
    repository.commit({"words.py": WORDS.replace("shout", "cry")})
    assert built.build("old_answers")["old_answers"].built == ["words.py::shout"]
    repository.commit({"words.py": WORDS.replace("shout", "cry") + "\n# said\n"})
    assert built.build("old_answers")["old_answers"].built == []
    assert before.items() < rows(built).items()
