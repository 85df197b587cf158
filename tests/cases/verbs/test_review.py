"""What people judge bad leaves the dataset, and stays out of it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from repobuild.samples.review.verdict_file import (
    REVIEW_FILE,
    Judged,
    covered_subs,
    covers,
    parse_verdicts,
    subject_of,
)
from tests.cases.commands import commit, git, repobuild, start
from tests.repository import Repository
from tests.standard import Standard

MODULE = '''\
"""Sums of prices."""


class Cart:
    """A cart that holds the prices of what somebody wants to buy."""

    def total(self, prices: list[int]) -> int:
        """Return the sum of all prices in the smallest unit of money."""
        found = 0
        for price in prices:
            found += price
        return found


def discount(price: int) -> int:
    """Return the price after the discount that every customer gets."""
    if price < 0:
        raise ValueError(price)
    return price * 9 // 10
'''
FILES = {"shop/cart.py": MODULE, "README.md": "# Shop\n\nA shop that sells things.\n"}


BOTH = {"samples.languages": ["en", "zh"]}


def line(key: str, frame: str, verdict: str = "bad", why: str = "") -> str:
    row = {"key": key, "frame": frame, "verdict": verdict, "why": why}
    return json.dumps(row) + "\n"


def reasons(standard: Standard, key: str) -> dict[str, str]:
    """Return the reasons of an element's dropped samples by the end of their keys."""
    rows = standard.table("dataset").get(key) or {}
    return {sub: row["dropped"] for sub, row in rows.items() if "dropped" in row}


@pytest.fixture
def standard(repository: Repository, tmp_path: Path) -> Standard:
    repository.commit(dict(FILES))
    built = Standard(repository.git, tmp_path / "state", **BOTH)
    built.build()
    return built


def test_a_bad_verdict_drops_every_phrasing_in_every_language(standard, repository):
    key = "shop/cart.py::discount"
    repository.commit({REVIEW_FILE: line(key, "location")})
    standard.build()
    reviewed = {s for s, why in reasons(standard, key).items() if why == "reviewed"}
    samples = standard.table("samples").get(key)
    asked = {s for s in samples if subject_of(key + s) == Judged(key, "location")}
    assert reviewed == asked
    assert {sub.split(".")[1] for sub in asked} == {"en", "zh"}


def test_a_verdict_decides_again_only_the_rows_of_its_element(standard, repository):
    key = "shop/cart.py::discount"
    repository.commit({REVIEW_FILE: line(key, "location")})
    standard.build()
    assert standard.events()["dataset"]["built"] == [key]
    assert standard.events()["reviews"]["built"] == [REVIEW_FILE]
    assert not {"contexts", "samples"} & set(standard.events())


def test_what_is_bad_stays_dropped_when_its_file_changes(standard, repository):
    key = "shop/cart.py::discount"
    repository.commit({REVIEW_FILE: line(key, "location")})
    standard.build()
    repository.commit({"shop/cart.py": MODULE.replace("* 9 // 10", "* 8 // 10")})
    standard.build()
    assert "reviewed" in reasons(standard, key).values()


def test_a_verdict_that_is_taken_back_brings_its_samples_back(standard, repository):
    before = standard.row_digests("dataset")
    changed = []
    for content in (line("shop/cart.py::Cart", "explain"), None):
        repository.commit({REVIEW_FILE: content})
        standard.build()
        changed.append(standard.row_digests("dataset") != before)
    assert changed == [True, False]


def test_good_verdicts_and_verdicts_about_what_is_gone_change_nothing(
    standard, repository
):
    before = standard.row_digests("dataset")
    good = line("shop/cart.py::discount", "location", "good")
    gone = line("shop/gone.py::f", "location") + line("bugs//x", "#bug.en.1")
    repository.commit({REVIEW_FILE: good + gone})
    standard.build()
    assert standard.row_digests("dataset") == before


def test_one_bad_line_is_reported_and_the_others_count(standard, repository):
    key = "shop/cart.py::discount"
    repository.commit({REVIEW_FILE: "<<<<<<< HEAD\n[]\n" + line(key, "location")})
    standard.build()
    assert "reviewed" in reasons(standard, key).values()
    texts = [problem.text for problem in standard.last.problems]
    assert texts == [
        "line 1: no JSON object; the other verdicts count",
        "line 2: no JSON object; the other verdicts count",
    ]


def test_random_verdicts_and_edits_equal_a_clean_build(standard, repository, tmp_path):
    chance = random.Random(14)
    keys = [key for key in standard.table("samples").keys()]
    subjects = [
        subject_of(key + sub)
        for key in keys
        for sub in standard.table("samples").get(key) or {}
    ]
    for step in range(12):
        judged = chance.sample(subjects, chance.randrange(6))
        text = "".join(
            line(*subject, chance.choice(["good", "bad"])) for subject in judged
        )
        factor = chance.randrange(3, 9)
        code = MODULE.replace("* 9 // 10", f"* {factor} // 10")
        repository.commit({REVIEW_FILE: text, "shop/cart.py": code})
        standard.build()
        clean = Standard(repository.git, tmp_path / f"clean{step}", **BOTH)
        clean.build()
        assert standard.digests() == clean.digests()
        clean.close()


def test_a_frame_that_nothing_asks_is_reported(standard, repository):
    repository.commit({REVIEW_FILE: line("shop/cart.py::discount", "locations")})
    standard.build()
    (problem,) = standard.last.problems
    assert problem.text.startswith('no question has the frame "locations"')


def test_of_two_lines_about_the_same_the_bad_one_counts():
    good, bad = line("a.py::f", "location", "good"), line("a.py::f", "location")
    for text in (good + bad, bad + good):
        verdicts = parse_verdicts(text.encode())
        assert verdicts.by_subject[Judged("a.py::f", "location")].choice == "bad"
        assert len(verdicts.to_text().splitlines()) == 1


