"""What commits amount to, one after another: told with items alone, without git."""

from __future__ import annotations

from typing import Any

from repobuild.samples.changes.latest_change import latest_changes, order_commits

Item = dict[str, Any]


def item(what: str, id: str, to: str = "") -> Item:
    return {"what": what, "id": id, **({"to": to} if to else {})}


def amount(*commits: list[Item]) -> dict[str, str]:
    """Return, by id, what is told: the kind of item, and where it went."""
    rows = {
        f"c{n}": {"before": f"c{n - 1}" if n else "", "subject": ""}
        for n in range(len(commits))
    }
    items = {f"c{n}": {"items": found} for n, found in enumerate(commits)}
    return {
        id: " ".join(filter(None, (s.item["what"], "gone" * s.is_gone, s.new_id)))
        for id, s in latest_changes(rows, items).items()
    }


def test_order_is_that_of_the_chain_and_not_of_the_ids():
    rows = {"a": {"before": "c"}, "b": {"before": ""}, "c": {"before": "b"}}
    assert order_commits(rows) == ["b", "c", "a"]
    assert order_commits({}) == []


def test_two_that_swap_names_are_both_there():
    swap = [item("renamed", "a::f", "a::g"), item("renamed", "a::g", "a::f")]
    assert amount([item("changed", "a::f")], swap) == {
        "a::f": "renamed",
        "a::g": "renamed",
    }


def test_a_change_goes_along_with_its_class_and_its_file():
    told = amount(
        [item("changed", "a::C.m")],
        [item("moved", "a::C", "b::D.C")],
        [item("file renamed", "b", "c")],
    )
    assert told == {
        "a::C": "moved gone c::D.C",
        "b": "file renamed gone c",
        "c::D.C": "moved",
        "c::D.C.m": "changed",
    }


def test_what_went_with_its_file_is_not_told_of():
    told = amount(
        [item("changed", "a::f"), item("moved", "b::g", "a::g")],
        [item("file removed", "a")],
    )
    assert told == {"a": "file removed gone"}


def test_a_file_that_comes_again_ends_what_was_gone_in_it():
    told = amount(
        [item("removed", "a::f")],
        [item("file removed", "a")],
        [item("file added", "a")],
    )
    assert told == {}


def test_what_went_came_and_went_again_is_told_by_the_last():
    told = amount(
        [item("moved", "a::f", "b::f")],
        [item("added", "a::f")],
        [item("removed", "a::f")],
    )
    assert told["a::f"] == "removed gone"


def test_a_file_renamed_where_another_takes_its_name():
    told = amount(
        [item("changed", "a::f")],
        [item("file renamed", "a", "b"), item("file added", "a")],
    )
    assert told == {"b::f": "changed"}


def test_of_a_path_that_was_not_read_nothing_is_known():
    known = [item("changed", "a::f"), item("changed", "b::f"), item("removed", "a::g")]
    assert amount(known, [item("unread", "a")]) == {"b::f": "changed"}
    assert amount(known, [item("unread", "")]) == {}
