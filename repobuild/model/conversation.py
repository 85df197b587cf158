"""From a sample to tokens, and which of them the loss is over.

The frame around question and answer is found once, by rendering the tokenizer's own
chat template with two marks and cutting at them:

    before QUESTION between lead ANSWER end ...
    <bos>..user      ..assistant       <|im_end|>

`between` is what the template adds to ask for an answer, so a trained prompt and a
generated one are the same tokens.  `lead` is what the template puts between that and
the answer (Mistral: one blank).  `end` is the first special token after the answer:
`<|im_end|>`, `<|eot_id|>`, `</s>`, `<end_of_turn>`.  Without it in the loss a model
never learns to stop, which is the bug of the project we learnt most from.

The loss covers what follows the prompt *at the level of tokens*.  Where the tokens of
the whole text do not begin with the tokens of the prompt (a merge across the border),
prompt and answer are tokenised apart: generation starts from the prompt's own tokens.

A text that contains a special token of the tokenizer is left out: inside an analysed
file `<|im_end|>` is five words, not the end of a turn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

QUESTION = "QUESTION7f3a"
ANSWER = "ANSWER7f3a"
FIM = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
FILE = "<|file_sep|>"
END_OF_TEXT = "<|endoftext|>"
# For templates that tell a model what day it is (Llama 3.2): the day that they take
# where no clock is at hand. With today's, equal inputs would train another adapter.
DATE = "26 Jul 2024"

Sample = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """One tokenised sample; the loss is over `tokens[answer:]`."""

    id: str
    task: str
    tokens: list[int]
    answer: int

    @property
    def labels(self) -> list[int]:
        return [-100] * self.answer + self.tokens[self.answer :]


@dataclass(frozen=True, slots=True)
class TemplateFrame:
    """What the template puts around one question and its answer."""

    before: str
    between: str
    lead: str
    end: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TokenisedSamples:
    """What became of the samples."""

    kept: list[Example]
    left_out: dict[str, int]  # reason -> count


class Conversation:
    """Speaks with one tokenizer: prompts to generate from, examples to train on."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, fim: bool = True) -> None:
        self.tokenizer = tokenizer
        self.frame = frame_of(tokenizer)
        known = tokenizer.get_vocab()
        self.fim = fim and all(token in known for token in FIM)
        self.files = FILE in known
        special = {str(t) for t in tokenizer.added_tokens_decoder.values() if t.special}
        special |= set(tokenizer.all_special_tokens)
        self._special = re.compile("|".join(map(re.escape, sorted(special))) or r"\Z.")

    @property
    def ends(self) -> list[int]:
        """Ids at which generation stops."""
        vocabulary = self.tokenizer.get_vocab()
        found = {self.frame.end[-1], self.tokenizer.eos_token_id}
        found.add(vocabulary.get(END_OF_TEXT))
        return sorted(i for i in found if i is not None)

    def prompt(self, sample: Sample) -> str:
        """The text that generation starts from."""
        if self._as_fim(sample):
            path = str(sample["element"]).partition("::")[0]
            header = f"{FILE}{path}\n" if self.files and path else ""
            start, hole, end = FIM
            return f"{header}{start}{sample['prefix']}{hole}{sample['suffix']}{end}"
        return f"{self.frame.before}{sample['question']}{self.frame.between}"

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of whole texts; the template brought the first token with it."""
        if not texts:
            return []
        found = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return [list(ids) for ids in found]

    def examples(
        self, samples: Iterable[tuple[str, Sample]], longest: int
    ) -> TokenisedSamples:
        """Tokenise; samples that are too long or hold special tokens are counted."""
        left_out: Counter[str] = Counter()
        clean = []
        for sample_id, sample in samples:
            if any(self._special.search(text) for text in _texts(sample)):
                left_out["special token"] += 1
            else:
                clean.append((sample_id, sample))
        kept = []
        for example in self._tokenised(clean):
            if len(example.tokens) > longest:
                left_out["too long"] += 1
            else:
                kept.append(example)
        return TokenisedSamples(kept, dict(sorted(left_out.items())))

    def _tokenised(self, samples: Sequence[tuple[str, Sample]]) -> list[Example]:
        prompts = [self.prompt(sample) for _, sample in samples]
        answers = [self._answer(sample) for _, sample in samples]
        whole = [p + a for p, a in zip(prompts, answers, strict=True)]
        asked, said = self.encode(prompts), self.encode(whole)
        examples = []
        for number, (sample_id, sample) in enumerate(samples):
            start = len(asked[number])
            tokens = said[number]
            if tokens[:start] != asked[number]:
                tokens = asked[number] + self.encode([answers[number]])[0]
            tokens = [*tokens, *self.frame.end]
            examples.append(Example(sample_id, str(sample["task"]), tokens, start))
        return examples

    def _answer(self, sample: Sample) -> str:
        lead = "" if self._as_fim(sample) else self.frame.lead
        return f"{lead}{sample['answer']}"

    def _as_fim(self, sample: Sample) -> bool:
        return self.fim and sample.get("form") == "fim" and "prefix" in sample


def frame_of(tokenizer: PreTrainedTokenizerBase) -> TemplateFrame:
    """Cut the rendered template at the two marks."""
    asking = [{"role": "user", "content": QUESTION}]
    both = [*asking, {"role": "assistant", "content": ANSWER}]
    before, _, between = _render(tokenizer, asking, True).partition(QUESTION)
    _, _, behind = _render(tokenizer, both, False).partition(QUESTION)
    filled, _, after = behind.partition(ANSWER)
    lead = filled.removeprefix(between) if filled.startswith(between) else ""
    return TemplateFrame(before, between, lead, _end(tokenizer, after))


def _render(
    tokenizer: PreTrainedTokenizerBase, messages: list[dict[str, str]], ask: bool
) -> str:
    """Thinking models are asked without thinking; other templates ignore the words."""
    return str(
        tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=ask,
            enable_thinking=False,
            date_string=DATE,
        )
    )


def _end(tokenizer: PreTrainedTokenizerBase, after: str) -> tuple[int, ...]:
    """The tokens after an answer, up to and with the first special one."""
    ids = list(tokenizer(after, add_special_tokens=False)["input_ids"]) if after else []
    special = {*tokenizer.all_special_ids}
    special |= {i for i, t in tokenizer.added_tokens_decoder.items() if t.special}
    for place, token in enumerate(ids):
        if token in special:
            return tuple(ids[: place + 1])
    return (int(tokenizer.eos_token_id),)


def _texts(sample: Sample) -> list[str]:
    names = ("question", "answer", "prefix", "suffix")
    return [str(sample[name]) for name in names if name in sample]
