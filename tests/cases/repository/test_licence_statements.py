"""Each file's licence is the one that its authors state, in any of the usual forms."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from repobuild.cli import build as build_verb
from repobuild.code.licence.detect import (
    UNKNOWN,
    is_statement,
    licence_of_file,
    licence_of_header,
)
from repobuild.code.licence.reuse import ReuseFiles
from tests.code.test_licence import GPL, MIT, built
from tests.fakes import MemoryView
from tests.repository import Repository
from tests.standard import Standard

TAG = "SPDX-License-Identifier"


def annotation(paths: str, licence: str, more: str = "") -> str:
    return f"[[annotations]]\npath = {paths}\n{TAG} = {licence}\n{more}\n"


def licences_of(files: dict[str, str]) -> dict[str, str]:
    rows = built(MemoryView(), files)
    return {
        path: f"{row['licence']} {row['source']}".strip()
        for path, row in rows.items()
        if path.endswith(".py")
    }


def test_reuse_toml_names_the_licence_of_the_files_below_it() -> None:
    text = "version = 1\n\n" + annotation('"pkg/**"', '"MIT"')
    files = {"REUSE.toml": text, "LICENSES/MIT.txt": MIT, "pkg/a.py": "", "b.py": ""}
    assert licences_of(files) == {"pkg/a.py": "MIT REUSE.toml", "b.py": UNKNOWN}


def test_the_last_annotation_and_the_nearest_file_win() -> None:
    files = {
        "REUSE.toml": annotation('"**"', '"MIT"') + annotation('"p/*.py"', '"ISC"'),
        "p/q/REUSE.toml": annotation('"r/*"', '["Zlib", "MIT"]'),
        "a.py": "",
        "p/b.py": "",
        "p/q/c.py": "",
        "p/q/r/d.py": "",
    }
    assert licences_of(files) == {
        "a.py": "MIT REUSE.toml",
        "p/b.py": "ISC REUSE.toml",
        "p/q/c.py": "MIT REUSE.toml",
        "p/q/r/d.py": "MIT AND Zlib p/q/REUSE.toml",
    }


@pytest.mark.parametrize(
    ("precedence", "licence"),
    [
        ("closest", "ISC a.py"),
        ("aggregate", "ISC AND MIT a.py"),
        ("override", "MIT REUSE.toml"),
    ],
)
def test_precedence_says_how_a_header_counts(precedence: str, licence: str) -> None:
    more = f'precedence = "{precedence}"'
    text = annotation('["a.py"]', '"MIT"', more)
    assert licences_of({"REUSE.toml": text, "a.py": f"# {TAG}: ISC\n"}) == {
        "a.py": licence
    }


def test_the_older_form_of_reuse_is_read() -> None:
    dep5 = "Format: x\n\nFiles: *\nLicense: MIT\n\nFiles: p/?.py\n q/*\nLicense: ISC\n"
    files = {
        ".reuse/dep5": dep5,
        "a.py": "",
        "p/b.py": "",
        "p/cc.py": "",
        "q/r/d.py": "",
    }
    assert licences_of(files) == {
        "a.py": "MIT .reuse/dep5",
        "p/b.py": "ISC .reuse/dep5",
        "p/cc.py": "MIT .reuse/dep5",
        "q/r/d.py": "ISC .reuse/dep5",
    }


def test_a_companion_stands_for_a_header() -> None:
    files = {"LICENSE": MIT, "a.py": "", "a.py.license": f"{TAG}: GPL-3.0-only\n"}
    assert licences_of(files) == {"a.py": "GPL-3.0-only a.py.license"}


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        (f"# {TAG}: MIT\n# {TAG}: GPL-3.0-only\n", "GPL-3.0-only AND MIT"),
        (f"# {TAG}: MIT\n# {TAG}: MIT\n", "MIT"),
        (f"# {TAG}: MIT OR ISC\n# {TAG}: Zlib\n", "(MIT OR ISC) AND Zlib"),
        (f"# {TAG}: MIT\n# {TAG}: Our own\n", UNKNOWN),
        (f"/*\n * {TAG}: MIT\n * {TAG}: ISC\n */\n", "ISC AND MIT"),
        (f'"""\n{TAG}: MIT\n"""\n', "MIT"),
        (f'HEADER = "# {TAG}: GPL-3.0-only"\n', ""),
        (f"HEADER = '''\n# {TAG}: GPL-3.0-only\n'''\n", ""),
        (f'x = 1\n"""\n{TAG}: GPL-3.0-only\n"""\n', ""),
        (f'"""Write headers such as\n\n    # {TAG}: GPL-3.0-only\n"""\n', ""),
        (f"const header = `\n// {TAG}: GPL-3.0-only\n`\n", ""),
        (f'#define HEADER "{TAG}: GPL-3.0-only"\n', ""),
        (f"# Files need a line `{TAG}: GPL-3.0-only`.\n", ""),
        (f"# Usage\n\n```\n# {TAG}: GPL-3.0-only\n```\n", ""),
        (
            f"# REUSE-IgnoreStart\n# {TAG}: ISC\n# REUSE-IgnoreEnd\n# {TAG}: MIT\n",
            "MIT",
        ),
        (f"<!--\n{TAG}: MIT\n-->\n# Title\n", "MIT"),
    ],
)
def test_a_header_is_a_comment_and_all_its_lines_count(text: str, licence: str) -> None:
    assert licence_of_header(text.encode()) == licence


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"\n', "MIT OR Apache-2.0"),
        ("Cargo.toml", '[package]\nlicense = "MIT / ISC"\n', "MIT OR ISC"),
        ("package.json", '{"license": "UNLICENSED"}', UNKNOWN),
        ("MIT-LICENSE", MIT, "MIT"),
        ("MIT-LICENSE.txt", MIT, "MIT"),
        ("GPL_LICENSE", GPL, "GPL-3.0-only"),
    ],
)
def test_the_forms_of_other_ecosystems_are_known(
    name: str, text: str, licence: str
) -> None:
    assert is_statement(name)
    assert licence_of_file(name, text.encode()) == licence


