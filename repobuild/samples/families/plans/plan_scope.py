"""Hold what the plan for a new sibling is made of, and word what its steps share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from repobuild.engine.contract import Value
from repobuild.samples.contexts.element_view import strip_counts
from repobuild.samples.families.membership import Family
from repobuild.samples.tasks.facts import FactScope

NAMED = 4  # siblings that are named
# Begin the names of steps.
SITE, DOCUMENT, PERHAPS = "plan_site", "plan_document", "plan_perhaps"

Step = tuple[str, str]  # its name, which is unique in a plan, and its text


class SiblingModel(NamedTuple):
    """The sibling that a plan follows: see `siblings` in family_row.py."""

    id: str
    need: str
    code_qual: str
    code: str
    outline: str
    methods: list[str]
    bases: list[str]
    fits: bool = True

    @property
    def path(self) -> str:
        return self.id.partition("::")[0]

    @property
    def name(self) -> str:
        """The qualified name without ordinals; of a module the path."""
        return strip_counts(self.id.partition("::")[2] or self.path)


class PlanScope:
    """The row of a family, or of one of its siblings, and the model for a new one."""

    def __init__(self, scope: FactScope, model: SiblingModel, shown: list[str]) -> None:
        self.scope = scope
        self.part = scope.phrases.part
        self.family = Family(*scope.get("family"))
        self.model = model
        self.is_like = scope.get("kind") == "like"
        self.shown = [id for id in shown if id != model.id]  # may be named
        self.ids = sibling_ids(scope.context)
        names = [strip_counts(id.partition("::")[2] or id) for id in self.ids]
        self._is_shared = names.count(model.name) > 1
        if len(set(names)) < len(names):  # several have one name: none without its file
            scope = replace(scope, context={**scope.context, "path": ""})
        self.listing = scope  # to list siblings with
        self.count = len(self.ids)

    @property
    def model_title(self) -> str:
        """The model's name; its path where another sibling has the name."""
        return self.model.path if self._is_shared else self.model.name

    @property
    def noun(self) -> str:
        """What the siblings are called."""
        kind, where, owner, pattern = self.family
        part = f"noun_{kind}"
        if kind == "subclass" and "::" not in where:
            part = "noun_foreign"
        elif kind == "functions":
            part = "noun_method" if owner else "noun_function"
        folder = where if kind == "decorated" else self.scope.get("folder")
        return self.part(
            part,
            base=strip_counts(where.rpartition("::")[2]),
            path=where.partition("::")[0],
            folder=folder or ".",
            owner=owner,
            pattern=pattern,
        )

    def rows(self, name: str) -> list[Value]:
        """Return a list of the row; an empty one where the row has none."""
        return self.scope.get(name) or []

    def listed(self, items: list[str]) -> str:
        return self.scope.phrases.listed(items)

    def quoted(self, names: Iterable[str]) -> str:
        return self.listed([f"`{name}`" for name in names])

    def counts(self, count: int) -> dict[str, str]:
        return {"count": str(count), "total": str(self.count)}

    def item(self, name: str, count: int) -> str:
        return self.part("plan_item", item=name, **self.counts(count))

    def share(self, count: int, is_least: bool = False) -> str:
        """Return how many siblings a place names; prose may name more, as words."""
        part = "plan_of_least" if is_least else "plan_of"
        if count == self.count:
            part = "plan_of_all"
        return self.part(part, **self.counts(count))

    def shown_pair(self, pairs: list[Value], *besides: str) -> tuple[str, str]:
        """Return (sibling, what it has) of the model, or of another that may be named.

        Return "" twice where none may, or where `besides` may not.
        """
        rows = [(self.ids[number], one) for number, one, *_ in pairs]
        rows.sort(key=lambda row: row[0] != self.model.id)
        for sibling, one in rows:
            named = [sibling, *besides, *([one] if "::" in one else [])]
            if len(self.scope.without_held_out(named)) == len(named):
                return sibling, one
        return "", ""


def plain_name(id: str) -> str:
    """Return an element's qualified name without ordinals; "" of a file."""
    return strip_counts(id.partition("::")[2])


def sibling_ids(row: Mapping[str, Value]) -> list[str]:
    """Return the ids of the siblings, in the row of a family or of one of them."""
    return [one if isinstance(one, str) else one[0] for one in row["siblings"]]
