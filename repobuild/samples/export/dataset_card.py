"""Render the dataset card: README.md of an exported `datasets` folder.

It has a YAML header for the Hugging Face hub, made and checked by the hub's own
library, and a page: what the dataset holds, how it was made, and what was left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from huggingface_hub import DatasetCardData

from repobuild.code.licence.detect import UNKNOWN
from repobuild.engine.contract import Value
from repobuild.samples.dataset.summary import SPLITS, DatasetSummary, largest

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
_LARGEST_SIZE = "1M<n<10M"
# The hub names licences by lower-case SPDX ids; any that it does not list is "other".
_HUB_LICENCES = frozenset(
    "apache-2.0 mit bsd-2-clause bsd-3-clause isc mpl-2.0 unlicense cc0-1.0 zlib "
    "bsl-1.0 epl-1.0 epl-2.0 eupl-1.2 wtfpl cc-by-4.0 cc-by-sa-4.0 artistic-2.0 "
    "ncsa postgresql".split()
)
_GNU_LICENCES = {"AGPL-3.0": "agpl-3.0", "GPL-2.0": "gpl-2.0", "GPL-3.0": "gpl-3.0"} | {
    f"LGPL-{version}": f"lgpl-{version}" for version in ("2.1", "3.0")
}


def render_card(
    summary: DatasetSummary, settings: Mapping[str, Value], project: str, commit: str
) -> str:
    """Return the text of the card."""
    name = project or "this repository"
    header = DatasetCardData(
        language=sorted(summary.languages),
        license=hub_licence(summary.licences),
        pretty_name=f"Questions and answers about {name}",
        size_categories=[_size_category(summary.splits.total())],
        task_categories=["question-answering", "text-generation"],
        tags=["code", "repobuild"],
        configs=[{"config_name": "default", "data_files": _data_files(summary)}],
    )
    return f"---\n{header.to_yaml()}\n---\n\n{_page(summary, settings, name, commit)}"


def hub_licence(licences: Iterable[str]) -> str:
    """Return the hub's name for all licences together."""
    ids = sorted(licences)
    if not ids or UNKNOWN in ids:
        return "unknown"
    if len(ids) > 1:
        return "other"
    id = ids[0].removesuffix("-only").removesuffix("-or-later")
    low = _GNU_LICENCES.get(id, id.lower())
    return low if low in _HUB_LICENCES or id in _GNU_LICENCES else "other"


def _data_files(summary: DatasetSummary) -> list[dict[str, str]]:
    return [
        {"split": split, "path": f"data/{split}.parquet"}
        for split in SPLITS
        if summary.splits[split]
    ]


def _size_category(count: int) -> str:
    return next((name for limit, name in _SIZES if count < limit), _LARGEST_SIZE)


def _page(
    summary: DatasetSummary, settings: Mapping[str, Value], name: str, commit: str
) -> str:
    parts = (
        f"# Questions and answers about {name}\n",
        f"{summary.splits.total():,} samples, made by repobuild from the sources of "
        f"commit `{commit}`. No text was written by a model: every answer is put "
        "together from what the sources say, by templates and queries, and quotes them "
        "word for word.\n",
        "```python\nfrom datasets import load_dataset\n\n"
        'samples = load_dataset("path/of/this/folder")\n```\n',
        _table("Splits", "split", summary.splits, SPLITS),
        "`val` and `test` hold two tracks. *recall*: the fact is trained, the phrasing "
        "is not. *generalise*: nothing about the element is trained.\n",
        _table("Tracks", "track", summary.tracks),
        _table("Tasks", "task", summary.tasks),
        _table("Languages of the questions", "language", summary.languages),
        _table("Licences of the sources", "licence (SPDX)", summary.licences),
        "A sample's licence is that of every file that it relies on. "
        "`NOASSERTION`: nothing says it.\n",
        _table("Left out", "reason", summary.dropped),
        "What holds a secret is left out, and the secret is not told.\n",
        _columns(),
        _settings(settings),
    )
    return "\n".join(parts)


def _table(
    title: str, what: str, counts: Counter[str], order: Iterable[str] = ()
) -> str:
    names = list(order) or list(largest(counts))
    lines = [f"| {_cell(name)} | {counts[name]:,} |" for name in names]
    return "\n".join(
        [f"## {title}\n", f"| {what} | samples |", "|---|---|", *lines, ""]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _columns() -> str:
    return (
        "## Columns\n\n"
        "`messages` is the conversation. `task`, `element`, `path`, `language`, "
        "`difficulty`, `form`, `track` and `licence` say what it is about; `prefix` "
        "and `suffix` stand around what the answer of a `fim` sample fills. "
        "`provenance` names every source that the text relies on: its id, path, git "
        "blob, and first and last line.\n"
    )


def _settings(settings: Mapping[str, Value]) -> str:
    names = sorted(n for n in settings if n.startswith(("samples.", "split.")))
    lines = [f"{name} = {settings[name]!r}" for name in names]
    return "\n".join(["## Settings\n", "```", *lines, "```", ""])
