"""Secrets are found with their kind, and code that only resembles one is kept.

The secrets are generated when a test runs, so that no scanner reports this file.
"""

from __future__ import annotations

import base64
import json
import random
import string
import subprocess
import sys
from pathlib import Path

import pytest

from repobuild.cli.main import run
from repobuild.samples.dataset.secret_detection import find_secrets, redact
from repobuild.samples.export.dataset_files import DATASET_FORMATS
from tests.benchmarks.secrets import CLEAN
from tests.repository import Repository

ROOT = Path(__file__).parents[2]
CHANCE = random.Random(5)
ALPHANUMERIC = string.ascii_letters + string.digits


def chars(count: int, letters: str = ALPHANUMERIC) -> str:
    return "".join(CHANCE.choice(letters) for _ in range(count))


def jwt() -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890"})
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return ".".join([text.decode().rstrip("=") for text in texts] + [chars(43)])


HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
PASSWORD = "tR7" + "!vQ2" + "#zK9x"
PLANTED = {
    "AWS Access Key": f'key = "{"AK" + "IA" + chars(16, UPPER)}"',
    "AWS Access Key ": f'aws_secret_key = "{chars(40)}"',
    "GitHub Token": f'connect("{"gh" + "p_" + chars(36)}")',
    "GitHub Token ": f"use {'github' + '_pat_' + chars(82)} for it",
    "GitLab Token": f"TOKEN={'gl' + 'pat-' + chars(20)}",
    "Slack Token": f'post("{"xo" + "xb-"}{chars(12, string.digits)}-{chars(24)}")',
    "Stripe Access Key": f'stripe.key("{"sk" + "_live_" + chars(24)}")',
    "Private Key": f"-----BEGIN RSA {'PRIVATE'} KEY-----\n{chars(64)}",
    "Private Key ": f"-----BEGIN ENCRYPTED {'PRIVATE'} KEY-----\n{chars(64)}",
    "JSON Web Token": f"Authorization: Bearer {jwt()}",
    "Basic Auth Credentials": f"postgres://admin:{chars(12)}@db.internal/main",
    "NPM tokens": f"//registry.npmjs.org/:_authToken={'np' + 'm_' + chars(36)}",
    "NPM tokens ": f"login {'np' + 'm_' + chars(36)}",
    "Azure Storage Account access key": f'"Account{"Key"}={chars(86)}=="',
    "Twilio API Key": f'Client("{"S" + "K" + chars(32, HEX)}")',
    "SendGrid API Key": f'Mail("{"S" + "G." + chars(22) + "." + chars(43)}")',
    "Mailchimp Access Key": f'chimp("{chars(32, HEX) + "-us" + "12"}")',
    "PyPI Token": f"password: {'py' + 'pi-AgEI' + 'cHlwaS5vcmc' + chars(90)}",
    "OpenAI Token": f'open("{"sk" + "-" + chars(20) + "T3Blbk" + "FJ" + chars(20)}")',
    "Telegram Bot Token": f'Bot("{chars(9, "123456789")}:{chars(35)}")',
    "Discord Bot Token": f"run {'M' + chars(23)}.{chars(6)}.{chars(27)}",
    "Google API Key": f'maps("{"AI" + "za" + chars(35)}")',
    "Hugging Face Token": f'login("{"hf" + "_" + chars(34)}")',
    "Anthropic API Key": f'Client("{"sk" + "-ant-" + chars(60)}")',
    "Secret Keyword": f'password = "{PASSWORD}"',
    "Secret Keyword ": f"if '{PASSWORD}' == my_password:",
    "Secret Keyword  ": f"connect(host, db_password='{PASSWORD}')",
    "Secret Keyword   ": f'{{"client_secret": "{chars(32, HEX)}"}}',
    "Secret Keyword    ": f"export SECRET_KEY={chars(32)} # of the site",
    "Base64 High Entropy String": f'sign("{chars(44)}")',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_secret_is_found_by_its_kind(kind: str) -> None:
    text = f"Look at this:\n{PLANTED[kind]}\nand no further."
    assert kind.strip() in find_secrets(text).values()


@pytest.mark.parametrize("text", [*CLEAN, ""])
def test_an_innocent_line_is_not_a_secret(text: str) -> None:
    assert find_secrets(text) == {}


def test_a_withheld_secret_is_replaced_in_nested_data() -> None:
    value = {"code": f'a = 1\npassword = "{PASSWORD}"', "rows": [3, f"`{PASSWORD}`"]}
    assert redact(value) == {
        "code": 'a = 1\npassword = "[secret: Secret Keyword]"',
        "rows": [3, "`[secret: Secret Keyword]`"],
    }


@pytest.mark.parametrize("kind", PLANTED)
def test_nothing_of_a_planted_secret_is_left(kind: str) -> None:
    left = redact(f"Look at this:\n{PLANTED[kind]}\nand no further.")
    assert not any(secret in left for secret in find_secrets(PLANTED[kind]))
    assert PLANTED[kind].splitlines()[-1] not in left
    assert find_secrets(left) == {}


def test_a_key_block_in_one_line_without_its_first_dashes_is_replaced_whole() -> None:
    body = "YYXwSLQcWtxJTQr1FqXSTs98vPlL2aEJXquQrDs0GPRZwwrPwV81Aw71l33SCx9v"
    assert body not in redact(f"BEGIN RSA PRIVATE KEY----- {body} {body[::-1]}")


def test_a_long_line_does_not_take_quadratic_time() -> None:
    for line in ("a1" * 100_000, "password = " * 20_000, "=" * 200_000, '"' * 200_000):
        find_secrets(line)


def test_ordinary_code_does_not_import_the_library() -> None:
    name = find_secrets.__name__
    code = (
        f"import sys; from {find_secrets.__module__} import {name}; "
        f"{name}('def f(password, key=None):\\n    return password[key]'); "
        "sys.exit('detect_secrets' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def holding(number: int, planted: str, value: str = "a") -> str:
    """Return a module with a secret in docstring, default, body and comment."""
    return (
        f'"""Reads server {number}.\n\nCalled with {planted} in tests.\n"""\n\n\n'
        f"def connect{number}(host: str, port: int = 80, said: str = {planted!r}):\n"
        f'    """Open a connection to a server of kind {number}.\n\n'
        f'    Use {planted} for it.\n    """\n'
        f"    # {planted}\n    first = host.strip()\n    second = first.lower()\n"
        f"    third = second + {planted!r}\n    return third, {value!r}\n"
    )


def test_no_planted_secret_reaches_what_a_user_reads(
    repository: Repository, tmp_path: Path, monkeypatch, capfd
) -> None:
    """Check printed text, events and every export, with every kind of secret."""
    out = tmp_path / "out"
    values = {
        secret: kind
        for planted in PLANTED.values()
        for secret, kind in find_secrets(planted).items()
        if kind != "Private Key"
    }
    body = [line for text in PLANTED.values() for line in text.splitlines()[1:]]
    planted = [text.splitlines()[0] for text in PLANTED.values()]
    files = {f"kind{n}.py": holding(n, text) for n, text in enumerate(planted)}
    files |= {
        "README.md": "# Servers\n\n" + "\n\n".join(PLANTED.values()),
        "keys.md": "# Keys\n\n```\n" + "\n".join(PLANTED.values()) + "\n```\n",
        "broken.py": f'def broken({planted[0]}:\n    password = "{PASSWORD}\n',
    }
    repository.commit(files)
    monkeypatch.chdir(repository.path)
    assert run(["build", "--until", "dataset"]) == 0
    again = {f"kind{n}.py": holding(n, t, "b") for n, t in enumerate(planted)}
    repository.commit(again | {"keys.md": "# Keys\n\nNone."})
    keys = ["README.md", "keys.md", *(f"kind{n}.py" for n in range(len(planted)))]
    keys += [f"kind{n}.py::connect{n}" for n in range(len(planted))]
    for arguments in (
        ["build", "--until", "dataset"],
        ["build", "--until", "dataset", "--dry-run"],
        ["verify", "--samples"],
        ["show", "dataset"],
        ["export", "facts", "-o", str(out / "facts")],
        ["export", "graph", "-o", str(out / "graph")],
        *(
            ["export", "dataset", "-o", str(out / form), "--format", form]
            for form in DATASET_FORMATS
        ),
        *([verb, key, "--json"] for verb in ("show", "why") for key in keys),
        *([verb, key] for verb in ("show", "why") for key in keys[:4]),
        ["why", "dataset"],
    ):
        # A file with a syntax error may well hold a claim that cannot be checked.
        assert run(arguments) in ((0, 1) if "verify" in arguments else (0,)), arguments
    printed = capfd.readouterr()
    written = {path: _text(path) for path in out.rglob("*.*") if path.is_file()}
    written[Path("events")] = (
        repository.path / ".git/repobuild/events.jsonl"
    ).read_text()
    written |= {Path("printed"): printed.out, Path("errors"): printed.err}
    assert len(written) > 15
    assert "[secret: " in printed.out
    for path, text in written.items():
        shown = [f"{kind} in {path}" for value, kind in values.items() if value in text]
        shown += [f"key block in {path}" for line in body if line in text]
        assert not shown
    found = json.loads((out / "seed" / "metadata.json").read_text())["dropped"]
    assert len([why for why in found if why.startswith("secret: ")]) >= 12


def _text(path: Path) -> str:
    if path.suffix != ".parquet":
        return path.read_text("utf-8")
    from pyarrow.parquet import read_table

    return json.dumps(read_table(path).to_pylist())
