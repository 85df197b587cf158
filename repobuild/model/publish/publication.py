"""Collect the facts of the adapter that is exported, and write its folder.

If the adapter of the commit was not promoted, its parent is exported, as `ask` and
`merged` use it, and the card describes that one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.code.graph.graph import PROJECT
from repobuild.errors import BuildError, StaleError, UsageError
from repobuild.git.remote import web_address
from repobuild.model.adapter.lineage import Lineage, current_digest, sample_digest
from repobuild.model.base import BUNDLED, TINY, Base, commit_of, resolve_base
from repobuild.model.publish import hub
from repobuild.model.publish.model_card import (
    ModelCardFacts,
    TrainingContents,
    render_model_card,
)
from repobuild.model.publish.serving_recipes import DEFAULT_QUESTION, ServingFacts
from repobuild.model.teaching.curriculum import Teaching
from repobuild.model.token_budget import count_tokens, load_token_counter
from repobuild.resources import program
from repobuild.samples.contexts.line_rows import quotes_lines
from repobuild.samples.dataset.all_samples import SampleSource
from repobuild.samples.dataset.summary import read_kept

if TYPE_CHECKING:
    from repobuild.engine.build import Build

EXAMPLE_TASK = "code_location"  # a question of this task is the card's example


@dataclass(frozen=True, slots=True)
class Publication:
    """The current adapter of a commit, ready to be written as a folder."""

    build: Build
    commit: str  # key of the row
    row: dict[str, Any]  # of the table `adapter`
    base_name: str = ""  # hub id to name the base by, instead of its own name

    @property
    def digest(self) -> str:
        """Return the digest of the current adapter."""
        return current_digest(self.row)

    @property
    def folder(self) -> Path:
        """Return the adapter's folder; raises `BuildError` when it is gone."""
        return artifact_folder(self.build, self.digest, "adapter")

    def write_adapter(self, folder: Path, with_base: bool | None) -> None:
        """Write the adapter and its card to `folder`.

        `with_base` says whether the base model is written too; None means only the
        bundled one is. Raises `UsageError` for a base that is on the hub, and
        `BuildError` when base or adapter are not what they were.
        """
        lineage = Lineage.read(self.folder)
        base = self._base_to_write(lineage, with_base)
        facts = self._card_facts(lineage, hub.BASE_FOLDER if base else "")
        served = facts.served
        hub.write_adapter(self.folder, folder, served.base, served.revision)
        if base:
            hub.write_model(Path(base.source), folder / hub.BASE_FOLDER)
        hub.write_card(folder, render_model_card(facts))

    def write_merged(self, folder: Path) -> None:
        """Write the merged model and its card to `folder`.

        Raises `StaleError` when the merged model is not built.
        """
        row = self.build.table("merged").get(str(self.row["object"]))
        if row is None:
            raise StaleError(
                "the merged model of this adapter is not built\n"
                f"run `{program()} --until merged` first"
            )
        source = artifact_folder(self.build, str(row["object"]), "merged model")
        hub.write_model(source, folder)
        facts = self._card_facts(Lineage.read(self.folder), "", merged=True)
        hub.write_card(folder, render_model_card(facts))

    def _base_to_write(self, lineage: Lineage, with_base: bool | None) -> Base | None:
        """Return the base model to export with the adapter, None for none."""
        is_bundled = lineage.base["name"] == BUNDLED
        wanted = is_bundled if with_base is None else with_base
        if not wanted or (self.base_name and not with_base):
            return None
        if revision_of(lineage.base):
            raise UsageError(
                f'the base "{lineage.base["name"]}" is on the hub, and the adapter '
                "names it with its commit\nleave out `--with-base`"
            )
        settings = self.build.settings
        if is_bundled:  # even if the next adapter is for another base
            settings = {**settings, "base.model": TINY}
        base = resolve_base(settings)
        if base.digest != lineage.base["digest"]:
            raise BuildError(
                f'the adapter was trained on another base than "{base.name}" is now\n'
                f"run `{program()}` to make a new one, or leave the base out: "
                "`--without-base`"
            )
        return base

    def _card_facts(
        self, lineage: Lineage, inside: str, merged: bool = False
    ) -> ModelCardFacts:
        build = self.build
        # A generated adapter was trained on none of its samples.
        contents = None if lineage.generated else self._contents(lineage)
        promoted = bool(self.row.get("promoted", True))
        return ModelCardFacts(
            project=self._project(),
            address=web_address(build.snapshot.repository),
            lineage=lineage,
            digest=self.digest,
            head=self.commit,
            head_reason=str(self.row.get("reason") or "") if promoted else
            "the adapter made there did worse, and this one stayed",
            parent_commit=self._commit_of(lineage.parent),
            served=self._serving_facts(lineage, inside, merged, contents),
            denied=tuple(build.settings.get("samples.deny_licences") or ()),
            strict=self._report_scores(),
            contents=contents,
        )  # fmt: skip

    def _serving_facts(
        self,
        lineage: Lineage,
        inside: str,
        merged: bool,
        contents: TrainingContents | None,
    ) -> ServingFacts:
        recipe, revision = lineage.recipe, revision_of(lineage.base)
        template = self.folder / "chat_template.jinja"
        thinks = template.is_file() and "enable_thinking" in template.read_text("utf-8")
        return ServingFacts(
            base=self.base_name or lineage.base["name"],
            revision="" if self.base_name else revision,
            on_hub=bool(self.base_name or revision),
            inside=inside,
            project=self._project(),
            commit=lineage.commit,
            rank=recipe["rank"],
            dora=bool(recipe.get("dora")),
            thinks=thinks,
            merged=merged,
            question=(contents.example if contents else "") or DEFAULT_QUESTION,
        )

    def _project(self) -> str:
        row = self.build.table("graph").get(PROJECT) or {}
        return str((row.get("") or {}).get("project_name", ""))

    def _commit_of(self, digest: str) -> str:
        """Return the commit of the first build that made an adapter, "" if unknown."""
        rows = self.build.table("adapter").items()
        made = [(int(r["build"]), key) for key, r in rows if digest == r["object"]]
        return min(made)[1] if digest and made else ""

    def _report_scores(self) -> dict[str, Any]:
        """Return the strict scores of the report on this adapter, {} without one."""
        row = self.build.table("report").get(self.digest)
        if row is None:
            return {}
        try:
            file = self.build.store.checked_path(str(row["object"])) / "report.json"
            report: dict[str, Any] = json.loads(file.read_text("utf-8"))
        except (KeyError, OSError, ValueError):
            return {}  # the report was garbage-collected: the card has no scores
        return dict(report.get("strict") or {})

    def _contents(self, lineage: Lineage) -> TrainingContents | None:
        """Return the counts of the training data.

        The tables may hold other samples than the adapter was trained on: they were
        built again since, or the adapter was rolled back to. Then return None.
        """
        try:
            contents = count_training_contents(self.build)
        except StaleError:  # the samples are newer than the dataset
            return None
        return contents if contents.manifest == lineage.dataset else None


