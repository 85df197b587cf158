"""A repository's own settings reach nothing beyond it before somebody trusted them.

Each attack is a `repobuild.toml`, with files of the same repository, that once ran a
command, wrote or read somewhere else, or used up the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repobuild.cli.main import run
from repobuild.errors import UsageError
from repobuild.settings import read_layers, variable_of
from repobuild.settings_schema import settings
from tests.promises.examples import examples
from tests.repository import Repository, trust_settings

ROOT = Path(__file__).parents[2]
MARKER = "sprung"  # made in the test's folder when a command ran


class Attack(NamedTuple):
    """A repository's settings, the name that is refused, and files beside them."""

    toml: str
    setting: str
    files: dict[str, str] = {}


DS = {"flops_profiler": {"enabled": True, "output_file": "../sprung"}}
AUTO = {"model_type": "odd", "auto_map": {"AutoConfig": "odd.Config"}}
PROXY = "-oProxyCommand=touch${IFS}%s slots=1\nother slots=1\n"
WITHHELD = {
    "an option of ssh": Attack(
        '[adapter]\nhostfile = "hosts"', "adapter.hostfile", {"hosts": PROXY}
    ),
    "hosts elsewhere": Attack('[adapter]\nhostfile = "/etc/hosts"', "adapter.hostfile"),
    "a file that DeepSpeed writes": Attack(
        '[adapter]\ndeepspeed = "./ds.json"',
        "adapter.deepspeed",
        {"ds.json": json.dumps(DS)},
    ),
    "a DeepSpeed file in the root": Attack(
        '[adapter]\ndeepspeed = "ds.json"',
        "adapter.deepspeed",
        {"ds.json": json.dumps(DS)},
    ),
    "a model with code": Attack(
        '[base]\nmodel = "model"',
        "base.model",
        {"model/config.json": json.dumps(AUTO), "model/odd.py": "open('../sprung')"},
    ),
    "a model elsewhere": Attack('[base]\nmodel = "../elsewhere"', "base.model"),
    "a model of the user's home": Attack('[base]\nmodel = "~/model"', "base.model"),
    "the root folder as a model": Attack('[base]\nmodel = "/"', "base.model"),
    "a model of a hub": Attack('[base]\nmodel = "evil/model"', "base.model"),
    "a preset's model of a hub": Attack('preset = "qwen3-8b"', "base.model"),
    "another version of a model": Attack(
        '[base]\nrevision = "refs/pr/1"', "base.revision"
    ),
    "a compiler": Attack("[adapter]\ncompile = true", "adapter.compile"),
    "processes": Attack("[adapter]\nprocesses = 64", "adapter.processes"),
    "a server": Attack('[log]\nto = ["wandb"]', "log.to"),
}
REFUSED = {
    "a million processes": Attack("[adapter]\nprocesses = 1000000", "1 to 1,024"),
    "a preset elsewhere": Attack('preset = "../../x"', "must name one of"),
    "questions elsewhere": Attack('samples.languages = ["../../x"]', "must name some"),
    "languages elsewhere": Attack('project.languages = ["../x"]', "must name some of"),
    "an escape sequence": Attack('project.name = "\\u001b]0;x\\u0007"', "one line"),
    "its own root": Attack('root = "/"', 'unknown key "root"'),
    "a strategy": Attack('adapter.strategy = "os.system"', 'not "os.system"'),
}


def make(repository: Repository, attack: Attack) -> Repository:
    marker = repository.path.parent / MARKER
    files = {n: t.replace("%s", str(marker)) for n, t in attack.files.items()}
    repository.commit({"a.py": "def f():\n    return 1\n", **files})
    (repository.path / "repobuild.toml").write_text(attack.toml + "\n")
    return repository


def call(repository: Repository, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "repobuild", *arguments],
        cwd=repository.path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def outside(repository: Repository) -> set[str]:
    """Return what lies beside the repository: nothing may come to it."""
    return set(os.listdir(repository.path.parent)) - {repository.path.name}


@pytest.mark.parametrize("name", WITHHELD)
def test_a_build_ends_before_a_power_is_used(repository, name):
    attack = WITHHELD[name]
    done = call(make(repository, attack))
    assert done.returncode == 2, done.stderr
    assert f"{attack.setting} = " in done.stderr
    assert "`repobuild trust`" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (repository.path / ".git/repobuild").exists()
    assert outside(repository) == set()


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("verb", ["build", "status", "trust"])
def test_a_value_that_cannot_be_ends_every_verb(
    repository, name, verb, monkeypatch, capsys
):
    attack = REFUSED[name]
    monkeypatch.chdir(make(repository, attack).path)
    assert run([verb]) == 2
    said = capsys.readouterr().err
    assert attack.setting in said
    assert "\x1b" not in said
    assert outside(repository) == set()


