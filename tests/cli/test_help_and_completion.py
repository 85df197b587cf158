"""Help shows how a verb is called, and shells complete what can be called."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from repobuild.cli.main import VERBS, cli, run
from repobuild.cli.output import break_line
from repobuild.cli.shell_words import SHELLS, VARIABLE
from tests.cases.commands import program_on_path

INSTALL = {
    "bash": f'eval "$({VARIABLE}=bash_source repobuild)"',
    "zsh": f'eval "$({VARIABLE}=zsh_source repobuild)"',
    "fish": f"{VARIABLE}=fish_source repobuild | source",
}
# What each shell is asked for a word, with click's function in it.
ASK = {
    "bash": (
        "{install}; COMP_WORDS=({words}); COMP_CWORD={last}; "
        '_repobuild_completion repobuild; printf "%s\\n" "${{COMPREPLY[@]}}"'
    ),
    "zsh": (
        "autoload -Uz compinit; compinit -D; {install}; "
        "compadd() {{ while (( $# )) && [[ $1 != -a ]]; do shift; done; "
        'print -l -- "${{(@P)2}}"; }}; '
        '_describe() {{ print -l -- "${{(@P)3}}"; }}; '
        "words=({words}); CURRENT=$(({last} + 1)); _repobuild_completion"
    ),
    "fish": "{install}; complete -C '{line}'",
}


VARIABLES = re.compile(r"\s*(?:[A-Z_]+=\S+ )*")  # set for one command


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every verb and verb of a verb, with its name on the command line."""
    with click.Context(cli) as context:
        for verb in VERBS:
            command = cli.get_command(context, verb)
            assert command is not None
            yield verb, command
            if isinstance(command, click.Group):
                for name, one in command.commands.items():
                    if not one.hidden:
                        yield f"{verb} {name}", one


@pytest.mark.parametrize(("name", "command"), [*commands()], ids=str)
def test_every_help_has_an_example(name: str, command: click.Command) -> None:
    with click.Context(command, info_name=f"repobuild {name}") as context:
        text = command.get_help(context)
    lines = text[text.index("\n") : text.index("Options:")].splitlines()
    begun = f"repobuild {name}".removesuffix(" build")
    assert any(VARIABLES.sub("", line, count=1).startswith(begun) for line in lines), (
        text
    )
    assert max(map(len, text.splitlines())) <= 80


@pytest.fixture
def program(tmp_path: Path) -> dict[str, str]:
    return {**program_on_path(tmp_path), "HOME": str(tmp_path)}


def completed(shell: str, line: str, program: dict[str, str], folder: Path) -> set[str]:
    """What a shell offers at the end of a line, after the one line of installation."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    words = line.split(" ")
    script = ASK[shell].format(
        install=INSTALL[shell],
        line=line,
        words=" ".join(f"'{word}'" for word in words),
        last=len(words) - 1,
    )
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [shell, *flags, "-c", script],
        cwd=folder, env=program, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return {one.split("\t")[0].split(":")[0] for one in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("repobuild st", {"status"}),
        ("repobuild hook ", {"install", "uninstall", "status"}),
        ("repobuild -c adapter.ran", {"adapter.rank="}),
        ("repobuild build --until fam", {"families"}),
    ],
)
def test_a_shell_completes(
    shell: str,
    line: str,
    offered: set[str],
    program: dict[str, str],
    tmp_path: Path,
) -> None:
    assert offered <= completed(shell, line, program, tmp_path)


def test_a_shell_that_asks_builds_nothing(
    program: dict[str, str], repository, tmp_path: Path
) -> None:
    """It asks at each press of a key, and without a verb a call is a build."""
    repository.commit({"a.py": "A = 1\n"})
    words = {"COMP_WORDS": "repobuild", "COMP_CWORD": "1"}
    for value in ("bash_complete", "bash_source", "tcsh_source"):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "repobuild"],
            cwd=repository.path, capture_output=True, text=True, timeout=60,
            env={**program, VARIABLE: value, **words},
        )  # fmt: skip
        assert not (repository.path / ".git/repobuild").exists()
        assert done.returncode == (2 if value == "tcsh_source" else 0)
        assert ("names no shell" in done.stderr) is (value == "tcsh_source")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colours_gets_none(
    variables: dict[str, str], program: dict[str, str], repository
) -> None:
    """On a terminal `ask` and `report` use bold type, and a build draws a bar."""
    repository.commit({"a.py": "def f():\n    return 1\n"})
    leader, follower = pty.openpty()
    environment = {**program, "TERM": "xterm", **variables}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "repobuild", "build", "--until", "facts"],
        cwd=repository.path, env=environment, stdout=follower, stderr=follower,
    ) as child:  # fmt: skip
        os.close(follower)
        shown = b""
        while True:
            try:
                piece = os.read(leader, 1 << 16)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        child.wait()
    os.close(leader)
    assert b"built" in shown
    assert b"\x1b[3" not in shown and b"\x1b[1m" not in shown
    if variables.get("TERM") == "dumb":
        assert b"\x1b" not in shown and b"%" not in shown


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["buidl"], '"build"'),
        (["build", "--unti", "facts"], "--until"),
        (["hook", "instal"], '"install"'),
        (["cache", "gcc"], '"gc"'),
        (["-c", "adapter.rnak=3", "status"], '"adapter.rank"'),
        (["build", "--until", "fact"], '"facts"'),
        (["why", "a.py::grind_ston"], '"a.py::grind_stone"'),
        (["show", "a.py::grind_ston"], '"a.py::grind_stone"'),
        (["export", "datast", "-o", "x"], '"dataset"'),
        (["hook", "install", "post-merg"], '"post-merge"'),
        (["serve", "--engine", "vlm"], '"vllm"'),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(
    arguments: list[str], meant: str, built: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(built)
    assert run(arguments) == 2
    assert meant in capsys.readouterr().err


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.repository import Repository

    made = Repository(tmp_path_factory.mktemp("slips") / "repository")
    made.commit({"a.py": "def grind_stone():\n    return 1\n"})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.path)
        assert run(["build", "--until", "dataset", "--quiet"]) == 0
    return made.path


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("short", ["short"]),
        ("*  1f2e  made  12  why it was", ["*  1f2e  made  12", "         why it was"]),
        ("  dataset  depends on a, b", ["  dataset  depends on a,", "           b"]),
        ("adapter 1: two, three four", ["adapter 1: two, three", "  four"]),
        ("  one.two.three.four.five.six", ["  one.two.three.four.five.six"]),
    ],
)
def test_a_long_line_is_broken_between_words(line: str, parts: list[str]) -> None:
    assert break_line(line, 24) == parts
