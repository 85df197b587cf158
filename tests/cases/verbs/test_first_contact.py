"""`repobuild` as the first command in repositories of every kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.main import run
from repobuild.code.graph.project.project import PROJECT
from repobuild.code.scan import language as languages
from repobuild.engine.rule import closure, read_rules
from repobuild.resources import data_folder
from repobuild.settings import use_command_line
from repobuild.settings_schema import defaults
from tests.repository import Repository
from tests.standard import Standard

GO = """\
// Package gauge reads pressure gauges.
package gauge

// Scale turns a raw reading into bar.
func Scale(raw int) float64 {
	return float64(raw) / 100
}

// Gauge is one pressure gauge.
type Gauge struct {
	Name string
}

// Read returns the scaled reading of a gauge.
func (g *Gauge) Read(raw int) float64 {
	return Scale(raw)
}
"""
TYPESCRIPT = """\
/** Turns a raw reading into bar. */
export function scale(raw: number): number {
  return raw / 100;
}

/** One pressure gauge. */
export class Gauge {
  /** Returns the scaled reading. */
  read(raw: number): number {
    return scale(raw);
  }
}
"""
PYTHON = '''\
"""Reads pressure gauges."""


def scale(raw):
    """Turn a raw reading into bar."""
    return raw / 100


def read(raw):
    """Return the scaled reading of a gauge."""
    return scale(raw)
'''
GO_FILES = {"go.mod": "module example.org/gauge\n\ngo 1.21\n", "gauge.go": GO}
TYPESCRIPT_FILES = {
    "package.json": '{"name": "gauge", "version": "1.0.0"}\n',
    "src/gauge.ts": TYPESCRIPT,
}
MIXED = {"gauge.go": GO, "web/gauge.ts": TYPESCRIPT, "tool.py": PYTHON}
RUBY = {"a.rb": "puts 1\n", "b.rb": "puts 2\n"}
README = {"README.md": "# Gauge\n\nReads pressure gauges for people.\n"}
LICENCE = {"LICENSE": "MIT License\n"}
WORLDS = {
    "go": GO_FILES,
    "typescript": TYPESCRIPT_FILES,
    "mixed": MIXED,
    "empty": None,
    "licence": LICENCE,
    "ruby": RUBY,
    "readme": README,
}
PAGE = (Path(__file__).parents[3] / "docs/first-contact.md").read_text("utf-8")
SCENES = re.findall(r"<!-- (.+?) -->\n```\n\$ repobuild\n(.*?)```", PAGE, re.DOTALL)
# What training adds to the page, and these tests leave out.
TRAINED = re.compile(r"^ *(adapter|merged|report|taught) .*\n", re.MULTILINE)
UNTRAINED = [
    name
    for name in closure(read_rules(data_folder("rules")), defaults()["build.goals"])
    if name not in ("adapter", "merged", "report")
]
Without = Callable[..., None]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Without:
    """Let the grammars of some languages be away, and others be as they are."""

    def away(*names: str) -> None:
        gone = {languages.all_languages()[name].grammar for name in names}
        is_installed = languages._is_installed
        monkeypatch.setattr(
            languages, "_is_installed", lambda p: p not in gone and is_installed(p)
        )

    return away


@pytest.fixture
def here(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(repository.path)
    return repository


def shape(printed: str) -> str:
    """Return a text without numbers, times, ids and the widths of columns."""
    printed = TRAINED.sub("", printed)
    printed = re.sub(r"\b(?=\w*\d)[0-9a-f]{10}\b", "ID", printed)
    printed = re.sub(r"\b[\d.]+ (ms|s|min)$", "TIME", printed, flags=re.MULTILINE)
    return re.sub(r" +", " ", re.sub(r"\d+", "N", printed))


@pytest.mark.parametrize(("scene", "told"), SCENES, ids=[name for name, _ in SCENES])
def test_the_page_shows_what_is_printed(
    here: Repository, without: Without, capsys: Any, scene: str, told: str
) -> None:
    world, _, missing = scene.partition(" without ")
    without(*missing.split(", ") if missing else ())
    if (files := WORLDS[world]) is not None:
        here.commit(files)
    is_refused = told.startswith("error: ")
    with use_command_line([] if is_refused else [f"build.goals={UNTRAINED}"]):
        assert run([]) == (2 if is_refused else 0)
    printed = capsys.readouterr()
    assert shape(printed.err + printed.out) == shape(told)


def test_the_page_shows_every_kind_of_repository() -> None:
    assert {scene.partition(" without ")[0] for scene, _ in SCENES} == set(WORLDS)


@pytest.fixture
def untrained() -> Iterator[None]:
    """Everything but the training, which these tests need not wait for."""
    with use_command_line(["build.goals=['dataset']"]):
        yield


def elements(standard: Standard) -> set[str]:
    table = standard.table("contexts")
    return {key for key in table.keys() if "::" in key}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (GO_FILES, {"gauge.go::Scale", "gauge.go::Gauge", "gauge.go::Gauge.Read"}),
        (
            TYPESCRIPT_FILES,
            {"src/gauge.ts::scale", "src/gauge.ts::Gauge", "src/gauge.ts::Gauge.read"},
        ),
        (MIXED, {"gauge.go::Scale", "web/gauge.ts::scale", "tool.py::scale"}),
    ],
)
def test_every_language_is_read_without_a_setting(
    repository: Repository, tmp_path: Path, files: dict[str, str], expected: set[str]
) -> None:
    repository.commit(files)
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("contexts")
    assert expected <= elements(standard)
    standard.close()


def test_a_missing_grammar_is_told_once_with_the_command_that_installs_it(
    here: Repository, without: Without, untrained: None, capsys: Any
) -> None:
    without("go", "typescript", "tsx")
    here.commit(MIXED)
    assert run([]) == 0
    assert capsys.readouterr().err == (
        "note: 1 file in go, 1 file in typescript not read: no grammar\n"
        "add them, and run again: pip install 'repobuild[languages]'\n"
    )
    here.commit({"tool.py": PYTHON + "\n\nLIMIT = 3\n"})
    assert run([]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "1 no grammar for go, 1 no grammar for typescript" in printed.out


def test_files_without_a_grammar_are_not_counted_as_files_of_code(
    repository: Repository, tmp_path: Path, without: Without
) -> None:
    without("go")
    repository.commit({**GO_FILES, "tool.py": PYTHON})
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("contexts")
    assert "gauge.go" not in set(standard.table("contexts").keys())
    standard.close()


def test_without_a_grammar_no_numbers_of_the_project_are_told(
    repository: Repository, tmp_path: Path, without: Without
) -> None:
    """Functions in files that nothing reads are in no count."""
    without("go")
    numbers = []
    for files in ({"tool.py": PYTHON}, GO_FILES):
        repository.commit(files)
        standard = Standard(repository.git, tmp_path / "state")
        standard.build("contexts")
        numbers.append(standard.table("contexts").get(PROJECT)["counts"])
        standard.close()
    assert numbers[0] and not numbers[1]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {},
            "the commit holds no files\n"
            "a fact is where something is defined, who uses it, or what its docstring "
            "says\n"
            "commit functions, classes or a README with sections, and run again\n",
        ),
        (
            LICENCE,
            "no code and no document is read in 1 file\n"
            "repobuild reads c, cpp, go, java, javascript, markdown, python, rust, "
            "typescript; here: 1 LICENSE\n"
            "commit sources or documents in one of these; another language is two "
            "files: docs/languages.md\n",
        ),
        (
            {"a.rb": "puts 1\n", "b.rb": "puts 2\n", "c.kt": "val x = 1\n"},
            "no code and no document is read in 3 files\n"
            "repobuild reads c, cpp, go, java, javascript, markdown, python, rust, "
            "typescript; here: 2 .rb, 1 .kt\n"
            "commit sources or documents in one of these; another language is two "
            "files: docs/languages.md\n",
        ),
        (
            README,
            "1 of 1 file read, 0 facts found in them, 3 needed\n"
            "a fact is where something is defined, who uses it, or what its docstring "
            "says\n"
            "commit functions, classes or a README with sections, and run again\n",
        ),
    ],
    ids=["no file", "a licence", "unknown languages", "a short README"],
)
def test_too_little_to_train_on_is_told_before_training(
    here: Repository, capsys: Any, files: dict[str, str], message: str
) -> None:
    here.commit(files)
    assert run([]) == 2
    printed = capsys.readouterr()
    assert printed.err == f"error: too little to train on: {message}"
    assert printed.out == ""


def test_without_the_only_grammar_nothing_is_trained(
    here: Repository, without: Without, capsys: Any
) -> None:
    without("go")
    here.commit(GO_FILES)
    assert run([]) == 2
    assert capsys.readouterr().err == (
        "error: too little to train on: no code and no document is read in 2 files\n"
        "not read, as their grammars are not installed: 1 go\n"
        "add them, and run again: pip install tree-sitter-go\n"
    )


def test_links_are_not_among_the_files_that_are_read(
    here: Repository, capsys: Any
) -> None:
    (here.path / "CLAUDE.md").symlink_to("README.md")
    here.git.index.add("CLAUDE.md")
    here.commit(README)
    assert run([]) == 2
    assert "1 of 1 file read, 0 facts found" in capsys.readouterr().err


def test_elements_that_are_all_held_out_are_told_apart(
    here: Repository, capsys: Any
) -> None:
    here.commit({"gauge.ts": TYPESCRIPT})  # the draw holds out both of its elements
    assert run([]) == 2
    assert capsys.readouterr().err == (
        "error: too little to train on: 1 of 1 file read, 0 facts found in them, "
        "9 held out, 3 needed\n"
        "which elements are held out, to measure what was never trained, is drawn by "
        "their names\n"
        "with so few of them, hold out nothing: repobuild -c split.generalise=0\n"
    )
    assert run(["-c", "split.generalise=0", "--until", "dataset"]) == 0


def test_languages_that_the_settings_leave_out_are_named(
    here: Repository, capsys: Any
) -> None:
    here.commit(GO_FILES)
    assert run(["-c", "project.languages=['python']"]) == 2
    assert "project.languages leaves out 1 file in go\n" in capsys.readouterr().err


def test_files_that_the_settings_leave_out_are_counted(
    here: Repository, capsys: Any
) -> None:
    here.commit({**MIXED, "vendor/a.py": PYTHON})
    assert run(["-c", "project.only=['vendor', 'shop']"]) == 2
    assert capsys.readouterr().err == (
        "error: too little to train on: no code and no document is read in 4 files\n"
        "left out: 3 outside project.only, 1 vendored\n"
        "project.only and project.exclude decide that, and project.include brings "
        "files back\n"
    )


def test_tables_are_built_although_there_is_too_little_to_train_on(
    here: Repository, capsys: Any
) -> None:
    here.commit(LICENCE)
    assert run([]) == 2
    assert run(["--until", "dataset"]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_repository_without_a_commit_says_what_to_do(
    here: Repository, capsys: Any
) -> None:
    assert run([]) == 2
    assert capsys.readouterr().err == (
        "error: this repository has no commit yet\n"
        "repobuild reads what is committed\n"
        "commit something first: git add . && git commit; or build the work "
        "tree: repobuild --worktree\n"
    )
