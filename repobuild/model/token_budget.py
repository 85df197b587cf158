"""The `balance` table, and counting tokens with the base model's tokenizer.

The table lies between `samples` and `dataset`, and is made here because the base model
is known here; what it holds and why is told in `repobuild/samples/dataset/budget.py`.
It counts the trained samples that are good by themselves: those that fall later, as
copies of others, leave their share unused.

Only `tokenizers` is loaded, not the model's library. Question and answer are counted;
a chat template adds the same dozen tokens to every sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

from repobuild.engine.contract import Value, View
from repobuild.errors import UsageError
from repobuild.model.base import TINY, embedded
from repobuild.samples.dataset.all_samples import SampleChanges
from repobuild.samples.dataset.budget import MARK, Line, cut, level, luck, module
from repobuild.samples.dataset.quality_filter import SampleFilter, Samples
from repobuild.samples.tasks.facts import Sample

_FILE = "tokenizer.json"

Count = Callable[[str], int]
Group = tuple[str, str]  # task, file
Places = Counter[tuple[int, int]]  # (luck, tokens) -> how many more samples, or fewer


def ingredients(settings: Mapping[str, Any]) -> dict[str, Value]:
    """What enters the key: with a budget, which tokenizer counts."""
    if not settings["samples.max_tokens"]:
        return {}
    digest = blake2b(_needed(settings).read_bytes(), digest_size=16).hexdigest()
    return {"tokenizer": digest, "tokenizers": version("tokenizers")}


def counter(settings: Mapping[str, Any]) -> Count | None:
    """Return what counts the tokens of a text; None where no tokenizer is at hand.

    Needs `base.model`, `base.revision` and `root`; asks no network.
    """
    path = tokenizer_file(settings)
    return _counter(path) if path else None


def size(sample: Sample, count: Count) -> int:
    """Return the tokens of a sample's question and answer."""
    return count(sample["question"]) + count(sample["answer"])


def balance(view: View) -> None:
    """Bring lines, sizes and cuts up to date with the changed contexts."""
    most = view.settings["samples.max_tokens"]
    if not most:
        return
    places = _changed(view, _counter(_needed(view.settings)))
    sizes = _sizes(view)
    for (task, path), more in sorted(places.items()):
        line = _line(view, task, path, more)
        sizes.setdefault(task, {})[path] = sum(tokens for _, tokens in line)
        if not line:
            del sizes[task][path]
    totals = {task: sum(of.values()) for task, of in sizes.items()}
    share = level(totals, most)
    for task, of in sorted(sizes.items()):
        _write(view, task, of, min(share, totals[task]))


def _changed(view: View, count: Count) -> dict[Group, Places]:
    """What came to the line of each module, and what left it."""
    judge = SampleFilter.of(view.settings)
    places: dict[Group, Places] = {}
    for key, (old, new) in SampleChanges(view).items():
        for samples, step in ((old, -1), (new, 1)):
            _add(places, judge, count, key, samples or {}, step)
    return places


def _add(
    places: dict[Group, Places],
    judge: SampleFilter,
    count: Count,
    key: str,
    samples: Samples,
    step: int,
) -> None:
    for sub, item in judge.row(key, samples).items():
        if item.get("split") == "train":
            sample = samples[sub]
            line = places.setdefault((sample["task"], module(sample)), Counter())
            line[luck(key + sub), size(sample, count)] += step


def _sizes(view: View) -> dict[str, dict[str, int]]:
    """The tokens of every file by task, as they were."""
    tasks = [key for key in view.own.keys() if MARK not in key]
    return {task: dict((view.own.get(task) or {})["sizes"]) for task in tasks}


def _line(view: View, task: str, path: str, more: Places) -> Line:
    """Bring one module's line up to date."""
    key = task + MARK + path
    line: Places = Counter(map(tuple, view.own.get(key) or ()))
    line.update(more)
    now = [list(place) for place in sorted(line.elements())]
    if now:
        view.own.put(key, now)
    elif not view.full:
        view.own.drop(key)
    return now


def _write(view: View, task: str, sizes: Mapping[str, int], most: int) -> None:
    """Say where a task's lines end, now that it has so many tokens."""
    if not sizes:
        if not view.full:
            view.own.drop(task)
        return
    share = level(sizes, most)
    cuts = {
        path: cut(view.own.get(task + MARK + path) or [], share)
        for path, tokens in sorted(sizes.items())
        if tokens > share
    }
    view.own.put(task, {"sizes": dict(sorted(sizes.items())), "cuts": cuts})


# ---------------------------------------------------------------------- tokenizer


def tokenizer_file(settings: Mapping[str, Any]) -> Path | None:
    """Return where the base model's `tokenizer.json` lies, if it does here."""
    model = str(settings["base.model"])
    folder = Path(settings.get("root", ""), Path(model).expanduser())
    if model == TINY:
        path = embedded()[0] / _FILE
    elif folder.is_dir():
        path = folder / _FILE
    else:
        path = _downloaded(model, str(settings.get("base.revision", "")) or None)
    return path if path.is_file() else None


def _downloaded(model: str, revision: str | None) -> Path:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, _FILE, revision=revision)
    except HFValidationError:
        return Path(_FILE, "nowhere")
    return Path(found) if isinstance(found, str) else Path(_FILE, "nowhere")


def _needed(settings: Mapping[str, Any]) -> Path:
    path = tokenizer_file(settings)
    if path is None:
        raise UsageError(
            "samples.max_tokens is counted with the base model's tokenizer, "
            f'but "{settings["base.model"]}" has no {_FILE} here\n'
            "download the model (`hf download`), or set samples.max_tokens to 0"
        )
    return path


def _counter(path: Path) -> Count:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))
