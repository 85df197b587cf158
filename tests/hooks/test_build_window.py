"""`hook.when`: at which hours, and with which power, the background may build."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from repobuild.hooks.build_window import BuildWindow, is_on_battery
from repobuild.settings_schema import settings


def reason(when: str, clock: str, on_battery: bool = False) -> str:
    assert settings()["hook.when"].problem(when) == ""
    now = datetime.fromisoformat(f"2026-11-29 {clock}")
    return BuildWindow.parse(when).reason_to_wait(now, lambda: on_battery)


def test_always_is_always():
    assert reason("always", "12:00", on_battery=True) == ""


@pytest.mark.parametrize(
    ("when", "clock", "expected"),
    [
        ("22:00-07:00", "21:59:59", "until 22:00"),
        ("22:00-07:00", "22:00", ""),
        ("22:00-07:00", "00:00", ""),
        ("22:00-07:00", "06:59:59", ""),
        ("22:00-07:00", "07:00", "until 22:00"),
        ("09:30-17:00", "09:29", "until 09:30"),
        ("09:30-17:00", "12:00", ""),
        ("09:30-17:00", "17:00", "until 09:30"),
    ],
)
def test_hours_may_pass_midnight(when, clock, expected):
    assert reason(when, clock) == expected


def test_all_words_must_hold():
    assert reason("ac 22:00-07:00", "23:00") == ""
    assert reason("ac 22:00-07:00", "23:00", on_battery=True) == "for mains power"
    assert reason("22:00-07:00 ac", "12:00") == "until 22:00"


@pytest.mark.parametrize(
    "when", ["", "night", "25:00-07:00", "22:60-07:00", "22-7", "22:00", "ac,always"]
)
def test_other_words_are_refused(when):
    problem = settings()["hook.when"].problem(when)
    assert problem.startswith('must be "always", "ac" or hours such as "22:00-07:00"')


def supply(folder: Path, name: str, **facts: str) -> None:
    (folder / name).mkdir(parents=True)
    for fact, value in facts.items():
        (folder / name / fact).write_text(value + "\n")


def test_a_discharging_battery_without_mains_is_on_battery(tmp_path):
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    supply(tmp_path, "AC", type="Mains", online="0")
    assert is_on_battery(tmp_path)


def test_mains_and_usb_chargers_are_not(tmp_path):
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    supply(tmp_path, "ucsi-source", type="USB", online="1")
    assert not is_on_battery(tmp_path)


def test_the_battery_of_a_mouse_does_not_count(tmp_path):
    supply(tmp_path, "hid", type="Battery", status="Discharging", scope="Device")
    assert not is_on_battery(tmp_path)


def test_a_machine_that_tells_nothing_is_on_mains(tmp_path):
    assert not is_on_battery(tmp_path) and not is_on_battery(tmp_path / "none")
