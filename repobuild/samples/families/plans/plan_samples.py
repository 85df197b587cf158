"""Make plans: a requirement, how the code meets such ones so far, then the steps.

A row of `families` is a family of siblings, one sibling as the model for another, or
the files that changed with a file. The rows of these samples are made like those of
`contexts`, but a plan rests on many elements: it is a table of its own that extends
`samples`, with the tasks `implementation_path` and `architecture_understanding`.

Every step says what the repository shows, with the number of siblings that show it. A
sample has `evidence`, with which the checker counts again
(repobuild/truth/claims/plans/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from repobuild.engine.contract import Scope, Value
from repobuild.samples.dataset.split import Split
from repobuild.samples.families.family_tree import HALF
from repobuild.samples.families.plans.plan_answer import plan_answer, plan_files
from repobuild.samples.families.plans.plan_evidence import plan_evidence
from repobuild.samples.families.plans.plan_scope import (
    NAMED,
    PlanScope,
    SiblingModel,
)
from repobuild.samples.families.registration import EXPORTS
from repobuild.samples.tasks.facts import (
    Fact,
    FactScope,
    Sample,
    samples_of,
    with_id_fields,
)
from repobuild.samples.tasks.phrases import load_phrases
from repobuild.samples.tasks.registry import languages_of
from repobuild.samples.tasks.trace import numbered

_MODEL_TASK, _FILES_TASK = "implementation_path", "architecture_understanding"
_SHORTEST_NEED = 24  # characters of a summary that says what is needed


def plans(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return the samples of one row: {"#TASK.LANGUAGE.NUMBER": sample}."""
    if value["kind"] == "changelog":
        return {}
    settings = scope.settings
    chosen = settings["samples.tasks"] or (_MODEL_TASK, _FILES_TASK)
    languages = languages_of(settings, value)
    hidden = Split.of(settings).is_held_out
    context = with_id_fields(value)
    rows: dict[str, Sample] = {}
    if value["kind"] != "together" and _is_plain(value):
        return rows
    for language in languages:
        phrases = load_phrases(language)
        about = FactScope(context, phrases, languages, hidden)
        for fact in _KINDS[value["kind"]](about):
            if phrases.kinds[fact.kind].task not in chosen:
                continue
            for sub, sample in samples_of(fact, about):
                rows[sub] = sample | plan_evidence(value)
    return rows


def _is_plain(row: Mapping[str, Value]) -> bool:
    """Return whether functions have only their file and `__all__` in common."""
    known = ("tests", "past", "together", "partners")
    if row["family"][0] != "functions" or any(row.get(name) for name in known):
        return False
    return all(kind in EXPORTS for kind, *_ in row.get("sites", ()))


def _family(scope: FactScope) -> Iterator[Fact]:
    """A new sibling, and the files that change for it."""
    siblings = [SiblingModel(*row) for row in scope.get("siblings")]
    allowed = scope.without_held_out([one.id for one in siblings])
    newest = [id for _, ids, _ in scope.get("past") or () for id in ids]
    shown = [id for id in dict.fromkeys((*newest, *allowed)) if id in allowed]
    by_id = {one.id: one for one in siblings}
    models = [by_id[id] for id in shown if id in by_id and by_id[id].fits]
    models = _of_usual_bases(models, siblings)
    if not models:
        return
    # The one that is registered wherever the others are shows what there is to do.
    ids, sites = list(by_id), scope.get("sites") or ()
    places = Counter(ids[n] for _, _, _, numbers, *_ in sites for n in numbers)

    # Of several it is the shortest, so that there is room for its code.
    def fitness(one: SiblingModel) -> tuple[int, bool, int]:
        code = one.code or one.outline
        return places[one.id], bool(code), -len(code)

    plan = PlanScope(scope, max(models, key=fitness), shown)
    fields = {"noun": plan.noun}
    answer = plan_answer(plan, "plan")
    if not answer:
        return
    yield Fact("plan", answer, _sources(plan), "hard", fields)
    if files := plan_files(plan):
        answer = scope.answer("plan_files", **fields, **files)
        yield Fact("plan_files", answer, _sources(plan), "hard", fields)


def _of_usual_bases(
    models: list[SiblingModel], siblings: list[SiblingModel]
) -> list[SiblingModel]:
    """Return the models with the bases that most siblings have, all if none are."""
    bases = Counter(tuple(one.bases) for one in siblings)
    (usual, count), *_ = bases.most_common(1)
    if count <= HALF * len(siblings):
        return models
    return [one for one in models if tuple(one.bases) == usual]


def _like(scope: FactScope) -> Iterator[Fact]:
    """Another one like this sibling."""
    model = SiblingModel(*scope.get("model"))
    shown = scope.without_held_out(scope.get("siblings"))
    plan = PlanScope(scope, model, shown)
    fields = {"noun": plan.noun, "like": plan.model_title}
    if answer := plan_answer(plan, "plan_like", **fields):
        yield Fact("plan_like", answer, _sources(plan), "hard", fields)
    # Of a module that is its title, which says what it is and not what is needed; signs
    # are an ornament.
    is_need = plan.family.kind != "modules" and model.need[:1].isalnum()
    if is_need and len(model.need) >= _SHORTEST_NEED:
        fields = {**fields, "summary": model.need}
        if answer := plan_answer(plan, "plan_need", **fields):
            yield Fact("plan_need", answer, _sources(plan), "hard", fields)


def _sources(plan: PlanScope) -> tuple[str, ...]:
    """Return the elements that a plan is made of, as far as they may be named."""
    scope = plan.scope
    about = scope.get("about") or scope.id
    past = [id for _, ids, _ in plan.rows("past") for id in ids]
    ids = (scope.id, about, plan.model.id, *plan.shown[: NAMED - 1], *past)
    return tuple(scope.without_held_out(list(dict.fromkeys(ids))))


def _together(scope: FactScope) -> Iterator[Fact]:
    """The files that a new feature in a file touches besides."""
    total = str(scope.get("commits"))
    part = scope.phrases.part
    steps = [
        part("together_path", other=path, count=str(count), total=total)
        for path, count in scope.get("paths")
    ]
    subject, added = scope.get("latest")
    subject = subject.replace("`", "'")
    names = scope.phrases.listed([f"`{name}`" for name in added.split(", ")])
    fields = {"subject": subject, "members": names, "total": total}
    answer = scope.answer("together", items=numbered(steps), **fields)
    yield Fact("together", answer, (scope.id,), "hard")


_KINDS: Mapping[str, Callable[[FactScope], Iterator[Fact]]] = {
    "family": _family,
    "like": _like,
    "together": _together,
}
