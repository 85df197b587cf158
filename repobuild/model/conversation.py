"""Turn samples into tokens, and mark the tokens that the loss covers.

The text around question and answer is found once, by rendering the tokenizer's own chat
template with two marks and cutting it there:

    before QUESTION between lead ANSWER end ...
    <bos>..user      ..assistant       <|im_end|>

`between` is what the template adds as generation prompt, so a trained prompt and a
generated one are the same tokens. `lead` is what the template puts between that and the
answer (Mistral: one blank). `end` runs up to the first special token after the answer:
`<|im_end|>`, `<|eot_id|>`, `</s>`, `<end_of_turn>`. A model that is trained without it
in the loss never learns to stop.

The loss covers the tokens that follow the prompt *at the level of tokens*. Where the
tokens of the whole text do not begin with the tokens of the prompt (a merge across the
border), prompt and answer are tokenised apart, because generation starts from the
prompt's own tokens.

No text of a sample becomes a control token: in an analysed file `<|im_end|>` is source
text, not the end of a turn. Control tokens are the special tokens of the tokenizer and
those added ones that look like markup, as the tokens for fill-in-the-middle, thinking
and tool calls of Qwen and CodeGemma do, which are not flagged as special.

    <|im_end|>, special   samples that contain one are left out and counted
    <think>, [TOOL]       encoded as the characters that they are written with

Afterwards the control tokens of an example must be those of the template, whatever the
tokenizer did with the text; otherwise the sample is left out as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from repobuild.errors import UsageError
from repobuild.model.load.chat_template import render_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

QUESTION_MARK = "QUESTION7f3a"
ANSWER_MARK = "ANSWER7f3a"
FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
FILE = "<|file_sep|>"
END_OF_TEXT = "<|endoftext|>"
# Around a control token in a text, between `prompt` and `encode`. Unicode reserves both
# characters for use inside a program; where a text has one, it is dropped.
OPENING, CLOSING = "\ufdd0", "\ufdd1"
_MARKED = re.compile(f"{OPENING}(.*?){CLOSING}", re.DOTALL)
_RESERVED = re.compile(f"[{OPENING}{CLOSING}]")
# An added token that is no word and no white space: `<think>`, `[INST]`, `/nothink`.
_MARKUP = re.compile(r"[^\w\s].*[^\W\d_]", re.DOTALL)
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")  # a byte, in tokenizers from SentencePiece
_BARRED = re.compile(r"<[|\uff5c].*[|\uff5c]>", re.DOTALL)  # never text: `<|im_end|>`

Sample = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """One tokenised sample; the loss is over `tokens[answer:]`."""

    id: str
    task: str
    tokens: list[int]
    answer_start: int  # index of the first answer token

    @property
    def labels(self) -> list[int]:
        """Return the tokens with -100, no loss, for those of the prompt."""
        return [-100] * self.answer_start + self.tokens[self.answer_start :]


@dataclass(frozen=True, slots=True)
class TemplateFrame:
    """The text and tokens that the template puts around a question and its answer."""

    before: str
    between: str
    lead: str
    end: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TokenisedSamples:
    """Tokenised samples, and the number left out for each reason."""

    kept: list[Example]
    left_out: dict[str, int]  # reason -> count


class Conversation:
    """Turn samples into prompts and training examples with one tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, fim: bool = True) -> None:
        self.tokenizer = tokenizer
        self.frame = find_frame(tokenizer)
        vocabulary = tokenizer.get_vocab()
        self.has_fim_tokens = fim and all(token in vocabulary for token in FIM)
        self.has_file_token = FILE in vocabulary
        tokens = control_tokens(tokenizer)
        # Ids. Tokens for bytes and for unknown characters rightly come out of a text.
        self._control = frozenset(
            number for number, (text, _) in tokens.items()
            if number != tokenizer.unk_token_id and not _BYTE.fullmatch(text)
        )  # fmt: skip
        self._frame_control: dict[tuple[bool, str], list[int]] = {}
        self._control_text = _any_of(text for text, _ in tokens.values())
        self._special = _any_of(text for text, special in tokens.values() if special)

    @property
    def stop_ids(self) -> list[int]:
        """Return the token ids at which generation stops."""
        vocabulary = self.tokenizer.get_vocab()
        ids = {self.frame.end[-1], self.tokenizer.eos_token_id}
        ids.add(vocabulary.get(END_OF_TEXT))
        return sorted(i for i in ids if i is not None)

    def prompt(self, sample: Sample) -> str:
        """Return the text that generation starts from.

        A fill-in-the-middle sample is prefix, suffix, middle (PSM; Bavarian et al.
        2022, "Efficient Training of Language Models to Fill in the Middle").
        """
        if self._is_fim(sample):
            path = str(sample["element"]).partition("::")[0]
            header = (
                f"{FILE}{self.plain(path)}\n" if self.has_file_token and path else ""
            )
            before, after = (self.plain(str(sample[n])) for n in ("prefix", "suffix"))
            prefix, suffix, middle = FIM
            return f"{header}{prefix}{before}{suffix}{after}{middle}"
        question = self.plain(str(sample["question"]))
        return f"{self.frame.before}{question}{self.frame.between}"

    def plain(self, text: str) -> str:
        """Mark the control tokens in a text: `encode` gives them as characters."""
        text = _RESERVED.sub("", text)
        return self._control_text.sub(f"{OPENING}\\g<0>{CLOSING}", text)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text; the template has added the first token.

        What `plain` marked is encoded as characters.
        """
        if not texts:
            return []
        clean = [text if OPENING not in text else "" for text in texts]
        rows = self.tokenizer(clean, add_special_tokens=False)["input_ids"]
        return [
            self._encode_marked(text) if OPENING in text else list(ids)
            for text, ids in zip(texts, rows, strict=True)
        ]

    def _encode_marked(self, text: str) -> list[int]:
        """Return the tokens of a text, with none of the marked control tokens."""
        ids: list[int] = []
        for number, piece in enumerate(_MARKED.split(text)):
            if number % 2 == 0:
                ids += self._encode_piece(piece, first=not ids)
                continue
            # The first character alone, so that the rest is no control token.
            parts = [self._encode_piece(p, not ids) for p in (piece[:1], piece[1:])]
            if not self._control.isdisjoint(parts[0] + parts[1]):
                parts = [self._encode_piece(character, False) for character in piece]
            ids += [i for part in parts for i in part if i not in self._control]
        return ids

    def _encode_piece(self, piece: str, first: bool) -> list[int]:
        """Return the tokens of a piece of a text.

        Encoded after a line break, which is removed again: tokenizers from
        SentencePiece put a blank before the first word.
        """
        if not piece:
            return []
        encode = self.tokenizer
        if not first:
            line = encode("\n", add_special_tokens=False)["input_ids"]
            whole = encode("\n" + piece, add_special_tokens=False)["input_ids"]
            if line and whole[: len(line)] == line:
                return list(whole[len(line) :])
        return list(encode(piece, add_special_tokens=False)["input_ids"])

    def tokenise(
        self, samples: Iterable[tuple[str, Sample]], longest: int
    ) -> TokenisedSamples:
        """Tokenise (id, sample) pairs.

        Leave out, and count, samples that contain special tokens or are longer than
        `longest` tokens.
        """

        left_out: Counter[str] = Counter()
        clean = []
        for sample_id, sample in samples:
            fields = ("question", "answer", "prefix", "suffix")
            texts = (str(sample[name]) for name in fields if name in sample)
            if any(self._special.search(text) for text in texts):
                left_out["special token"] += 1
            else:
                clean.append((sample_id, sample))
        kept = []
        for (_, sample), example in zip(clean, self._tokenise(clean), strict=True):
            control = [token for token in example.tokens if token in self._control]
            if control != self._template_control(sample):
                left_out["special token"] += 1
            elif len(example.tokens) > longest:
                left_out["too long"] += 1
            else:
                kept.append(example)
        return TokenisedSamples(kept, dict(sorted(left_out.items())))

    def _tokenise(self, samples: Sequence[tuple[str, Sample]]) -> list[Example]:
        prompts = [self.prompt(sample) for _, sample in samples]
        answers = [
            ("" if self._is_fim(sample) else self.frame.lead)
            + self.plain(str(sample["answer"]))
            for _, sample in samples
        ]
        whole = [p + a for p, a in zip(prompts, answers, strict=True)]
        prompt_ids, whole_ids = self.encode(prompts), self.encode(whole)
        examples = []
        for number, (sample_id, sample) in enumerate(samples):
            prompt, tokens = prompt_ids[number], whole_ids[number]
            if tokens[: len(prompt)] != prompt:  # a merge across the border
                tokens = prompt + self.encode([answers[number]])[0]
            tokens = [*tokens, *self.frame.end]
            task = str(sample["task"])
            examples.append(Example(sample_id, task, tokens, len(prompt)))
        return examples

    def _template_control(self, sample: Sample) -> list[int]:
        """Return the control tokens of an example whose texts have none."""
        is_fim = self._is_fim(sample)
        path = "x" if is_fim and str(sample["element"]).partition("::")[0] else ""
        if (is_fim, path) not in self._frame_control:
            texts = dict.fromkeys(("question", "answer", "prefix", "suffix"), "x")
            form = "fim" if is_fim else "chat"
            plain = {**texts, "task": "", "form": form, "element": path}
            (example,) = self._tokenise([("", plain)])
            control = [token for token in example.tokens if token in self._control]
            self._frame_control[is_fim, path] = control
        return self._frame_control[is_fim, path]

    def _is_fim(self, sample: Sample) -> bool:
        return (
            self.has_fim_tokens and sample.get("form") == "fim" and "prefix" in sample
        )


def control_tokens(
    tokenizer: PreTrainedTokenizerBase,
) -> dict[int, tuple[str, bool]]:
    """Return text of each control token by id, and whether it is special.

    One whose text is `<|...|>` counts as special: no source means anything else by it.
    """
    vocabulary = tokenizer.get_vocab()
    special = {*tokenizer.all_special_tokens, *FIM, FILE, END_OF_TEXT}
    found = {vocabulary[text]: (text, True) for text in special if text in vocabulary}
    for number, token in tokenizer.added_tokens_decoder.items():
        text = str(token)
        bare = text.strip(" \n\u2581")
        if token.special or _BARRED.fullmatch(bare):
            found[number] = (text, True)
        elif _MARKUP.match(bare) and number not in found:
            found[number] = (bare, False)
    return found


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that matches each of the texts, longer ones first."""
    ordered = sorted(filter(None, set(texts)), key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, ordered)) or r"\Z.")


