"""Which questions are put to the models: the same ones after every commit.

Questions are drawn by the hash of what they are about: those with the smallest hashes
are asked.  A commit that adds or removes a sample displaces at most as many questions
as it has samples, so answers stay comparable over the chain, and the base model's are
generated once.  Drawing by position or at random would change most of them each time.

Strict questions are drawn for each track evenly by task, half of them from
`code_location` because "in which file" is the fact with one checkable answer.  The
`test` split comes before `val`, which training may have used to stop.

Only drawn samples are looked at: a sample's text is rendered when it is read, and a
large repository has a hundred thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Literal

from repobuild.code.graph.graph import elements_of
from repobuild.engine.contract import Table, Value
from repobuild.samples.contexts.line_rows import LINES
from repobuild.samples.dataset.all_samples import AllSamples

LOCATION = "code_location"
TRACKS = ("recall", "generalise")
ASKED_KINDS = frozenset({"class", "function", "method"})

CaseType = Literal["repo_specific", "code_specific", "general"]

_PROJECT: tuple[tuple[str, str], ...] = (
    ("overview", "{project} 项目的主要功能是什么？"),
    ("architecture", "请介绍 {project} 的架构设计。"),
    ("overview", "What is {project} for?"),
    ("architecture", "Which are the core modules of {project}?"),
)
_CODE: tuple[str, ...] = (
    "请解释 `{name}` {kind}的作用。",
    "Explain what the {kind} `{name}` of {project} does.",
)
_GENERAL: tuple[str, ...] = (
    "什么是面向对象编程？",
    "What is a unit test?",
    "What does a Python decorator do?",
    "请解释什么是递归。",
)
_CHINESE = {"class": "类", "function": "函数", "method": "方法"}


@dataclass(frozen=True, slots=True)
class TestCase:
    """A question of the comparison report, in the form of the first reports."""

    __test__ = False  # for pytest: not a class of tests

    type: CaseType
    question: str
    category: str
    reference_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldOutRow:
    """A held-out row of the dataset; its key says the task, its text is elsewhere."""

    key: str
    sub: str  # #task.language.n
    split: str

    @property
    def id(self) -> str:
        return self.key + self.sub

    @property
    def task(self) -> str:
        return self.sub[1:].split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class HeldOutSample:
    """A held-out sample: what is asked, and the checked answer."""

    id: str
    track: str
    task: str
    question: str
    answer: str
    row: Mapping[str, Value]

    @property
    def sub(self) -> str:
        """#task.language.n, which says what kind of fact is asked for."""
        return "#" + self.id.rpartition("#")[2]

    @property
    def path(self) -> str:
        """The file that the sample is about."""
        return str(self.row.get("element") or self.id).partition("::")[0]

    @property
    def asked(self) -> str | Mapping[str, Value]:
        """What is put to the model: a hole as a hole, everything else as a question.

        On the recall track a hole is asked about in words.  Its phrasing is what was
        never trained; the hole itself was.
        """
        whole = self.row.get("form") == "fim" and self.track != "recall"
        return self.row if whole else self.question

    @property
    def measured(self) -> Mapping[str, Value]:
        """The sample whose loss is taken, by the same rule."""
        return self.row if self.asked is self.row else {**self.row, "form": "chat"}

    @property
    def asks_for_path(self) -> bool:
        return self.task == LOCATION and self.path not in self.question


Drawn = list[HeldOutSample]


@dataclass(frozen=True, slots=True)
class GraphElement:
    """An element of the graph; the id says all that is needed here."""

    id: str
    kind: str

    @property
    def path(self) -> str:
        return self.id.partition("::")[0]

    @property
    def qualified_name(self) -> str:
        """Without the `#2` of a second definition."""
        names = self.id.partition("::")[2].split(".")
        return ".".join(name.partition("#")[0] for name in names)

    @property
    def name(self) -> str:
        return self.qualified_name.rsplit(".", 1)[-1]


def elements(graph: Table) -> Iterator[GraphElement]:
    """Code elements of the graph; its other entries are edges and files."""
    for path, entries in graph.items():
        for qual, item in elements_of(entries):
            yield GraphElement(f"{path}::{qual}", str(item["kind"]))


