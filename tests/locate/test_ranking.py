"""Each thing that speaks for a file moves it up."""

import pytest

from repobuild.code.changes.commits import newest_first
from repobuild.locate.lexicon import Lexicon
from repobuild.locate.ranked_files import RankedProject
from repobuild.locate.ranking import FILE_WEIGHTS, FUNCTION_WEIGHTS, locate
from repobuild.locate.touches import PastCommits, subject_of
from repobuild.locate.words import terms_of
from tests.fakes import MemoryTable
from tests.locate.test_lexicon import Built

BODY = "def run(value):\n    return value\n"
FILES = {f"pkg/{name}.py": BODY for name in ("ant", "bee", "cat", "dog")} | {
    "pkg/__init__.py": "",
    "pkg/door.py": "class Door:\n    def open_wide(self):\n        '''Let in.'''\n",
    "pkg/user.py": "from pkg.base import lock\n\n\ndef door_key():\n    lock('door')\n",
    "pkg/base.py": "def lock(what):\n    pass\n",
    "tests/test_door.py": "def test_door():\n    open_wide('door')\n",
}


def project(files, *history):
    """Return a project with a history, the newest first: (subject, paths)."""
    return RankedProject(Lexicon(Built(files).view.own), touched(*history))


def first(text, history=(), files=FILES):
    found = locate(project(files, *history), text)
    return found.files[0].id


def touched(*commits):
    """Return a history, the newest first: (subject, paths)."""
    rows = {}
    for age, (subject, paths) in enumerate(commits):
        before = f"c{age + 1}" if age + 1 < len(commits) else ""
        terms = dict(terms_of(subject))
        rows[f"c{age}"] = {"before": before, "terms": terms, "paths": list(paths)}
    return PastCommits.of(MemoryTable(rows))


def test_words_find_the_file():
    assert first("Opening the doors wide lets nothing in") == "pkg/door.py"


@pytest.mark.parametrize(
    "text",
    [
        "It fails, see pkg/cat.py",
        'It fails\n  File "/x/site-packages/pkg/cat.py", line 2, in run\nValueError',
        "https://github.com/me/it/blob/main/pkg/cat.py#L2",
    ],
)
def test_a_path_and_a_traceback_find_the_file(text):
    assert first(text) == "pkg/cat.py"


def test_the_innermost_call_of_a_traceback_counts_most():
    frames = (("bee", "run"), ("ant", "run"))
    text = "It fails\n" + "\n".join(
        f'  File "/x/pkg/{name}.py", line 2, in {call}' for name, call in frames
    )
    found = locate(project(FILES), text)
    assert [one.id for one in found.files[:2]] == ["pkg/ant.py", "pkg/bee.py"]
    assert found.functions[0].id == "pkg/ant.py::run"


def test_a_named_definition_finds_its_file_and_itself():
    found = locate(project(FILES), "`open_wide` is odd")
    assert found.files[0].id == "pkg/door.py"
    assert found.functions[0].id == "pkg/door.py::Door.open_wide"


def test_what_was_touched_last_comes_first_among_equals():
    history = [("other", ["README"]), ("a change", ["pkg/dog.py"])]
    assert first("run the value", history) == "pkg/dog.py"


def test_a_past_subject_like_the_text_speaks_for_its_files():
    history = [
        ("a change", ["pkg/ant.py", "pkg/cat.py", "pkg/dog.py", "pkg/bee.py"]),
        ("Fix overflow of the gauge", ["pkg/bee.py"]),
    ]
    assert first("Overflow of the gauge when run", history) == "pkg/bee.py"


def test_a_bulk_commit_says_nothing():
    files = FILES | {f"pkg/n{n}.py": BODY for n in range(40)}
    history = [("Overflow", [p for p in files if p != "pkg/bee.py"])]
    history += [("Overflow", ["pkg/bee.py"])]
    assert first("Overflow when run", history, files) == "pkg/bee.py"


def test_tests_are_left_out_unless_they_are_named():
    paths = [one.id for one in locate(project(FILES), "door").files]
    assert "tests/test_door.py" not in paths
    named = locate(project(FILES), "door, see tests/test_door.py")
    assert "tests/test_door.py" in [one.id for one in named.files]


def test_a_text_without_words_and_a_project_without_code_are_no_error():
    assert locate(project({}), "door").files == []
    assert len(locate(project(FILES), "!?").files) > 0


def test_equal_scores_are_in_the_order_of_their_paths():
    paths = [one.id for one in locate(project(FILES), "???").files]
    plain = [path for path in paths if path != "pkg/__init__.py"]
    assert plain == sorted(plain)


def test_what_is_kept_between_questions_changes_no_answer():
    history = [("Open the door", ["pkg/door.py"]), ("other", ["tests/test_door.py"])]
    texts = ["door", "door, see tests/test_door.py", "`lock` fails in pkg/base.py", "?"]
    kept = project(FILES, *history)
    asked = [locate(kept, text) for text in (*texts, *reversed(texts))]
    fresh = [locate(project(FILES, *history), text) for text in texts]
    assert asked == [*fresh, *reversed(fresh)]


def test_no_more_than_was_asked_for():
    found = locate(project(FILES), "run door lock", 2)
    assert (len(found.files), len(found.functions)) == (2, 2)


def test_what_was_tuned_is_little():
    assert len(FILE_WEIGHTS) + len(FUNCTION_WEIGHTS) <= 17


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("Fix it\n\nat length", "Fix it"),
        ("Merge pull request #1 from me/fix-it\n\nDoors close\nnow", "Doors close"),
        ("Merge branch 'fix'", "Merge branch 'fix'"),
        ("", ""),
    ],
)
def test_a_merge_says_what_it_brings_in_its_second_line(message, subject):
    assert subject_of(message) == subject


def test_history_begins_with_the_commit_that_none_follows():
    rows = {"c0": {"before": "c1"}, "c1": {"before": "c2"}, "c2": {"before": ""}}
    assert newest_first(rows) == ["c0", "c1", "c2"]
    past = touched(("key", []), ("door", []), ("lock door", []))
    assert [list(row["terms"]) for row in past.rows][:2] == [["key"], ["door"]]
    assert past.often["door"] == 2
