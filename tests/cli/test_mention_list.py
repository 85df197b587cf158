"""Below an answer of `ask`: where the symbols and paths are that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.checkout import open_checkout
from repobuild.cli.main import run
from repobuild.cli.mention_list import MOST, mention_facts, mention_lines
from repobuild.code.scan.language import chosen_languages
from repobuild.engine.storage.table import StoredTable
from repobuild.evaluate.mentions.mention_finder import find_mentions
from repobuild.evaluate.mentions.symbol_lookup import SymbolLookup
from tests.repository import Repository

CORE = '''"""The core."""
import numpy
from typing import overload

LIMIT = 3


class Engine:
    """Runs things."""

    def __init__(self, max_size: int) -> None:
        self.inner_state = max_size

    def run(self, load: str) -> str:
        """Run it until the end, whatever that is."""
        return load


@overload
def parse(text: int) -> int: ...
@overload
def parse(text: str) -> str: ...
def parse(text):
    """Read a text, and say what it means."""
    return text
'''
OTHER = '''"""Another."""


class Wheel:
    """Turns."""

    def run(self) -> None:
        """Turn it."""


def load() -> None:
    """Load it."""
'''
FILES: dict[str, str | bytes | None] = {
    "src/pkg/__init__.py": '"""A package."""\n',
    "src/pkg/core.py": CORE,
    "src/pkg/other.py": OTHER,
    "src/pkg/third.py": "def run() -> None:\n    print(1)\n    print(2)\n",
    "tests/test_core.py": "def run() -> None:\n    print(1)\n    print(2)\n",
    "docs/guide.md": "# Guide\n\nHow to run it.\n",
    "data.bin": b"\0\1",
    "data.json": "{}\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Repository(tmp_path_factory.mktemp("mentioned"))
    repository.commit(FILES)
    build(repository.path)
    return repository.path


def build(path: Path, *more: str, until: str = "samples") -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assert run(["--quiet", "--until", until, *more]) == 0


def facts(
    path: Path, answer: str, question: str = "", whole: bool = True
) -> dict[str, Any]:
    checkout = open_checkout(path)
    view = checkout.view(checkout.snapshot(), checkout.state())
    return mention_facts(view, question, answer, whole)


def lines(path: Path, answer: str, question: str = "") -> list[str]:
    """Return the lines below the title, with single spaces."""
    told = mention_lines(facts(path, answer, question))
    return [" ".join(line.split()) for line in told[1:]]


def lost(path: Path, answer: str, question: str = "") -> list[str]:
    found = facts(path, answer, question)["mentioned"]
    return [item["name"] for item in found if not item["found"]]


def test_each_symbol_is_listed_once_in_the_order_of_mention(built: Path) -> None:
    answer = (
        "`Engine` (in `src/pkg/core.py`) runs `Engine.run()`; `Engine` is a class, "
        "`core.Engine` in full, and `pkg.core` its module."
    )
    assert lines(built, answer) == [
        "Engine src/pkg/core.py:8-16",
        "src/pkg/core.py (exists, 25 lines)",
        "Engine.run src/pkg/core.py:14-16",
    ]


def test_the_lines_are_those_of_the_graph_and_come_as_json(built: Path) -> None:
    (item,) = facts(built, "It is `Wheel.run`.")["mentioned"]
    (place,) = item["places"]
    assert (item["name"], item["kind"], item["found"]) == ("Wheel.run", "name", True)
    assert place["id"] == "src/pkg/other.py::Wheel.run"
    said = OTHER.splitlines()[place["start_line"] - 1 : place["end_line"]]
    assert said == ["    def run(self) -> None:", '        """Turn it."""']


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Wheel", "src/pkg/other.py:4-8"),
        ("other.Wheel", "src/pkg/other.py:4-8"),
        ("pkg.Wheel", "src/pkg/other.py:4-8"),
        ("pkg.other.Wheel.run", "src/pkg/other.py:7-8"),
        ("pkg.other", "src/pkg/other.py (12 lines)"),
        ("other.py", "src/pkg/other.py (12 lines)"),
        ("pkg/other.py", "src/pkg/other.py (12 lines)"),
        ("src/pkg/other.py:90-99", None),
        ("data.bin", "(exists)"),  # not analysed
        ("parse", "src/pkg/core.py:23-25"),  # the definition, not its overloads
    ],
)
def test_a_name_is_found_however_it_is_written(
    built: Path, name: str, place: str | None
) -> None:
    (line,) = lines(built, f"See `{name}`.")
    if place is None:  # lines that an answer claims are not repeated
        assert line == "src/pkg/other.py (exists, 12 lines)"
    else:
        assert line == f"{name} {place}"


def test_a_named_path_selects_among_several_definitions(built: Path) -> None:
    assert lines(built, "`run` is in `src/pkg/other.py`.")[0] == (
        "run src/pkg/other.py:7-8 (Wheel.run)"
    )


def test_two_of_several_definitions_are_listed_and_the_rest_counted(
    built: Path,
) -> None:
    """Functions come before methods, and tests come last."""
    assert lines(built, "Call `run`.") == [
        "run src/pkg/third.py:1-3, src/pkg/core.py:14-16 (Engine.run) and 2 others"
    ]
    (item,) = facts(built, "Call `run`.")["mentioned"]
    assert [place["path"].rpartition("/")[2] for place in item["places"]] == [
        "third.py", "core.py", "other.py", "test_core.py",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        "`src/pkg/gone.py`",
        "`gone.py`",
        "`src/pkg/gone`",
        "It is in src/pkg/gone.py.",
        "`make_thing`",
        "`MakeThing`",
        "`frobnicate()`",
        "`Engine.frobnicate`",
        "`pkg.other.make_thing`",
    ],
)
def test_an_invented_name_is_reported_as_missing(built: Path, answer: str) -> None:
    name = answer.removeprefix("It is in ").strip("`.").removesuffix("()")
    assert lost(built, answer) == [name]


def test_a_missing_name_in_the_question_is_reported(built: Path) -> None:
    answer = "`frobnicate` is defined in `src/pkg/core.py`."
    assert lines(built, answer, "where is frobnicate defined?") == [
        "frobnicate no such function or class at HEAD",
        "src/pkg/core.py (exists, 25 lines)",
    ]
    assert lost(built, answer, "what is in it?") == []
    constant = "`DEFAULT_SIZE` is 3."  # these have no place in the graph
    assert lost(built, constant, "what is DEFAULT_SIZE?") == []


@pytest.mark.parametrize(
    "code",
    [
        *("None", "str", "print", "os.path.join", "self.x", "ValueError", "typing"),
        *("1.0", "12", "'utf-8'", "a or 3", "int | None", "x: int", "-> str", "--all"),
        *("value", "result.json", "ctx.obj", "numpy.make_one()", "settings.max_tokens"),
        *("LIMIT", "DEFAULT_SIZE", "text/plain", "and/or", "/etc/conf.py", "~/a.py"),
        *("https://example.org/a.py", "owner/name", "src/pkg", "src/", "../a.py"),
    ],
)
def test_plain_code_and_prose_are_not_called_missing(built: Path, code: str) -> None:
    assert lost(built, f"It gives `{code}`.") == []


def test_without_backticks_only_paths_are_looked_for(built: Path) -> None:
    said = "Node.py reads/writes I/O in src/pkg/core.py, see e.g. make_thing and run."
    assert lines(built, said) == ["src/pkg/core.py (exists, 25 lines)"]


def test_names_inside_mentioned_files_are_not_called_missing(built: Path) -> None:
    """Attributes and parameters have no graph node of their own."""
    assert lost(built, "`Engine` keeps `inner_state`, made of `max_size`.") == []
    assert lost(built, "It keeps `inner_state`.", "what does Engine keep?") == []
    assert lost(built, "It keeps `inner_state`.") == ["inner_state"]


def test_a_parameter_is_not_taken_for_a_function_of_its_name(built: Path) -> None:
    answer = "`Engine.run` takes:\n- `load` (`str`)"
    assert lines(built, answer) == ["Engine.run src/pkg/core.py:14-16"]
    assert "load src/pkg/other.py:11-12" in lines(built, answer, "what is load?")


def test_a_builtin_is_listed_only_when_it_is_asked_about(
    repository: Repository,
) -> None:
    repository.commit({"a.py": "def open(path):\n    return path\n\n"})
    build(repository.path)
    assert lines(repository.path, "It calls `open`.") == []
    assert lines(repository.path, "`open` is in it.", "where is `open`?") == [
        "open a.py:1-2"
    ]


def test_no_checked_answer_is_called_wrong(built: Path) -> None:
    """Over all samples; click's 8,231 and 3,467 of the standard library passed too."""
    checkout = open_checkout(built)
    view = checkout.view(checkout.snapshot(), checkout.state())
    tables = (view.table(name) for name in ("graph", "contexts", "files"))
    languages = chosen_languages(checkout.settings)
    ground = SymbolLookup(*tables, languages, view.snapshot.blob)
    told = [
        find_mentions(sample["question"], sample["answer"], ground)
        for _, sample in view.table("samples").entries()
    ]
    assert len(told) > 50
    assert [m.name for found in told for m in found if not m.locations] == []
    assert sum(len(found) > 0 for found in told) > len(told) / 2


