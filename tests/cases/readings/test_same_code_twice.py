"""Code that two classes have is not asked about without its class."""

from __future__ import annotations

from pathlib import Path

from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, sampled_fixture
from tests.repository import Repository
from tests.standard import Standard

CODE = '''

class {0}:
    """What speaks {0}."""

    def say(self, words, delta):
        """Say words as {1} speaks, {2}."""
        form = self.forms[words]
        if delta > {3}:
            form = form["future"].format(words, delta)
        return form.format(abs(delta), words)
'''
ZULU = CODE.format("Zulu", "a Zulu", "with the future in front of the past", 0)
AMHARIC = CODE.format("Amharic", "who is from Ethiopia", "before anything else", 0)
GREEK = CODE.format("Greek", "an old man", "in the order of the words of a song", 7)
OTHER = AMHARIC.replace("abs(delta)", "abs(delta) + self.of(words)").replace("ds]", "]")
FILES = {"talk/zulu.py": ZULU + AMHARIC + GREEK, "talk/other.py": ZULU + OTHER}
talk = sampled_fixture(FILES)


def _asked_by_code(sampled: Sampled, path: str) -> set[str]:
    """Return the questions that show code of a file, and not its class."""
    return {
        one["question"]
        for one in sampled.samples.values()
        if one["element"].startswith(path) and "def say(self" in one["question"]
        if "class " not in one["question"]
    }


def test_code_that_two_classes_have_is_not_asked_about(talk: Sampled) -> None:
    assert not _asked_by_code(talk, "talk/zulu.py")
    asked = _asked_by_code(talk, "talk/other.py")
    assert asked and all("`talk/other.py`" in one or ".say`" in one for one in asked)
    assert talk.audit().wrong == []


def test_the_other_class_is_noticed_when_it_comes(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    repository.commit({**FILES, "talk/zulu.py": ZULU})
    updated = Standard(repository.git, tmp_path / "updated", **ALL_IN_ENGLISH)
    updated.build("samples")
    key = "talk/zulu.py::Zulu.say"
    for code, is_twin in ((ZULU + AMHARIC, True), (ZULU + OTHER, False)):
        repository.commit({"talk/zulu.py": code})
        updated.build("samples")
        row = updated.table("contexts").get(key)
        assert row is not None and row.get("twin", False) == is_twin
        clean = Standard(repository.git, tmp_path / f"{is_twin}", **ALL_IN_ENGLISH)
        clean.build("samples")
        assert clean.digests() == updated.digests()
        clean.close()
    updated.close()
