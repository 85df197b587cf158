"""Count the files of a repository by how they are read, from their paths alone.

A file is in one of these groups:

    read         its language is chosen, and its grammar is installed
    missing      its language is chosen, and its grammar is not installed
    not chosen   repobuild knows its language, `project.languages` leaves it out
    left out     excluded, outside `project.only`, vendored, generated, minified, or a
                 template
    unknown      repobuild knows no language for it; by ending

`.gitattributes` and contents are not looked at, so a build may leave out more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from repobuild.code.scan.language import (
    DOCUMENTS,
    FileChoice,
    all_languages,
    language_names,
)
from repobuild.git.snapshot import Snapshot, is_regular

_MANIFEST = "manifest"
_LONGEST_ENDING = 24  # characters; a file's name may have 255 bytes


@dataclass(frozen=True, slots=True)
class SourceSurvey:
    """Numbers of files: by language, by reason or by ending, most first."""

    files: int
    read: Mapping[str, int]
    missing: Mapping[str, int]
    not_chosen: Mapping[str, int]
    left_out: Mapping[str, int]
    unknown: Mapping[str, int]

    @property
    def code(self) -> list[str]:
        """The languages of the code that is read, most files first."""
        return [name for name in self.read if name not in DOCUMENTS]


def survey_snapshot(snapshot: Snapshot, settings: Mapping[str, Any]) -> SourceSurvey:
    """Count the files of a snapshot; links and submodules are none."""
    paths = (path for path, (_, mode) in snapshot.files() if is_regular(mode))
    return survey_sources(paths, settings)


def survey_sources(paths: Iterable[str], settings: Mapping[str, Any]) -> SourceSurvey:
    """Count the files of these paths by how the settings have them read."""
    chosen = FileChoice.of(settings)
    every = replace(chosen, languages=language_names())
    read, missing, not_chosen, left_out, unknown = (Counter[str]() for _ in range(5))
    files = 0
    for path in paths:
        files += 1
        decision = chosen.decide(path)
        if decision.left_out:
            left_out[decision.left_out] += 1
        elif decision.language:
            language = all_languages()[decision.language]
            group = read if language.is_installed else missing
            group[language.family] += 1
        elif known := every.decide(path).language:
            not_chosen[all_languages()[known].family] += 1
        else:
            unknown[_ending(path)] += 1
    read.pop(_MANIFEST, None)  # it says what a project is, and is no code of it
    groups = (read, missing, not_chosen, left_out, unknown)
    return SourceSurvey(files, *(dict(group.most_common()) for group in groups))


def files_without_grammar(
    paths: Iterable[str], settings: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield each path whose language is chosen and lacks its grammar, and the language.

    Costs nothing where every chosen language has its grammar.
    """
    chosen = FileChoice.of(settings)
    missing = {
        name: language.family
        for name, language in all_languages().items()
        if language.is_chosen(chosen.languages) and not language.is_installed
    }
    for path in paths if missing else ():
        if family := missing.get(chosen.decide(path).language):
            yield path, family


def counted(numbers: Mapping[str, int], most: int = 4) -> str:
    """Return `12 go, 3 rust`, the first ones only."""
    listed = [f"{count:,} {name}" for name, count in list(numbers.items())[:most]]
    rest = sum(list(numbers.values())[most:])
    return ", ".join([*listed, f"{rest:,} more"] if rest else listed)


def files_in(numbers: Mapping[str, int]) -> str:
    """Return `1 file in go, 3 files in rust`."""
    return ", ".join(
        f"{count:,} file{'s' * (count != 1)} in {name}"
        for name, count in numbers.items()
    )


def _ending(path: str) -> str:
    name = path.rpartition("/")[2]
    ending = name[name.rfind(".") :] if "." in name[1:] else name
    return ending[:_LONGEST_ENDING]
