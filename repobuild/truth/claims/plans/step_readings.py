"""Read a step of a plan back into the part, or parts, that it was rendered from.

A step about a place is a part for the place and endings of it: where a new one goes in
a list, under which branch, whether to import it, and a line that shows how.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from repobuild.truth.answer_template import AnswerTemplates, Fields
from repobuild.truth.subject import CheckedClaim

_STEP = re.compile(r"\n(\d+)\. ([^\n]+)")
_IN_ORDER = (("plan_sorted", "sorted"), ("plan_sorted_part", "part"))
_PATTERNS = {"members": ".+"}  # of fields of an ending; any other is one quoted text
_QUOTED = "[^`]+"


class _Ending(NamedTuple):
    """What a text ends with, and the fields of it."""

    start: int
    fields: dict[str, str]


class StepReader:
    """Reads steps in one language; `places` are the parts that name a place."""

    def __init__(
        self, templates: AnswerTemplates, places: Sequence[str], others: Sequence[str]
    ) -> None:
        self._templates = templates
        self._places, self._others = places, others

    def readings(self, text: str) -> list[Fields]:
        """Return the readings of a step."""
        readings = self._templates.match_parts(self._others, text)
        stop = self._templates.words["stop"]
        if text.endswith(stop):
            bare = text.removesuffix(stop)
            readings += self._with_endings(bare)
            for start, fields in self._endings("plan_line", bare):
                told = {("plan_line", "line"): fields["line"]}
                readings += [one | told for one in self._with_endings(bare[:start])]
        return [one for one in readings if has_numbers(one)]

    def _with_endings(self, text: str) -> list[Fields]:
        """Return the readings of a place, with at most one ending before the import."""
        mark = self._templates.parts["plan_import"]
        bare = text.removesuffix(mark)
        readings = self._sites(bare)
        for part, name in _IN_ORDER:
            ending = self._templates.parts[part]
            if bare.endswith(ending):
                told = {(part, name): ending}
                readings += [one | told for one in self._sites(bare[: -len(ending)])]
        for start, fields in self._endings("plan_behind", bare):
            told = {("plan_behind", "behind"): fields["item"]}
            readings += [one | told for one in self._sites(bare[:start])]
        for part in ("plan_under", "plan_under_all"):
            for start, fields in self._endings(part, bare):
                told = {(part, "branch"): fields["line"]}
                if "members" in fields:
                    told[part, "under"] = fields["members"]
                readings += [one | told for one in self._sites(bare[:start])]
        if text == bare:
            return readings
        return [one | {("plan_import", "import"): mark} for one in readings]

    def _sites(self, text: str) -> list[Fields]:
        return self._templates.match_parts(self._places, text)

    def _endings(self, part: str, text: str) -> Iterator[_Ending]:
        """Yield every way in which a text ends with a part."""
        for match in re.finditer(rf"(?={part_pattern(self._templates, part)}\Z)", text):
            yield _Ending(match.start(), match.groupdict())


def part_pattern(templates: AnswerTemplates, part: str) -> str:
    """Return a pattern for a part whose fields are quoted texts, lists or numbers."""
    pattern = re.escape(templates.parts[part])
    for name in re.findall(r"\{(\w+)\}", templates.parts[part]):
        group = r"\d+" if name in ("count", "total") else _PATTERNS.get(name, _QUOTED)
        pattern = pattern.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>{group})")
    return pattern


def has_numbers(fields: Fields) -> bool:
    """Return whether all that is to be counted is a number."""
    return all(
        text.isdecimal()
        for (_, name), text in fields.items()
        if name in ("count", "total")
    )


def check_numbered(text: str, check: Callable[[str], str]) -> Iterator[CheckedClaim]:
    """Yield a claim for each step of a list that has to be numbered from 1."""
    end = 0
    for number, step in enumerate(_STEP.finditer(text), 1):
        if step[1] != str(number) or step.start() != end:
            yield CheckedClaim("order", step[1], f"it is step {number}")
        end = step.end()
        yield CheckedClaim("plan step", step[2], check(step[2]))
    if end < len(text):
        yield CheckedClaim("plan step", text[end:], "it is no numbered step")