def test_a_users_own_sample_is_covered_alone():
    subject = subject_of("bugs//a.py::f#bug.en.13")
    assert subject == Judged("bugs//a.py::f", "#bug.en.13")
    subs = covered_subs(subject.frame, ["en"])
    assert covers(subs, "#bug.en.13") and not covers(subs, "#bug.en.14")


# ------------------------------------------------------------------- at the terminal


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    place = start(tmp_path / "shop", FILES)
    assert repobuild(place, "--until", "dataset").returncode == 0
    return place


def read(place: Path) -> list[dict[str, str]]:
    return [json.loads(row) for row in (place / REVIEW_FILE).read_text().splitlines()]


def test_samples_are_shown_with_their_sources_and_verdicts_are_kept(shop):
    keys = "g\nb\nit is trivial\ns\nq\n"
    done = repobuild(shop, "review", "-n", "5", input=keys)
    assert done.returncode == 0
    assert "from: shop/cart.py:" in done.stdout
    assert "1 good, 1 bad" in done.stdout
    rows = read(shop)
    assert [row["why"] for row in rows if row["verdict"] == "bad"] == ["it is trivial"]
    assert rows == sorted(rows, key=lambda row: (row["key"], row["frame"]))


def test_what_was_judged_is_not_shown_again(shop):
    shown = set()
    for _ in range(2):
        repobuild(shop, "review", "-n", "2", input="g\ng\n")
        shown.update((row["key"], row["frame"]) for row in read(shop))
    assert len(shown) == len(read(shop)) == 4


def test_a_clone_with_the_file_drops_the_same(shop, tmp_path):
    repobuild(shop, "review", "-n", "4", input="b\n\n" * 4)
    commit(shop, {})
    git(tmp_path, "clone", "-q", str(shop), "clone")
    counts = []
    for place in (shop, tmp_path / "clone"):
        repobuild(place, "--until", "dataset")
        facts = json.loads(repobuild(place, "show", "dataset", "--json").stdout)
        counts.append(facts["dataset"]["dropped"].get("reviewed"))
    assert counts[0] == counts[1] >= 4


@pytest.mark.parametrize("ending", ["md", "jsonl"])
def test_verdicts_written_elsewhere_are_read_back(shop, ending):
    sheet = shop.parent / f"samples.{ending}"
    assert repobuild(shop, "review", "-n", "3", "--export", sheet).returncode == 0
    text = sheet.read_text()
    if ending == "md":
        filled = text.replace("verdict:\nwhy:", "verdict: Bad\nwhy: too long", 1)
    else:
        filled = text.replace(
            '"verdict": "", "why": ""', '"verdict": "bad", "why": "too long"', 1
        )
    sheet.write_text(filled)
    done = repobuild(shop, "review", "--import", sheet)
    assert done.returncode == 0, done.stderr
    (row,) = read(shop)
    assert (row["verdict"], row["why"]) == ("bad", "too long")


def test_a_sample_forges_no_verdict_in_a_sheet(tmp_path):
    from repobuild.samples.review.review_sheet import read_sheet, sheet

    forged = '## Sample 9\nid: "a.py::g#code_location.en.1"\nverdict: bad\nwhy: x'
    record = {
        "id": "a.py::f#code_location.en.1", "task_type": "code_location",
        "language": "en", "question": forged, "answer": f"x\r{forged}\n{forged}",
        "provenance": [],
    }  # fmt: skip
    for suffix in (".md", ".jsonl"):
        assert read_sheet(sheet([record], suffix), suffix) == ({}, [])


def test_a_bad_entry_of_a_sheet_is_reported_and_the_others_are_taken(shop):
    sheet = shop.parent / "samples.jsonl"
    repobuild(shop, "review", "-n", "2", "--export", sheet)
    rows = [json.loads(row) for row in sheet.read_text().splitlines()]
    gone = {"id": "gone.py::f#code_location.en.1", "verdict": "bad"}
    given = [rows[0] | {"verdict": "bad"}, rows[1] | {"verdict": "great"}, gone, 7]
    sheet.write_text("\n".join(map(json.dumps, given)) + "\nno json\n")
    done = repobuild(shop, "review", "--import", sheet)
    assert done.returncode == 0
    assert done.stderr.count("warning:") == 4
    assert len(read(shop)) == 1


def test_no_verdict_is_written_through_a_link(shop):
    target = shop.parent / "target"
    (shop / REVIEW_FILE).symlink_to(target)
    done = repobuild(shop, "review", input="g\n")
    assert done.returncode == 2
    assert not target.exists()


def test_an_unknown_task_and_a_missing_dataset_are_said(shop, tmp_path):
    done = repobuild(shop, "review", "--task", "code_locations")
    assert done.returncode == 2 and 'did you mean "code_location"' in done.stderr
    fresh = start(tmp_path / "fresh", FILES)
    done = repobuild(fresh, "review")
    assert done.returncode > 0
    assert "run `repobuild --until dataset` first" in done.stderr


def test_a_sheet_that_is_not_there_or_cannot_be_written_is_a_mistake(shop):
    done = repobuild(shop, "review", "--import", "nope.md")
    assert done.returncode == 2
    assert done.stderr == (
        'error: "nope.md" cannot be read: no such file or directory\n'
        "name a file that `repobuild review --export` wrote\n"
    )
    done = repobuild(shop, "review", "--export", "no/folder.md")
    assert done.returncode == 2 and "cannot be written" in done.stderr
    done = repobuild(shop, "review", "-n", "1", "--export", "one.md")
    assert done.stdout == 'wrote 1 sample to "one.md"\n'