def held_out(dataset: Table, with_lines: bool = True) -> dict[str, list[HeldOutRow]]:
    """Samples of both tracks, each in the order of drawing; trained ones are none.

    Without `with_lines` none of those that quote line numbers, which are not trained.
    """
    found: dict[str, list[HeldOutRow]] = {track: [] for track in TRACKS}
    for key, rows in dataset.items():
        if key.endswith(LINES) and not with_lines:
            continue
        for sub, row in rows.items():
            if row.get("track") in found:
                found[row["track"]].append(HeldOutRow(key, sub, row["split"]))
    return {track: sorted(rows, key=_order) for track, rows in found.items()}


def _order(sample: HeldOutRow) -> tuple[bool, bytes]:
    return sample.split != "test", by_hash(sample.id)


def questions(
    track: str, held: Iterable[HeldOutRow], samples: AllSamples, count: int
) -> Drawn:
    """Draw `count` of one track: half ask for a path, the rest are even by task.

    One question is asked once: phrasings of several samples may coincide.
    """
    rows = list(held)
    locations = _texts(track, (r for r in rows if r.task == LOCATION), samples)
    asking = _distinct(s for s in locations if s.asks_for_path)
    drawn = list(islice(asking, count - count // 2))
    taken = {sample.question for sample in drawn}
    others = _distinct(s for s in _even(track, rows, samples) if not s.asks_for_path)
    rest = (sample for sample in others if sample.question not in taken)
    return [*drawn, *islice(rest, count - len(drawn))]


def even(
    track: str, held: Iterable[HeldOutRow], samples: AllSamples, count: int
) -> Drawn:
    """Draw `count`, evenly by task as far as the tasks have samples."""
    return list(islice(_even(track, list(held), samples), count))


def _even(
    track: str, held: Sequence[HeldOutRow], samples: AllSamples
) -> Iterator[HeldOutSample]:
    """Take turns over the tasks; a task that runs dry leaves its turn to the others."""
    of_task: dict[str, list[HeldOutRow]] = {}
    for row in sorted(held, key=lambda row: row.task):  # stable: drawing order stays
        of_task.setdefault(row.task, []).append(row)
    turns = [_texts(track, rows, samples) for rows in of_task.values()]
    while turns:
        for turn in tuple(turns):
            sample = next(turn, None)
            if sample is None:
                turns.remove(turn)
            else:
                yield sample


def _texts(
    track: str, held: Iterable[HeldOutRow], samples: AllSamples
) -> Iterator[HeldOutSample]:
    for row in held:
        texts = samples.get(row.key) or {}
        if row.sub in texts:
            text = texts[row.sub]
            yield HeldOutSample(
                row.id, track, row.task, text["question"], text["answer"], text
            )


def _distinct(samples: Iterable[HeldOutSample]) -> Iterator[HeldOutSample]:
    seen: set[str] = set()
    for sample in samples:
        if sample.question not in seen:
            seen.add(sample.question)
            yield sample


def seed_cases(
    project: str, known: Iterable[GraphElement], count: int
) -> list[TestCase]:
    """A quarter about the project, a quarter in general, the rest about code."""
    quarter = count // 4
    about = [
        TestCase("repo_specific", text.format(project=project), category)
        for category, text in _PROJECT[:quarter]
    ]
    general = [TestCase("general", text, "general") for text in _GENERAL[:quarter]]
    rest = count - len(about) - len(general)
    asked = sorted(
        (e for e in known if e.kind in ASKED_KINDS and not e.name.startswith("_")),
        key=lambda element: by_hash(element.id),
    )
    code = [_code_case(project, element) for element in asked[:rest]]
    return [*about, *code, *general]


def _code_case(project: str, element: GraphElement) -> TestCase:
    """The id decides the language: a newcomer must not change another's question."""
    language = by_hash(element.id)[-1] % len(_CODE)
    kind = _CHINESE[element.kind] if language == 0 else element.kind
    question = _CODE[language].format(
        project=project, name=element.qualified_name, kind=kind
    )
    return TestCase("code_specific", question, "implementation", (element.path,))


def by_hash(text: str) -> bytes:
    """What things are drawn by: the smallest are asked about."""
    return blake2b(text.encode(), digest_size=8).digest()
