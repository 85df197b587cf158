"""The report rule end to end, with a small random model."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests import chromium
from tests.fakes import MemoryTable

torch = pytest.importorskip("torch")

from repobuild.evaluate import report  # noqa: E402
from repobuild.evaluate.report_summary import SUMMARY  # noqa: E402
from repobuild.model.adapter.lineage import Known, Manifest  # noqa: E402

# transformers deprecates what peft still calls.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

SETTINGS = {
    "base.model": "",
    "base.revision": "",
    "adapter.line_numbers": False,
    "adapter.longest_answer": 60,
    "adapter.teach": [],
    "base.fim": True,
    "project.name": "",
    "report.questions": 6,
    "report.grounded": True,
    "report.seed_questions": 4,
    "report.loss_samples": 8,
    "report.stale_questions": 4,
    "report.general_pieces": 3,
    "report.max_new_tokens": 6,
    "report.own_questions": [],
    "report.judge.url": "",
    "report.judge.model": "",
}
TEXTS = [f"Where is `f{n}`? `f{n}` is defined in `pkg/m{n}.py`." for n in range(40)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3 with a tokenizer of 300 entries."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from repobuild.model.bundled import tokenizer as bpe

    folder = tmp_path_factory.mktemp("base") / "nano"
    tokenizer = bpe.train_tokenizer(TEXTS, 300)
    torch.manual_seed(1)
    config = Qwen3Config(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
        tie_word_embeddings=True,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_adapter(base: Path, folder: Path, seed: int) -> Path:
    """Save an adapter with random weights: its answers differ from the base's."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    targets = ["q_proj", "v_proj", "down_proj"]
    config = LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM")
    tuned = get_peft_model(model, config)
    torch.manual_seed(seed)
    for name, parameter in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    tuned.save_pretrained(folder)
    losses = [[1, 3.0], [2, 2.5], [3, 2.0]]
    lineage = {
        "base": {"name": "nano"},
        "training": {"losses": losses},
        "coverage": COVERAGE,
    }
    Manifest({}, dict.fromkeys(TAUGHT, Known(2, 1))).write(folder)
    (folder / "repobuild.json").write_text(json.dumps(lineage), "utf-8")
    return folder


@dataclass
class MemoryTask:
    """A task over memory tables; stored objects are plain folders."""

    settings: Mapping[str, Any]
    commit: str
    folder: Path
    tables: dict[str, MemoryTable]
    objects: dict[str, Path]
    task_rows: dict[str, dict[str, Any]]
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tree: str = "t" * 40
    key: str = "k"

    def table(self, name: str) -> MemoryTable:
        return self.tables[name]

    def with_extensions(self, name: str) -> tuple[str, ...]:
        return (name,)

    def object(self, digest: str) -> Path:
        return self.objects[digest]

    def rows(self, table: str) -> Mapping[str, Mapping[str, Any]]:
        return self.task_rows.get(table, {})

    def ancestors(self) -> Iterator[str]:
        return iter(())

    def event(self, name: str, **fields: Any) -> None:
        self.events.append((name, fields))

    @contextlib.contextmanager
    def progress(self, label: str, total: int) -> Iterator[MemoryTask]:
        yield self

    def advance(self, count: int = 1) -> None: ...

    def note(self, text: str) -> None: ...
    def expect(self, total: int) -> None: ...


# The recall questions are about f0, f3, f6, ...
TAUGHT = [f"pkg/m{n}.py::f{n}#code_location.en.0" for n in (21, 24, 27)]
COVERAGE = {"facts": 40, "taught": 3, "mastered": 2, "share": 0.075, "weighted": 0.31}
LONG = "**Purpose**: it is called in many ways, and each of them is told here."
MOVED = (0, 5, 10, 15, 20)  # 10 is not trained


def tables(count: int = 30, moved: Sequence[int] = MOVED) -> dict[str, MemoryTable]:
    names = ("graph", "contexts", "samples", "dataset", "old_answers", "own_questions")
    found = {name: MemoryTable() for name in names}
    found["contexts"].put("@project", {"name": "<laddr> & co", "kind": "project"})
    for n in range(count):
        path, key = f"pkg/m{n}.py", f"pkg/m{n}.py::f{n}"
        node = {"kind": "function", "name": f"f{n}", "start_line": 1, "end_line": 2}
        found["graph"].put(path, {"": {"kind": "file"}, f"::f{n}": node})
        found["contexts"].put(key, {"signature": f"def f{n}(amount)"})
        found["contexts"].index.set(path, [f"name:f{n}"])
        sub, trained = "#code_location.en.9", "#code_location.en.0"
        sample = _sample(n, key)
        found["samples"].put(key, {sub: sample, trained: sample})
        track = ("recall", "generalise", "")[n % 3]
        split = {"split": "test" if track else "train", "track": track}
        rows = {sub: split}
        if track != "generalise":
            rows[trained] = {"split": "train", "track": ""}
        found["dataset"].put(key, rows)
    for n in moved:
        found["old_answers"].put(f"pkg/old.py::f{n}", _moved(n))
    return found


