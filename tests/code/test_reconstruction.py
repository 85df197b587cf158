"""The reconstruction comes in dependency order, and gives the same elements back."""

from __future__ import annotations

import json
import shutil

from repobuild.checkout import open_checkout
from repobuild.cli.main import run
from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import elements_of
from repobuild.code.reconstruction.dependency_order import ordered_groups
from repobuild.code.reconstruction.round_trip import compare
from repobuild.code.reconstruction.skeleton import skeleton
from tests.fakes import MemoryTable
from tests.repository import Repository
from tests.standard import Standard

PYTHON = '''"""Say "hello"\\n."""
from __future__ import annotations
from . import near as n, far
from .stars import *
import os.path

__all__ = ["Box", "held"]


@decorated(
    "twice",  # a note
)
class Box(Base[int], metaclass=Meta):
    """Hold a value\\\\ "well\\""""

    size: int = 3

    @property
    def value(self) -> dict[str, int]:
        def inner(x, /, y=(1, 2), *rest, key: str = "a,b", **more): return x
        return inner

    @value.setter
    def value(self, new): ...

    async def wait(self): await self


class Generic[T](Box):
    def first[S: int](self, one: S, *, key) -> S: return one


if True:
    def held(): pass
else:
    def held(a): pass


def text(quote="\\'\\"", long="""a
b""") -> "Box": """Quote \\"\\"\\" here."""


try:
    class Ünïcode: pass
except ImportError:
    Ünïcode = None
'''
MARKDOWN = "# A `b`\n\ntext\n\n### Deep #1\n\n## C\n\n# A `b`\n\nUnder\nlined\n------\n"
RST = "Title\n=====\n\nPart\n----\n\nSub\n~~~\n\nPart\n----\n\ntext\n"


def back(source: str, language: str):
    facts = facts_of(source.encode(), language)
    file = {"path": "a", "language": language, "skeleton": skeleton(facts)}
    return compare(MemoryTable({"a": facts}), [file])


def test_what_is_needed_comes_first_and_a_cycle_is_one_group():
    needs = {"a": ["b", "gone"], "b": ["c"], "c": ["b", "d"], "d": [], "e": []}
    assert ordered_groups(needs) == [["d"], ["b", "c"], ["a"], ["e"]]
    late = ordered_groups(needs, lambda node: int(node == "d"))
    assert late == [["e"], ["d"], ["b", "c"], ["a"]]


def test_a_long_chain_and_a_long_cycle_need_no_recursion():
    chain = {f"{n:05}": [f"{n + 1:05}"] for n in range(2_000)}
    assert len(ordered_groups({**chain, "02000": []})) == 2_001
    assert len(ordered_groups({**chain, "02000": ["00000"]})) == 1


def test_elements_come_back_from_the_skeletons_of_python_and_of_documents():
    for source, language in (
        (PYTHON, "python"),
        (MARKDOWN, "markdown"),
        (RST, "restructuredtext"),
    ):
        trip = back(source, language)
        assert trip.lost == () and trip.added == 0
        assert trip.same == trip.elements > 3


def test_a_skeleton_has_no_body():
    assert "return" not in skeleton(facts_of(PYTHON.encode(), "python"))


def test_what_does_not_come_back_is_counted_by_language():
    trip = back("class A { b() {} }\nwindow.c = function () {}\n", "javascript")
    assert trip.elements == 3 and trip.same < 3
    assert trip.lost == ("a::window.c",)
    assert trip.by_language == {"javascript": [3, 2]}


FILES = {
    "pkg/__init__.py": "",
    "pkg/one.py": "from pkg.two import b\n\n\ndef a():\n    return b()\n",
    "pkg/two.py": "import pkg.one\nfrom pkg.low import c\n\n\ndef b():\n"
    "    'Return the sum.'\n    return c() + pkg.one.a()\n",
    "pkg/low.py": "def c():\n    return last()\n\n\ndef last():\n    return 1\n",
    "tests/test_one.py": "from pkg.one import a\n\n\ndef test_a():\n    assert a()\n",
    "README.md": "# Package `</script>`\n\nIt is.\n",
}


def test_the_export_orders_files_and_elements_and_holds_every_node(
    repository: Repository, tmp_path, monkeypatch, capsys
):
    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    checkout = open_checkout(repository.path)
    checkout.folder.mkdir(parents=True, exist_ok=True)
    standard = Standard(repository.git, checkout.folder)
    standard.build("areas")
    graph = dict(standard.last.table("graph").items())
    standard.close()
    out = tmp_path / "out"
    assert run(["export", "reconstruction", "-o", str(out)]) == 0
    assert "100.00 %" in capsys.readouterr().out
    export = json.loads((out / "reconstruction.json").read_text())
    names = [step["name"] for step in export["steps"]]
    assert names.index("pkg/low.py") < names.index("cycle in pkg: one.py, two.py")
    assert names[-1] == "tests/test_one.py"
    assert all(n < step["number"] for step in export["steps"] for n in step["after"])
    files = {f["path"]: f for step in export["steps"] for f in step["files"]}
    assert [one["name"] for one in files["pkg/low.py"]["elements"]] == ["last", "c"]
    assert files["pkg/two.py"]["elements"][0]["features"][0] == "return sum"
    assert files["pkg/two.py"]["area"] in {area["id"] for area in export["areas"]}
    for path, row in graph.items():
        if path[0] != "@":
            exported = {one["name"]: one["kind"] for one in files[path]["elements"]}
            assert exported == {q: node["kind"] for q, node in elements_of(row)}
    page = (out / "reconstruction.md").read_text()
    assert "def b():" in page and "Depend" not in page


def test_without_the_artifact_of_the_hierarchy_the_export_has_no_areas(
    repository: Repository, tmp_path, monkeypatch
):
    repository.commit(FILES)
    monkeypatch.chdir(repository.path)
    checkout = open_checkout(repository.path)
    checkout.folder.mkdir(parents=True, exist_ok=True)
    standard = Standard(repository.git, checkout.folder)
    standard.build("areas")
    ((_, row),) = standard.last.table("areas").items()
    shutil.rmtree(standard.last.store.checked_path(row["object"]))
    standard.close()
    out = tmp_path / "out"
    assert run(["export", "reconstruction", "-o", str(out)]) == 0
    assert json.loads((out / "reconstruction.json").read_text())["areas"] == []
