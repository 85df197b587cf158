"""The recipes of `repobuild ci`, run step by step on machines that start empty."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from repobuild.ci.ci_recipe import recipe
from tests.cases.commands import CODE, commit, git, start
from tests.ci.runners import Run, Runner, contents
from tests.model.hub_server import TOKEN, running_hub
from tests.model.test_nano import make_base
from tests.promises.test_from_commit_to_adapter import module

ACTION = (CODE / "action.yml").read_text("utf-8")
GITHUB = recipe("github", "main", "repobuild==1", 201)
GITLAB = recipe("gitlab", "main", "repobuild==1", 201)
SHALLOW = recipe("github", "main", "repobuild==1", 1)
MAIN = {
    "CI_PIPELINE_SOURCE": "push",
    "CI_COMMIT_BRANCH": "main",
    "CI_DEFAULT_BRANCH": "main",
    "CI_COMMIT_REF_PROTECTED": "true",
}
# A repobuild whose gate no adapter passes: a model this small never gets much worse.
REFUSING = f"""#!/bin/sh
PYTHONPATH={CODE} exec {sys.executable} -P -c '
import sys
import repobuild.model.adapter.adapter as adapter
from repobuild.cli.main import run
adapter.passes_gate = lambda *given: False
sys.exit(run(sys.argv[1:]))
' "$@"
"""
TRAINS = {
    "ADAPTER_RANK": "4",
    "ADAPTER_ALPHA": "8",
    "ADAPTER_BUDGET": "3000",
    "ADAPTER_BATCH_TOKENS": "512",
    "ADAPTER_BF16": "false",
    "ADAPTER_MARGIN": "100",
    "BUILD_GOALS": '["adapter"]',
}


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    place = start(tmp_path / "hub", {f"pkg/m{n}.py": module(n) for n in range(4)})
    git(place, "config", "uploadpack.allowAnySHA1InWant", "true")
    return place


@pytest.fixture
def runner(tmp_path: Path, hub: Path) -> Runner:
    return Runner(tmp_path / "ci", hub, {}, HF_TOKEN="hf_secret")


@pytest.fixture
def trainer(tmp_path: Path, runner: Runner) -> Runner:
    """The same, with a base model that trains in seconds."""
    make_base(tmp_path / "nano")
    runner.settings = {f"REPOBUILD_{name}": value for name, value in TRAINS.items()}
    runner.settings["REPOBUILD_BASE_MODEL"] = str(tmp_path / "nano")
    return runner


def head(hub: Path) -> str:
    return git(hub, "rev-parse", "main")


def propose(hub: Path, files: dict[str, str]) -> str:
    """Return the merge that GitHub tries out for a pull request onto main."""
    git(hub, "checkout", "-q", "-b", "proposal", "main")
    commit(hub, files)
    git(hub, "checkout", "-q", "--detach", "main")
    git(hub, "merge", "-q", "--no-ff", "--no-edit", "proposal")
    merged = git(hub, "rev-parse", "HEAD")
    git(hub, "checkout", "-q", "main")
    git(hub, "branch", "-q", "-D", "proposal")
    git(hub, "update-ref", "refs/pull/1/merge", merged)
    return merged


def passed(run: Run) -> Run:
    assert run.steps and run.outcome == "success", run.log
    return run


# ----------------------------------------------------------------------- pull requests


@pytest.mark.parametrize("recipe", [GITHUB, SHALLOW], ids=["deep", "shallow"])
def test_a_pull_request_is_summed_up_and_saves_nothing(hub, runner, recipe):
    merged = propose(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    run = passed(runner.github(recipe, "summary", merged, "pull_request"))
    assert "### What this changes in what is learnt" in run.summary
    assert "value: str" in run.summary and "| files | 0 | 1 | 0 |" in run.summary
    assert contents(runner.cache) == {} and run.saved == 0
    assert not (run.folder / ".git/repobuild").exists()
    assert "repobuild==1" in runner.pip_log.read_text()


def test_a_pull_request_starts_no_job_that_trains(hub, runner):
    merged = propose(hub, {"new.py": module(9)})
    assert runner.github(GITHUB, "adapter", merged, "pull_request").steps == []
    assert runner.github(GITHUB, "summary", head(hub), "push").steps == []


def test_a_merge_request_is_summed_up_and_saves_nothing(hub, runner):
    git(hub, "checkout", "-q", "-b", "proposal")
    tip = commit(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    merge = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": head(hub),
    }
    run = passed(runner.gitlab(GITLAB, "repobuild-summary", tip, **merge))
    assert "value: str" in run.summary and contents(runner.cache) == {}
    assert not runner.gitlab(GITLAB, "repobuild-adapter", tip, **merge).steps


def test_the_action_sums_up_a_pull_request(hub, runner):
    merged = propose(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    run = passed(runner.github(ACTION, "action", merged, "pull_request"))
    assert "value: str" in run.summary and contents(runner.cache) == {}
    skipped = {step.name for step in run.steps if step.outcome == "skipped"}
    assert {"Build", "Save the state", "Gate", "Publish"} <= skipped


def test_the_script_for_any_other_ci_sums_up_a_pull_request(hub, runner):
    page = (CODE / "docs/ci.md").read_text("utf-8")
    (script,) = re.findall(r"## Any other\n\n```sh\n(.*?)```", page, re.DOTALL)
    base = head(hub)
    tip = commit(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    given = {"PULL_REQUEST": "1", "BASE": base}
    run = passed(runner.script(script, tip, 1, **given))
    assert "value: str" in run.summary
    assert not (run.folder / ".git/repobuild").exists()


def test_a_shared_cache_that_does_not_answer_fails_nothing(hub, runner):
    merged = propose(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    given = {"REPOBUILD_CACHE_REMOTE": "sftp://nowhere.invalid/cache"}
    run = passed(runner.github(GITHUB, "summary", merged, "pull_request", **given))
    said = run.step("Pull from the shared cache").output
    assert "going on without the shared cache" in said


def test_names_that_are_shell_and_markup_run_nothing(hub, runner):
    name = "pkg/$(touch pwned)`touch pwned`;'\"<!-- @all|.py"
    git(hub, "config", "user.name", "$(touch pwned)")
    merged = propose(hub, {name: module(7)})
    run = passed(runner.github(GITHUB, "summary", merged, "pull_request"))
    assert not list(runner.place.rglob("pwned"))
    assert "touch pwned" in run.summary and "\n<!--" not in run.summary


# -------------------------------------------------------------------------------- main


def adapter_of(run: Run) -> dict[str, str]:
    """Return what the gate says of a job's adapter."""
    words = run.step("Gate").output.split()
    return {"adapter": words[words.index("adapter") + 1]}


