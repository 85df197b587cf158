"""Random repositories under random edits: step by step equals clean, after each step.

Equal are the rows down to their bytes, the indexes of the views (a wrong one is a wrong
result later), the counts and the digests; nothing is left pending. And nothing more was
done than had to be: see `ledger.py`. More examples: `examples.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given

from repobuild.engine.digest import digest, inflate
from repobuild.engine.rule import closure
from repobuild.git.snapshot import Snapshot, at_commit
from repobuild.git.worktree import at_worktree
from tests.promises import edits
from tests.promises.edits import Edit, Step, Tree, after
from tests.promises.examples import examples
from tests.promises.ledger import Ledger
from tests.repository import Repository
from tests.standard import Standard

GOAL = "teachable"  # the last table before training
FAULTS = "tests.promises.faults"


class World:
    """A repository that is edited, and the state that follows it."""

    def __init__(self, place: Path, start: Tree, goal: str = GOAL) -> None:
        self.place = place
        self.repository = Repository(place / "repository")
        self.grown = Standard(self.repository.git, place / "grown")
        self.ledger = Ledger(self.grown)
        self.trees: list[Tree] = [start]
        self.commits = [self.repository.commit_tree(start, [])]
        self._cleans = 0
        self._build(goal)

    def step(self, step: Step) -> None:
        edit, how = step
        self._edit(edit)
        getattr(self, f"_{how[0]}")(*how[1:])

    def become(self, tree: Tree) -> None:
        """Commit a whole tree and build it, without a problem."""
        self.trees.append(tree)
        self.commits.append(self.repository.commit_tree(tree, [self.commits[-1]]))
        self._build(GOAL)
        assert self.grown.last is not None
        assert self.grown.last.problems == []

    def close(self) -> None:
        self.grown.close()

    def _edit(self, edit: Edit) -> None:
        tree = after(self.trees[-1], self.trees, edit)
        place = -1 - edit[1] % len(self.trees) if isinstance(edit[1], int) else -1
        parents = [self.commits[-1]]
        if edit[0] == "merge":
            parents.append(self.commits[place])
        self.trees.append(tree)
        if edit[0] == "switch":
            self.commits.append(self.commits[place])
        else:
            self.commits.append(self.repository.commit_tree(tree, parents))

    def _build(self, goal: str) -> None:
        self.ledger.build(goal, self._head())
        self._compare(goal, self._head())

    def _settings(self, number: int) -> None:
        self.grown.settings = {**self.grown.defaults, **edits.SETTINGS[number]}
        self._build(GOAL)

    def _worktree(self, path: bytes, text: str) -> None:
        tree = edits.put(dict(self.trees[-1]), path, text.encode("latin-1"), 0o100644)
        self.repository.git.references.create(
            "refs/heads/main", self.commits[-1], force=True
        )
        real, head = map(edits.real_part, (tree, self.trees[-1]))
        self.repository.lay_out(real, head)
        snapshot = at_worktree(self.repository.git, self.place / "copies")
        self.repository.clear()
        self.ledger.build(GOAL, snapshot)
        self._compare(GOAL, snapshot)
        self._build(GOAL)

    def _killed(self, table: str) -> None:
        kind = "row" if self.grown.rules[table].kind == "map" else "view"
        with self._replaced(table, f"killed_{kind}"):
            self.ledger.build(table, self._head())

    def _failed(self) -> None:
        with self._replaced("facts", "failing_row"):
            self.ledger.build(GOAL, self._head())

    def _replaced(self, table: str, fault: str) -> Any:
        return replaced(self.grown, table, f"{FAULTS}:{fault}")

    def _head(self) -> Snapshot:
        return at_commit(self.repository.git, self.commits[-1])

    def _compare(self, goal: str, snapshot: Snapshot) -> None:
        """Hold the tables up to `goal` against a clean build's."""
        self._cleans += 1
        clean = Standard(self.repository.git, self.place / f"clean{self._cleans}")
        clean.settings = self.grown.settings
        clean.build(goal, snapshot)
        for table in closure(clean.rules, [goal]):
            assert_equal(self.grown, clean, table)
        clean.close()


@contextmanager
def replaced(standard: Standard, table: str, run: str) -> Iterator[None]:
    """Put another function in place of a rule's own, for a while."""
    rule = standard.rules[table]
    standard.rules[table] = replace(rule, run=run)
    yield
    standard.rules[table] = rule