def test_at_most_eight_lines_are_printed_and_the_rest_is_counted(built: Path) -> None:
    answer = " ".join(f"`src/pkg/m{n}.py`" for n in range(MOST + 2))
    told = lines(built, answer)
    assert len(told) == MOST
    assert told[-1] == "and 3 more, 3 of them nowhere; --json lists them"
    assert len(facts(built, answer)["mentioned"]) == MOST + 2
    assert len(lines(built, " ".join(answer.split()[:MOST]))) == MOST


def test_the_last_word_of_an_answer_that_was_cut_is_not_judged(built: Path) -> None:
    answer = "The file is src/pkg/core.py, and then src/pkg/oth.py"
    for whole, names in ((True, ["src/pkg/oth.py"]), (False, [])):
        found = facts(built, answer, whole=whole)["mentioned"]
        assert [item["name"] for item in found if not item["found"]] == names


def test_control_characters_of_an_answer_are_not_printed(built: Path) -> None:
    told = mention_lines(facts(built, "`src/pkg/\x1b[31mgone.py`"))
    assert told and "\x1b" not in "".join(told)


def test_no_mention_prints_nothing(built: Path, repository: Repository) -> None:
    assert mention_lines(facts(built, "I do not know `value`.")) == []
    repository.commit({"a.py": "A = 1\n"})  # never built: all would be missing
    found = facts(repository.path, "`make_thing` is in `a.py`.")
    assert found == {"mentioned": [], "mentioned_at": None}


