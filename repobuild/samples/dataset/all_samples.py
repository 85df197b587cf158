"""All samples: those of the table `samples`, and of the tables that join it.

The dataset, what trains on it and what shows it know a row by its dataset key: a row of
`samples` by its own key, a row of another table by TABLE//KEY. No path in git holds
`//`, and no table's name a `/` or a `:`, so that no two rows meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from repobuild.engine.contract import Change, Table, Value, View
from repobuild.errors import StaleError

SAMPLES = "samples"
_MARK = "//"
_FOREIGN = re.compile(r"([a-z][a-z0-9_]*)//")


class SampleSource(Protocol):
    """A task or a build."""

    def table(self, name: str) -> Table: ...

    def joined(self, name: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class AllSamples:
    """Reads as one table, by dataset keys."""

    tables: Mapping[str, Table]

    @classmethod
    def of(cls, source: SampleSource) -> AllSamples:
        return cls({name: source.table(name) for name in source.joined(SAMPLES)})

    def get(self, key: str) -> Value | None:
        name, row = self.place(key)
        if name == SAMPLES and (lost := _FOREIGN.match(key)):
            raise StaleError(
                f'the dataset holds samples of "{lost[1]}", whose rule is not trusted, '
                "or not there, now\nrun `repobuild` to make the dataset without them"
            )
        return self.tables[name].get(row)

    def items(self) -> Iterator[tuple[str, Value]]:
        for name, table in self.tables.items():
            for row, value in table.items():
                yield dataset_key(name, row), value

    def entries(self) -> Iterator[tuple[str, Value]]:
        for key, value in self.items():
            for sub, item in (value or {}).items():
                yield key + sub, item

    def place(self, key: str) -> tuple[str, str]:
        """Return the table of a dataset key, and the key in it."""
        name, mark, row = key.partition(_MARK)
        if mark and name != SAMPLES and name in self.tables:
            return name, row
        return SAMPLES, key


class SampleChanges(Mapping[str, Change]):
    """Changed rows of all tables of samples, by dataset key."""

    def __init__(self, view: View) -> None:
        self._pool = AllSamples(
            {name: view.table(name) for name in view.joined(SAMPLES)}
        )
        self._changes = {name: view.changes(name) for name in self._pool.tables}

    def __getitem__(self, key: str) -> Change:
        name, row = self._pool.place(key)
        return self._changes[name][row]

    def __iter__(self) -> Iterator[str]:
        for name, changes in self._changes.items():
            for row in changes:
                yield dataset_key(name, row)

    def __len__(self) -> int:
        return sum(map(len, self._changes.values()))


def dataset_key(table: str, row: str) -> str:
    return row if table == SAMPLES else f"{table}{_MARK}{row}"


def owner(source: SampleSource, key: str) -> tuple[str, str]:
    """Return the table that a sample's full dataset key leads to, and its key there."""
    return AllSamples.of(source).place(key)
