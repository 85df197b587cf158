"""`why` leads from every row, table and artifact back to file and commit."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from repobuild.cli.why import text
from repobuild.engine.explain.why import explain
from repobuild.errors import UsageError
from tests.repository import Repository
from tests.standard import Standard
from tests.toys import Toy


@pytest.fixture
def toy(repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two"})
    made = Toy(repository.git)
    made.build("cover")
    return made


def explanations(build: Any, key: str) -> list[dict[str, Any]]:
    """Explain a key; check that the answer is plain data and fits one screen."""
    found = [explanation.plain() for explanation in explain(build, key)]
    facts = {"version": 1, "key": key, "told": found}
    json.dumps(facts, default=bytes.hex)
    lines = text(facts).splitlines()
    assert lines and len(lines) <= 24 and max(map(len, lines)) <= 100
    return found


def printed(build: Any, key: str) -> str:
    return text({"told": explanations(build, key)})


def roots(reasons: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return (cause, name or key) of the last reason of each chain."""
    found = set()
    for reason in reasons:
        if reason["because"]:
            found |= roots(reason["because"])
        else:
            found.add((reason["cause"], reason["name"] or reason["key"]))
    return found


# ------------------------------------------------------------------ each cause


def test_a_changed_setting_is_named_before_and_after_the_build(toy):
    toy.settings["toy.shout"] = True
    assert "would start anew: setting toy.shout false to true" in printed(
        toy.open(), "lines"
    )
    toy.build()
    (row,) = explanations(toy.last, "one#long")
    (reason,) = row["reasons"]
    assert (row["what"], reason["cause"]) == ("changed", "setting_changed")
    assert (reason["name"], reason["from"], reason["to"]) == ("toy.shout", False, True)
    (table,) = explanations(toy.last, "lines")
    assert table["runs"][0]["reasons"] == row["reasons"]


def test_a_raised_rule_version_is_named(toy):
    toy.change("counts", version=2, run="tests.engine.test_why:shouted_counts")
    assert "would start anew: rule version 1 to 2" in printed(toy.open(), "counts")
    toy.build()
    (row,) = explanations(toy.last, "ONE")
    assert roots(row["reasons"]) == {("rule_version_changed", "version")}


def shouted_counts(view: Any) -> None:
    for row in dict(view.changes("words").items()).values():
        for word in row[1]["words"]:
            view.own.put(word.upper(), {"word": word.upper(), "in": []})


def installed(monkeypatch, version):
    found = SimpleNamespace(read_text=lambda name: f"Name: toyer\nVersion: {version}\n")
    monkeypatch.setattr("importlib.metadata.distribution", lambda tool: found)


def test_another_version_of_a_tool_is_named(toy, monkeypatch):
    toy.change("words", tools=("toyer",))
    installed(monkeypatch, "1.0")
    toy.build()
    installed(monkeypatch, "2.0")
    assert "would start anew: tool toyer 1.0 to 2.0" in printed(toy.open(), "words")
    toy.build()
    run = explanations(toy.last, "words")[0]["runs"][0]
    assert roots(run["reasons"]) == {("tool_changed", "toyer")}


def test_an_ingredient_is_named(toy, monkeypatch):
    toy.change("words", ingredients="tests.engine.test_why:query_digest")
    toy.build()
    monkeypatch.setitem(QUERY, "digest", "b" * 32)
    assert "ingredient query aaaaaaaaaa to bbbbbbbbbb" in printed(toy.open(), "words")


QUERY = {"digest": "a" * 32}


def query_digest(settings: Any) -> dict[str, Any]:
    return {"query": QUERY["digest"]}


def test_a_changed_file_is_named_with_its_commit(toy, repository):
    commit = repository.commit({"b.txt": "two three"})
    repository.commit({"c.txt": "other"})
    toy.build()
    words, files = explanations(toy.last, "b.txt")
    assert (words["table"], words["what"]) == ("words", "changed")
    (reason,) = words["reasons"]
    assert (reason["table"], reason["key"]) == ("files", "b.txt")
    (origin,) = reason["because"]
    assert origin["commit"] == commit and origin["subject"] == "a change"


def test_added_and_removed_files_have_different_causes(toy, repository):
    repository.commit({"c.txt": "three"})
    toy.build()
    assert roots(explanations(toy.last, "three")[0]["reasons"]) == {
        ("input_added", "c.txt")
    }
    repository.commit({"c.txt": None})
    toy.build()
    row = explanations(toy.last, "three")[0]
    assert row["what"] == "removed"
    assert roots(row["reasons"]) == {("input_removed", "c.txt")}


