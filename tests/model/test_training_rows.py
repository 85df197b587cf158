"""Rows of an epoch: whole conversations, losses on answers only, drawn alike."""

from collections.abc import Sequence

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from repobuild.model.bundled import tokenizer as bpe
from repobuild.model.bundled import training_rows
from repobuild.model.bundled.question_texts import AskedQuestion, render_chat
from repobuild.model.bundled.training_rows import Corpus, Mix
from tests.model.nano_corpus import nano_corpus

SEQUENCE = 96


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return nano_corpus()


@pytest.fixture(scope="module")
def tokenizer(corpus: Corpus) -> PreTrainedTokenizerFast:
    return bpe.train_tokenizer(corpus.library, 320, 64)


def test_a_rendered_chat_equals_the_chat_template(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    turns = [
        {"role": "user", "content": "where?"},
        {"role": "assistant", "content": "`a.py`"},
    ]
    rendered = tokenizer.apply_chat_template(turns, tokenize=False)
    assert "".join(render_chat("where?", "`a.py`")) == rendered


@pytest.mark.parametrize("answer", ["`a.py`", "  x = 1\n", "\n\n- a\n- b", "。"])
def test_only_the_answer_and_its_end_have_a_loss(
    tokenizer: PreTrainedTokenizerFast, answer: str
) -> None:
    asked = [AskedQuestion("location", "Where is f?\n", answer)]
    ((ids, weights),) = training_rows.tokenise_chats(tokenizer, asked, 1_000)
    trained = tokenizer.decode(ids[weights])
    assert trained.endswith(answer + bpe.TURN_END)
    assert trained.removesuffix(answer + bpe.TURN_END).strip() == ""
    assert ids[-1] == training_rows.END and not weights[-1]


def texts_of(lengths: Sequence[int]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [
        (np.full(length, number + 1, np.uint16), np.ones(length, np.bool_))
        for number, length in enumerate(lengths)
    ]


def test_no_conversation_is_cut() -> None:
    lengths = [5, 60, 30, 30, 8, 65, 1, 40, 20]
    rows = training_rows.pack(texts_of(lengths), SEQUENCE)
    for number, length in enumerate(lengths):
        holding = [row for row in rows.ids if (row == number + 1).any()]
        assert len(holding) == 1
        (at,) = (np.flatnonzero(row == number + 1) for row in holding)
        assert len(at) == length and at[-1] - at[0] == length - 1
    assert rows.weights.shape == (len(rows), SEQUENCE)
    assert not rows.weights[rows.ids[:, 1:] == 0].any()


def test_every_token_of_code_but_the_first_is_a_target_once(
    corpus: Corpus, tokenizer: PreTrainedTokenizerFast
) -> None:
    rows = training_rows.code_rows(corpus.library, tokenizer, 8)
    ids = [
        token
        for piece in corpus.library
        for token in [*tokenizer(piece)["input_ids"], training_rows.END]
    ]
    targets = rows.ids[:, 1:].flatten().tolist()
    assert targets == ids[1 : len(targets) + 1]
    assert len(ids) - len(targets) <= 8


def test_an_epoch_has_the_share_of_code_and_is_drawn_alike(
    corpus: Corpus, tokenizer: PreTrainedTokenizerFast
) -> None:
    mix = Mix(questions=80, grounded=20, code_share=0.2, longest=SEQUENCE)
    rows, again, other = (
        training_rows.epoch_rows(corpus, mix, tokenizer, SEQUENCE, (1, epoch))
        for epoch in (0, 0, 1)
    )
    code = rows.weights.all(axis=1).mean()
    assert 0.1 < code < 0.3
    assert np.array_equal(rows.ids, again.ids)
    assert not np.array_equal(rows.ids[:5], other.ids[:5])


@pytest.mark.parametrize(
    ("repository", "package"),
    [("rich", "rich"), ("torch.3", "torch"), ("zope.interface", "zope.interface")],
)
def test_a_part_is_held_out_with_its_package(repository: str, package: str) -> None:
    assert training_rows.package_of(repository) == package
