from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from repobuild.model.base import PLAIN_TEMPLATE
from repobuild.model.conversation import FIM, Conversation

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# Qwen3: an answer is rendered with an empty think block, and asked for with one.
QWEN3 = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['role'] == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}"
    "<|im_start|>assistant\n{% if enable_thinking is defined and not enable_thinking %}"
    "<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
LLAMA3 = (
    "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}"
    "<|end_header_id|>\n\n{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n"
    "{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
    "[INST] {{ m['content'] }}[/INST]{% else %} {{ m['content'] }}{{ eos_token }}"
    "{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}<start_of_turn>"
    "{{ 'model' if m['role'] == 'assistant' else m['role'] }}\n"
    "{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)

# name -> template, special tokens, bos, eos, the token that ends an answer
FAMILIES: dict[str, tuple[str, list[str], str, str, str]] = {
    "chatml": (CHATML, ["<|im_start|>"], "", "<|im_end|>", "<|im_end|>"),
    "qwen3": (QWEN3, ["<|im_start|>"], "", "<|im_end|>", "<|im_end|>"),
    "llama3": (
        LLAMA3,
        ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|eot_id|>",
    ),
    "mistral": (MISTRAL, ["[INST]", "[/INST]"], "<s>", "</s>", "</s>"),
    "gemma": (
        GEMMA, ["<start_of_turn>", "<end_of_turn>"], "<bos>", "<eos>", "<end_of_turn>",
    ),
    "plain": (PLAIN_TEMPLATE, [], "", "<eos>", "<eos>"),
}  # fmt: skip


@cache
def tokenizer_of(family: str, more: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    template, special, bos, eos, _ = FAMILIES[family]
    special = [*special, *more, *filter(None, [bos, eos])]
    learned = Tokenizer(models.BPE())
    learned.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learned.decoder = decoders.ByteLevel()
    learned.train_from_iterator(
        ["`f` is defined in `a/b.py`. Where is `f`?", "assistant model\n\n\n\n"] * 9,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    named = {"bos_token": bos, "eos_token": eos, "pad_token": eos}
    return PreTrainedTokenizerFast(
        tokenizer_object=learned,
        additional_special_tokens=special,
        chat_template=template,
        clean_up_tokenization_spaces=False,
        **{name: token for name, token in named.items() if token},
    )


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
    (example,) = conversation.examples([("a", sample(QUESTION, answer))], 999).kept
    covered = [label for label in example.labels if label != -100]
    end = FAMILIES[family][4]
    lead = " " if family == "mistral" else ""
    assert tokenizer.decode(covered) == lead + answer + end
    assert covered[-1] == tokenizer.convert_tokens_to_ids(end)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_trained_prompt_is_what_generation_starts_from(family: str) -> None:
    tokenizer = tokenizer_of(family)
    conversation = Conversation(tokenizer)
    asked = sample(QUESTION, ANSWERS[0])
    (example,) = conversation.examples([("a", asked)], 999).kept
    rendered = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}],
        tokenize=False, add_generation_prompt=True, enable_thinking=False,
    )  # fmt: skip
    assert tokenizer.decode(example.tokens[: example.answer]) == rendered
    (prompt,) = conversation.encode([conversation.prompt(asked)])
    assert example.tokens[: example.answer] == prompt


@pytest.mark.parametrize("family", FAMILIES)
def test_the_whole_text_is_the_template_s_own(family: str) -> None:
    tokenizer = tokenizer_of(family)
    (example,) = (
        Conversation(tokenizer)
        .examples([("a", sample(QUESTION, ANSWERS[0]))], 999)
        .kept
    )
    both = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": ANSWERS[0]},
    ]
    rendered = tokenizer.apply_chat_template(both, tokenize=False)
    assert rendered.rstrip("\n") == tokenizer.decode(example.tokens)


def test_generation_stops_at_the_end_of_a_turn() -> None:
    for family, (_, _, _, eos, end) in FAMILIES.items():
        tokenizer = tokenizer_of(family)
        ids = tokenizer.convert_tokens_to_ids([eos, end])
        assert set(ids) <= set(Conversation(tokenizer).ends)


def test_an_answer_that_merges_with_the_prompt_is_tokenised_apart() -> None:
    """`\\n\\n` is one token, and the prompt ends in the first of the two."""
    conversation = Conversation(tokenizer_of("chatml"))
    asked = sample(QUESTION, "\n\nx")
    (example,) = conversation.examples([("a", asked)], 999).kept
    (prompt,) = conversation.encode([conversation.prompt(asked)])
    assert example.tokens[: example.answer] == prompt
    decoded = conversation.tokenizer.decode(example.tokens[example.answer :])
    assert decoded == "\n\nx<|im_end|>"


def test_special_tokens_in_a_text_leave_the_sample_out() -> None:
    conversation = Conversation(tokenizer_of("chatml"))
    found = conversation.examples(
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
    found = conversation.examples(rows, 60)
    assert [e.id for e in found.kept] == ["b"]
    assert found.left_out == {"too long": 1}


HOLE = sample("Complete it", "return 1", form="fim", prefix="def f():\n", suffix="\n")


def test_a_hole_is_filled_where_the_tokenizer_knows_holes() -> None:
    tokenizer = tokenizer_of("chatml", (*FIM, "<|file_sep|>"))
    (example,) = Conversation(tokenizer).examples([("a", HOLE)], 999).kept
    assert tokenizer.decode(example.tokens) == (
        "<|file_sep|>a/b.py\n<|fim_prefix|>def f():\n<|fim_suffix|>\n"
        "<|fim_middle|>return 1<|im_end|>"
    )
    covered = [label for label in example.labels if label != -100]
    assert tokenizer.decode(covered) == "return 1<|im_end|>"


@pytest.mark.parametrize("knows", [True, False])
def test_elsewhere_the_same_thing_is_asked_in_a_chat(knows: bool) -> None:
    tokenizer = tokenizer_of("chatml", FIM if knows else ())
    conversation = Conversation(tokenizer, fim=not knows)
    (example,) = conversation.examples([("a", HOLE)], 999).kept
    assert "Complete it" in tokenizer.decode(example.tokens)
