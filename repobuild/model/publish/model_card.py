"""The model card: README.md of an exported adapter or merged model.

A YAML header as the hub wants it, made by the hub's own library, and a page that says
of which commit the adapter is, how it was made, how well it answers, what it was
trained on, under which licences that stands, and how to run it. What is not known is
left out; nothing is left for the reader to fill in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repobuild.code.licence.detect import UNKNOWN
from repobuild.model.adapter.lineage import Lineage
from repobuild.model.publish import serving_recipes
from repobuild.model.publish.serving_recipes import ServingFacts
from repobuild.model.publish.training_contents import TrainingContents
from repobuild.samples.export.dataset_card import hub_licence

LONGEST_TABLE = 40  # rows
METRICS = {
    "loss": "loss (nats a token; less is better)",
    "facts": "facts stated",
    "right": "right answers",
    "wrong": "wrong facts (less is better)",
    "path_exact": "right file",
    "path_accuracy": "paths named",
    "exact": "exact answer",
    "edit": "similarity",
    "hallucinated": "unknown names (less is better)",
    "stopped": "ended by itself",
    "all": "old answers still given (less is better)",
}
TRACKS = {
    "recall": "facts that were trained, in phrasings that were not",
    "generalise": "elements of which nothing was trained",
    "staleness": "what the last commits changed, moved or removed",
    "general": "text of Python's standard library: whether anything else was forgotten",
}


@dataclass(frozen=True, slots=True)
class ModelCardFacts:
    """All that a card tells."""

    project: str
    address: str  # of the repository, "" = none to be told
    lineage: Lineage
    digest: str  # of the adapter
    head: str  # the commit whose current adapter this is
    head_reason: str  # why it is, when it was trained at another one
    parent_commit: str
    served: ServingFacts
    denied: Sequence[str] = ()  # samples.deny_licences
    strict: Mapping[str, Any] = field(default_factory=dict)  # of the report
    contents: TrainingContents | None = None

    @property
    def name(self) -> str:
        return " ".join(self.project.split()) or "this repository"

    @property
    def commit(self) -> str:
        return self.lineage.commit


def card(about: ModelCardFacts) -> str:
    """Return the card of an adapter, or of the merged model."""
    parts = [
        _head(about),
        _identity(about),
        _scores(about.strict),
        _data(about),
        _licences(about),
        serving_recipes.page(about.served),
        _limits(about),
    ]
    return f"---\n{_header(about)}\n---\n\n" + "\n".join(filter(None, parts))


def _header(about: ModelCardFacts) -> str:
    from huggingface_hub import ModelCardData

    served, found = about.served, about.contents
    licence = hub_licence(found.summary.licences) if found else "unknown"
    more: dict[str, Any] = {}
    if licence == "other" and found:
        more["license_name"] = _all_of(found.summary.licences)
    if served.merged:
        more["base_model_relation"] = "finetune"
    tags = ["code", "repobuild", "lora"]
    if not served.merged and served.is_hub_id:
        tags.append(f"base_model:adapter:{served.base}")
    data = ModelCardData(
        language=sorted(found.summary.languages) if found else None,
        license=licence,
        library_name="transformers" if served.merged else "peft",
        base_model=served.base if served.is_hub_id else None,
        pipeline_tag="text-generation",
        tags=sorted(tags),
        **more,
    )
    return str(data.to_yaml())


def _head(about: ModelCardFacts) -> str:
    where = f"[{about.name}]({about.address})" if about.address else about.name
    what = "The merged model" if about.served.merged else "A LoRA adapter"
    return (
        f"# {about.name} at {about.commit[:10]}\n\n"
        f"{what} that answers questions about the code of {where} as of commit "
        f"`{about.commit}`. Made by repobuild from the sources: {_written(about)}.\n"
    )


def _written(about: ModelCardFacts) -> str:
    """Who wrote what it was trained on; rehearsal.py says why the base did."""
    lineage = about.lineage
    rehearsed = lineage.samples.get("rehearsed", 0)
    if not rehearsed and (lineage.chain == 1 or "rehearsed" not in lineage.samples):
        return "no text that it was trained on was written by a model"
    return (
        "no question and no answer was written by a model. Beside them it was trained "
        "on texts that the base model itself said, so that it keeps what it could"
    )


def _identity(about: ModelCardFacts) -> str:
    lineage, recipe = about.lineage, about.lineage.recipe
    base = f"`{about.served.base}`"
    if about.served.revision:
        base += f" at `{about.served.revision}`"
    if about.served.inside:
        base += f", in the folder `{about.served.inside}`"
    parent = f"`{lineage.parent[:12]}`" if lineage.parent else "none: from the base"
    if about.parent_commit:
        parent += f", of commit `{about.parent_commit[:10]}`"
    rows = [
        ("repository", about.address or about.name),
        ("commit", f"`{about.commit}`"),
        ("tree", f"`{lineage.tree}`"),
        ("adapter", f"`{about.digest}`"),
        ("parent adapter", parent),
        ("made by", f"{lineage.mode}: {lineage.reason}"),
        ("adapters since the base", f"{lineage.chain}"),
        ("base model", base),
        ("base digest", f"`{lineage.base['digest']}`"),
        ("LoRA", _lora(recipe)),
        ("trained", _trained(lineage.training)),
    ]
    if about.head != about.commit:
        still = f"`{about.head}`: {about.head_reason}"
        rows.insert(2, ("still current at", still))
    if "loss" in lineage.scores:
        before = lineage.scores["parent_loss"]
        rows.append(("held-out loss", f"{before:.3f} before, {_loss(lineage)} after"))
    return _table("What it is", ("", ""), rows)


def _loss(lineage: Lineage) -> str:
    return f"{lineage.scores['loss']:.3f}"


def _lora(recipe: Mapping[str, Any]) -> str:
    kinds = [name for key, name in (("rslora", "rsLoRA"), ("dora", "DoRA"))
             if recipe.get(key)]  # fmt: skip
    said = f"rank {recipe['rank']}, alpha {recipe['alpha']}, on "
    said += ", ".join(recipe["targets"])
    return "; ".join([said, *kinds])


def _trained(training: Mapping[str, Any]) -> str:
    return (
        f"{training['steps']:,} steps, {training['tokens']:,} tokens, "
        f"{training['answer_tokens']:,} of them answers"
    )


# --------------------------------------------------------------------------- scores


def _scores(strict: Mapping[str, Any]) -> str:
    """Every metric of every track that was measured, with its interval."""
    sections = {**strict.get("tracks", {})}
    sections |= {name: strict[name] for name in ("staleness", "general")
                 if strict.get(name)}  # fmt: skip
    models = [m for m in ("base", "parent", "adapter") if m in strict.get("models", ())]
    tables = [
        table
        for name, section in sections.items()
        if (table := _section(name, section, models))
    ]
    if not tables:
        return ""
    return (
        "## Scores\n\nAgainst facts that were checked against the commit; in brackets "
        "95 % intervals.\n\n" + "\n".join(tables)
    )


def _section(name: str, section: Mapping[str, Any], models: Sequence[str]) -> str:
    rows = []
    for metric, label in METRICS.items():
        marks = [section.get(model, {}).get(metric) for model in models]
        if any(marks):
            rows.append((label, *(_estimate(mark, metric) for mark in marks)))
    if not rows:
        return ""
    title = f"{name} ({TRACKS[name]})" if name in TRACKS else name
    return _table(title, ("", *models), rows, level=3)


def _estimate(mark: Mapping[str, Any] | None, metric: str) -> str:
    if not mark:
        return ""
    form = "{:.3f}" if metric == "loss" else "{:.0%}"
    value, low, high = (form.format(mark[n]) for n in ("value", "low", "high"))
    return f"{value} ({low} to {high}), n = {mark['n']}"


# ----------------------------------------------------------------------------- data


def _data(about: ModelCardFacts) -> str:
    found = about.contents
    if found is None:
        counts = about.lineage.samples
        known = [(name, f"{count:,}") for name, count in counts.items()]
        return _table("Data", ("samples", ""), known)
    tasks = sorted(found.trained, key=lambda task: (-found.trained[task], task))
    rows = [_task(found, task) for task in tasks]
    counted = (found.trained, found.tokens, found.held_out)
    rows.append(("all", *(f"{counts.total():,}" for counts in counted)))
    head = ("task", "trained samples", "tokens", "held-out samples")
    dropped = [(why, f"{n:,}") for why, n in _largest(found.summary.dropped)]
    left_out = [(name.partition(": ")[2], f"{n:,}")
                for name, n in about.lineage.samples.items()
                if name.startswith("left out: ")]  # fmt: skip
    secrets = sum(n for why, n in found.summary.dropped.items() if "secret" in why)
    return "\n".join(
        [
            _table("Data", head, rows),
            _table("Left out", ("reason", "samples"), dropped + left_out),
            "Every sample was searched for secrets (detect-secrets); "
            f"{secrets:,} were dropped for one, and what was found is told nowhere.\n",
        ]
    )


def _task(found: TrainingContents, task: str) -> tuple[str, ...]:
    counts = (found.trained[task], found.tokens[task], found.held_out[task])
    return (task, *(f"{count:,}" for count in counts))


def _licences(about: ModelCardFacts) -> str:
    found = about.contents
    if found is None:
        return ""
    licences = found.summary.licences
    rows = [(name, f"{count:,}") for name, count in _largest(licences)]
    return "\n".join(
        [
            _table("Licences of the sources", ("SPDX", "samples"), rows),
            f"{_verdict(about, licences)} The base model's licence holds as well.\n",
        ]
    )


def _verdict(about: ModelCardFacts, licences: Counter[str]) -> str:
    said = []
    if set(licences) == {UNKNOWN}:
        said.append("**Unknown**: nothing in the repository says its licence.")
    elif UNKNOWN in licences:
        said.append("**Partly unknown**: of some sources nothing says the licence.")
    elif len(licences) == 1:
        said.append(f"**{next(iter(licences))}**, of all sources.")
    else:
        said.append("**Several**: all of the table above hold together.")
    if about.denied:
        named = ", ".join(f"`{pattern}`" for pattern in about.denied)
        said.append(f"What relies on files under {named} was not used.")
    return " ".join(said)


def _all_of(licences: Iterable[str]) -> str:
    parts = (f"({each})" if " " in each else each for each in sorted(licences))
    return " AND ".join(parts)


def _limits(about: ModelCardFacts) -> str:
    return (
        "## Limits\n\n"
        f"- It knows commit `{about.commit[:10]}`, not what came later.\n"
        "- Answers are not looked up. Held against the scores above, some are wrong: "
        "check what matters in the code.\n"
        "- It was trained to answer one question at a time, in the languages of this "
        "page's header. Conversations of many turns, other languages, and writing new "
        "code were neither trained nor measured.\n"
        "- It repeats the sources word for word where asked to, so it may be given "
        "only to those who may read them.\n"
    )


# --------------------------------------------------------------------------- tables


def _largest(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    level: int = 2,
) -> str:
    if not rows:
        return ""
    lines = [_line(head), "|" + "---|" * len(head)]
    lines += [_line(row) for row in rows[:LONGEST_TABLE]]
    if len(rows) > LONGEST_TABLE:
        more = f"and {len(rows) - LONGEST_TABLE} more"
        lines.append(_line([more, *[""] * (len(head) - 1)]))
    return "\n".join([f"{'#' * level} {title}\n", *lines, ""])


def _line(cells: Sequence[str]) -> str:
    said = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(said)} |"
