"""Settings are read in layers, checked before anything runs, and mistakes are named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from repobuild.errors import UsageError
from repobuild.resources import data_folder
from repobuild.settings import (
    preset_settings,
    read_layers,
    use_command_line,
    variable_of,
)
from repobuild.settings_schema import defaults, settings, settings_file

PLENTY = "9" * 5000


def read_settings(root: Path) -> dict[str, object]:
    return read_layers(root).merged()


def refuse(root: Path, text: str | bytes, match: str) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (root / "repobuild.toml").write_bytes(content)
    with pytest.raises(UsageError, match=match):
        read_settings(root)


@pytest.fixture
def user(tmp_path, monkeypatch) -> Path:
    """The path of the user's own file, in a home of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home/repobuild.toml"


# --------------------------------------------------------------------------- layers


def test_without_a_file_the_defaults_hold(tmp_path):
    settings = read_settings(tmp_path)
    assert settings["preset"] == "tiny"
    assert settings["project.languages"] == "auto"


def test_a_preset_overrides_defaults_and_the_file_overrides_both(tmp_path):
    (tmp_path / "repobuild.toml").write_text(
        'preset = "qwen3-8b"\n[adapter]\nrank = 8\n'
    )
    settings = read_settings(tmp_path)
    assert settings["base.model"] == "Qwen/Qwen3-8B"
    assert settings["adapter.rank"] == 8


def test_each_layer_overrides_the_one_below(tmp_path, user, monkeypatch):
    (tmp_path / "repobuild.toml").write_text("[adapter]\nrank = 1\n")
    assert read_settings(tmp_path)["adapter.rank"] == 1
    user.write_text("[adapter]\nrank = 2\n")
    assert read_settings(tmp_path)["adapter.rank"] == 2
    monkeypatch.setenv("REPOBUILD_ADAPTER_RANK", "3")
    assert read_settings(tmp_path)["adapter.rank"] == 3
    with use_command_line(["adapter.rank=4"]):
        assert read_settings(tmp_path)["adapter.rank"] == 4
        with use_command_line(["adapter.rank=5"]):
            assert read_settings(tmp_path)["adapter.rank"] == 5
    assert read_settings(tmp_path)["adapter.rank"] == 3


def test_the_users_preset_lies_below_the_repositorys_file(tmp_path, monkeypatch):
    (tmp_path / "repobuild.toml").write_text("[adapter]\nrank = 8\n")
    monkeypatch.setenv("REPOBUILD_PRESET", "qwen3-8b")
    assert read_settings(tmp_path)["adapter.rank"] == 8
    assert read_settings(tmp_path)["base.model"] == "Qwen/Qwen3-8B"


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("adapter.margin=2", "adapter.margin", 2),
        ("adapter.bf16=false", "adapter.bf16", False),
        ('samples.languages=["en"]', "samples.languages", ["en"]),
        ("split.salt=2", "split.salt", "2"),
        ("project.name=a b", "project.name", "a b"),
        ('project.name="a b"', "project.name", "a b"),
        ("project.name=", "project.name", ""),
        ("project.name=a\n[x]", None, None),
        ("adapter.rank=3\nvalue2 = 4", None, None),
        ("adapter.rank", None, None),
        ("adapter.rank=" + PLENTY, None, None),
        ("project.name=\udcff", None, None),
    ],
)
def test_a_value_on_the_command_line_is_toml_or_else_text(tmp_path, text, name, value):
    with use_command_line([text]):
        if name is None:
            with pytest.raises(UsageError):
                read_settings(tmp_path)
        else:
            found = read_settings(tmp_path)[name]
            assert (found, type(found)) == (value, type(value))


def test_every_setting_has_a_variable_of_its_own():
    assert len({variable_of(name) for name in settings()}) == len(settings())


def test_a_misspelt_variable_is_named_and_others_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("REPOBUILD_VERSION", "7")
    monkeypatch.setenv("REPOBUILD_EXAMPLES", "7")
    read_settings(tmp_path)
    for name in ("REPOBUILD_ADAPTER_RNAK", "REPOBUILD_ADAPTR_RANK"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "7")
            with pytest.raises(UsageError, match="did you mean REPOBUILD_ADAPTER_RANK"):
                read_settings(tmp_path)


