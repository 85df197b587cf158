"""Which licence a project is under is told as its manifest and its texts have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers
from tests.repository import Repository
from tests.standard import Standard

MIT = """MIT License

Permission is hereby granted, free of charge, to any person obtaining a copy of this
software, to deal in the software without restriction. The above copyright notice and
this permission notice shall be included in all copies.
"""
SETUP = 'from setuptools import setup\n\nsetup(name="kiln", license="%s")\n'


def sampled(folder: Path, licence: str, text: str = MIT) -> Sampled:
    files = {"setup.py": SETUP % licence, "LICENSE": text, "kiln.py": "HEAT = 1\n"}
    return Sampled(folder, files, **ALL_IN_ENGLISH)


def test_a_text_that_is_not_what_the_manifest_declares_is_told_beside(
    tmp_path: Path,
) -> None:
    tree = sampled(tmp_path, "Apache License v2")
    assert answers(tree, "licence_needed") == {
        "kiln states its licence in `setup.py`: Apache License v2."
        " The text in `LICENSE` is that of MIT, though."
    }
    assert not tree.audit().wrong
    false = {
        key: {**one, "answer": one["answer"].replace("that of MIT", "that of ISC")}
        for key, one in tree.samples.items()
        if "that of MIT" in one["answer"]
    }
    assert len(tree.audit(false).wrong) == len(false) > 0


@pytest.mark.parametrize("licence", ["MIT", "MIT License", "Expat"])
def test_a_text_of_the_declared_licence_is_not_told_again(
    tmp_path: Path, licence: str
) -> None:
    told = f"kiln states its licence in `setup.py`: {licence}."
    assert answers(sampled(tmp_path, licence), "licence_needed") == {told}


def test_the_name_of_a_company_is_no_licence(tmp_path: Path) -> None:
    assert not answers(sampled(tmp_path, "Kilns and Sons"), "licence_needed")


def test_a_new_text_is_told_after_an_update(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.commit({"setup.py": SETUP % "MIT", "LICENSE": MIT, "kiln.py": "A = 1\n"})
    grown = Standard(repository.git, tmp_path / "grown", **ALL_IN_ENGLISH)
    grown.build("samples")
    isc = "Permission to use, copy, modify, and/or distribute this software for any"
    isc += " purpose with or without fee is hereby granted, provided that the above"
    isc += " copyright notice and this permission notice appear in all copies.\n"
    repository.commit({"LICENSE": isc})
    grown.build("samples")
    clean = Standard(repository.git, tmp_path / "clean", **ALL_IN_ENGLISH)
    clean.build("samples")
    project = grown.table("contexts").get("@project")
    assert project is not None and project["licence_text"] == ["ISC", "LICENSE"]
    assert grown.digests() == clean.digests()
    grown.close()
    clean.close()
