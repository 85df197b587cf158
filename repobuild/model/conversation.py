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

A sample whose text contains a special token of the tokenizer is left out: in an
analysed file `<|im_end|>` is source text, not the end of a turn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

QUESTION_MARK = "QUESTION7f3a"
ANSWER_MARK = "ANSWER7f3a"
FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
FILE = "<|file_sep|>"
END_OF_TEXT = "<|endoftext|>"
# For templates that put today's date into the prompt (Llama 3.2): the date that they
# use without a clock. With today's date, equal inputs would train another adapter.
DATE = "26 Jul 2024"

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
        self.has_file_token = (
            FILE in vocabulary
        )  # whether the tokenizer has a file token
        special = {str(t) for t in tokenizer.added_tokens_decoder.values() if t.special}
        special |= set(tokenizer.all_special_tokens)
        self._special = re.compile("|".join(map(re.escape, sorted(special))) or r"\Z.")

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
            header = f"{FILE}{path}\n" if self.has_file_token and path else ""
            prefix, suffix, middle = FIM
            text = f"{prefix}{sample['prefix']}{suffix}{sample['suffix']}{middle}"
            return header + text
        return f"{self.frame.before}{sample['question']}{self.frame.between}"

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each text; the template has added the first token."""
        if not texts:
            return []
        rows = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return [list(ids) for ids in rows]

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
        for example in self._tokenise(clean):
            if len(example.tokens) > longest:
                left_out["too long"] += 1
            else:
                kept.append(example)
        return TokenisedSamples(kept, dict(sorted(left_out.items())))

    def _tokenise(self, samples: Sequence[tuple[str, Sample]]) -> list[Example]:
        prompts = [self.prompt(sample) for _, sample in samples]
        answers = [
            ("" if self._is_fim(sample) else self.frame.lead) + str(sample["answer"])
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

    def _is_fim(self, sample: Sample) -> bool:
        return (
            self.has_fim_tokens and sample.get("form") == "fim" and "prefix" in sample
        )


def find_frame(tokenizer: PreTrainedTokenizerBase) -> TemplateFrame:
    """Render the chat template with two marks and cut it at them."""
    question = [{"role": "user", "content": QUESTION_MARK}]
    both = [*question, {"role": "assistant", "content": ANSWER_MARK}]
    before, _, between = _render(tokenizer, question, True).partition(QUESTION_MARK)
    _, _, rest = _render(tokenizer, both, False).partition(QUESTION_MARK)
    filled, _, after = rest.partition(ANSWER_MARK)
    lead = filled.removeprefix(between) if filled.startswith(between) else ""
    return TemplateFrame(before, between, lead, _end_tokens(tokenizer, after))


def _render(
    tokenizer: PreTrainedTokenizerBase,
    messages: list[dict[str, str]],
    generation_prompt: bool,
) -> str:
    """Render the chat template with thinking off; other templates ignore that."""
    return str(
        tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=generation_prompt,
            enable_thinking=False,
            date_string=DATE,
        )
    )


def _end_tokens(tokenizer: PreTrainedTokenizerBase, after: str) -> tuple[int, ...]:
    """Return the tokens after an answer, up to and including the first special one."""
    ids = list(tokenizer(after, add_special_tokens=False)["input_ids"]) if after else []
    special = {*tokenizer.all_special_ids}
    special |= {i for i, t in tokenizer.added_tokens_decoder.items() if t.special}
    for index, token in enumerate(ids):
        if token in special:
            return tuple(ids[: index + 1])
    return (int(tokenizer.eos_token_id),)
