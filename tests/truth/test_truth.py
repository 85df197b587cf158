"""Every claim of a sample is checked against the tree; a changed fact is noticed."""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from repobuild.truth.answer_template import answer_templates
from repobuild.truth.audit import Audit, audit
from repobuild.truth.claims.code_claims import CODE_CLAIMS
from repobuild.truth.claims.completion_claims import COMPLETION_CLAIMS
from repobuild.truth.claims.condition_claims import CONDITION_CLAIMS
from repobuild.truth.claims.local_claims import LOCAL_CLAIMS
from repobuild.truth.claims.project_claims import PROJECT_CLAIMS
from repobuild.truth.claims.relation_claims import RELATION_CLAIMS
from repobuild.truth.claims.signature_claims import SIGNATURE_CLAIMS
from repobuild.truth.claims.undocumented_claims import UNDOCUMENTED_CLAIMS
from repobuild.truth.claims.usage_claims import USAGE_CLAIMS
from repobuild.truth.structure import CLAIMS, STRUCTURE
from tests.mutants import make_mutant
from tests.truth_world import World

ROOM = Path(__file__).parents[2] / "repobuild" / "truth"


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("truth"))


def run_audit(world: World, samples: Mapping[str, Any], **files: str) -> Audit:
    """Check samples against the world's tree, with some files' texts replaced."""
    tree = world.tree
    if files:
        edited = {path: text.encode() for path, text in files.items()}
        read = tree.read_blob
        tree = replace(tree, read_blob=lambda path: edited.get(path) or read(path))
    return audit(samples.items(), tree)


def samples_of_kind(world: World, task: str, kind: str) -> dict[str, Any]:
    """Return the samples of one kind, in all languages."""
    found = {}
    for key, sample in world.samples.items():
        name, language, number = key.rpartition("#")[2].split(".")
        if name == task and answer_templates(language).kind(task, int(number)) == kind:
            found[key] = sample
    return found


def test_every_claim_of_every_sample_holds(world):
    found = run_audit(world, world.samples)
    assert found.wrong == []
    assert found.samples == len(world.samples)
    assert found.claims.total() > 4 * found.samples


def test_the_checker_imports_nothing_of_the_generator():
    for path in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            module = getattr(node, "module", None) or ""
            assert not module.startswith(("repobuild.samples", "repobuild.code")), path


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_and_every_field_of_the_question_files_has_a_check(language):
    known = answer_templates(language)
    assert set(known.kinds) == set(STRUCTURE)
    used = {p.strip("?*") for parts in STRUCTURE.values() for p in parts}
    assert {p for part in used for p in part.split("|")} <= set(known.parts)
    assert all(CLAIMS.values())


def test_every_claim_of_the_structure_has_a_check():
    tables = (LOCAL_CLAIMS, SIGNATURE_CLAIMS, CODE_CLAIMS, COMPLETION_CLAIMS)
    others = (RELATION_CLAIMS, PROJECT_CLAIMS, UNDOCUMENTED_CLAIMS, USAGE_CLAIMS)
    checked = {*chain(*tables, *others), *CONDITION_CLAIMS}
    by_hand = {
        "steps",
        "callee purposes",
        "reasoning",
        "called line",
        "line under a head",
        "purpose of base",
        "extending line",
    }
    assert set(CLAIMS.values()) - checked == by_hand


def test_a_kind_without_a_check_is_wrong(world):
    key, sample = next(iter(samples_of_kind(world, "relations", "callers").items()))
    unknown = key.rpartition(".")[0] + ".990"
    (wrong,) = run_audit(world, {unknown: sample}).wrong
    assert "no check for" in wrong.actual


def test_text_that_no_template_accounts_for_is_wrong(world):
    locations = samples_of_kind(world, "code_location", "location")
    key, sample = next(iter(locations.items()))
    answer = sample["answer"] + " It is the best one."
    (wrong,) = run_audit(world, {key: {**sample, "answer": answer}}).wrong
    assert "not in the words" in wrong.actual


