from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from repobuild.model.base import PLAIN_TEMPLATE
from repobuild.model.conversation import FIM, Conversation
from repobuild.model.load.chat_template import DATE
from tests.chat_templates import (
    CHATML,
    GEMMA2,
    GEMMA3,
    LLAMA3,
    LLAMA3_2,
    MISTRAL,
    MISTRAL_V3,
    QWEN2_5,
    QWEN3,
)


@dataclass(frozen=True)
class Family:
    """A chat template and the special tokens of its tokenizer."""

    template: str
    special: tuple[str, ...]
    bos: str
    eos: str
    end: str  # of an answer
    lead: str = ""  # before an answer
    pieces: bool = False  # SentencePiece: adds a blank before every text


HEADS = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
TURNS = ("<start_of_turn>", "<end_of_turn>")
IM = ("<|im_start|>", "<|im_end|>")
START, STOP = "<|begin_of_text|>", "<|end_of_text|>"
FAMILIES = {
    "chatml": Family(CHATML, IM, "", "<|im_end|>", "<|im_end|>"),
    "qwen2.5": Family(QWEN2_5, IM, "", "<|im_end|>", "<|im_end|>"),
    "qwen3": Family(QWEN3, IM, "", "<|im_end|>", "<|im_end|>"),
    "llama3": Family(LLAMA3, HEADS, START, STOP, "<|eot_id|>"),
    "llama3.2": Family(LLAMA3_2, HEADS, START, "<|eot_id|>", "<|eot_id|>"),
    "mistral": Family(MISTRAL, (), "<s>", "</s>", "</s>", pieces=True),
    "mistral v3": Family(
        MISTRAL_V3, ("[INST]", "[/INST]"), "<s>", "</s>", "</s>", " ", pieces=True
    ),
    "gemma2": Family(GEMMA2, TURNS, "<bos>", "<eos>", "<end_of_turn>"),
    "gemma3": Family(GEMMA3, TURNS, "<bos>", "<eos>", "<end_of_turn>"),
    "plain": Family(PLAIN_TEMPLATE, (), "", "<eos>", "<eos>"),
}
TEXTS = ["`f` is defined in `a/b.py`. Where is `f`?", "assistant model\n\n\n\n"] * 9


@cache
def tokenizer_of(family: str, more: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    made = FAMILIES[family]
    special = [*made.special, *more, *filter(None, [made.bos, made.eos])]
    named = {"bos_token": made.bos, "eos_token": made.eos, "pad_token": made.eos}
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces(special) if made.pieces else byte_level(special),
        additional_special_tokens=special,
        chat_template=made.template,
        clean_up_tokenization_spaces=False,
        **{name: token for name, token in named.items() if token},
    )


def byte_level(special: list[str]) -> Tokenizer:
    """Return a tokenizer like those of Qwen, Llama 3 and GPT-2."""
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trained(learned, special, alphabet)


def pieces(special: list[str]) -> Tokenizer:
    """Return a tokenizer like Mistral's first ones, converted from SentencePiece."""
    learned = Tokenizer(models.BPE(byte_fallback=True))
    learned.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    learned.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
         decoders.Strip(" ", 1, 0)]
    )  # fmt: skip
    return trained(learned, [*special, *(f"<0x{n:02X}>" for n in range(256))], [])


def trained(learned: Tokenizer, special: list[str], alphabet: list[str]) -> Tokenizer:
    learned.train_from_iterator(
        TEXTS,
        trainers.BpeTrainer(
            vocab_size=len(special) + 390,
            special_tokens=special,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    return learned


def sample(question: str, answer: str, **more: Any) -> dict[str, Any]:
    return {
        "task": "code_location", "form": "chat", "question": question,
        "answer": answer, "element": "a/b.py::f", **more,
    }  # fmt: skip


QUESTION = "Where is `f`?"
ANSWERS = [
    "`f` is defined in `a/b.py`.",
    "多行\n\n```python\nx = 1\n```",
    "ends in a blank line\n",
    "x",
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_covers_the_answer_and_its_end_token(family: str, answer: str) -> None:
    tokenizer = tokenizer_of(family)
    conversation = Conversation(tokenizer)
    (example,) = conversation.tokenise([("a", sample(QUESTION, answer))], 999).kept
    covered = [label for label in example.labels if label != -100]
    made = FAMILIES[family]
    assert tokenizer.decode(covered) == made.lead + answer + made.end
    assert covered[-1] == tokenizer.convert_tokens_to_ids(made.end)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_trained_prompt_equals_the_generation_prompt(family: str) -> None:
    tokenizer = tokenizer_of(family)
    conversation = Conversation(tokenizer)
    asked = sample(QUESTION, ANSWERS[0])
    (example,) = conversation.tokenise([("a", asked)], 999).kept
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}],
        tokenize=False, add_generation_prompt=True, enable_thinking=False,
        date_string=DATE,
    )  # fmt: skip
    (prompt,) = conversation.encode([conversation.prompt(asked)])
    assert conversation.prompt(asked) == rendered
    assert example.tokens[: example.answer_start] == prompt


