"""Read all tables of samples as one: `samples`, and the tables that join it.

The dataset, training and `show` address a row by its dataset key: a row of `samples` by
its own key, a row of another table by TABLE//KEY. The two cannot collide: no path in
git contains `//`, and no table name a `/` or a `:`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from repobuild.engine.contract import Change, Table, Value, View
from repobuild.errors import StaleError
from repobuild.resources import program

SAMPLES = "samples"
_SEPARATOR = "//"
_JOINED_KEY = re.compile(r"([a-z][a-z0-9_]*)//")


class SampleSource(Protocol):
    """A build, a task or a view: whatever the tables of samples are read from."""

    @property
    def settings(self) -> Mapping[str, Value]: ...

    def table(self, name: str) -> Table: ...

    def with_extensions(self, name: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class AllSamples:
    """All tables of samples as one table, by dataset key."""

    tables: Mapping[str, Table]

    @classmethod
    def of(cls, source: SampleSource) -> AllSamples:
        return cls(
            {name: source.table(name) for name in source.with_extensions(SAMPLES)}
        )

    def get(self, key: str) -> Value | None:
        """Return the row of a dataset key.

        Raises `StaleError` if the key belongs to a table that is not there any more.
        """
        name, row = self.locate(key)
        if name == SAMPLES and (lost := _JOINED_KEY.match(key)):
            raise StaleError(
                f'the dataset holds samples of "{lost[1]}", whose rule is not trusted, '
                "or not there, now\n"
                f"run `{program()}` to make the dataset without them"
            )
        return self.tables[name].get(row)

    def items(self) -> Iterator[tuple[str, Value]]:
        for name, table in self.tables.items():
            for row, value in table.items():
                yield dataset_key(name, row), value

    def entries(self) -> Iterator[tuple[str, Value]]:
        """Yield (full dataset key, sample) for every sample."""
        for key, value in self.items():
            for sub, item in (value or {}).items():
                yield key + sub, item

    def locate(self, key: str) -> tuple[str, str]:
        """Return (table, key in that table) of a dataset key."""
        name, separator, row = key.partition(_SEPARATOR)
        if separator and name != SAMPLES and name in self.tables:
            return name, row
        return SAMPLES, key


class SampleChanges(Mapping[str, Change]):
    """The changed rows of all tables of samples, by dataset key."""

    def __init__(self, view: View) -> None:
        self._samples = AllSamples.of(view)
        self._changes = {name: view.changes(name) for name in self._samples.tables}

    def __getitem__(self, key: str) -> Change:
        name, row = self._samples.locate(key)
        return self._changes[name][row]

    def __iter__(self) -> Iterator[str]:
        for name, changes in self._changes.items():
            for row in changes:
                yield dataset_key(name, row)

    def __len__(self) -> int:
        return sum(map(len, self._changes.values()))


def dataset_key(table: str, row: str) -> str:
    return row if table == SAMPLES else f"{table}{_SEPARATOR}{row}"


def keys_about(samples: AllSamples, id: str) -> list[str]:
    """Return the dataset keys that name an element: its own, and that of its lines."""
    return [
        dataset_key(name, row) for name in samples.tables for row in (id, f"{id}@lines")
    ]


def is_about(key: str, sample: Mapping[str, Value]) -> bool:
    """Return whether a full dataset key names its sample's element, or its lines."""
    own, element = key.partition(_SEPARATOR)[2] or key, str(sample["element"])
    end = own.removeprefix(element).removeprefix("@lines")
    return own.startswith(element) and end.startswith(f"#{sample['task']}.")


def locate(source: SampleSource, key: str) -> tuple[str, str]:
    """Return (table, key in that table) of a sample's full dataset key."""
    return AllSamples.of(source).locate(key)
