"""The steps of docs/languages.md work as written."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repobuild.code.facts.element_row import row_of
from repobuild.code.facts.parse import facts_of, reader
from repobuild.code.facts.syntax import load_grammar
from repobuild.code.scan import language as languages
from repobuild.errors import UsageError
from repobuild.resources import data_folder
from tests.repository import Repository
from tests.standard import Standard

ROOT = Path(__file__).parents[2]


def _forget() -> None:
    languages.all_languages.cache_clear()
    languages._name_of_extension.cache_clear()
    languages._file_name_pattern.cache_clear()
    load_grammar.cache_clear()
    reader.cache_clear()
    facts_of.cache_clear()


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of repobuild's language files that a test may add to."""
    place = tmp_path / "configs" / "languages"
    shutil.copytree(data_folder("configs") / "languages", place)
    monkeypatch.setattr(languages, "data_folder", lambda name: tmp_path / name)
    _forget()
    yield place
    _forget()


def _blocks(kind: str) -> list[str]:
    page = (ROOT / "docs/languages.md").read_text("utf-8")
    page = page.partition("## Adding a language")[2]
    return re.findall(rf"```{kind}\n(.*?)```", page, re.S)


def test_the_page_adds_a_language(configs: Path) -> None:
    (configs / "lua.toml").write_text(_blocks("toml")[0])
    (configs / "lua.scm").write_text(_blocks("scheme")[0])
    source = _blocks("lua")[0].encode()
    assert languages.language_of("a/b.lua", ["lua"], []) == "lua"
    facts = facts_of(source, "lua")
    (row,) = [row_of(item) for item in facts["elements"]]
    assert (row.qual, row.type, row.complexity) == ("Square.area", "method", 2)
    assert row.head == "function Square:area(scale)"
    assert row.doc == "Returns the area of a square."
    assert row.calls == [["shapes.scaled", 6]]
    assert facts["imports"] == [[1, "shapes.flat", "", ""]]
    assert "problem" not in facts


def _built(repository: Repository, place: Path, *chosen: str) -> Standard:
    settings: dict[str, Any] = {"project.languages": list(chosen)}
    standard = Standard(repository.git, place / "state", **settings)
    standard.build("facts")
    return standard


def test_a_missing_grammar_is_reported_and_its_files_are_read_once_installed(
    configs: Path, tmp_path: Path
) -> None:
    text = (configs / "go.toml").read_text()
    away = text.replace("tree_sitter_go", "no_such_grammar")
    (configs / "go.toml").write_text(away.replace("tree-sitter-go", "no-such-grammar"))
    _forget()
    repository = Repository(tmp_path / "repository")
    repository.commit({"a.go": "package a\n\nfunc F() {}\n", "b.go": "package a\n"})
    standard = _built(repository, tmp_path, "go")
    reasons = [standard.table("facts").get(path) for path in ("a.go", "b.go")]
    assert reasons == [{"language": "", "left_out": "no grammar for go"}] * 2
    assert languages.install_grammars(["go"]) == "pip install no-such-grammar"

    (configs / "go.toml").write_text(text)
    _forget()
    standard.build("facts")
    row = standard.table("facts").get("a.go")
    assert [item[0] for item in row["elements"]] == ["F"]
    standard.state.close()


def test_an_unknown_language_names_the_nearest_one(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    with pytest.raises(UsageError, match='"pyton".*\n?.*python'):
        _built(repository, tmp_path, "pyton")


def test_equal_problems_of_many_rows_are_one_line(capsys: Any) -> None:
    from repobuild.cli.build import warn_of_problems

    warn_of_problems([("facts", f"{n}.go", "no grammar") for n in range(30)])
    assert capsys.readouterr().err == (
        'warning: facts "0.go" and 29 more: no grammar\n'
    )
