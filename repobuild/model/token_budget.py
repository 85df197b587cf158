"""Count tokens with the base model's tokenizer, and keep the `balance` table.

With `samples.max_tokens` or `samples.proportions`, the table decides which samples are
within the budget; repobuild/samples/dataset/budget.py has its layout and its rule. It
is computed between `samples` and `dataset`, and in this room because the base model is
known here. It counts the trained samples that pass the filters of a single sample;
those that are dropped later as copies of others leave their share unused.

Only `tokenizers` is imported, not transformers. Question and answer are counted; a chat
template adds the same dozen tokens to every sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

from repobuild.code.usage.importance import changed_ids, score_of
from repobuild.engine.contract import Value, View
from repobuild.errors import UsageError
from repobuild.model.base import TINY, bundled_model
from repobuild.model.packaged import SMOLLM2, packaged_model
from repobuild.samples.dataset.all_samples import AllSamples, SampleChanges, keys_about
from repobuild.samples.dataset.budget import (
    SEPARATOR,
    Queue,
    fair_shares,
    file_of,
    first_beyond,
    proportions_of,
    queue_place,
    task_limits,
    weight_of,
)
from repobuild.samples.dataset.quality_filter import SampleFilter, Samples
from repobuild.samples.tasks.facts import Sample

_TOKENIZER_FILE = "tokenizer.json"

Count = Callable[[str], int]  # the tokens of a text
SizeOf = Callable[[Sample], int]  # what a sample takes of the budget
Group = tuple[str, str]  # task, file
LineChange = Counter[tuple[int, int]]  # (place, tokens) -> samples added (or removed)


def ingredients(settings: Mapping[str, Any]) -> dict[str, Value]:
    """Return the part of the cache key: the tokenizer, if there is a budget."""
    if not settings["samples.max_tokens"]:
        return {}
    digest = blake2b(_required_tokenizer(settings).read_bytes(), digest_size=16)
    return {"tokenizer": digest.hexdigest(), "tokenizers": version("tokenizers")}


def load_token_counter(settings: Mapping[str, Any]) -> Count | None:
    """Return a function that counts the tokens of a text, None without a tokenizer.

    Reads `base.model`, `base.revision` and `root`; never uses the network.
    """
    path = tokenizer_file(settings)
    return _load_counter(path) if path else None


def count_tokens(sample: Sample, count: Count) -> int:
    """Return the number of tokens of a sample's question and answer."""
    return count(sample["question"]) + count(sample["answer"])


def balance(view: View) -> None:
    """Update the lines, sizes and cuts of the `balance` table from changed contexts."""
    budget = view.settings["samples.max_tokens"]
    proportions = proportions_of(view.settings)
    if not budget and not proportions:
        return
    size_of = _sizes_in_tokens(view.settings) if budget else _count_as_one
    tasks = [key for key in view.own.keys() if SEPARATOR not in key]
    sizes: dict[str, dict[str, int]] = {
        task: dict((view.own.get(task) or {})["sizes"]) for task in tasks
    }
    for (task, path), change in sorted(_line_changes(view, size_of).items()):
        line = _update_line(view, task, path, change)
        sizes.setdefault(task, {})[path] = sum(tokens for _, tokens in line)
        if not line:
            del sizes[task][path]
    totals = {task: sum(by_file.values()) for task, by_file in sizes.items()}
    limits = task_limits(totals, proportions, budget)
    for task, by_file in sorted(sizes.items()):
        _write_task(view, task, by_file, limits[task])


def _sizes_in_tokens(settings: Mapping[str, Any]) -> SizeOf:
    count = _load_counter(_required_tokenizer(settings))
    return lambda sample: count_tokens(sample, count)


def _count_as_one(sample: Sample) -> int:
    """Return the size of a sample when only proportions of samples are asked for."""
    return 1


