"""Splits are for life, and close to 80 : 10 : 10."""

from __future__ import annotations

from collections import Counter

from repobuild.samples.dataset.split import Split, family_of

SPLIT = Split(0.06, "1")


def test_a_method_is_held_out_with_its_class() -> None:
    for number in range(200):
        owner = f"a.py::Class{number}"
        held_out = SPLIT.is_held_out(owner)
        assert SPLIT.is_held_out(f"{owner}.method") == held_out
        assert SPLIT.is_held_out(f"{owner}.method.inner") == held_out


def test_files_and_the_project_are_never_held_out() -> None:
    everything = Split(1.0, "1")
    assert not everything.is_held_out("a.py")
    assert not everything.is_held_out("@project")
    assert everything.is_held_out("a.py::f")
    assert family_of("a.py") == ""


def test_the_share_of_held_out_elements_is_the_setting() -> None:
    found = sum(SPLIT.is_held_out(f"m{n % 97}.py::f{n}") for n in range(20_000))
    assert 0.05 < found / 20_000 < 0.07


def test_nothing_about_a_held_out_element_is_trained() -> None:
    everything = Split(1.0, "1")
    row = everything.assign("a.py::f#code_location.en.0", "a.py::f", held_out=False)
    assert row["track"] == "generalise"
    assert row["split"] in ("val", "test")


def test_held_out_phrasings_are_halved_between_val_and_test() -> None:
    none = Split(0.0, "1")
    halves = Counter(
        none.assign(f"a.py::f{n}#x.en.9", f"a.py::f{n}", True)["split"]
        for n in range(2000)
    )
    assert set(halves) == {"val", "test"}
    assert min(halves.values()) > 900


def test_another_salt_gives_another_split() -> None:
    ids = [f"a.py::f{n}" for n in range(2000)]
    other = Split(0.06, "2")
    assert [i for i in ids if SPLIT.is_held_out(i)] != [
        i for i in ids if other.is_held_out(i)
    ]
