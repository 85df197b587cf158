"""Write the model card: README.md of an exported adapter or merged model.

A YAML header made by the hub's own library, then a page: the commit of the adapter, how
it was made, its scores, its training data, the licences of the sources, and how to run
it. Unknown facts are left out; the reader has nothing to fill in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repobuild.code.licence.detect import UNKNOWN
from repobuild.model.adapter.lineage import Lineage, Manifest
from repobuild.model.publish.serving_recipes import ServingFacts, serving_section
from repobuild.samples.dataset.summary import DatasetSummary
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


@dataclass(slots=True)
class TrainingContents:
    """Counts of the samples of one dataset, by task; tokens of question and answer."""

    summary: DatasetSummary = field(default_factory=DatasetSummary)
    trained: Counter[str] = field(default_factory=Counter)  # samples
    held_out: Counter[str] = field(default_factory=Counter)  # samples
    tokens: Counter[str] = field(default_factory=Counter)  # of trained samples
    digests: dict[str, bytes] = field(default_factory=dict)  # of trained samples
    example: str = ""  # a trained question

    @property
    def manifest(self) -> str:
        """Return the digest of the trained samples, as an adapter's lineage has it."""
        return Manifest(self.digests).digest


@dataclass(frozen=True, slots=True)
class ModelCardFacts:
    """The facts of an adapter or merged model that its card states."""

    project: str
    address: str  # of the repository, "" if it has none to publish
    lineage: Lineage
    digest: str  # of the adapter
    head: str  # the commit whose current adapter this is
    head_reason: str  # why it is current there, if it was trained at another commit
    parent_commit: str
    served: ServingFacts
    denied: Sequence[str] = ()  # samples.deny_licences
    strict: Mapping[str, Any] = field(default_factory=dict)  # `strict` of the report
    contents: TrainingContents | None = None

    @property
    def name(self) -> str:
        """Return the project's name on one line."""
        return " ".join(self.project.split()) or "this repository"

    @property
    def commit(self) -> str:
        """Return the commit that the adapter was trained at."""
        return self.lineage.commit


def render_model_card(facts: ModelCardFacts) -> str:
    """Return the card of an adapter or of a merged model."""
    parts = [
        _introduction(facts),
        _identity_table(facts),
        _scores_section(facts.strict),
        _data_section(facts),
        _licences_section(facts),
        serving_section(facts.served),
        _limits_section(facts),
    ]
    return f"---\n{_yaml_header(facts)}\n---\n\n" + "\n".join(filter(None, parts))


def _yaml_header(facts: ModelCardFacts) -> str:
    from huggingface_hub import ModelCardData

    served, contents = facts.served, facts.contents
    licence = hub_licence(contents.summary.licences) if contents else "unknown"
    more: dict[str, Any] = {}
    if licence == "other" and contents:
        names = sorted(contents.summary.licences)
        parts = (f"({name})" if " " in name else name for name in names)
        more["license_name"] = " AND ".join(parts)
    if served.merged:
        more["base_model_relation"] = "finetune"
    tags = ["code", "repobuild", "lora"]
    if not served.merged and served.is_hub_id:
        tags.append(f"base_model:adapter:{served.base}")
    data = ModelCardData(
        language=sorted(contents.summary.languages) if contents else None,
        license=licence,
        library_name="transformers" if served.merged else "peft",
        base_model=served.base if served.is_hub_id else None,
        pipeline_tag="text-generation",
        tags=sorted(tags),
        **more,
    )
    return str(data.to_yaml())


def _introduction(facts: ModelCardFacts) -> str:
    where = f"[{facts.name}]({facts.address})" if facts.address else facts.name
    what = "The merged model" if facts.served.merged else "A LoRA adapter"
    return (
        f"# {facts.name} at {facts.commit[:10]}\n\n"
        f"{what} that answers questions about the code of {where} as of commit "
        f"`{facts.commit}`. Made by repobuild from the sources: "
        f"{_authorship(facts.lineage)}.\n"
    )


