"""Copies are found in all contexts, and which one stays depends on no order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from repobuild.resources import data_folder
from repobuild.samples.dataset import copies
from repobuild.samples.dataset.dataset import DatasetUpdate, dataset
from repobuild.samples.dataset.quality_filter import question_template
from repobuild.samples.tasks.phrases import read_phrases
from repobuild.samples.text.passages import (
    RUN,
    fingerprints,
    quoted_passages,
    word_runs,
)
from tests.fakes import MemoryView
from tests.samples.test_dataset import LONG, SETTINGS, SPLIT, built, sample

LANGUAGES = sorted((data_folder("configs") / "questions").glob("*.toml"))
BODY = "\n".join(f"    value_{n} = first_{n} + second_{n}" for n in range(12))
NEAR = {"dropped": "near duplicate"}
OVERLAP = {"dropped": "overlaps training"}
TRAINED = {"split": "train", "track": ""}

ids = [f"m{n}.py::f" for n in range(200)]
UNTRAINED = [id for id in ids if SPLIT.is_held_out(id)]
SEEN = [id for id in ids if not SPLIT.is_held_out(id)]


def code(body: str = BODY, name: str = "f") -> str:
    return f"`{name}` is in `m.py`:\n```python\ndef {name}(first):\n{body}\n```"


def quote(key: str, answer: str, **more: Any) -> dict[str, Any]:
    """Return a context with one sample that quotes `answer`."""
    asked = f"Show the code of `{key}`."
    return {"#x.en.1": sample(asked, answer, element=key, sources=[key], **more)}


def decided(rows: dict[str, Any]) -> dict[str, dict[str, str]]:
    found = built(MemoryView(SETTINGS), rows)
    return {key: row["#x.en.1"] for key, row in found.items()}


# ------------------------------------------------------------------- passages


def templates() -> Iterator[tuple[str, str]]:
    """Yield (question, answer) of all question files."""
    for path in LANGUAGES:
        phrases = read_phrases(path)
        for kind in phrases.kinds.values():
            for question in (*kind.questions, kind.held_out):
                yield question, kind.answer
        for text in (*phrases.parts.values(), *phrases.words.values()):
            yield "", text


class Named(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"`{name}`"


def test_the_words_of_the_question_files_are_not_a_passage() -> None:
    for texts in templates():
        question, answer = (
            text.replace("`{", "{").replace("}`", "}").format_map(Named())
            for text in texts
        )
        found = quoted_passages(sample(question, answer))
        assert not found.all, (question, answer)


def test_code_in_fences_and_lines_of_prose_are_passages() -> None:
    prose = "It takes what the caller gives and hands all of it on to the next in line"
    answer = f"`f` is this:\n```\n{BODY}\n```\n{prose}. `g` too."
    assert lengths("Why?", answer) == [36, 17]
    assert lengths(f"What does this do?\n```\n{BODY}\n```", "Nothing.") == [36]
    assert lengths(f'Which method does this: "{prose}"?', "`f`.") == [17]
    assert lengths(prose, "`f`.") == []


def lengths(question: str, answer: str) -> list[int]:
    return [len(found) for found in quoted_passages(sample(question, answer)).all]


def test_a_list_of_names_is_not_a_passage() -> None:
    names = ", ".join(f"`pkg.module_{n}`" for n in range(40))
    assert lengths("Who?", f"`f` is called by {names} and others.") == []


def test_chinese_needs_twice_as_many_characters() -> None:
    assert lengths("Why?", "函" * (2 * RUN - 2)) == []
    assert lengths("Why?", "函" * 2 * RUN) == [2 * RUN]


def test_masked_code_is_quoted_with_the_code_around_it() -> None:
    found = quoted_passages(
        sample("Fill in.", "b", form="fim", prefix="a " * 9, suffix=" c" * 9)
    )
    assert found.all == (("a",) * 9 + ("b",) + ("c",) * 9,)
    assert found.in_answer == ()


text = st.lists(st.sampled_from("abcdefgh"), max_size=40)


@settings(deadline=None)
@given(text, text, text, text, st.lists(st.sampled_from("abcd"), min_size=RUN))
def test_passages_that_share_a_run_share_a_mark(a, b, c, d, shared) -> None:
    one, other = (*a, *shared, *b), (*c, *shared, *d)
    assert word_runs(one) & word_runs(other)
    assert fingerprints(one) & fingerprints(other)


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_no_held_out_phrasing_is_nearly_a_trained_one(path) -> None:
    kinds = read_phrases(path).kinds.values()
    trained = [
        question_template(question) for kind in kinds for question in kind.questions
    ]
    for kind in kinds:
        for other in trained:
            likeness = fuzz.ratio(question_template(kind.held_out), other)
            assert likeness < 100 * SETTINGS["samples.near_duplicate"], kind.name


# -------------------------------------------------------------------- near duplicates


def test_of_two_copies_the_one_with_the_greater_key_is_dropped() -> None:
    one, two = SEEN[:2]
    found = decided({key: quote(key, code(name=key[:2])) for key in (two, one)})
    assert found == {min(one, two): TRAINED, max(one, two): NEAR}


def test_a_word_or_two_make_no_difference_and_a_line_does() -> None:
    one, two = sorted(SEEN[:2])
    for body, expected in (
        (BODY.replace("value_3", "valve_3"), NEAR),
        (BODY.replace("value_3 = first_3 + second_3", "x, y, z = u, v, w"), TRAINED),
    ):
        rows = {one: quote(one, code()), two: quote(two, code(body))}
        assert decided(rows) == {one: TRAINED, two: expected}


def test_a_dropped_copy_still_makes_others_drop() -> None:
    """Otherwise the result would depend on the order in which a chain is walked."""
    keys = sorted(SEEN[:3])
    bodies = [BODY, BODY.replace("value_1 ", "v1 "), ""]
    bodies[2] = bodies[1].replace("value_9 ", "v9 ")
    found = decided({k: quote(k, code(b)) for k, b in zip(keys, bodies, strict=True)})
    assert found == {keys[0]: TRAINED, keys[1]: NEAR, keys[2]: NEAR}


def test_what_many_contexts_begin_with_makes_no_copies() -> None:
    bodies = {key: f"{BODY}\n    return end_{key[1:-6]}" for key in SEEN[:60]}
    many = {key: quote(key, code(bodies[key])) for key in bodies}
    few = {key: many[key] for key in SEEN[: copies.COMMON]}
    assert set(map(str, decided(few).values())) == {str(TRAINED), str(NEAR)}
    assert all(row == TRAINED for row in decided(many).values())


def test_what_many_contexts_hold_word_for_word_is_dropped_in_all() -> None:
    rows = {key: quote(key, code()) for key in SEEN[: copies.COMMON + 1]}
    assert all(row == NEAR for row in decided(rows).values())
    rows.popitem()
    assert sorted(map(str, decided(rows).values())).count(str(TRAINED)) == 1


class Counting(DatasetUpdate):
    decisions = 0

    def decide(self, key: str) -> None:
        Counting.decisions += 1
        super().decide(key)


def test_a_commit_decides_again_none_of_the_many_with_the_same_run() -> None:
    """The cost of a commit must not grow with how often something is repeated."""
    counts = []
    for size in (50, 100):
        view = MemoryView(SETTINGS)
        rows = {key: quote(key, code(f"{BODY}\n{key}")) for key in SEEN[:size]}
        built(view, rows)
        Counting.decisions = 0
        with patch("repobuild.samples.dataset.dataset.DatasetUpdate", Counting):
            built(view, rows | {SEEN[3]: quote(SEEN[3], code(f"{BODY}\nx = 1"))})
        counts.append(Counting.decisions)
    assert counts == [1, 1]


def test_another_task_may_quote_the_same() -> None:
    one, two = sorted(SEEN[:2])
    rows = {one: quote(one, code()), two: quote(two, code(), task="api_usage")}
    assert decided(rows) == {one: TRAINED, two: TRAINED}


def test_the_same_question_about_another_name_is_not_a_near_duplicate() -> None:
    keys = SEEN[:20]
    rows = {
        key: quote(
            key, f"`{key}` is defined in `a/long/path.py`.", task="code_location"
        )
        for key in keys
    }
    assert set(map(str, decided(rows).values())) == {str(TRAINED)}


def test_siblings_with_the_same_neighbours_are_not_near_duplicates() -> None:
    """Masked code shows the heads of its class: they alone do not make it similar."""
    one, two = sorted(SEEN[:2])
    heads = "".join(f"def method_{n}(self, a_{n}, b_{n}): ...\n" for n in range(30))
    rows = {
        key: quote(key, body, form="fim", task="code_completion", prefix=heads)
        for key, body in ((one, "return self.first"), (two, "return self.second"))
    }
    assert decided(rows) == {one: TRAINED, two: TRAINED}


def test_a_held_out_phrasing_is_dropped_with_the_trained_copy_it_asks_about() -> None:
    one, two = sorted(SEEN[:2])
    rows = {one: quote(one, code()), two: quote(two, code())}
    rows[two]["#x.en.9"] = rows[two]["#x.en.1"] | {
        "question": "What does its implementation look like?",
        "held_out": True,
    }
    row = built(MemoryView(SETTINGS), rows)[two]
    assert row == {"#x.en.1": NEAR, "#x.en.9": {"dropped": "held out but not trained"}}


# --------------------------------------------------------------------------- overlap


def test_a_held_out_sample_whose_answer_is_trained_elsewhere_is_dropped() -> None:
    """Trained code stays, whatever the order of keys."""
    part = "\n".join(BODY.split("\n")[:4])
    for held in (UNTRAINED[0], UNTRAINED[-1]):
        rows = {held: quote(held, code(part)), SEEN[9]: quote(SEEN[9], code())}
        assert decided(rows) == {held: OVERLAP, SEEN[9]: TRAINED}


def test_twelve_words_in_common_are_not_an_overlap() -> None:
    common = "one two three four five six seven eight nine ten eleven twelve"
    held, seen = UNTRAINED[0], SEEN[0]
    rows = {
        held: quote(held, f"{LONG}\nUnder it stand {common}"),
        seen: quote(seen, f"Over {common} stands another, which no one else has."),
    }
    assert decided(rows)[held]["track"] == "generalise"
    rows[seen] = quote(seen, f"Here stand {common} and another, which no one else has.")
    assert decided(rows)[held] == OVERLAP


def test_a_held_out_sample_returns_when_the_copy_is_removed() -> None:
    held, seen = UNTRAINED[0], SEEN[0]
    view = MemoryView(SETTINGS)
    both = {held: quote(held, code()), seen: quote(seen, code())}
    assert built(view, both)[held]["#x.en.1"]["dropped"]
    assert built(view, {held: both[held]})[held]["#x.en.1"]["track"] == "generalise"


def test_a_phrasing_that_is_trained_is_not_held_out() -> None:
    """A user's task may mark it so, but the phrasing is not new."""
    key = SEEN[0]
    row = quote(key, LONG)
    row["#x.en.2"] = sample("Where is `a` used?", LONG * 2, element=key)
    row["#x.en.9"] = sample("Where is `b` used?", LONG, element=key, held_out=True)
    found = built(MemoryView(SETTINGS), {key: row})[key]
    assert found["#x.en.9"] == {"dropped": "phrasing is trained"}


