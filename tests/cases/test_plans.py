"""A requirement is answered with a plan that the repository itself shows."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest

from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.answer_template import answer_templates
from tests.promises.test_incremental_equals_clean import assert_equal
from tests.repository import Repository
from tests.standard import Standard

BASE = '''\
"""The base of all readers."""


class Reader:
    """Read one format."""

    name = ""

    def open(self, path):
        return path

    def parse(self, text):
        raise NotImplementedError
'''
READERS = {"csv": "Csv", "json": "Json", "toml": "Toml", "xml": "Xml"}
REGISTRY = """\
from pkg.readers.csv import CsvReader
from pkg.readers.json import JsonReader
from pkg.readers.toml import TomlReader

READERS = {
    "csv": CsvReader,
    "json": JsonReader,
    "toml": TomlReader,
}


def read(path, kind):
    return READERS[kind]().parse(path)
"""


def reader(stem: str) -> str:
    name = READERS[stem]
    return f'''\
from pkg.base import Reader


class {name}Reader(Reader):
    """Read the rows of a {stem} file."""

    name = "{stem}"

    def parse(self, text):
        return text.split("{stem}")
'''


def reader_test(stem: str) -> str:
    name = READERS[stem]
    return (
        f"from pkg.readers.{stem} import {name}Reader\n\n\n"
        f"def test_it_reads():\n    assert {name}Reader().parse('a') == ['a']\n"
    )


FIRST = {
    "pkg/__init__.py": "",
    "pkg/base.py": BASE,
    "pkg/readers/__init__.py": "",
    "pkg/registry.py": REGISTRY,
    "docs/readers.md": "# Readers\n\n`CsvReader`, `JsonReader` and `TomlReader`.\n",
    **{f"pkg/readers/{stem}.py": reader(stem) for stem in ("csv", "json", "toml")},
    **{f"tests/test_{stem}.py": reader_test(stem) for stem in ("csv", "json", "toml")},
}
SECOND = {
    "pkg/readers/xml.py": reader("xml"),
    "tests/test_xml.py": reader_test("xml"),
    "pkg/registry.py": REGISTRY.replace(
        '    "toml"', '    "xml": XmlReader,\n    "toml"'
    ).replace(
        "from pkg.readers.toml",
        "from pkg.readers.xml import XmlReader\nfrom pkg.readers.toml",
    ),
    "docs/readers.md": "# Readers\n\n`CsvReader`, `XmlReader`, `JsonReader`.\n",
}
FAMILY = "subclass::pkg/base.py::Reader"


@pytest.fixture
def standard(repository: Repository, tmp_path: Path):
    repository.commit({"README.md": "# It\n"})
    repository.commit(FIRST)
    built = Standard(repository.git, tmp_path / "state", **{"split.generalise": 0.0})
    built.build("plans")
    yield built
    built.close()


def plans(standard: Standard, kind: str, language: str = "en") -> list[dict[str, Any]]:
    """Return the samples of one kind."""
    templates = answer_templates(language)
    found = []
    for key, sample in AllSamples.of(standard.open()).entries():
        if key.startswith("plans//") and sample["language"] == language:
            task, _, number = key.rpartition("#")[2].split(".")
            if templates.kind(task, int(number)) == kind:
                found.append({**sample, "key": key})
    return found


def plan(standard: Standard) -> str:
    """Return the answer about a new reader."""
    answers = {s["answer"] for s in plans(standard, "plan") if FAMILY in s["key"]}
    assert len(answers) == 1
    return answers.pop()


def test_a_plan_names_file_base_methods_registration_tests_and_documents(standard):
    answer = plan(standard)
    assert "Give it a file of its own in `pkg/readers`" in answer
    assert "Inherit from `Reader`." in answer
    assert "leaves open: `parse` (3 of 3)" in answer
    assert "class attributes that most siblings set: `name` (3 of 3)" in answer
    assert (
        "Enter it in `READERS` of `pkg/registry.py`, which holds all 3 siblings"
        in answer
    )
    assert "Test it in `tests/test_{name}.py`, as most siblings are tested." in answer
    assert "Document it in `docs/readers.md`, which names all 3 siblings" in answer


def test_methods_that_siblings_do_not_override_are_not_asked_for(standard):
    assert "`open`" not in plan(standard)


def test_the_reasoning_stands_before_the_steps_and_code_is_quoted(standard):
    answer = plan(standard)
    parts = ["**Reasoning**", "**Plan**", "**Example**"]
    assert sorted(parts, key=answer.index) == parts
    assert 'return text.split("' in answer


def test_the_history_of_the_last_sibling_is_told(standard, repository):
    repository.commit(SECOND)
    standard.build("plans")
    answer = plan(standard)
    assert re.search(
        r'History: "a change" added `XmlReader` .* and touched `docs/readers.md`,'
        r" `pkg/registry.py`, `tests/test_\{name\}.py`",
        answer,
    )


def test_a_sibling_with_a_purpose_is_the_model_for_a_requirement(standard):
    asked = [s for s in plans(standard, "plan_need") if "csv" in s["key"]]
    assert asked
    for sample in asked:
        assert "Read the rows of a csv file." in sample["question"]
        assert "`CsvReader`" in sample["answer"]
        assert '"csv": CsvReader,' in sample["answer"]


def test_functions_of_one_pattern_are_siblings(standard, repository):
    names = ("color", "size", "shape")
    body = "\n\n".join(
        f"def parse_{n}(text, strict):\n    return text\n" for n in names
    )
    table = "PARSERS = [parse_color, parse_size, parse_shape]\n"
    repository.commit({"pkg/parsers.py": f"{body}\n\n{table}"})
    standard.build("plans")
    answers = [s for s in plans(standard, "plan") if "parse_*" in s["key"]]
    assert answers
    assert "what the others take: `text`, `strict`" in answers[0]["answer"]
    assert "Enter it in `PARSERS` of `pkg/parsers.py`" in answers[0]["answer"]


VIEW_TESTS = """from pkg import views


