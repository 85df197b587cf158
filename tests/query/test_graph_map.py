"""The page of the map: its data, its history, and what a hostile repository may do."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from repobuild.checkout import open_checkout
from repobuild.code.areas.area_map import AreaNode
from repobuild.errors import UsageError
from repobuild.query.graph_view import GraphSource
from repobuild.query.map import map_history
from repobuild.query.map.map_nodes import edges_of_map, nodes_of
from repobuild.query.map.map_page import map_data, render_map
from repobuild.query.map.past_areas import PastCommit
from tests import chromium
from tests.chromium import PALE, READY, WIDER, Browser, Tab
from tests.query.test_graph_tools import FILES
from tests.repository import Repository
from tests.standard import Standard

needs_chromium = pytest.mark.skipif(
    not chromium.installed(), reason="chromium is not installed (.ci/run installs it)"
)
EVIL = "</script><script>window.hacked=1</script><img src=x onerror=hacked=1>"
HOSTILE = {
    f"pkg/a{EVIL}.py": f'''"""{EVIL}"""


def f(x="{EVIL}", y="\u202egnirts"):
    """Return {EVIL}."""


class Evil:
    __proto__ = constructor = "{EVIL}"

    def constructor(self):
        return f()
''',
    "pkg/__proto__.py": "def toString(): pass\n\n\ndef hasOwnProperty(): toString()\n",
    "pkg/\u202eyp.exe.py": "def g(): pass\n",
    "docs/a.md": f"# {EVIL}\n\nText.\n",
    "README.md": "# ${data} $program\n",
}
SHAPES = (
    FILES["pkg/shapes.py"]
    + """

def perimeter_of(sides, unit):
    total = 0
    for side in sides:
        total += side.length * unit.factor
    return round(total, unit.digits)
"""
)
AREA = """def area_of(shape):
    total = 0
    for part in shape.parts:
        total += part.area() * part.count
    return round(total, shape.digits)
