"""Name a group of files by the words that set it apart from its siblings.

The nouns: the directory's name, where the group is one directory; else the two nouns
with the highest c-TF-IDF (share of the group's files with the word, times how rare the
word is among the siblings). The verb: the same among verbs. An area is PascalCase,
others are "verb noun noun".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple

from repobuild.code.areas.area_map import Bag
from repobuild.code.features.lexicon import lexicon
from repobuild.code.features.phrase import words_of

# They say nothing of what a group is for.
_BANNED = frozenset(
    "core misc common util utils utility utilities helper helpers base main src lib"
    " general other others package module modules file files".split()
)
_DIRECTORY_SHARE = 0.8
_NOUNS = 2


class Label(NamedTuple):
    """A label, and the share of the files that bear it out."""

    text: str
    support: float


class _Group(NamedTuple):
    paths: Sequence[str]
    files: Counter[str]  # files with each word


def labels_of(
    groups: Sequence[Sequence[str]], bags: Mapping[str, Bag], level: int
) -> list[Label]:
    """Return a label for each of some sibling groups of files; all different."""
    counted = [_Group(paths, _count(paths, bags)) for paths in groups]
    common: Counter[str] = Counter()
    for group in counted:
        common.update(group.files.keys())
    taken: set[str] = set()
    found = []
    for group in counted:
        text = _label(group, common, len(groups), level, taken)
        taken.add(text)
        found.append(Label(text, support_of(text, group.paths, bags)))
    return found


def support_of(label: str, paths: Collection[str], bags: Mapping[str, Bag]) -> float:
    """Return the share of files whose words or paths have a noun of the label."""
    nouns = set(words_of(label.replace("-", " "))) - lexicon().verbs
    nouns = nouns or set(words_of(label))
    borne = sum(
        not nouns.isdisjoint(bags[path]) or not nouns.isdisjoint(_of_path(path))
        for path in paths
    )
    return round(borne / len(paths), 2) if paths else 0.0


def slug(label: str) -> str:
    """Return a label as a part of an id."""
    return "-".join(label.split())


def _label(
    group: _Group, common: Counter[str], siblings: int, level: int, taken: set[str]
) -> str:
    size = len(group.paths)

    def score(word: str) -> tuple[float, str]:
        share = group.files[word] / size
        return -share * log(1.0 + siblings / common[word]), word

    verbs = lexicon().verbs
    ranked = sorted(group.files, key=score)
    nouns = [w for w in ranked if w not in verbs and w not in _BANNED and w.isalpha()]
    doing = [w for w in ranked if w in verbs and w not in _BANNED]
    directory = [w for w in _directory_words(group.paths) if w not in _BANNED]
    chosen = directory or nouns[:_NOUNS] or list(words_of(_stem(group.paths[0])))
    verb = next((w for w in doing if w not in chosen), "provide")
    extra = iter([w for w in nouns if w not in chosen])
    while (text := _written(verb, chosen, level)) in taken:
        chosen = [*chosen, next(extra, str(len(taken)))]
    return text


def _written(verb: str, nouns: Iterable[str], level: int) -> str:
    if level == 0:
        return "".join(noun[:1].upper() + noun[1:] for noun in nouns)
    return " ".join([verb, *nouns])


def _directory_words(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the words of the deepest directory that holds nearly all of a group."""
    counts: Counter[str] = Counter()
    for path in paths:
        parts = path.split("/")[:-1]
        counts.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    least = _DIRECTORY_SHARE * len(paths)
    holding = [folder for folder, count in counts.items() if count >= least]
    if len(paths) < 2 or not holding:
        return ()
    deepest = max(holding, key=lambda folder: (folder.count("/"), folder))
    return words_of(deepest.rpartition("/")[2])


def _count(paths: Sequence[str], bags: Mapping[str, Bag]) -> Counter[str]:
    files: Counter[str] = Counter()
    for path in paths:
        files.update(bags[path].keys())
    return files


def _of_path(path: str) -> set[str]:
    return {w for part in path.rpartition(".")[0].split("/") for w in words_of(part)}


def _stem(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0] or path
