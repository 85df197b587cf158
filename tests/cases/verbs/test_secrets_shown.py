"""Nothing that is exported, printed or logged shows a secret, wherever it was planted.

Values, annotated values, docstrings, names, paths, headings, a project's description,
text far to the right, and the last part of a web token.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from repobuild.cli.ask import redacted_pieces
from repobuild.cli.main import run
from repobuild.evaluate.report import write as write_report
from repobuild.model.compare import AnswerPiece
from repobuild.samples.dataset.secret_detection import redact
from repobuild.samples.export.dataset_files import DATASET_FORMATS
from tests import pages
from tests.benchmarks.secrets import ALNUM, HEX, UPPER, URL, forms
from tests.repository import Repository

CHANCE = random.Random(11)


def chars(letters: str, count: int) -> str:
    return "".join(CHANCE.choice(letters) for _ in range(count))


# Tokens that are names of Python, too, so that they can be planted as such.
NAMES = {
    "github": "gh" + "p_" + chars(ALNUM, 36),
    "digitalocean": "dop" + "_v1_" + chars(HEX, 64),
    "shopify": "shp" + "at_" + chars(HEX, 32),
    "aws": "AK" + "IA" + chars(UPPER, 16),
    "databricks": "da" + "pi" + chars(HEX, 32),
}
JWT = next(f.secret for f in forms(3) if f.name == "JWT in a call")
TEXTS = {
    "gitlab": "gl" + "pat-" + chars(URL, 20),
    "mailgun": "ke" + "y-" + chars(HEX, 32),
    "jwt": JWT,
}
PASSWORD = "hQ4" + "%zT8" + "(wL2"


def module(number: int, name: str, token: str) -> str:
    filler = "word " * 500
    return (
        f'"""Talk to {name} {number}.\n\nCalled with {token} in tests.\n"""\n\n'
        f'LIMIT: str = "{token}"\nPASSWORD: Final[str] = "{PASSWORD}{number}"\n'
        f'LONG = "{filler}{token}"\n\n\n'
        f'def log_in{number}(host: str, key: str = "{token}", b: bytes = b"{token}"):\n'
        f'    """Log in at {name}.\n\n    Use {token} for it, as `{token}` or so.\n'
        f'\n    Args:\n        host: The host, not {token}.\n    """\n'
        f'    header = f"Bearer {token}"\n    first = host.strip() + header\n'
        f'    second = first.lower()\n    return call(second, "{token}")\n'
    )


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    files: dict[str, str | bytes | None] = {}
    for number, (name, token) in enumerate((NAMES | TEXTS).items()):
        files[f"{name}.py"] = module(number, name, token)
        files[f"docs/{name}.md"] = (
            f"# The key {token}\n\nUse `{token}`.\n\n## {token}\n"
        )
    for number, token in enumerate(NAMES.values()):
        files[f"in_{token}/mod{number}.py"] = (
            f'"""Read a file."""\n\n\nclass C_{token}:\n    """Hold the key."""\n\n'
            f"    def get_{token}(self, {token}: int = 3):\n"
            f'        """Return the value."""\n        value = {token} + {number}\n'
            f"        value += 1\n        return value\n\n\n"
            f"def {token}(path):\n    return C_{token}().get_{token}(path)\n"
        )
        files[f"{token}.py"] = "def broken(:\n"
    files["pyproject.toml"] = (
        f'[project]\nname = "logins"\ndescription = "Log in with {NAMES["github"]}"\n'
        f'dependencies = ["click"]\n'
    )
    repository.commit(files)
    monkeypatch.chdir(repository.path)
    return repository


def left_in(text: str) -> list[str]:
    """Return the kinds of secrets that a text shows, also the end of one."""
    secrets = NAMES | TEXTS
    found = [kind for kind, token in secrets.items() if token in text]
    found += [f"end of {kind}" for kind, t in secrets.items() if t[-20:] in text]
    return found + ["password"] * (PASSWORD in text)


def keys(repository: Repository) -> list[str]:
    paths = [entry.path for entry in repository.git.index]
    tokens = list(NAMES.values())
    classes = [f"in_{t}/mod{n}.py::C_{t}" for n, t in enumerate(tokens)]
    return [*paths, *classes, "github.py::log_in0", *tokens[:1], "files", "graph"]


