"""repobuild [build]: bring the tables, and with them the adapter, up to date."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from repobuild.cli import options
from repobuild.cli.adapter_facts import head_adapter
from repobuild.cli.adapter_text import adapter_line
from repobuild.cli.output import (
    columns,
    emit,
    fit_to_terminal,
    print_message,
    print_text,
    redact_secrets,
    seconds,
    short,
)
from repobuild.cli.quick_summary import quick_summary, quick_text
from repobuild.cli.shell_words import table_names
from repobuild.cli.training_budget import coverage_line, is_time, read_budget
from repobuild.errors import BuildError, NoCommitError, UsageError
from repobuild.plain_text import escape_controls, escape_line, json_text
from repobuild.resources import is_quick, program

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.engine.build import Build
    from repobuild.engine.context import Problem
    from repobuild.git.snapshot import Snapshot

_LISTED_PROBLEMS = 10
_LONGEST_KEY = 300  # characters that a warning shows


def _set_budget(context: click.Context, option: click.Parameter, budget: str) -> None:
    """Let `adapter.budget` be this budget until the command ends."""
    if not budget:
        return
    from repobuild.checkout import open_checkout
    from repobuild.engine.storage.run_history import runs
    from repobuild.settings import use_command_line

    known = runs(open_checkout().state(), "adapter") if is_time(budget) else ()
    tokens = read_budget(budget, known)
    context.with_resource(use_command_line([f"adapter.budget={tokens}"]))


def _require_remote(
    context: click.Context, option: click.Parameter, is_required: bool
) -> None:
    """Let `cache.required` hold until the command ends."""
    from repobuild.settings import use_command_line

    if is_required:
        context.with_resource(use_command_line(["cache.required=true"]))


@click.command("build")
@click.option(
    "--until",
    metavar="TABLE",
    default="",
    help="Stop after this table.",
    shell_complete=table_names,
)
@click.option(
    "--commit",
    "revision",
    metavar="REV",
    default="HEAD",
    help="What to build [default: HEAD].",
)
@click.option(
    "--worktree",
    is_flag=True,
    help="Build the work tree as it is, up to `dataset`.",
)
@click.option(
    "--jobs",
    "-j",
    metavar="N",
    default=0,
    type=click.IntRange(0),
    help="Worker processes; 0 = one for each core, the default.",
)
@click.option(
    "--budget",
    metavar="AMOUNT",
    default="",
    expose_value=False,
    callback=_set_budget,
    help="Teach this long (30m, 2h) or with as many tokens (500k, 1M).",
)
@options.dry_run
@click.option(
    "--no-wait", is_flag=True, help="Exit with 4 when another build holds the lock."
)
@click.option(
    "--require-remote",
    is_flag=True,
    expose_value=False,
    callback=_require_remote,
    help="Exit with 5 when the shared cache cannot be used [cache.required].",
)
@options.as_json
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
def command(
    until: str,
    revision: str,
    worktree: bool,
    jobs: int,
    dry_run: bool,
    no_wait: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Bring the tables, and with them the adapter, up to date with a commit.

    \b
    repobuild                      everything, at HEAD
    repobuild --until dataset      facts, graph and samples; no training
    repobuild --commit v1.2 -n     what building that tag would do
    repobuild --budget 30m         teach more, also without a new commit
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.progress import progress_for
    from repobuild.cli.status import status_facts, status_text

    checkout = open_checkout(redact=redact_secrets)
    if worktree and not until:
        until = "dataset"
    snapshot = _snapshot(checkout, revision, worktree)
    goals = checkout.goals(until, snapshot)
    _print_notices(checkout, snapshot)
    if dry_run:
        emit(status_facts(checkout, snapshot, goals), as_json, status_text)
        return 0
    checkout.require_powers(snapshot, goals)
    _check_hosts(checkout, snapshot, goals)
    progress = progress_for(quiet or as_json)
    with checkout.building(
        snapshot, progress, jobs, wait=not no_wait, tell=print_message
    ) as build:
        facts, failed = _run(build, checkout, goals)
    _print_result(facts, as_json, quiet)
    if not (failed or until):
        _forget_wanted(checkout, snapshot)
    if not (failed or worktree) and _is_head(checkout, snapshot):
        with suppress(OSError):  # it only saves time
            _cache_answer(checkout, snapshot, until, facts)
    return 3 if failed else 0


def _snapshot(checkout: Checkout, revision: str, worktree: bool) -> Snapshot:
    """Return what is built; without a commit yet, name `--worktree` as well."""
    try:
        return checkout.snapshot(revision, worktree)
    except NoCommitError as error:
        if checkout.repository.is_bare:
            raise
        hint = f"or build the work tree: {program()} --worktree"
        raise UsageError(f"{error}; {hint}") from error


def _is_head(checkout: Checkout, snapshot: Snapshot) -> bool:
    """Return whether HEAD is what was built, by whatever name it was asked for."""
    repository = checkout.repository
    unborn = repository.head_is_unborn
    return not unborn and str(repository.head.target) == snapshot.commit


def _forget_wanted(checkout: Checkout, snapshot: Snapshot) -> None:
    from repobuild.hooks.background import forget_built

    with suppress(OSError):  # then the next hook builds it once more
        is_head = snapshot.copies is None and _is_head(checkout, snapshot)
        forget_built(checkout.folder, snapshot.commit, is_head)


def _print_result(facts: dict[str, Any], as_json: bool, quiet: bool) -> None:
    if as_json or not quiet:
        emit(facts, as_json, text)
    if is_quick() and not (as_json or quiet):
        print_text(fit_to_terminal(quick_text(facts["quick"])))


def _check_hosts(checkout: Checkout, snapshot: Snapshot, goals: list[str]) -> None:
    """Raise `UsageError` for hosts that cannot be used, before anything is built."""
    from repobuild.engine.rule import closure

    hostfile = checkout.settings["adapter.hostfile"]
    if hostfile and "adapter" in closure(checkout.rulebook(snapshot).rules, goals):
        from repobuild.model.compute.launch import read_hosts

        read_hosts(Path(checkout.root, Path(hostfile).expanduser()))


def _print_notices(checkout: Checkout, snapshot: Snapshot) -> None:
    """Print what this build leaves out by design: untrusted rules, replacements."""
    from repobuild.git.repository import has_replacements

    if notice := checkout.rulebook(snapshot).notice:
        print_message(notice)
    if has_replacements(checkout.repository):
        print_message("note: `git replace` is not followed; the original is built")
    _note_missing_history(checkout)


def _note_missing_history(checkout: Checkout) -> None:
    """Print what a shallow clone lacks, before it costs samples or a new start."""
    from repobuild.git.shallow import edge

    if not edge(checkout.repository):
        return
    from repobuild.ci.history_needs import find_missing

    with suppress(BuildError):  # a damaged state is reported when it is built
        if missing := find_missing(checkout):
            print_message(
                f"note: this clone is shallow: {missing.text}\n"
                "fetch them: repobuild ci deepen"
            )


def _run(
    build: Build, checkout: Checkout, goals: list[str]
) -> tuple[dict[str, Any], bool]:
    """Build the goals; return what was done and whether a rule failed."""
    from repobuild.cli.cache_session import share
    from repobuild.engine.rule import closure
    from repobuild.engine.storage.garbage_collection import (
        CacheLimits,
        collect_after_build,
    )
    from repobuild.survey.enough import require_enough

    def before_tasks() -> None:
        if "adapter" in closure(build.rules, goals):
            require_enough(build)
        _note_missing_grammars(build)

    with share(checkout, build, goals) as session:
        build.run(goals, before_tasks)
        collect_after_build(build, CacheLimits.of(checkout.settings))
        warn_of_problems(build.problems)
        _warn_of_unknown_licences(build)
    facts = {
        "version": 1,
        "commit": build.snapshot.commit,
        "tables": {name: vars(o.counts) for name, o in build.outcomes.items()},
        "failed": {n: len(o.failed) for n, o in build.outcomes.items() if o.failed},
        "adapter": head_adapter(build),
        "left_out": _left_out_counts(build),
        "untrusted": list(checkout.rulebook(build.snapshot).untrusted),
        "withheld": sorted(checkout.powers.names),
    }
    if session:
        facts["remote"] = session.facts()
    if is_quick():
        facts["quick"] = quick_summary(build)
    return facts, any(outcome.failed for outcome in build.outcomes.values())


def _note_missing_grammars(build: Build) -> None:
    """Print which new or changed files lack a grammar, and how to install it.

    Before training, and once: later builds look at changed files only.
    """
    from repobuild.code.scan.language import install_grammars, without_grammar
    from repobuild.survey.source_survey import files_in, files_without_grammar

    outcome = build.outcomes.get("facts")
    changed = [*outcome.built, *outcome.memo] if outcome else []
    found: Counter[str] = Counter()
    for path, language in files_without_grammar(changed, build.settings):
        row = build.table("facts").get(path) or {}
        # A file that was left out for another reason was not looked at.
        if row.get("left_out") == without_grammar(language):
            found[language] += 1
    if found:
        print_message(
            f"note: {files_in(dict(found.most_common()))} not read: no grammar\n"
            f"add them, and run again: {install_grammars(found)}"
        )


def _left_out_counts(build: Build) -> dict[str, int]:
    """Return how many files of the graph's tree are left out, by reason."""
    from repobuild.code.graph.graph import PROJECT

    if build.state.line("graph") is None:
        return {}
    project = (build.table("graph").get(PROJECT) or {}).get("", {})
    return dict(project.get("statistics", {}).get("left_out", {}))


