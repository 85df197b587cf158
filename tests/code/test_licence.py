"""Headers, manifests and texts state licences; each file has the nearest one."""

from __future__ import annotations

import random
from email.parser import Parser
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from repobuild.code.licence.detect import (
    UNKNOWN,
    is_statement,
    licence_of_file,
    licence_of_header,
    licence_of_text,
    spdx_expression,
)
from repobuild.code.licence.licences import licences
from tests.fakes import MemoryView

MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy of \
it, provided that the above copyright notice and this permission notice are kept."
GPL = "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n"
LESSER = "GNU LESSER GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007\n"


@pytest.mark.parametrize(
    ("line", "licence"),
    [
        ("# SPDX-License-Identifier: mit", "MIT"),
        ("/* SPDX-License-Identifier: GPL-2.0 */", "GPL-2.0-only"),
        ("// SPDX-License-Identifier: GPL-2.0+ OR mit", "GPL-2.0-or-later OR MIT"),
        ("<!-- SPDX-License-Identifier: CC0-1.0 -->", "CC0-1.0"),
        ("# SPDX-License-Identifier: LicenseRef-Ours", "LicenseRef-Ours"),
        ("# SPDX-License-Identifier: Our Own", UNKNOWN),
        (
            " * SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note",
            "GPL-2.0-only WITH Linux-syscall-note",
        ),
        ("# a file", ""),
        ("\n" * 5000 + "# SPDX-License-Identifier: MIT", ""),
    ],
)
def test_a_header_names_the_licence_of_its_file(line: str, licence: str) -> None:
    assert licence_of_header(f"#!/bin/sh\n{line}\nx = 1\n".encode()) == licence


@pytest.mark.parametrize(
    ("name", "text", "licence"),
    [
        ("LICENSE", MIT, "MIT"),
        ("COPYING", GPL, "GPL-3.0-only"),
        ("LICENSE", "All rights reserved.", UNKNOWN),
        ("license.md", "The project's licence is a free one.", ""),
        (
            "pyproject.toml",
            '[project]\nlicense = "mit or Apache-2.0"',
            "MIT OR Apache-2.0",
        ),
        (
            "pyproject.toml",
            '[project]\nlicense = {text = "BSD 3-Clause"}',
            "BSD-3-Clause",
        ),
        ("pyproject.toml", '[project]\nlicense = {file = "LICENSE"}', ""),
        (
            "pyproject.toml",
            "[project]\nclassifiers = ['Topic :: X', 'License :: OSI Approved :: "
            "GNU Lesser General Public License v3 or later (LGPLv3+)']",
            "LGPL-3.0-or-later",
        ),
        ("pyproject.toml", '[tool.poetry]\nlicense = "Apache 2.0"', "Apache-2.0"),
        ("pyproject.toml", "[project", ""),
        ("pyproject.toml", 'project = "x"\npackage = [1]', ""),
        ("package.json", '{"license": "ISC"}', "ISC"),
        ("package.json", '{"license": {"type": "MIT"}}', "MIT"),
        ("package.json", "[1]", ""),
        ("Cargo.toml", '[package]\nlicense = "MIT OR Apache-2.0"', "MIT OR Apache-2.0"),
    ],
)
def test_a_file_names_the_licence_of_its_folder(
    name: str, text: str, licence: str
) -> None:
    assert is_statement(name)
    assert licence_of_file(name, text.encode()) == licence


def test_only_licence_files_and_manifests_are_read() -> None:
    for name in (
        "LICENCE.txt",
        "license-mit",
        "COPYING.LESSER",
        "UNLICENSE",
        "LICENSES",
    ):
        assert is_statement(name)
    for name in (
        "license.py",
        "licenses.json",
        "setup.py",
        "licensing.md",
        "README.md",
    ):
        assert not is_statement(name)


def test_an_expression_unknown_to_spdx_is_empty() -> None:
    assert (
        spdx_expression("BSD") == spdx_expression("MIT OR") == spdx_expression("") == ""
    )


def test_texts_of_installed_packages_match_their_metadata() -> None:
    """Count packages of one licence only; others have one text for each."""
    wrong, right = [], 0
    for package in distributions():
        declared = Parser().parsestr(package.read_text("METADATA") or "")
        licence = declared["License-Expression"] or ""
        for path in package.files or ():
            own = path.parts[-3:-1] == (path.parts[0], "licenses")
            if not licence or " " in licence or not own or not is_statement(path.name):
                continue
            text = Path(str(path.locate())).read_text("utf-8", "replace")
            if licence_of_text(text) == licence:
                right += 1
            else:
                wrong.append(f"{path}: {licence}, not {licence_of_text(text)}")
    assert right > 20
    assert len(wrong) <= right / 10, wrong


FILES = {
    "LICENSE": MIT,
    "a.py": "x = 1",
    "lib/b.py": "# SPDX-License-Identifier: ISC\n",
    "lib/deep/c.py": "x = 2",
    "vendor/COPYING": GPL,
    "vendor/d.py": "x = 3",
    "vendor/COPYING.LESSER": LESSER,
    "vendor/in/e.py": "x = 4",
    "picture.png": "",
}


def built(view: MemoryView, files: dict[str, str]) -> dict[str, Any]:
    view.blobs.update({text: text.encode() for text in files.values()})
    rows = {
        path: {
            "blob": text,
            "mode": 0o100644,
            "language": "python" if path.endswith(".py") else "",
        }
        for path, text in files.items()
    }
    licences(view.advance(files=rows))
    return dict(view.own.items())


def test_the_nearest_statement_wins() -> None:
    rows = built(MemoryView(), FILES)
    assert {path: row["licence"] for path, row in rows.items() if path[-1] != "/"} == {
        "a.py": "MIT",
        "lib/b.py": "ISC",
        "lib/deep/c.py": "MIT",
        "vendor/d.py": "LGPL-3.0-only",
        "vendor/in/e.py": "LGPL-3.0-only",
    }
    assert rows["lib/deep/c.py"]["source"] == "LICENSE"
    assert rows["lib/b.py"]["source"] == "lib/b.py"


def test_without_a_statement_the_licence_is_unknown() -> None:
    row = {"licence": UNKNOWN, "source": ""}
    assert built(MemoryView(), {"a.py": ""}) == {"a.py": row}


def test_a_manifest_decides_how_two_texts_combine() -> None:
    files = {"LICENSE-MIT": MIT, "COPYING": GPL, "a.py": ""}
    assert built(MemoryView(), files)["a.py"]["licence"] == "GPL-3.0-only AND MIT"
    files["Cargo.toml"] = '[package]\nlicense = "MIT OR GPL-3.0-only"'
    row = built(MemoryView(), files)["a.py"]
    assert row == {"licence": "MIT OR GPL-3.0-only", "source": "Cargo.toml"}


def test_an_update_equals_a_full_build_whatever_changes() -> None:
    chance = random.Random(3)
    view, files = MemoryView(), dict(FILES)
    texts = [*FILES.values(), "", "# SPDX-License-Identifier: MIT-0\n", "Ours."]
    for _ in range(60):
        path = chance.choice([*FILES, "lib/LICENSE", "lib/deep/LICENSE.md"])
        if chance.random() < 0.3:
            files.pop(path, None)
        else:
            files[path] = chance.choice(texts)
        assert built(view, files) == built(MemoryView(), files)
