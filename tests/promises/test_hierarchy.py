"""Random edits never break the hierarchy, nor what is exact beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.areas.directory_scopes import Grounding
from repobuild.git.snapshot import at_commit
from tests.promises import edits
from tests.promises.examples import examples
from tests.repository import Repository
from tests.standard import Standard


@examples(4)
@given(edits.story)
def test_after_any_edits_every_file_has_one_place_and_no_node_is_empty(story):
    start, steps = story
    with tempfile.TemporaryDirectory() as name:
        repository = Repository(Path(name) / "repository")
        standard = Standard(repository.git, Path(name) / "state")
        trees = [edits.tree_of(start)]
        for number in range(len(steps) + 1):
            if number:
                trees.append(edits.after(trees[-1], trees, steps[number - 1][0]))
            commit = repository.commit_tree(trees[-1], [])
            standard.build("areas", at_commit(repository.git, commit))
            _check(standard, commit)
        standard.close()


def _check(standard: Standard, commit: str) -> None:
    build = standard.last
    assert build is not None
    row = build.table("areas").get(commit)
    assert row is not None
    areas = AreaMap.read(build.store.checked_path(str(row["object"])))
    features = {path for path, one in build.table("features").items() if one}
    assert areas.files.keys() == features
    members = areas.members()
    assert all(members.values())
    grounding = Grounding(areas.files)
    for id, node in areas.nodes.items():
        assert node.id == id and node.label
        assert (node.parent == "") == (node.level == 0)
        if node.parent:
            assert areas.nodes[node.parent].level == node.level - 1
        scopes = grounding.scopes(members[id])
        assert all(any(_holds(one, path) for one in scopes) for path in members[id])
    for parent, ids in areas.children().items():
        labels = [areas.nodes[id].label for id in ids]
        assert len(labels) == len(set(labels)), parent


def _holds(scope: str, path: str) -> bool:
    """Return whether a scope takes a file in."""
    if scope.endswith("/*"):
        return path.rpartition("/")[0] == ("" if scope == "./*" else scope[:-2])
    return scope in ("./", path) or (scope.endswith("/") and path.startswith(scope))
