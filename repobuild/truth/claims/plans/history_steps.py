"""Check what commits touched: past additions, files that change together, change logs.

The evidence names the commits; each is read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from repobuild.truth.claims.list_claims import ParsedList, parse_list
from repobuild.truth.claims.plans.plan_subject import (
    NAME,
    PlanSubject,
    StepCheck,
    StepFields,
    bare_name,
    is_touched,
    quoted_names,
    shown_subject,
    split_id,
)
from repobuild.truth.claims.plans.step_readings import (
    check_numbered,
    has_numbers,
    part_pattern,
)
from repobuild.truth.subject import CheckedClaim
from repobuild.truth.tree.file_version import Commit
from repobuild.truth.tree.site_reader import words_of

_NO_COMMIT = "there is no such commit"


def _check_past(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when a commit of the evidence added these and touched those."""
    path = plan.sample["element"].partition("::")[0]
    sources = plan.sample["sources"]
    parsed = parse_list(fields["members"], plan.templates, path, sources)
    if not isinstance(parsed, ParsedList):
        return parsed
    problems = [
        _check_addition(commit, parsed.ids, quoted_names(fields["paths"]))
        for commit in _commits_with_subject(plan, fields["subject"])
    ]
    return min(problems, key=bool, default=_NO_COMMIT)


def _check_addition(commit: Commit, ids: Sequence[str], paths: Sequence[str]) -> str:
    for id in ids:
        file, qual = split_id(id)
        text = commit.after(file)
        name = rf"\b{re.escape(bare_name(id))}\b" if qual else ""
        if text is None or not re.search(name, text):
            return f"it does not add {id}"
    touched = {new for _, new in commit.paths}
    lost = [path for path in paths if not is_touched(path, touched)]
    return f"it does not touch {lost[0]}" if lost else ""


def _commits_with_subject(plan: PlanSubject, subject: str) -> Iterator[Commit]:
    """Yield the commits of the evidence with this subject, as plans quote it."""
    for commit in map(plan.find_commit, plan.evidence["commits"]):
        if commit is not None and shown_subject(commit.subject) == subject:
            yield commit


def _check_together(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when as many commits touched each path as the step says."""
    pattern = part_pattern(plan.templates, "plan_came")
    found = list(re.finditer(pattern, fields["members"]))
    join = plan.templates.words["join"]
    if join.join(match[0] for match in found) != fields["members"]:
        return "it cannot be read as a list"
    commits = plan.evidence["home_commits" if "home" in fields else "commits"]
    for match in found:
        if problem := _check_came(plan, match.groupdict(), commits):
            return problem
    return _check_home_commits(plan, fields["home"]) if "home" in fields else ""


def _check_home_commits(plan: PlanSubject, home: str) -> str:
    if all(split_id(id).path != home for id in plan.siblings):
        return "no sibling is there"
    for id in plan.evidence["home_commits"]:
        commit = plan.find_commit(id)
        if commit is None or home not in {new for _, new in commit.paths}:
            return f"{id} does not touch it"
    return ""


def _check_came(plan: PlanSubject, fields: StepFields, commits: list[str]) -> str:
    """Return "" when as many of the commits touched a path."""
    if len(commits) != int(fields["total"]):
        return f"there are {len(commits)} commits"
    touching = 0
    for id in commits:
        commit = plan.find_commit(id)
        if commit is None:
            return f"there is no commit {id}"
        touching += is_touched(fields["other"], {new for _, new in commit.paths})
    # A pattern may match files that are not named after the sibling, too.
    least, is_pattern = int(fields["count"]), NAME in fields["other"]
    is_right = touching >= least if is_pattern else touching == least
    return "" if is_right else f"{touching} touched it"


def _check_changelog(plan: PlanSubject, fields: StepFields) -> str:
    return "" if fields["other"] in plan.index.paths else "there is no such file"


HISTORY_STEPS: Mapping[str, StepCheck] = {
    "plan_past": _check_past,
    "plan_together": _check_together,
    "plan_partners": _check_together,
    "plan_changelog": _check_changelog,
}


# -------------------------------------------------- the sample about a single file


def check_changed_together(plan: PlanSubject) -> Iterator[CheckedClaim]:
    """Yield the claims of a sample about the files that changed with a file."""
    fields = {name: text for (_, name), text in plan.fields.items()}
    path, commits = plan.sample["element"], plan.evidence["commits"]
    yield CheckedClaim("path", fields["path"], "" if fields["path"] == path else path)
    right = fields["total"] == str(len(commits))
    yield CheckedClaim("commits", fields["total"], "" if right else str(len(commits)))

    def check(text: str) -> str:
        for reading in plan.templates.match_parts(("together_path",), text):
            if has_numbers(reading):
                step = {name: value for (_, name), value in reading.items()}
                return _check_came(plan, step, commits)
        return "it is none of the known steps"

    yield from check_numbered(fields["items"], check)
    yield CheckedClaim("commit", fields["subject"], _check_latest(plan, fields))


def _check_latest(plan: PlanSubject, fields: StepFields) -> str:
    """Return "" when a commit has this subject and added these names to the file."""
    problems = [
        _check_names(commit, plan.sample["element"], quoted_names(fields["members"]))
        for commit in _commits_with_subject(plan, fields["subject"])
    ]
    return min(problems, key=bool, default=_NO_COMMIT)


def _check_names(commit: Commit, path: str, names: Sequence[str]) -> str:
    words = words_of(commit.after(path) or "")
    lost = [name for name in names if name not in words]
    return f"it does not add {lost[0]}" if lost else ""
