"""Settings are read in layers, and mistakes are named with a hint."""

from __future__ import annotations

import tomllib

import pytest

from repobuild.cli.init import commented
from repobuild.errors import UsageError
from repobuild.resources import data_folder
from repobuild.settings import flatten, preset_settings, read_settings


def test_without_a_file_the_defaults_hold(tmp_path):
    settings = read_settings(tmp_path)
    assert settings["preset"] == "tiny"
    assert settings["project.languages"] == ["python", "markdown"]


def test_a_preset_overrides_defaults_and_the_file_overrides_both(tmp_path):
    (tmp_path / "repobuild.toml").write_text(
        'preset = "qwen3-8b"\n[adapter]\nrank = 8\n'
    )
    settings = read_settings(tmp_path)
    assert settings["base.model"] == "Qwen/Qwen3-8B"
    assert settings["adapter.rank"] == 8


def test_every_preset_names_only_known_settings():
    known = flatten(
        tomllib.loads((data_folder("configs") / "defaults.toml").read_text())
    )
    for path in (data_folder("configs") / "presets").glob("*.toml"):
        assert set(preset_settings(path.stem)) <= set(known), path


def test_an_unknown_key_is_named_with_the_nearest(tmp_path):
    (tmp_path / "repobuild.toml").write_text("[adapter]\nrnak = 8\n")
    with pytest.raises(
        UsageError, match=r'"adapter.rnak".*did you mean "adapter.rank"'
    ):
        read_settings(tmp_path)


def test_a_value_of_another_type_is_refused(tmp_path):
    (tmp_path / "repobuild.toml").write_text('[adapter]\nrank = "big"\n')
    with pytest.raises(UsageError, match='"adapter.rank" .* must be of type int'):
        read_settings(tmp_path)


def test_a_whole_number_is_a_float_but_true_is_no_number(tmp_path):
    (tmp_path / "repobuild.toml").write_text("[adapter]\nepochs = 2\n")
    assert read_settings(tmp_path)["adapter.epochs"] == 2
    (tmp_path / "repobuild.toml").write_text("[adapter]\nrank = true\n")
    with pytest.raises(UsageError):
        read_settings(tmp_path)


def test_unparsable_toml_is_reported_with_its_line(tmp_path):
    (tmp_path / "repobuild.toml").write_text("[adapter\nrank = 8\n")
    with pytest.raises(UsageError, match="line 1"):
        read_settings(tmp_path)


def test_a_file_that_is_not_utf8_is_a_clear_error(tmp_path):
    (tmp_path / "repobuild.toml").write_bytes(b'preset = "\xff"')
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path)


def test_an_unknown_preset_is_named_with_the_known_ones(tmp_path):
    (tmp_path / "repobuild.toml").write_text('preset = "tinny"\n')
    with pytest.raises(UsageError, match='did you mean "tiny".*\nknown presets: '):
        read_settings(tmp_path)


def test_what_init_writes_can_be_read_and_changes_nothing(tmp_path):
    before = read_settings(tmp_path)
    defaults = (data_folder("configs") / "defaults.toml").read_text()
    (tmp_path / "repobuild.toml").write_text(commented(defaults, "tiny"))
    assert read_settings(tmp_path) == before
