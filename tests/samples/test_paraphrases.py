"""Each kind is asked in many words, and none of them gives two kinds away as one."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from functools import cache
from typing import Any

import pytest

from repobuild.resources import data_folder
from repobuild.samples.tasks.phrases import NUMBERS, kinds_by_number, load_phrases
from repobuild.samples.text.paraphrases import paraphrases as in_other_words

FOLDER = data_folder("configs")
LANGUAGES = sorted(path.stem for path in (FOLDER / "paraphrases").glob("*.toml"))
FEWEST = 30
FIELD = re.compile(r"\{(\w+)\}")
ENDING = re.compile(r"(\w{3,}?)(?:s|es|e|d|ed|r|er|ing)*")
# Words that say nothing of what is asked.
SMALL = frozenset(
    """
    a about all an and any are as at be been by can could did do does down down for from
    had has have here how i if in into is it its m may me might must my no not of on one
    or our out over please s should so some t than that the their them there these they
    this those to up us was we were what when where which who whom whose why will with
    would you your
    """.split()
)

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


@cache
def tables(folder: str, language: str) -> dict[str, dict[str, Any]]:
    """Return the kinds of a file: its tables that have `questions`."""
    body = tomllib.loads((FOLDER / folder / f"{language}.toml").read_text("utf-8"))
    named = {name: table for name, table in body.items() if isinstance(table, dict)}
    return {name: table for name, table in named.items() if "questions" in table}


def paraphrases(language: str) -> list[tuple[str, str]]:
    found = tables("paraphrases", language).items()
    return [(kind, text) for kind, table in found for text in table["questions"]]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", FIELD.sub(" ", text).lower())


def plain(text: str) -> str:
    """Return a phrasing without its fields, punctuation and capitals."""
    return " ".join(words(text))


def with_fields(text: str) -> str:
    """Return a phrasing without its punctuation and capitals."""
    return " ".join(re.findall(r"\w+", text.lower()))


def content(text: str) -> list[str]:
    """Return the stems of the words that are not small; in Chinese, pairs of signs."""
    found: list[str] = []
    for word in words(text):
        if not word.isascii():
            found += map("".join, zip(word, word[1:], strict=False))
        elif word not in SMALL and (stem := ENDING.fullmatch(word)):
            found.append(stem[1])
    return found


def trained(kind: str, language: str) -> list[str]:
    both = (tables(folder, language)[kind] for folder in ("questions", "paraphrases"))
    return [text for table in both for text in table["questions"]]


def relatives(language: str) -> dict[str, set[str]]:
    """Return, for each kind, those that share a question with it on purpose, as what
    tells their answers apart is not the question: [location] and [absent]."""
    asked_by: dict[str, set[str]] = defaultdict(set)
    for kind, table in tables("questions", language).items():
        for question in table["questions"]:
            asked_by[question].add(kind)
    found: dict[str, set[str]] = defaultdict(set)
    for kinds in asked_by.values():
        for kind in kinds:
            found[kind] |= kinds
    return found


def test_every_kind_is_paraphrased_and_nothing_else_is(language: str) -> None:
    assert (
        tables("paraphrases", language).keys() == tables("questions", language).keys()
    )


def test_every_kind_has_thirty_paraphrases(language: str) -> None:
    found = tables("paraphrases", language).items()
    counts = {kind: len(table["questions"]) for kind, table in found}
    assert {kind: n for kind, n in counts.items() if n < FEWEST} == {}


def test_no_phrasing_is_there_twice_in_a_kind(language: str) -> None:
    twice = []
    for kind in tables("paraphrases", language):
        seen = [plain(text) for text in trained(kind, language)]
        twice += [(kind, text) for text in set(seen) if seen.count(text) > 1]
    assert twice == []


def test_two_kinds_share_a_phrasing_only_if_they_share_questions(language: str) -> None:
    """What a file does is another question than what the project does."""
    asked_by: dict[str, set[str]] = defaultdict(set)
    for kind, text in paraphrases(language):
        asked_by[with_fields(text)].add(kind)
    for kind, table in tables("questions", language).items():
        for text in table["questions"]:
            if with_fields(text) in asked_by:
                asked_by[with_fields(text)].add(kind)
    known = relatives(language)
    shared = {
        text: kinds
        for text, kinds in asked_by.items()
        if any(not kinds <= known[kind] for kind in kinds)
    }
    assert shared == {}


def test_a_paraphrase_has_only_the_fields_of_its_kind(language: str) -> None:
    strange = []
    for kind, text in paraphrases(language):
        questions = tables("questions", language)[kind]["questions"]
        known = {field for question in questions for field in FIELD.findall(question)}
        if not set(FIELD.findall(text)) <= known:
            strange.append((kind, text))
    assert strange == []


def test_a_paraphrase_is_a_template_that_names_something(language: str) -> None:
    """Code to complete names nothing, but then the code is there. Questions about the
    project as a whole may name nothing: in a checkout it is clear which one."""
    tasks = tables("questions", language)
    for kind, text in paraphrases(language):
        if tasks[kind]["task"] != "project_overview":
            assert FIELD.search(text), (kind, text)
        text.format_map(dict.fromkeys(FIELD.findall(text), ""))
        assert text.count("```") in (0, 2) and text.count("`") % 2 == 0, (kind, text)


def test_no_paraphrase_is_held_out(language: str) -> None:
    """Not even in other small words."""
    held_out = {
        (kind, how(text))
        for kind, table in tables("questions", language).items()
        for text in table["held_out"]
        for how in (plain, lambda text: tuple(content(text)))
    }
    never = {text for _, text in held_out if isinstance(text, str)}
    found = [
        (kind, text)
        for kind, text in paraphrases(language)
        if plain(text) in never or (kind, tuple(content(text))) in held_out
    ]
    assert found == []


def test_the_first_held_out_phrasing_has_words_that_are_taught(language: str) -> None:
    """It asks whether a new sentence is read, the second whether new words are."""
    if language == "zh":
        pytest.skip("pairs of signs cut through words, so they are no words to teach")
    strange = {}
    for kind, table in tables("questions", language).items():
        own = set(content(table["held_out"][0]))
        known = {word for text in trained(kind, language) for word in content(text)}
        if own - known:
            strange[kind] = own - known
    assert strange == {}


def test_the_second_held_out_phrasing_has_words_of_its_own(language: str) -> None:
    """In Chinese, where pairs of signs recur in any two sentences, some are enough."""
    known_words = []
    for kind, table in tables("questions", language).items():
        assert len(table["held_out"]) == 2, kind
        own = set(content(table["held_out"][1]))
        known = {word for text in trained(kind, language) for word in content(text)}
        enough = own - known if language == "zh" else own and not own & known
        if not enough:
            known_words.append((kind, own & known))
    assert known_words == []


def test_facts_about_the_project_are_first_asked_without_its_name(
    language: str,
) -> None:
    numbers = {kind.name: pair for pair, kind in kinds_by_number(language).items()}
    for name in ("test_folders", "location"):
        task, place = numbers[name]
        template = load_phrases(language).kinds[name].questions[0]
        question = template.format_map(dict.fromkeys(FIELD.findall(template), "seal"))
        asked = [(place * NUMBERS, question)]
        filled = in_other_words(task, language, asked, str.encode)
        named = ["seal" in text for text in filled]
        assert named == sorted(named)
        assert named[0] == (name == "location")


def test_what_denies_an_old_answer_is_asked_in_the_words_that_taught_it(
    language: str,
) -> None:
    """Samples ask three of the eight questions, of each element others."""
    kinds = load_phrases(language).kinds
    of = {kinds[name]: kinds["location"] for name in ("absent", "former")}
    for kind, denied in of.items():
        fields = dict.fromkeys(FIELD.findall(kind.questions[0]), "seal")
        asked = [(kind.number, kind.questions[0].format_map(fields))]
        filled = in_other_words(kind.task, language, asked, str.encode)
        wanted = {
            question.format_map(fields)
            for question in denied.questions
            if fields.keys() >= set(FIELD.findall(question))
        }
        assert set(filled[: len(wanted)]) == wanted and len(wanted) >= 4
