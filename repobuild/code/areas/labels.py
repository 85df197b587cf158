"""Name a group of files by the words that set it apart from its siblings.

The nouns: the name of the directory that holds nearly all of the group, where it does
not hold the siblings as well; else the two nouns with the highest c-TF-IDF (share of
the group's files with the word, times how few of the siblings have it). The verb: the
same among the words that phrases begin with. Words of the label above are left out. An
area is PascalCase, others are "verb noun noun".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import log
from typing import NamedTuple

from repobuild.code.areas.area_map import Bag
from repobuild.code.areas.file_words import VERB
from repobuild.code.features.phrase import words_of
from repobuild.code.features.vocabulary import vocabulary

# They say nothing of what a group is for.
_BANNED = frozenset(
    "core misc common util utils utility utilities helper helpers base main src lib"
    " general other others package module modules file files".split()
)
_VAGUE_VERBS = frozenset("do expose perform provide represent".split())
_DIRECTORY_SHARE = 0.8
_NOUNS = 2


class Label(NamedTuple):
    """A label, and the share of the files that bear it out."""

    text: str
    support: float


class OmittedWords(NamedTuple):
    """Words that say nothing in a label."""

    above: Collection[str]  # those of the labels above
    common: Collection[str]  # those of many files, unless a directory has the name


def labels_of(
    groups: Sequence[Sequence[str]],
    bags: Mapping[str, Bag],
    level: int,
    known: OmittedWords,
    taken: Collection[str] = (),
) -> list[Label]:
    """Return a label for each of some sibling groups of files.

    All differ, from each other and from those that are taken.
    """
    counted = [_count(paths, bags) for paths in groups]
    shared = _holding([path for paths in groups for path in paths])
    used = {*taken}
    found = []
    for paths, files in zip(groups, counted, strict=True):
        folders = _holding(paths) - (shared if len(groups) > 1 else set())
        words = _Words(files, counted, len(paths), known)
        text = words.label(level, folders, paths[0], used)
        used.add(text)
        found.append(Label(text, support_of(text, paths, bags)))
    return found


def support_of(label: str, paths: Collection[str], bags: Mapping[str, Bag]) -> float:
    """Return the share of files whose words or paths have a noun of the label."""
    nouns = set(_split(label.partition(" ")[2] or label))
    borne = sum(
        not nouns.isdisjoint(bags[path]) or not nouns.isdisjoint(_of_path(path))
        for path in paths
    )
    return round(borne / len(paths), 2) if paths else 0.0


def label_words(labels: Iterable[str]) -> set[str]:
    """Return the words of labels."""
    return {word for label in labels for word in _split(label)}


def slug(label: str) -> str:
    """Return a label as a part of an id."""
    return "-".join(label.split())


class _Words(NamedTuple):
    """The words of one group among its siblings."""

    files: Counter[str]  # files of the group with each word
    siblings: Sequence[Counter[str]]
    size: int
    known: OmittedWords

    def label(
        self, level: int, folders: set[str], first: str, used: Collection[str]
    ) -> str:
        ranked = sorted(self.files, key=self._rank)
        common = self.known.common
        nouns = _distinct(w for w in ranked if w not in common and self._is_new(w))
        deepest = max(folders, key=lambda f: (f.count("/"), f), default="")
        of_folder = [w for w in words_of(_name(deepest)) if self._is_new(w)]
        stem = [w for w in words_of(_name(first).partition(".")[0]) if w]
        chosen = of_folder or nouns[:_NOUNS] or stem or ["files"]
        verbs = [w.removesuffix(VERB) for w in ranked if w.endswith(VERB)]
        telling = (v for v in verbs if v in vocabulary().verbs - _VAGUE_VERBS)
        verb = next((v for v in telling if v not in chosen), "provide")
        extra = self._more(nouns, chosen)
        while (text := _written(verb, chosen, level)) in used:
            chosen = [*chosen, next(extra)]
        return text

    def _rank(self, word: str) -> tuple[float, str]:
        share = self.files[word] / self.size
        having = sum(word in files for files in self.siblings)
        return -share * log(1.0 + len(self.siblings) / having), word

    def _is_new(self, word: str) -> bool:
        is_known = word in _BANNED or word in self.known.above
        return word.isalpha() and not is_known

    def _more(self, nouns: Sequence[str], chosen: Sequence[str]) -> Iterator[str]:
        """Yield what makes a label another one."""
        yield from [word for word in nouns if word not in chosen][:1]
        number = 2
        while True:
            yield str(number)
            number += 1


def _distinct(words: Iterable[str]) -> list[str]:
    """Return words without those that are another number of one before."""
    found: dict[str, str] = {}
    for word in words:
        found.setdefault(word.rstrip("s"), word)
    return list(found.values())


def _written(verb: str, nouns: Sequence[str], level: int) -> str:
    if level == 0:
        return "".join(noun[:1].upper() + noun[1:] for noun in nouns)
    return " ".join([verb, *nouns])


def _holding(paths: Sequence[str]) -> set[str]:
    """Return the directories that hold nearly all of some files."""
    counts: Counter[str] = Counter()
    for path in paths:
        parts = path.split("/")[:-1]
        counts.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))
    least = _DIRECTORY_SHARE * len(paths)
    return {folder for folder, count in counts.items() if count >= least}


def _count(paths: Sequence[str], bags: Mapping[str, Bag]) -> Counter[str]:
    files: Counter[str] = Counter()
    for path in paths:
        files.update(bags[path].keys())
    return files


def _split(label: str) -> tuple[str, ...]:
    return tuple(word for part in label.split() for word in words_of(part))


def _of_path(path: str) -> set[str]:
    return {w for part in path.rpartition(".")[0].split("/") for w in words_of(part)}


def _name(path: str) -> str:
    return path.rpartition("/")[2]