def test_views():
    assert (views.a(), views.b(), views.c()) == ("a", "b", "c")
"""


def test_functions_under_one_decorator_are_siblings(standard, repository):
    text = "from pkg.app import app\n\n\n" + "\n\n".join(
        f'@app.route("/{n}")\ndef {n}():\n    return "{n}"\n' for n in ("a", "b", "c")
    )
    repository.commit({"pkg/views.py": text, "tests/test_views.py": VIEW_TESTS})
    standard.build("plans")
    answers = [s for s in plans(standard, "plan") if "app.route" in s["key"]]
    assert answers
    assert "Decorate it with `@app.route`." in answers[0]["answer"]


@pytest.mark.parametrize(
    ("decorator", "is_family"),
    [("tracked", False), ("retry(tries=3)", False), ("register_view", True)],
)
def test_a_decorator_makes_siblings_when_its_name_says_that_it_registers(
    standard, repository, decorator, is_family
):
    text = "from pkg.timing import *\n\n\n" + "\n\n".join(
        f'@{decorator}\ndef {n}():\n    return "{n}"\n' for n in ("a", "b", "c")
    )
    repository.commit({"pkg/views.py": text, "tests/test_views.py": VIEW_TESTS})
    standard.build("plans")
    found = [s for s in plans(standard, "plan") if "decorated" in s["key"]]
    names = [s for s in found if decorator.partition("(")[0] in s["key"]]
    assert bool(names) == is_family


def test_files_of_one_shape_are_siblings(standard, repository):
    command = "def run(options):\n    return options\n"
    names = ("add", "drop", "show")
    repository.commit({f"pkg/commands/{n}.py": command for n in names})
    standard.build("plans")
    assert not [s for s in plans(standard, "plan") if "modules::" in s["key"]]
    text = "from pkg.commands import add, drop, show\n\n\ndef main(name, options):\n"
    text += "".join(f'    if name == "{n}":\n        {n}.run(options)\n' for n in names)
    repository.commit({"pkg/main.py": text})
    standard.build("plans")
    answers = [s for s in plans(standard, "plan") if "modules::" in s["key"]]
    assert answers
    for step in (
        "Import it in `pkg/main.py`, which",
        "Handle it in `main` of `pkg/main",
    ):
        assert step in answers[0]["answer"]
    assert "Give it a file of its own in `pkg/commands`" in answers[0]["answer"]
    assert "`run` (3 of 3)" in answers[0]["answer"]


def test_files_that_change_together_are_told_with_their_count(standard, repository):
    for number in range(4):
        body = "".join(f"\n\ndef helper{n}():\n    return {n}\n" for n in range(number))
        touched = {"pkg/tools.py": f"X = {number}\n{body}"}
        repository.commit(touched | {"pkg/limits.py": f"Y = {number}\n"})
    standard.build("plans")
    answers = [s["answer"] for s in plans(standard, "together")]
    assert any("`pkg/limits.py` (3 of 3)" in answer for answer in answers)


def test_every_sample_in_chinese_has_its_reasoning_first(repository, tmp_path):
    repository.commit(FIRST)
    languages = {"samples.languages": ["zh"], "split.generalise": 0.0}
    chinese = Standard(repository.git, tmp_path / "state", **languages)
    chinese.build("plans")
    found = plans(chinese, "plan", "zh")
    chinese.close()
    assert found
    for sample in found:
        assert sample["answer"].index("推理过程") < sample["answer"].index("实现步骤")


@pytest.mark.parametrize("seed", range(4))
def test_families_are_the_same_after_updates_and_after_a_clean_build(
    repository, tmp_path, seed
):
    chance = random.Random(seed)
    repository.commit({"README.md": "# It\n"})
    repository.commit(FIRST)
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("plans")
    for number in range(8):
        files: dict[str, str | None] = {}
        stem = chance.choice(list(READERS))
        path = chance.choice(
            [f"pkg/readers/{stem}.py", f"tests/test_{stem}.py", "docs/readers.md"]
        )
        there = (repository.path / path).exists()
        if chance.random() < 0.3 and there:
            files[path] = None
        elif path.startswith("docs"):
            words = chance.sample(list(READERS.values()), 2)
            files[path] = f"# R{number}\n\n" + "".join(f"`{w}Reader` " for w in words)
        else:
            make = reader if path.startswith("pkg") else reader_test
            files[path] = make(stem) + f"\n\ndef extra{number}(a):\n    return a\n"
        if chance.random() < 0.4:
            known = chance.sample(list(READERS), 3)
            lines = "".join(f'    "{s}": {READERS[s]}Reader,\n' for s in known)
            files["pkg/registry.py"] = f"READERS = {{\n{lines}}}\n# {number}\n"
        repository.commit(files)
        standard.build("plans")
        clean = Standard(repository.git, tmp_path / f"clean{number}")
        clean.build("plans")
        for table in ("past_commits", "additions", "families"):
            assert_equal(standard, clean, table)
        clean.close()
    standard.close()


def test_a_test_that_begins_to_call_a_sibling_covers_it(standard, repository, tmp_path):
    """The file has edges to the siblings' file before, and none to this sibling."""
    names = ("color", "size", "shape")
    body = "\n\n".join(f"def parse_{n}(text):\n    return text\n" for n in names)
    table = "PARSERS = [parse_color, parse_size, parse_shape]\n"

    def test_of(*called: str) -> str:
        calls = "".join(f"    assert parse_{name}('a')\n" for name in called)
        return f"from pkg.parsers import *\n\n\ndef test_parsing():\n{calls}"

    repository.commit({"pkg/parsers.py": f"{body}\n\n{table}"})
    repository.commit({"tests/test_kinds.py": test_of("color")})
    standard.build("families")
    repository.commit({"tests/test_kinds.py": test_of("color", "size", "shape")})
    standard.build("families")
    with_clean = Standard(repository.git, tmp_path / "clean")
    with_clean.build("families")
    assert_equal(standard, with_clean, "families")
    with_clean.close()


