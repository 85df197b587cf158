"""`repobuild init`: what it finds, asks, proposes and writes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from repobuild.cli.main import run
from repobuild.model.load import libraries
from repobuild.settings import preset_settings, read_layers
from repobuild.settings_schema import settings
from repobuild.survey import machine as machines
from repobuild.survey.machine import (
    GraphicsCard,
    Machine,
    computes_in_bfloat16,
    read_cards,
    visible,
)
from repobuild.survey.proposal import CARD_MEMORY, PRESETS, fitting_presets, propose
from tests.repository import Repository

SOURCE = 'def area(width):\n    """Return the area."""\n    return width * width\n'
ROOT = Path(__file__).parents[2]
SMI = "NVIDIA A10, 23028\nTesla T4, 15360\n"


def machine(*gigabytes: int, cores: int = 2, torch: str = "2.9.0") -> Machine:
    cards = tuple(GraphicsCard(f"card {n}", n * machines.GB) for n in gigabytes)
    return Machine(cores, 25 * machines.GB, cards, torch)


@pytest.fixture
def here(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    repository.commit(
        {"a.py": SOURCE, "web/b.ts": "export const b = 1;\n", "README.md": "# A\n"}
    )
    monkeypatch.chdir(repository.path)
    use(monkeypatch, machine())
    return repository


def use(monkeypatch: pytest.MonkeyPatch, found: Machine) -> None:
    monkeypatch.setattr(Machine, "here", classmethod(lambda cls: found))


def answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Sit at a terminal and give these answers; "" takes the default."""
    asked: list[str] = []
    left = list(answers)

    def prompt(text: str, default: str, **options: Any) -> str:
        asked.append(text)
        return left.pop(0) or default

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "prompt", prompt)
    return asked


def settings_of(repository: Repository) -> dict[str, Any]:
    return read_layers(repository.path).merged()


def test_without_a_terminal_nothing_is_asked_and_the_findings_are_told(
    here: Repository, capsys: Any
) -> None:
    assert run(["init"]) == 0
    assert capsys.readouterr().out == (
        "files      1 markdown, 1 python, 1 typescript\n"
        "questions  en\n"
        "machine    2 cores, 25 GB of memory, no graphics card\n"
        "preset     tiny; at most 1.25M tokens a build; the first takes about 2 min\n"
        f'wrote "{here.path}/repobuild.toml"; uncomment what you want to change\n'
        "next: run `repobuild`\n"
    )
    text = (here.path / "repobuild.toml").read_text()
    assert "# files: 1 markdown, 1 python, 1 typescript\n" in text
    assert [line for line in text.splitlines() if re.match(r"\w", line)] == [
        'preset = "tiny"'
    ]