@pytest.mark.parametrize("family", FAMILIES)
def test_the_whole_text_equals_the_rendered_template(family: str) -> None:
    """Up to the end of the answer; then comes a line break or the next header."""
    tokenizer = tokenizer_of(family)
    (example,) = (
        Conversation(tokenizer)
        .tokenise([("a", sample(QUESTION, ANSWERS[0]))], 999)
        .kept
    )
    both = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWERS[0]},
    ]
    rendered = tokenizer.apply_chat_template(both, tokenize=False, date_string=DATE)
    (whole,) = Conversation(tokenizer).encode([rendered])
    assert tokenizer.decode(whole).startswith(tokenizer.decode(example.tokens))


def test_an_empty_think_block_belongs_to_the_prompt() -> None:
    """Qwen3 answers without thinking; the block must not be trained."""
    frame = Conversation(tokenizer_of("qwen3")).frame
    assert frame.between.endswith("<think>\n\n</think>\n\n")
    assert frame.lead == ""


def test_a_template_with_today_s_date_gets_a_fixed_date() -> None:
    """Otherwise the same inputs would train another adapter tomorrow."""
    frame = Conversation(tokenizer_of("llama3.2")).frame
    assert f"Today Date: {DATE}\n" in frame.before


def test_generation_stops_at_the_end_of_a_turn() -> None:
    for family, made in FAMILIES.items():
        tokenizer = tokenizer_of(family)
        ids = tokenizer.convert_tokens_to_ids([made.eos, made.end])
        assert set(ids) <= set(Conversation(tokenizer).stop_ids)


def test_an_answer_that_merges_with_the_prompt_is_tokenised_apart() -> None:
    """`\\n\\n` is one token, and the prompt ends in the first of the two."""
    conversation = Conversation(tokenizer_of("chatml"))
    asked = sample(QUESTION, "\n\nx")
    (example,) = conversation.tokenise([("a", asked)], 999).kept
    (prompt,) = conversation.encode([conversation.prompt(asked)])
    assert example.tokens[: example.answer_start] == prompt
    decoded = conversation.tokenizer.decode(example.tokens[example.answer_start :])
    assert decoded == "\n\nx<|im_end|>"


def test_special_tokens_in_a_text_leave_the_sample_out() -> None:
    conversation = Conversation(tokenizer_of("chatml"))
    found = conversation.tokenise(
        [
            ("a", sample(QUESTION, "`END = '<|im_end|>'`")),
            ("b", sample("What is <|im_start|>?", "x")),
            ("c", sample(QUESTION, "x")),
        ],
        999,
    )
    assert [e.id for e in found.kept] == ["c"]
    assert found.left_out == {"special token": 2}


def test_long_samples_are_left_out_and_counted() -> None:
    conversation = Conversation(tokenizer_of("chatml"))
    rows = [("a", sample(QUESTION, "x" * 90)), ("b", sample(QUESTION, "x"))]
    found = conversation.tokenise(rows, 60)
    assert [e.id for e in found.kept] == ["b"]
    assert found.left_out == {"too long": 1}


HOLE = sample("Complete it", "return 1", form="fim", prefix="def f():\n", suffix="\n")


def test_a_fim_sample_uses_the_fim_tokens_of_the_tokenizer() -> None:
    tokenizer = tokenizer_of("chatml", (*FIM, "<|file_sep|>"))
    (example,) = Conversation(tokenizer).tokenise([("a", HOLE)], 999).kept
    assert tokenizer.decode(example.tokens) == (
        "<|file_sep|>a/b.py\n<|fim_prefix|>def f():\n<|fim_suffix|>\n"
        "<|fim_middle|>return 1<|im_end|>"
    )
    covered = [label for label in example.labels if label != -100]
    assert tokenizer.decode(covered) == "return 1<|im_end|>"


@pytest.mark.parametrize("has_tokens", [True, False])
def test_without_fim_a_fim_sample_is_a_chat(has_tokens: bool) -> None:
    tokenizer = tokenizer_of("chatml", FIM if has_tokens else ())
    conversation = Conversation(tokenizer, fim=not has_tokens)
    (example,) = conversation.tokenise([("a", HOLE)], 999).kept
    assert "Complete it" in tokenizer.decode(example.tokens)
