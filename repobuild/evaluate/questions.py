"""Draw the questions for the models so that every commit asks nearly the same ones.

A question is drawn by the hash of its sample's or element's id: the smallest hashes
come first. A commit that adds or removes samples replaces at most as many questions, so
answers stay comparable along the chain of commits, and the base model answers a
question once. Drawing by position or at random would replace most questions each time.
(Bottom-k sampling by hash; source: Cohen and Kaplan, "Summarizing data using bottom-k
sketches", PODC 2007.)

Each track's questions are drawn evenly by task, except that half of them come from
`code_location`: "in which file" has exactly one checkable answer. The `test` split
comes before `val`, which early stopping may have used in training.

Only drawn samples are read: a sample's text is rendered when it is read, and a large
repository has a hundred thousand samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from typing import Literal, TypeVar

from repobuild.code.facts.element_row import name_of
from repobuild.code.graph.graph import elements_of
from repobuild.code.scan.file_roles import is_test
from repobuild.engine.contract import Table, Value
from repobuild.samples.contexts.line_rows import LINES
from repobuild.samples.dataset.all_samples import AllSamples

LOCATION = "code_location"
TRACKS = ("recall", "generalise")
RECALL, GENERALISE = TRACKS
ASKED_KINDS = frozenset({"class", "function", "method"})

CaseType = Literal["repo_specific", "code_specific", "general"]
T = TypeVar("T")

# The questions of the first reports, in each language that they may be in.
_PROJECT: Mapping[str, Sequence[tuple[str, str]]] = {
    "zh": (
        ("overview", "{project} 项目的主要功能是什么？"),
        ("architecture", "请介绍 {project} 的架构设计。"),
        ("overview", "{project} 能用来做什么？"),
        ("architecture", "{project} 有哪些核心模块？"),
    ),
    "en": (
        ("overview", "What is {project} for?"),
        ("architecture", "Which are the core modules of {project}?"),
        ("overview", "What can I do with {project}?"),
        ("architecture", "How is {project} organised?"),
    ),
}
_CODE: Mapping[str, str] = {
    "zh": "请解释 `{name}` {kind}的作用。",
    "en": "Explain what the {kind} `{name}` of {project} does.",
}
_GENERAL: Mapping[str, Sequence[str]] = {
    "zh": (
        "什么是面向对象编程？",
        "请解释什么是递归。",
        "什么是单元测试？",
        "Python 装饰器有什么作用？",
    ),
    "en": (
        "What is a unit test?",
        "What does a Python decorator do?",
        "What is object-oriented programming?",
        "Explain what recursion is.",
    ),
}
_CHINESE_KINDS = {"class": "类", "function": "函数", "method": "方法"}


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
    """A held-out row of the dataset, without its text; `sub` names its task."""

    key: str
    sub: str  # #task.language.n
    split: str

    @property
    def id(self) -> str:
        return self.key + self.sub

    @property
    def task(self) -> str:
        return self.sub[1:].split(".", 1)[0]

    @property
    def language(self) -> str:
        """Of the question; "" for a rule of the repository's own that names none."""
        return self.sub.partition(".")[2].partition(".")[0]


@dataclass(frozen=True, slots=True)
class HeldOutSample:
    """A held-out sample: the question, and the checked answer."""

    id: str
    track: str
    task: str
    question: str
    answer: str
    row: Mapping[str, Value]

    @property
    def sub(self) -> str:
        """`#task.language.n`, from which the kind of the fact follows."""
        return "#" + self.id.rpartition("#")[2]

    @property
    def path(self) -> str:
        """The file that the sample is about."""
        return str(self.row.get("element") or self.id).partition("::")[0]

    @property
    def prompt(self) -> str | Mapping[str, Value]:
        """The input of the model: the row of a fill-in-the-middle sample, else a text.

        The recall track asks for a hole in words: their phrasing was never trained,
        whereas the hole itself was.
        """
        is_hole = self.row.get("form") == "fim" and self.track != RECALL
        return self.row if is_hole else self.question

    @property
    def loss_row(self) -> Mapping[str, Value]:
        """The sample whose loss is taken, in the same form as `prompt`."""
        return self.row if self.prompt is self.row else {**self.row, "form": "chat"}

    @property
    def asks_for_path(self) -> bool:
        return self.task == LOCATION and self.path not in self.question


@dataclass(frozen=True, slots=True)
class GraphElement:
    """An element of the graph, by its id and kind."""

    id: str
    kind: str

    @property
    def path(self) -> str:
        return self.id.partition("::")[0]

    @property
    def qualified_name(self) -> str:
        """The dotted name, without the `#2` of a second definition."""
        return ".".join(map(name_of, self.id.partition("::")[2].split(".")))

    @property
    def name(self) -> str:
        return self.qualified_name.rsplit(".", 1)[-1]


def draw_key(text: str) -> bytes:
    """Return the hash that things are drawn by, the smallest first."""
    return blake2b(text.encode(), digest_size=8).digest()


def graph_elements(graph: Table) -> Iterator[GraphElement]:
    """Yield the code elements of the graph, without its edges and files."""
    for path, row in graph.items():
        for qual, item in elements_of(row):
            yield GraphElement(f"{path}::{qual}", str(item["kind"]))


# ------------------------------------------------------------------ held-out samples