# ---------------------------------------------------------------------- in any order


class Shuffled(MemoryView):
    """Returns changes in the order that `order` chooses."""

    order: Any = sorted

    def changes(self, table: str) -> dict[str, tuple[Any, Any]]:
        found = super().changes(table)
        return {key: found[key] for key in self.order(list(found))}


LINES = [f"    {w} = {w}({w}_one, {w}_two, {w}_three)" for w in "stuvw"]
keys = st.sampled_from(SEEN[:6] + UNTRAINED[:3])
body = st.lists(st.sampled_from(LINES), min_size=1, max_size=5).map("\n".join)
kind = st.sampled_from(["code_explanation", "api_usage"])
context = st.lists(st.tuples(body, kind, st.booleans()), min_size=0, max_size=3)
edit = st.dictionaries(keys, context, max_size=3)
edit_lists = st.lists(edit, min_size=1, max_size=5)


def samples_of(key: str, made: list[tuple[str, str, bool]]) -> dict[str, Any]:
    return {
        f"#x.en.{n}": sample(
            f"Question {n} for `{key}`?" + "!" * n * 3,
            code(text), element=key, sources=[key],
            task=task, held_out=held, named=True,
        )
        for n, (text, task, held) in enumerate(made)
    }  # fmt: skip


@settings(deadline=None)
@given(edit_lists, st.randoms(use_true_random=False), st.sampled_from([1, 2, 20]))
def test_edits_in_any_order_equal_a_clean_build(edits, chance, common) -> None:
    with patch.object(copies, "COMMON", common):
        check_edits(edits, chance)


