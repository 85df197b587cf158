"""Members that are private by `#` in JavaScript and TypeScript."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.facts.element_row import name_of, row_of
from tests.cases.sampled import Sampled
from tests.code_world import World

CACHE = """export class Cache {
  #store = new Map();
  #spare = new Spare();

  /** Drop what is kept under a key. */
  #evict(key) {
    this.#store.delete(key);
    this.#spare.clear();
  }

  /** Drop it, and say so. */
  evict(key) {
    this.#evict(key);
  }

  #later = (key) => { this.evict(key); };

  static #make() { return new Cache(); }

  static make() { Cache.#make(); }

  other(cache) { return this.#later(1); }
}

class Spare {
  clear() {}
}
"""


@pytest.mark.parametrize("ending", ["js", "ts"])
def test_a_private_member_is_another_than_the_public_one(ending: str) -> None:
    path = f"cache.{ending}"
    world = World({path: CACHE})
    rows = map(row_of, world.view.tables["facts"].rows[path]["elements"])
    docs = {row.qual: row.doc for row in rows}
    assert docs["Cache.#evict"] == "Drop what is kept under a key."
    assert docs["Cache.evict"] == "Drop it, and say so."
    assert "Cache.evict#2" not in docs
    assert world.rows[path]["::Cache.#evict"]["name"] == "#evict"
    edges = {
        (source.partition("::")[2], target.partition("::")[2]): sure
        for (source, target), sure in world.edges("calls").items()
    }
    assert edges[("Cache.evict", "Cache.#evict")] == 0.9
    assert edges[("Cache.#later", "Cache.evict")] == 0.9
    assert edges[("Cache.other", "Cache.#later")] == 0.9
    assert ("Cache.make", "Cache.#make") in edges
    assert ("Cache.#evict", "Spare.clear") in edges
    assert ("Cache.#evict", "Cache.evict") not in edges


@pytest.mark.parametrize(
    ("qual", "name"),
    [("f", "f"), ("A.f#2", "f"), ("A.#f", "#f"), ("A.#f#2", "#f"), ("A#2.f", "f")],
)
def test_the_name_of_a_private_member_keeps_its_mark(qual: str, name: str) -> None:
    assert name_of(qual) == name


def test_samples_tell_private_and_public_members_apart(tmp_path: Path) -> None:
    languages = ["javascript"]
    sampled = Sampled(tmp_path, {"cache.js": CACHE}, **{"project.languages": languages})
    private = sampled.answers("cache.js::Cache.#evict")
    public = sampled.answers("cache.js::Cache.evict")
    assert any("#evict" in answer for answer in private)
    assert any("Drop what is kept" in answer for answer in private)
    assert any("Drop it, and say so" in answer for answer in public)
    assert not any("Drop what is kept" in answer for answer in public)


def test_claims_about_files_that_only_text_shows_hold(tmp_path: Path) -> None:
    """The checker reads Python and Markdown; of other languages it has the text."""
    languages = ["javascript"]
    main = "/** Begin to work. */\nfunction start() { return 1; }\n"
    files = {"cache.js": CACHE, "main.js": main}
    sampled = Sampled(tmp_path, files, **{"project.languages": languages})
    result = sampled.audit()
    assert result.wrong == []
    assert {"kind", "short name", "classes", "methods counted"} <= set(result.claims)
    key, sample = next(
        (key, sample) for key, sample in sampled.samples.items()
        if sample["element"] == "main.js::start" and "is a function" in sample["answer"]
    )  # fmt: skip
    answer = sample["answer"].replace("is a function", "is a method")
    (wrong,) = sampled.audit({key: {**sample, "answer": answer}}).wrong
    assert (wrong.claim, wrong.actual) == ("kind", "it is in no class")
