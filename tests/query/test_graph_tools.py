"""Replies: within their budget, of a known commit, visiting nothing twice."""

from __future__ import annotations

import sqlite3

import pygit2
import pytest

from repobuild.checkout import open_checkout
from repobuild.code.areas.area_map import AreaMap
from repobuild.errors import StaleError, UsageError
from repobuild.query.graph_view import GraphSource
from repobuild.query.reply import LEAST_BUDGET, Page, count_tokens
from repobuild.query.tools import GraphTools, Search, plan_of
from tests.repository import Repository
from tests.standard import Standard

FILES = {
    "pkg/__init__.py": "",
    "pkg/shapes.py": '''"""Measure flat shapes."""


class Shape:
    def area(self):
        """Return the area of this shape."""
        raise NotImplementedError


class Square(Shape):
    def area(self):
        return scaled(1)


def scaled(value):
    """Scale a value to the unit that people read."""
    return looped(value)


def looped(value):
    return scaled(value) if value else 0


def report(shape: Shape):
    """Print what a shape measures."""
    return shape.area()
''',
    "pkg/cli.py": "from pkg.shapes import report, scaled\n\n\ndef main():\n"
    "    report(scaled(1))\n",
    "tests/test_shapes.py": "from pkg.shapes import scaled\n\n\n"
    "def test_it_is_scaled():\n    assert scaled(0) == 0\n",
    "docs/guide.md": "# Guide\n\nCall `scaled`.\n",
}