"""
HISTORY: list[dict[str, str | None]] = [
    {**FILES, "pkg/shapes.py": SHAPES},
    {"pkg/area.py": AREA},
    {"pkg/shapes.py": SHAPES.replace("perimeter_of", "length_around")},
    {
        "pkg/cli.py": None,
        "pkg/app/__init__.py": "",
        "pkg/app/cli.py": FILES["pkg/cli.py"],
        "docs/guide.md": None,
    },
    {"pkg/area.py": AREA.replace("count", "number")},
    {
        "pkg/shapes.py": SHAPES.replace("perimeter_of", "length_around").replace(
            "class Square(Shape):\n    def area(self):\n        return scaled(1)\n", ""
        )
    },
    {
        "pkg/area.py": "class Areas:\n"
        + "".join(f"    {line}\n" for line in AREA.splitlines()).replace(
            "(shape)", "(self, shape)"
        ),
        "tests/test_shapes.py": FILES["tests/test_shapes.py"] + "\n\nMORE = 1\n",
    },
]


def build(repository: Repository) -> None:
    folder = open_checkout(repository.path).folder
    folder.mkdir(parents=True, exist_ok=True)
    standard = Standard(repository.git, folder)
    standard.build("areas")
    standard.close()


def data_of(repository: Repository, commits: int = 20, title: str = "") -> Any:
    checkout = open_checkout(repository.path)
    source = GraphSource(
        lambda: checkout.view(checkout.snapshot(), checkout.state()), False
    )
    return map_data(source, commits, title or "a project")


def unpacked(html: str) -> Any:
    packed = re.search(r'id="data">([A-Za-z0-9+/=]*)</script>', html)
    assert packed
    return json.loads(zlib.decompress(base64.b64decode(packed[1])))


def elements(repository: Repository) -> set[str]:
    """Return the ids of the files and elements of the indexed commit."""
    checkout = open_checkout(repository.path)
    build = checkout.view(checkout.snapshot(), checkout.state())
    return {
        path + sub
        for path, row in build.table("graph").items()
        if path[0] != "@"
        for sub in row
        if " " not in sub
    }


class World:
    """A repository with a history, of which each commit or the last was built."""

    def __init__(self, path: Path, is_built: bool) -> None:
        self.repository = Repository(path)
        self.ids: list[set[str]] = []  # of each commit, the newest first
        other = Repository(path.with_name(path.name + "-clean"))
        for files in HISTORY:
            self.repository.commit(files)
            if is_built:
                build(self.repository)
            other.commit(files)
            build(other)
            self.ids.insert(0, elements(other))
        build(self.repository)
        self.data = data_of(self.repository)
        self.commits = self.data["history"]["commits"]

    def marks(self, k: int) -> set[tuple[str, str, str]]:
        """Return (what, name, text) of the k-th newest commit."""
        names = self.data["nodes"]["names"]
        names = names + [ghost[0] for ghost in self.data["history"]["ghosts"]]
        found = self.commits[k - 1]["marks"]
        is_of_tree = {number for number, kind in enumerate(self.kinds) if kind in "012"}
        return {(w, names[n], t) for w, n, t in found if n not in is_of_tree}

    @property
    def kinds(self) -> str:
        return str(self.data["nodes"]["kinds"])


@pytest.fixture(scope="module", params=[True, False], ids=["built", "carried"])
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> World:
    return World(tmp_path_factory.mktemp("world") / "project", request.param)


def test_a_commit_has_what_it_added_removed_moved_renamed_and_changed(world):
    assert world.marks(6) == {
        ("a", "pkg/area.py", ""),
    }
    assert ("r", "length_around", "pkg/shapes.py::perimeter_of") in world.marks(5)
    assert world.marks(4) >= {
        ("m", "pkg/app/cli.py", "pkg/cli.py"),
        ("a", "pkg/app/__init__.py", ""),
        ("d", "docs/guide.md", ""),
    }
    assert world.marks(3) == {("c", "area_of", "body")}
    assert world.marks(2) == {("d", "Square", "")}
    assert world.marks(1) >= {("m", "area_of", "pkg/area.py::area_of")}


def test_hierarchies_that_were_built_are_read_and_others_carried_back(world, request):
    modes = {commit["mode"] for commit in world.commits}
    assert modes == {"built" if "-built" in world_id(request) else "carried"}


def world_id(request: pytest.FixtureRequest) -> str:
    return f"-{request.node.callspec.id}"


def test_a_page_reads_and_writes_nothing_in_the_state(world):
    def rows() -> list[Any]:
        folder = open_checkout(world.repository.path).folder
        files = [p for p in folder.rglob("*") if "-shm" not in p.name]
        return sorted((str(p), p.stat().st_mtime_ns) for p in files if p.is_file())

    before = rows()
    data_of(world.repository)
    assert rows() == before


def test_equal_tables_give_an_equal_page(world):
    again = data_of(world.repository)
    assert render_map(again) == render_map(world.data)
    assert json.loads(json.dumps(again)) == unpacked(render_map(again))


def test_secrets_are_replaced(world):
    html = render_map(
        world.data, lambda value: "gone" if value == "a project" else value
    )
    assert unpacked(html)["title"] == "gone"


def test_without_a_hierarchy_the_next_step_is_told(tmp_path):
    repository = Repository(tmp_path / "project")
    repository.commit(FILES)
    folder = open_checkout(repository.path).folder
    folder.mkdir(parents=True)
    standard = Standard(repository.git, folder)
    standard.build("graph")
    standard.build("features")
    standard.close()
    with pytest.raises(UsageError, match="repobuild --until areas"):
        data_of(repository)


def test_a_file_that_was_removed_is_where_the_last_hierarchy_had_it(tmp_path):
    """Only the first and the last of these commits were built."""
    repository = Repository(tmp_path / "project")
    topics = ("draw shape", "read token", "send mail", "count word")
    files = {
        f"pkg/{topic.split()[1]}s/m{n}.py": f"def {topic.replace(' ', '_')}_{n}():\n"
        f'    """{topic.capitalize()} number {n}."""\n'
        for topic in topics
        for n in range(6)
    }
    repository.commit(files)
    build(repository)
    repository.commit({"pkg/mails/m1.py": None, "pkg/tokens/m2.py": None})
    repository.commit({"pkg/words/m1.py": "def count(): pass\n"})
    repository.commit({"pkg/words/m2.py": "def count(): pass\n"})
    build(repository)
    commits = data_of(repository)["history"]["commits"]
    assert [commit["mode"] for commit in commits] == ["carried", "carried", "built"]
    marks = [{mark[0] for mark in commit["marks"]} for commit in commits]
    assert "d" in marks[2]
    assert "s" not in marks[2] and "a" not in marks[2]


def test_a_label_that_changed_and_a_place_that_changed_are_told(world, monkeypatch):
    """Of a hierarchy whose first area had another name, and a file another place."""
    checkout = open_checkout(world.repository.path)
    source = GraphSource(lambda: checkout.view(checkout.snapshot(), checkout.state()))
    with source.reading() as view:
        nodes = nodes_of(view)
        old = replace(
            view.areas, nodes=dict(view.areas.nodes), files=dict(view.areas.files)
        )
        area = min(one.id for one in old.nodes.values() if not one.parent)
        old.nodes[area] = replace(old.nodes[area], label="Before")
        old.nodes["New"] = AreaNode("New", 0, "New", "", 1.0)
        old.files["pkg/area.py"] = old.files["pkg/area.py"]._replace(node="New")
        row = {"changes": [], "files": 0, "subject": "", "date": ""}
        step = PastCommit(view.commit, row, old, "built")
        monkeypatch.setattr(map_history, "past_commits_of", lambda *_: iter([step]))
        found = map_history.history_of(view, nodes, 1)
    file, new = nodes.numbers["pkg/area.py"], nodes.areas["New"]
    assert found.was == [[file, 1, "", new]]
    assert found.labels == [[nodes.areas[area], 1, "Before"]]
    assert [mark for mark in found.commits[0]["marks"] if mark[0] != "m"] == [
        ["s", file, "New"],
        ["r", nodes.areas[area], "Before"],
        ["d", new, ""],
    ]


def test_of_too_many_elements_the_files_are_shown(world):
    checkout = open_checkout(world.repository.path)
    source = GraphSource(lambda: checkout.view(checkout.snapshot(), checkout.state()))
    with source.reading() as view:
        nodes = nodes_of(view, most=3)
        assert set(nodes.kinds) <= set("r012f")
        one, other = (nodes.numbers[f"pkg/{p}.py"] for p in ("app/cli", "shapes"))
        assert edges_of_map(view, nodes)["calls"][:3] == [one, 1, other]


def test_history_ends_at_a_commit_that_changes_too_much(tmp_path):
    repository = Repository(tmp_path / "project")
    repository.commit(FILES)
    repository.commit({f"many/m{n}.py": f"def f{n}(): pass\n" for n in range(101)})
    repository.commit({"many/m1.py": "def f1(): return 1\n"})
    build(repository)
    commits = data_of(repository)["history"]["commits"]
    assert [commit["files"] for commit in commits] == [1, 101]
    assert [commit["mode"] for commit in commits] == ["carried", ""]


# ------------------------------------------------------------------------ in a browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


def show(browser: Browser, folder: Path, html: str, *given: Any) -> Tab:
    path = folder / "map.html"
    path.write_text(html, "utf-8")
    tab = browser.open(path.as_uri(), *given)
    tab.value(READY, wait=True)
    return tab


# The ids of the files and elements that are there at the commit shown.
IDS = """
(() => {
  const { tree, graph } = repositoryMap;
  const all = [...Array(graph.count).keys()].filter(n => n && !graph.isArea(n));
  return all.filter(n => tree.isThere(n)).map(n => tree.id(n));
})()
"""
# The ids, as of the commit shown, of what a later one removed.
GONE = """
(() => {
  const { tree, graph } = repositoryMap;
  const all = [...Array(graph.count).keys()].filter(n => n >= graph.current);
  return all.filter(n => tree.isThere(n)).map(n => tree.id(n));
})()
"""
# Pairs of names that are drawn over each other, and names beyond their cell.
OVERLAPS = """
(() => {
  const texts = [...document.querySelectorAll(".cell .name, .cell .note")];
  const boxes = texts.map(text => [text, text.getBoundingClientRect()]);
  const found = [];
  for (const [text, box] of boxes) {
    const cell = text.parentElement.getBoundingClientRect();
    if (box.right > cell.right + 1 || box.bottom > cell.bottom + 1)
      found.push(["beyond", text.textContent]);
  }
  boxes.sort((a, b) => a[1].left - b[1].left);
  for (let i = 0; i < boxes.length; i++)
    for (const [other, b] of boxes.slice(i + 1)) {
      const a = boxes[i][1];
      if (b.left >= a.right - 1) break;
      if (a.top < b.bottom - 1 && b.top < a.bottom - 1)
        found.push([boxes[i][0].textContent, other.textContent]);
    }
  return found;
})()
"""


@needs_chromium
def test_the_slider_shows_the_tree_of_each_commit(world, browser, tmp_path):
    """Of a class or a file that was removed, what it contained is not listed."""
    tab = show(browser, tmp_path, render_map(world.data))
    for k in range(1, len(world.commits) + 1):
        tab.value(f"repositoryMap.goTo({k})")
        shown = set(tab.value(IDS))
        removed = {id for w, id, _ in marked(tab, k) if w == "d"}
        real = world.ids[k - 1]
        assert shown - removed <= real, k
        missing = real - shown
        inner = ("pkg/shapes.py::Square.", "docs/guide.md::")
        assert all(id.startswith(inner) for id in missing), k
        assert tab.errors() == []
    tab.close()


class Edits:
    """A random history: files and elements come, go, move, and change names."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._count = 0
        self.files: dict[str, dict[str, str]] = {}  # path -> name -> code
        for _ in range(4):
            self._add_file()

    def text(self) -> dict[str, str]:
        return {
            path: "\n\n".join([f'"""Module {path}."""', *found.values()]) + "\n"
            for path, found in self.files.items()
        }

    def step(self) -> None:
        for _ in range(self._random.randint(1, 4)):
            kinds = [
                self._add_file, self._add_file, self._remove_file, self._rename_file,
                self._add, self._add, self._add, self._remove, self._rename, self._move,
                self._change,
            ]  # fmt: skip
            self._random.choice(kinds)()

    def _add_file(self) -> None:
        self._count += 1
        folder = self._random.choice(["pkg", "pkg/inner", "lib"])
        path = f"{folder}/m{self._count}.py"
        self.files[path] = {}
        for _ in range(3):
            self._add(path)

    def _file(self) -> str:
        if not self.files:
            self._add_file()
        return self._random.choice(sorted(self.files))

    def _remove_file(self) -> None:
        if len(self.files) > 2:
            del self.files[self._file()]

    def _rename_file(self) -> None:
        self._count += 1
        found = self.files.pop(self._file())
        self.files[f"lib/n{self._count}.py"] = found

    def _add(self, path: str = "") -> None:
        self._count += 1
        found = self.files[path or self._file()]
        name = f"element_{self._count}"
        words = [f"word{self._random.randint(0, 9999)}" for _ in range(4)]
        body = [f"    {word} = compute_{word}({name[0]}, value)" for word in words]
        if self._random.random() < 0.4:
            lines = [f"class {name}:", "    def inner(self, e, value):"]
            lines += [f"    {line}" for line in body]
            lines += ["    def other(self): return 1"]
        else:
            lines = [f"def {name}(e, value):", *body, f"    return {words[0]}"]
        found[name] = "\n".join(lines)

    def _name(self, found: dict[str, str]) -> str:
        return self._random.choice(sorted(found)) if found else ""

    def _remove(self) -> None:
        found = self.files[self._file()]
        found.pop(self._name(found), None)

    def _rename(self) -> None:
        found = self.files[self._file()]
        if name := self._name(found):
            self._count += 1
            new = f"renamed_{self._count}"
            found[new] = found.pop(name).replace(name, new)

    def _move(self) -> None:
        found = self.files[self._file()]
        if name := self._name(found):
            code = found.pop(name)
            self.files[self._file()][name] = code

    def _change(self) -> None:
        found = self.files[self._file()]
        if name := self._name(found):
            found[name] += f"\n    # {self._count}\n    last = {self._count}"


