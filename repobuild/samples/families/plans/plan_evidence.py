"""Write what the checker needs to count again (repobuild/truth/claims/plans/)."""

from __future__ import annotations

from collections.abc import Mapping

from repobuild.engine.contract import Value
from repobuild.samples.families.plans.plan_scope import sibling_ids


def plan_evidence(row: Mapping[str, Value]) -> dict[str, Value]:
    """Return what the checker needs to count again."""
    evidence: dict[str, Value] = {"commits": row.get("past_ids", [])}
    if row["kind"] != "together":
        evidence["home_commits"] = row.get("home_ids", [])
        ids = sibling_ids(row)
        evidence |= {"family": row["family"], "siblings": ids}
        evidence["sites"] = [
            [path, where, [ids[n] for n in numbers]]
            for _, path, where, numbers, *_ in row.get("sites", ())
        ]
        evidence["made"] = [
            [base, [[ids[n], one] for n, one in pairs]]
            for base, pairs in row.get("made", ())
        ]
        evidence["helpers"] = [
            [path, [[ids[n], one] for n, one in pairs]]
            for path, pairs in row.get("helpers", ())
        ]
        evidence["members"] = [
            [enum, [[ids[n], *rest] for n, *rest in pairs]]
            for enum, pairs in row.get("members", ())
        ]
        evidence |= _evidence_of_entries(row, ids)
        for name in ("constants", "own_bases"):
            if rows := row.get(name):
                evidence[name] = [
                    [path, [[ids[n], one] for n, one in pairs]] for path, pairs in rows
                ]
        evidence["tests"] = [
            [path, [ids[n] for n in numbers]] for path, numbers in row.get("tests", ())
        ]
    return {"evidence": evidence}


def _evidence_of_entries(row: Mapping[str, Value], ids: list[str]) -> dict[str, Value]:
    """Return what is entered with siblings and done for each, to be counted again."""

    def of_siblings(pairs: list[Value]) -> list[Value]:
        return [[ids[number], *rest] for number, *rest in pairs]

    path, owner, methods = row.get("asked", ("", "", ()))
    found: dict[str, Value] = {
        "keys": [
            [path, where, of_siblings(pairs)]
            for _, path, where, pairs in row.get("key_sites", ())
        ],
        "key_members": [
            [owner, path, of_siblings(pairs)]
            for owner, path, pairs in row.get("key_members", ())
        ],
        "paired": [
            [group, of_siblings(pairs)] for group, pairs in row.get("paired", ())
        ],
        "module_imports": [
            [path, [ids[n] for n in numbers]]
            for path, numbers in row.get("module_imports", ())
        ],
        "module_calls": [
            [call, of_siblings(lines)] for call, lines in row.get("module_calls", ())
        ],
        "asked": [
            [path, owner, method, [ids[n] for n in numbers]]
            for method, numbers in methods
        ],
    }
    return {name: one for name, one in found.items() if one}
