"""A commit reads the files that it changed, however large their families are."""

from __future__ import annotations

import pytest

from repobuild.samples.families import families
from tests.repository import Repository
from tests.standard import Standard


def subclass(number: int, value: int = 0) -> str:
    return (
        f"from base import Base\n\n\nclass Kind{number}(Base):\n"
        f"    def load(self):\n        return {number} + {value}\n"
    )


@pytest.mark.parametrize("siblings", [6, 24])
def test_a_commit_to_one_sibling_asks_no_file_for_the_others(
    siblings, tmp_path, monkeypatch
):
    repository = Repository(tmp_path / "repository")
    files = {"base.py": "class Base:\n    def load(self):\n        return 0\n"}
    files |= {f"kind{n}.py": subclass(n) for n in range(siblings)}
    repository.commit(files)
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("families")
    asked: list[str] = []
    families_of = families.families_of

    def counted(path, *rest):
        asked.append(path)
        return families_of(path, *rest)

    monkeypatch.setattr(families, "families_of", counted)
    repository.commit({"kind1.py": subclass(1, value=7)})
    standard.build("families")
    assert set(asked) == {"kind1.py"}
    clean = Standard(repository.git, tmp_path / "clean")
    clean.build("families")
    assert clean.digests() == standard.digests()
    standard.close()
    clean.close()
