"""Facts are read back out of questions, and never asked in a held-out phrasing."""

import random
from collections.abc import Mapping

import pytest

from repobuild.model.bundled.corpus_facts import facts_of
from repobuild.model.bundled.grounded import FactIndex, grounded_conversations
from repobuild.model.bundled.question_facts import QuestionFact
from repobuild.model.bundled.question_texts import (
    RepositoryFacts,
    conversations,
    held_out_phrasings,
)
from repobuild.samples.text.paraphrases import fields_of, phrasings
from tests.repository import Repository

BASE = '"""Bases."""\n\n\nclass Base:\n    """Do nothing."""\n'
CODE = '''"""Keep jobs."""

from pkg.base import Base


class Queue(Base):
    """A queue that forgets what it was given."""

    def put(self, item: str, last: bool = False) -> None:
        """Add an item to the end of the queue."""
        check(item)


def check(item: str) -> bool:
    """Return whether an item may be put into a queue."""
    return bool(item)
'''


def test_the_fields_of_a_question_are_read_back() -> None:
    template = "Where is `{name}` of {project}, and is `{name}` a {kind}?"
    fields = {"name": "a.b", "project": "x y", "kind": "class"}
    assert fields_of(template.format_map(fields), template) == fields
    assert fields_of("Where is `a` of x, and is `b` a class?", template) is None


@pytest.fixture
def facts(repository: Repository) -> RepositoryFacts:
    repository.commit({"pkg/base.py": BASE, "pkg/queues.py": CODE})
    found = facts_of(repository.path)
    return RepositoryFacts("pkg", "pkg", tuple(found))


def test_facts_are_those_of_the_repository_in_both_languages(
    facts: RepositoryFacts,
) -> None:
    places = {f.answer for f in facts.facts if f.kind == "location"}
    assert "`Queue` is defined in `pkg/queues.py`." in places
    assert "`Queue` 位于 `pkg/queues.py`。" in places
    assert {"bases", "signature", "members", "explain"} <= {
        fact.kind for fact in facts.facts
    }


def test_what_is_trained_is_asked_in_no_held_out_phrasing(
    facts: RepositoryFacts,
) -> None:
    for language in ("en", "zh"):
        trained, held_out = phrasings(language), held_out_phrasings(language)
        assert not [
            kind for kind in trained if set(trained[kind]) & set(held_out[kind])
        ]
    index = FactIndex.of(facts)
    for seed in range(30):
        rng = random.Random(seed)
        asked = [
            *conversations(facts, 500, rng),
            *grounded_conversations(index, 500, rng),
        ]
        for one in asked:
            question = one.question.rpartition("\n\n")[2]
            assert is_any_of(question, phrasings("en"), phrasings("zh"))


def is_any_of(question: str, *pools: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a question, or its end below code, is of one of the templates."""
    templates = (text for pool in pools for texts in pool.values() for text in texts)
    return any(
        fields_of(question, text.rpartition("\n\n")[2]) is not None
        for text in templates
    )


def test_every_phrasing_of_a_kind_is_used() -> None:
    fields = {"name": "Queue", "kind": "class"}
    task, element = "code_location", "pkg/queues.py::Queue"
    place = QuestionFact("location", task, "en", element, fields, "`pkg/queues.py`")
    only = RepositoryFacts("pkg", "pkg", (place,))
    asked = {
        one.question
        for seed in range(1_000)
        for one in conversations(only, 1, random.Random(seed))
    }
    for template in phrasings("en")["location"]:
        assert template.format_map({**fields, "project": "pkg"}) in asked
