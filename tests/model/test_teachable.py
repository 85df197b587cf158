"""The table of what may be taught: a commit touches the rows of what it changed."""

from __future__ import annotations

from pathlib import Path

from repobuild.model.teaching.curriculum import TeachableSample, Teaching
from repobuild.model.teaching.teachable import (
    TABLE,
    TaughtTexts,
    make_row,
)
from repobuild.samples.dataset.all_samples import AllSamples
from tests.repository import Repository
from tests.standard import Standard

TINY = Teaching(kinds=("code_location", "code_explanation"), longest_answer=280)
FILES: dict[str, str | bytes | None] = {
    f"pkg/{name}.py": f'"""All about {name}s."""\n\n\ndef {name}(value):\n'
    f'    """Return a {name} that was not seen before."""\n    return value\n'
    for name in ("apple", "pear", "plum")
}


def built(folder: Path) -> tuple[Repository, Standard]:
    repository = Repository(folder / "repository")
    repository.commit(FILES)
    standard = Standard(repository.git, folder / "state")
    standard.build(TABLE)
    return repository, standard


def teachable(standard: Standard) -> dict[str, TeachableSample]:
    return {
        key + sub: TeachableSample(key, *facts)
        for key, row in standard.table(TABLE).items()
        for sub, (_, *facts) in row.items()
    }


def test_a_commit_writes_the_rows_of_what_it_changed(tmp_path: Path) -> None:
    repository, standard = built(tmp_path)
    repository.commit({"pkg/pear.py": str(FILES["pkg/pear.py"]).replace("not", "n't")})
    standard.build(TABLE)
    written = standard.events()[TABLE]["built"]
    assert "pkg/pear.py::pear" in written
    assert not [key for key in written if "apple" in key or "plum" in key]
    clean = Standard(repository.git, tmp_path / "clean")
    clean.build(TABLE)
    assert standard.row_digests(TABLE) == clean.row_digests(TABLE)


def test_a_sample_that_leaves_the_dataset_is_not_taught(tmp_path: Path) -> None:
    """Its text is the same; only its place in the dataset is another."""
    _, standard = built(tmp_path)
    assert [i for i in teachable(standard) if "code_location" in i]
    standard.settings = {**standard.settings, "samples.max_answer": 12}
    standard.build(TABLE)
    assert not [i for i in teachable(standard) if "code_location" in i]
    assert not standard.events().get("samples")


def test_every_text_that_may_be_taught_can_be_read(tmp_path: Path) -> None:
    _, standard = built(tmp_path)
    found = teachable(standard)
    teaching = Teaching.of(standard.settings)
    rows = {sample_id: sample.row for sample_id, sample in found.items()}
    texts = TaughtTexts(AllSamples.of(standard.open()), teaching, rows)
    assert [sample_id for sample_id, _ in texts.pairs(found)] == list(found)
    for sample_id, sample in found.items():
        text = f"{texts[sample_id]['question']}{texts[sample_id]['answer']}"
        assert len(text.encode()) == sample.length


def test_a_row_holds_what_the_preset_teaches_and_the_gate_asks() -> None:
    told = {"task": "code_location", "question": "Where?", "answer": "There."}
    samples = {
        "#code_location.en.0": told,
        "#code_location.en.9": told,
        "#code_completion.en.0": {**told, "task": "code_completion"},
        "#code_explanation.en.0": {**told, "answer": "word " * 100},
        "#code_location.zh.0": told,
    }
    train = {"split": "train", "track": "", "importance": 0.25}
    places = {
        **dict.fromkeys(samples, train),
        "#code_location.en.9": {"split": "val", "track": "recall"},
        "#code_location.zh.0": {"dropped": "ambiguous"},
    }
    row = make_row("a.py::f", samples, places, TINY, with_lines=False)
    assert {sub: facts[:4] for sub, facts in row.items()} == {
        "#code_location.en.0": [0, 0, 12, 0.25],
        "#code_location.en.9": [1, 0, 12, 0.0],
    }


def test_line_numbers_are_taught_only_when_asked_for() -> None:
    told = {"task": "code_location", "question": "Where?", "answer": "In line 3."}
    samples, places = (
        {"#code_location.en.0": told},
        {"#code_location.en.0": {"split": "train"}},
    )
    key = "a.py::f@lines"
    assert not make_row(key, samples, places, TINY, with_lines=False)
    assert make_row(key, samples, places, TINY, with_lines=True)