# task, kind, a text in the answer, what it is changed to
TEXTS = [
    ("code_location", "location", "shapes/base.py", "shapes/figures.py"),
    ("code_location", "location", "shapes/base.py", "shapes/none.py"),
    ("code_location", "location", "`Shape`", "`Square`"),
    ("code_location", "lines", "lines 33-", "lines 34-"),
    ("code_location", "lines", "-38", "-37"),
    ("code_location", "contents", "`Square`", "`Triangle`"),
    ("code_location", "contents", "`known`, ", ""),
    ("code_location", "sections", '"Install"', '"Installing"'),
    ("code_location", "reverse", "the function", "the class"),
    ("code_explanation", "explain", "rounded to so", "cut to so"),
    ("code_explanation", "explain", "digits: int = 2", "digits: int = 3"),
    ("code_explanation", "explain", "default `1.0`", "default `1.5`"),
    ("code_explanation", "explain", "(`int`)", "(`float`)"),
    ("code_explanation", "explain", "of size one", "of size two"),
    ("code_explanation", "explain", "the rounded value", "the value"),
    ("code_explanation", "module", "known by name", "known by number"),
    ("code_explanation", "members", "`measured`", "`weighed`"),
    ("code_explanation", "members", ", `unit`", ""),
    ("code_explanation", "members", "`area`", "`total`"),
    ("code_explanation", "passage", "Copy", "Move"),
    ("code_explanation", "describe", "inside of", "outside of"),
    ("api_usage", "usage", 'known(["square"', 'known(["squares"'),
    ("api_usage", "usage", "tests/test_shapes.py", "shapes/base.py"),
    ("api_usage", "usage", "`value`", "`values`"),
    ("api_usage", "signature", "-> float", "-> int"),
    ("api_usage", "signature", 'title: str = "areas"', 'title: str = "area"'),
    ("relations", "callers", "`Shape.area`", "`Shape.unit`"),
    ("relations", "callers", "`Shape.measured`", "`Shape.unit`"),
    ("relations", "bases", "`Shape`", "`Square`"),
    ("relations", "subclasses", "`Circle`", "`known`"),
    ("relations", "overrides", "Shape.measured", "Shape.area"),
    ("relations", "overridden", "Square.measured", "Shape.measured"),
    ("architecture_understanding", "imports", "base.py", "__init__.py"),
    ("architecture_understanding", "importers", "figures.py", "base.py"),
    ("architecture_understanding", "package_parts", "`shapes/base.py`", "`a.py`"),
    ("architecture_understanding", "package_parts", "that have an", "of"),
    ("architecture_understanding", "package_parts", "\n- `shapes/figures.py`", "\nx"),
    ("architecture_understanding", "package_parts", "`shapes`", "`forms`"),
    ("implementation_path", "plan", "`Circle`", "`known`"),
    ("implementation_path", "plan", "1. ", "2. "),
    ("implementation_path", "plan", "(3 of 3)", "(2 of 3)"),
    ("implementation_path", "plan", "`measured` (3", "`area` (3"),
    ("implementation_path", "plan", "figures.py`, where all", "base.py`, where all"),
    ("implementation_path", "plan_like", "side * side", "side + side"),
    ("implementation_path", "plan_like", "Inherit from `Shape`", "Inherit from `Form`"),
    ("implementation_path", "change", "`total`", "`report`"),
    ("implementation_path", "trace", "Line 48", "Line 49"),
    ("implementation_path", "trace", "known(names", "known(name"),
    ("implementation_path", "trace", "`known`: Return the shapes", "`known`: Return"),
    ("code_completion", "line", "side * side", "side + side"),
    ("code_completion", "body", "return", "yield"),
    ("assertion_completion", "assertion", '"', "''"),
    ("import_completion", "needs", "scaled", "unscaled"),
    ("project_overview", "purpose", "flat shapes", "round shapes"),
    ("project_overview", "modules", "`shapes`", "`forms`"),
    ("project_overview", "architecture", "several packages side by side", "layers"),
    ("project_overview", "statistics", "4 classes", "5 classes"),
    ("code_change", "removed", "shapes/figures.py", "shapes/base.py"),
    ("code_change", "changed", '`"areas"`', '`"area"`'),
    ("code_change", "renamed_file", "shapes/figures.py", "shapes/base.py"),
]


