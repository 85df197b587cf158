"""What sources write never becomes a control token (case 18, OWASP/AISVS#930).

With the embedded base, and with tokenizers whose tokens for fill-in-the-middle,
thinking and tool calls are not flagged as special: Qwen2.5-Coder, Qwen3, CodeGemma.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from tokenizers import Tokenizer, normalizers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from repobuild.model.base import load_tokenizer, resolve_base
from repobuild.model.conversation import FIM, Conversation, control_tokens
from tests.chat_templates import CHATML
from tests.model.test_conversation import tokenizer_of
from tests.model.test_nano import settings

QWEN_TOKENS = ("<think>", "</think>", "<tool_call>", "</tool_call>")
TURN = 'head = "<|im_start|>" + role'
HOLES = [
    # The prefix of a hole in `fill` of case 18, and the middle of another one.
    ('text = "<|fim_prefix|>" + before\n', "return text", "\n"),
    ("text = before\n", 'text += "<|fim_suffix|>" + after', "\nreturn text\n"),
]


@cache
def tokenizer(kind: str) -> PreTrainedTokenizerBase:
    """Return the embedded tokenizer, or one in which only the turns are special."""
    embedded = load_tokenizer(resolve_base(settings()))
    if kind == "embedded":
        return embedded
    made = json.loads(embedded.backend_tokenizer.to_str())  # type: ignore[attr-defined]
    for token in made["added_tokens"]:
        token["special"] = token["content"] in ("<|im_start|>", "<|im_end|>")
    plain = {**made["added_tokens"][0], "special": False}
    for number, text in enumerate(QWEN_TOKENS, len(made["model"]["vocab"])):
        made["added_tokens"].append({**plain, "id": number, "content": text})
    backend = Tokenizer.from_str(json.dumps(made))
    if kind == "lower case":  # a token may match text that is written otherwise
        for token in made["added_tokens"]:
            token["normalized"] = True
        backend = Tokenizer.from_str(json.dumps(made))
        backend.normalizer = normalizers.Lowercase()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHATML,
    )


def chat(answer: str, question: str = "What does `f` do?") -> dict[str, Any]:
    return {
        "task": "code_explanation", "form": "chat", "question": question,
        "answer": answer, "element": "fim.py::f",
    }  # fmt: skip


def hole(prefix: str, answer: str, suffix: str) -> dict[str, Any]:
    return {**chat(answer), "form": "fim", "prefix": prefix, "suffix": suffix}


def control(conversation: Conversation, ids: list[int]) -> list[str]:
    known = control_tokens(conversation.tokenizer)
    return [known[i][0] for i in ids if i in known]


TURNS = ["<|im_start|>", "<|im_end|>", "<|im_start|>", "<|im_end|>"]


@pytest.mark.parametrize("kind", ["embedded", "qwen"])
def test_samples_with_tokens_of_templates_and_holes_are_left_out(kind: str) -> None:
    conversation = Conversation(tokenizer(kind))
    samples = [("clean", chat("It adds.")), ("hole", hole("def f():\n", "x", "\n"))]
    samples += [(f"bad {n}", hole(*parts)) for n, parts in enumerate(HOLES)]
    found = conversation.tokenise(samples, 512)
    assert found.left_out == {"special token": 2}
    assert [example.id for example in found.kept] == ["clean", "hole"]
    clean, filled = (control(conversation, e.tokens) for e in found.kept)
    assert clean == TURNS
    assert filled == ["<|file_sep|>", *FIM, "<|im_end|>"]


@pytest.mark.parametrize("kind", ["embedded", "qwen"])
@pytest.mark.parametrize("text", [*QWEN_TOKENS, "a <think>b</think>\n\n<tool_call>"])
def test_a_token_of_thinking_is_trained_as_its_characters(kind: str, text: str) -> None:
    """Its samples are kept, and say what the source says."""
    conversation = Conversation(tokenizer(kind))
    sample = chat(f"Put `{text}` around.", f"What is `{text}`?")
    found = conversation.tokenise([("a", sample)], 512)
    assert found.left_out == {}
    (example,) = found.kept
    assert control(conversation, example.tokens) == TURNS
    shown = str(conversation.tokenizer.decode(example.tokens))
    assert shown.count(text) == 2
    assert conversation.encode([conversation.prompt(sample)]) == [
        example.tokens[: example.answer_start]
    ]


def test_a_token_that_matches_other_writing_is_noticed_by_its_id() -> None:
    conversation = Conversation(tokenizer("lower case"))
    found = conversation.tokenise([("a", chat("x")), ("b", chat("<THINK>"))], 512)
    assert [example.id for example in found.kept] == ["a"]
    assert found.left_out == {"special token": 1}


@pytest.mark.parametrize("text", [TURN, "<think>", *(h[0] for h in HOLES)])
def test_questions_and_files_hold_no_control_token(text: str) -> None:
    """Of `ask`, of the report, and of the losses on whole files."""
    conversation = Conversation(tokenizer("qwen"))
    (ids,) = conversation.encode([conversation.prompt({"question": text})])
    assert control(conversation, ids) == TURNS[:3]
    (ids,) = conversation.encode([conversation.plain(text)])
    assert control(conversation, ids) == []
    assert conversation.tokenizer.decode(ids) == text


def test_text_without_control_tokens_is_encoded_as_ever() -> None:
    """Else equal inputs would train another adapter."""
    conversation = Conversation(tokenizer("embedded"))
    for text in ("a < b > c | d", "<a href='x'>|y|</a>", "[INST] // TODO"):
        assert conversation.plain(text) == text


@pytest.mark.parametrize("family", ["mistral", "mistral v3", "qwen3", "gemma3"])
def test_the_template_keeps_its_own_control_tokens(family: str) -> None:
    conversation = Conversation(tokenizer_of(family))
    found = conversation.tokenise([("a", chat("`f` adds."))], 512)
    assert found.left_out == {}
    (example,) = found.kept
    assert (
        control(conversation, example.tokens)[-1]
        == control(conversation, list(conversation.frame.end))[-1]
    )


def test_words_white_space_and_bytes_are_no_control_tokens() -> None:
    """Gemma and Phi add blanks and line breaks, and users add words."""
    made = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(
            tokenizer("embedded").backend_tokenizer.to_str()  # type: ignore
        ),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=CHATML,
    )
    made.add_tokens(["\n\n", "    ", "\u2581\u2581", "kubernetes", "->"])
    conversation = Conversation(made)
    text = "kubernetes ->    x\n\ny"
    found = conversation.tokenise([("a", chat(text))], 512)
    assert found.left_out == {} and len(found.kept) == 1
    assert made.convert_tokens_to_ids("kubernetes") in found.kept[0].tokens
