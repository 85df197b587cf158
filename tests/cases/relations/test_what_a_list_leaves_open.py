"""Lists of relations that may lack something are not asked for, or name it."""

from __future__ import annotations

from pathlib import Path

from repobuild.samples.contexts.line_rows import LINES
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers, sampled_fixture

STORE = '''"""Stores of values."""

import os
from collections import namedtuple

Level = namedtuple("Level", "name number")


class StoreWarning(UserWarning):
    """Warns of a store that is empty."""


class Store:
    """Keeps values by their keys."""

    @property
    def _sql(self):
        """Return what runs a statement."""
        return self.local.execute

    def add(self, key):
        """Add one to the value of a key."""
        run = self._sql
        return run("update", key)

    def volume(self):
        """Return how large the store is."""
        return self._sql("pragma")

    def prune(self):
        """Remove what is old."""
        run = self._sql
        return run("delete")

    def lower(self, key):
        """Take one from the value of a key."""
        return self.add(key)


class Queue:
    """Keeps values in their order."""

    def __init__(self, values=()):
        self.values = list(values)

    @classmethod
    def restored(cls, values):
        """Restore a queue without its constructor."""
        self = cls.__new__(cls)
        self.values = values
        return self

    def copied(self):
        """Copy the queue."""
        Own = type(self)
        return Own(self.values)

    def turned(self):
        """Turn the queue round."""
        return Queue(reversed(self.values))


class Levels:
    """Holds the levels of a log."""

    def __init__(self):
        self.known = [Level("low", 1), Level("high", 2)]
        self.names = fold(["low", "high"])


def fold(names):
    """Fold the case of names."""
    return [one.lower() for one in names]


class PlainWriter:
    """Writes at once."""

    def write(self, text):
        """Write a text."""
        print(text)


class BulkWriter:
    """Writes when there is enough."""

    def write(self, text):
        """Keep a text until there are more."""
        self.texts.append(text)


Writer = PlainWriter if os.name == "posix" else BulkWriter

try:
    import termios

    def _posix_key():
        """Read a key from the terminal."""
        return termios.tcgetattr(0)

    _key = _posix_key
except ImportError:
    import msvcrt

    def _console_key():
        """Read a key from the console."""
        return msvcrt.getch()

    _key = _console_key


def ask():
    """Ask for a key."""
    return _key()
'''
HANDLERS = '''"""Handlers of records."""

import atexit

from store.keep import Store, StoreWarning, Writer, fold


class Handler:
    """Writes records to a file."""

    handlers = []

    def __init__(self, path):
        self.path = path
        self.writer = Writer(path)
        self.name = fold(path)
        atexit.register(self._flush)
        self.handlers.append(self)

    @classmethod
    def flush_all(cls):
        """Write what every handler has."""
        for one in cls.handlers:
            one._flush()

    def _flush(self):
        """Write what there is."""
        self.emit("")

    def emit(self, text):
        """Write one record."""
        self.writer.write(text)


class Stores:
    """Spreads keys over stores."""

    def __init__(self, count):
        self.parts = tuple(Store() for _ in range(count))

    def add(self, key):
        """Add one in the store of a key."""
        store = self.parts[hash(key) % len(self.parts)]
        return store.add(key)


def warn():
    """Warn of an empty store."""
    raise StoreWarning
'''
ACTIONS = '''"""Actions of a mouse."""


class Actions:
    """Moves and presses."""

    def click(self, on):
        """Press and release a button."""
        self._hold(on).wait(0.5)._release("left")

    def press(self, on):
        """Press a button."""
        self._hold(self.found(on))

    def choose(self, on):
        """Press what is found, or release."""
        self._hold(on) if self.found(on) else self._release(on)

    def _hold(self, on) -> "Actions":
        """Hold a button down."""
        print(on)
        return self

    def found(self, on):
        """Find an element."""
        print("find")
        return on

    def wait(self, seconds) -> "Actions":
        """Wait for some seconds."""
        print(seconds)
        return self

    def _release(self, button) -> "Actions":
        """Release a button."""
        print(button)
        return self
'''
TESTS = '''"""Tests of the stores."""

import pytest

from store.keep import Store, StoreWarning, fold

pytestmark = pytest.mark.filterwarnings("ignore", category=StoreWarning)


def test_fold():
    assert fold(["A"]) == ["a"]


def test_store():
    assert Store().add("a")
'''
FILES = {
    "setup.py": "from setuptools import setup\n\nimport store\n\n"
    "setup(name='store', version=store.__version__, packages=['store'])\n",
    "store/__init__.py": '"""Keep values."""\n\n__version__ = "1.0"\n',
    "store/keep.py": STORE,
    "store/handlers.py": HANDLERS,
    "store/actions.py": ACTIONS,
    "store/use.py": '"""Use the package."""\n\nimport store\n\n\n'
    "def version():\n"
    '    """Return the version."""\n    return store.__version__\n',
    "tests/test_keep.py": TESTS,
}
KEEP, HANDLING = "store/keep.py::", "store/handlers.py::"
stores = sampled_fixture(FILES)