def _moved(n: int) -> dict[str, Any]:
    """Make an outdated question; it is asked only if `f{n}` is trained."""
    return {
        "kind": "moved",
        "element": f"pkg/m{n}.py::f{n}",
        "question": f"Where can I find `f{n}`?",
        "expected": f"`f{n}` is defined in `pkg/m{n}.py`.",
        "old": f"`f{n}` is defined in `pkg/old.py`.",
        "gone": False,
        "language": "en",
    }


def _sample(n: int, key: str) -> dict[str, Any]:
    return {
        "task": "code_location",
        "language": "en",
        "form": "chat",
        "question": f"Where is `f{n}`?",
        "answer": f"`f{n}` is defined in `pkg/m{n}.py`.\n\n{LONG}",
        "element": key,
        "sources": [key],
    }


@dataclass
class World:
    """A repository's state over several commits, as the report rule sees it."""

    base: Path
    root: Path
    adapters: dict[str, Any] = field(default_factory=dict)
    reports: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, Path] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    own_questions: list[dict[str, Any]] = field(default_factory=list)

    def commit(
        self,
        name: str,
        count: int = 30,
        moved: Sequence[int] = MOVED,
        **row: Any,
    ) -> MemoryTask:
        """Make a random adapter and its report, and store both."""
        adapter = f"adapter-{name}"
        seed = len(self.adapters)
        self.objects[adapter] = make_adapter(self.base, self.root / adapter, seed)
        self.adapters[name] = {"object": adapter, "parent": "", "promoted": True, **row}
        folder = self.root / f"report-{name}"
        folder.mkdir()
        task = MemoryTask(
            settings={**SETTINGS, "base.model": str(self.base), **self.settings},
            commit=name,
            folder=folder,
            tables=tables(count, moved),
            objects=self.objects,
            task_rows={"adapter": self.adapters, "report": self.reports},
        )
        if self.own_questions:
            row = {"questions": self.own_questions}
            task.tables["own_questions"].put("own.jsonl", row)
        meta = report.run(task)
        self.objects[folder.name] = folder
        row = {**meta, "object": folder.name, "build": len(self.reports)}
        self.reports[adapter] = row
        return task