def assert_equal(grown: Standard, clean: Standard, table: str) -> None:
    """The table's rows, bytes, counts, digest and index are a clean build's."""
    mine, theirs = grown.rows(table), clean.rows(table)
    assert sorted(mine) == sorted(theirs), table
    for key, row in mine.items():
        assert inflate(row.stored) == inflate(theirs[key].stored), (table, key)
        assert row.digest == theirs[key].digest == digest(inflate(row.stored)), key
    line, other = grown.state.line(table), clean.state.line(table)
    assert line is not None and other is not None
    assert (line.digest, line.rows, line.entries) == (
        (other.digest, other.rows, other.entries)
    ), table
    assert line.rows == len(mine), table
    if grown.rules[table].kind == "view":
        assert grown.terms(table) == clean.terms(table), table
        assert grown.indexed(table) == clean.indexed(table), table


def _follow(story: Any, goal: str) -> None:
    """Build a goal after each commit of a story, and hold it against a clean build."""
    start, steps = story
    with tempfile.TemporaryDirectory() as name:
        world = World(Path(name), edits.tree_of(start), goal)
        for edit, _ in steps:
            world.step((edit, ("build", goal)))
        world.close()


@examples(4)
@given(edits.story)
def test_after_any_edits_features_and_common_commits_equal_a_clean_builds(story):
    _follow(story, "features")
    _follow(story, "cochange")


@examples(20)
@given(edits.story)
def test_after_any_edits_every_row_equals_a_clean_builds(story):
    start, steps = story
    with tempfile.TemporaryDirectory() as name:
        world = World(Path(name), edits.tree_of(start))
        for step in steps:
            world.step(step)
        world.step((("delete", b"nowhere"), ("build", "dataset")))
        world.close()


def test_a_submodule_in_place_of_the_readme_leaves_nothing_pending(tmp_path):
    world = World(tmp_path, {})
    world.become({b"README.md": (b"", edits.MODULE)})
    world.close()


# Files that some rule reads, by language or by name.
TEXTS = {
    b"a.py": "from pkg.b import f\n\n\ndef g(v):\n    return f(v)\n",
    b"a.py.license": "SPDX-License-Identifier: MIT\n",
    b"pkg/b.py": "def f(v):\n    '''Return it.'''\n    return v\n",
    b"README.md": "# Demo\n\nDemo adds numbers. Call `pkg.b.f()` for a `SumTable`.\n",
    b"docs/guide.rst": "Guide\n=====\n\nUse ``g()`` for lists.\n",
    b"CHANGES.md": "# Changes\n\n- `g` is new.\n",
    b"pyproject.toml": "[project]\nname = 'demo'\nlicense = 'MIT'\n",
    b"LICENSE": "SPDX-License-Identifier: ISC\n",
    b"REUSE.toml": "version = 1\n\n[[annotations]]\npath = '**'\n"
    "SPDX-License-Identifier = 'Zlib'\n",
    b".gitattributes": "docs/** linguist-vendored\n",
    b".repobuild-review.jsonl": edits.VERDICTS[0],
}
# Each of the four becomes each of the others once: file, link, module, directory.
CIRCUIT = "flfmfdlmldmd"


def test_a_path_may_become_a_link_a_submodule_or_a_folder_and_a_file_again(tmp_path):
    world = World(tmp_path, edits.tree_of(TEXTS))
    for step in range(len(CIRCUIT) + 1):
        tree: Tree = {}
        for number, (path, text) in enumerate(TEXTS.items()):
            # A link names what the file holds: then nothing but the mode tells them.
            kind = CIRCUIT[(step + number) % len(CIRCUIT)]
            inner = path + b"/" + path.rpartition(b"/")[2]
            place = inner if kind == "d" else path
            mode = {"l": edits.LINK, "m": edits.MODULE}.get(kind, edits.REGULAR)
            edits.put(tree, place, text.encode(), mode)
        world.become(tree)
    world.close()


def test_the_name_in_a_link_says_no_more_than_a_submodule(tmp_path):
    """What follows from the tree but for the ids and modes in it is the same."""
    states = []
    for mode in (edits.LINK, edits.MODULE):
        place = tmp_path / str(mode)
        repository = Repository(place / "repository")
        read = {path: (TEXTS[path].encode(), edits.REGULAR) for path in edits.HOT[:2]}
        links = {path: (text.encode(), mode) for path, text in TEXTS.items()}
        repository.commit_tree(links | read, [])
        states.append(Standard(repository.git, place / "state"))
        states[-1].build()
    one, other = states
    for table in ("graph", "licences", "documents", "families", "contexts", "dataset"):
        assert one.row_digests(table) == other.row_digests(table), table
        assert one.terms(table) == other.terms(table), table
    one.close()
    other.close()
