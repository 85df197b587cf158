"""List the task types, and make the samples of one element (table `samples`).

To add a task type:

1. Write a module in this folder with `facts(scope)`, which yields a `Fact` for each
   thing to ask about an element. `import_completion.py` is the shortest example;
   `facts.py` defines `Fact` and `FactScope`.
2. Enter it in `TASKS` below, under the name that users write in `samples.tasks`.
3. Write a table for each of its kinds in `configs/questions/en.toml` and `zh.toml`:
   `task`, `questions`, `held_out`, `ask`, `answer` (the head of en.toml explains them).
   Parts of answers go under `[parts]`. A new task goes anywhere; a new kind of an
   existing task goes last, because sample keys count the kinds.
4. Enter each kind in `STRUCTURE` of `repobuild/truth/structure.py`, and each field of
   its answers in `CLAIMS`: `repobuild verify --samples` refuses a kind without a check.

The question files are part of the cache key of `samples`, code is not: raise `version`
in `rules/samples.toml` when a module changes what it yields and no question file does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from repobuild.engine.contract import Scope, Value
from repobuild.samples.contexts.project_context import DEFAULT_LANGUAGES
from repobuild.samples.dataset.split import Split
from repobuild.samples.tasks import (
    architecture,
    assertion,
    completion,
    explanation,
    implementation_path,
    import_completion,
    location,
    overview,
    relations,
    usage,
)
from repobuild.samples.tasks.facts import (
    Fact,
    FactScope,
    Sample,
    samples_of,
    with_id_fields,
)
from repobuild.samples.tasks.phrases import AUTO, ingredients, load_phrases

__all__ = ["TASKS", "ingredients", "samples"]

TASKS: Mapping[str, Callable[[FactScope], Iterator[Fact]]] = {
    "code_explanation": explanation.facts,
    "api_usage": usage.facts,
    "project_overview": overview.facts,
    "code_location": location.facts,
    "architecture_understanding": architecture.facts,
    "implementation_path": implementation_path.facts,
    "code_completion": completion.facts,
    "relations": relations.facts,
    "assertion_completion": assertion.facts,
    "import_completion": import_completion.facts,
}


def languages_of(
    settings: Mapping[str, Value], context: Mapping[str, Value]
) -> tuple[str, ...]:
    """Return the languages of questions: of the settings, or of the project's row."""
    chosen = settings["samples.languages"]
    if chosen == AUTO:
        chosen = context.get("languages", DEFAULT_LANGUAGES)
    return tuple(chosen)


def every_sample(context: Mapping[str, Value], language: str) -> dict[str, Sample]:
    """Return all samples that a context can have in a language, by the end of the key.

    They are for looking a fact up. Kinds that are asked of a share of all elements are
    among them, and so is what names held-out elements: nothing of it is trained.
    """
    scope = FactScope(
        with_id_fields(context), load_phrases(language), (language,), lambda id: False
    )
    return {
        sub: sample
        for facts in TASKS.values()
        for fact in facts(scope)
        for sub, sample in samples_of(fact, scope, every=True)
    }


def samples(value: Mapping[str, Value], scope: Scope) -> Value | None:
    """Return the samples of one context: {"#TASK.LANGUAGE.NUMBER": sample}.

    A context without samples has no row: most tests in a repository are such.
    """
    settings = scope.settings
    chosen = settings["samples.tasks"] or TASKS
    languages = languages_of(settings, value)
    hidden = Split.of(settings).is_held_out
    context = with_id_fields(value)
    rows: dict[str, Sample] = {}
    for language in languages:
        fact_scope = FactScope(context, load_phrases(language), languages, hidden)
        for task, facts in TASKS.items():
            if task in chosen:
                for fact in facts(fact_scope):
                    rows.update(samples_of(fact, fact_scope))
    return rows or None
