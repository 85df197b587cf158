"""The task `adapter`, called as the engine calls it, over a few commits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.model.adapter.adapter import adapter
from repobuild.model.adapter.lineage import Lineage, Manifest, current_digest
from repobuild.model.adapter.recipe import TrainingJob, TrainingResult
from repobuild.model.base import Base, resolve_base
from repobuild.model.generate import TextGenerator
from repobuild.model.merge import merged
from repobuild.model.teaching.curriculum import Teaching
from repobuild.model.teaching.lesson import LEAST_BUDGET
from repobuild.model.teaching.teachable import make_row
from tests.model.test_nano import Samples, make_base, manifest_of, samples, settings

HELD_OUT = 4


class Bar:
    def advance(self, count: int = 1) -> None: ...

    def note(self, text: str) -> None: ...
    def expect(self, total: int) -> None: ...


class Entries:
    """A table whose rows hold several items, from the items by their full keys."""

    def __init__(self, items: Mapping[str, Any]) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        for full, item in items.items():
            key, mark, sub = full.partition("#")
            self.rows.setdefault(key, {})[mark + sub] = item

    def get(self, key: str) -> dict[str, Any]:
        return self.rows[key]

    def items(self) -> Iterator[tuple[str, Any]]:
        yield from sorted(self.rows.items())


class Commit:
    """One commit's task; `history` holds the rows of the commits before."""

    tree = "tree"

    def __init__(
        self, place: Path, history: dict[str, Any], name: str, made: Samples,
        **changes: Any,
    ) -> None:  # fmt: skip
        self.history, self.commit, self.key = history, name, name
        self.settings = settings(**changes)
        self.folder = place / "tmp" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs = place / "logs" / "adapter" / name
        self.store = ArtifactStore(place / "objects")
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.labels: list[str] = []
        held_out = {i.replace("#", "#held."): s for i, s in made[:HELD_OUT]}
        places = dict.fromkeys((i for i, _ in made), {"split": "train", "track": ""})
        asked = {"split": "val", "track": "recall"}
        samples = Entries({**dict(made), **held_out})
        dataset = Entries({**places, **dict.fromkeys(held_out, asked)})
        teaching = Teaching.of(self.settings)
        taught = {
            key: make_row(key, row, dataset.get(key), teaching, with_lines=False)
            for key, row in samples.items()
        }
        self.tables = {
            "samples": samples,
            "teachable": Entries(
                {
                    key + sub: item
                    for key, row in taught.items()
                    for sub, item in row.items()
                }
            ),
        }

    def table(self, name: str) -> Entries:
        return self.tables[name]

    def with_extensions(self, name: str) -> tuple[str, ...]:
        return (name,)

    def rows(self, name: str) -> Mapping[str, Any]:
        return self.history

    def ancestors(self) -> Iterator[str]:
        return (c for c in reversed(self.history) if c != self.commit)

    def object(self, digest: str) -> Path:
        return self.store.checked_path(digest)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Bar]:
        self.labels.append(label)
        yield Bar()

    def event(self, name: str, **fields: Any) -> None:
        self.events.append((name, fields))

    def build(self) -> dict[str, Any]:
        """Run the task and store its result, as the engine does."""
        row: dict[str, Any] = dict(adapter(self))  # type: ignore[arg-type]
        if any(self.folder.iterdir()):
            row["object"] = self.store.put(self.folder)
        else:
            self.folder.rmdir()
        self.history[self.commit] = {**row, "build": len(self.history)}
        return self.history[self.commit]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


