"""Run the recipes of `repobuild ci` as the runners of GitHub and GitLab do.

Each job gets a fresh folder and a fresh clone, of the depth that the recipe asks for,
and starts without a state. A folder stands for the CI's cache: what a job saves is
copied into it, what it restores is copied out of it. `pip install` is written down
and not done; everything else of a step runs, in bash.

What is emulated follows the documentation of both: which caches a job can read, which
steps run after a failure, and how values get into scripts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cases.commands import CODE, git

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_TOKEN = re.compile(r"'[^']*'|[A-Za-z_][\w.-]*(?:\(\))?|&&|\|\||==|!=|!")
_TOOLS = {
    "python": f"""#!/bin/sh
case "$1 $2 $3" in "-m pip install") echo "$@" >> "$PIP_LOG"; exit 0 ;; esac
exec {sys.executable} "$@"
""",
    "python3": """#!/bin/sh
exec python "$@"
""",
    "repobuild": f"""#!/bin/sh
PYTHONPATH={CODE} exec {sys.executable} -P -m repobuild "$@"
""",
}


@dataclass(frozen=True)
class Step:
    """A step that ran, or was skipped."""

    name: str
    outcome: str  # success, failure or skipped
    seconds: float = 0.0
    output: str = ""


@dataclass
class Run:
    """What a job did."""

    folder: Path  # the clone
    steps: list[Step] = field(default_factory=list)
    summary: str = ""
    restored: int = 0  # bytes
    saved: int = 0

    @property
    def outcome(self) -> str:
        failed = any(step.outcome == "failure" for step in self.steps)
        return "failure" if failed else "success"

    def step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)

    @property
    def log(self) -> str:
        return "\n".join(f"== {s.name}: {s.outcome}\n{s.output}" for s in self.steps)


class Runner:
    """A machine that starts empty for each job, beside a cache that stays."""

    def __init__(
        self, place: Path, origin: Path, settings: dict[str, str], **secrets: str
    ) -> None:
        self.place, self.origin = place, origin
        self.cache = place / "cache"
        self.settings, self.secrets = settings, secrets
        self.number = 0
        tools = place / "tools"
        tools.mkdir(parents=True)
        self.cache.mkdir()
        for name, script in _TOOLS.items():
            (tools / name).write_text(script)
            (tools / name).chmod(0o755)
        self.pip_log = place / "pip"

    # ------------------------------------------------------------------------ GitHub

    def github(
        self, recipe: str, job: str, commit: str, event: str = "push", **given: str
    ) -> Run:
        """Run a job of a workflow, or of an action under the name `action`."""
        body = yaml.safe_load(recipe)
        is_action = "runs" in body
        steps = body["runs" if is_action else "jobs"]
        work = steps if is_action else steps[job]
        run = self._start()
        context = self._context(event, given)
        if is_action:
            inputs = {name: v.get("default", "") for name, v in body["inputs"].items()}
            context["inputs"] = inputs | given
            depth = int(given.get("depth", "1"))
            self._check_out(run, commit, event, depth)
        elif not self._holds(work.get("if", ""), context):
            return run
        shared = self._filled(body.get("env", {}), context)
        for step in work["steps"]:
            self._github_step(step, shared, context, run, commit, event)
        summary = run.folder.parent / "summary"
        run.summary = summary.read_text() if summary.exists() else ""
        return run

    def _github_step(
        self, step: Any, shared: Any, context: Any, run: Run, commit: str, event: str
    ) -> None:
        condition = str(step.get("if", ""))
        waits = "always()" not in condition and run.outcome == "failure"
        if waits or not self._holds(condition, context):
            self._done(step, Step(step["name"], "skipped"), context, run)
            return
        began = time.perf_counter()
        code, output = 0, ""
        given = self._filled(step.get("with", {}), context)
        match str(step.get("uses", "")).partition("@")[0]:
            case "actions/checkout":
                self._check_out(run, commit, event, int(given["fetch-depth"]))
            case "actions/cache/restore":
                self._restore(run, given)
            case "actions/cache/save":
                self._save(run, given)
            case "":
                variables = shared | self._filled(step.get("env", {}), context)
                code, output = self._bash(step["run"], run, variables)
            case "actions/setup-python":
                pass
        outcome = "failure" if code else "success"
        took = time.perf_counter() - began
        self._done(step, Step(step["name"], outcome, took, output), context, run)

    def _done(self, step: Any, done: Step, context: Any, run: Run) -> None:
        run.steps.append(done)
        if "id" in step:
            context["steps"][step["id"]] = {"outcome": done.outcome}

    def _context(self, event: str, given: Mapping[str, str]) -> dict[str, Any]:
        return {
            "github": {
                "event_name": event,
                "run_id": str(1000 + self.number),
                "run_attempt": "1",
                "token": "the-job's-token",
                "server_url": "https://github.example",
                "event": {"pull_request": {"number": "1"}},
            },
            "runner": {"os": "Linux"},
            "vars": given,
            "secrets": self.secrets if event == "push" else {},  # as for forks
            "steps": {},
        }

    def _filled(self, values: Mapping[str, Any], context: Any) -> dict[str, str]:
        def fill(text: str) -> str:
            return _EXPRESSION.sub(
                lambda found: str(_evaluate(found[1], context) or ""), text
            )

        return {name: fill(str(value)) for name, value in values.items()}

    def _holds(self, condition: str, context: Any) -> bool:
        return not condition or bool(_evaluate(condition, context))

    def _check_out(self, run: Run, commit: str, event: str, depth: int) -> None:
        """Check out one commit as actions/checkout does: one ref, nothing else."""
        ref = "pull/1/merge" if event == "pull_request" else "origin/main"
        git(run.folder, "init", "-q", "-b", "main")
        git(run.folder, "remote", "add", "origin", f"file://{self.origin}")
        shallow = [f"--depth={depth}"] if depth else []
        fetched = f"+{commit}:refs/remotes/{ref}"
        git(run.folder, "fetch", "-q", "--no-tags", *shallow, "origin", fetched)
        git(run.folder, "checkout", "-q", "--force", f"refs/remotes/{ref}")

    def _restore(self, run: Run, given: Mapping[str, str]) -> None:
        exact = self.cache / given["key"]
        starts = given.get("restore-keys", "").split()
        near = [
            folder
            for folder in sorted(self.cache.iterdir(), reverse=True)
            if any(folder.name.startswith(start) for start in starts)
        ]
        for found in [exact, *near]:
            if found.is_dir():
                run.restored = size_of(found)
                shutil.copytree(found, run.folder / given["path"], dirs_exist_ok=True)
                return

    def _save(self, run: Run, given: Mapping[str, str]) -> None:
        target, source = self.cache / given["key"], run.folder / given["path"]
        if source.is_dir() and not target.exists():  # an entry never changes
            shutil.copytree(source, target)
            run.saved = size_of(target)

    # ------------------------------------------------------------------------ GitLab

    def gitlab(self, recipe: str, job: str, commit: str, **variables: str) -> Run:
        """Run a job of a pipeline; CI_COMMIT_REF_PROTECTED says which caches it has."""
        jobs = yaml.safe_load(recipe)
        work = _extended(jobs, job)
        given = {k: str(v) for k, v in work["variables"].items()} | variables
        given["CI_COMMIT_SHA"] = commit
        run = self._start()
        if not any(_rule_holds(rule["if"], given) for rule in work["rules"]):
            return run
        merge = variables.get("CI_PIPELINE_SOURCE") == "merge_request_event"
        event = "pull_request" if merge else "push"
        self._check_out(run, commit, event, int(given["GIT_DEPTH"]))
        cache, (path,) = work["cache"], work["cache"]["paths"]
        protected = variables.get("CI_COMMIT_REF_PROTECTED") == "true"
        ending = "protected" if protected else "non_protected"
        stored = self.cache / f"{cache['key']}-{ending}"
        if stored.is_dir():
            run.restored = size_of(stored)
            shutil.copytree(stored, run.folder / path)
        script = "set -eo pipefail\n" + "\n".join(
            [*work["before_script"], *work["script"]]
        )
        began = time.perf_counter()
        code, output = self._bash(script, run, given)
        took = time.perf_counter() - began
        run.steps.append(Step(job, "failure" if code else "success", took, output))
        self._bash("\n".join(work.get("after_script", [])), run, given)
        saves = cache.get("policy", "pull-push") == "pull-push"
        if saves and (not code or cache.get("when") == "always"):
            shutil.rmtree(stored, ignore_errors=True)
            shutil.copytree(run.folder / path, stored)
            run.saved = size_of(stored)
        for path in work.get("artifacts", {}).get("paths", []):
            run.summary += (run.folder / path).read_text()
        return run

    # -------------------------------------------------------------------------- both

    def script(self, script: str, commit: str, depth: int, **variables: str) -> Run:
        """Run a script with sh, in a clone of HEAD that has no state."""
        run = self._start()
        self._check_out(run, commit, "push", depth)
        began = time.perf_counter()
        (run.folder.parent / "script.sh").write_text(script)
        code, output = self._bash("sh ../script.sh", run, variables)
        took = time.perf_counter() - began
        run.steps.append(Step("sh", "failure" if code else "success", took, output))
        summary = run.folder / "summary.md"
        run.summary = summary.read_text() if summary.exists() else ""
        return run

    def _start(self) -> Run:
        self.number += 1
        folder = self.place / f"job-{self.number}" / "work"
        folder.mkdir(parents=True)
        return Run(folder)

    def _bash(
        self, script: str, run: Run, variables: Mapping[str, str]
    ) -> tuple[int, str]:
        home = run.folder.parent / "home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": f"{self.place / 'tools'}:{os.environ['PATH']}",
            "HOME": str(home),
            "CI": "true",
            "GITHUB_ACTION_PATH": str(CODE),
            "GITHUB_STEP_SUMMARY": str(run.folder.parent / "summary"),
            "PIP_LOG": str(self.pip_log),
            **self.settings,
            **variables,
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=run.folder, env=environment, stdout=-1, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, to see that none has changed.

    Without the index of an empty journal, which each reader of SQLite makes.
    """
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
        if not (path.name.endswith("-wal") and not path.stat().st_size)
    }


def _evaluate(expression: str, context: Any) -> Any:
    """Evaluate the part of GitHub's expressions that the recipes use."""

    def token(found: re.Match[str]) -> str:
        text = found[0]
        if text[0] == "'" or text in ("==", "!="):
            return text
        if text in ("&&", "||", "!"):
            return {"&&": " and ", "||": " or ", "!": " not "}[text]
        if text == "always()":
            return "True"
        if text == "format":
            return text
        value: Any = context
        for name in text.split("."):
            value = value.get(name, "") if isinstance(value, Mapping) else ""
        return repr(value)

    known = {"__builtins__": {}, "format": str.format}
    return eval(_TOKEN.sub(token, expression), known)


def _extended(jobs: Any, name: str) -> dict[str, Any]:
    work = dict(jobs[name])
    if "extends" in work:
        work = {**_extended(jobs, work.pop("extends")), **work}
    return work


def _rule_holds(rule: str, variables: Mapping[str, str]) -> bool:
    named = re.sub(r"\$(\w+)", lambda v: repr(variables.get(v[1], "")), rule)
    return bool(eval(named.replace("&&", " and "), {"__builtins__": {}}))