def test_texts_of_other_peoples_licences_state_nothing() -> None:
    assert not is_statement("THIRD-PARTY-LICENSES.txt")
    assert not is_statement("test-license")


def test_an_update_of_reuse_files_equals_a_full_build() -> None:
    chance = random.Random(5)
    texts = [
        annotation('"**"', '"MIT"'),
        annotation('"q/**"', '"ISC"', 'precedence = "override"'),
        annotation('["*.py"]', '["Zlib"]', 'precedence = "aggregate"'),
        "Files: *\nLicense: MIT\n",
        f"# {TAG}: ISC\n",
        "[[annotations",
        "",
    ]
    paths = ["REUSE.toml", "p/REUSE.toml", ".reuse/dep5", "p/.reuse/dep5", "LICENSE"]
    paths += ["a.py", "a.py.license", "p/b.py", "p/q/c.py", "p/q/c.py.license"]
    view, files = MemoryView(), {"a.py": "", "p/b.py": "", "p/q/c.py": ""}
    for _ in range(120):
        path = chance.choice(paths)
        if chance.random() < 0.3:
            files.pop(path, None)
        else:
            files[path] = chance.choice(texts)
        if files:
            assert built(view, files) == built(MemoryView(), files)


def test_a_hostile_pattern_takes_no_time() -> None:
    text = annotation('"' + "*a" * 400 + '*b"', '"MIT"') * 100
    reuse = ReuseFiles({"REUSE.toml": text.encode()}.get)
    assert reuse.term("a" * 200) is None


def test_a_build_warns_of_licences_that_a_deny_list_cannot_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(tmp_path / "repository")
    code = 'def f(x):\n    """Give the first of several things back."""\n    return x\n'
    repository.commit({"a.py": code, "b.py": f"# {TAG}: MIT\n{code}"})
    for patterns, said, dropped in (
        (["GPL-*"], True, False),
        (["GPL-*", UNKNOWN], False, True),
        ([], False, False),
    ):
        settings: dict[str, Any] = {"samples.deny_licences": patterns}
        name = f"state {len(patterns)}"
        standard = Standard(repository.git, tmp_path / name, **settings)
        standard.build("dataset")
        lines: list[str] = []
        monkeypatch.setattr(build_verb, "print_message", lines.append)
        assert standard.last
        build_verb._warn_of_unknown_licences(standard.last)
        assert bool(lines) == said
        assert not said or '"a.py"' in lines[0] and UNKNOWN in lines[0]
        reasons = {
            row.get("dropped")
            for key, row in standard.table("dataset").entries()
            if key.startswith("a.py::f#")
        }
        assert (f"licence: {UNKNOWN}" in reasons) == dropped
        standard.close()
