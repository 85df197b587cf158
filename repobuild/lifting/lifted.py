"""The task `lifted`: ask a model about what is new and says little of itself.

Of an element or file whose surest feature has a confidence below `_WEAK`, and of each
new node of the hierarchy, the model is asked once: answers are kept under a digest of
the question and carried from artifact to artifact. Questions go in batches; what was
not answered in a batch is asked once more in a smaller one. Answers are appended to a
file of the task's folder as they come, so that a build that was killed, or that lost
its server, pays for none twice.

The token is in the environment variable REPOBUILD_LLM_TOKEN.

Method: RPG-Encoder (arXiv:2602.02084), which asks a model about every element.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from repobuild.chat_endpoint import ChatEndpoint, EndpointError, check_endpoint
from repobuild.code.areas.area_map import AreaMap
from repobuild.code.facts.element_row import name_of, parent_of, row_of
from repobuild.engine.contract import Task, Value
from repobuild.errors import BuildError
from repobuild.lifting.lifted_phrases import DIGEST, LiftedPhrases
from repobuild.lifting.lifting_prompt import (
    RULES,
    element_item,
    file_item,
    group_item,
    prompt_of,
    read_answers,
)
from repobuild.resources import LLM_TOKEN, program
from repobuild.samples.dataset.secret_detection import redact

_WEAK = 0.6  # a feature of this confidence or more is kept
_BATCHES = (20, 5)  # questions in a request, the second time
_TOKENS_EACH = 40  # of an answer
_GIVE_UP = 3  # failures in a row
_PAID = "answers.jsonl"
SECTION = "graph.llm"


class LiftingQuestion(NamedTuple):
    """What is asked, where the answer belongs, and the key that it is kept under."""

    path: str  # "" of a node of the hierarchy
    sub: str  # of the entry in the file's row; the id of a node
    item: str
    key: str


def ingredients(settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return the digest of what the model is told; raises `UsageError`."""
    check_endpoint(settings, SECTION, LLM_TOKEN)
    return {"rules": blake2b(RULES.encode(), digest_size=16).hexdigest()}


def lifted(task: Task) -> Mapping[str, Value]:
    """Write the phrases of a model; none without an endpoint.

    Raises:
        BuildError: the server fails again and again.
    """
    endpoint = ChatEndpoint.of(
        task.settings, SECTION, LLM_TOKEN, f"the model of {SECTION}"
    )
    if not endpoint:
        LiftedPhrases().write(task.folder)
        return {"asked": 0, "answered": 0}
    model = endpoint.model
    former, areas = _former(task), _areas(task)
    questions = list(_questions(task, model))
    groups = list(_group_questions(task, areas, former, model))
    asking = _Asking(endpoint, task.folder / _PAID, former.known)
    asked = asking.ask(task, [*questions, *groups])
    (task.folder / _PAID).unlink(missing_ok=True)
    files: dict[str, dict[str, str]] = defaultdict(dict)
    for one in questions:
        if text := asking.known.get(one.key, ""):
            files[one.path][one.sub] = text
    digests = dict(task.table("facts").digests())
    whole: dict[str, tuple[bytes, Mapping[str, str]]] = {
        path: (digests[path][:DIGEST], files[path]) for path in sorted(files)
    }
    labels = {id: pair for id, pair in former.labels.items() if id in areas.nodes}
    for one in groups:
        if one.key in asking.known:
            labels[one.sub] = areas.nodes[one.sub].label, asking.known[one.key]
    LiftedPhrases(asking.known, whole, labels).write(task.folder)
    answered = sum(map(len, files.values()))
    return {"asked": asked, "answered": answered, "weak": len(questions)}


def _former(task: Task) -> LiftedPhrases:
    """Return what was made last, on whatever branch: its answers are paid for."""
    rows = sorted(task.rows("lifted").values(), key=lambda row: -int(row["build"]))
    for row in rows:
        try:
            return LiftedPhrases.read(task.object(str(row["object"])))
        except KeyError:
            continue
    return LiftedPhrases()


