"""The whole way, by the command line: commit, adapter, commit, continued adapter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repobuild.cli.main import run
from tests.model.test_nano import make_base
from tests.repository import Repository, trust_settings

SETTINGS = """
[base]
model = "{base}"

[adapter]
rank = 4
alpha = 8
budget = 6000
batch_tokens = 512
bf16 = false

[report]
questions = 2
seed_questions = 2
loss_samples = 4
max_new_tokens = 8
"""
MODULE = '''"""Steps of module {n}."""


def first_{n}(value: int) -> int:
    """Return the first step of module {n}, made from a value."""
    return second_{n}(value) + {n}


def second_{n}(value: int) -> int:
    """Return the second step of module {n}, which others build on."""
    return value * {n}
'''


def module(n: int) -> str:
    return MODULE.format(n=n)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "nano"
    make_base(folder)
    return folder


@pytest.fixture
def here(repository: Repository, base: Path, monkeypatch) -> Repository:
    repository.commit({f"pkg/m{n}.py": module(n) for n in range(6)})
    (repository.path / "repobuild.toml").write_text(SETTINGS.format(base=base))
    trust_settings(repository.path)
    monkeypatch.chdir(repository.path)
    return repository


def built(capsys, *more: str) -> dict:
    assert run(["build", "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def why(capsys, key: str) -> str:
    """Ask why, and check that the answer fits one screen."""
    assert run(["why", key]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 100
    return said


def len_of_delta(facts: dict) -> int:
    samples = facts["adapter"]["samples"]
    return samples["added"] + samples["changed"] + samples["removed"]


def test_an_adapter_is_built_continued_reused_exported_and_verified(
    here, capsys, tmp_path
):
    first = built(capsys)
    assert first["adapter"]["mode"] == "first"
    assert set(first["tables"]) >= {"adapter", "merged", "report"}

    here.commit({"pkg/m1.py": module(1).replace("others build", "nobody builds")})
    second = built(capsys)
    assert second["tables"]["facts"]["built"] == 1
    assert second["adapter"]["mode"] == "continue"
    assert second["adapter"]["parent"] == first["adapter"]["object"]
    told = why(capsys, "HEAD")
    assert f"continue: {len_of_delta(second)} samples changed" in told
    assert f"starts from its parent {first['adapter']['object'][:12]}" in told
    assert f"facts: {second['adapter']['samples']['trained']} trained, " in told
    assert "base model unchanged, recipe unchanged" in told
    assert f'pkg/m1.py changed in {second["commit"][:10]} "a change"' in told
    told = why(capsys, second["adapter"]["object"][:8])
    assert all(f"\n{name} " in f"\n{told}" for name in ("adapter", "merged"))

    here.commit({"pkg/m1.py": module(1)})
    third = built(capsys)
    assert third["tables"]["facts"]["built"] == 0
    assert third["tables"]["facts"]["memo"] == 1
    assert third["tables"]["samples"]["built"] == 0
    assert third["adapter"]["mode"] == "reuse"
    assert third["adapter"]["object"] == first["adapter"]["object"]
    assert "reuse: trained on the same samples" in why(capsys, "HEAD")

    again = built(capsys)
    assert not any(t["built"] or t["memo"] for t in again["tables"].values())

    for table, file in {
        "adapter": "adapter_model.safetensors",
        "merged": "model.safetensors",
        "report": "index.html",
    }.items():
        assert run(["export", table, "-o", str(tmp_path / table)]) == 0
        assert (tmp_path / table / file).is_file()
    lineage = json.loads((tmp_path / "adapter/repobuild.json").read_text())
    assert lineage["commit"] == first["commit"]

    capsys.readouterr()
    assert run(["log"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    place = head.index("made")
    modes = [line[place:].split("  ")[0] for line in lines]
    assert modes == ["reused", "continued", "first"]
    assert [line[0] for line in lines] == ["*", " ", " "]
    assert run(["show", second["adapter"]["object"][:8]]) == 0
    said = capsys.readouterr().out
    assert f'at {second["commit"][:10]} "a change", continued' in said
    assert f"{first['adapter']['object'][:12]}" in said
    assert "adapter_model" not in said and "/.git/repobuild/objects/" in said
    assert run(["report"]) == 0
    assert "recall, adapter" in capsys.readouterr().out
    assert run(["ask", "--max-tokens", "4", "Where is first_1?"]) == 0
    assert run(["verify"]) == 0
    assert run(["status"]) == 0


def test_another_learning_rate_remakes_the_adapter_and_no_sample(here, capsys):
    built(capsys)
    text = (here.path / "repobuild.toml").read_text()
    changed = text.replace("[adapter]\n", "[adapter]\nlearning_rate = 4e-3\n")
    (here.path / "repobuild.toml").write_text(changed)
    assert run(["status"]) == 1
    said = capsys.readouterr().out
    assert "would start from the base model: no adapter yet" in said
    again = built(capsys)
    told = why(capsys, "HEAD")
    assert "because setting adapter.learning_rate 0.0014 to 0.004" in told
    assert again["tables"]["samples"]["built"] == 0
    assert again["adapter"]["mode"] == "first"
    here.commit({"pkg/m9.py": module(9)})
    (here.path / "repobuild.toml").write_text(text)
    third = built(capsys)
    assert third["adapter"]["mode"] == "rebase"
    assert third["adapter"]["reason"] == "another recipe"


def test_a_comment_trains_nothing(here, capsys):
    first = built(capsys)
    here.commit({"pkg/m5.py": module(5) + "# the end\n"})
    second = built(capsys)
    assert second["tables"]["facts"]["built"] == 1
    assert second["adapter"]["object"] == first["adapter"]["object"]