@needs_chromium
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 13))
def test_the_slider_shows_the_trees_of_random_histories(seed, browser, tmp_path):
    repository, clean = Repository(tmp_path / "a"), Repository(tmp_path / "b")
    edits, before, real = Edits(seed), {}, []
    for n in range(12):
        text = edits.text()
        change = {path: None for path in before if path not in text} | text
        for one in (repository, clean):
            one.commit(change)
        build(clean)
        real.insert(0, elements(clean))
        if n % 4 == seed % 4:
            build(repository)
        before = text
        edits.step()
    build(repository)
    tab = show(browser, tmp_path, render_map(data_of(repository)))
    for k in range(1, len(real)):
        tab.value(f"repositoryMap.goTo({k})")
        removed = {id for what, id, _ in marked(tab, k) if what == "d"}
        went = tuple(end for id in removed for end in (f"{id}.", f"{id}::"))
        shown = {id for id in tab.value(IDS) if not id.startswith(went)} - removed
        assert shown <= real[k - 1], k
        inner = tuple(end for id in tab.value(GONE) for end in (f"{id}.", f"{id}::"))
        missing = {id for id in real[k - 1] - shown if not id.startswith(inner)}
        assert missing == set(), k
    tab.close()


def marked(tab: Tab, k: int) -> list[list[str]]:
    found: list[list[str]] = tab.value(
        f"repositoryMap.graph.history.commits[{k} - 1].marks"
        ".map(([what, n, text]) => [what, repositoryMap.tree.id(n), text])"
    )
    return found


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    repository = Repository(tmp_path_factory.mktemp("hostile") / "project")
    repository.commit(FILES)
    repository.commit(HOSTILE)
    repository.commit({f"pkg/a{EVIL}.py": None})
    repository.write({f"pkg/a{EVIL}.py": HOSTILE[f"pkg/a{EVIL}.py"]})
    git = repository.git
    who = git[git.head.target].author
    tree = git.index.write_tree()
    git.create_commit("HEAD", who, who, EVIL, tree, [git.head.target])
    build(repository)
    return render_map(data_of(repository, title=EVIL))


