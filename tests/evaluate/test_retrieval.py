"""The facts that `ask --ground` puts before a question, found by what it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from repobuild.checkout import open_checkout
from repobuild.cli.main import run
from repobuild.engine.storage.table import StoredTable
from repobuild.evaluate.lookup.retrieval import (
    MOST_BYTES,
    MOST_FACTS,
    FactFinder,
    FoundFact,
)
from tests.repository import Repository

TOKEN = "ghp_" + "a1B2" * 9
CORE = '''"""Signs things."""


class SignError(Exception):
    """Raised when a signature does not match."""


class LateError(SignError):
    """Raised when a signature is too old."""


def want_bytes(text: str, encoding: str = "utf-8") -> bytes:
    """Encode a text unless it is encoded already."""
    return text.encode(encoding)


def sign(text: str) -> bytes:
    """Return a text with its signature."""
    return want_bytes(text) + b"."


def unsign(text: str) -> bytes:
    """Return a text without its signature."""
    if "." not in text:
        raise SignError(text)
    return want_bytes(text)
'''
GUIDE = """# Guide

## Key rotation

Old keys are kept at the front of the list, and new ones are added to its end.
"""
HIDDEN = f'''KEY = "{TOKEN}"


def show_key(key: str = "{TOKEN}") -> str:
    """Show {TOKEN}."""
    return key
'''
GONE = '''def gone_soon() -> int:
    """Count what goes."""
    return 1
'''
FILES: dict[str, str | bytes | None] = {
    "pyproject.toml": '[project]\nname = "seal"\n',
    "README.md": "# seal\n\nSeal signs data and checks it later.\n",
    "seal/__init__.py": "from seal.core import sign\n",
    "seal/core.py": f"{CORE}\n\n{GONE}",
    "seal/hidden.py": HIDDEN,
    "docs/guide.md": GUIDE,
    "seal/tool.py": "def install(key: str) -> str:\n    return key\n",
    "seal/late.py": "def much_too_late() -> int:\n    return 1\n",
    # A word is taken for `SignError` rather than for what a test has.
    "tests/test_core.py": "def sign_error() -> int:\n    return 1\n",
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Repository(tmp_path_factory.mktemp("seal"))
    repository.commit(FILES)
    repository.commit({"seal/core.py": CORE, "seal/late.py": None})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(repository.path)
        assert run(["-c", "split.generalise=0", "--quiet", "--until", "dataset"]) == 0
    return repository.path


@pytest.fixture
def finder(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> FactFinder:
    monkeypatch.chdir(sealed)
    checkout = open_checkout()
    return FactFinder(checkout.view(checkout.snapshot(), checkout.state()))


@pytest.fixture
def find(finder: FactFinder) -> Callable[[str], list[str]]:
    return lambda question: [fact.line for fact in finder.find(question)]


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("Who calls want_bytes?", "`want_bytes` is called by `sign`, `unsign`."),
        ("who uses `want_bytes`?", "`want_bytes` is called by `sign`, `unsign`."),
        ("Which classes inherit from SignError?", "inherit directly from `SignError`"),
        ("Who calls `seal/core.py::want_bytes`?", "`want_bytes` is called by `sign`"),
        ("Where is unsign?", "`unsign` is defined in `seal/core.py`."),
        ("`unsign` 在哪个文件里？", "`unsign` 位于 `seal/core.py`。"),
        ("What does `seal/core.py` define?", "`seal/core.py` defines "),
        ("Which part is it: \"Raised when a signature is too old.\"", "`LateError`"),
        ("Where can I read about \"Key rotation\"?", "`docs/guide.md`"),
        ("What is seal?", "Seal signs data and checks it later."),
        ("What happened to `gone_soon`?", "`gone_soon` is not in `seal/core.py` any"),
        ("What happened to `seal/late.py`?", "`seal/late.py` is not"),
        # No sample tells it: signatures are asked of half of all elements.
        ("What do I have to pass to want_bytes?", "The signature of `want_bytes`"),
        # Names in plain words: a question without them is a known one.
        ("Where is sign defined?", "`sign` is defined in `seal/core.py`."),
        ("Who calls the want bytes function?", "`want_bytes` is called by"),
        ("What is a sign error?", "`SignError` is a class of seal"),
        ("What is this project for?", "Seal signs data and checks it later."),
        # A word that nothing is named after, in a question that is a known one.
        ("Where is shout defined?", "There is no function, class or file `shout`"),
        ("谁调用了 shout？", "里没有名为 `shout` 的"),
        # A Chinese question is written without spaces, and answered in its language.
        ("want_bytes在哪个文件里？", "`want_bytes` 位于 `seal/core.py`。"),
        ("谁调用了 much_longer_than_chinese_is 和 want_bytes？", "测试之外"),
        # Nothing says what the module and its function are for.
        ("What does install do?", "`install` is a function in `seal/tool.py`."),
        ("install 有什么用？", "`install` 是 `seal/tool.py` 中的一个函数。"),
        ("Explain tool.py to me.", "`seal/tool.py` defines `install`."),
        # A word that may be a name gives way to what the question is like.
        ("How do I install seal?", "In a checkout of seal, run `pip install .`."),
    ],
)  # fmt: skip
def test_a_fact_about_what_is_named_comes_first(
    find: Callable[[str], list[str]], question: str, fact: str
) -> None:
    assert fact in find(question)[0]


@pytest.mark.parametrize("question", ["Where is the configuration?", "What is json?"])
def test_a_thing_or_a_library_is_not_said_to_be_missing(
    finder: FactFinder, question: str
) -> None:
    assert finder.mark_names(question) == question
    assert all(fact.found for fact in finder.find(question))


def test_a_question_knows_whether_its_first_fact_answers_it(
    finder: FactFinder,
) -> None:
    assert finder.ground("Who calls want_bytes?").answered
    assert not finder.ground("Is want_bytes thread-safe?").answered
    assert not finder.ground("Tell me a joke.").answered


def test_a_fact_of_another_kind_is_no_answer(finder: FactFinder) -> None:
    """`LateError` has a base, and nobody inherits from it."""
    (base,) = answers(finder, "What does the class `LateError` inherit from?") or ()
    assert base.text == "`LateError` inherits from `SignError`."
    question = "Which methods does the class `LateError` have?"
    (unknown,) = answers(finder, question) or ()
    assert not unknown.found
    assert answers(finder, "What is `SignError`?") and answers(finder, "What is seal?")
    assert answers(finder, "What is seal for?")
    assert answers(finder, "Tell me a joke about `LateError`.") is None


def answers(finder: FactFinder, question: str) -> list[FoundFact] | None:
    return finder.answers(question, finder.find(question))


def test_facts_are_few_short_and_distinct(finder: FactFinder) -> None:
    facts = finder.find("How do `want_bytes`, `sign`, `unsign` and `SignError` work?")
    texts = [fact.line for fact in facts]
    assert 2 <= len(set(texts)) == len(texts) <= MOST_FACTS
    assert sum(len(text.encode()) for text in texts) <= MOST_BYTES
    named = ("want_bytes", "sign", "unsign", "SignError")
    assert all(any(f"`{name}`" in text for text in texts) for name in named)


def test_a_fact_has_the_key_of_a_kept_sample_that_is_trained(
    sealed: Path, finder: FactFinder
) -> None:
    """A held-out phrasing is what a report asks: it may not find its own answer."""
    checkout = open_checkout()
    dataset = checkout.view(checkout.snapshot(), checkout.state()).table("dataset")
    assert isinstance(dataset, StoredTable)
    for fact in finder.find("Who calls want_bytes?"):
        found = dataset.find(fact.id)
        assert found is not None
        assert (dataset.get(found[0]) or {})[found[1]]["split"] == "train"


def test_what_was_dropped_for_a_secret_is_not_given(
    find: Callable[[str], list[str]],
) -> None:
    assert not any(TOKEN in text for text in find("What does `show_key` do?"))
    assert not any(TOKEN in text for text in find("What does `seal/hidden.py` define?"))


@pytest.mark.parametrize(("name", "made"), [("want_bytes", True), ("show_key", False)])
def test_no_fact_is_made_where_a_sample_was_dropped_for_a_secret(
    finder: FactFinder, name: str, made: bool
) -> None:
    """A fact that no sample tells has the id of its element."""
    facts = finder.find(f"What do I have to pass to `{name}`?")
    assert any("#" not in fact.id for fact in facts) == made
    assert not any(TOKEN in fact.text for fact in facts)


@pytest.mark.parametrize("question", ["Tell me a joke.", "How do I sign a contract?"])
def test_what_names_nothing_finds_nothing(
    find: Callable[[str], list[str]], question: str
) -> None:
    assert find(question) == []


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (
            "Where is `no_such`?",
            "There is no function, class or file `no_such`",
        ),
        ("Is there a LateSigner?", "no function, class or file `LateSigner` in seal."),
        ("NoSigner 在哪里？", "seal 里没有名为 `NoSigner` 的函数、类或文件。"),
        ("Which classes inherit from LateError?", "that inherits from `LateError`."),
        ("Which tests cover sign?", "No test was found that uses `sign` directly."),
        (
            "What changed last in sign?",
            "That is not known of `sign`, which is in",
        ),
    ],
)
def test_what_is_not_there_is_a_fact_that_answers(
    finder: FactFinder, question: str, text: str
) -> None:
    first = finder.find(question)[0]
    assert text in first.text and not first.found
    assert finder.ground(question).answered


@pytest.mark.parametrize(
    "name", ["os.path", "pathlib", "MAX_SIZE", "tox.ini", "a/b.txt"]
)
def test_what_others_may_have_is_not_said_to_be_missing(
    find: Callable[[str], list[str]], name: str
) -> None:
    assert find(f"What does `{name}` do?") == []


def test_what_was_dropped_for_a_secret_is_not_said_to_be_missing(
    find: Callable[[str], list[str]],
) -> None:
    assert not any(
        "No test was" in text for text in find("Which tests cover show_key?")
    )


def test_a_question_without_an_answer_is_told_what_is_nearest(
    finder: FactFinder,
) -> None:
    """Of what is located, that which shares a third of its rare words, and no other."""
    names = ("LateError", "SignError", "sign", "want_bytes", "unsign")
    located = [f"seal/core.py::{name}" for name in names]
    (said,) = finder.nearest("What happens if the signature is old?", located)
    assert said.text.startswith(
        "It is not known what answers this. By its words it is about "
        "`LateError` (in `seal/core.py`), `SignError` (in `seal/core.py`), "
        "`sign` (in `seal/core.py`).\n\n`LateError` is a class of seal"
    )
    assert "Raised when a signature is too old." in said.text
    assert finder.nearest("Tell me a joke.", located) == ()


def test_no_table_is_gone_through(
    finder: FactFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large repository a question looks at as little as of a small one."""
    listed: list[str] = []

    def refuse(self: StoredTable) -> None:
        raise AssertionError(f"went through {self.rule.name}")

    def list_keys(self: StoredTable) -> Iterator[str]:
        listed.append(self.rule.name)
        return keys(self)

    keys = StoredTable.keys
    monkeypatch.setattr(StoredTable, "keys", list_keys)
    for name in ("items", "entries", "raw_items"):
        monkeypatch.setattr(StoredTable, name, refuse)
    assert finder.find("Who calls want_bytes?") and finder.find("What is seal?")
    assert finder.find("What happened to `gone_soon` and `sign`?")
    assert listed == ["history"]  # once: what is gone has no index
