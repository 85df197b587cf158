"""The recipes are what their CIs take, and let nothing of a repository run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from repobuild.ci.ci_recipe import recipe
from tests.cases.commands import git, repobuild, start
from tests.cases.verbs.test_review import FILES
from tests.ci.runners import CODE

SCHEMAS = {
    "github": "vendor.github-workflows",
    "gitlab": "vendor.gitlab-ci",
    "action": "vendor.github-actions",
}
BRANCHES = [
    "main",
    'x"];$(touch pwned)#',
    "${{secrets.HF_TOKEN}}",
    "a';echo$IFS'b",
    "- run: |",
    "@PACKAGE@",
    "\u202egnp",
]


def text_of(name: str, branch: str = "main") -> str:
    if name == "action":
        return (CODE / "action.yml").read_text("utf-8")
    return recipe(name, branch, "repobuild==1", 201)


def jobs_of(name: str) -> dict[str, Any]:
    body = yaml.safe_load(text_of(name))
    if name == "action":
        return {"action": body["runs"]}
    return body["jobs"] if name == "github" else body


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_recipe_is_valid_by_the_schema_of_its_ci(name: str, tmp_path: Path):
    (tmp_path / "recipe.yml").write_text(text_of(name))
    check = ["-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name]]
    done = subprocess.run(
        [sys.executable, *check, str(tmp_path / "recipe.yml")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not shutil.which("actionlint"), reason="actionlint is not here")
def test_actionlint_has_nothing_to_say(tmp_path: Path):
    """Its packages download a program when they are installed, so it is no extra."""
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "repobuild.yml").write_text(text_of("github"))
    (tmp_path / "action.yml").write_text(text_of("action"))
    page = (CODE / "docs/ci.md").read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (folder / "action.yml").write_text(example.replace("OWNER/repobuild@v0.1", "./"))
    git(tmp_path, "init", "-q")
    done = subprocess.run(
        ["actionlint", "-no-color"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def scripts_of(name: str) -> list[str]:
    jobs = jobs_of(name)
    if name == "gitlab":
        parts = ("before_script", "script", "after_script")
        return ["\n".join(j.get(p, [])) for j in jobs.values() for p in parts]
    steps = [step for job in jobs.values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_scripts_of_a_recipe_are_sound_posix_shell(name: str, tmp_path: Path):
    for number, script in enumerate(filter(None, scripts_of(name))):
        (tmp_path / f"{number}.sh").write_text(f"#!/bin/sh\n{script}\n")
    files = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        [Path(sys.executable).with_name("shellcheck"), *files],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_value_of_an_event_stands_in_a_script(name: str):
    assert not [script for script in scripts_of(name) if "${{" in script]


def test_a_workflow_may_read_the_contents_and_nothing_else():
    body = yaml.safe_load(text_of("github"))
    assert body["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in body["jobs"].values())
    triggers = body[True]  # YAML 1.1 reads `on` as true
    assert set(triggers) == {"push", "pull_request"}


def test_a_pull_request_has_no_secret_and_saves_nothing():
    summary = json.dumps(jobs_of("github")["summary"])
    assert "secrets." not in summary and "cache/save" not in summary
    assert "cache push" not in summary and "publish" not in summary
    assert jobs_of("gitlab")["repobuild-summary"]["cache"]["policy"] == "pull"


def test_main_trains_one_at_a_time_and_is_not_interrupted():
    adapter = jobs_of("github")["adapter"]["concurrency"]
    assert adapter == {"group": "repobuild-adapter", "cancel-in-progress": False}
    assert jobs_of("gitlab")["repobuild-adapter"]["resource_group"]


def test_what_is_published_passed_the_gate():
    steps = jobs_of("github")["adapter"]["steps"]
    names = [step["name"] for step in steps]
    assert names.index("Gate") < names.index("Publish")
    assert "if" not in steps[names.index("Gate")]
    script = "\n".join(jobs_of("gitlab")["repobuild-adapter"]["script"])
    assert (
        script.index("ci gate") < script.index("cache push") < script.index("publish")
    )


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_pip_can_be_told_where_a_torch_without_cuda_is(name: str):
    """PyPI's has gigabytes of CUDA, which a runner without a card has no use for."""
    assert "https://download.pytorch.org/whl/cpu" in text_of(name)
    if name == "github":  # GitLab gives every variable to every job
        given = yaml.safe_load(text_of(name))["env"]["PIP_EXTRA_INDEX_URL"]
        assert given == "${{ vars.PIP_EXTRA_INDEX_URL }}"


@pytest.mark.parametrize("name", ["github", "action"])
def test_actions_are_those_of_github_by_major_version(name: str):
    used = re.findall(r"uses: (\S+)", text_of(name))
    assert used and all(re.fullmatch(r"actions/[\w/-]+@v\d+", one) for one in used)


@pytest.mark.parametrize("branch", BRANCHES)
def test_the_name_of_a_branch_is_only_a_name(branch: str):
    body = yaml.safe_load(text_of("github", branch))
    plain = yaml.safe_load(text_of("github"))
    for trigger in ("push", "pull_request"):
        (pattern,) = body[True][trigger].pop("branches")
        del plain[True][trigger]["branches"]
        assert re.sub(r"\\(.)", r"\1", pattern) == branch
        assert not re.search(r"(?<!\\)[*?+!\[\]]", pattern)
    assert body == plain


def test_a_recipe_names_the_default_branch_and_enough_commits(tmp_path: Path):
    here = start(
        tmp_path / "hub", {**FILES, "repobuild.toml": "[history]\ncommits=7\n"}
    )
    git(here, "branch", "-m", "trunk-2")
    git(tmp_path, "clone", "-q", str(here), "clone")
    git(tmp_path / "clone", "checkout", "-q", "-b", "other")
    done = repobuild(tmp_path / "clone", "ci", "github", "--package", "repobuild==7")
    body = yaml.safe_load(done.stdout)
    assert body[True]["push"]["branches"] == ["trunk-2"]
    assert body["env"]["PACKAGE"] == "repobuild==7"
    depth = body["jobs"]["adapter"]["steps"][0]["with"]["fetch-depth"]
    assert depth == 201  # history.plan_commits, and the parent of the last
    done = repobuild(tmp_path / "clone", "ci", "gitlab")
    assert yaml.safe_load(done.stdout)[".repobuild"]["variables"]["GIT_DEPTH"] == "201"


@pytest.mark.parametrize("name", ["github", "action"])
def test_the_token_is_given_to_the_forge_alone(name: str, tmp_path: Path):
    """The deepen step gives git the job's token, by settings in its variables."""
    steps = [step for job in jobs_of(name).values() for step in job["steps"]]
    for step in (step for step in steps if step["name"] == "Deepen"):
        forge = "https://forge.example"
        given = {k: v.replace("${{ github.server_url }}", forge)
                 for k, v in step["env"].items()}  # fmt: skip
        given |= {"TOKEN": "the-token", "HOME": str(tmp_path), "BASE": ""}
        given |= {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_NOSYSTEM": "1"}
        assert _credential("forge.example", given) == "the-token"
        assert _credential("elsewhere.example", given) == ""


def _credential(host: str, variables: dict[str, str]) -> str:
    done = subprocess.run(
        ["git", "credential", "fill"],
        input=f"protocol=https\nhost={host}\n\n",
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
    )
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines())
    return lines.get("password", "")
