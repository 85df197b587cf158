"""What a repository's own settings ask for holds from when the user trusted it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repobuild.checkout import Checkout, open_checkout
from repobuild.cli.main import run
from repobuild.errors import UsageError
from repobuild.trust_record import TrustState
from tests.repository import Repository, trust_settings

MODEL = '[base]\nmodel = "models/nano"\n'


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    """A repository whose settings name a model in it and a DeepSpeed file."""
    repository.commit({"a.py": "def f():\n    return 1\n"})
    (repository.path / "models/nano").mkdir(parents=True)
    (repository.path / "models/nano/config.json").write_text("{}")
    (repository.path / "models/nano/weights").write_text("1")
    (repository.path / "ds.json").write_text("{}")
    write(repository, MODEL + '[adapter]\ndeepspeed = "./ds.json"\n')
    monkeypatch.chdir(repository.path)
    return repository


def write(repository: Repository, text: str) -> None:
    (repository.path / "repobuild.toml").write_text(text)


def withheld() -> set[str]:
    return set(open_checkout().powers.names)


def state() -> TrustState:
    return open_checkout().powers.state


def needs(checkout: Checkout, *tables: str) -> None:
    checkout.require_powers(checkout.snapshot(), tables)


BOTH = {"base.model", "adapter.deepspeed"}


def test_trust_shows_each_value_with_what_it_reaches_and_its_files(here, capsys):
    assert run(["trust", "--yes"]) == 0
    said = capsys.readouterr().err
    for part in (
        'base.model = "models/nano"  loads a model',
        "models/nano/config.json  2 bytes",
        "models/nano/weights  1 bytes",
        'adapter.deepspeed = "./ds.json"  reads a DeepSpeed configuration',
        "ds.json  2 bytes",
    ):
        assert part in said
    assert withheld() == set()
    assert open_checkout().settings["base.model"] == "models/nano"


def test_without_a_terminal_nothing_is_trusted_unasked(here, capsys):
    assert run(["trust"]) == 2
    assert withheld() == BOTH


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("models/nano/config.json", '{"auto_map": {}}'),
        ("models/nano/weights", "2"),
        ("models/nano/more/code.py", ""),
        ("ds.json", '{"a": 1}'),
        ("repobuild.toml", MODEL),
    ],
)
def test_a_change_of_a_value_or_of_a_file_behind_it_is_noticed(
    here, capsys, file, content
):
    trust_settings(here.path)
    assert state() is TrustState.TRUSTED
    (here.path / file).parent.mkdir(exist_ok=True)
    (here.path / file).write_text(content)
    assert state() is TrustState.CHANGED
    assert run(["build"]) == 2
    assert "changed since it was trusted" in capsys.readouterr().err


def test_what_was_trusted_before_stays_trusted(here):
    trust_settings(here.path)
    text = (here.path / "repobuild.toml").read_text()
    write(here, MODEL)
    trust_settings(here.path)
    write(here, text)
    assert withheld() == set()


def test_other_settings_can_change_without_being_trusted_again(here):
    trust_settings(here.path)
    text = (here.path / "repobuild.toml").read_text()
    write(here, text + "rank = 8\n[history]\ncommits = 3\n")
    assert withheld() == set()
    assert open_checkout().settings["adapter.rank"] == 8


def test_revoke_and_list_name_it_as_a_rule(here, capsys):
    trust_settings(here.path)
    assert run(["trust", "--list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["rules"]
    assert (listed["name"], listed["standing"]) == ("repobuild.toml", "trusted")
    assert listed["files"] == {
        "ds.json": 2,
        "models/nano/config.json": 2,
        "models/nano/weights": 1,
    }
    assert run(["trust", "--revoke", "repobuild.toml"]) == 0
    assert withheld() == BOTH


def test_a_variable_with_the_digest_trusts_it(here, monkeypatch):
    digest = open_checkout().powers.requested.digest
    monkeypatch.setenv("REPOBUILD_TRUST", f"repobuild.toml:{digest}")
    assert withheld() == set()
    monkeypatch.setenv("REPOBUILD_TRUST", f"repobuild.toml:{digest[::-1]}")
    assert state() is TrustState.CHANGED


def test_a_large_file_is_read_again_only_after_a_change(here, monkeypatch):
    from repobuild import powers

    monkeypatch.setattr(powers, "_LARGE", 1)
    trust_settings(here.path)
    reads: list[int] = []
    monkeypatch.setattr(powers, "blake2b", _counted(powers.blake2b, reads))
    assert withheld() == set()
    assert len(reads) == 1  # the digest over all
    (here.path / "models/nano/weights").write_text("2")
    assert withheld() == BOTH
    assert len(reads) == 3


def _counted(function: Any, calls: list[int]) -> Any:
    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return function(*arguments, **options)

    return counted


def test_what_a_linked_folder_of_a_model_holds_is_noticed(here, tmp_path):
    (tmp_path / "more").mkdir()
    (here.path / "models/nano/more").symlink_to(tmp_path / "more")
    trust_settings(here.path)
    (tmp_path / "more/template.jinja").write_text("")
    assert state() is TrustState.CHANGED


def test_a_folder_that_no_model_fills_is_not_read(here):
    for name in ("ring", "again"):
        (here.path / "models/nano" / name).symlink_to(".")
    with pytest.raises(UsageError, match="more than 1,000 files"):
        trust_settings(here.path)
    (here.path / "models/nano/ring").unlink()
    (here.path / "ds.json").write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(UsageError, match="more than 1 MB"):
        trust_settings(here.path)


def test_a_copy_of_the_repository_brings_no_trust_along(here, tmp_path, monkeypatch):
    import shutil

    trust_settings(here.path)
    shutil.copytree(here.path, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    assert withheld() == BOTH


# ----------------------------------------------------------------------- who decides


def test_what_the_user_sets_holds_at_once(here, monkeypatch):
    monkeypatch.setenv("REPOBUILD_BASE_MODEL", "tiny")
    assert withheld() == {"adapter.deepspeed"}
    monkeypatch.setenv("REPOBUILD_ADAPTER_DEEPSPEED", "./ds.json")
    assert withheld() == set()
    assert open_checkout().settings["adapter.deepspeed"] == "./ds.json"


def test_the_users_file_and_the_command_line_decide_too(here, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "repobuild.toml").write_text('[base]\nmodel = "./models/nano"\n')
    assert withheld() == {"adapter.deepspeed"}
    assert run(["-c", "adapter.deepspeed=zero1", "--until", "facts"]) == 0
    assert run(["-c", "adapter.deepspeed=zero1", "--until", "dataset"]) == 0


def test_a_withheld_value_falls_back_to_the_default(here):
    settings = open_checkout().settings
    assert (settings["base.model"], settings["adapter.deepspeed"]) == ("tiny", "zero0")


def test_harmless_values_need_no_trust(here):
    write(here, 'base.model = "smollm2"\nadapter.deepspeed = "zero2"\nlog.to = []\n')
    assert not open_checkout().powers.requested.powers
    assert run(["trust"]) == 0


def test_a_preset_counts_for_who_chose_it(here, monkeypatch):
    write(here, 'preset = "qwen3-8b"\n')
    assert withheld() == {"base.model"}
    assert open_checkout().settings["adapter.rank"] == 16
    monkeypatch.setenv("REPOBUILD_PRESET", "qwen3-8b")
    assert withheld() == set()
    assert open_checkout().settings["base.model"] == "Qwen/Qwen3-8B"
    write(here, MODEL)
    assert withheld() == {"base.model"}
    assert open_checkout().settings["base.model"] == "Qwen/Qwen3-8B"


def test_a_folder_of_the_repository_does_not_pass_for_a_hubs_model(here, monkeypatch):
    write(here, "")
    (here.path / "Qwen/Qwen3-8B").mkdir(parents=True)
    for name, value in (("BASE_MODEL", "Qwen/Qwen3-8B"), ("PRESET", "qwen3-8b")):
        with monkeypatch.context() as patch:
            patch.setenv(f"REPOBUILD_{name}", value)
            with pytest.raises(UsageError, match=r'write "\./Qwen/Qwen3-8B"'):
                withheld()
    monkeypatch.setenv("REPOBUILD_BASE_MODEL", "./Qwen/Qwen3-8B")
    assert withheld() == set()


# ------------------------------------------------------------------- what needs it


def test_tables_that_do_not_use_a_power_are_built_without(here, capsys):
    assert run(["--until", "dataset", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["withheld"] == sorted(BOTH)
    assert said.err.count("left out: ") == 1
    assert run(["--until", "dataset"]) == 0


def test_a_budget_in_tokens_needs_the_model(here):
    write(here, MODEL + "[samples]\nmax_tokens = 1000\n")
    checkout = open_checkout()
    needs(checkout, "facts")
    with pytest.raises(UsageError, match=r"base\.model"):
        needs(checkout, "dataset")


@pytest.mark.parametrize(
    "verb",
    [["build"], ["--until", "adapter"], ["ask", "what?"], ["rollback"]]
    + [["export", "base", "-o", "out"]],
)
def test_verbs_that_need_it_say_what_and_how(here, capsys, verb):
    assert run(verb) == 2
    said = capsys.readouterr().err
    assert 'base.model = "models/nano"' in said
    assert "never trusted" in said
    assert "`repobuild trust`" in said
    assert not Path("out").exists()


def test_an_answer_without_work_is_given_up_when_trust_changes(here, capsys):
    from repobuild.noop_cache import answer

    assert run(["--until", "dataset"]) == 0
    answers = answer("dataset")
    assert answers is not None
    assert "left out: base.model" in answers[0]
    assert run(["trust", "--yes"]) == 0
    assert answer("dataset") is None


def test_what_a_user_lets_init_write_is_trusted(here):
    (here.path / "repobuild.toml").unlink()
    assert run(["init", "--preset", "qwen3-8b"]) == 0
    assert withheld() == set()
    assert open_checkout().settings["base.model"] == "Qwen/Qwen3-8B"


def test_init_does_not_write_through_a_link(here, tmp_path):
    (here.path / "repobuild.toml").unlink()
    (here.path / "repobuild.toml").symlink_to(tmp_path / "elsewhere")
    assert run(["init"]) == 2
    assert not (tmp_path / "elsewhere").exists()


def test_trust_covers_both_files_of_a_hypernetwork_and_no_other(here):
    """A training's folder holds a thousand more."""
    net = here.path / "net"
    (net / "prepared").mkdir(parents=True)
    for name in ("hypernet.json", "hypernet.safetensors", "prepared/x"):
        (net / name).write_text("1")
    write(here, '[adapter]\nhypernet = "net"\n')
    assert withheld() == {"adapter.hypernet"}
    assert run(["trust", "--yes"]) == 0
    assert withheld() == set()
    (net / "prepared/x").write_text("2")
    assert withheld() == set()
    (net / "hypernet.safetensors").write_text("2")
    assert withheld() == {"adapter.hypernet"}
