"""Text of the repository reaches terminals and exports without control characters."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from repobuild.cli import progress
from repobuild.cli.main import run
from repobuild.plain_text import escape_controls, escape_line, json_text
from repobuild.samples.export.dataset_files import DATASET_FORMATS
from tests.imports import modules
from tests.repository import Repository

# The window's title, a bell, the line overwritten, C1's title, a reversed name, a
# forged line, a line break of JavaScript, and invisible tags.
ATTACKS = (
    "\x1b]0;owned\x07", "\x1b[2K\x1b[1A", "a\rb", "\x9d0;owned\x9c", "x\u202egnp\u202c",
    "\u2066x\u2069", "c\u2028d", "e\x85f", "\U000e0041\U000e0042", "\x7f", "\ufeffg",
)  # fmt: skip
KEPT = "\n\t\u200c\u200d"


def unsafe(text: str) -> set[str]:
    """Return the control and format characters of a text, by an own rule."""
    return {
        repr(c)
        for c in text
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in KEPT
    }


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    """A repository that has every attack in names, docstrings and documents."""
    files: dict[str, str | bytes] = {}
    for number, attack in enumerate(ATTACKS):
        files[f"{attack}{number}.py"] = (
            f'"""Read what {attack} says."""\n\nTEXT = "{attack.replace(chr(13), "")}"'
            f'\n\n\ndef read{number}(name="{attack.replace(chr(13), "")}"):\n'
            f'    """Read {attack} to its end."""\n    first = name.strip()\n'
            "    second = first.lower()\n    return second\n"
        )
        files[f"{number}{attack}.md"] = f"# On {attack}\n\nText {attack} of it.\n"
    files["broken.py"] = "def broken(:\n"
    files["\x1b[31mbroken.py"] = "def broken(:\n"
    files["pyproject.toml"] = '[project]\nname = "a\\u001b]0;owned\\u0007"\n'
    repository.commit(files)
    monkeypatch.chdir(repository.path)
    return repository


def keys(repository: Repository) -> list[str]:
    names = [entry.path for entry in repository.git.index]
    number = range(len(ATTACKS))
    return [*names, *(f"{ATTACKS[n]}{n}.py::read{n}" for n in number)]


def test_no_control_character_reaches_a_terminal(
    here: Repository, tmp_path: Path, capfd
) -> None:
    calls = [
        ["build", "--until", "dataset"],
        ["build", "--until", "dataset"],
        ["status"],
        ["log"],
        ["verify", "--samples"],
        ["show", "facts"],
        ["why", "facts"],
        ["cache", "stats"],
        ["show", "\x1b]0;owned\x07"],
        ["why", "\x9d"],
        ["\x1b[31mverb"],
        ["build", "--\x1b[31m"],
        ["build", "--until", "\x1b[31m"],
        ["build", "--commit", "\x1b[31m"],
        ["export", "\x1b[31m", "-o", "x"],
        ["export", "facts", "-o", str(tmp_path / "\x1b[31m")],
        *([verb, key] for verb in ("show", "why") for key in keys(here)),
        *([verb, key, "--json"] for verb in ("show", "why") for key in keys(here)),
    ]
    for arguments in calls:
        capfd.readouterr()
        run(list(arguments))
        printed = capfd.readouterr()
        assert unsafe(printed.out) == set(), arguments
        assert unsafe(printed.err) == set(), arguments
        if "--json" in arguments and printed.out:
            assert json.loads(printed.out)["key"] == arguments[1]


def test_an_export_holds_no_control_character(
    here: Repository, tmp_path: Path, capfd
) -> None:
    assert run(["build", "--until", "dataset"]) == 0
    for form in DATASET_FORMATS:
        out = str(tmp_path / form)
        assert run(["export", "dataset", "-o", out, "--format", form]) == 0
    for table in ("facts", "graph"):
        assert run(["export", table, "-o", str(tmp_path / table)]) == 0
    files = [
        p for p in tmp_path.glob("*/*.*") if p.suffix in (".jsonl", ".json", ".md")
    ]
    exported = [p for p in files if p.parent != here.path]
    assert len(exported) >= 12
    for path in exported:
        text = path.read_bytes().decode()
        assert unsafe(text) == set(), path
        if path.suffix == ".jsonl":
            assert all(json.loads(line) for line in text.splitlines())
    lines = (tmp_path / "seed/train.jsonl").read_text().splitlines()
    assert any(
        ATTACKS[4] in json.dumps(json.loads(x), ensure_ascii=False) for x in lines
    )


def test_the_answer_of_a_build_without_work_is_checked(here: Repository) -> None:
    """`current` may have come with the repository, made by somebody else."""
    from repobuild import __main__ as start

    for text in ("a\x1b]0;owned\x07", "a\u202eb", "a\rb"):
        answers = (text, "{}")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("repobuild.noop_cache.answer", lambda goal, a=answers: a)
            assert not start._print_cached_answer(["build"])


def test_a_traceback_is_escaped(here: Repository) -> None:
    code = (
        "import sys; from repobuild.cli.output import print_traceback\n"
        "sys.excepthook = print_traceback\nraise RuntimeError('\\x1b]0;owned\\x07')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert unsafe(done.stderr) == set()
    assert "\\x1b]0;owned\\x07" in done.stderr


def test_progress_is_escaped(monkeypatch, capfd) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress.progress_for(False)("\x1b]0;a\x07", 2) as bar:
        bar.note("\x1b]0;b\x07")
        bar.advance()
    assert "]0;" in screen.getvalue()
    assert not re.search("\x1b]|\x07", screen.getvalue())


def test_nothing_else_prints() -> None:
    """Both trainings and the template's process report to their parent by a pipe."""
    allowed = {
        "repobuild.checkout",  # one notice, escaped: the command line lies above it
        "repobuild.model.load.template_child",
        "repobuild.cli.output",
        "repobuild.__main__",
        "repobuild.model.adapter.train",
        "repobuild.model.hypernet.training.hypernet_training",
    }
    pattern = (
        r"(?m)^[^#\"']*\b(?:click\.(?:s?echo|style|confirm|prompt)|print"
        r"|(?:stdout|stderr)\.write)\("
    )
    printing = {
        name
        for name, path in modules().items()
        if re.search(pattern, path.read_text("utf-8")) and ".bundled." not in name
    }
    # `trust` and `init` ask questions of their own, without names.
    assert printing - {"repobuild.cli.trust", "repobuild.cli.init"} <= allowed


@pytest.mark.parametrize("attack", ATTACKS)
def test_escapes_can_be_read(attack: str) -> None:
    assert unsafe(escape_controls(attack)) == set()
    assert unsafe(json_text([attack])) == set()
    assert json.loads(json_text([attack])) == [attack]


def test_ordinary_text_is_left_alone() -> None:
    text = "a\tb\nπ 水 é 👩\u200d💻 می\u200cخواهم \\x1b"
    assert escape_controls(text) == text
    assert escape_controls("a\r\nb") == "a\nb"
    assert escape_line("a\nb") == "a\\nb"
    assert json_text({"a": [1, "水"]}) == '{"a": [1, "水"]}'
    assert json.loads(json_text("\ud800")) == "\ud800"