def test_no_text_of_a_hostile_repository_is_in_the_document(hostile):
    assert "hacked" not in hostile.replace("&lt;script&gt;window.hacked=1", "").replace(
        "onerror=hacked=1", ""
    )
    assert "\u202e" not in hostile
    assert EVIL in json.dumps(unpacked(hostile), ensure_ascii=False)


@needs_chromium
def test_nothing_of_a_hostile_repository_runs(hostile, browser, tmp_path):
    tab = show(browser, tmp_path, hostile)
    assert tab.value("document.getElementById('title').textContent") == EVIL
    for step in range(3):
        tab.value(f"repositoryMap.goTo({step})")
        tab.value(
            "for (let n = 1; n < repositoryMap.graph.count; n++) {"
            " repositoryMap.reveal(n); repositoryMap.zoom(n); }"
        )
    tab.value(
        "repositoryMap.zoom(0); repositoryMap.search.input.value = 'script';"
        " repositoryMap.search.find()"
    )
    assert tab.value("document.querySelectorAll('#found .option').length") > 1
    assert tab.value("typeof hacked") == "undefined"
    assert tab.value("document.querySelectorAll('img, iframe').length") == 0
    assert tab.value("document.querySelectorAll('script').length") == 1
    assert tab.errors() == []
    asked = [url for url in tab.requests() if not url.startswith(("file:", "data:"))]
    assert asked == []
    tab.close()