def _line_changes(view: View, size_of: SizeOf) -> dict[Group, LineChange]:
    """Return the samples added to and removed from the line of each task and file."""
    sample_filter = SampleFilter.of(view.settings)
    changes: dict[Group, LineChange] = {}
    scores = ScoreVersions(view)
    for key, (old, new) in scores.changed_samples():
        for samples, score, step in ((old, scores.old, -1), (new, scores.new, 1)):
            for sub, item in sample_filter.decide(key, samples).items():
                if item.get("split") == "train":
                    sample = samples[sub]
                    group = (sample["task"], file_of(sample))
                    line = changes.setdefault(group, Counter())
                    place = queue_place(key + sub, sample, score(sample))
                    line[place, size_of(sample)] += step
    return changes


class ScoreVersions:
    """The importance of what samples are about, before and after the update."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._table, self._changes = (
            view.table("importance"),
            view.changes("importance"),
        )

    def new(self, sample: Sample) -> float:
        return score_of(self._table, str(sample["element"]))

    def old(self, sample: Sample) -> float:
        path, _, qual = str(sample["element"]).partition("::")
        if path not in self._changes:
            return self.new(sample)
        row = self._changes[path][0] or {}
        return float(row.get(f"::{qual}" if qual else "", 0.0))

    def changed_samples(self) -> Iterator[tuple[str, tuple[Samples, Samples]]]:
        """Yield the contexts whose samples, or whose elements' importance, changed."""
        changes = SampleChanges(self._view)
        for key, (old, new) in changes.items():
            yield key, (old or {}, new or {})
        if self._view.full:
            return
        samples = AllSamples.of(self._view)
        about = {
            key for id in changed_ids(self._view) for key in keys_about(samples, id)
        }
        for key in sorted(about):
            if key not in changes and (rows := samples.get(key)):
                yield key, (rows, rows)


def _update_line(view: View, task: str, path: str, change: LineChange) -> Queue:
    """Write one file's line with the change applied, and return it."""
    key = task + SEPARATOR + path
    members: LineChange = Counter(map(tuple, view.own.get(key) or ()))
    members.update(change)
    line = [list(entry) for entry in sorted(members.elements())]
    if line:
        view.own.put(key, line)
    elif not view.full:
        view.own.drop(key)
    return line


def _write_task(view: View, task: str, sizes: Mapping[str, int], tokens: int) -> None:
    """Write the sizes of a task's files, and where their queues end within `tokens`."""
    if not sizes:
        if not view.full:
            view.own.drop(task)
        return
    queues = {path: view.own.get(task + SEPARATOR + path) or [] for path in sizes}
    weights = {path: weight_of(queue) for path, queue in queues.items()}
    shares = fair_shares(sizes, tokens, weights)
    cuts = {
        path: first_beyond(queues[path], shares[path])
        for path in sorted(sizes)
        if sizes[path] > shares[path]
    }
    view.own.put(task, {"sizes": dict(sorted(sizes.items())), "cuts": cuts})


# ---------------------------------------------------------------------- tokenizer


def tokenizer_file(settings: Mapping[str, Any]) -> Path | None:
    """Return the path of the base model's `tokenizer.json`, None if it is not here."""
    model = str(settings["base.model"])
    folder = Path(settings.get("root", ""), Path(model).expanduser())
    if model == TINY:
        path = bundled_model()[0] / _TOKENIZER_FILE
    elif model == SMOLLM2:
        path = packaged_model()[0] / _TOKENIZER_FILE
    elif folder.is_dir():
        path = folder / _TOKENIZER_FILE
    else:
        return _downloaded(model, str(settings.get("base.revision", "")) or None)
    return path if path.is_file() else None


def _downloaded(model: str, revision: str | None) -> Path | None:
    """Return the tokenizer's path in the local hub cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        path = try_to_load_from_cache(model, _TOKENIZER_FILE, revision=revision)
    except HFValidationError:
        return None
    return Path(path) if isinstance(path, str) and Path(path).is_file() else None


def _required_tokenizer(settings: Mapping[str, Any]) -> Path:
    path = tokenizer_file(settings)
    if path is None:
        raise UsageError(
            "samples.max_tokens is counted with the base model's tokenizer, "
            f'but "{settings["base.model"]}" has no {_TOKENIZER_FILE} here\n'
            "download the model (`hf download`), or set samples.max_tokens to 0"
        )
    return path


def _load_counter(path: Path) -> Count:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))
