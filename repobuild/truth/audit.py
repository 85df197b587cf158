"""Check all samples against the tree that they were made from.

Samples are grouped by the file of their element, so that each file is parsed once. A
worker parses one file, checks what that file proves, and returns the file's evidence
with the claims that rest on other files, too. Those are checked here when the evidence
of all files is there, and so are samples about commits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any, NamedTuple

from repobuild.truth.claims.change_claims import FindCommit
from repobuild.truth.claims.project_claims import PROJECT_CLAIMS
from repobuild.truth.claims.relation_claims import RELATION_CLAIMS
from repobuild.truth.claims.usage_claims import USAGE_CLAIMS
from repobuild.truth.sample_check import (
    SampleResult,
    WrongClaim,
    check_change_sample,
    check_plan_sample,
    check_sample,
    element_path,
    is_change,
    is_plan,
)
from repobuild.truth.subject import DeferredClaim
from repobuild.truth.tree.file_evidence import FileEvidence
from repobuild.truth.tree.python_reader import PythonFile, parse_python
from repobuild.truth.tree.tree_file import TreeFile, decode_source
from repobuild.truth.tree.tree_index import TreeIndex

KeyedSample = tuple[str, Mapping[str, Any]]
ShowStep = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
_DEFERRED_CHECKS = {**RELATION_CLAIMS, **PROJECT_CLAIMS, **USAGE_CLAIMS}
_BATCH = 16  # files that a worker gets at once
_PARSED = 256  # files whose syntax trees stay in memory while plans are checked
_READMES = frozenset(
    "readme.md readme.markdown readme.rst readme.rest readme readme.txt".split()
)
_SETUP_SCRIPT = "setup.py"
_DOCUMENT_DEPTH = 3  # folders from the top in which the project describes itself


@dataclass(frozen=True, slots=True)
class AuditTree:
    """What samples are checked against: every path with its language, and the bytes."""

    languages: Mapping[str, str]  # "" for a path that is left out
    read_blob: Callable[[str], bytes]  # by path
    project: str = ""  # the setting `project.name`
    find_commit: FindCommit = lambda id: None  # noqa: E731


@dataclass
class Audit:
    """What was checked, and what is wrong."""

    samples: int = 0
    claims: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    unread: dict[str, str] = field(default_factory=dict)  # path -> parse error
    wrong: list[WrongClaim] = field(default_factory=list)

    def add(self, checked: SampleResult) -> None:
        """Count one sample that all files were needed for."""
        self.samples += 1
        self.claims.update(checked.claims)
        self.kinds[checked.kind or "unknown"] += 1
        self.wrong += checked.wrong


@dataclass(frozen=True, slots=True)
class AuditJob:
    """One file with the samples about its elements."""

    path: str
    language: str
    data: bytes
    samples: Sequence[KeyedSample]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The evidence of one file, and what it proved of the samples about it."""

    evidence: FileEvidence
    claims: Counter[str]
    kinds: Counter[str]
    wrong: list[WrongClaim]
    deferred: list[DeferredClaim]


def audit(
    samples: Iterable[KeyedSample],
    tree: AuditTree,
    jobs: int = 1,
    show: ShowStep = lambda label, total: nullcontext(lambda count: None),
    expected: int = 0,
) -> Audit:
    """Check every sample with `jobs` workers.

    `show` is given a label and a total for each step, and yields what takes how many
    are done; `expected` is the number of samples, 0 when it is not known.
    """
    total = Audit()
    files: dict[str, FileEvidence] = {}
    deferred: list[DeferredClaim] = []
    with show("reading samples", expected) as advance:
        by_path, changes, plans = _grouped(samples, advance)
    with show("claims", sum(map(len, by_path.values()))) as advance:
        for result in _run(_file_jobs(by_path, tree), jobs):
            files[result.evidence.path] = result.evidence
            total.claims += result.claims
            total.kinds += result.kinds
            total.wrong += result.wrong
            deferred += result.deferred
            total.samples += result.kinds.total()
            advance(result.kinds.total())
    total.unread = {path: file.problem for path, file in files.items() if file.problem}
    index = TreeIndex(
        files,
        frozenset(tree.languages),
        _project_documents(tree),
        tree.project,
        tree.languages,
        cache(lambda path: tree.read_blob(path).decode("utf-8", "replace")),
    )
    with show("claims of several files", len(deferred)) as advance:
        total.wrong += _check_deferred(index, deferred, advance)
    find_commit = tree.find_commit
    checked = (check_change_sample(*one, index, find_commit) for one in changes)
    with show("commits and plans", len(changes) + len(plans)) as advance:
        for one in chain(checked, _check_plans(plans, index, tree)):
            total.add(one)
            advance(1)
    total.wrong.sort(key=lambda wrong: (wrong.key, wrong.claim))
    return total


