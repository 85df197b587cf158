"""The page of the map: its data, its history, and what a hostile repository may do."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repobuild.checkout import open_checkout
from repobuild.errors import UsageError
from repobuild.query.graph_view import GraphSource
from repobuild.query.map.map_page import map_data, render_map
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
        )
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
    assert set(tab.value(lines)) >= {"to-in"}
    tab.close()


def select(id: str) -> str:
    return (
        "repositoryMap.reveal([...Array(repositoryMap.graph.count).keys()]"
        f".find(n => n && repositoryMap.tree.id(n) === {json.dumps(id)}))"
    )


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
    assert tab.errors() == []
    tab.close()
    tab = browser.open(address.partition("#")[0] + "#%E0%A4%A&__proto__&constructor")
    tab.value(READY, wait=True)
    assert tab.value("repositoryMap.selected") == 0
    assert tab.errors() == []
    tab.close()