class Here:
    """A built repository and the tools over it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.repository.commit(FILES)
        self.build()
        self.tools = GraphTools(self.source())

    def build(self, *goals: str) -> None:
        folder = open_checkout(self.repository.path).folder
        folder.mkdir(parents=True, exist_ok=True)
        standard = Standard(self.repository.git, folder)
        for goal in goals or ("areas", "importance"):
            standard.build(goal)
        standard.close()

    def source(self, in_memory: bool = False) -> GraphSource:
        checkout = open_checkout(self.repository.path)
        return GraphSource(
            lambda: checkout.view(checkout.snapshot(), checkout.state()), in_memory
        )


@pytest.fixture
def here(repository: Repository) -> Here:
    return Here(repository)


def ids(reply) -> list[str]:
    return [item["id"] for item in reply["items"]]


def test_words_find_nodes_by_feature_by_name_and_by_spelling(here):
    found = ids(here.tools.search(Search(feature_terms=["unit people read"]), Page()))
    assert found[0] == "pkg/shapes.py::scaled"
    assert ids(here.tools.search(Search(["Square"]), Page()))[0].endswith("::Square")
    assert "pkg/shapes.py::scaled" in ids(
        here.tools.search(Search(["scalled"]), Page())
    )
    only = Search(["scaled"], pattern="tests/*")
    assert all(id.startswith("tests/") for id in ids(here.tools.search(only, Page())))


def test_a_mode_searches_features_alone_or_names_and_paths_alone(here):
    def found(term, mode):
        return ids(here.tools.search(Search([term], mode=mode), Page()))

    assert "pkg/shapes.py::scaled" in found("people", "auto")
    assert "pkg/shapes.py::scaled" in found("people", "features")
    assert "pkg/shapes.py::scaled" not in found("people", "snippets")
    assert "pkg/shapes.py::scaled" in found("scaled", "snippets")
    assert "pkg/shapes.py" in found("shapes", "snippets")


def test_lines_of_a_file_find_the_elements_there(here):
    wanted = Search(lines=[5, 6], pattern="pkg/shapes.py")
    assert ids(here.tools.search(wanted, Page()))[0] == "pkg/shapes.py::Shape.area"


def test_a_node_is_fetched_with_place_features_neighbours_and_code(here):
    (item,) = here.tools.fetch(["pkg/shapes.py::scaled"], Page())["items"]
    assert item["lines"] == [15, 17]
    assert item["features"][0][:2] == ["scale value to unit people read", "docstring"]
    assert item["callees"] == ["pkg/shapes.py::looped"]
    assert item["callers"][-1] == "tests/test_shapes.py::test_it_is_scaled"
    assert item["code"].startswith("def scaled(value):\n")
    assert item["area"] and item["signature"] == "def scaled(value)"


def test_a_bare_name_an_end_of_a_path_and_the_published_form_are_understood(here):
    for name in ("scaled", "shapes.py::scaled", "pkg/shapes.py:scaled", "scaled()"):
        assert ids(here.tools.fetch([name], Page())) == ["pkg/shapes.py::scaled"]
    with pytest.raises(UsageError, match="nearest: "):
        here.tools.fetch(["pkg/shapes.py::scald"], Page())


def test_a_name_is_understood_as_python_imports_it(here):
    for name, id in {
        "pkg.shapes.scaled": "pkg/shapes.py::scaled",
        "shapes.Square.area": "pkg/shapes.py::Square.area",
        "pkg.shapes": "pkg/shapes.py",
        "tests.test_shapes": "tests/test_shapes.py",
    }.items():
        assert ids(here.tools.fetch([name], Page())) == [id]
    for name in ("pkg.shapes.scald", "other.shapes.scaled"):
        with pytest.raises(UsageError, match="nearest: "):
            here.tools.fetch([name], Page())


def test_a_bare_name_is_that_of_the_product_first(here):
    here.repository.commit({"a_test.py": "def report():\n    pass\n"})
    here.build()
    found = ids(GraphTools(here.source()).fetch(["report"], Page()))
    assert found == ["pkg/shapes.py::report", "a_test.py::report"]


def test_callers_and_callees_are_named_so_and_a_cycle_ends(here):
    plan = plan_of("both", 8, ["calls"])
    reply = here.tools.explore(["pkg/shapes.py::scaled"], plan, Page())
    assert reply["truncated"] is False
    edges = [
        (item.get("of", reply["start"][0]), item["relation"], item["id"])
        for item in reply["items"]
    ]
    assert len(edges) == len(set(edges))
    assert ("pkg/shapes.py::scaled", "callee", "pkg/shapes.py::looped") in edges
    assert ("pkg/shapes.py::scaled", "caller", "pkg/cli.py::main") in edges
    up = here.tools.explore(["scaled"], plan_of("callers", 1), Page())
    assert {item["relation"] for item in up["items"]} == {"caller"}
    down = here.tools.explore(["scaled"], plan_of("downstream", 1), Page())
    assert "caller" not in {item["relation"] for item in down["items"]}


def test_impact_names_callers_overriding_methods_and_tests(here):
    reply = here.tools.impact("pkg/shapes.py::Shape.area", 3, Page())
    relations = {item["id"]: item["relation"] for item in reply["items"]}
    assert relations["pkg/shapes.py::Square.area"] == "overriding"
    assert relations["pkg/shapes.py::report"] == "caller"
    reply = here.tools.impact("scaled", 3, Page())
    assert reply["test_files"] == ["tests/test_shapes.py"]
    assert [item.get("test", False) for item in reply["items"]][-1] is True


def test_the_tree_has_areas_files_and_elements(here):
    kinds = {item["kind"] for item in here.tools.tree("", 5, Page(9_000))["items"]}
    assert kinds >= {"area", "category", "subcategory", "file", "class", "function"}
    reply = here.tools.tree("pkg/shapes.py", 1, Page())
    assert reply["items"][0]["kind"] == "subcategory"


def test_a_file_that_is_newer_than_the_hierarchy_says_so(here):
    here.repository.commit({"pkg/new.py": "def fresh_thing(): ...\n"})
    here.build("graph", "features")
    with pytest.raises(UsageError, match="newer than the hierarchy\nupdate it: "):
        GraphTools(here.source()).tree("pkg/new.py", 1, Page())


def test_a_change_summary_tells_elements_with_their_area(here):
    text = FILES["pkg/shapes.py"].replace("if value else 0", "if value else None")
    here.repository.commit({"pkg/shapes.py": text})
    here.build()
    reply = here.tools.changes("HEAD~1", "HEAD", Page())
    assert [(i["what"], i["id"]) for i in reply["items"]] == [
        ("changed", "pkg/shapes.py::looped")
    ]
    assert reply["counts"] == {"changed": 1} and len(reply["areas"]) == 1


@pytest.mark.parametrize("budget", [LEAST_BUDGET, 400, 700, 2_000])
def test_no_reply_is_above_its_budget_and_next_goes_on(here, budget):
    asks = {
        "tree": lambda page: here.tools.tree("", 5, page),
        "search": lambda page: here.tools.search(Search(["scaled shape"]), page),
        "impact": lambda page: here.tools.impact("scaled", 3, page),
        "explore": lambda page: here.tools.explore(
            ["scaled"], plan_of("both", 3), page
        ),
        "fetch": lambda page: here.tools.fetch(["scaled", "Shape", "report"], page),
    }
    for name, ask in asks.items():
        whole = ids(ask(Page(50_000)))
        found, start = [], 0
        for _ in range(100):
            reply = ask(Page(budget, start))
            assert count_tokens(reply) <= budget, name
            found += ids(reply)
            if not reply["truncated"]:
                break
            assert reply["next"] > start
            start = reply["next"]
        assert found == whole, name


def test_a_reply_says_what_it_is_not_about(here):
    commit = str(here.repository.git.head.target)
    fresh = here.tools.search(Search(["scaled"]), Page())["freshness"]
    assert fresh == {
        "indexed_commit": commit[:12], "commits_behind": 0, "dirty_files": []
    }  # fmt: skip
    here.repository.commit({"pkg/new.py": "def f(): ...\n"})
    (here.repository.path / "pkg/cli.py").write_text("def main(): ...\n")
    later = GraphTools(here.source()).search(Search(["scaled"]), Page())["freshness"]
    assert later["indexed_commit"] == commit[:12]
    assert (later["commits_behind"], later["dirty_files"]) == (1, ["pkg/cli.py"])


def test_a_server_sees_at_once_that_a_file_it_tells_of_changed(here):
    tools = GraphTools(here.source(in_memory=True))
    assert tools.fetch(["main"], Page())["freshness"]["dirty_files"] == []
    (here.repository.path / "pkg/cli.py").write_text("def main(): return 1\n")
    assert tools.fetch(["main"], Page())["freshness"]["dirty_files"] == ["pkg/cli.py"]


def test_a_server_answers_from_a_new_build_without_being_started_again(here):
    tools = GraphTools(here.source(in_memory=True))
    with pytest.raises(UsageError):
        tools.fetch(["pkg/new.py"], Page())
    here.repository.commit({"pkg/new.py": "def fresh_thing(): ...\n"})
    here.build()
    assert ids(tools.fetch(["fresh_thing"], Page())) == ["pkg/new.py::fresh_thing"]


def test_another_branch_has_no_answer(here):
    git = here.repository.git
    who = pygit2.Signature("A Developer", "dev@example.org", 1_700_000_000, 0)
    tree = git.head.peel().tree_id
    git.create_commit("refs/heads/other", who, who, "another", tree, [])
    here.repository.commit({"pkg/new.py": "def f(): ...\n"})
    here.build()
    git.set_head("refs/heads/other")
    with pytest.raises(StaleError, match="not on this branch"):
        GraphTools(here.source()).search(Search(["scaled"]), Page())


def test_a_reader_waits_for_no_build_and_writes_nothing(here):
    database = open_checkout(here.repository.path).folder / "build.db"
    before = database.read_bytes()
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    reply = GraphTools(here.source()).fetch(["scaled"], Page())
    assert ids(reply) == ["pkg/shapes.py::scaled"]
    writer.execute("ROLLBACK")
    writer.close()
    assert database.read_bytes() == before


def test_without_a_build_the_next_step_is_told(repository):
    repository.commit(FILES)
    checkout = open_checkout(repository.path)
    source = GraphSource(lambda: checkout.view(checkout.snapshot(), checkout.state()))
    with pytest.raises(StaleError, match="repobuild --until areas"):
        GraphTools(source).search(Search(["x"]), Page())


def test_locating_a_text_tells_the_commit_that_its_tables_are_of(here):
    with pytest.raises(StaleError, match="for an answer: lexicon"):
        here.tools.locate("scaled is odd", 10, Page())
    here.build("areas", "lexicon", "touches")
    first = str(here.repository.git.head.target)[:12]
    tools = GraphTools(here.source(in_memory=True))
    found = tools.locate("scaled is odd", 10, Page())
    assert found["freshness"]["indexed_commit"] == first
    assert ids(found)[0] == "pkg/shapes.py"
    here.repository.commit({"pkg/shapes.py": FILES["pkg/shapes.py"] + "X = 1\n"})
    here.build("areas")  # goes past the lexicon
    found = tools.locate("scaled is odd", 10, Page.of(LEAST_BUDGET, 0))
    assert found["freshness"]["indexed_commit"] == first
    assert found["freshness"]["commits_behind"] == 1
    assert found["truncated"] and count_tokens(found) <= LEAST_BUDGET
    with pytest.raises(UsageError, match="no text to locate"):
        here.tools.locate(" ", 10, Page())


def test_a_server_forgets_the_names_of_a_hierarchy_that_is_gone(here):
    with here.source(in_memory=True).reading() as view:
        labels = {id: f"Qwertz {n}" for n, id in enumerate(view.areas.nodes)}
        view.search.update(view.graph, view.features, view.areas, labels)
        assert view.search.named("Qwertz 0") != []
        view.search.update(view.graph, view.features, AreaMap(), {})
        assert view.search.named("Qwertz 0") == []
        assert view.search.find(["qwertzz"]) == []


def test_a_server_reads_what_changed_and_answers_as_a_new_one(here):
    source = here.source(in_memory=True)
    with source.reading() as view:
        labels = {id: view.label(id) for id in view.areas.nodes}
        index = view.search
        assert index.update(view.graph, view.features, view.areas, labels) == 0
        kept = view.kept
    scaled = FILES["pkg/shapes.py"]
    for files in (
        {"pkg/cli.py": "from pkg.shapes import report\n\n\nVALUE = report(1)\n"},
        {"pkg/shapes.py": None, "pkg/forms.py": scaled, "pkg/cli.py": ""},
        {
            "pkg/forms.py": scaled.replace("def looped", "def looped_on"),
            "a.py": "A = 1",
        },
    ):
        here.repository.commit(files)
        here.build()
        fresh = here.source(in_memory=True)
        with source.reading() as view, fresh.reading() as new:
            assert view.kept is kept
            ids = [
                id for path in new.graph.keys() for id in [path, *new.elements(path)]
            ]
            for id in [*ids, "pkg/shapes.py::scaled"]:
                assert view.out(id) == new.out(id)
                assert view.into(id, ["calls", "uses"]) == new.into(
                    id, ["calls", "uses"]
                )
            for term in ("scaled", "looped", "shape", "main", "tests", "skaled"):
                assert view.search.find([term]) == new.search.find([term])
                assert view.search.named(term) == new.search.named(term)