@pytest.mark.parametrize(("task", "kind", "old", "new"), TEXTS)
def test_a_fact_that_is_changed_in_the_text_is_noticed(world, task, kind, old, new):
    samples = {
        key: {**sample, "answer": sample["answer"].replace(old, new, 1)}
        for key, sample in samples_of_kind(world, task, kind).items()
        if old in sample["answer"]
    }
    assert samples, "no sample says so"
    wrong = {w.key for w in run_audit(world, samples).wrong}
    assert wrong == samples.keys()


LINES = {"first line", "last line"}
HEAD = {"signature", "parameters"}
# a change of the tree: path, old, new, and the claims that it makes wrong
TREES = [
    ("shapes/base.py", '"""Shapes that', '\n"""Shapes that', LINES),
    ("shapes/base.py", "class Shape", "class Form", {"path", "bases", "name"}),
    ("shapes/base.py", "digits: int = 2", "digits: int = 3", HEAD),
    ("shapes/base.py", "digits: int = 2", "digits: str = 2", HEAD),
    ("shapes/base.py", "digits", "places", {"signature", "parameters", "code"}),
    ("shapes/base.py", ") -> float:\n        \"\"\"Return the area without",
     ") -> int:\n        \"\"\"Return the area without", {"returns", "signature"}),
    ("shapes/base.py", "rounded to", "cut to", {"summary"}),
    ("shapes/base.py", "how many digits stay", "how many stay", {"parameters"}),
    ("shapes/base.py", "the rounded value", "the value", {"returns"}),
    ("shapes/base.py", "value * factor", "value / factor", {"code"}),
    ("shapes/base.py", "self.measured()", "self.guessed()", {"callers", "callees"}),
    ("shapes/figures.py", "Square(Shape)", "Square(Figure)",
     {"bases", "subclasses", "overrides", "overridden"}),
    ("shapes/figures.py", "def measured", "def weighed", {"overrides", "methods"}),
    ("shapes/figures.py", "from shapes.base", "from other.base",
     {"imports", "importers", "needed imports"}),
    ("shapes/figures.py", "def total", "def summed", {"contents", "callees", "tests"}),
    ("shapes/figures.py", "float(self.more[0])", "int(self.more[0])", {"hole"}),
    ("shapes/figures.py", "class Circle", "class Square2:\n    pass\n\n\nclass Circle",
     {"contents", "classes"}),
    ("tests/test_shapes.py", "total([", "summed([", {"tests"}),
    ("tests/test_shapes.py", "all of it", "none of it", {"assertion"}),
    ("README.md", "## Install", "## Setup", {"sections", "section"}),
    ("README.md", "Copy the folder", "Move the folder", {"passage"}),
    ("README.md", "A small library", "A large library", {"description"}),
    ("pyproject.toml", "flatland", "spaceland", {"project"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "old", "new", "claims"), TREES)
def test_a_fact_that_is_changed_in_the_tree_is_noticed(world, path, old, new, claims):
    text = world.tree.read_blob(path).decode()
    assert old in text
    found = run_audit(world, world.samples, **{path: text.replace(old, new)})
    assert claims <= {w.claim for w in found.wrong}


def test_a_file_that_is_gone_is_noticed(world):
    languages = {p: "" if "base" in p else v for p, v in world.tree.languages.items()}
    found = audit(world.samples.items(), replace(world.tree, languages=languages))
    of_it = {key for key in world.samples if key.startswith("shapes/base.py")}
    assert of_it <= {w.key for w in found.wrong}


def test_no_changed_token_of_any_answer_is_accepted(world):
    chance = random.Random(2)
    every = [make_mutant(key, sample, chance) for key, sample in world.samples.items()]
    mutants = {m.key: m for m in every if m is not None}
    assert len(mutants) == len(world.samples)
    found = run_audit(world, {key: m.sample for key, m in mutants.items()})
    survivors = mutants.keys() - {w.key for w in found.wrong}
    assert [(key, mutants[key].after) for key in survivors] == []