BEHIND = ("hosts", "ds.json", "model/")
READING = [
    ["status"], ["build", "-n"], ["trust", "--list"], ["log"], ["show", "a.py"],
    ["why", "a.py"], ["report"], ["cache", "stats"], ["verify", "--samples"],
    ["export", "dataset", "-o", "out"],
]  # fmt: skip


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The paths that this process opens or lists, until the test ends."""
    seen: list[str] = []
    watching = [True]

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("open", "os.listdir", "os.scandir"):
            seen.append(str(arguments[0]))

    sys.addaudithook(note)
    yield seen
    watching.clear()


@pytest.mark.parametrize("name", WITHHELD)
def test_a_verb_that_reads_goes_on_without_and_opens_nothing(
    repository, name, monkeypatch, capfd, opened, tmp_path
):
    attack = WITHHELD[name]
    make(repository, attack)
    (repository.path.parent / "elsewhere").mkdir()
    (repository.path.parent / "elsewhere/config.json").write_text("{}")
    monkeypatch.chdir(repository.path)
    hidden = (repository.path / "repobuild.toml").rename(tmp_path / "hidden")
    assert run(["-q", "--until", "dataset"]) == 0
    hidden.rename(repository.path / "repobuild.toml")
    behind = (*(str(repository.path / n) for n in BEHIND), "/etc/hosts")
    behind += (str(tmp_path / "elsewhere"),)
    for verb in READING:
        del opened[:]
        assert run(verb) in (0, 1, 2), verb
        said = capfd.readouterr().err
        assert "Traceback" not in said
        if verb[0] != "trust":  # whose task is to show what lies behind
            assert not [p for p in opened if os.path.abspath(p).startswith(behind)]
    assert run(["status"]) == 1
    assert capfd.readouterr().err.count(f"{attack.setting} = ") == 1
    assert outside(repository) == {"elsewhere"}


def test_an_option_of_ssh_is_refused_even_when_it_is_trusted(repository, tmp_path):
    """Hosts are checked before anything is built, and again before training."""
    from repobuild.model.compute.launch import read_hosts

    make(repository, WITHHELD["an option of ssh"])
    trust_settings(repository.path)
    with pytest.raises(UsageError, match="line 1 .* is no host name"):
        read_hosts(repository.path / "hosts")
    done = call(repository, "-c", "adapter.budget=2000", "--until", "adapter")
    assert done.returncode == 2
    assert "is no host name or IP address" in done.stderr
    assert outside(repository) == set()
    assert not (repository.path / ".git/repobuild/build.db").exists()
    assert call(repository, "--until", "dataset").returncode == 0


# ------------------------------------------------------------- any value of any type

TEXTS = st.text(max_size=12) | st.sampled_from(["tiny", "../x", "\x00", "\u202e", "1G"])
SINGLE = (
    TEXTS
    | st.integers()
    | st.sampled_from([10**4000, -(2**63) - 1, 2**64, 0, -1])
    | st.floats()
    | st.booleans()
    | st.just(datetime(1979, 5, 27, tzinfo=UTC))
    | st.just(date(1979, 5, 27))
    | st.just(time(7, 32))
)
VALUES = st.recursive(
    SINGLE,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2)
    ),
    max_leaves=6,
)
JUNK = st.sampled_from(["[" * 3000, "{a=" * 3000, "'", '"\x00"', "", "\r", "0x", "1e9"])


def written(value: Any) -> str:
    """Return a value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() if abs(value) >= 10**4000:
            return "9" * 5000
        case float():
            return repr(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(written, value))}]"
        case dict():
            pairs = (f"{written(k)} = {written(v)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        case date() | time():
            return value.isoformat()
    return str(value)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Repository(tmp_path_factory.mktemp("toy") / "repository")
    made.commit({"a.py": "def f():\n    return 1\n"})
    return made.path


@examples(300)
@given(name=st.sampled_from(list(settings())), text=VALUES.map(written) | JUNK)
def test_no_value_of_any_setting_ends_in_a_traceback(toy, capsys, name, text):
    """From the file, the environment and the command line alike."""
    file = toy / "repobuild.toml"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(toy)
        file.write_text(f"{name} = {text}\n", "utf-8")
        assert run(["status"]) in (1, 2)  # 1: nothing is built
        file.unlink()
        assert run(["-c", f"{name}={text}", "trust", "--list"]) in (0, 2)
        if "\0" not in text:
            patch.setenv(variable_of(name), text)
            assert run(["trust", "--list"]) in (0, 2)
    said = capsys.readouterr()
    assert all(c.isprintable() or c == "\n" for c in said.err + said.out)


@pytest.mark.parametrize("name", list(settings()))
def test_every_setting_refuses_what_is_of_another_type(tmp_path, name):
    for text in ("1979-05-27", "{a = 1}", "[[1]]", "nan", "-inf", "9" * 5000):
        (tmp_path / "repobuild.toml").write_text(f"{name} = {text}\n")
        with pytest.raises(UsageError):
            read_layers(tmp_path)
