"""A question is read as the kind whose phrasings have its words."""

from __future__ import annotations

from itertools import chain

import pytest

from repobuild.evaluate.lookup.asked import Asked
from repobuild.evaluate.lookup.question_reader import (
    FULL,
    AskedAbout,
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
        ("Who calls the function `f`?", "callers"),
        ("Is the `A` class tested", "tests"),
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
            asked = text.replace("{made}", load_phrases(language).words["made"])
            assert reader.score(Phrasing.of(asked), kind) == FULL


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


@pytest.mark.parametrize(
    ("question", "subject", "kind"),
    [
        ("What is `A`?", AskedAbout.ELEMENT, "explain"),
        ("What is `a/b.py`?", AskedAbout.FILE, "module"),
        ("What is this project?", AskedAbout.PROJECT, "tagline"),
    ],
)
def test_a_kind_is_about_elements_files_or_the_project(
    question: str, subject: AskedAbout, kind: str
) -> None:
    reader = QuestionReader.of("en")
    assert reader.score(Phrasing.of(question), kind) == FULL
    assert reader.subjects[kind] == {subject}


@pytest.mark.parametrize("language", READ)
def test_what_is_only_read_holds_no_held_out_phrasing(language: str) -> None:
    """The held-out ones measure how well questions are read."""
    kinds = load_phrases(language).kinds
    held_out = {kind.held_out for kind in kinds.values()}
    asked = Asked.of(language)
    assert held_out.isdisjoint(chain(*asked.phrasings.values()))
    assert kinds.keys() >= asked.phrasings.keys()


@pytest.mark.parametrize("language", READ)
def test_what_is_said_of_nothing_found_names_what_was_asked(language: str) -> None:
    asked, fields = Asked.of(language), {"name": "f", "path": "a.py", "project": "p"}
    for text in (*asked.none.values(), asked.missing, asked.unknown):
        filled = text.format_map(fields)
        assert "`f`" in filled or "`a.py`" in filled
    assert "x" in asked.nearest.format(items="x")