def _authorship(lineage: Lineage) -> str:
    """Return who wrote the training texts: earlier adapters had texts of their base."""
    if lineage.generated:
        return (
            "it was not trained on this repository. A hypernetwork generated it, "
            f"`{lineage.generated['hypernet'][:12]}`, {lineage.reason}"
        )
    if lineage.coverage:
        return "no text that it was trained on was written by a model"
    return (
        "no question and no answer was written by a model. Beside them it may have "
        "been trained on texts that the base model itself said"
    )


def _identity_table(facts: ModelCardFacts) -> str:
    lineage, training = facts.lineage, facts.lineage.training
    trained = (
        f"{training['steps']:,} steps, {training['tokens']:,} tokens, "
        f"{training['answer_tokens']:,} of them answers"
    )
    if lineage.generated:
        trained = "not: it was generated in one pass"
    base = f"`{facts.served.base}`"
    if facts.served.revision:
        base += f" at `{facts.served.revision}`"
    if facts.served.inside:
        base += f", in the folder `{facts.served.inside}`"
    parent = f"`{lineage.parent[:12]}`" if lineage.parent else "none: from the base"
    if facts.parent_commit:
        parent += f", of commit `{facts.parent_commit[:10]}`"
    rows = [
        ("repository", facts.address or facts.name),
        ("commit", f"`{facts.commit}`"),
        ("tree", f"`{lineage.tree}`"),
        ("adapter", f"`{facts.digest}`"),
        ("parent adapter", parent),
        ("made by", f"{lineage.mode}: {lineage.reason}"),
        ("adapters since the base", f"{lineage.chain}"),
        ("base model", base),
        ("base digest", f"`{lineage.base['digest']}`"),
        ("LoRA", _lora_settings(lineage.recipe)),
        ("trained", trained),
    ]
    if facts.head != facts.commit:
        still = f"`{facts.head}`: {facts.head_reason}"
        rows.insert(2, ("still current at", still))
    if "loss" in lineage.scores:
        before, after = lineage.scores["parent_loss"], lineage.scores["loss"]
        rows.append(("held-out loss", f"{before:.3f} before, {after:.3f} after"))
    return _table("What it is", ("", ""), rows)


def _lora_settings(recipe: Mapping[str, Any]) -> str:
    variants = [name for key, name in (("rslora", "rsLoRA"), ("dora", "DoRA"))
                if recipe.get(key)]  # fmt: skip
    targets = ", ".join(recipe["targets"])
    plain = f"rank {recipe['rank']}, alpha {recipe['alpha']}, on {targets}"
    return "; ".join([plain, *variants])


# --------------------------------------------------------------------------- scores


def _scores_section(strict: Mapping[str, Any]) -> str:
    """Return every metric of every measured track, with its 95 % interval."""
    sections = {**strict.get("tracks", {})}
    sections |= {name: strict[name] for name in ("staleness", "general")
                 if strict.get(name)}  # fmt: skip
    models = [m for m in ("base", "parent", "adapter") if m in strict.get("models", ())]
    tables = [
        table
        for name, section in sections.items()
        if (table := _track_table(name, section, models))
    ]
    if not tables:
        return ""
    return (
        "## Scores\n\nAgainst facts that were checked against the commit; in brackets "
        "95 % intervals.\n\n" + "\n".join(tables)
    )


def _track_table(name: str, section: Mapping[str, Any], models: Sequence[str]) -> str:
    rows = []
    for metric, label in METRICS.items():
        estimates = [section.get(model, {}).get(metric) for model in models]
        if any(estimates):
            cells = (_with_interval(estimate, metric) for estimate in estimates)
            rows.append((label, *cells))
    if not rows:
        return ""
    title = f"{name} ({TRACKS[name]})" if name in TRACKS else name
    return _table(title, ("", *models), rows, level=3)