class GroupedSamples(NamedTuple):
    """Samples by how they are checked."""

    by_path: dict[str, list[KeyedSample]]
    changes: list[KeyedSample]
    plans: list[KeyedSample]


def _grouped(
    samples: Iterable[KeyedSample], advance: Callable[[int], None]
) -> GroupedSamples:
    grouped = GroupedSamples(defaultdict(list), [], [])
    for key, sample in samples:
        if is_change(sample):
            grouped.changes.append((key, sample))
        elif is_plan(key):
            grouped.plans.append((key, sample))
        else:
            grouped.by_path[element_path(key)].append((key, sample))
        advance(1)
    return grouped


def _file_jobs(
    by_path: Mapping[str, Sequence[KeyedSample]], tree: AuditTree
) -> Iterator[AuditJob]:
    """Yield a job for every analysed file, and for every other path with samples."""
    paths = [path for path, language in tree.languages.items() if language]
    for path in {**dict.fromkeys(paths), **by_path}:  # "" for the whole project
        language = tree.languages.get(path, "")
        data = tree.read_blob(path) if language else b""
        yield AuditJob(path, language, data, by_path.get(path, ()))


def _run(jobs: Iterator[AuditJob], workers: int) -> Iterator[AuditResult]:
    if workers == 1:
        yield from map(check_file, jobs)
        return
    from joblib import Parallel, delayed

    batches = iter(lambda: list(islice(jobs, _BATCH)), [])
    run = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="3*n_jobs")
    for results in run(delayed(_check_batch)(batch) for batch in batches):
        yield from results


def _check_batch(jobs: Sequence[AuditJob]) -> list[AuditResult]:
    return [check_file(job) for job in jobs]


def check_file(job: AuditJob) -> AuditResult:
    """Check the samples of one file as far as the file proves them."""
    file = TreeFile.parse(job.path, job.language, job.data)
    result = AuditResult(file.evidence(), Counter(), Counter(), [], [])
    for key, sample in job.samples:
        if job.path and not job.language:
            result.wrong.append(
                WrongClaim(key, "path", job.path, "there is no such file")
            )
        checked = check_sample(key, sample, file)
        result.claims.update(checked.claims)
        result.kinds[checked.kind or "unknown"] += 1
        result.wrong.extend(checked.wrong)
        result.deferred.extend(checked.deferred)
    return result


def _check_deferred(
    index: TreeIndex,
    claims: Iterable[DeferredClaim],
    advance: Callable[[int], None],
) -> Iterator[WrongClaim]:
    # Many samples make the same claim: each is checked once for all their keys.
    known: dict[tuple[str, DeferredClaim], str] = {}
    for claim in claims:
        other = claim.alternative
        other = other and replace(other, key="")
        same = (claim.language, replace(claim, key="", alternative=other))
        if same not in known:
            actual = _DEFERRED_CHECKS[claim.claim](index, claim)
            if actual and claim.alternative:
                alternative = claim.alternative
                actual = _DEFERRED_CHECKS[alternative.claim](index, alternative)
            known[same] = actual
        if known[same]:
            yield WrongClaim(claim.key, claim.claim, claim.claimed, known[same])
        advance(1)


def _check_plans(
    plans: Iterable[KeyedSample], index: TreeIndex, tree: AuditTree
) -> Iterator[SampleResult]:
    """Check plans; files that no other sample is about are read, too."""

    @cache
    def read(path: str) -> str | None:
        if path not in tree.languages:
            return None
        return decode_source(tree.read_blob(path))

    @lru_cache(_PARSED)
    def python(path: str) -> PythonFile | None:
        return parse_python(path, read(path))

    for key, sample in plans:
        yield check_plan_sample(key, sample, index, read, python, tree.find_commit)


def _project_documents(tree: AuditTree) -> dict[str, str]:
    """Return the texts of manifests not deep in the tree, and of READMEs at its top."""
    return {
        path: tree.read_blob(path).decode("utf-8", "replace")
        for path, language in tree.languages.items()
        if path.count("/") < _DOCUMENT_DEPTH
        and (
            language == "manifest"
            or (language and path.rpartition("/")[2] == _SETUP_SCRIPT)
            or (language and path.lower() in _READMES)
        )
    }
