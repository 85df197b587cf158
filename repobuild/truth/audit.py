"""All samples against the tree that they were made from, a file parsed once.

Samples are grouped by the file that they are about; workers read them back and check
what that file proves, and return the file's face. Claims about other files wait until
every face is there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from repobuild.truth.claims.change_claims import Past
from repobuild.truth.claims.project_claims import PROJECT_CLAIMS
from repobuild.truth.claims.relation_claims import FAR
from repobuild.truth.reading import (
    ReadSample,
    WrongClaim,
    element_path,
    is_change,
    read,
    read_change,
)
from repobuild.truth.subject import DeferredClaim, TreeFile
from repobuild.truth.tree.file_evidence import FileEvidence
from repobuild.truth.tree.tree_index import TreeIndex

Samples = Sequence[tuple[str, Mapping[str, Any]]]
_FAR = {**FAR, **PROJECT_CLAIMS}
_BATCH = 16  # files
_PAPER = ("readme.md", "readme.markdown")
_PAPER_DEPTH = 3


@dataclass(frozen=True, slots=True)
class AuditTree:
    """What samples are checked against: every path with its language, and the bytes."""

    languages: Mapping[str, str]
    blob: Callable[[str], bytes]  # of a path
    project: str = ""
    past: Past = lambda id: None  # noqa: E731


@dataclass
class Audit:
    """What was checked, and what is wrong."""

    samples: int = 0
    claims: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    unread: dict[str, str] = field(default_factory=dict)  # path -> why
    wrong: list[WrongClaim] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AuditJob:
    """One file with the samples about it."""

    path: str
    language: str
    data: bytes
    samples: Samples


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What one file proved."""

    face: FileEvidence
    claims: Counter[str]
    kinds: Counter[str]
    wrong: list[WrongClaim]
    far: list[DeferredClaim]


def audit(
    samples: Iterable[tuple[str, Mapping[str, Any]]],
    tree: AuditTree,
    jobs: int = 1,
    advance: Callable[[int], None] = lambda count: None,
) -> Audit:
    """Check every sample; `advance` is told how many samples are done."""
    found, faces, far = Audit(), {}, []
    changes: list[tuple[str, Mapping[str, Any]]] = []
    for done in _results(_jobs(_present(samples, changes), tree), jobs):
        faces[done.face.path] = done.face
        found.claims += done.claims
        found.kinds += done.kinds
        found.wrong += done.wrong
        far += done.far
        found.samples += done.kinds.total()
        advance(done.kinds.total())
    index = TreeIndex(
        faces, frozenset(tree.languages), _papers(tree), tree.project, tree.languages
    )
    found.unread = {p: face.problem for p, face in faces.items() if face.problem}
    found.wrong += _far(index, far)
    for key, sample in changes:
        _add(found, read_change(key, sample, index, tree.past))
        advance(1)
    found.wrong.sort(key=lambda wrong: (wrong.key, wrong.claim))
    return found


def _add(found: Audit, one: ReadSample) -> None:
    found.samples += 1
    found.claims.update(one.claims)
    found.kinds[one.kind or "unknown"] += 1
    found.wrong += one.wrong


def _present(
    samples: Iterable[tuple[str, Mapping[str, Any]]],
    changes: list[tuple[str, Mapping[str, Any]]],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The samples about what is; those about changes are put aside."""
    for key, sample in samples:
        if is_change(sample):
            changes.append((key, sample))
        else:
            yield key, sample


def _jobs(
    samples: Iterable[tuple[str, Mapping[str, Any]]], tree: AuditTree
) -> Iterator[AuditJob]:
    """Every analysed file, with the samples about it; "" stands for the project."""
    grouped: dict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for key, sample in samples:
        grouped[element_path(key)].append((key, sample))
    paths = [path for path, language in tree.languages.items() if language]
    for path in {**dict.fromkeys(paths), **grouped}:
        language = tree.languages.get(path, "")
        data = tree.blob(path) if language else b""
        yield AuditJob(path, language, data, grouped.get(path, ()))


def _results(jobs: Iterator[AuditJob], count: int) -> Iterator[AuditResult]:
    if count == 1:
        yield from map(check, jobs)
        return
    from joblib import Parallel, delayed

    run = Parallel(n_jobs=count, return_as="generator", pre_dispatch="3*n_jobs")
    for results in run(delayed(_check_all)(batch) for batch in _batches(jobs)):
        yield from results


def _batches(jobs: Iterator[AuditJob]) -> Iterator[list[AuditJob]]:
    while batch := list(islice(jobs, _BATCH)):
        yield batch


def _check_all(jobs: Sequence[AuditJob]) -> list[AuditResult]:
    return [check(job) for job in jobs]


def check(job: AuditJob) -> AuditResult:
    """Check one file's samples as far as the file goes."""
    file = TreeFile.of(job.path, job.language, job.data)
    done = AuditResult(file.face(), Counter(), Counter(), [], [])
    for key, sample in job.samples:
        if job.path and not job.language:
            done.wrong.append(
                WrongClaim(key, "path", job.path, "there is no such file")
            )
        found = read(key, sample, file)
        done.claims.update(found.claims)
        done.kinds[found.kind or "unknown"] += 1
        done.wrong.extend(found.wrong)
        done.far.extend(found.far)
    return done


def _far(index: TreeIndex, claims: Iterable[DeferredClaim]) -> Iterator[WrongClaim]:
    known: dict[tuple[str, DeferredClaim], str] = {}
    for far in claims:
        other = far.other and replace(far.other, key="")
        same = (far.language, replace(far, key="", other=other))
        if same not in known:
            tree = _FAR[far.claim](index, far)
            second = far.other
            if tree and second:
                tree = _FAR[second.claim](index, second)
            known[same] = tree
        if known[same]:
            yield WrongClaim(far.key, far.claim, far.said, known[same])


def _papers(tree: AuditTree) -> dict[str, str]:
    """READMEs and manifests, not deep in the tree."""
    return {
        path: tree.blob(path).decode("utf-8", "replace")
        for path, language in tree.languages.items()
        if path.count("/") < _PAPER_DEPTH
        and (language == "manifest" or path.rpartition("/")[2].lower() in _PAPER)
    }
