"""What is known of the adapter that is exported, put together for its card.

An adapter that was not promoted is not what should be used: then its parent is
exported, as `ask` and `merged` use it, and the card tells of that one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.code.graph.graph import PROJECT
from repobuild.errors import BuildError, StaleError, UsageError
from repobuild.git.remote import address
from repobuild.model.adapter.lineage import Lineage, current
from repobuild.model.base import TINY, Base, resolve
from repobuild.model.publish import hub
from repobuild.model.publish.model_card import ModelCardFacts, card
from repobuild.model.publish.serving_recipes import EMBEDDED, QUESTION, ServingFacts
from repobuild.model.publish.training_contents import TrainingContents, contents

if TYPE_CHECKING:
    from repobuild.engine.build import Build


@dataclass(frozen=True, slots=True)
class Publication:
    """The current adapter as of a commit, and what is told of it."""

    build: Build
    commit: str  # the key of the row
    row: dict[str, Any]
    named: str = ""  # what the base is called instead of its own name

    @property
    def digest(self) -> str:
        return current(self.row)

    @property
    def folder(self) -> Path:
        return stored(self.build, self.digest, "adapter")

    def write_adapter(self, folder: Path, with_base: bool | None) -> None:
        """Write the folder; `with_base` None takes along the embedded base only."""
        lineage = Lineage.read(self.folder)
        along = self._base_along(lineage, with_base)
        about = self._about(lineage, hub.BASE if along else "")
        served = about.served
        hub.write_adapter(self.folder, folder, served.base, served.revision)
        if along:
            hub.write_model(Path(along.source), folder / hub.BASE)
        hub.write_card(folder, card(about))

    def write_merged(self, folder: Path) -> None:
        row = self.build.table("merged").get(str(self.row["object"]))
        if row is None:
            raise StaleError(
                "the merged model of this adapter is not built\n"
                "run `repobuild --until merged` first"
            )
        source = stored(self.build, str(row["object"]), "merged model")
        hub.write_model(source, folder)
        about = self._about(Lineage.read(self.folder), "", merged=True)
        hub.write_card(folder, card(about))

    def _base_along(self, lineage: Lineage, asked: bool | None) -> Base | None:
        wanted = lineage.base["name"] == EMBEDDED if asked is None else asked
        if not wanted or (self.named and not asked):
            return None
        if revision_of(lineage.base):
            raise UsageError(
                f'the base "{lineage.base["name"]}" is on the hub, and the adapter '
                "names it with its commit\nleave out `--with-base`"
            )
        settings = self.build.settings
        if lineage.base["name"] == EMBEDDED:  # whatever the next one is to be
            settings = {**settings, "base.model": TINY}
        base = resolve(settings)
        if base.digest != lineage.base["digest"]:
            raise BuildError(
                f'the adapter was trained on another base than "{base.name}" is now\n'
                "run `repobuild` to make a new one, or leave the base out: "
                "`--without-base`"
            )
        return base

    def _about(
        self, lineage: Lineage, inside: str, merged: bool = False
    ) -> ModelCardFacts:
        build = self.build
        found = self._contents(lineage)
        return ModelCardFacts(
            project=self._project(),
            address=address(build.snapshot.repository),
            lineage=lineage,
            digest=self.digest,
            head=self.commit,
            head_reason=str(self.row.get("reason") or "") if self._is_kept else
            "the adapter made there did worse, and this one stayed",
            parent_commit=self._commit_of(lineage.parent),
            served=self._served(lineage, inside, merged, found),
            denied=tuple(build.settings.get("samples.deny_licences") or ()),
            strict=self._strict(),
            contents=found,
        )  # fmt: skip

    @property
    def _is_kept(self) -> bool:
        return bool(self.row.get("promoted", True))

    def _served(
        self,
        lineage: Lineage,
        inside: str,
        merged: bool,
        found: TrainingContents | None,
    ) -> ServingFacts:
        recipe, revision = lineage.recipe, revision_of(lineage.base)
        template = self.folder / "chat_template.jinja"
        asks = template.is_file() and "enable_thinking" in template.read_text("utf-8")
        return ServingFacts(
            base=self.named or lineage.base["name"],
            revision="" if self.named else revision,
            on_hub=bool(self.named or revision),
            inside=inside,
            project=self._project(),
            commit=lineage.commit,
            rank=recipe["rank"],
            dora=bool(recipe.get("dora")),
            thinks=asks,
            merged=merged,
            question=(found.example if found else "") or QUESTION,
        )

    def _project(self) -> str:
        row = self.build.table("graph").get(PROJECT) or {}
        return str((row.get("") or {}).get("project_name", ""))

    def _commit_of(self, digest: str) -> str:
        """The newest commit that an adapter was made at, "" when it is forgotten."""
        rows = self.build.table("adapter").items()
        made = [(int(r["build"]), key) for key, r in rows if digest == r["object"]]
        return min(made)[1] if digest and made else ""

    def _strict(self) -> dict[str, Any]:
        """Scores of the report on exactly this adapter."""
        row = self.build.table("report").get(self.digest)
        if row is None:
            return {}
        try:
            file = self.build.store.path(str(row["object"])) / "report.json"
            report: dict[str, Any] = json.loads(file.read_text("utf-8"))
        except (KeyError, OSError, ValueError):
            return {}  # collected: the card then has no scores
        return dict(report.get("strict") or {})

    def _contents(self, lineage: Lineage) -> TrainingContents | None:
        """None when the tables do not hold what the adapter was trained on."""
        try:
            found = contents(self.build)
        except StaleError:  # samples were built on, the dataset was not
            return None
        return found if found.manifest == lineage.dataset else None


def stored(build: Build, digest: str, what: str) -> Path:
    """Folder of an artifact; raises `BuildError` when it is gone or damaged."""
    try:
        return build.store.path(digest)
    except KeyError:
        raise BuildError(
            f"the {what} {digest[:12]} is gone or damaged\n"
            "run `repobuild`: it makes it again"
        ) from None


def revision_of(base: dict[str, str]) -> str:
    """The commit of a hub model; "" for one that lies on this machine."""
    name, mark, commit = base["digest"].rpartition("@")
    return commit if mark and name == base["name"] else ""
