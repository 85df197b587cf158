"""Files in a repository of their own, built up to their samples and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.claim_audit import audit_tree
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.samples.tasks.facts import is_asked, phrasing_seed
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.truth.answer_template import answer_templates
from repobuild.truth.audit import Audit, audit
from tests.repository import Repository
from tests.standard import Standard

# No element is held out, and every question is in one language.
ALL_IN_ENGLISH: dict[str, Any] = {"split.generalise": 0.0, "samples.languages": ["en"]}


class Sampled:
    """The samples of one commit, and the tree that they are checked against."""

    def __init__(self, folder: Path, files: Mapping[str, str], **settings: Any) -> None:
        repository = Repository(folder / "repository")
        repository.commit(dict(files))
        standard = Standard(repository.git, folder / "state", **settings)
        standard.build("dataset")
        build = standard.open()
        self.samples: dict[str, Any] = dict(AllSamples.of(build).entries())
        self.tree = audit_tree(build)
        dataset = dict(build.table("dataset").entries())
        contexts: dict[str, Any] = dict(build.table("contexts").items())
        self.context = contexts.__getitem__
        self.kept = {
            key: one for key, one in self.samples.items() if "split" in dataset[key]
        }
        standard.close()

    def audit(self, samples: Mapping[str, Any] | None = None) -> Audit:
        """Check samples, all of them unless some are given."""
        return audit((self.samples if samples is None else samples).items(), self.tree)

    def answers(self, id: str) -> list[str]:
        """Return the answers of one element's samples."""
        return [
            one["answer"]
            for key, one in self.samples.items()
            if key.rpartition("#")[0] == id
        ]


def sampled_fixture(files: Mapping[str, str], **settings: Any) -> Any:
    """Return a fixture that builds the samples of files once for all tests of a module.

    Every element is asked about, and in English, unless `settings` say otherwise.
    """

    @pytest.fixture(scope="module")
    def sampled(tmp_path_factory: pytest.TempPathFactory) -> Sampled:
        folder = tmp_path_factory.mktemp("sampled")
        return Sampled(folder, files, **{**ALL_IN_ENGLISH, **settings})

    return sampled


def of_kind(sampled: Sampled, kind: str, element: str = "") -> list[dict[str, Any]]:
    """Return the samples of a kind, all of them unless an element is given.

    Some kinds are asked of a share of all elements, drawn by their ids. A test that an
    element has no such sample could never fail where the element is not drawn.
    """
    if element:
        seed = phrasing_seed(kind, element)
        assert is_asked(load_phrases("en").kinds[kind], seed), f"{seed} is not drawn"
    found = []
    for key, sample in sampled.samples.items():
        task, language, number = key.rpartition("#")[2].split(".")
        if answer_templates(language).kind(task, int(number)) == kind:
            if not element or sample["element"] == element:
                found.append(sample)
    return found


def answers(sampled: Sampled, kind: str, element: str = "") -> set[str]:
    return {one["answer"] for one in of_kind(sampled, kind, element)}


def assert_families_follow(
    folder: Path, before: Mapping[str, str], change: Mapping[str, str | None]
) -> None:
    """Assert that a change reaches `families`, and gives what a clean build gives."""
    repository = Repository(folder / "repository")
    repository.commit(dict(before))
    updated = Standard(repository.git, folder / "updated", **ALL_IN_ENGLISH)
    updated.build("plans")
    was = updated.digests()["families"]
    repository.commit(dict(change))
    updated.build("plans")
    clean = Standard(repository.git, folder / "clean", **ALL_IN_ENGLISH)
    clean.build("plans")
    assert updated.digests()["families"] != was
    assert clean.digests() == updated.digests()
    updated.close()
    clean.close()