def test_two_questions_are_asked_at_a_terminal(
    here: Repository, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    asked = answer(monkeypatch, "smolm2", "smollm2", "100k")
    assert run(["init"]) == 0
    assert asked == [
        "preset",
        "preset",
        "train at most (tokens, or a time such as 30m)",
    ]
    assert (
        'no such preset "smolm2" (did you mean "smollm2"?)' in capsys.readouterr().err
    )
    assert settings_of(here)["preset"] == "smollm2"
    assert settings_of(here)["adapter.budget"] == 100_000


def test_a_time_becomes_tokens_by_the_pace_of_these_cores(
    here: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, "", "20m")
    assert run(["init"]) == 0
    assert settings_of(here)["adapter.budget"] == 1_904_000


def test_yes_asks_nothing_at_a_terminal(
    here: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch)
    assert run(["init", "--yes"]) == 0
    assert asked == []


def test_a_file_is_overwritten_only_by_force(here: Repository, capsys: Any) -> None:
    file = here.path / "repobuild.toml"
    file.write_text("mine")
    assert run(["init"]) == 2
    assert capsys.readouterr().err == (
        f'error: "{file}" is there already\n'
        "edit it, or overwrite it with `repobuild init --force`\n"
    )
    assert file.read_text() == "mine"
    assert run(["init", "--force"]) == 0
    assert settings_of(here)["preset"] == "tiny"


def test_force_does_not_write_through_a_link(here: Repository, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (here.path / "repobuild.toml").symlink_to(tmp_path / "precious")
    assert run(["init", "--force"]) == 2
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_refused_file_is_refused_before_anything_is_asked(
    here: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch)
    (here.path / "repobuild.toml").write_text("mine")
    assert run(["init"]) == 2
    assert asked == []


def test_a_repository_without_a_commit_gets_a_file_too(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(repository.path)
    use(monkeypatch, machine())
    assert run(["init"]) == 0
    out = capsys.readouterr().out
    assert "files      none: there is no commit yet\n" in out
    assert "preset     tiny; at most 1.25M tokens a build\n" in out
    assert out.endswith("next: commit something, then run `repobuild`\n")


@pytest.mark.parametrize(
    ("readmes", "languages"),
    [
        ({"README.md": "# 形状\n\n计算平面图形面积的小型程序库。\n"}, "zh"),
        ({"README.md": "# Shapes\n", "README.zh.md": "# 形状程序库的说明\n"}, "en, zh"),
        ({"docs/README.md": "# 形状程序库的说明\n"}, "en"),
    ],
)
def test_the_language_of_the_questions_is_that_of_the_readme(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    readmes: dict[str, str],
    languages: str,
) -> None:
    repository.commit(readmes)
    monkeypatch.chdir(repository.path)
    assert run(["init"]) == 0
    assert f"questions  {languages}\n" in capsys.readouterr().out


# --------------------------------------------------------------------------- proposals


@pytest.mark.parametrize(
    ("cards", "preset"),
    [
        ((), "tiny"),
        ((4,), "tiny"),
        ((6,), "qwen3-0.6b"),
        ((16,), "qwen3-4b"),
        ((24,), "qwen2.5-coder-7b"),
        ((80,), "qwen3-8b"),
        ((80, 24), "qwen2.5-coder-7b"),
    ],
)
def test_the_largest_preset_that_fits_the_smallest_card_is_proposed(
    cards: tuple[int, ...], preset: str
) -> None:
    assert fitting_presets(machine(*cards))[0].name == preset


def test_a_card_that_torch_cannot_use_is_no_card() -> None:
    assert fitting_presets(machine(80, torch="2.9.0+cpu"))[0].name == "tiny"


def test_a_model_of_a_hub_needs_somebody_who_agrees(
    here: Repository, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    use(monkeypatch, machine(24))
    assert run(["init"]) == 0
    assert settings_of(here)["base.model"] == "tiny"
    assert "init --preset qwen2.5-coder-7b" in capsys.readouterr().err
    assert run(["init", "--yes", "--force"]) == 0
    assert "15.2 GB from the hub" in capsys.readouterr().out
    assert settings_of(here)["preset"] == "qwen2.5-coder-7b"


def test_no_proposed_training_takes_longer_than_an_hour() -> None:
    tiny, smollm2 = PRESETS[:2]
    one = machine(cores=1)
    assert propose(tiny, one, files=10_000).budget == 1_250_000
    assert propose(smollm2, one, files=10_000).budget == 270_000
    assert propose(smollm2, machine(), files=10_000).budget == 400_000


def test_memory_of_presets_is_that_of_the_documentation() -> None:
    page = (ROOT / "docs/configuration.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w.-]+)` \| [^|]+ \| (CPU|(\d+) GB) \|", page, re.M)
    told = {name: int(gigabytes or 0) for name, _, gigabytes in rows}
    assert told == CARD_MEMORY


def test_the_memory_of_every_preset_is_known() -> None:
    assert CARD_MEMORY.keys() == set(settings()["preset"].names)


def test_every_proposed_preset_is_there() -> None:
    assert all(preset_settings(one.name) for one in PRESETS)


# ---------------------------------------------------------------------------- machines


def test_cards_are_those_that_the_driver_lists() -> None:
    assert read_cards(SMI) == (
        GraphicsCard("NVIDIA A10", 23028 << 20),
        GraphicsCard("Tesla T4", 15360 << 20),
    )
    assert read_cards("No devices were found\n") == ()


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (None, ["NVIDIA A10", "Tesla T4"]),
        ("", []),
        ("1", ["Tesla T4"]),
        ("0,9,1", ["NVIDIA A10"]),
        ("-1", []),
        ("GPU-8932f937", ["NVIDIA A10"]),
    ],
)
def test_hidden_cards_are_not_used(chosen: str | None, names: list[str]) -> None:
    assert [card.name for card in visible(read_cards(SMI), chosen)] == names


def test_a_driver_in_the_repository_is_not_run(
    here: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = here.path / "nvidia-smi"
    program.write_text("#!/bin/sh\ntouch ran\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", ".:")
    assert machines._cards() == ()
    assert not (here.path / "ran").exists()


def test_a_driver_that_fails_is_no_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machines._cards() == ()


def test_the_machine_is_asked_without_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom repobuild.survey.machine import Machine\nMachine.here()\n"
        "import repobuild.survey.proposal, repobuild.survey.source_survey\n"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_bfloat16_the_first_build_is_expected_to_take_longer(
    here: Repository, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    without = replace(machine(), has_bfloat16=False)
    use(monkeypatch, without)
    assert run(["init"]) == 0
    out = capsys.readouterr().out
    assert "machine    2 cores without bfloat16, 25 GB of memory, no graphics" in out
    usual, longer = (propose(PRESETS[0], one, 1_000) for one in (machine(), without))
    assert longer.budget == usual.budget
    assert longer.time.least > 1.5 * usual.time.least


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu avx2 fma f16c", False),  # Haswell to Zen 3, most hosted runners
        ("avx2 avx512f avx512dq avx512bw avx512vl", True),
        ("fp asimd evtstrm bf16", True),  # Graviton 3
        ("fp asimd evtstrm", False),
    ],
)
def test_a_processor_says_whether_it_computes_in_bfloat16(
    flags: str, found: bool
) -> None:
    assert computes_in_bfloat16(flags.split()) is found


def test_what_is_read_of_this_processor_is_what_torch_says() -> None:
    """`init` and `doctor` do not import torch; training asks it."""
    if Path("/proc/cpuinfo").is_file() and not Machine.here().card_memory:
        assert Machine.here().has_bfloat16 == libraries.computes_in_bfloat16()
