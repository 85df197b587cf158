"""A denied licence drops the samples that rely on its files, and no others."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from repobuild.samples.dataset.dataset import dataset
from repobuild.samples.dataset.licence_filter import (
    LicenceFilter,
    is_denied,
    licences_of,
)
from tests.fakes import MemoryTable, MemoryView
from tests.repository import Repository
from tests.samples.test_dataset import SETTINGS, sample
from tests.standard import Standard

DENY = ["GPL-*", "AGPL-3.0-only"]


@pytest.mark.parametrize(
    ("expression", "denied"),
    [
        ("GPL-3.0-only", True),
        ("gpl-2.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("AGPL-3.0-or-later", False),
        ("LGPL-3.0-only", False),
        ("MIT", False),
        ("MIT OR GPL-3.0-only", False),
        ("GPL-3.0-only OR GPL-2.0-only", True),
        ("MIT AND GPL-3.0-only", True),
        ("MIT AND (GPL-3.0-only OR ISC)", False),
        ("(MIT AND GPL-3.0-only) OR AGPL-3.0-only", True),
        ("ISC OR MIT AND GPL-3.0-only", False),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("NOASSERTION", False),
        ("", False),
    ],
)
def test_an_expression_is_denied_if_every_choice_is(
    expression: str, denied: bool
) -> None:
    assert is_denied(expression, DENY) is denied


def test_an_exception_may_be_allowed() -> None:
    linked = "GPL-2.0-only WITH Classpath-exception-2.0"
    assert not is_denied(linked, ["GPL-2.0-only"])
    assert is_denied(linked, ["* WITH Classpath-*"])


def test_a_sample_has_the_licences_of_all_its_files() -> None:
    table = MemoryTable({"a.py": {"licence": "MIT"}, "b.py": {"licence": "ISC"}})
    both = sample("Why?", element="a.py::f", sources=["a.py::f", "b.py", "@project"])
    assert licences_of(both, table) == ["MIT", "ISC"]


def rows(licences: dict[str, str]) -> dict[str, Any]:
    return {path: {"licence": id, "source": ""} for path, id in licences.items()}


def dataset_rows(view: MemoryView, licences: dict[str, str]) -> dict[str, Any]:
    samples = {
        f"{path}::f": {
            "#code_explanation.en.1": sample(
                f"Why {path}?",
                f"{path} is why. " * 9,
                element=f"{path}::f",
                sources=[f"{path}::f", other],
            )
        }
        for path, other in (("a.py", "b.py"), ("b.py", "b.py"), ("c.py", "c.py"))
    }
    dataset(view.advance(samples=samples, licences=rows(licences)))
    return dict(view.own.items())


def test_a_sample_that_relies_on_a_denied_file_is_dropped() -> None:
    view = MemoryView(SETTINGS | {"samples.deny_licences": DENY})
    found = dataset_rows(view, {"a.py": "MIT", "b.py": "GPL-3.0-only", "c.py": "ISC"})
    dropped = {
        k: i["dropped"] for k, r in found.items() for i in r.values() if "dropped" in i
    }
    assert dropped == dict.fromkeys(("a.py::f", "b.py::f"), "licence: GPL-3.0-only")


def test_an_update_of_licences_equals_a_full_build() -> None:
    chance = random.Random(2)
    settings = SETTINGS | {"samples.deny_licences": DENY}
    view = MemoryView(settings)
    for _ in range(30):
        licences = {
            path: chance.choice(["MIT", "GPL-2.0-only", "MIT OR AGPL-3.0-only"])
            for path in ("a.py", "b.py", "c.py")
        }
        assert dataset_rows(view, licences) == dataset_rows(
            MemoryView(settings), licences
        )


def test_an_empty_deny_list_looks_no_licence_up() -> None:
    class Untouched(MemoryTable):
        def get(self, key: str) -> Any:
            raise AssertionError(key)

    denied = LicenceFilter([], Untouched())
    assert denied.reasons({"#a": sample("Why?")}) == {}
    assert denied.terms({"#a": sample("Why?")}) == set()


BODY = (
    '"""Says {0}."""\n\n\ndef {0}(a: int) -> int:\n    """Return {0} of it.\n\n    It \
does so for every number that there is, one after another.\n    """\n    return a + 1\n'
)


def test_a_changed_licence_rebuilds_only_the_samples_that_it_covers(
    repository: Repository, tmp_path: Path
) -> None:
    files: dict[str, str | None] = {
        "README.md": "# Sums\n\nAdds numbers.\n",
        "LICENSE": "GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007",
        "one.py": BODY.format("one"),
        "two/two.py": BODY.format("two"),
        "two/LICENSE": "SPDX-License-Identifier: MIT",
    }
    deny = {"samples.deny_licences": ["GPL-3.0-only"]}
    repository.commit(files)
    built = Standard(repository.git, tmp_path / "state", **deny)
    built.build()
    assert reasons(built, "one.py") == {"licence: GPL-3.0-only"}
    assert "licence: GPL-3.0-only" not in reasons(built, "two/two.py")

    for path, text, covered in (
        ("two/LICENSE", "SPDX-License-Identifier: GPL-3.0-only", "two/"),
        ("one.py", "# SPDX-License-Identifier: ISC\n" + BODY.format("one"), "one.py"),
        ("two/LICENSE", None, ""),
    ):
        repository.commit({path: text})
        outcome = built.build()
        assert all(key.startswith(covered) for key in outcome["dataset"].built)
        clean = Standard(repository.git, tmp_path / f"clean{path}{covered}", **deny)
        clean.build()
        assert clean.digests() == built.digests()
    assert "licence: GPL-3.0-only" not in reasons(built, "one.py")
    assert reasons(built, "two/two.py") == {"licence: GPL-3.0-only"}


def reasons(built: Standard, path: str) -> set[str]:
    return {
        item.get("dropped", "used")
        for key, item in built.table("dataset").entries()
        if key.startswith(f"{path}::") and "code_explanation" in key
    }
