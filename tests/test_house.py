"""The house style is checked like everything else."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from repobuild.cli.main import VERBS
from repobuild.settings_schema import settings
from tests.imports import functions, modules, public_classes, syntax

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def run_git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=-1, text=True).stdout


@pytest.mark.parametrize("arguments", [("check", "."), ("format", "--check", ".")])
def test_ruff_is_clean(arguments):
    done = run("ruff", *arguments)
    assert done.returncode == 0, done.stdout


def test_mypy_strict_is_clean(mypy):
    code, out = mypy
    assert code == 0, out


def test_the_page_of_settings_holds_the_rows_of_the_schema():
    """To write them anew: `python -m tests.settings_page`."""
    from tests.settings_page import ROW, rows

    page = (ROOT / "docs/configuration.md").read_text()
    assert [line for line in page.splitlines() if ROW.match(line)] == rows()


def test_every_power_is_in_the_table_of_powers():
    page = (ROOT / "docs/configuration.md").read_text()
    table = page.partition("\n## Powers\n")[2].partition("\n## ")[0]
    powers = [name for name, setting in settings().items() if setting.power]
    assert [name for name in powers if f"`{name}`" not in table] == []


def test_every_verb_has_a_page():
    pages = {path.stem for path in (ROOT / "docs/verbs").glob("*.md")}
    assert pages == set(VERBS)


def test_every_dependency_has_its_reason():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    page = (ROOT / "docs/dependencies.md").read_text()
    extras = project["optional-dependencies"]
    names = [re.match(r"[\w-]+", d)[0] for d in project["dependencies"]]
    # the page names the other grammars as -cpp, -go and so on
    names += [
        re.match(r"[\w-]+", dependency)[0].removeprefix("tree-sitter")
        for extra in extras.values()
        for dependency in extra
    ]
    assert [name for name in names if name not in page] == []
    assert [name for name in extras if not re.search(rf"[`\[]{name}[`\]]", page)] == []


def test_every_dependency_is_pinned():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [d for e in project["optional-dependencies"].values() for d in e]
    pinned = (ROOT / "constraints.txt").read_text().lower()
    for dependency in [*project["dependencies"], *extras]:
        name = re.match(r"[\w-]+", dependency)[0].lower()
        # an extra may take in another of our own
        assert name == "repobuild" or f"\n{name}==" in pinned, name


def test_pins_are_in_the_order_of_their_names():
    _, *pins = (ROOT / "constraints.txt").read_text().splitlines()
    assert pins == sorted(pins, key=lambda pin: pin.lower().replace("_", "-"))


def test_a_folder_has_at_most_sixteen_modules():
    folders: dict[Path, int] = defaultdict(int)
    for path in modules().values():
        folders[path.parent.relative_to(ROOT)] += 1
    crowded = {str(f): n for f, n in folders.items() if n > 16}
    assert set(crowded) <= {"repobuild/cli"}  # one file a verb


def test_a_folder_says_what_it_is():
    silent = [
        name
        for name, path in modules().items()
        if path.name == "__init__.py" and not ast.get_docstring(syntax(path))
    ]
    assert silent == []


def test_a_module_name_has_one_meaning():
    """A verb's file may share its name with the module that does the verb's work."""
    named: dict[str, list[str]] = defaultdict(list)
    for module, path in modules().items():
        name = module.rpartition(".")[2]
        if path.name != "__init__.py" and module != f"repobuild.cli.{name}":
            named[name].append(module)
        elif name not in VERBS and path.name != "__init__.py":
            named[name].append(module)
    assert {n: found for n, found in named.items() if len(found) > 1} == {}


def test_a_class_name_has_one_meaning():
    named: dict[str, list[str]] = defaultdict(list)
    for module, name in public_classes():
        named[name].append(module)
    assert {n: found for n, found in named.items() if len(found) > 1} == {}


def test_no_function_is_longer_than_seventy_lines():
    assert [found for found in functions() if found[2] > 70] == []


def test_few_functions_need_a_hard_look():
    """A function above 45 lines must tell one thing; a new one needs a reason."""
    assert [found[:2] for found in functions() if found[2] > 45] == []


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda p: p.stem
)
def test_pages_are_at_most_a_hundred_columns_wide(page: Path):
    """Tables, links and commands cannot be broken; prose can."""
    long, fenced = [], False
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        fenced ^= line.startswith("```")
        if len(line) > 100 and not (fenced or line.startswith(("|", "!["))):
            if " " in re.sub(r"\]\([^)]*\)|`[^`]*`", "", line)[100:]:
                long.append(number)
    assert long == []


MENTIONED = re.compile(r"(?<![\w/.])((?:[\w-]+/)*[a-z_0-9]+\.py)\b")
# Files of repositories in examples, and of other projects.
EXAMPLES = re.compile(
    r"(src/|pkg/|rules/|json/)|[abxy](/b)?(/__init__)?\.py|(click|numpy|core|setup)\.py"
)


def test_comments_name_files_that_exist():
    """A comment may shorten a path from the left as long as it names one file."""
    known = [f"/{path}" for path in run_git("ls-files").split("\n")]
    gone = set()
    for module, path in modules().items():
        lines = path.read_text("utf-8").splitlines()
        prose = [line.partition("#")[2] for line in lines]
        for node in ast.walk(syntax(path)):
            kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            if isinstance(node, kinds):
                prose.append(ast.get_docstring(node) or "")
        for name in MENTIONED.findall("\n".join(prose)):
            is_known = any(path.endswith(f"/{name}") for path in known)
            if not is_known and not EXAMPLES.match(name):
                gone.add(f"{module}: {name}")
    assert gone == set()
