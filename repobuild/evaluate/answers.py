"""Ask a model, and keep its answers and losses from report to report.

An answer depends on the model, the question and the length limit, a loss on the model
and the sample. So a report stores the lines that it used in `answers.jsonl.gz`, and the
next report reads the files of earlier ones before it asks anything: the base model
answers a question once in the life of a repository, and the parent has answered most
questions when it was the adapter.

One JSON object a line, sorted:

    {"model": hex, "question": str, "max_new_tokens": int, "answer": str,
     "ended": bool}
    {"model": hex, "sample": hex, "loss": float, "tokens": int}

`ended` says that the model ended the answer before the limit. Lines of earlier versions
lack it, and are asked again; so does a judge's answer, which nobody asks for its end.

The `question` of a hole to fill is `fim ` and the digest of its sample; that of one
with facts begins with `facts 1` if the first of them answers it, else with `facts 0`.
The `sample` of a loss is the digest of a sample, or of a piece of plain text. `loss` is
the sum over the `tokens`, in nats.

`model` is the object of an adapter or the digest of the base, with `/chat` after it
where the base cannot fill holes; so a line never becomes invalid. A file that cannot be
read is a cache miss: its lines are computed again.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple, Protocol

from repobuild.engine.contract import Task, Value
from repobuild.model.generate import GeneratedText
from repobuild.model.grounding import GroundedQuestion

FILE = "answers.jsonl.gz"
REPORTS_READ = 12  # earlier reports whose answers are used; the last one has most

AnswerKey = tuple[str, str, int]  # model, question, max_new_tokens
LossKey = tuple[str, str]  # model, sample digest

SampleRow = Mapping[str, Value]
# A question, with facts or without, or a whole sample whose hole is to be filled.
Question = str | GroundedQuestion | SampleRow
Text = tuple[str, str]  # path and text of a piece of a file
Losses = Sequence[tuple[float, int]]  # sum over the tokens in nats, number of tokens
Advance = Callable[[int], None]


class Ended(NamedTuple):
    """How many texts were generated, and how many of them the model ended itself."""

    asked: int
    ended: int

    @classmethod
    def of(cls, ended: Collection[bool]) -> Ended:
        return cls(len(ended), sum(ended))

    @property
    def share(self) -> float | None:
        return round(self.ended / self.asked, 4) if self.asked else None


class Model(Protocol):
    """The part of `TextGenerator` that is used here."""

    def generate(
        self, questions: Sequence[Question], max_new_tokens: int, advance: Advance
    ) -> Sequence[tuple[str, bool]]: ...  # text, whether the model ended it

    def losses(
        self, samples: Sequence[tuple[str, SampleRow]]
    ) -> list[tuple[float, int]]: ...

    def text_losses(self, texts: Sequence[Text]) -> list[tuple[float, int]]: ...


@dataclass(frozen=True, slots=True)
class ModelAnswers:
    """One model's answers and losses, in the order of the question set."""

    cases: Sequence[str]
    answers: Mapping[str, Sequence[str]]  # by track
    losses: Mapping[str, Losses]  # by track
    outdated: Sequence[str] = ()
    general: Losses = ()
    own: Sequence[str] = ()
    grounded: Sequence[str] = ()  # to the recall questions, with facts before them
    # Of the answers to questions without facts, and of the completions of code.
    answers_ended: Ended = Ended(0, 0)
    completions_ended: Ended = Ended(0, 0)


@dataclass(slots=True)
class AnswerCache:
    """Answers and losses by what they depend on."""

    answers: dict[AnswerKey, str] = field(default_factory=dict)
    ended: dict[AnswerKey, bool] = field(default_factory=dict)  # before the limit
    losses: dict[LossKey, tuple[float, int]] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        """Add the lines of an earlier report; a damaged file adds nothing."""
        try:
            lines = gzip.decompress(path.read_bytes()).decode("ascii").splitlines()
            rows = [json.loads(line) for line in lines]
        except (OSError, EOFError, zlib.error, ValueError):
            return
        for row in rows:
            if "question" in row:
                key = (row["model"], row["question"], row["max_new_tokens"])
                self.answers[key] = row["answer"]
                if "ended" in row:
                    self.ended[key] = row["ended"]
            else:
                loss = (row["loss"], row["tokens"])
                self.losses[row["model"], row["sample"]] = loss

    def write(self, path: Path) -> None:
        """Write sorted lines without a time stamp: same content, same bytes."""
        text = "".join(f"{line}\n" for line in sorted(self._lines()))
        path.write_bytes(gzip.compress(text.encode("ascii"), 6, mtime=0))

    def _lines(self) -> Iterable[str]:
        for (model, question, limit), answer in self.answers.items():
            row = {"model": model, "question": question, "max_new_tokens": limit}
            ended = self.ended.get((model, question, limit))
            known = {} if ended is None else {"ended": ended}
            yield json.dumps({**row, "answer": answer, **known})
        for (model, sample), (loss, tokens) in self.losses.items():
            loss_row = {"model": model, "sample": sample}
            yield json.dumps({**loss_row, "loss": loss, "tokens": tokens})


