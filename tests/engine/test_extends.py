"""A table that joins another: whatever reads the one reads both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from repobuild.engine.rule import Rule, assembled, read_rules
from repobuild.errors import UsageError
from tests.repository import Repository
from tests.toys import HERE, Toy

RULE = 'description = ""\nrun = "tests.toys:words"\nversion = 1\n'
PIECES = {
    "files": 'kind = "source"',
    "samples": 'kind = "map"\nfrom = ["files"]\nentries = true',
    "extra": 'kind = "map"\nfrom = ["files"]\nentries = true\njoins = "samples"',
    "dataset": 'kind = "view"\nfrom = ["samples"]',
    "adapter": 'kind = "task"\nfrom = ["dataset", "samples"]',
}


def read(folder: Path, **changes: str) -> dict[str, Rule]:
    for name, text in {**PIECES, **changes}.items():
        (folder / f"{name}.toml").write_text(RULE + text + "\n")
    return read_rules(folder)


def test_what_reads_a_table_reads_what_joins_it(tmp_path: Path):
    rules = read(tmp_path)
    assert rules["dataset"].inputs == ("samples", "extra")
    assert rules["adapter"].inputs == ("dataset", "samples", "extra")
    assert list(rules).index("extra") < list(rules).index("dataset")


def test_rules_that_are_put_together_again_stay_as_they_are(tmp_path: Path):
    rules = read(tmp_path)
    again = assembled(rules.values())
    assert again == rules
    more = assembled([*rules.values(), replace(rules["extra"], name="further")])
    assert more["dataset"].joined == ("extra", "further")


def test_a_map_reads_one_table_whatever_joins_it(tmp_path: Path):
    rules = read(tmp_path, lines='kind = "map"\nfrom = ["samples"]')
    assert rules["lines"].inputs == ("samples",)


def test_a_table_may_read_what_it_joins_but_not_its_peers(tmp_path: Path):
    peer = 'kind = "view"\nfrom = ["samples"]\nentries = true\njoins = "samples"'
    rules = read(tmp_path, peer=peer)
    assert rules["peer"].inputs == ("samples",)
    assert rules["dataset"].inputs == ("samples", "extra", "peer")


def test_no_manifest_changes_where_nothing_joins(tmp_path: Path):
    alone = read(tmp_path / "..", extra=PIECES["samples"])["dataset"].manifest({})
    assert "joined" not in alone
    assert read(tmp_path)["dataset"].manifest({}) == {**alone, "joined": ["extra"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "view"\nfrom = ["dataset"]\nentries = true\njoins = "samples"',
         '"extra" joins "samples": it may not read what is made of that'),
        ('kind = "map"\nfrom = ["files"]\nentries = true\njoins = "sample"',
         'which is no table (did you mean "samples"?)'),
        ('kind = "map"\nfrom = ["files"]\njoins = "samples"', "`entries = true`, too"),
        ('kind = "task"\nfrom = ["files"]\nentries = true\njoins = "samples"',
         "only a map or a view can"),
    ],
)  # fmt: skip
def test_a_join_that_cannot_be_is_an_error(tmp_path: Path, text: str, said: str):
    with pytest.raises(UsageError) as error:
        read(tmp_path, extra=text)
    assert said in str(error.value)


# ------------------------------------------------------------------ in a build

ASIDE = Rule(
    "asides", "", "map", f"{HERE}:lines", 1, ("counts",), entries=True, joins="lines"
)


@pytest.fixture
def toy(repository: Repository) -> Toy:
    repository.commit({"a.txt": "one two", "b.txt": "two three"})
    return Toy(repository.git)


def with_asides(toy: Toy) -> None:
    toy.rules = assembled([*toy.rules.values(), ASIDE])


def without_asides(toy: Toy) -> None:
    toy.rules = Toy(toy.git).rules


def test_a_table_that_comes_to_join_is_built_with_its_readers(toy: Toy):
    toy.build("book")
    with_asides(toy)
    done = toy.build("book")
    assert done["asides"].built == ["one", "three", "two"]
    assert not done["counts"].built and not done["lines"].built
    assert done["book"].built  # its key holds what joined


def test_a_table_whose_rule_went_is_dropped_and_comes_back_whole(
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
    assert done["asides"].memo == ["one", "three"]  # computed before it went
    assert sorted(toy.open().table("asides").keys()) == ["four", "one", "three", "two"]


def test_a_row_is_found_by_its_table_and_key(toy: Toy):
    with_asides(toy)
    toy.build("book")
    assert toy.open().table("asides").find("asides//one#short") == ("one", "#short")
    assert toy.open().table("lines").find("asides//one#short") is None
