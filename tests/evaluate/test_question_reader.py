"""A question is read as the kind whose phrasings have its words."""

from __future__ import annotations

import pytest

from repobuild.evaluate.question_reader import (
    FULL,
    Phrasing,
    QuestionReader,
    without_names,
)
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.text.paraphrases import phrasings

# Of the first held-out phrasings of all kinds; by edit distance it was 57 and 43 %.
READ = {"en": 0.8, "zh": 0.35}


def first_kinds(question: str, language: str) -> set[str]:
    reader, asked = QuestionReader.of(language), Phrasing.of(question)
    scores = {kind: reader.score(asked, kind) for kind in reader.kinds}
    return {kind for kind, score in scores.items() if score == max(scores.values())}


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who calls `f`?", "callers"),
        ("Which arguments does `f` take?", "signature"),
        ("Which classes inherit from `A`?", "subclasses"),
        ("What does `A` inherit from?", "bases"),
        ("谁调用了 `f`？", "callers"),
    ],
)
def test_a_known_question_is_read_as_its_kind(question: str, kind: str) -> None:
    assert kind in first_kinds(question, "zh" if "谁" in question else "en")


@pytest.mark.parametrize("language", READ)
def test_a_phrasing_word_for_word_has_the_full_score(language: str) -> None:
    reader = QuestionReader.of(language)
    for kind, texts in phrasings(language).items():
        for text in texts:
            assert reader.score(Phrasing.of(text), kind) == FULL


@pytest.mark.parametrize("language", READ)
def test_most_phrasings_that_were_never_seen_are_read(language: str) -> None:
    """Kinds that share their held-out phrasing count together."""
    held_out = {
        name: kind.held_out for name, kind in load_phrases(language).kinds.items()
    }
    read = [
        bool({k for k in first_kinds(text, language) if held_out[k] == text})
        for text in held_out.values()
    ]
    assert sum(read) / len(read) >= READ[language]


def test_names_are_no_words_of_a_question() -> None:
    asked = 'In seal, is `f` what "a b c" says of make_it, ab.c, go() and HelpText?'
    assert without_names(asked, "seal") == "in , is what says of , , and ?"