def test_no_verb_prints_a_secret(here: Repository, capfd) -> None:
    assert run(["build", "--until", "dataset"]) == 0
    names = [*keys(here), "mod0.py::C", f"in_{NAMES['github']}/mod0.py::C_"]
    for arguments in (
        ["build", "--until", "dataset", "--dry-run"],
        ["status", "--json"],
        ["verify", "--samples"],
        ["verify", "--samples", "--json"],
        ["show", "dataset"],
        ["log"],
        *([verb, key] for verb in ("show", "why") for key in names),
        *([verb, key, "--json"] for verb in ("show", "why") for key in names),
    ):
        run(arguments)
    printed = capfd.readouterr()
    assert left_in(printed.out) == []
    assert left_in(printed.err) == []
    assert "[secret: GitHub Token]" in printed.out


def test_no_export_and_no_log_shows_a_secret(here: Repository, tmp_path: Path) -> None:
    assert run(["build", "--until", "dataset"]) == 0
    state = here.path / ".git" / "repobuild"
    for form in DATASET_FORMATS:
        out = str(tmp_path / "out" / form)
        assert run(["export", "dataset", "-o", out, "--format", form]) == 0
    for table in ("facts", "graph"):
        assert run(["export", table, "-o", str(tmp_path / "out" / table)]) == 0
    written = {p: _text(p) for p in (tmp_path / "out").rglob("*.*") if p.is_file()}
    written[state / "events.jsonl"] = (state / "events.jsonl").read_text()
    written[state / "current"] = (state / "current").read_text()
    assert len(written) > 12
    shown = {str(path): left_in(text) for path, text in written.items()}
    assert {path: kinds for path, kinds in shown.items() if kinds} == {}
    facts = written[tmp_path / "out/facts/repository_analysis.json"]
    # The rest of the docstring's line stays.
    mark = "[secret: GitHub Token]"
    assert f"Use {mark} for it, as `{mark}` or so." in facts


def test_a_report_shows_no_secret(tmp_path: Path, monkeypatch) -> None:
    def as_given(project: str, *rest: object) -> dict[str, str]:
        return {"project": project}

    monkeypatch.setattr("repobuild.evaluate.comparison.comparison_report", as_given)
    report = pages.make_report() | {"comparison": "c.json", "results": {}}
    report["project"] = f"logins {NAMES['github']}"
    report["questions"][0]["question"] = f"where is `{NAMES['aws']}`?"
    write_report(tmp_path, report)
    for path in tmp_path.iterdir():
        assert left_in(path.read_text()) == [], path


def _text(path: Path) -> str:
    if path.suffix != ".parquet":
        return path.read_text("utf-8")
    from pyarrow.parquet import read_table

    return json.dumps(read_table(path).to_pylist())


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("number", range(len(forms(5))))
def test_no_answer_shows_a_secret_while_it_grows(number: int, size: int) -> None:
    """A model may have learnt one; `ask` shows what is redacted as a whole."""
    form = forms(5)[number]
    answer = f"It is in `a.py`, and don't use it:\n{form.line}\nnor this one: x y"
    cut = [answer[at : at + size] for at in range(0, len(answer), size)]
    pieces = [AnswerPiece("base", text) for text in cut]
    pieces.append(AnswerPiece("base", "", last=True))
    shown = "".join(piece.text for piece in redacted_pieces(pieces))
    assert shown.count("It is in `a.py`, and") == 1
    if "PRIVATE" not in form.line:  # the end of a key is unknown
        assert shown.endswith("nor this one: x y")
    if form.secret:
        assert form.secret[-8:] not in shown
    assert "[secret: " in shown
    if size == 1000:
        assert shown == redact(answer)


def test_an_answer_appears_word_by_word_and_control_characters_hide_no_token() -> None:
    token = NAMES["github"]
    words = ["`f` ", "is ", "in ", "`a.py`", ".", f" {token[:9]}\x07{token[9:]}"]
    pieces = [AnswerPiece("adapter", word) for word in words]
    pieces.append(AnswerPiece("adapter", "", last=True))
    shown = [piece.text for piece in redacted_pieces(pieces)]
    assert shown[:3] == ["`f` ", "is ", "in "]
    assert "".join(shown) == "`f` is in `a.py`. [secret: GitHub Token]"
