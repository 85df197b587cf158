"""Files that change together are partners; bulk commits say little."""

from __future__ import annotations

from repobuild.code.changes.cochange import cochange
from tests.fakes import MemoryView


def rows_of(*commits, date="2024-01-01"):
    """Rows of `past_commits`, the oldest first; a commit is a list of changes."""
    rows, before = {}, ""
    for number, commit in enumerate(commits):
        changes = [[s, old, "o", new, "n"] for s, old, new in map(_change, commit)]
        rows[f"c{number}"] = {
            "before": before, "date": date, "files": len(changes), "changes": changes
        }  # fmt: skip
        before = f"c{number}"
    return rows


def _change(text):
    if text.startswith("-"):
        return "D", text[1:], ""
    old, _, new = text.partition(">")
    return ("R", old, new) if new else ("M", old, old)


def partners(*commits):
    view = MemoryView().advance(past_commits=rows_of(*commits))
    cochange(view)
    return view.own.rows


def test_files_of_one_commit_are_partners_of_each_other():
    found = partners(["a", "b"], ["a", "b"], ["c"])
    assert found == {"a": {"b": 1.0}, "b": {"a": 1.0}}


def test_a_bulk_commit_says_little_of_each_pair():
    bulk = [f"f{n}" for n in range(20)]
    found = partners(["f0", "f1"], bulk)
    assert found["f0"]["f1"] > 5 * found["f0"]["f2"]


def test_a_rename_keeps_its_partners_and_a_removed_file_has_none():
    found = partners(["old", "b"], ["old>new"], ["b", "gone"], ["-gone"])
    assert "old" not in found and "gone" not in found
    assert list(found["new"]) == ["b"]


def test_time_that_passes_changes_no_row_of_other_files():
    view = MemoryView().advance(past_commits=rows_of(["a", "b"], ["a"]))
    cochange(view)
    before = dict(view.own.rows)
    later = rows_of(["a", "b"], ["a"], ["c", "d"])
    later["c2"]["date"] = "2026-11-01"
    view.advance(past_commits=later)
    cochange(view)
    assert {path: view.own.rows[path] for path in before} == before


def test_recent_commits_count_more():
    rows = rows_of(["a", "b"], ["a", "c"])
    rows["c0"]["date"] = "2020-01-01"
    view = MemoryView().advance(past_commits=rows)
    cochange(view)
    assert list(view.own.rows["a"]) == ["c", "b"]
