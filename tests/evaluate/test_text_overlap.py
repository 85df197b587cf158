"""ROUGE-L and BLEU, as their papers and packages compute them, for every language."""

from __future__ import annotations

import pytest

from repobuild.evaluate.mentions.mention_parser import KnownNames
from repobuild.evaluate.scoring.strict_score import named_files
from repobuild.evaluate.scoring.text_overlap import text_overlap, words


def test_equal_texts_score_one_and_unrelated_ones_nothing() -> None:
    equal = text_overlap("`f` is defined in `a/b.py`.", "`f` is defined in `a/b.py`.")
    assert equal == (1.0, 1.0)
    other = text_overlap("nobody knows", "`f` is defined in `a/b.py`.")
    assert other is not None and other.rouge_l == 0 and other.bleu < 0.05


def test_rouge_l_is_that_of_its_paper() -> None:
    """Lin 2004: "police killed the gunman" against two candidates of equal bigrams."""
    reference = "police killed the gunman"
    kills = text_overlap("police kill the gunman", reference)
    killed_by = text_overlap("the gunman kill police", reference)
    assert kills is not None and killed_by is not None
    assert (kills.rouge_l, killed_by.rouge_l) == (0.75, 0.5)


def test_bleu_is_that_of_sacrebleu() -> None:
    from sacrebleu import sentence_bleu

    ours, theirs = "the cart sums all prices", "the cart sums the prices it holds"
    found = text_overlap(ours, theirs)
    assert found is not None
    known = sentence_bleu(ours, [theirs], tokenize="none").score / 100
    assert found.bleu == pytest.approx(known, abs=1e-4)


def test_chinese_is_compared_by_character_and_code_by_name() -> None:
    text = "`load_rows` 位于 `pkg/m.py`"
    assert words(text) == ["load_rows", "位", "于", "pkg", "m", "py"]
    found = text_overlap("位于文件中", "位于模块中")
    assert found is not None and found.rouge_l == 0.6


def test_nothing_expected_has_no_score_and_nothing_answered_scores_none() -> None:
    assert text_overlap("something", "...") is None
    empty = text_overlap("", "`f`")
    assert empty == (0.0, 0.0)


def test_reference_files_count_when_an_answer_names_them() -> None:
    known = KnownNames.of(["a/b.py", "a/c.py"], ["f"])
    both = ["a/b.py", "a/c.py"]
    assert named_files("Where?", "In `a/b.py`.", both, known) == 0.5
    assert named_files("Where?", "In a/b.py and a/c.py.", both, known) == 1.0
    assert named_files("What is in a/b.py?", "`a/b.py`", ["a/b.py"], known) is None
    assert named_files("Where?", "In `a/b.py`.", [], known) is None
