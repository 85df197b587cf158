"""Measure what a base model makes of questions about packages that it never saw.

    python -m tests.benchmarks.base_questions CORPUS MODEL...

CORPUS is what `repobuild.model.bundled.packages` and `.corpus_facts` write; asked are
the packages that are held out there. No adapter is involved: without facts in the
prompt a base cannot know an answer, but it can know what is asked and how it is said.

loss        nats a token: code of the library's held-out files and of the packages; of
            questions the tokens of the answer, in phrasings that were trained
ends        answers that end within LIMIT tokens, in phrasings that were never trained
read        answers that begin as the right one does, whatever names they give: the
            question was understood (the same phrasings)
grounded    answers with exactly the names, paths and numbers of the right one, when two
            to six facts are in the prompt; phrasings that were never trained
refused     answers that say so when no fact in the prompt answers the question
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from repobuild.model.base import Base
from repobuild.model.bundled.grounded import (
    REFUSALS,
    FactIndex,
    GroundedStyle,
    grounded_conversations,
)
from repobuild.model.bundled.pretrain import held_out_loss, load_base
from repobuild.model.bundled.question_texts import (
    AskedQuestion,
    conversations,
    held_out_phrasings,
)
from repobuild.model.bundled.training_rows import Rows, held_out_rows, read_corpus
from repobuild.model.generate import TextGenerator

LIMIT = 160  # tokens of an answer
EACH = 96  # questions of each exam
ROWS = 24  # of 512 tokens, of each kind of text
CODE_KINDS = frozenset("code describe steps trace sketch written example".split())
_EXACT = re.compile(r"`[^`\n]+`|(?<![\w.])\d+(?![\w.])")

Scores = dict[str, object]
Judge = Callable[[str, AskedQuestion], bool]


@dataclass(frozen=True, slots=True)
class Exam:
    """Questions, and what makes an answer right."""

    name: str
    asked: Sequence[AskedQuestion]
    is_right: Judge


def exact_parts(text: str) -> Counter[str]:
    """Return the names, paths and numbers of an answer."""
    return Counter(_EXACT.findall(text))


def frame(text: str) -> str:
    """Return the words of an answer's first paragraph, without what is exact in it."""
    first = text.split("\n\n")[0].split("\n")[0]
    return re.sub(r"(X[,、 ]*(?:\(X X\)|（X X）)?)+", "X", _EXACT.sub("X", first))


def is_grounded(answer: str, right: AskedQuestion) -> bool:
    return exact_parts(answer) == exact_parts(right.answer)


def is_refused(answer: str, right: AskedQuestion) -> bool:
    return answer.strip() in REFUSALS.values()


def is_read(answer: str, right: AskedQuestion) -> bool:
    """Return whether the first six words of the frame are those of the right answer."""
    return _begin(answer) == _begin(right.answer)


def _begin(text: str) -> str:
    words = frame(text)
    return words[:12] if re.search("[一-鿿]", words) else " ".join(words.split()[:6])


def exams(indexes: Sequence[FactIndex]) -> Iterator[Exam]:
    """Yield every exam, the same for every model."""
    plain = [
        one
        for index in indexes
        for one in conversations(
            index.repository, 60, random.Random(1), held_out_phrasings
        )
        if one.kind not in CODE_KINDS
    ]
    yield Exam("read", _drawn(plain), is_read)
    for name, style, judge in (
        ("grounded, real names", GroundedStyle(0, 0, held_out_phrasings), is_grounded),
        ("grounded, invented", GroundedStyle(0, 1, held_out_phrasings), is_grounded),
        ("refused", GroundedStyle(1, 0.5, held_out_phrasings), is_refused),
    ):
        asked = [
            one
            for index in indexes
            for one in grounded_conversations(index, 40, random.Random(2), style)
        ]
        yield Exam(name, _drawn(asked), judge)


def _drawn(asked: list[AskedQuestion]) -> list[AskedQuestion]:
    return random.Random(3).sample(asked, min(EACH, len(asked)))


def measure(folder: Path, rows: Mapping[str, Rows], papers: list[Exam]) -> Scores:
    """Return the scores of a model: in all, by kind, and some answers to read."""
    generator = TextGenerator.load(Base(folder.name, str(folder), None, folder.name))
    scores: Scores = {"loss": held_out_loss(load_base(folder).eval(), rows, ROWS, 8)}
    ended = [0, 0]
    for exam in papers:
        given = generator.generate([one.question for one in exam.asked], LIMIT)
        right = [
            exam.is_right(answer.text, one)
            for answer, one in zip(given, exam.asked, strict=True)
        ]
        scores[exam.name] = round(sum(right) / len(right), 3)
        ended[0] += sum(answer.ended for answer in given)
        ended[1] += len(given)
        kinds: dict[str, list[bool]] = {}
        for one, is_right in zip(exam.asked, right, strict=True):
            kinds.setdefault(one.kind, []).append(is_right)
        scores[f"{exam.name} by kind"] = {
            kind: f"{sum(r)} of {len(r)}" for kind, r in sorted(kinds.items())
        }
        scores[f"{exam.name} shown"] = [
            {"question": one.question, "answer": answer.text, "right": one.answer}
            for answer, one in list(zip(given, exam.asked, strict=True))[:12]
        ]
    scores["ends"] = round(ended[0] / ended[1], 3)
    return scores


def main() -> None:
    corpus, *models = (Path(argument) for argument in sys.argv[1:])
    held_out = read_corpus(corpus, held_out=True)
    papers = list(exams(held_out.facts))
    tokenizer = TextGenerator.load(
        Base(models[0].name, str(models[0]), None, models[0].name)
    ).conversation.tokenizer
    rows = held_out_rows(held_out, tokenizer, 512, ROWS)
    scores = {str(folder): measure(folder, rows, papers) for folder in models}
    print(json.dumps(scores, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