@pytest.fixture(scope="module")
def trained(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with one commit built; tests copy it."""
    place = tmp_path_factory.mktemp("state")
    first = Commit(place, {}, "c1", samples(), base__model=base.source)
    import json

    (place / "history.json").write_text(json.dumps({"c1": first.build()}))
    return place


@pytest.fixture
def state(trained: Path, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    import json

    place = shutil.copytree(trained, tmp_path / "state")
    return place, json.loads((place / "history.json").read_text())


State = tuple[Path, dict[str, Any]]


def moved(made: Samples, element: str = "pkg/part_3.py") -> Samples:
    return [
        (i, {**s, "answer": "`parse` is defined in `new/place.py`."})
        if i.startswith(element) else (i, s)
        for i, s in made
    ]  # fmt: skip


def test_the_first_adapter_is_whole(state: State, base: Base) -> None:
    place, history = state
    row = history["c1"]
    folder = ArtifactStore(place / "objects").checked_path(row["object"])
    names = {p.name for p in folder.rglob("*")}
    assert {"adapter_model.safetensors", "adapter_config.json", "manifest.bin",
            "repobuild.json", "tokenizer.json"} <= names  # fmt: skip
    assert not names & {"scratch", "checkpoint"}
    lineage = Lineage.read(folder)
    assert (lineage.mode, lineage.chain, lineage.promoted) == ("first", 1, True)
    assert lineage.scores["loss"] < lineage.scores["parent_loss"]
    assert Manifest.read(folder).digests == manifest_of(samples()).digests
    for file in folder.iterdir():
        assert str(place).encode() not in file.read_bytes()
        assert base.source.encode() not in file.read_bytes()


def test_equal_commits_are_equal_objects(
    state: State, base: Base, tmp_path: Path
) -> None:
    again = Commit(tmp_path / "other", {}, "c1", samples(), base__model=base.source)
    assert again.build() == state[1]["c1"]


def test_a_changed_fact_continues_the_parent(state: State, base: Base) -> None:
    place, history = state
    second = Commit(place, history, "c2", moved(samples()), base__model=base.source)
    row = second.build()
    assert (row["mode"], row["chain"], row["parent"]) == (
        "continue", 2, history["c1"]["object"],
    )  # fmt: skip
    assert row["samples"]["changed"] == 2
    assert row["samples"]["reviewed"] > 0
    assert row["tokens"] < 2 * history["c1"]["tokens"]
    manifest = Manifest.read(second.object(row["object"]))
    assert manifest.digests == manifest_of(moved(samples())).digests
    assert row["coverage"]["facts"] == row["coverage"]["taught"] == 8


def test_a_changed_fact_is_trained_until_it_is_answered(tmp_path: Path) -> None:
    """On the embedded base: a random one learns four facts or does not, by chance."""
    given: dict[str, Any] = {"base__model": "tiny", "adapter__budget": 90_000}
    history: dict[str, Any] = {}
    Commit(tmp_path, history, "c1", samples(4), **given).build()
    task = Commit(tmp_path, history, "c2", moved(samples(4)), **given)
    row = task.build()
    assert row["samples"]["open"] == 0
    assert row["tokens"] < LEAST_BUDGET  # it ended when all was mastered
    base = resolve_base(task.settings)
    generator = TextGenerator.load(base, task.object(row["object"]))
    (fact,) = [
        s for i, s in moved(samples(4)) if i.startswith("pkg/part_3") and i[-1] == "0"
    ]
    (answer,) = generator.generate([fact["question"]], 60)
    assert answer.text == fact["answer"] and answer.ended


def test_what_the_parent_has_lost_is_taught_again(
    state: State, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    from repobuild.model.adapter import adapter as step

    place, history = state
    lost = "pkg/part_6.py::merge_6#location.en.0"
    real = step.ask_parent

    def forgetful(*given: Any) -> dict[str, bool]:
        return {fact: fact != lost for fact in real(*given) | {lost: False}}

    jobs: list[TrainingJob] = []
    run = step.run_job

    def recorded(task: Any, job: TrainingJob) -> TrainingResult:
        jobs.append(job)
        return run(task, job)

    monkeypatch.setattr(step, "run_job", recorded)
    monkeypatch.setattr(step, "ask_parent", forgetful)
    monkeypatch.setattr(
        step,
        "facts_to_ask",
        lambda plan: [f for f in plan.facts if f.id not in plan.changed_facts],
    )
    task = Commit(place, history, "c2", moved(samples()), base__model=base.source)
    row = task.build()
    facts = Manifest.read(task.object(row["object"])).facts
    assert facts[lost].looked == 2
    (job,) = jobs
    boxes = {job.examples[min(fact.examples)].id: fact.box for fact in job.facts}
    assert boxes.pop(lost) == 0  # open again
    known = [box for box in boxes.values() if box is not None]
    assert len(known) == 6 and min(known) >= job.recipe.mastery  # reviewed


def test_the_next_commit_asks_all_that_did_not_change(state: State, base: Base) -> None:
    from repobuild.model.adapter.decision import make_plan
    from repobuild.model.teaching.lesson import facts_to_ask

    place, history = state
    given = {"base__model": base.source}
    Commit(place, history, "c2", moved(samples()), **given).build()
    third = moved(moved(samples()), "pkg/part_5.py")
    plan = make_plan(Commit(place, history, "c3", third, **given))  # type: ignore[arg-type]
    asked = {fact.id for fact in facts_to_ask(plan)}
    assert asked == plan.known.keys() - plan.changed_facts
    assert {plan.known[fact].looked for fact in asked} == {2}  # c2 asked all as well


def test_a_removed_sample_is_never_trained(
    state: State, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    from repobuild.model.adapter import adapter as step

    place, history = state
    trained: list[str] = []
    real = step.run_job

    def recorded(task: Any, job: Any) -> Any:
        trained.extend(e.id for e in job.examples)
        return real(task, job)

    monkeypatch.setattr(step, "run_job", recorded)
    gone = "pkg/part_3.py"
    left = [pair for pair in moved(samples(), "pkg/part_5.py") if gone not in pair[0]]
    row = Commit(place, history, "c2", left, base__model=base.source).build()
    assert (row["samples"]["removed"], row["samples"]["changed"]) == (2, 2)
    assert trained and not [i for i in trained if i.startswith(gone)]


def test_a_larger_budget_goes_on_where_the_last_run_ended(
    base: Base, tmp_path: Path
) -> None:
    history: dict[str, Any] = {}
    given = {"base__model": base.source, "adapter__learning_rate": 5e-3}
    small = Commit(tmp_path, history, "c1", samples(), **given, adapter__budget=900)
    before = small.build()
    assert before["coverage"]["taught"] < before["coverage"]["facts"]
    large = Commit(tmp_path, history, "c1", samples(), **given, adapter__budget=30_000)
    after = large.build()
    assert (after["mode"], after["parent"]) == ("continue", before["object"])
    assert after["coverage"]["taught"] == after["coverage"]["facts"]
    again = Commit(tmp_path, history, "c1", samples(), **given, adapter__budget=40_000)
    assert again.build()["mode"] == "reuse"


def test_a_revert_reuses_the_old_adapter(state: State, base: Base) -> None:
    place, history = state
    given = {"base__model": base.source}
    Commit(place, history, "c2", moved(samples()), **given).build()
    row = Commit(place, history, "c3", samples(), **given).build()
    assert (row["mode"], row["object"]) == ("reuse", history["c1"]["object"])


def test_a_small_change_waits_and_is_carried_over(state: State, base: Base) -> None:
    place, history = state
    given = {"base__model": base.source, "adapter__min_delta": 3}
    one, two = moved(samples()), moved(moved(samples()), "pkg/part_5.py")
    row = Commit(place, history, "c2", one, **given).build()
    assert (row["mode"], row["object"]) == ("wait", history["c1"]["object"])
    row = Commit(place, history, "c3", two, **given).build()
    assert (row["mode"], row["samples"]["changed"]) == ("continue", 4)


def test_another_recipe_starts_from_the_base(state: State, base: Base) -> None:
    place, history = state
    given = {"base__model": base.source, "adapter__rank": 4}
    row = Commit(place, history, "c2", moved(samples()), **given).build()
    assert (row["mode"], row["chain"], row["parent"]) == ("rebase", 1, "")
    assert row["reason"] == "another recipe"


def test_a_worse_adapter_is_not_promoted(state: State, base: Base) -> None:
    place, history = state
    given = {"base__model": base.source}
    bad = Commit(place, history, "c2", moved(samples()), **given, adapter__margin=-9.0)
    row = bad.build()
    assert row["promoted"] is False
    assert row["object"] != history["c1"]["object"] == current_digest(row)
    folder = place / "merged"
    folder.mkdir()
    task = Commit(place, history, "c2", samples(), **given)
    task.folder = folder
    assert merged(task)["adapter"] == current_digest(row)  # type: ignore[arg-type]
    after = Commit(place, history, "c3", moved(samples(), "pkg/part_1"), **given)
    assert after.build()["reason"] == "the last adapter fell behind its parent"


def test_a_lost_parent_object_means_training_on_the_base(
    state: State, base: Base
) -> None:
    place, history = state
    shutil.rmtree(place / "objects")
    task = Commit(place, history, "c2", samples(), base__model=base.source)
    assert task.build()["mode"] == "first"
    assert ("adapter", {"missing": history["c1"]["object"]}) in task.events


def test_a_kill_in_training_ends_in_the_same_object(
    state: State, base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from repobuild.model.adapter import train

    real = train.write_adapter

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    given = {"base__model": base.source}
    monkeypatch.setattr(train, "write_adapter", killed)
    with pytest.raises(KeyboardInterrupt):
        Commit(tmp_path, {}, "c1", samples(), **given).build()
    monkeypatch.setattr(train, "write_adapter", real)
    row = Commit(tmp_path, {}, "c1", samples(), **given).build()
    assert row["object"] == state[1]["c1"]["object"]


@pytest.mark.parametrize("before", [1, 2])
def test_a_resumed_run_reports_whether_the_optimizer_is_resumed(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    """With another number of processes only the weights are resumed."""
    import json

    from repobuild.model.adapter import train
    from repobuild.model.adapter.checkpoint import _state_digest
    from tests.model.test_train import Killed

    def killed(*_: Any) -> None:
        raise Killed

    given = {"base__model": base.source, "adapter__budget": 60_000}
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(train, "write_adapter", killed)
        Commit(tmp_path, {}, "c1", samples(), **given).build()
    state = tmp_path / "tmp" / "c1" / "scratch" / "checkpoint" / "state.json"
    facts = json.loads(state.read_text())
    del facts["digest"]
    facts["world"] = before
    state.write_text(json.dumps({**facts, "digest": _state_digest(facts)}))
    again = Commit(tmp_path, {}, "c1", samples(), **given)
    again.build()
    fresh = ", weights only (2 processes before, now 1)"
    label = f"training from step {facts['step']}" + (fresh if before == 2 else "")
    assert label in again.labels


def test_without_samples_there_is_a_clear_error(base: Base, tmp_path: Path) -> None:
    from repobuild.errors import BuildError

    task = Commit(tmp_path, {}, "c1", [], base__model=base.source)
    with pytest.raises(BuildError, match="nothing to train on"):
        task.build()


def test_an_adapter_that_a_kill_left_unstored_is_not_trained_again(
    base: Base, tmp_path: Path
) -> None:
    changes = {"base__model": base.source}
    first = Commit(tmp_path, {}, "one", samples(), **changes)
    row = adapter(first)
    again = Commit(tmp_path, {}, "one", samples(), **changes)
    assert adapter(again) == row
    assert ("resume", {"step": "written"}) in again.events


@pytest.mark.parametrize("name", ["review"])
def test_a_share_outside_of_its_range_is_refused(
    state: State, base: Base, name: str
) -> None:
    from repobuild.errors import UsageError

    place, history = state
    given = {"base__model": base.source, f"adapter__{name}": 1.0}
    with pytest.raises(UsageError, match=f"adapter.{name} is 1"):
        Commit(place, history, "c2", moved(samples()), **given).build()


def test_kept_weights_load_like_the_adapter(base: Base, tmp_path: Path) -> None:
    setting = {"adapter__keep_checkpoints": 2}
    first = Commit(tmp_path, {}, "c1", samples(), base__model=base.source, **setting)
    row = first.build()
    folder = ArtifactStore(tmp_path / "objects").checked_path(row["object"])
    kept = sorted((folder / "checkpoints").iterdir())
    assert len(kept) == 2
    for each in kept:
        assert TextGenerator.load(base, each).generate(["Where?"], 2)