def check_edits(edits, chance) -> None:
    view, rows = Shuffled(SETTINGS), {}
    view.order = lambda found: chance.sample(found, len(found))
    for edit in edits:
        for key, made in edit.items():
            rows.pop(key, None)
            if made:
                rows[key] = samples_of(key, made)
        rows = dict(rows)
        dataset(view.advance(samples=rows))
        clean = MemoryView(SETTINGS)
        assert view.own.rows == built(clean, rows)
        kept = {key: terms for key, terms in view.own.index.terms.items() if terms}
        assert kept == {k: t for k, t in clean.own.index.terms.items() if t}


@settings(deadline=None)
@given(st.dictionaries(keys, context, max_size=8))
def test_of_each_cluster_of_copies_one_is_kept_and_nothing_leaks(made) -> None:
    """Compare all pairs of samples, without the index."""
    rows = {key: samples_of(key, texts) for key, texts in made.items() if texts}
    found = built(MemoryView(SETTINGS), rows)
    kept = [
        (key, item["track"], rows[key][sub])
        for key, row in found.items()
        for sub, item in row.items()
        if "dropped" not in item
    ]
    for key, track, one in kept:
        for other_key, other_track, other in kept:
            if track == "generalise" and other_track == "":
                assert not runs_of(one) & runs_of(other)
            if key < other_key and track == other_track != "recall" and runs_of(one):
                assert one["task"] != other["task"] or one["answer"] != other["answer"]


def runs_of(sample: dict[str, Any]) -> set[tuple[str, ...]]:
    return {
        run for passage in quoted_passages(sample).all for run in word_runs(passage)
    }