QUEUES = '''\
"""Queues."""

import typing as t


class Queue:
    """A queue."""

    def start(self):
        self.items = []

    def push(self, item):
        self.items.append(item)


class Last(Queue):
    """A queue that gives the last item first."""

    def push(self, item):
        self.items.insert(0, item)


class First(Queue):
    """A queue that gives the first item first."""

    def push(self, item):
        self.items.append(item)


class Heap(Queue):
    """A queue that gives the smallest item first."""

    def start(self):
        self.heap = []

    def push(self, item):
        self.heap.append(item)


KINDS = {"first": First, "last": Last, "heap": Heap}


class Base:
    """A base with typing stubs below."""

    def inverse(self):
        return self


class One(Base):
    """One of three that have nothing in common but a stub."""

    if t.TYPE_CHECKING:

        def inverse(self) -> "One": ...

    def first(self):
        return 1


class Two(Base):
    """Another one that has nothing in common but a stub."""

    def inverse(self) -> "Two": ...

    def second(self):
        return 2


class Three(Base):
    """The third that has nothing in common but a stub."""

    def inverse(self) -> "Three": ...

    def third(self):
        return 3


class Outer:
    """A name space."""

    class Inner(Queue):
        """A nested class."""

        def push(self, item):
            return item


class Lost(Exception):
    """What is raised for anything that is lost."""


class LostKey(Lost):
    """A key is lost."""


class LostValue(Lost):
    """A value is lost."""


class LostBoth(Lost):
    """Key and value are lost."""


def find(key, value):
    if key and value:
        raise LostBoth
    if key:
        raise LostKey
    if value:
        raise LostValue(value)


class Mixed(Last, dict):
    """A queue that is a dictionary as well."""

    def push(self, item):
        self[item] = item


class Mapped(Last, dict):
    """A queue that is a dictionary as well, too."""

    def push(self, item):
        self[item] = True


class Merged(Last, dict):
    """A queue that is a dictionary besides."""

    def push(self, item):
        self[item] = None


ALL = [Mixed, Mapped, Merged]
'''