def read_earlier_answers(task: Task) -> AnswerCache:
    """Read the answers of the newest `REPORTS_READ` reports.

    Two reports never disagree on a line, so the order does not matter.
    """
    cache = AnswerCache()
    newest_first = sorted(task.rows("report").values(), key=lambda r: -int(r["build"]))
    for report in newest_first[:REPORTS_READ]:
        try:
            cache.read(task.object(str(report["object"])) / FILE)
        except KeyError:
            continue  # collected or damaged: its answers are computed again
    return cache


@dataclass
class ModelUnderTest:
    """A model with the cache of its answers; loaded only when one is missing.

    `used` collects the lines that this report needs, `computed` counts the new ones.
    """

    digest: str
    load: Callable[[], Model]
    cache: AnswerCache
    used: AnswerCache
    computed: int = 0

    @cached_property
    def model(self) -> Model:
        return self.load()

    def generate(
        self,
        questions: Sequence[Question],
        limit: int,
        advance: Advance = lambda count: None,
    ) -> list[GeneratedText]:
        """Return the answers in the order of the questions.

        All missing answers are generated in one call, with at most `limit` new tokens
        each. `advance` is called with the number of questions that are done.
        """
        cached, ended = self.cache.answers, self.cache.ended
        keys = [(self.digest, question_key(q), limit) for q in questions]
        missing = {
            key: question
            for key, question in zip(keys, questions, strict=True)
            if key not in ended
        }
        advance(len(questions) - len(missing))
        if missing:
            new = self.model.generate(list(missing.values()), limit, advance)
            for key, (text, is_ended) in zip(missing, new, strict=True):
                cached[key], ended[key] = text, is_ended
            self.computed += len(missing)
        self.used.answers.update((key, cached[key]) for key in keys)
        self.used.ended.update((key, ended[key]) for key in keys)
        return [GeneratedText(cached[key], ended[key]) for key in keys]

    def losses(self, samples: Sequence[SampleRow]) -> Losses:
        """Return each sample's loss, summed over the tokens of its answer."""
        digests = [sample_digest(row) for row in samples]
        by_digest = dict(zip(digests, samples, strict=True))
        return self._losses(
            digests,
            lambda missing: self.model.losses([(d, by_digest[d]) for d in missing]),
        )

    def text_losses(self, texts: Sequence[Text]) -> Losses:
        """Return each text's loss, summed over all of its tokens."""
        digests = [text_digest(text) for text in texts]
        by_digest = dict(zip(digests, texts, strict=True))
        return self._losses(
            digests,
            lambda missing: self.model.text_losses([by_digest[d] for d in missing]),
        )

    def _losses(
        self, digests: Sequence[str], compute: Callable[[Sequence[str]], Losses]
    ) -> Losses:
        """Return losses in the order of the digests; compute missing ones at once."""
        cached = self.cache.losses
        keys = [(self.digest, digest) for digest in digests]
        missing = list(dict.fromkeys(key for key in keys if key not in cached))
        if missing:
            new = compute([digest for _, digest in missing])
            rounded = ((round(total, 4), tokens) for total, tokens in new)
            cached.update(zip(missing, rounded, strict=True))
            self.computed += len(missing)
        self.used.losses.update((key, cached[key]) for key in keys)
        return [cached[key] for key in keys]


def question_key(question: Question) -> str:
    if isinstance(question, str):
        return question
    if isinstance(question, GroundedQuestion):
        return f"facts {int(question.answered)} {question.prompt}"
    return f"fim {sample_digest(question)}"


def sample_digest(row: SampleRow) -> str:
    """Return the digest of the texts that a loss depends on."""
    names = ("form", "element", "question", "answer", "prefix", "suffix")
    texts = json.dumps([row.get(name, "") for name in names])
    return blake2b(texts.encode("ascii"), digest_size=12).hexdigest()


def text_digest(text: Text) -> str:
    """Return the digest of a piece of plain text.

    It equals no sample's digest, because a sample's covers six texts.
    """
    return blake2b(json.dumps(text).encode("ascii"), digest_size=12).hexdigest()
