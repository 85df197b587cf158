"""A quick build shows everything at work, and touches nothing of the real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repobuild.cli.main import run
from repobuild.settings import quick_settings, read_layers, use_command_line, use_quick
from tests.cases.commands import repobuild, start
from tests.cases.test_review import FILES
from tests.repository import Repository

# Bounded further, so that the test takes seconds.
SMALL = ("-c", "adapter.budget=2000", "-c", "report.questions=2")
SMALL += ("-c", "report.seed_questions=0", "-c", "report.general_pieces=0")
SMALL += ("-c", "report.max_new_tokens=4", "-c", "report.loss_samples=2")
SMALL += ("-c", "report.stale_questions=0")


def test_quick_settings_win_over_files_and_not_over_the_command_line(tmp_path: Path):
    (tmp_path / "repobuild.toml").write_text(
        'preset = "qwen3-8b"\n[adapter]\nlearning_rate = 1e-5\nprocesses = 4\n'
        '[samples]\nlanguages = ["en"]\n[report]\nquestions_file = "q.jsonl"\n'
    )
    real = read_layers(tmp_path).merged()
    with use_quick():
        quick = read_layers(tmp_path).merged()
        with use_command_line(["adapter.budget=99"]):
            assert read_layers(tmp_path).merged()["adapter.budget"] == 99
    assert (real["base.model"], quick["base.model"]) == ("Qwen/Qwen3-8B", "tiny")
    assert (quick["adapter.learning_rate"], quick["adapter.processes"]) == (1.4e-3, 1)
    assert quick["samples.languages"] == ["en"]
    assert quick["report.questions_file"] == "q.jsonl"
    assert read_layers(tmp_path).merged() == real


def test_a_quick_build_asks_for_no_trust():
    from repobuild.settings_schema import settings

    asked = quick_settings()
    assert not [n for n, s in settings().items() if n in asked and s.is_power(asked[n])]


@pytest.mark.parametrize(
    ("verb", "step"),
    [
        (["graph", "tree"], "run `repobuild --quick --until areas` first"),
        (["rollback"], "run `repobuild --quick` to build one"),
        (["ask", "Where?"], "run `repobuild --quick` to build one"),
        (["review"], "run `repobuild --quick --until dataset` first"),
        (["export", "dataset", "-o", "x"], "run `repobuild --quick --until dataset`"),
        (["verify", "--samples"], "run `repobuild --quick --until samples` first"),
    ],
)
def test_what_to_do_is_about_the_quick_build(
    repository: Repository, monkeypatch, capsys, verb: list[str], step: str
) -> None:
    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    assert run(["--quick", *verb]) == 1
    assert step in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_quick_adapter_is_asked_and_is_no_parent(tmp_path: Path):
    place = start(tmp_path / "shop", FILES)
    done = repobuild(place, "--quick", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "quick: " in done.stdout and "left out: " in done.stdout
    assert "kept apart in" in done.stdout
    assert not (place / ".git/repobuild/objects").exists()
    quick = json.loads(repobuild(place, "log", "--quick", "--json").stdout)
    assert len(quick["chain"] if "chain" in quick else quick["adapters"]) == 1
    real = repobuild(place, "status", "--json")
    facts = json.loads(real.stdout)
    assert facts["built"] in ("", None)
    answer = repobuild(
        place, *SMALL, "ask", "--quick", "Where is `discount`?", "--json"
    )
    assert answer.returncode == 0, answer.stderr
    assert repobuild(place, "ask", "Where is `discount`?").returncode != 0


def test_everything_after_two_dashes_is_the_verbs_own(tmp_path: Path):
    from repobuild.cli.main import _move_quick_first

    assert _move_quick_first(["ask", "--", "--quick"]) == ["ask", "--", "--quick"]
    assert _move_quick_first(["ask", "--quick", "Q"]) == ["--quick", "ask", "Q"]
