"""Features are short phrases, each with its source; one change lifts one."""

from __future__ import annotations

import pytest

from repobuild.code.facts.parse import facts_of
from repobuild.code.features.features import features
from repobuild.code.features.phrase import MOST_WORDS, of_name, of_sentence
from tests.repository import Repository
from tests.standard import Standard


@pytest.mark.parametrize(
    ("name", "owner", "phrase"),
    [
        ("get_user_name", "", "return user name"),
        ("isValid", "", "check valid"),
        ("to_json", "tree", "convert tree to json"),
        ("from_bytes", "tree", "build tree from bytes"),
        ("on_key_press", "", "respond to key press"),
        ("test_it_works", "", "test it works"),
        ("parse", "option parser", "parse option parser"),
        ("handle_request", "", "respond to request"),
        ("load_cfg", "", "load configuration"),
    ],
)
def test_a_name_says_what_a_function_does(name, owner, phrase):
    assert of_name(name, owner) == (phrase, True)


@pytest.mark.parametrize(
    ("text", "phrase", "has_verb"),
    [
        ("Returns the name of the user, if it is known.", "return name of user", True),
        ("Computing sums.", "compute sums", True),
        ("Check whether a path is absolute.", "check path is absolute", True),
        ("The connection to a `Server`.", "describe connection to server", False),
        (":param x: nothing", "describe param x", False),
        ("", "", False),
        (">>> f()", "", False),
    ],
)
def test_a_docstring_gives_its_first_clause(text, phrase, has_verb):
    found = of_sentence(text)
    assert found == (phrase, has_verb) or (not phrase and not found[0])


SOURCE = '''
"""Keep sessions of users."""

class SessionError(Exception):
    pass

class SessionStore:
    def load(self, key): return self.backend.read_key(key)
    def save(self, key): ...
    @property
    def size(self): ...
    def __len__(self): ...

@app.route("/login")
def login(): ...

@pytest.fixture
def user(): ...

def total(values) -> int:
    """Sum all values; later ones count twice."""
'''


def lifted(source: str = SOURCE) -> dict:
    return features(facts_of(source.encode(), "python"), None)


def test_every_element_and_file_has_a_feature_with_source_and_confidence():
    row = lifted()
    assert row[""][0] == ["keep sessions of users", "docstring", 0.9]
    for found in row.values():
        assert 1 <= len(found) <= 3
        for phrase, source, confidence in found:
            assert 1 <= len(phrase.split()) <= MOST_WORDS
            assert phrase == phrase.lower()
            assert source in ("docstring", "name", "body")
            assert 0 < confidence < 1
        assert [one[2] for one in found] == sorted([f[2] for f in found], reverse=True)


def test_evidence_comes_from_roles_decorators_and_methods():
    row = {sub: [one[0] for one in found] for sub, found in lifted().items()}
    assert row["::SessionError"][0] == "signal session error"
    assert row["::SessionStore.__len__"] == ["count items of session store"]
    assert row["::SessionStore.size"] == ["expose size"]
    assert "load and save session store" in row["::SessionStore"]
    assert row["::login"][0] == "serve /login"
    assert row["::user"][0] == "provide fixture user"
    assert row["::total"][0] == "sum all values"


def test_no_text_of_the_source_and_no_line_is_in_a_row():
    moved = "\n\n\n" + SOURCE.replace("self.backend.read_key(key)", "1  # a secret")
    assert lifted(moved) == lifted()


def test_a_commit_that_changes_one_function_lifts_that_function_only(
    repository: Repository, tmp_path
):
    repository.commit({"a.py": SOURCE, "b.py": "def read_all(): ...\n"})
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("features")
    repository.commit({"a.py": SOURCE.replace("Sum all values", "Add all values up")})
    standard.build("features")
    assert standard.events()["features"]["entries"] == ["a.py::total"]
    repository.commit({"a.py": "# a comment\n" + SOURCE.replace("Sum all", "Add all")})
    repository.commit({"c.py": SOURCE, "a.py": None})
    standard.build("features")
    assert standard.events()["features"]["built"] == []  # found in the memo
    standard.close()