def text(facts: dict[str, Any]) -> str:
    """Return what a build did as a few lines."""
    changed = {
        name: counts
        for name, counts in facts["tables"].items()
        if counts["built"] or counts["memo"] or counts["removed"]
    }
    if not changed and facts["failed"]:
        rows = sum(facts["failed"].values())
        return f"nothing new: {rows:,} row{'s' * (rows != 1)} failed again"
    if not changed:
        return f"nothing to do: {short(facts['commit'])} is built"
    rows = [["", "built", "memo", "removed", "unchanged", "time"]]
    for name, counts in changed.items():
        cells = [f"{counts[n]:,}" for n in ("built", "memo", "removed", "unchanged")]
        rows.append([name, *cells, seconds(counts["seconds"])])
    lines = [f"built {short(facts['commit'])}", columns(rows)]
    if facts["left_out"]:
        counts = [f"{count:,} {why}" for why, count in facts["left_out"].items()]
        listed = f"{program()} show files"
        lines.append(f"files left out: {', '.join(counts)} ({listed})")
    if facts["adapter"]:
        lines.append(adapter_line(facts["adapter"]))
        lines.append(coverage_line(facts["adapter"]))
    return "\n".join(filter(None, lines))


def warn_of_problems(problems: list[Problem]) -> None:
    """Print one warning per table and problem, with the number of rows that have it."""
    rows_by_problem: dict[tuple[str, str], list[str]] = {}
    for table, key, problem in problems:
        rows_by_problem.setdefault((table, problem), []).append(key)
    for (table, problem), keys in list(rows_by_problem.items())[:_LISTED_PROBLEMS]:
        more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
        key = escape_line(keys[0][:_LONGEST_KEY])
        print_message(f'warning: {table} "{key}"{more}: {problem}')
    if len(rows_by_problem) > _LISTED_PROBLEMS:
        rest = list(rows_by_problem.values())[_LISTED_PROBLEMS:]
        count = sum(map(len, rest))
        print_message(f"warning: {count} more; see events.jsonl in the state")


