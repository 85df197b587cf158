"""The hierarchy: anchored in directories, stable under change, bounded in its drift."""

from __future__ import annotations

from pathlib import Path

import pytest

from repobuild.code.areas.area_map import AreaMap
from repobuild.code.areas.directory_scopes import Grounding
from repobuild.code.areas.evolve import needs_encode
from tests.repository import Repository
from tests.standard import Standard

PARTS = {
    "parse": ("token", "grammar", "syntax", "lexer", "statement"),
    "store": ("table", "index", "page", "journal", "cache"),
    "render": ("colour", "font", "layout", "image", "widget"),
}


def module(part: str, thing: str, extra: str = "") -> str:
    return (
        f'"""{part.title()} a {thing}."""\n\n\n'
        f"def {part}_{thing}(value):\n    return value\n\n\n"
        f"class {thing.title()}:\n    def {part}(self):\n        pass\n{extra}"
    )


FILES = {
    f"pkg/{part}/{thing}.py": module(part, thing)
    for part, things in PARTS.items()
    for thing in things
} | {
    "tests/test_parse.py": "def test_parse_token():\n    pass\n",
    "README.md": "# Things\n\nA library.\n",
    "pyproject.toml": "[project]\nname = 'things'\n",
}


class Grown:
    """A repository whose hierarchy is followed."""

    def __init__(self, repository: Repository, place: Path) -> None:
        self.repository = repository
        self.standard = Standard(repository.git, place)
        self.row: dict = {}

    def build(self, files=None) -> AreaMap:
        self.repository.commit(files or {})
        self.standard.build("areas")
        build = self.standard.last
        assert build is not None
        row = build.table("areas").get(build.snapshot.commit)
        assert row is not None
        self.row = dict(row)
        return AreaMap.read(build.store.checked_path(str(row["object"])))


@pytest.fixture
def grown(repository: Repository, tmp_path: Path):
    one = Grown(repository, tmp_path / "state")
    yield one
    one.standard.close()


def test_areas_are_anchored_in_directories_and_every_file_has_a_place(grown):
    areas = grown.build(FILES)
    assert areas.files.keys() == FILES.keys()
    tops = {path: [*areas.line(f.node)][-1] for path, f in areas.files.items()}
    assert tops.pop("tests/test_parse.py") == "Tests"
    assert tops.pop("README.md") == "Documentation"
    assert tops.pop("pyproject.toml") == "Tooling"
    assert tops == {path: path.split("/")[1].title() for path in tops}
    for file in areas.files.values():
        assert [areas.nodes[id].level for id in areas.line(file.node)] == [2, 1, 0]
    members = areas.members()
    grounding = Grounding(areas.files)
    assert grounding.scopes(members["Parse"]) == ["pkg/parse/"]


def test_two_encodes_of_one_tree_are_equal_bytes(grown, tmp_path):
    grown.build(FILES)
    other = Standard(grown.repository.git, tmp_path / "other")
    other.build("areas")
    commit = str(grown.repository.git.head.target)
    assert other.table("areas").get(commit)["object"] == grown.row["object"]
    other.close()


def names(areas: AreaMap) -> dict[str, str]:
    return {id: node.label for id, node in areas.nodes.items()}


def test_a_commit_that_changes_one_function_renames_no_node(grown):
    before = grown.build(FILES)
    path = "pkg/store/page.py"
    after = grown.build({path: FILES[path].replace("return value", "return [value]")})
    assert grown.row["mode"] in ("evolve", "reuse")
    assert names(after) == names(before)
    changed = FILES[path] + "\n\ndef drop_page(page):\n    '''Forget a page.'''\n"
    after = grown.build({path: changed})
    assert grown.row["mode"] == "evolve"
    assert names(after) == names(before)
    assert {p: f.node for p, f in after.files.items()} == {
        p: f.node for p, f in before.files.items()
    }


def test_a_revert_answers_as_before(grown):
    grown.build(FILES)
    first = grown.row["object"]
    grown.build({"pkg/parse/lexer.py": module("render", "window")})
    assert grown.row["object"] != first
    grown.build({"pkg/parse/lexer.py": FILES["pkg/parse/lexer.py"]})
    assert (grown.row["mode"], grown.row["object"]) == ("reuse", first)


def test_a_renamed_file_keeps_its_place(grown):
    before = grown.build(FILES)
    moved = {
        "pkg/store/page.py": None,
        "pkg/store/sheet.py": FILES["pkg/store/page.py"],
    }
    after = grown.build(moved)
    assert grown.row["renamed"] == 1 and grown.row["inserted"] == 0
    assert (
        after.files["pkg/store/sheet.py"].node == before.files["pkg/store/page.py"].node
    )
    assert names(after) == names(before)


def test_removed_files_prune_the_nodes_that_they_leave_empty(grown):
    grown.build(FILES)
    gone = {path: None for path in FILES if path.startswith("pkg/render/")}
    after = grown.build(gone)
    assert not any(id.startswith("Render") for id in after.nodes)
    assert grown.row["removed"] == len(gone)
    for node in after.nodes.values():
        assert not node.parent or node.parent in after.nodes
    assert all(paths for paths in after.members().values())


def test_a_new_file_is_routed_to_where_its_directory_is(grown):
    before = grown.build(FILES)
    after = grown.build({"pkg/parse/operator.py": module("parse", "operator")})
    assert list(after.line(after.files["pkg/parse/operator.py"].node))[-1] == "Parse"
    assert grown.row["inserted"] == 1
    assert names(before).items() <= names(after).items()


def test_a_file_whose_words_are_others_altogether_moves_and_one_that_drifts_stays(
    grown,
):
    grown.build(FILES)
    path = "pkg/parse/lexer.py"
    text = "".join(
        f"def render_{thing}_image(font): ...\n" for thing in PARTS["render"]
    )
    after = grown.build({path: f'"""Render image layout with fonts."""\n{text}'})
    assert grown.row["moved"] + grown.row["in_place"] == 1
    assert after.files[path].node in after.nodes


def test_too_many_changed_places_encode_anew_and_keep_names(grown):
    before = grown.build(FILES)
    more = {
        f"pkg/{part}/{thing}_{n}.py": module(part, f"{thing}{n}")
        for part, things in PARTS.items()
        for thing in things
        for n in (1, 2)
    }
    after = grown.build(more)
    assert grown.row["mode"] == "encode" and not needs_encode(after)
    tops = {node.id for node in before.nodes.values() if node.level == 0}
    assert tops <= after.nodes.keys()


def test_grounding_takes_the_highest_directory_that_wastes_little():
    tree = [f"a/x/{n}.py" for n in range(4)] + [f"a/y/{n}.py" for n in range(4)]
    tree += ["b/z.py", "c.py"]
    scopes = Grounding(tree).scopes
    assert scopes(tree) == ["./"]
    assert scopes(tree[:8]) == ["a/"]
    assert scopes(tree[:4]) == ["a/x/"]
    assert scopes(tree[:3]) == ["a/x/"]  # one of four is another's
    assert scopes(tree[:2]) == ["a/x/0.py", "a/x/1.py"]
    assert scopes([*tree[:4], "b/z.py"]) == ["a/x/", "b/"]
    assert scopes([]) == []