def find_frame(tokenizer: PreTrainedTokenizerBase) -> TemplateFrame:
    """Render the chat template with two marks and cut it at them.

    Raises `UsageError` when the template fails, or leaves question or answer out.
    """
    question = [{"role": "user", "content": QUESTION_MARK}]
    both = [*question, {"role": "assistant", "content": ANSWER_MARK}]
    try:
        template = str(tokenizer.get_chat_template())
    except ValueError as error:
        raise UsageError(
            "the tokenizer has no chat template, or several and none called default\n"
            "set base.model to an instruction-tuned model"
        ) from error
    asked, answered = render_template(
        template, [(question, True), (both, False)], dict(tokenizer.special_tokens_map)
    )
    before, mark, between = asked.partition(QUESTION_MARK)
    _, _, rest = answered.partition(QUESTION_MARK)
    filled, second_mark, after = rest.partition(ANSWER_MARK)
    if not mark or not second_mark:
        raise UsageError(
            "the tokenizer's chat template leaves the question or the answer out\n"
            "set base.model to an instruction-tuned model"
        )
    lead = filled.removeprefix(between) if filled.startswith(between) else ""
    return TemplateFrame(before, between, lead, _end_tokens(tokenizer, after))


def _end_tokens(tokenizer: PreTrainedTokenizerBase, after: str) -> tuple[int, ...]:
    """Return the tokens after an answer, up to and including the first special one."""
    ids = list(tokenizer(after, add_special_tokens=False)["input_ids"]) if after else []
    special = {*tokenizer.all_special_ids}
    special |= {i for i, t in tokenizer.added_tokens_decoder.items() if t.special}
    for index, token in enumerate(ids):
        if token in special:
            return tuple(ids[: index + 1])
    return (int(tokenizer.eos_token_id),)