def test_a_home_that_is_no_absolute_path_is_none(tmp_path, monkeypatch):
    """Else a folder "~" of the analysed repository would be the user's own."""
    for folder in ("~/.config", "home"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "repobuild.toml").write_text("[adapter]\nrank = 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", "home")
    monkeypatch.setenv("HOME", "~")
    assert read_settings(tmp_path)["adapter.rank"] == defaults()["adapter.rank"]


# --------------------------------------------------------------------------- mistakes


def test_every_preset_names_only_known_settings():
    for path in (data_folder("configs") / "presets").glob("*.toml"):
        assert set(preset_settings(path.stem)) <= set(defaults()), path


def test_every_default_fits_its_own_schema():
    assert [s.name for s in settings().values() if s.problem(s.default)] == []
    assert [s.name for s in settings().values() if s.is_power(s.default)] == []


def test_an_unknown_key_is_named_with_the_nearest(tmp_path):
    refuse(
        tmp_path,
        "[adapter]\nrnak = 8\n",
        r'"adapter.rnak".*did you mean "adapter.rank"',
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("adapter.epochs", "adapter.mastery"),
        ("adapter.max_tokens", "adapter.budget"),
        ("adapter.rehearsal", "adapter.keep"),
        ("adapter.replay", "adapter.review"),
        ("adapter.least_replay", "adapter.review"),
        ("adapter.continue_rounds", "adapter.mastery"),
        ("adapter.continue_epochs", "adapter.mastery"),
        ("adapter.continue_samples", "adapter.budget"),
    ],
)
def test_a_setting_of_an_earlier_version_is_refused_with_what_took_its_place(
    tmp_path, monkeypatch, old, new
):
    said = f'"{old}" .*: "{new}" took its place\n{settings()[new].description}'
    with use_command_line([f"{old}=1"]), pytest.raises(UsageError, match=said):
        read_settings(tmp_path)
    with monkeypatch.context() as environment:
        environment.setenv(f"REPOBUILD_{old.upper().replace('.', '_')}", "1")
        with pytest.raises(UsageError, match=said):
            read_settings(tmp_path)
    refuse(tmp_path, f"{old} = 1", said)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('adapter.rank = "big"', 'a whole number from 1 to 4,096, not "big"'),
        ("adapter.rank = 4.0", "a whole number from 1 to 4,096, not 4.0"),
        ("adapter.rank = true", "a whole number from 1 to 4,096, not true"),
        ("adapter.rank = -1", "a whole number from 1 to 4,096, not -1"),
        ("adapter.rank = {}", "a whole number"),
        ("adapter.rank.x = 1", 'unknown key "adapter.rank.x"'),
        ("adapter = 1", '"adapter" .* is a table of settings'),
        ("adapter.dropout = nan", "a number from 0 below 1, not NaN"),
        ("adapter.margin = inf", "a number from 0 to 100, not Infinity"),
        ("adapter.bf16 = 1", "true or false, not 1"),
        ("project.max_file_bytes = -1", "1,000,000,000,000 bytes, not -1"),
        ('adapter.packing = "pakced"', 'did you mean "packed"'),
        ('adapter.strategy = "dora"', 'or "lora", not "dora"'),
        ('samples.tasks = ["api_usge"]', 'did you mean "api_usage"'),
        ('samples.languages = ["english"]', "must name some of en, zh"),
        ('project.languages = ["pyhton"]', 'did you mean "python"'),
        ('project.languages = "python"', 'a list of entries, each .*, not "python"'),
        ("project.exclude = [1]", "a list of entries"),
        ('project.name = "a\\nb"', "one line of text"),
        ('project.name = "a\\n"', "one line of text"),
        ('project.name = "\\u0000"', "one line of text"),
        ('project.name = "\\u202e"', "one line of text"),
        ('cache.max_size = "-1G"', 'a size such as "500M"'),
        ("split.salt = 1979-05-27", "one line of text"),
        ("adapter.seed = 99999999999999999999", "a whole number from 0"),
        ('preset = "tinny"', 'did you mean "tiny"'),
        ('preset = "../defaults"', "must name one of gemma-3-1b, "),
        ("preset = 1", "one line of text"),
        ('"a\\u001b[2Jb" = 1', r'unknown key "a\\u001b\[2Jb"'),
        ("root = '/'", 'unknown key "root"'),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_can(tmp_path, text, match):
    refuse(tmp_path, text, match)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[adapter\nrank = 8\n", "line 1"),
        (b'preset = "\xff"', "cannot be read"),
        (b"\0", "cannot be read"),
        (f"[adapter]\nrank = {PLENTY}", "cannot be read"),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("x = " + "{a=" * 5000, "nested too deeply"),
        (".".join("a" * 40) + " = 1", "more than 16 dots"),
        ('"b"."c" . ' * 1 + " . ".join(["'a'"] * 40) + " = 1", "more than 16 dots"),
        ("# " + "x" * (1 << 20), "more than 1,048,576 bytes"),
    ],
)
def test_a_file_that_is_no_toml_is_a_clear_error(tmp_path, content, match):
    refuse(tmp_path, content, match)


