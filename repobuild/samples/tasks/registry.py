"""The task types, and the map that makes an element's samples.

A task type is a module with `facts(about)`, entered in `TASKS`, and a table for each of
its kinds in `configs/questions/*.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from repobuild.engine.contract import Scope, Value
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
from repobuild.samples.tasks.facts import Fact, FactScope, Sample, completed, samples_of
from repobuild.samples.tasks.phrases import Phrases, ingredients, phrases

__all__ = ["TASKS", "Phrases", "ingredients", "phrases", "samples"]

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


def samples(value: Mapping[str, Value], scope: Scope) -> Value:
    """Return the samples of one context, by the end of their keys."""
    settings = scope.settings
    chosen = settings["samples.tasks"] or TASKS
    languages = tuple(settings["samples.languages"])
    hidden = Split.of(settings).generalised
    context = completed(value)
    rows: dict[str, Sample] = {}
    for language in languages:
        about = FactScope(context, phrases(language), languages, hidden)
        for task, facts in TASKS.items():
            if task in chosen:
                for fact in facts(about):
                    rows.update(samples_of(fact, about))
    return rows
