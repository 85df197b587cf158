"""The tokenizer is lossless, keeps its special tokens and uses ChatML."""

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from repobuild.model.bundled import tokenizer as bpe

TEXTS = [
    "def load(path):\n    if path is None:\n        return 42\n",
    "`load` is defined in `pkg/store.py`, lines 10-12.",
    "`load` 定义在哪个文件里？",
] * 20


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return bpe.train_tokenizer(TEXTS, vocabulary=300)


def ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    found: list[int] = tokenizer(text)["input_ids"]
    return found


@pytest.mark.parametrize(
    "text",
    [*TEXTS[:3], "\r\n\t \u00a0x  \n\n   y", "\U0001f600 ünïcödé", "", " ", "\n"],
)
def test_decoding_gives_the_text_back(
    tokenizer: PreTrainedTokenizerFast, text: str
) -> None:
    assert tokenizer.decode(ids(tokenizer, text)) == text


def test_special_tokens_are_the_first_ids(tokenizer: PreTrainedTokenizerFast) -> None:
    for expected, token in enumerate(bpe.SPECIAL_TOKENS):
        assert ids(tokenizer, token) == [expected]
    assert tokenizer.eos_token == bpe.TURN_END
    assert tokenizer.pad_token == bpe.FIM_PAD


def test_every_digit_is_its_own_token(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.convert_ids_to_tokens(ids(tokenizer, "4242")) == list("4242")


def test_a_line_break_and_its_indentation_are_one_piece() -> None:
    learned = bpe.train_tokenizer(["x\n        return y\n"] * 50, vocabulary=300)
    pieces = [learned.decode([i]) for i in ids(learned, "x\n        return y")]
    assert pieces == ["x", "\n       ", " return", " y"]


def test_the_template_adds_no_system_prompt(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    turns = [{"role": "user", "content": "where?"}]
    prompt = tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=True
    )
    assert prompt == ("<|im_start|>user\nwhere?<|im_end|>\n<|im_start|>assistant\n")


def test_a_saved_tokenizer_is_the_same(
    tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    tokenizer.save_pretrained(tmp_path)
    again = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert ids(again, TEXTS[0]) == ids(tokenizer, TEXTS[0])
    assert again.chat_template == tokenizer.chat_template


def test_training_twice_gives_the_same_merges(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    again = bpe.train_tokenizer(TEXTS, vocabulary=300)
    assert again.get_vocab() == tokenizer.get_vocab()