@pytest.fixture(scope="module")
def world(base: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two commits; the second continues from the first and was not promoted."""
    made = World(base, tmp_path_factory.mktemp("world"))
    made.commit("a" * 40)
    made.commit(
        "b" * 40,
        count=31,
        parent=f"adapter-{'a' * 40}",
        promoted=False,
        follows=f"adapter-{'a' * 40}",
        mode="continue",
        reason="2 samples <changed>",
        scores={"loss": 0.71, "parent_loss": 0.6},
    )
    return made


def load(world: World, name: str, file: str = "report.json") -> Any:
    return json.loads((world.root / f"report-{name}" / file).read_text("utf-8"))


def test_every_file_of_the_report_is_written(world: World) -> None:
    files = {p.name for p in (world.root / f"report-{'a' * 40}").iterdir()}
    assert files == {
        "answers.jsonl.gz",
        "comparison_report__laddr_co_v2.json",
        "index.html",
        "report.json",
    }


def test_the_row_holds_the_headline_scores(world: World) -> None:
    row = world.reports[f"adapter-{'b' * 40}"]
    for track in ("recall", "generalise"):
        for model in ("base", "parent", "adapter"):
            found = row["headline"][track][model]
            assert found["loss"] > 0
            assert 0 <= found["path_exact"] <= 1


def test_the_report_sums_up_what_was_taught_and_is_known(world: World) -> None:
    found = load(world, "a" * 40)
    assert found["coverage"] == COVERAGE
    taught = found["taught"]
    assert taught["asked"] == taught["places"]["asked"] == 3
    assert taught["share"] == taught["right"] / 3
    assert taught["relations"] == {"asked": 0, "right": 0, "share": None}
    assert 0 <= found["ended"] <= 1
    assert found["general"] == {
        model: found["headline"]["general"][model]["loss"]
        for model in ("base", "adapter")
    }
    row = world.reports[f"adapter-{'a' * 40}"]
    assert 0 <= found["completions"]["ended"] <= found["completions"]["asked"]
    for part in SUMMARY:
        assert row[part] == found[part]


def test_recall_asks_what_was_taught_before_the_rest(world: World) -> None:
    asked = [q for q in load(world, "a" * 40)["questions"] if q["track"] == "recall"]
    facts = [q["id"].replace(".9", ".0") for q in asked]
    assert set(facts[:3]) == set(TAUGHT)
    assert len(set(facts)) == len(facts) == 3 + 3  # all taught ones, and others


def test_only_recall_is_asked_with_facts_too(world: World) -> None:
    found = load(world, "a" * 40)
    grounded = {"base_grounded", "adapter_grounded"}
    tracks = found["strict"]["tracks"]
    assert grounded <= set(tracks["recall"])
    assert not grounded & set(tracks["generalise"])
    assert grounded <= set(found["headline"]["recall"])
    for question in found["questions"]:
        assert grounded <= set(question["answers"]) or question["track"] != "recall"
    assert set(found["grounded"]) == {"base", "adapter", "beats"}
    page = (world.root / f"report-{'a' * 40}" / "index.html").read_text()
    assert "base with facts" in page and "3 of 40 facts were taught" in page


def test_without_grounded_nothing_is_looked_up(base: Path, tmp_path: Path) -> None:
    alone = World(base, tmp_path, settings={"report.grounded": False})
    alone.commit("f" * 40)
    found = load(alone, "f" * 40)
    assert found["grounded"] == {}
    assert "base_grounded" not in found["strict"]["tracks"]["recall"]


def test_an_answer_that_was_taught_in_part_is_compared_with_that_part(
    world: World,
) -> None:
    asked = [q for q in load(world, "a" * 40)["questions"] if q["track"] == "recall"]
    assert asked and all(q["expected"].endswith(".py`.") for q in asked)


def test_a_first_adapter_is_compared_without_a_parent(world: World) -> None:
    found = load(world, "a" * 40)
    assert found["strict"]["models"] == ["base", "adapter"]
    assert "parent" not in found["strict"]["tracks"]["recall"]


def test_losses_differ_between_models(world: World) -> None:
    track = load(world, "b" * 40)["strict"]["tracks"]["recall"]
    losses = {track[m]["loss"]["value"] for m in ("base", "parent", "adapter")}
    assert len(losses) == 3


def test_cached_answers_of_base_and_parent_are_used_again(
    world: World, base: Path
) -> None:
    later = World(base, world.root / "later", dict(world.adapters))
    later.root.mkdir()
    later.reports, later.objects = dict(world.reports), dict(world.objects)
    task = later.commit("c" * 40, count=31, parent=f"adapter-{'b' * 40}")
    made = dict(task.events)["answered"]["made"]
    assert made["base"] == made["parent"] == 0
    assert made["adapter"] > 0


def test_base_and_parent_are_asked_only_the_questions_of_a_change(
    world: World, base: Path
) -> None:
    later = World(base, world.root / "moved", dict(world.adapters))
    later.root.mkdir()
    later.reports, later.objects = dict(world.reports), dict(world.objects)
    parent = f"adapter-{'b' * 40}"
    task = later.commit("e" * 40, count=31, moved=(*MOVED, 8), parent=parent)
    made = dict(task.events)["answered"]["made"]
    assert (made["base"], made["parent"]) == (1, 1)


def test_a_lost_report_costs_only_its_answers(world: World, base: Path) -> None:
    later = World(base, world.root / "lost", dict(world.adapters))
    later.root.mkdir()
    later.reports = dict(world.reports)
    later.objects = {k: v for k, v in world.objects.items() if "report" not in k}
    task = later.commit("d" * 40, parent=f"adapter-{'b' * 40}")
    assert dict(task.events)["answered"]["made"]["base"] > 0


def test_the_comparison_report_has_the_first_form(world: World) -> None:
    found = load(world, "b" * 40, "comparison_report__laddr_co_v2.json")
    assert list(found) == ["test_config", "results", "summary", "strict"]
    assert found["test_config"]["num_test_cases"] == len(found["results"]) == 4
    result = found["results"][0]
    assert {"question", "category", "improvement"} <= set(result)
    assert {"base_model_response", "finetuned_model_response"} <= set(result)
    parts = {"repo_specific", "code_understanding", "general", "total"}
    assert set(result["scores"]["finetuned_model"]) == parts
    assert {
        "average_scores",
        "average_improvement",
        "repo_specific_improvement",
        "code_understanding_improvement",
    } <= set(found["summary"])


def test_every_number_of_the_strict_section_has_an_interval(world: World) -> None:
    tracks = load(world, "b" * 40)["strict"]["tracks"]
    for track in tracks.values():
        for metric in ("loss", "path_exact", "exact", "edit"):
            found = track["adapter"][metric]
            assert found["low"] <= found["value"] <= found["high"]
        assert set(track["difference"]) == {"base", "parent"}
        assert "code_location" in track["adapter"]["tasks"]


def test_every_model_is_asked_about_what_changed(world: World) -> None:
    found = load(world, "b" * 40)
    section = found["strict"]["staleness"]
    assert section["n"] == 4  # f10 is not trained
    for model in ("base", "parent", "adapter"):
        assert section[model]["moved"]["n"] == 4
    assert set(section["difference"]["parent"]) == {"all", "moved", "right"}
    asked = [q for q in found["questions"] if q["track"] == "staleness"]
    assert {q["question"] for q in asked} == {
        f"Where can I find `f{n}`?" for n in (0, 5, 15, 20)
    }
    assert asked[0]["task"] == "moved"
    assert asked[0]["marks"]["adapter"]["stale"] is False


def test_the_general_loss_of_every_model_is_on_the_same_text(world: World) -> None:
    section = load(world, "b" * 40)["strict"]["general"]
    assert section["n"] == 3
    assert load(world, "a" * 40)["strict"]["general"]["text"] == section["text"]
    losses = {m: section[m]["loss"]["value"] for m in ("base", "parent", "adapter")}
    assert len(set(losses.values())) == 3
    change = section["difference"]["base"]["relative"]
    assert change["low"] <= change["value"] <= change["high"]
    expected = losses["adapter"] / losses["base"] - 1
    assert change["value"] == pytest.approx(expected, abs=2e-4)


def test_the_headline_has_staleness_and_general_loss(world: World) -> None:
    found = world.reports[f"adapter-{'b' * 40}"]["headline"]
    assert {"all", "moved"} <= set(found["staleness"]["adapter"])
    assert {"loss", "relative"} == set(found["general"]["parent"])


def test_the_chain_ends_with_this_adapter(world: World) -> None:
    chain = load(world, "b" * 40)["chain"]
    assert [link["commit"][0] for link in chain] == ["a", "b"]
    assert [link["promoted"] for link in chain] == [True, False]
    assert all("recall" in link["headline"] for link in chain)


def test_the_page_says_that_an_adapter_was_not_promoted(world: World) -> None:
    page = (world.root / f"report-{'b' * 40}" / "index.html").read_text("utf-8")
    assert "not promoted" in page
    assert "0.710 against 0.600" in page
    assert "continued (<bdi>2 samples &lt;changed&gt;</bdi>)" in page
    first = (world.root / f"report-{'a' * 40}" / "index.html").read_text("utf-8")
    assert "was not promoted" not in first


def test_the_page_needs_no_other_file(world: World) -> None:
    page = (world.root / f"report-{'b' * 40}" / "index.html").read_text("utf-8")
    assert not re.search(r"(src|href)=[\"'](?!data:|#)", page)
    assert "<script" not in page
    assert "@import" not in page and "url(" not in page
    assert "prefers-color-scheme: dark" in page


@pytest.mark.skipif(not chromium.installed(), reason="chromium is not installed")
def test_chromium_renders_the_page_without_a_console_error(
    world: World, tmp_path: Path
) -> None:
    """test_browser.py has more tests, with invented reports."""
    path = world.root / f"report-{'b' * 40}" / "index.html"
    with chromium.Browser(tmp_path) as browser:
        tab = browser.open(path.as_uri())
        assert tab.errors() == []
        assert tab.value("document.querySelector('h1').innerText.includes('<laddr> &')")
        assert tab.value("document.querySelectorAll('details.question').length") > 0
        rows = "document.querySelectorAll('h2#chain ~ .scroll tr.current')"
        assert tab.value(f"{rows}.length") == 1


def test_own_questions_are_asked_scored_and_shown(world: World, base: Path) -> None:
    own = {
        "question": "Where does `f3` live?",
        "answer": "In `pkg/m3.py`.",
        "files": ["pkg/m3.py"],
    }
    secret = {
        "question": "Which?",
        "answer": "password = 'hunter2-Xk9vQ2-zzR'",
        "files": [],
    }
    later = World(base, world.root / "own", dict(world.adapters))
    later.root.mkdir()
    later.reports, later.objects = dict(world.reports), dict(world.objects)
    later.settings = {"report.own_questions": [own, secret]}
    line = {"question": "Why <b>?", "answer": "So.", "files": []}
    later.own_questions = [own, line]
    later.commit("f" * 40, parent=f"adapter-{'b' * 40}")
    found = load(later, "f" * 40)
    section = found["strict"]["own"]
    assert section["n"] == 2  # each once, and none that shows a secret
    for model in ("base", "parent", "adapter"):
        assert {"facts", "right", "files", "rouge_l", "bleu"} <= set(section[model])
        assert set(section[model]["files"]) == {"value", "low", "high", "n"}
    assert section["adapter"]["files"]["n"] == 1
    assert set(found["headline"]["own"]) == {"base", "parent", "adapter"}
    asked = [q for q in found["questions"] if q["track"] == "own"]
    assert [q["expected"] for q in asked] == ["In `pkg/m3.py`.", "So."]
    page = (later.root / f"report-{'f' * 40}" / "index.html").read_text("utf-8")
    assert "Questions of your own" in page and "Why &lt;b&gt;?" in page