@pytest.mark.slow
def test_main_trains_from_empty_and_then_only_the_delta(hub, trainer, tmp_path):
    target = tmp_path / "served"
    given = {"REPOBUILD_PUBLISH_TO": str(target)}
    first = head(hub)
    cold = passed(trainer.github(GITHUB, "adapter", first, **given))
    assert ": first, " in cold.step("Build").output
    assert cold.restored == 0 and cold.saved > 0
    latest = json.loads((target / "latest.json").read_text())
    assert latest["commit"] == first
    # Empty again, with a filled cache: HEAD's adapter is there without training.
    again = passed(trainer.github(GITHUB, "adapter", first, **given))
    assert "nothing to do" in again.step("Build").output and again.restored > 0
    assert adapter_of(again) == adapter_of(cold)
    # The next commit, in a clone of one commit: only the delta is trained.
    second = commit(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    warm = passed(trainer.github(SHALLOW, "adapter", second, **given))
    assert ": continued, " in warm.step("Build").output, warm.log
    assert "fetched older commits" in warm.step("Deepen").output
    assert json.loads((target / "latest.json").read_text())["commit"] == second
    assert (target / first[:12]).is_dir()
    # A pull request after that: its cost by the measured pace, the cache as it was.
    before = contents(trainer.cache)
    merged = propose(hub, {"pkg/m2.py": module(2).replace("value: int", "value: str")})
    pull = passed(trainer.github(GITHUB, "summary", merged, "pull_request"))
    assert re.search(r"would continue on \d+ changed facts", pull.summary)
    assert "by the pace of" in pull.summary
    assert contents(trainer.cache) == before


@pytest.mark.slow
def test_what_does_not_pass_the_gate_is_kept_and_not_published(hub, trainer, tmp_path):
    target = tmp_path / "served"
    given = {"REPOBUILD_PUBLISH_TO": str(target)}
    passed(trainer.github(GITHUB, "adapter", head(hub), **given))
    before = contents(target)
    (trainer.place / "tools/repobuild").write_text(REFUSING)
    second = commit(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    run = trainer.github(GITHUB, "adapter", second, **given)
    assert run.step("Build").outcome == "success", run.log
    assert run.step("Gate").outcome == "failure", run.log
    assert "not passed" in run.step("Gate").output
    assert run.step("Publish").outcome == "skipped" and run.saved > 0
    assert contents(target) == before


@pytest.mark.slow
def test_gitlab_trains_once_and_an_older_pipeline_does_nothing(hub, trainer, tmp_path):
    given = {**MAIN, "REPOBUILD_PUBLISH_TO": str(tmp_path / "served")}
    first = head(hub)
    cold = passed(trainer.gitlab(GITLAB, "repobuild-adapter", first, **given))
    assert ": first, " in cold.log and cold.saved > 0
    second = commit(hub, {"pkg/m1.py": module(1).replace("value: int", "value: str")})
    late = passed(trainer.gitlab(GITLAB, "repobuild-adapter", first, **given))
    assert "a newer commit is built" in late.log and "Build" not in late.log
    warm = passed(trainer.gitlab(GITLAB, "repobuild-adapter", second, **given))
    assert ": continued, " in warm.log, warm.log
    latest = json.loads((tmp_path / "served/latest.json").read_text())
    assert latest["commit"] == second


@pytest.mark.slow
def test_the_action_trains_saves_and_publishes(hub, trainer, tmp_path):
    given = {"publish-to": str(tmp_path / "served"), "budget": "2000"}
    run = passed(trainer.github(ACTION, "action", head(hub), **given))
    assert ": first, " in run.step("Build").output and run.saved > 0
    assert (tmp_path / "served/latest.json").is_file()
    assert run.step("Summarise").outcome == "skipped"
    with running_hub() as hub_server:
        trainer.settings |= {
            "HF_ENDPOINT": hub_server.url,
            "HF_TOKEN": TOKEN,
            "HF_HUB_DISABLE_XET": "1",
        }
        given = {"publish-to": "hf://team/steps", "budget": "2000"}
        again = passed(trainer.github(ACTION, "action", head(hub), **given))
        repository = hub_server.repositories["team/steps"]
    assert "nothing to do" in again.step("Build").output and repository.private
    files = repository.files(head(hub)[:12])
    assert files and files == repository.files("main")
    assert {"adapter_model.safetensors", "README.md", "published.json"} < set(files)
    assert TOKEN not in again.log