def _with_interval(estimate: Mapping[str, Any] | None, metric: str) -> str:
    if not estimate:
        return ""
    form = "{:.3f}" if metric == "loss" else "{:.0%}"
    value, low, high = (form.format(estimate[n]) for n in ("value", "low", "high"))
    return f"{value} ({low} to {high}), n = {estimate['n']}"


# ----------------------------------------------------------------------------- data


def _data_section(facts: ModelCardFacts) -> str:
    """Return the trained samples by task and the dropped ones by reason.

    Without contents only the counts of the lineage are known.
    """
    contents, recorded = facts.contents, facts.lineage.samples
    if facts.lineage.generated:
        return ""
    if contents is None:
        known = [(name, f"{count:,}") for name, count in recorded.items()]
        return _table("Data", ("samples", ""), known)
    counters = (contents.trained, contents.tokens, contents.held_out)
    rows = [
        (task, *(f"{counter[task]:,}" for counter in counters))
        for task, _ in _largest_first(contents.trained)
    ]
    rows.append(("all", *(f"{counter.total():,}" for counter in counters)))
    head = ("task", "trained samples", "tokens", "held-out samples")
    reasons = contents.summary.dropped
    dropped = [(reason, f"{n:,}") for reason, n in _largest_first(reasons)]
    left_out = [(name.partition(": ")[2], f"{n:,}")
                for name, n in recorded.items()
                if name.startswith("left out: ")]  # fmt: skip
    secrets = sum(n for reason, n in reasons.items() if "secret" in reason)
    return "\n".join(
        [
            _table("Data", head, rows),
            _table("Left out", ("reason", "samples"), dropped + left_out),
            "Every sample was searched for secrets (detect-secrets); "
            f"{secrets:,} were dropped for one, and what was found is told nowhere.\n",
        ]
    )


def _licences_section(facts: ModelCardFacts) -> str:
    if facts.contents is None:
        return ""
    licences = facts.contents.summary.licences
    if set(licences) == {UNKNOWN}:
        verdict = "**Unknown**: nothing in the repository says its licence."
    elif UNKNOWN in licences:
        verdict = "**Partly unknown**: of some sources nothing says the licence."
    elif len(licences) == 1:
        verdict = f"**{next(iter(licences))}**, of all sources."
    else:
        verdict = "**Several**: all of the table above hold together."
    if facts.denied:
        patterns = ", ".join(f"`{pattern}`" for pattern in facts.denied)
        verdict += f" What relies on files under {patterns} was not used."
    rows = [(name, f"{count:,}") for name, count in _largest_first(licences)]
    table = _table("Licences of the sources", ("SPDX", "samples"), rows)
    return f"{table}\n{verdict} The base model's licence holds as well.\n"


def _limits_section(facts: ModelCardFacts) -> str:
    return (
        "## Limits\n\n"
        f"- It knows commit `{facts.commit[:10]}`, not what came later.\n"
        "- Answers are not looked up. Held against the scores above, some are wrong: "
        "check what matters in the code.\n"
        "- It was trained to answer one question at a time, in the languages of this "
        "page's header. Conversations of many turns, other languages, and writing new "
        "code were neither trained nor measured.\n"
        "- It repeats the sources word for word where asked to, so it may be given "
        "only to those who may read them.\n"
    )


# --------------------------------------------------------------------------- tables


def _largest_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    level: int = 2,
) -> str:
    """Return a heading of that level and a Markdown table; "" without rows."""
    if not rows:
        return ""
    lines = [_table_row(head), "|" + "---|" * len(head)]
    lines += [_table_row(row) for row in rows[:LONGEST_TABLE]]
    if len(rows) > LONGEST_TABLE:
        more = f"and {len(rows) - LONGEST_TABLE} more"
        lines.append(_table_row([more, *[""] * (len(head) - 1)]))
    return "\n".join([f"{'#' * level} {title}\n", *lines, ""])


def _table_row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"