def held_out_rows(
    dataset: Table, with_lines: bool = True
) -> dict[str, list[HeldOutRow]]:
    """Return the held-out rows of each track, in the order of drawing.

    `with_lines` keeps samples that quote line numbers; without it they are left out,
    as they are in training.
    """
    tracks: dict[str, list[HeldOutRow]] = {track: [] for track in TRACKS}
    for key, rows in dataset.items():
        if key.endswith(LINES) and not with_lines:
            continue
        for sub, row in rows.items():
            if row.get("track") in tracks:
                tracks[row["track"]].append(HeldOutRow(key, sub, row["split"]))
    for held_out in tracks.values():
        held_out.sort(key=lambda row: (row.split != "test", draw_key(row.id)))
    return tracks


def draw_questions(
    track: str,
    held_out: Iterable[HeldOutRow],
    samples: AllSamples,
    count: int,
    before: Iterable[HeldOutSample] = (),
) -> list[HeldOutSample]:
    """Draw `count` samples of a track: half ask for a path, the rest evenly by task.

    Each question is drawn once, and none of those drawn `before`: phrasings of several
    samples may coincide.
    """
    rows = list(held_out)
    taken = {sample.question for sample in before}
    locations = _read_samples(track, (r for r in rows if r.task == LOCATION), samples)
    for_path = _distinct((s for s in locations if s.asks_for_path), taken)
    drawn = list(islice(for_path, count - count // 2))
    by_task = _alternate_tasks(track, rows, samples)
    others = _distinct((s for s in by_task if not s.asks_for_path), taken)
    return [*drawn, *islice(others, count - len(drawn))]


def draw_evenly(
    track: str, held_out: Iterable[HeldOutRow], samples: AllSamples, count: int
) -> list[HeldOutSample]:
    """Draw `count` samples, evenly by task as far as the tasks have samples."""
    return list(islice(_alternate_tasks(track, list(held_out), samples), count))


def _alternate_tasks(
    track: str, held_out: Sequence[HeldOutRow], samples: AllSamples
) -> Iterator[HeldOutSample]:
    """Yield one sample of each task in turn; a task without samples drops out."""
    rows_by_task: dict[str, list[HeldOutRow]] = {}
    for row in sorted(held_out, key=lambda row: row.task):  # stable: keeps the order
        rows_by_task.setdefault(row.task, []).append(row)
    tasks = [_read_samples(track, rows, samples) for rows in rows_by_task.values()]
    while tasks:
        for task in tuple(tasks):
            sample = next(task, None)
            if sample is None:
                tasks.remove(task)
            else:
                yield sample


def _read_samples(
    track: str, held_out: Iterable[HeldOutRow], samples: AllSamples
) -> Iterator[HeldOutSample]:
    for row in held_out:
        texts = samples.get(row.key) or {}
        if row.sub in texts:
            text = texts[row.sub]
            yield HeldOutSample(
                row.id, track, row.task, text["question"], text["answer"], text
            )


def _distinct(
    samples: Iterable[HeldOutSample], seen: set[str]
) -> Iterator[HeldOutSample]:
    """Yield the samples whose question is not in `seen`, and add it."""
    for sample in samples:
        if sample.question not in seen:
            seen.add(sample.question)
            yield sample


# ------------------------------------------------------- cases of the first reports


def languages_of(held_out: Iterable[HeldOutRow]) -> list[str]:
    """Return the languages of these rows that the cases may be in; never none."""
    found = {row.language for row in held_out}
    return [language for language in _CODE if language in found] or ["en"]


def first_report_cases(
    project: str, elements: Iterable[GraphElement], count: int, languages: Sequence[str]
) -> list[TestCase]:
    """Return a quarter about the project, a quarter general, the rest about code.

    Tests are left out: nobody asks what `test_total` is for, and a project has as many
    of them as of everything else.
    """
    quarter = count // 4
    about_project = [
        TestCase("repo_specific", text.format(project=project), category)
        for category, text in _in_turn(_PROJECT, languages, quarter)
    ]
    general = [
        TestCase("general", text, "general")
        for text in _in_turn(_GENERAL, languages, quarter)
    ]
    rest = count - len(about_project) - len(general)
    drawn = sorted(
        (element for element in elements if _is_public_code(element)),
        key=lambda element: draw_key(element.id),
    )
    about_code = [_code_case(project, element, languages) for element in drawn[:rest]]
    return [*about_project, *about_code, *general]


def _in_turn(
    texts: Mapping[str, Sequence[T]], languages: Sequence[str], count: int
) -> list[T]:
    """Return `count` of the texts, a language after the other."""
    in_turn = zip(*(texts[language] for language in languages), strict=True)
    return list(chain.from_iterable(in_turn))[:count]


def _is_public_code(element: GraphElement) -> bool:
    is_asked = element.kind in ASKED_KINDS and not element.name.startswith("_")
    return is_asked and not is_test(element.path)


def _code_case(
    project: str, element: GraphElement, languages: Sequence[str]
) -> TestCase:
    """Ask about an element, in the language that its id decides.

    So a new element does not change the question about another one.
    """
    language = languages[draw_key(element.id)[-1] % len(languages)]
    kind = _CHINESE_KINDS[element.kind] if language == "zh" else element.kind
    question = _CODE[language].format(
        project=project, name=element.qualified_name, kind=kind
    )
    return TestCase("code_specific", question, "implementation", (element.path,))