@needs_chromium
@pytest.mark.parametrize(
    "planted",
    [
        "<script>window.hacked = 1</script>",
        "<img src=x onerror='window.hacked = 1'>",
        "<img src='https://example.org/x.png'>",
        "<style>@font-face { font-family: x; src: url(missing.woff) }</style>",
    ],
)
def test_the_policy_stops_what_is_planted(world, browser, tmp_path, planted):
    html = render_map(world.data).replace("<main>", f"<main>{planted}")
    tab = show(browser, tmp_path, html)
    assert tab.errors() != []
    assert tab.value("typeof hacked") == "undefined"
    tab.close()


@needs_chromium
def test_the_program_cannot_parse_html(world, browser, tmp_path):
    tab = show(browser, tmp_path, render_map(world.data))
    refused = (
        "(() => { try { document.body.innerHTML = '<b>x</b>'; return ''; }"
        " catch (error) { return error.name; } })()"
    )
    assert tab.value(refused) == "TypeError"
    tab.close()


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_all_text_is_legible_and_apart(world, browser, tmp_path, scheme, width):
    tab = show(browser, tmp_path, render_map(world.data), width, scheme)
    for step in (
        "1",
        "repositoryMap.reveal(repositoryMap.tree.below.find("
        "n => repositoryMap.graph.kinds[n] === 'f'))",
        "repositoryMap.zoom(repositoryMap.tree.parents[repositoryMap.selected])",
        "repositoryMap.goTo(4)",
        "repositoryMap.goTo(5)",
        "repositoryMap.search.input.value = 'area'; repositoryMap.search.find()",
    ):
        tab.value(step)
        assert tab.value(PALE) == [], step
        assert tab.value(OVERLAPS) == [], step
        assert tab.value(WIDER) == [], step
        assert tab.value("document.documentElement.scrollWidth") <= width
    assert tab.errors() == []
    tab.close()


