"""A mistake of the command line is said as any other: what, and what to do."""

from __future__ import annotations

import pytest

from repobuild.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["buidl"],
            'no such verb "buidl" (did you mean "build"?)\nsee `repobuild --help`',
        ),
        (
            ["hook", "instal"],
            'no such command "instal" (did you mean "install" or "uninstall"?)\n'
            "see `repobuild hook --help`",
        ),
        (
            ["build", "--unti", "facts"],
            'no such option "--unti" (did you mean "--quiet" or "--until"?)\n'
            "see `repobuild build --help`",
        ),
        (
            ["build", "--jobs", "x"],
            'invalid value for "--jobs" / "-j": "x" is no whole number\n'
            "see `repobuild build --help`",
        ),
        (
            ["cache", "gc", "-c", "adapter.rank=8"],
            'no such option "-c"\n'
            "write it before the verb: repobuild -c NAME=VALUE cache gc",
        ),
        (["show"], 'missing argument "KEY|TABLE"\nsee `repobuild show --help`'),
        (
            ["-c"],
            "-c needs NAME=VALUE, as in -c adapter.rank=8\nsee `repobuild --help`",
        ),
    ],
)
def test_a_mistake_is_one_line_and_the_help_to_read(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


@pytest.mark.parametrize(
    ("arguments", "step"),
    [
        (["--json", "doctor"], "write it after the verb: repobuild doctor --json"),
        (["-j", "2", "build"], "write it after the verb: repobuild build -j 2"),
        (["--quick", "--json", "graph", "tree"], "repobuild graph --json"),
        (["-q", "verify", "--samples"], "`verify` has no such option"),
    ],
)
def test_an_option_before_its_verb_is_told_its_place(
    arguments: list[str], step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    first, second, last = capsys.readouterr().err.splitlines()
    assert "stands before the verb" in first and "--quick and -c" in second
    assert step in last


def test_a_table_that_is_named_like_a_verb_is_a_table(
    repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a.py": "x = 1\n"})
    monkeypatch.chdir(repository.path)
    assert run(["--until", "report", "--dry-run"]) == 0
