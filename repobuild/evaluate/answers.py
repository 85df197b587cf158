"""What models said, kept from report to report.

An answer depends on the model, the question and the length limit, a loss on the model
and the sample.  So a report keeps what it used in `answers.jsonl.gz`, and the next one
reads the earlier reports' files before it asks anything: the base model answers a
question once in the life of a repository, and a parent has answered as an adapter.

One JSON object a line, sorted:

    {"model": hex, "question": str, "max_new_tokens": int, "answer": str}
    {"model": hex, "sample": hex, "loss": float, "tokens": int}

A hole to fill is asked as a whole sample; its `question` is `fim ` and its digest.  The
`sample` of a loss is a sample's digest, or that of a piece of plain text.

`model` is the object of an adapter or the digest of the base, so a line never ages.  A
file that cannot be read is a miss: its lines are made again.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from repobuild.engine.contract import Task, Value

FILE = "answers.jsonl.gz"
REPORTS_READ = 12  # earlier reports whose answers are used; the last one has most

AnswerKey = tuple[str, str, int]  # model, question, max_new_tokens
LossKey = tuple[str, str]  # model, sample digest


Row = Mapping[str, Value]
Question = str | Row  # a question, or a whole sample whose hole is to be filled
Text = tuple[str, str]  # the path of a piece of a file, and the piece
Losses = list[tuple[float, int]]
Advance = Callable[[int], None]


class Model(Protocol):
    """A model that can be asked: the part of `TextGenerator` that is used here."""

    def answers(
        self, questions: Sequence[Question], max_new_tokens: int, advance: Advance
    ) -> list[str]: ...

    def losses(self, samples: Sequence[tuple[str, Row]]) -> Losses: ...

    def text_losses(self, texts: Sequence[Text]) -> Losses: ...


@dataclass(slots=True)
class AnswerCache:
    """Answers and losses by what they depend on."""

    answers: dict[AnswerKey, str] = field(default_factory=dict)
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
            else:
                loss = (row["loss"], row["tokens"])
                self.losses[row["model"], row["sample"]] = loss

    def write(self, path: Path) -> None:
        """Same content, same bytes: sorted lines, no time in the header."""
        text = "".join(f"{line}\n" for line in sorted(self._lines()))
        path.write_bytes(gzip.compress(text.encode("ascii"), 6, mtime=0))

    def _lines(self) -> Iterable[str]:
        for (model, question, limit), answer in self.answers.items():
            row = {"model": model, "question": question, "max_new_tokens": limit}
            yield json.dumps({**row, "answer": answer})
        for (model, sample), (loss, tokens) in self.losses.items():
            loss_row = {"model": model, "sample": sample}
            yield json.dumps({**loss_row, "loss": loss, "tokens": tokens})


def earlier(task: Task, reports: Sequence[str]) -> AnswerCache:
    """What these reports said, the newest first; two never disagree on a line."""
    memory = AnswerCache()
    for object_id in reports[:REPORTS_READ]:
        try:
            memory.read(task.object(object_id) / FILE)
        except KeyError:
            continue  # collected or damaged: its answers are made again
    return memory


@dataclass
class Respondent:
    """One model of the comparison; opened only when memory does not have it all."""

    digest: str
    opening: Callable[[], Model]
    memory: AnswerCache
    used: AnswerCache
    made: int = 0

    @cached_property
    def model(self) -> Model:
        return self.opening()

    def answers(
        self,
        questions: Sequence[Question],
        limit: int,
        advance: Advance = lambda count: None,
    ) -> list[str]:
        """Answers in the order of the questions; missing ones in one call."""
        known = self.memory.answers
        keys = [(self.digest, question_key(q), limit) for q in questions]
        missing = {k: q for k, q in zip(keys, questions, strict=True) if k not in known}
        advance(len(questions) - len(missing))
        if missing:
            said = self.model.answers(list(missing.values()), limit, advance)
            known.update(zip(missing, said, strict=True))
            self.made += len(missing)
        self.used.answers.update((key, known[key]) for key in keys)
        return [known[key] for key in keys]

    def losses(self, samples: Sequence[Row]) -> Losses:
        """Sum over the answer's tokens, and their number, of every sample."""
        digests = [sample_digest(row) for row in samples]
        named = dict(zip(digests, samples, strict=True))
        return self._losses(digests, lambda new: self.model.losses(_of(named, new)))

    def text_losses(self, texts: Sequence[Text]) -> Losses:
        """The same of pieces of plain text, over all of their tokens."""
        digests = [text_digest(text) for text in texts]
        named = dict(zip(digests, texts, strict=True))
        return self._losses(
            digests, lambda new: self.model.text_losses([named[d] for d in new])
        )

    def _losses(
        self, digests: Sequence[str], lost: Callable[[Sequence[str]], Losses]
    ) -> Losses:
        """Losses in the order of the digests; missing ones in one call."""
        known = self.memory.losses
        keys = [(self.digest, digest) for digest in digests]
        missing = list(dict.fromkeys(key for key in keys if key not in known))
        if missing:
            found = lost([digest for _, digest in missing])
            rounded = ((round(total, 4), tokens) for total, tokens in found)
            known.update(zip(missing, rounded, strict=True))
            self.made += len(missing)
        self.used.losses.update((key, known[key]) for key in keys)
        return [known[key] for key in keys]


def _of(rows: Mapping[str, Row], digests: Sequence[str]) -> list[tuple[str, Row]]:
    return [(digest, rows[digest]) for digest in digests]


def question_key(question: Question) -> str:
    return question if isinstance(question, str) else f"fim {sample_digest(question)}"


def sample_digest(row: Row) -> str:
    """Digest of the texts that a loss depends on."""
    names = ("form", "element", "question", "answer", "prefix", "suffix")
    texts = json.dumps([row.get(name, "") for name in names])
    return blake2b(texts.encode("ascii"), digest_size=12).hexdigest()


def text_digest(text: Text) -> str:
    """Digest of a piece of plain text; no sample's, which hashes six texts."""
    return blake2b(json.dumps(text).encode("ascii"), digest_size=12).hexdigest()
