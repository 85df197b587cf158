"""The newest change of each id, from items alone, without git."""

from __future__ import annotations

from typing import Any

from repobuild.samples.changes.latest_change import latest_changes, order_commits

Item = dict[str, Any]


def item(what: str, id: str, to: str = "") -> Item:
    return {"what": what, "id": id, **({"to": to} if to else {})}


def newest(*commits: list[Item]) -> dict[str, str]:
    """Return, by id, what happened last and the new id."""
    rows = {
        f"c{n}": {"before": f"c{n - 1}" if n else "", "subject": ""}
        for n in range(len(commits))
    }
    items = {f"c{n}": {"items": found} for n, found in enumerate(commits)}
    return {
        id: " ".join(filter(None, (s.item["what"], "gone" * s.is_gone, s.new_id)))
        for id, s in latest_changes(rows, items).items()
    }


def test_commits_are_ordered_by_their_parents_and_not_by_their_ids():
    rows = {"a": {"before": "c"}, "b": {"before": ""}, "c": {"before": "b"}}
    assert order_commits(rows) == ["b", "c", "a"]
    assert order_commits({}) == []


def test_two_elements_that_swap_names_both_exist():
    swap = [item("renamed", "a::f", "a::g"), item("renamed", "a::g", "a::f")]
    assert newest([item("changed", "a::f")], swap) == {
        "a::f": "renamed",
        "a::g": "renamed",
    }


def test_a_change_follows_its_class_and_its_file():
    changes = newest(
        [item("changed", "a::C.m")],
        [item("moved", "a::C", "b::D.C")],
        [item("file renamed", "b", "c")],
    )
    assert changes == {
        "a::C": "moved gone c::D.C",
        "b": "file renamed gone c",
        "c::D.C": "moved",
        "c::D.C.m": "changed",
    }


def test_changes_inside_a_removed_file_are_dropped():
    changes = newest(
        [item("changed", "a::f"), item("moved", "b::g", "a::g")],
        [item("file removed", "a")],
    )
    assert changes == {"a": "file removed gone"}


def test_a_file_that_comes_back_drops_the_removals_in_it():
    changes = newest(
        [item("removed", "a::f")],
        [item("file removed", "a")],
        [item("file added", "a")],
    )
    assert changes == {}


def test_of_two_departures_the_last_counts():
    changes = newest(
        [item("moved", "a::f", "b::f")],
        [item("added", "a::f")],
        [item("removed", "a::f")],
    )
    assert changes["a::f"] == "removed gone"


def test_a_change_follows_a_renamed_file_whose_path_is_reused():
    changes = newest(
        [item("changed", "a::f")],
        [item("file renamed", "a", "b"), item("file added", "a")],
    )
    assert changes == {"b::f": "changed"}


def test_changes_of_a_path_that_was_not_read_are_dropped():
    known = [item("changed", "a::f"), item("changed", "b::f"), item("removed", "a::g")]
    assert newest(known, [item("unread", "a")]) == {"b::f": "changed"}
    assert newest(known, [item("unread", "")]) == {}