def _questions(task: Task, model: str) -> Iterator[LiftingQuestion]:
    """Yield what may be asked, in the order of paths and of the source."""
    features = task.table("features")
    for path, facts in task.table("facts").items():
        row = features.get(path)
        if not row:
            continue
        rows = [row_of(item) for item in facts.get("elements", ())]
        inner: dict[str, list[str]] = defaultdict(list)
        for one in rows:
            inner[parent_of(one.qual)].append(name_of(one.qual))
        if _is_weak(row.get("")):
            yield _question(model, path, "", file_item(path, facts, inner[""]))
        for one in rows:
            if one.type != "section" and _is_weak(row.get(sub := f"::{one.qual}")):
                item = element_item(one, inner[one.qual])
                yield _question(model, path, sub, item)


def _group_questions(
    task: Task, areas: AreaMap, former: LiftedPhrases, model: str
) -> Iterator[LiftingQuestion]:
    """Yield the nodes that have no answer yet under their label.

    A node is not asked about again when its files change: its name stays.
    """
    features, members = task.table("features"), areas.members()
    for node in sorted(areas.nodes.values(), key=lambda node: node.id):
        if former.labels.get(node.id, ("", ""))[0] == node.label:
            continue
        phrases = [
            str(found[0][0])
            for path in members[node.id]
            if (found := (features.get(path) or {}).get(""))
        ]
        item = group_item(node.label, members[node.id], phrases)
        yield _question(model, "", node.id, item)


def _question(model: str, path: str, sub: str, item: str) -> LiftingQuestion:
    item = redact(item)
    name = json.dumps([model, RULES, item]).encode()
    return LiftingQuestion(path, sub, item, blake2b(name, digest_size=12).hexdigest())


def _is_weak(features: Value) -> bool:
    return not features or float(features[0][2]) < _WEAK


def _areas(task: Task) -> AreaMap:
    row = task.rows("areas").get(task.commit)
    try:
        return AreaMap.read(task.object(str(row["object"]))) if row else AreaMap()
    except KeyError:
        return AreaMap()


@dataclass(slots=True)
class _Asking:
    """The answers that are known, and where new ones come from."""

    endpoint: ChatEndpoint
    paid: Path  # answers of this run, as they come
    known: dict[str, str]
    _failures: int = field(default=0, repr=False)

    def ask(self, task: Task, questions: Sequence[LiftingQuestion]) -> int:
        """Ask what is not known; return how many questions that were."""
        if self.paid.exists():
            lines = self.paid.read_text("utf-8").splitlines()
            self.known |= dict(json.loads(line) for line in lines if line[-1:] == "]")
        new = {q.key: q.item for q in questions if q.key not in self.known}
        for last, size in enumerate(_BATCHES, 1):
            left = [key for key in new if not self.known.get(key)]
            with task.progress("lifted", len(left)) as bar:
                for start in range(0, len(left), size):
                    keys = left[start : start + size]
                    is_last = last == len(_BATCHES)
                    self._ask(keys, [new[key] for key in keys], is_last)
                    bar.advance(len(keys))
        return len(new)

    def _ask(self, keys: Sequence[str], items: Sequence[str], is_last: bool) -> None:
        try:
            most = _TOKENS_EACH * len(items) + 1024
            text = self.endpoint.ask(RULES, prompt_of(items), most)
        except EndpointError as error:
            self._failures += 1
            if self._failures >= _GIVE_UP:
                raise BuildError(
                    f"{error} ({self.endpoint.url})\n"
                    "what it answered is kept; "
                    f"try again: {program()} --until lifted"
                ) from None
            return
        self._failures = 0
        with self.paid.open("a", encoding="utf-8") as file:
            for key, answer in zip(keys, read_answers(text, items), strict=True):
                if answer or is_last:
                    self.known[key] = answer
                    file.write(json.dumps([key, answer]) + "\n")