@needs_chromium
def test_callers_and_callees_are_named_so(world, browser, tmp_path):
    tab = show(browser, tmp_path, render_map(world.data))
    tab.value(select("pkg/shapes.py::report"))
    panel = tab.value("document.getElementById('panel').innerText")
    callers = panel.partition("Callers (they call it)")[2].partition("Callees")[0]
    assert "main in cli.py" in callers
    tab.value(select("pkg/app/cli.py::main"))
    panel = tab.value("document.getElementById('panel').innerText")
    callees = panel.partition("Callees (it calls them)")[2]
    assert "report in shapes.py" in callees and "scaled in shapes.py" in callees
    assert "Defined in pkg/app/cli.py:4" in panel
    assert "def main()" in panel
    lines = "[...document.querySelectorAll('#drawn path')].map(p => p.classList[0])"
    tab.value(select("pkg/shapes.py"))
    assert set(tab.value(lines)) == {"to-in"}
    tab.close()


def select(id: str) -> str:
    return (
        "repositoryMap.reveal([...Array(repositoryMap.graph.count).keys()]"
        f".find(n => n && repositoryMap.tree.id(n) === {json.dumps(id)}))"
    )


@needs_chromium
def test_search_looks_at_names_paths_and_features(world, browser, tmp_path):
    tab = show(browser, tmp_path, render_map(world.data))

    def found(text: str) -> list[str]:
        tab.value(
            f"repositoryMap.search.input.value = {json.dumps(text)};"
            " repositoryMap.search.find()"
        )
        ids = "repositoryMap.search.found.map(n => repositoryMap.tree.id(n))"
        return list(tab.value(ids))

    assert found("scaled")[0] == "pkg/shapes.py::scaled"
    assert found("unit people read")[0] == "pkg/shapes.py::scaled"
    assert "pkg/app/cli.py::main" in found("app main")
    assert found("scaled nonsense")[0] == "pkg/shapes.py::scaled"  # as good as it gets
    assert found("nonsense") == []
    assert "nothing found" in tab.value("document.getElementById('found').innerText")
    assert tab.errors() == []
    tab.close()