def test_an_untouched_row_says_where_it_was_first_built(toy, repository):
    first = str(repository.git.head.target)
    repository.commit({"b.txt": "three"})
    toy.build()
    assert f"words a.txt: as first built in build 1, {first[:10]}" in printed(
        toy.last, "a.txt"
    )


def test_a_change_of_long_ago_is_still_known(toy, repository):
    commit = repository.commit({"a.txt": "one three"})
    toy.build()
    for number in range(30):
        repository.commit({"b.txt": f"two word{number}"})
        toy.build()
    assert f"words a.txt: changed in build 2, {commit[:10]}" in printed(
        toy.last, "a.txt"
    )


def test_the_changes_that_are_kept_stay_few(toy, repository):
    database = toy.last.state.database
    for number in range(30):
        repository.commit({"b.txt": f"two word{number % 3}"})
        toy.build()
    query = "SELECT count(*) FROM changes WHERE tbl = 'words' AND key = 'b.txt'"
    assert database.execute(query).fetchone()[0] <= 20


def test_a_row_built_after_its_input_still_finds_it(toy, repository):
    commit = repository.commit({"b.txt": "two three"})
    toy.build("words")
    repository.commit({"other": "no text"})
    toy.build("counts")
    row = explanations(toy.last, "three")[0]
    assert roots(row["reasons"]) == {("input_changed", "b.txt")}
    assert commit[:10] in printed(toy.last, "three")


def test_an_unknown_key_names_the_nearest(toy):
    with pytest.raises(UsageError, match='did you mean "a.txt"'):
        explanations(toy.open(), "aa.txt")


# --------------------------------------------------------------------- artifacts


def test_an_artifact_is_found_by_commit_digest_and_revision(toy, repository):
    head = str(repository.git.head.target)
    made = toy.last.table("book").get(head)["object"]
    for name in (head, head[:8], made[:8], "HEAD"):
        book = [t for t in explanations(toy.open(), name) if t["table"] == "book"]
        assert [t["object"] for t in book] == [made]
    assert {t["table"] for t in explanations(toy.open(), made[:8])} == {"book", "cover"}


def test_an_artifact_names_its_changed_input_and_what_changed_in_it(toy, repository):
    first = str(repository.git.head.target)
    commit = repository.commit({"b.txt": "two three"})
    toy.build("cover")
    (book,) = [t for t in explanations(toy.last, "HEAD") if t["table"] == "book"]
    assert book["before"] == first
    parent, reason = book["reasons"]
    assert (parent["cause"], parent["from"]) == ("parent_changed", None)
    assert parent["to"] == toy.last.table("book").get(first)["object"]
    assert (reason["table"], reason["cause"]) == ("lines", "input_changed")
    assert reason["from"] != reason["to"]
    assert roots(reason["because"]) == {("input_changed", "b.txt")}
    assert commit[:10] in printed(toy.last, "book")


def test_a_commit_that_was_never_built_says_so(toy, repository):
    repository.commit({"b.txt": "two three"})
    (book,) = [t for t in explanations(toy.open(), "HEAD") if t["table"] == "book"]
    assert book["what"] == "never built"
    assert roots(book["reasons"]) == {("never_built", book["key"])}


# ------------------------------------------------------- every kind of real row

CALLEE = '''"""Numbers that others use."""


def scaled(value: int) -> int:
    """Return a value in the unit that people read."""
    total = value * 100
    return total
'''
CALLER = '''"""Asks for numbers."""

from pkg.callee import scaled


def ask(value: int) -> int:
    """Ask for a value and return it with an offset."""
    return scaled(value) + 3
'''
FILES = {
    "pkg/__init__.py": "",
    "pkg/callee.py": CALLEE,
    "pkg/caller.py": CALLER,
    "README.md": "# Numbers\n\nA project about numbers of all kinds.\n",
}


@pytest.fixture
def standard(repository: Repository, tmp_path) -> Standard:
    repository.commit(FILES)
    made = Standard(repository.git, tmp_path / "state")
    made.build()
    return made


def test_every_row_of_every_table_can_be_asked_for(standard, repository):
    repository.commit({"pkg/callee.py": CALLEE.replace("unit", "measure")})
    standard.build()
    for rule in standard.rules.values():
        if rule.kind == "task":
            continue
        table = standard.last.table(rule.name)
        rows = table.entries() if rule.entries else table.items()
        for key, _ in list(rows)[:40]:
            assert any(
                t["table"] == rule.name for t in explanations(standard.last, key)
            )


