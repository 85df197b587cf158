"""What a pull request changes is said before it is merged; nothing is written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from repobuild.checkout import open_checkout, silent
from repobuild.ci.training_cost import count_facts
from repobuild.ci.two_builds import build_both
from tests.cases.commands import commit, git, repobuild, start
from tests.ci.runners import contents

TOKEN = "ghp_" + "a1B2" * 9
CART = '''"""Sums of prices, as a shop shows them to its customers."""


class Cart:
    """A cart that holds the prices of what somebody wants to buy."""

    def total(self, rate: int) -> int:
        """Return the sum of all prices after the discount of the season."""
        return discount(rate) + discount(1)


def discount(price: int) -> int:
    """Return a price less one tenth, as regular customers pay it."""
    reduced = price * 9 // 10
    return reduced
'''
USER = '''"""Orders of a shop, and what they cost when they are sent."""

from shop.cart import Cart, discount


def order(price: int) -> int:
    """Return what an order costs, with all discounts of the season."""
    return Cart().total(price) + discount(price)
'''
FILES = {
    "README.md": "# Shop\n\nA shop that sells things to people.\n",
    "LICENSE": "SPDX-License-Identifier: MIT\n",
    "shop/__init__.py": "",
    "shop/cart.py": CART,
    "shop/orders.py": USER,
    "shop/old.py": '"""What is not needed any more."""\n\n\ndef gone(): ...\n',
}
CHANGED = {
    "shop/cart.py": CART.replace(
        "def discount(price: int)", "def discount(price: float)"
    ),
    "shop/orders.py": "# SPDX-License-Identifier: GPL-3.0-only\n" + USER,
    "shop/keys.env": f"TOKEN={TOKEN}\n",
    "repobuild.toml": '[samples]\ndeny_licences = ["GPL-*"]\n',
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose branch `change` was built as far as main, without a model."""
    place = start(tmp_path_factory.mktemp("hub") / "shop", FILES)
    git(place, "checkout", "-q", "-b", "change")
    (place / "shop/old.py").unlink()
    commit(place, CHANGED)
    return place


@pytest.fixture(scope="module")
def state(hub: Path) -> Path:
    git(hub, "checkout", "-q", "main")
    done = repobuild(hub, "--until", "dataset")
    assert done.returncode == 0, done.stderr
    git(hub, "checkout", "-q", "change")
    return hub / ".git" / "repobuild"


@pytest.fixture(scope="module")
def facts(hub: Path, state: Path) -> dict[str, Any]:
    before = contents(state)
    done = repobuild(hub, "ci", "summary", "--base", "main", "--json")
    assert done.returncode == 0, done.stderr
    assert contents(state) == before
    assert TOKEN not in done.stdout
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_files_and_elements_are_counted_by_what_happened_to_them(facts):
    counts = {n: facts["files"][n] for n in ("added", "changed", "removed")}
    assert counts == {"added": 2, "changed": 2, "removed": 1}
    assert facts["elements"]["names"] == [
        {"name": "shop/cart.py::discount", "what": "changed"},
        {"name": "shop/old.py::gone", "what": "removed"},
    ]


def test_samples_are_counted_as_the_dataset_keeps_them(facts):
    samples = facts["samples"]
    assert samples["changed"] > 0
    assert samples["removed"] > 10  # all of the file whose licence is denied now
    assert sum(samples["tasks"].values()) == sum(
        samples[what] for what in ("added", "changed", "removed")
    )


def test_answers_that_change_are_shown_with_both_the_most_important_first(facts):
    items = facts["answers"]["items"]
    scores = [item["importance"] for item in items]
    assert scores == sorted(scores, reverse=True)
    about = [i for i in items if i["element"] == "shop/cart.py::discount"]
    assert any("price: int" in i["old"] and "price: float" in i["new"] for i in about)
    assert all(item["old"] != item["new"] for item in items)


def test_a_licence_that_changes_is_named_with_what_denies_it(facts):
    assert facts["licences"]["items"] == [
        {"path": "shop/orders.py", "old": "MIT", "new": "GPL-3.0-only", "denied": True}
    ]


def test_a_secret_is_found_in_a_file_that_is_not_analysed(facts):
    assert facts["secrets"] == {
        "count": 1,
        "items": [{"path": "shop/keys.env", "line": 1, "kind": "GitHub Token"}],
    }


def test_settings_of_the_commit_count_against_those_of_the_base(facts):
    assert facts["settings"] == [
        {"name": "samples.deny_licences", "old": [], "new": ["GPL-*"]}
    ]


def test_what_merging_would_train_is_forecast(facts):
    cost = facts["cost"]
    assert cost["tokens"] > 0 and "from the base model" in cost["text"]
    assert cost["seconds"] is None and "adapter" in cost["why"]  # none was trained here