def test_no_table_is_read_in_full(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keys", "items", "raw_items", "entries"):
        monkeypatch.setattr(StoredTable, name, None)
    assert len(lines(built, "`run`, `pkg.core`, `gone.py`, `make_thing`, `os`.")) == 4


def test_the_listed_lines_are_those_of_the_last_build(repository: Repository) -> None:
    first = repository.commit({"a.py": "def first():\n    return 1\n\n"})
    build(repository.path)
    answer = "`first` is in `a.py`, `second` too."
    title, line, *_ = mention_lines(facts(repository.path, answer, "second?"))
    assert title == f"mentioned, as of HEAD {first[:10]}:"
    assert line.split() == ["first", "a.py:1-2"]

    more = "def second():\n    return 2\n\n\n"
    head = repository.commit({"a.py": f"{more}def first():\n    return 1\n\n"})
    found = facts(repository.path, answer, "second?")
    title, line, _, missing = mention_lines(found)
    assert title == f"mentioned, as of {first[:10]}, not HEAD:"
    assert line.split() == ["first", "a.py:1-2"]
    assert missing.split() == [
        "second",
        *f"no such function or class at {first[:10]}".split(),
    ]
    assert found["mentioned_at"] == {"commit": first, "head": False, "worktree": False}

    build(repository.path, until="files")  # and no further, as if it were killed
    assert mention_lines(facts(repository.path, answer, "second?"))[0] == title

    build(repository.path)
    title, line, _, there = mention_lines(facts(repository.path, answer, "second?"))
    assert title == f"mentioned, as of HEAD {head[:10]}:"
    assert (line.split(), there.split()) == (
        ["first", "a.py:5-6"],
        ["second", "a.py:1-2"],
    )


def test_a_commit_that_changes_no_file_is_head(repository: Repository) -> None:
    repository.commit({"a.py": "def first():\n    return 1\n\n"})
    build(repository.path)
    head = repository.commit()
    title, *_ = mention_lines(facts(repository.path, "See `first`."))
    assert title == f"mentioned, as of HEAD {head[:10]}:"


def test_a_built_work_tree_is_named_as_one(repository: Repository) -> None:
    head = repository.commit({"a.py": "def first():\n    return 1\n\n"})
    (repository.path / "a.py").write_text("\n\ndef first():\n    return 1\n\n")
    build(repository.path, "--worktree")
    told = mention_lines(facts(repository.path, "See `first` and `make_thing`."))
    assert [" ".join(line.split()) for line in told] == [
        f"mentioned, as of the work tree at {head[:10]}:",
        "first a.py:3-4",
        "make_thing no such function or class in the work tree",
    ]