def test_a_sample_leads_to_context_facts_file_and_commit(standard, repository):
    commit = repository.commit({"pkg/callee.py": CALLEE.replace("unit", "measure")})
    standard.build()
    table = standard.last.table("samples")
    key = next(
        key
        for key, sample in table.entries()
        if key.startswith("pkg/callee.py::scaled#") and "measure" in sample["answer"]
    )
    (row,) = [t for t in explanations(standard.last, key) if t["table"] == "samples"]
    chain, reason = [], row["reasons"][0]
    while True:
        chain.append((reason["table"], reason["key"]))
        if not reason["because"]:
            break
        reason = reason["because"][0]
    assert chain == [
        ("contexts", "pkg/callee.py::scaled"),
        ("facts", "pkg/callee.py"),
        ("files", "pkg/callee.py"),
        ("git", "pkg/callee.py"),
    ]
    assert reason["commit"] == commit
    assert "blob" in printed(standard.last, key)
    assert "facts pkg/callee.py changed: elements[scaled].doc " in printed(
        standard.last, "pkg/callee.py::scaled"
    )


def test_a_context_that_another_row_changed_names_that_row(standard, repository):
    repository.commit({"pkg/callee.py": CALLEE.replace("unit", "measure")})
    standard.build()
    rows = explanations(standard.last, "pkg/caller.py::ask")
    (context,) = [t for t in rows if t["table"] == "contexts"]
    assert context["what"] == "changed"
    assert roots(context["reasons"]) == {("input_changed", "pkg/callee.py")}


def test_a_removed_edge_names_the_file_that_removed_it(standard, repository):
    repository.commit({"pkg/caller.py": CALLER.replace("scaled(value)", "value")})
    standard.build()
    edge = "pkg/caller.py::ask calls pkg/callee.py::scaled"
    (row,) = explanations(standard.last, edge)
    assert (row["table"], row["what"]) == ("graph", "removed")
    assert roots(row["reasons"]) == {("input_changed", "pkg/caller.py")}


def test_a_dropped_sample_says_why_it_was_dropped(standard):
    key = next(
        key
        for key, item in standard.last.table("dataset").entries()
        if item.get("dropped")
    )
    assert "dropped from the dataset: " in printed(standard.last, key)


def test_a_table_counts_its_rows_by_cause(standard, repository):
    commit = repository.commit({"pkg/callee.py": CALLEE.replace("unit", "measure")})
    standard.build()
    (table,) = explanations(standard.last, "contexts")
    causes = table["runs"][0]["causes"]
    assert {(c["key"], c["commit"]) for c in causes} == {("pkg/callee.py", commit)}
    assert sum(c["rows"] for c in causes) == table["runs"][0]["changed"]


def test_a_file_and_a_setting_that_changed_at_once_are_both_named(standard, repository):
    repository.commit({"pkg/callee.py": CALLEE.replace("unit", "measure")})
    standard.settings["samples.min_code_lines"] = 1
    standard.build()
    rows = explanations(standard.last, "pkg/callee.py::scaled")
    (context,) = [t for t in rows if t["table"] == "contexts"]
    assert roots(context["reasons"]) == {
        ("input_changed", "pkg/callee.py"),
        ("setting_changed", "samples.min_code_lines"),
    }


@pytest.fixture
def changed_language(monkeypatch):
    """Return a function that gives a language other queries."""
    import repobuild.code.scan.language as language

    before = language.grammars

    def change(name):
        def grammars(settings):
            found = before(settings)
            return found | {name: found[name] | {f"{name}.scm": "0" * 32}}

        monkeypatch.setattr(language, "grammars", grammars)

    return change


def test_another_language_query_rebuilds_facts(standard, repository, changed_language):
    changed_language("python")
    done = standard.build()
    assert done["facts"].built
    (table,) = explanations(standard.last, "facts")
    reasons = roots(table["runs"][0]["reasons"])
    assert ("ingredient_changed", "python.scm") in reasons


def test_a_new_grammar_has_only_the_files_of_its_language_read(
    standard, repository, changed_language, tmp_path
):
    repository.commit({"main.go": "package main\n\nfunc Main() {}\n"})
    standard.build()
    changed_language("go")
    done = standard.build()
    assert done["facts"].built == ["main.go"]
    assert done["facts"].memo and "pkg/callee.py" in done["facts"].memo
    (table,) = explanations(standard.last, "facts")
    assert roots(table["runs"][0]["reasons"]) == {("ingredient_changed", "go.scm")}
    clean = Standard(repository.git, tmp_path / "clean")
    clean.build()
    assert clean.digests() == standard.digests()
    clean.close()
