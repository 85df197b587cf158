"""Of a hundred forms of secrets 95 are found, of a hundred clean lines two marked."""

from __future__ import annotations

import tomllib

import pytest

from repobuild.resources import data_folder
from repobuild.samples.dataset.secret_detection import find_secrets, redact
from repobuild.samples.dataset.secret_forms import form_pattern, tokens
from tests.benchmarks.secrets import CLEAN, TOKENS, forms, is_found

SECRET = "aB3" + "$xY7z%Qw" + "(9"
TOKEN = "dapi" + "3f9c" * 3 + "0a1b2c3d4e5f6a7b8c9d"


@pytest.mark.parametrize("seed", range(8))
def test_95_of_100_forms_are_found(seed: int) -> None:
    drawn = forms(100 + seed)
    missed = [form.line for form in drawn if not is_found(form)]
    assert len(drawn) >= 100
    assert len(missed) <= 0.05 * len(drawn), missed


def test_2_of_100_clean_lines_are_marked() -> None:
    assert len(set(CLEAN)) == len(CLEAN) >= 100
    marked = [line for line in CLEAN if find_secrets(line)]
    assert len(marked) <= 0.02 * len(CLEAN), marked


def test_every_kind_of_token_is_named_by_its_provider() -> None:
    """A token outside of any quotes or names counts by its form alone."""
    unnamed = [
        form.name
        for form in forms()[: len(TOKENS)]
        if not find_secrets(f"see {form.secret} there")
    ]
    assert unnamed == []


@pytest.mark.parametrize(
    "line",
    [
        "mask = '{}'", "x: str = f'{}' + y", "# {}.", "https://a.example/{}?x=1",
        "Bearer {}", "({})", "{}\\n", '"{}",', "<b>{}</b>", "a={}&b=2",
    ],
)  # fmt: skip
def test_a_token_is_replaced_and_the_rest_of_the_line_stays(line: str) -> None:
    assert redact(line.format(TOKEN)) == line.format("[secret: Databricks Token]")


def test_a_docstring_loses_the_token_only() -> None:
    text = f'"""Log in with {TOKEN}, as others do.\n\n    password = "{SECRET}"\n"""'
    assert redact(text) == (
        '"""Log in with [secret: Databricks Token], as others do.\n\n'
        '    password = "[secret: Secret Keyword]"\n"""'
    )


def test_a_secret_is_found_at_every_place_of_a_long_line() -> None:
    for before in (0, 1_900, 1_990, 2_000, 3_585, 9_999, 50_000):
        text = f'{"word " * (before // 5)}password = "{SECRET}" {TOKEN}'
        left = redact(text)
        assert SECRET not in left, before
        assert TOKEN not in left, before


def test_a_short_url_password_is_no_secret_elsewhere() -> None:
    found = find_secrets("redis://:hunter2@cache/0")
    assert list(found) == [":hunter2@"]


def test_lines_of_a_private_key_are_secrets_by_themselves() -> None:
    line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj" + "AgEAAoIBAQ"
    text = f"-----BEGIN {'PRIVATE'} KEY-----\n{line}\n-----END {'PRIVATE'} KEY-----"
    assert find_secrets(text)[line] == "Private Key"


def test_names_and_paths_in_keys_are_redacted() -> None:
    value = {f"src/{TOKEN}.py": [f"f_{TOKEN}"], "path": f"src/{TOKEN}.py"}
    assert TOKEN not in str(redact(value))


def test_placeholders_are_no_tokens() -> None:
    for text in (
        "ghp_" + "x" * 36, "dapi" + "0" * 32, "glpat-your-token-goes-here-please",
        "glrt-runner-authentication-token", "hf_" + "EXAMPLE" * 5,
    ):  # fmt: skip
        assert list(tokens(text)) == [], text


def test_every_form_of_the_list_can_be_read() -> None:
    path = data_folder("configs") / "secrets.toml"
    listed = tomllib.loads(path.read_text("utf-8"))["tokens"]
    assert len(listed) >= 70
    for form in (form for kind in listed.values() for form in kind):
        assert form_pattern(form)
    assert form_pattern("a.b_{hex:4}{digits:2+}") == r"a\.b[_-][0-9a-f]{4}[0-9]{2,}"
    with pytest.raises(ValueError, match='unknown class "hexa"'):
        form_pattern("a{hexa:3}")