def test_a_file_of_many_long_keys_takes_no_time(tmp_path):
    from time import perf_counter

    start = perf_counter()
    refuse(tmp_path, "\n".join([".".join("a" * 16_000) + "=1"] * 30), "dots")
    refuse(tmp_path, "a" * 1_000_000, "cannot be read")
    assert perf_counter() - start < 2


def test_a_file_that_cannot_be_read_is_no_missing_one(tmp_path):
    path = tmp_path / "repobuild.toml"
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read: is a directory"):
        read_settings(tmp_path)
    path.rmdir()
    path.symlink_to(tmp_path / "nothing")
    with pytest.raises(UsageError, match="cannot be read: no such file or directory"):
        read_settings(tmp_path)


def test_a_mark_of_the_byte_order_is_read_over(tmp_path):
    (tmp_path / "repobuild.toml").write_bytes(b"\xef\xbb\xbf[adapter]\nrank = 8\n")
    assert read_settings(tmp_path)["adapter.rank"] == 8


@pytest.mark.parametrize(
    "text", ["adapter = 3", "adapter = []", "[[adapter]]\nrank = 3"]
)
def test_a_value_for_a_whole_section_says_how_sections_are_written(tmp_path, text):
    refuse(tmp_path, text + "\n", r"is a table of settings.*\n.*write \[adapter\]")


def test_one_name_in_place_of_a_list_says_how_a_list_is_written(tmp_path):
    refuse(tmp_path, '[project]\nlanguages = "go"\n', r': write \["go"\]')


def test_a_preset_is_one_name(tmp_path):
    refuse(tmp_path, 'preset = "tinny"\n', 'must name one of .*did you mean "tiny"')


@pytest.mark.parametrize("name", ["code_lines", "answer"])
def test_bounds_that_let_nothing_through_are_refused(tmp_path, name):
    text = f"[samples]\nmin_{name} = 5000\nmax_{name} = 10\n"
    refuse(tmp_path, text, f'"samples.min_{name}" is 5,000, more than .*with 10')


def test_an_override_without_a_name_says_how_one_is_written(tmp_path):
    with use_command_line(["=3"]):
        with pytest.raises(UsageError, match="names no setting\nwrite -c NAME=VALUE"):
            read_settings(tmp_path)


def test_a_default_is_shown_as_toml(tmp_path):
    refuse(
        tmp_path, "[build]\ngoals = 3\n", r'by default \["report", "merged", "areas"\]'
    )


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "repobuild.toml")
    assert read_settings(tmp_path)["preset"] == "tiny"


def test_a_whole_number_for_a_float_stays_one_because_it_enters_keys(tmp_path):
    (tmp_path / "repobuild.toml").write_text("[adapter]\nmargin = 2\n")
    assert type(read_settings(tmp_path)["adapter.margin"]) is int


def test_an_empty_section_is_no_mistake(tmp_path):
    (tmp_path / "repobuild.toml").write_text("[adapter]\n[log]\n")
    assert read_settings(tmp_path)["adapter.rank"] == 64


@pytest.mark.parametrize("preset", ["tiny", "qwen3-8b"])
def test_what_init_writes_can_be_uncommented_and_changes_nothing(tmp_path, preset):
    file = tmp_path / "repobuild.toml"
    file.write_text(f'preset = "{preset}"\n')
    before = read_settings(tmp_path)
    lines = settings_file(preset, preset_settings(preset)).splitlines()
    file.write_text("\n".join(lines))
    assert read_settings(tmp_path) == before
    written = [line[2:] if " = " in line and line[0] == "#" else line for line in lines]
    file.write_text("\n".join(written))
    assert read_settings(tmp_path) == before
    assert sum(" = " in line for line in lines) == len(settings())