@pytest.fixture
def queues(repository: Repository, tmp_path: Path):
    files = {"shop/__init__.py": "", "shop/queues.py": QUEUES.replace("Outer", "_O")}
    files["tests/test_queues.py"] = "from shop import queues\n\n\ndef test(): pass\n"
    repository.commit(files)
    built = Standard(repository.git, tmp_path / "state", **{"split.generalise": 0.0})
    built.build("plans")
    yield built
    built.close()


def of_base(standard: Standard, kind: str, base: str) -> set[str]:
    end = f"subclass::shop/queues.py::{base}"
    samples = plans(standard, kind)
    return {s["answer"] for s in samples if s["key"].rpartition("#")[0].endswith(end)}


def test_siblings_that_share_typing_stubs_only_are_no_family(queues):
    assert not of_base(queues, "plan", "Base")


def test_a_family_with_nested_classes_is_left_out(queues):
    assert not of_base(queues, "plan", "Queue")


def test_a_model_is_followed_in_all_that_it_defines(queues, repository):
    text = QUEUES[: QUEUES.index("class Outer")]
    repository.commit({"shop/queues.py": text})
    queues.build("plans")
    heap = {one for one in of_base(queues, "plan_like", "Queue") if "`Heap` as" in one}
    assert heap
    for answer in heap:
        assert "Define what `Heap` defines: `start`, `push`." in answer
        assert "file of its own" not in answer
    (general,) = of_base(queues, "plan", "Queue")
    assert "most siblings define: `push` (3 of 3)." in general
    assert "what only some siblings define: `start` (1 of 3)." in general


def test_an_exception_is_raised_where_its_siblings_are(queues):
    (answer,) = of_base(queues, "plan", "Lost")
    assert "as all 3 siblings are in `find` of `shop/queues.py`." in answer
    assert "Handle it" not in answer


def test_the_second_base_of_a_model_is_named(queues):
    answers = of_base(queues, "plan_like", "Last")
    assert answers
    for answer in answers:
        assert re.search(r"Inherit from `Last`, `dict`, as `M\w+ed` does.", answer)


def test_functions_that_are_alike_in_name_only_are_no_family(queues, repository):
    names = ("color", "size", "shape")
    body = "\n\n".join(f"def keep_{n}(text):\n    return text\n" for n in names)
    repository.commit({"shop/keeping.py": body})
    queues.build("plans")
    assert not [s for s in plans(queues, "plan") if "keep_*" in s["key"]]


def test_a_test_file_covers_what_its_tests_call(standard, repository):
    """Beside the name of the file of several siblings, as a plug-in's tests have it."""
    names = ("color", "size", "shape")
    body = "\n\n".join(f"def parse_{n}(text):\n    return text\n" for n in names)
    table = "PARSERS = [parse_color, parse_size, parse_shape]\n"
    test = "def test_nothing_of_it():\n    assert 1\n"
    files = {"pkg/parsers.py": f"{body}\n\n{table}", "tests/test_parsers.py": test}
    repository.commit(files)
    standard.build("plans")
    answers = [s["answer"] for s in plans(standard, "plan") if "parse_*" in s["key"]]
    assert answers and "test_parsers" not in answers[0]