def test_facts_that_a_setting_teaches_now_are_counted(tmp_path: Path):
    """The next training gets them, though no sample differs."""
    here = start(tmp_path / "shop", FILES)
    commit(here, {"repobuild.toml": "[adapter]\nteach = []\n"})
    checkout = open_checkout(here)
    base, head = checkout.snapshot("HEAD^1"), checkout.snapshot()
    with build_both(checkout, base, head, silent) as (before, after):
        assert count_facts(before, after) > 0
        assert count_facts(after, after) == 0


def test_without_a_state_the_summary_is_the_same(hub, facts, tmp_path: Path):
    git(tmp_path, "clone", "-q", "-b", "change", str(hub), "clone")
    clone = tmp_path / "clone"
    done = repobuild(clone, "ci", "summary", "--base", "origin/main", "--json")
    assert json.loads(done.stdout) == facts
    assert not (clone / ".git/repobuild").exists()


def test_a_damaged_state_costs_time_and_nothing_else(hub, state, facts, tmp_path: Path):
    shutil.copytree(hub, tmp_path / "runner", symlinks=True)
    with (tmp_path / "runner/.git/repobuild/build.db").open("r+b") as file:
        file.seek(9000)
        file.write(b"damaged" * 900)
    done = repobuild(tmp_path / "runner", "ci", "summary", "--base", "main", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == facts


def test_nothing_changes_when_head_is_the_base(hub, state):
    done = repobuild(hub, "ci", "summary", "--base", "HEAD", "--json")
    facts = json.loads(done.stdout)
    for name in ("files", "elements", "samples"):
        assert all(facts[name][n] == 0 for n in ("added", "changed", "removed"))
    assert not facts["settings"]
    assert all(facts[n]["count"] == 0 for n in ("answers", "licences", "secrets"))


def test_a_base_without_a_common_commit_says_how_to_get_it(hub, tmp_path: Path):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{hub}", "clone")
    done = repobuild(tmp_path / "clone", "ci", "summary", "--base", "HEAD^1")
    assert done.returncode == 2 and "shallow" in done.stderr
    done = repobuild(tmp_path / "clone", "ci", "deepen", "--base", "HEAD^1")
    assert done.returncode == 0, done.stderr
    done = repobuild(tmp_path / "clone", "ci", "summary", "--base", "HEAD^1")
    assert done.returncode == 0, done.stderr


def test_a_setting_that_needs_trust_is_left_out_and_named(hub, tmp_path: Path):
    shutil.copytree(hub, tmp_path / "fork")
    fork = tmp_path / "fork"
    evil = '[base]\nmodel = "https://evil.example/`x`"\n[publish]\nto = "s3://mine"\n'
    commit(fork, {"repobuild.toml": evil})
    done = repobuild(fork, "ci", "summary", "--base", "HEAD^1", "--json")
    facts = json.loads(done.stdout)
    assert facts["withheld"] == ["base.model", "publish.to"]
    assert "base.model" in facts["cost"]["why"] and facts["cost"]["tokens"] is None


RULE = """
kind = "map"
from = ["files"]
run = "rules/notes.py:samples"
extends = "samples"
entries = true
"""
SCRIPT = """
def samples(row, scope):
    return {"#note.en.0": {
        "task": "note", "language": "en", "form": "chat",
        "question": f"Which note is kept of the file with the blob {row['blob']}?",
        "answer": f"It is the note {row['blob'][:20]}, kept with the orders.",
        "element": "shop/cart.py", "sources": ["shop/cart.py"],
        "difficulty": "easy", "held_out": False,
    }}
"""


def test_a_trusted_rule_that_is_changed_is_left_out_of_both_sides(tmp_path: Path):
    """It runs nothing, and its samples do not seem to be removed."""
    files = {**FILES, "rules/notes.toml": RULE, "rules/notes.py": SCRIPT}
    here = start(tmp_path / "shop", files)
    assert repobuild(here, "trust", "--yes").returncode == 0
    assert repobuild(here, "--until", "dataset").returncode == 0
    evil = f"open({str(tmp_path / 'pwned')!r}, 'w')\n{SCRIPT}"
    commit(here, {"rules/notes.py": evil})
    done = repobuild(here, "ci", "summary", "--base", "HEAD^1", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["changed_rules"] == ["notes"] and facts["untrusted"] == []
    assert "note" not in facts["samples"]["tasks"]
    assert not (tmp_path / "pwned").exists()
    done = repobuild(here, "ci", "summary", "--base", "HEAD^1")
    assert "changed since they were trusted, left out here: `notes`" in done.stdout


def test_a_rule_that_is_removed_takes_its_samples_along(tmp_path: Path):
    files = {**FILES, "rules/notes.toml": RULE, "rules/notes.py": SCRIPT}
    here = start(tmp_path / "shop", files)
    assert repobuild(here, "trust", "--yes").returncode == 0
    git(here, "rm", "-q", "rules/notes.toml")
    commit(here, {})
    done = repobuild(here, "ci", "summary", "--base", "HEAD^1", "--json")
    tasks = json.loads(done.stdout)["samples"]["tasks"]
    assert tasks["note"] > 0 and not (here / ".git/repobuild/build.db").exists()