def names(stores: Sampled, id: str, field: str) -> list[str]:
    return [one.partition("::")[2] for one in stores.context(id).get(field, ())]


def all_answers(stores: Sampled, kind: str, name: str) -> list[str]:
    """Return the answers of a kind that are about a name, asked of it or not."""
    return [one for one in answers(stores, kind) if f"`{name}`" in one]


def test_every_claim_of_these_samples_holds(stores: Sampled) -> None:
    assert stores.audit().wrong == []


def test_one_caller_of_its_own_file_is_no_answer_where_there_may_be_others(
    stores: Sampled,
) -> None:
    row = stores.context(f"{KEEP}Store.add")
    assert "callers" in row["open"] and len(row["callers"]) == 1
    told = answers(stores, "callers")
    assert not any("by `Store.lower`" in one for one in told)


def test_who_calls_what_a_property_gives_reads_it(stores: Sampled) -> None:
    assert names(stores, f"{KEEP}Store._sql", "readers") == [
        "Store.add",
        "Store.prune",
        "Store.volume",
    ]
    assert not names(stores, f"{KEEP}Store._sql", "callers")


def test_a_class_is_made_without_its_name_too(stores: Sampled) -> None:
    assert names(stores, f"{KEEP}Queue", "callers") == [
        "Queue.copied",
        "Queue.restored",
        "Queue.turned",
    ]


def test_a_called_name_without_an_element_leaves_the_callees_open(
    stores: Sampled,
) -> None:
    assert "callees" in stores.context(f"{KEEP}Levels")["open"]
    assert not all_answers(stores, "callees", "Levels")


def test_a_name_that_is_one_of_several_by_platform_is_none_of_them(
    stores: Sampled,
) -> None:
    for id in (f"{HANDLING}Handler.__init__", f"{HANDLING}Handler.emit"):
        assert not any("Writer" in one for one in names(stores, id, "callees"))
        assert "callees" in stores.context(id)["open"]
    assert not names(stores, f"{KEEP}_console_key", "callers")
    assert "callers" in stores.context(f"{KEEP}BulkWriter.write")["open"]


def test_the_top_level_of_a_module_of_tests_is_no_test(stores: Sampled) -> None:
    row = stores.context(f"{KEEP}StoreWarning")
    assert "tests" not in row and "users_in_tests" not in row
    assert names(stores, f"{KEEP}fold", "tests") == ["test_fold"]


def test_a_setup_script_imports_its_package(stores: Sampled) -> None:
    row = stores.context("store/__init__.py")
    assert row["importers"] == ["setup.py", "store/use.py"]


def test_calls_of_one_line_are_traced_as_they_happen(stores: Sampled) -> None:
    row = stores.context(f"store/actions.py::Actions.click{LINES}")
    assert [id.rpartition(".")[2] for id in row["code"][0][2]] == [
        "_hold",
        "wait",
        "_release",
    ]


def test_a_method_called_on_elements_of_a_list_has_readers_that_nobody_knows(
    stores: Sampled,
) -> None:
    row = stores.context(f"{HANDLING}Handler._flush")
    assert "readers" in row["open"] and row["readers"]
    assert not all_answers(stores, "readers", "Handler._flush")


def test_what_a_function_within_a_method_makes_is_its_call(tmp_path: Path) -> None:
    code = '''"""Checks."""


class Check:
    """Checks by a function."""

    def __init__(self, function):
        self.function = function

    @classmethod
    def decorate(cls, **options):
        """Return a decorator that makes a check of a function."""

        def decorator(function):
            return cls(function, **options)

        return decorator


def even():
    """Return the check of even numbers."""
    return Check(lambda number: number % 2 == 0)
'''
    sampled = Sampled(tmp_path, {"rules.py": code}, **ALL_IN_ENGLISH)
    assert sampled.audit().wrong == []
    (answer,) = set(answers(sampled, "callers", "rules.py::Check"))
    assert "`Check.decorate.decorator`" in answer
    assert "`Check.decorate`" not in answer
