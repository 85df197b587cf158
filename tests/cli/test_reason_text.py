"""Reasons are worded in a few words, however much lies behind them."""

from __future__ import annotations

from repobuild.cli.reason_text import stale_text
from repobuild.engine.explain.forecast import Staleness, StaleReason
from repobuild.engine.explain.reason import Cause, Reason


def changed(cause: Cause, name: str, old: object, new: object) -> Reason:
    return Reason("files", "", cause, name, old, new)


def text(*reasons: Reason) -> str:
    return stale_text(StaleReason(Staleness.MANIFEST_CHANGED, reasons=reasons))


def test_a_setting_that_takes_languages_away_is_named_and_the_rest_is_counted():
    names = ["c", "go", "java", "rust"]
    told = text(
        changed(Cause.SETTING_CHANGED, "project.languages", "auto", ["python"]),
        *(changed(Cause.INGREDIENT_CHANGED, f"{n}.scm", "1", None) for n in names),
        *(
            changed(Cause.INGREDIENT_CHANGED, f"tree-sitter-{n}", "0.2", None)
            for n in names
        ),
        changed(Cause.INGREDIENT_CHANGED, "tree-sitter-lua", "", None),
    )
    assert told == (
        'setting project.languages auto to ["python"]; '
        "4 ingredients went (c.scm, go.scm, java.scm, …); "
        "4 grammars went (tree-sitter-c, tree-sitter-go, tree-sitter-java, …)"
    )


def test_a_grammar_of_another_version_is_told_in_full():
    told = text(changed(Cause.INGREDIENT_CHANGED, "tree-sitter-go", "0.23", "0.24"))
    assert told == "ingredient tree-sitter-go 0.23 to 0.24"


def test_of_a_preset_that_changes_many_settings_three_are_named():
    told = text(
        *(changed(Cause.SETTING_CHANGED, f"adapter.s{n}", 1, 2) for n in range(9))
    )
    assert told.count("setting ") == 3 and told.endswith("6 more changes")
