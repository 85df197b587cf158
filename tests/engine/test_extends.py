"""A table that extends another: whatever reads the one reads both."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from repobuild.engine.rule import RENAMED_KEYS, Rule, assemble_rules, read_rules
from repobuild.errors import UsageError
from tests.repository import Repository
from tests.toys import HERE, Toy

RULE = 'description = ""\nrun = "tests.toys:words"\nversion = 1\n'
PIECES = {
    "files": 'kind = "source"',
    "samples": 'kind = "map"\nfrom = ["files"]\nentries = true',
    "extra": 'kind = "map"\nfrom = ["files"]\nentries = true\nextends = "samples"',
    "dataset": 'kind = "view"\nfrom = ["samples"]',
    "adapter": 'kind = "task"\nfrom = ["dataset", "samples"]',
}


def read(folder: Path, **changes: str) -> dict[str, Rule]:
    for name, text in {**PIECES, **changes}.items():
        (folder / f"{name}.toml").write_text(RULE + text + "\n")
    return read_rules(folder)


def test_a_reader_of_a_table_reads_its_extensions(tmp_path: Path):
    rules = read(tmp_path)
    assert rules["dataset"].inputs == ("samples", "extra")
    assert rules["adapter"].inputs == ("dataset", "samples", "extra")
    assert list(rules).index("extra") < list(rules).index("dataset")


def test_rules_that_are_assembled_again_stay_equal(tmp_path: Path):
    rules = read(tmp_path)
    again = assemble_rules(rules.values())
    assert again == rules
    more = assemble_rules([*rules.values(), replace(rules["extra"], name="further")])
    assert more["dataset"].extensions == ("extra", "further")


def test_a_map_reads_one_table_whatever_extends_it(tmp_path: Path):
    rules = read(tmp_path, lines='kind = "map"\nfrom = ["samples"]')
    assert rules["lines"].inputs == ("samples",)


def test_a_table_may_read_the_table_it_extends_but_not_its_peers(tmp_path: Path):
    peer = 'kind = "view"\nfrom = ["samples"]\nentries = true\nextends = "samples"'
    rules = read(tmp_path, peer=peer)
    assert rules["peer"].inputs == ("samples",)
    assert rules["dataset"].inputs == ("samples", "extra", "peer")


def test_no_manifest_changes_without_an_extension(tmp_path: Path):
    alone = read(tmp_path / "..", extra=PIECES["samples"])["dataset"].manifest({})
    assert "joined" not in alone
    assert read(tmp_path)["dataset"].manifest({}) == {**alone, "joined": ["extra"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "view"\nfrom = ["dataset"]\nentries = true\nextends = "samples"',
         '"extra" extends "samples": it may not read what is made from it'),
        ('kind = "map"\nfrom = ["files"]\nentries = true\nextends = "sample"',
         'which is no table (did you mean "samples"?)'),
        ('kind = "map"\nfrom = ["files"]\nextends = "samples"', "`entries = true` too"),
        ('kind = "task"\nfrom = ["files"]\nentries = true\nextends = "samples"',
         "only a map or a view can extend a table"),
    ],
)  # fmt: skip
def test_an_impossible_extension_is_an_error(tmp_path: Path, text: str, said: str):
    with pytest.raises(UsageError) as error:
        read(tmp_path, extra=text)
    assert said in str(error.value)


@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_a_key_of_an_earlier_version_is_refused_by_its_new_name(
    tmp_path: Path, old: str, new: str
):
    with pytest.raises(UsageError) as error:
        read(tmp_path, extra=f'kind = "map"\nfrom = ["files"]\n{old} = "samples"')
    path = tmp_path / "extra.toml"
    text = f'rule file "{path}" uses "{old}", which is now "{new}"'
    assert str(error.value) == f'{text}\nwrite "{new}" in its place'
    assert new in {field.name for field in fields(Rule)}


def test_the_keys_that_were_renamed_are_these():
    assert RENAMED_KEYS == {
        "sees": "untracked_settings",
        "joins": "extends",
        "form": "schema",
        "outlook": "forecast",
    }


# ------------------------------------------------------------------ in a build

ASIDE = Rule(
    "asides", "", "map", f"{HERE}:lines", 1, ("counts",), entries=True, extends="lines"
)


@pytest.fixture
def toy(repository: Repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two three"})
    return Toy(repository.git)


def with_asides(toy: Toy) -> None:
    toy.rules = assemble_rules([*toy.rules.values(), ASIDE])


def without_asides(toy: Toy) -> None:
    toy.rules = Toy(toy.git).rules


def test_a_new_extension_is_built_with_its_readers(toy: Toy):
    toy.build("book")
    with_asides(toy)
    done = toy.build("book")
    assert done["asides"].built == ["one", "three", "two"]
    assert not done["counts"].built and not done["lines"].built
    assert done["book"].built  # its key holds the extension


def test_a_table_whose_rule_is_removed_is_dropped_and_comes_back_whole(
    toy: Toy, repository: Repository
):
    with_asides(toy)
    toy.build("book")
    without_asides(toy)
    toy.build("book")
    assert "asides" not in {line.name for line in toy.open().state.lines()}
    repository.commit({"a.txt": "one four"})
    toy.build("book")
    with_asides(toy)
    done = toy.build("book")
    assert done["asides"].built == ["four", "two"]  # in another file now
    assert done["asides"].memo == ["one", "three"]  # computed before it was removed
    assert sorted(toy.open().table("asides").keys()) == ["four", "one", "three", "two"]


def test_a_row_is_found_by_its_table_and_key(toy: Toy):
    with_asides(toy)
    toy.build("book")
    assert toy.open().table("asides").find("asides//one#short") == ("one", "#short")
    assert toy.open().table("lines").find("asides//one#short") is None
