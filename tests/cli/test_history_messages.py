"""`show` and `why` print commits and what they removed."""

from __future__ import annotations

from repobuild.cli.main import run
from repobuild.cli.output import number_of
from tests.promises.test_history import DOUBLE, NUMBERS, without
from tests.repository import Repository


def test_a_commit_and_what_it_removed_can_be_shown(
    repository: Repository, monkeypatch, capsys
):
    repository.commit({"numbers.py": NUMBERS})
    commit = repository.commit({"numbers.py": without(NUMBERS, DOUBLE)})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "history", "--quiet"]) == 0
    assert run(["show", commit[:8]]) == 0
    said = capsys.readouterr().out
    assert "subject: a change" in said and '"what": "removed"' in said
    assert run(["show", "numbers.py::double"]) == 0
    key = capsys.readouterr().out.splitlines()[-1].strip()
    assert key.startswith("history//numbers.py::double#code_change.")
    assert run(["show", key]) == 0
    assert commit[:10] in capsys.readouterr().out
    assert run(["why", commit]) == 0
    assert f"changes {commit[:10]}" in capsys.readouterr().out


def test_a_commit_without_an_adapter_says_what_to_do(
    repository: Repository, monkeypatch, capsys
):
    first = repository.commit({"numbers.py": NUMBERS})
    second = repository.commit({"README.md": "# Numbers\n"})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "files", "--quiet"]) == 0
    for key in ("HEAD", second[:8]):
        assert run(["show", key]) == 1
        said = capsys.readouterr().err
        assert said == (
            f"error: {second[:10]} has no adapter yet\nrun `repobuild` to build one\n"
        )
    assert run(["show", first[:8]]) == 1
    assert "`repobuild log` lists the commits that have one" in capsys.readouterr().err
    assert run(["show", "abcdef0"]) == 2


def test_why_cuts_commits_and_ends_in_no_empty_reason(
    repository: Repository, monkeypatch, capsys
):
    commit = repository.commit({"numbers.py": NUMBERS})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "areas", "--quiet"]) == 0
    assert run(["why", "HEAD"]) == 0
    said = capsys.readouterr().out
    assert commit not in said and f"adapter {commit[:10]}: never built" in said
    assert not any(line.endswith((":", ": ")) for line in said.splitlines())


def test_why_tells_how_many_rows_a_key_has(repository: Repository, monkeypatch, capsys):
    repository.commit({"numbers.py": NUMBERS})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "samples", "--quiet"]) == 0
    assert run(["why", "samples"]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    keys = head.partition(" rows of ")[2].partition(" keys")[0]
    assert keys and f"made from all rows, {keys} keys new or changed" in first


def test_files_in_no_language_and_paths_with_a_dot_are_shown(
    repository: Repository, monkeypatch, capsys
):
    repository.commit({"numbers.py": NUMBERS, "LICENSE": "MIT\n"})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "facts", "--quiet"]) == 0
    assert run(["show", "files"]) == 0
    assert "in no known language  1" in capsys.readouterr().out
    for verb in ("show", "why"):
        assert run([verb, "./numbers.py"]) == 0


def test_one_thing_is_not_told_in_the_plural():
    counts = {"row": (0, 1, 2), "memo entry": (1, 1200), "key": (2,)}
    assert [number_of(n, word) for word, many in counts.items() for n in many] == [
        "0 rows", "1 row", "2 rows", "1 memo entry", "1,200 memo entries", "2 keys",
    ]  # fmt: skip