def _warn_of_unknown_licences(build: Build) -> None:
    """Warn of files that the deny list cannot judge, as their licence is unknown."""
    patterns = build.settings["samples.deny_licences"]
    if not patterns:
        return
    from repobuild.code.licence.detect import UNKNOWN
    from repobuild.samples.dataset.licence_filter import is_denied

    if is_denied(UNKNOWN, patterns):
        return
    if "licences" not in build.outcomes or build.state.line("licences") is None:
        return
    rows = build.table("licences").items()
    paths = [
        path
        for path, row in rows
        if row["licence"] == UNKNOWN and not path.endswith("/")
    ]
    if paths:
        more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
        print_message(
            f'warning: the licence of "{paths[0]}"{more} is unknown: '
            "samples.deny_licences lets such files pass\n"
            f'to refuse them, add "{UNKNOWN}" to it'
        )


def _cache_answer(
    checkout: Checkout, snapshot: Snapshot, until: str, facts: dict[str, Any]
) -> None:
    """Store what the next run prints if nothing changes; see noop_cache.py.

    Not when the shared cache failed: the next build tries to push again.
    """
    from repobuild import noop_cache

    if facts.get("remote", {}).get("down"):
        return

    unchanged = {
        **facts,
        "tables": {
            name: {
                "built": 0,
                "memo": 0,
                "removed": 0,
                "unchanged": c["built"] + c["memo"] + c["unchanged"],
                "seconds": 0.0,
            }
            for name, c in facts["tables"].items()
        },
    }
    notices = (checkout.powers.notice, checkout.rulebook(snapshot).notice)
    adapter = facts["adapter"].get("object", "")
    noop_cache.write(
        str(checkout.folder), str(checkout.root), snapshot.commit, until,
        [f"{adapter[:2]}/{adapter[2:]}"] if adapter else [],
        escape_controls("\n".join(filter(None, (text(unchanged), *notices)))),
        json_text(unchanged, indent=2, default=bytes.hex),
    )  # fmt: skip