@needs_chromium
def test_what_changes_together_is_shown_when_it_is_asked_for(world, browser, tmp_path):
    tab = show(browser, tmp_path, render_map(world.data))
    lines = "[...document.querySelectorAll('#drawn path')].map(p => p.classList[0])"
    tab.value(select("tests/test_shapes.py"))
    assert set(tab.value(lines)) == {"to-out"}
    panel = tab.value("document.getElementById('panel').innerText")
    assert "pkg/area.py" in panel.partition("Changes with")[2]
    tab.value("document.getElementById('show-cochange').click()")
    assert set(tab.value(lines)) == {"to-out", "to-with"}
    tab.value("document.getElementById('show-edges').click()")
    assert set(tab.value(lines)) == {"to-with"}
    tab.close()


@needs_chromium
def test_the_map_is_used_by_keyboard(world, browser, tmp_path):
    tab = show(browser, tmp_path, render_map(world.data))
    tab.value("document.body.focus()")
    tab.press("/", 191)
    assert tab.value("document.activeElement.id") == "search"
    tab.value("document.execCommand('insertText', false, 'scaled')")
    tab.press("ArrowDown", 40)
    tab.press("Enter", 13)
    focused = "repositoryMap.tree.id(Number(document.activeElement.dataset.n))"
    assert tab.value(focused) == "pkg/shapes.py::scaled"
    tab.press("ArrowUp", 38)
    assert tab.value(focused) == "pkg/shapes.py"
    tab.press("ArrowDown", 40)
    tab.press("ArrowRight", 39)
    assert tab.value(focused).startswith("pkg/shapes.py::")
    tab.press("ArrowUp", 38)
    tab.press("Enter", 13)
    top = "repositoryMap.tree.id(repositoryMap.top)"
    assert tab.value(top) == "pkg/shapes.py"
    tab.press("Escape", 27)
    assert tab.value(top) != "pkg/shapes.py"
    assert tab.value(focused) == "pkg/shapes.py"
    tab.press("[", 219)
    assert tab.value("document.getElementById('commit').innerText") != ""
    assert tab.value("repositoryMap.tree.k") == 1
    tab.close()


@needs_chromium
def test_the_address_leads_back_to_what_was_shown(world, browser, tmp_path):
    tab = show(browser, tmp_path, render_map(world.data))
    tab.value("repositoryMap.goTo(3)")
    tab.value(select("pkg/area.py::area_of"))
    tab.value("repositoryMap.writeAddress()")
    address = tab.value("location.href")
    tab.close()
    tab = browser.open(address)
    tab.value(READY, wait=True)
    state = "[repositoryMap.tree.k, repositoryMap.tree.id(repositoryMap.selected)]"
    assert tab.value(state) == [3, "pkg/area.py::area_of"]
    text = "document.getElementById('commit').innerText"
    shown = tab.value(text)
    tab.value("repositoryMap.goTo(1)")
    given = f"location.href = {json.dumps(address)}"
    tab.value(f"({given}, dispatchEvent(new Event('hashchange')))")
    assert tab.value(state) == [3, "pkg/area.py::area_of"]
    assert tab.value(text) == shown
    assert tab.errors() == []
    tab.close()
    tab = browser.open(address.partition("#")[0] + "#%E0%A4%A&__proto__&constructor")
    tab.value(READY, wait=True)
    assert tab.value("repositoryMap.selected") == 0
    assert tab.errors() == []
    tab.close()