def count_training_contents(source: SampleSource) -> TrainingContents:
    """Count the samples that may be taught, and their tokens if a tokenizer is here.

    Raises `StaleError` when the samples are newer than the dataset.
    """
    contents = TrainingContents()
    count = load_token_counter(source.settings)
    with_lines = bool(source.settings["adapter.line_numbers"])
    teaching = Teaching.of(source.settings)
    for key, whole, row, _ in read_kept(source, contents.summary):
        if quotes_lines(key) and not with_lines:
            continue  # training leaves these out as well
        sample, task = teaching.shorten(whole), whole["task"]
        if sample is None or teaching.rank(key, task) is None:
            continue
        if row["split"] != "train":
            contents.held_out[task] += 1
            continue
        contents.trained[task] += 1
        contents.digests[key] = sample_digest(sample)
        if count is not None:
            contents.tokens[task] += count_tokens(dict(sample), count)
        is_example = task == EXAMPLE_TASK and sample["language"] == "en"
        if is_example and not contents.example:
            contents.example = sample["question"]
    return contents


def artifact_folder(build: Build, digest: str, what: str) -> Path:
    """Return the folder of an artifact; `what` names it in the message.

    Raises `BuildError` when it is gone or damaged.
    """
    try:
        return build.store.checked_path(digest)
    except KeyError:
        raise BuildError(
            f"the {what} {digest[:12]} is gone or damaged\n"
            f"run `{program()}`: it makes it again"
        ) from None


def revision_of(base: dict[str, str]) -> str:
    """Return the commit of a hub model, "" for a local one."""
    is_of_hub = base["digest"].startswith(f"{base['name']}@")
    return commit_of(base["digest"]) if is_of_hub else ""
