"""An updated graph equals the graph of a full build."""

from __future__ import annotations

import random

import pytest

from tests.code_world import World

NAMES = ["alpha", "beta", "gamma"]
CLASSES = ["Base", "Left", "Right"]
FOLDERS = ["", "pkg", "pkg/inner", "src/other", "tools"]
SPACES = ["libs/a/src/space", "libs/b/src/space", "libs/c/space"]
MANIFESTS = ["pyproject.toml", "libs/a/pyproject.toml", "libs/b/setup.cfg"]
MANIFESTS += ["libs/c/setup.py", "requirements.txt", "tools/requirements.txt"]
FILES = ["__init__.py", "one.py", "two.py", "three.py", "README.md"]
MODULES = ["one", "two", "three", "pkg", "pkg.one", "pkg.inner", "pkg.inner.two"]
MODULES += ["space.one", "space.two", "space", "json"]
MODULES += ["other", "other.one", ".one", ".", "..", "..one", ".inner", "tools.two"]


def _import(dice: random.Random) -> str:
    module = dice.choice(MODULES)
    name = dice.choice([*NAMES, *CLASSES, "one", "two", "inner", "*"])
    alias = dice.choice(["", "", f" as {dice.choice(NAMES + CLASSES)}"])
    if module.startswith(".") or dice.random() < 0.7:
        return f"from {module} import {name}{'' if name == '*' else alias}"
    return f"import {module}{alias}"


def _expression(dice: random.Random) -> str:
    roots = ["one", "two", "pkg", "pkg.one", "inner", "x", "space.one", "space"]
    root = dice.choice([*NAMES, *CLASSES, *roots])
    tail = dice.choice(["", "", f".{dice.choice(NAMES)}", f"().{dice.choice(NAMES)}"])
    return f"{root}{tail}()"


def _function(dice: random.Random, name: str, receiver: str = "") -> list[str]:
    given = [receiver] if receiver else []
    given += dice.choice([[], [], [f"x: {dice.choice(CLASSES)}"], ["x"]])
    kind = dice.choice(CLASSES)
    returns = dice.choice(["", "", "", f" -> {kind}", f" -> list[{kind}]"])
    lines = [f"def {name}({', '.join(given)}){returns}:"]
    if dice.random() < 0.2:
        lines.insert(0, f"@{_expression(dice).removesuffix('()')}")
    if dice.random() < 0.4:
        lines.append(f"    x = {_expression(dice)}")
    if receiver and dice.random() < 0.5:
        lines.append(f"    self.{dice.choice(NAMES)}()")
        lines.append(f"    super().{dice.choice(NAMES)}()")
        lines.append(f"    self.held = {dice.choice(CLASSES)}()")
        lines.append(f"    self.held.{dice.choice(NAMES)}()")
    if dice.random() < 0.3:
        lines += _loose(dice)
    lines.append(f"    return {_expression(dice)}")
    return lines


def _loose(dice: random.Random) -> list[str]:
    """Return lines that lead through containers, partials, closures and results."""
    name, kind = dice.choice(NAMES), dice.choice(CLASSES)
    return dice.choice(
        [
            [f"    for y in {_expression(dice)}:", f"        y.{name}()"],
            [f"    ys: list[{kind}] = []", f"    [y.{name}() for y in ys]"],
            [f"    y = partial({dice.choice(NAMES)}, 1)", "    y()"],
            [f"    with {_expression(dice)} as y:", f"        y.{name}()"],
            [f"    y = {name} if x else {dice.choice(NAMES)}", "    y()"],
            ["    def inner(x):", f"        return {_expression(dice)}"]
            + dice.choice([["    return inner"], ["    inner().gamma()"]]),
            [f"    class Inner({kind}): pass", "    return Inner"],
            [f"    return {kind}"],
            [f"    sorted(x, key={name})"],
            [f"    y = {_expression(dice)}", f"    y().{name}()"],
            ["    x()"],
            [f"    {dice.choice(NAMES)}({dice.choice(NAMES + CLASSES)})"],
            [f"    {dice.choice(CLASSES)}(x, {name}).{name}()"],
            [f"    y = {{'a': {name}}}", "    y['a']()", "    return y['a']"],
            [f"    for y in ({name}, x):", "        y()"],
            [f"    yield {name}"],
            ["    self.given = x"],
            ["    self.given()"],
            [f"    @{name}", "    def inner(y):", "        return y()", "    inner(x)"],
        ]
    )


def _class(dice: random.Random, name: str) -> list[str]:
    bases = dice.sample([*CLASSES, "one.Base", "pkg.Left"], dice.randint(0, 2))
    lines = [f"class {name}({', '.join(bases)}):", "    kept = 1"]
    if dice.random() < 0.3:
        lines.append(f"    {dice.choice(NAMES)} = {dice.choice(NAMES)}")
    for method in dice.sample([*NAMES, "__init__"], dice.randint(0, 3)):
        lines += ["    " + line for line in _function(dice, method, "self")]
    return lines


def _text(dice: random.Random, path: str) -> str:
    if path.endswith(".md"):
        return f"# {dice.choice(NAMES)}\n\n{dice.choice(NAMES)} text\n"
    if path in MANIFESTS:
        return _manifest(dice, path)
    lines = [_import(dice) for _ in range(dice.randint(0, 3))]
    lines.append("from functools import partial")
    for _ in range(dice.randint(0, 2)):
        lines += _function(dice, dice.choice(NAMES))
    for _ in range(dice.randint(0, 2)):
        lines += _class(dice, dice.choice(CLASSES))
    if dice.random() < 0.3:
        check = dice.choice(["x", "TYPE_CHECKING", "sys.version_info >= (3, 8)"])
        name = dice.choice([*NAMES, *CLASSES])
        for line in (f"if {check}:", "else:"):
            made = _class(dice, name) if name in CLASSES else _function(dice, name)
            lines += [line, *("    " + one for one in made)]
    if dice.random() < 0.3:
        lines.append(f"{dice.choice(NAMES)} = {dice.choice(NAMES + CLASSES)}")
    if dice.random() < 0.2:
        lines.append(f"__all__ = {dice.sample(NAMES + CLASSES, 2)!r}")
    if dice.random() < 0.2:
        grown = ["one.__all__", "pkg.__all__", "['alpha']", "space.one.__all__"]
        lines.append(f"__all__ += {dice.choice(grown)}")
    if dice.random() < 0.1:
        lines.append("from .one import __all__")
    if dice.random() < 0.1:
        lines.append("def broken(:")
    lines.append(_expression(dice))
    return "\n".join(lines) + "\n"


def _manifest(dice: random.Random, path: str) -> str:
    names = dice.sample(["one", "pkg", "space", "space-one", "other", "x"], 2)
    if path.endswith(".toml"):
        return f'[project]\nname = "{names[0]}"\ndependencies = ["{names[1]}"]\n'
    if path.endswith(".cfg"):
        return (
            f"[metadata]\nname = {names[0]}\n[options]\ninstall_requires = {names[1]}"
        )
    return "\n".join(names) + "\n"


def _path(dice: random.Random) -> str:
    if dice.random() < 0.2:
        return dice.choice(MANIFESTS)
    folder, name = dice.choice([*FOLDERS, *SPACES]), dice.choice([*FILES, "json.py"])
    return f"{folder}/{name}" if folder else name


def _edit(dice: random.Random, files: dict[str, str]) -> None:
    """Add, change, delete, rename or copy one file."""
    path = dice.choice(sorted(files)) if files else ""
    action = dice.random()
    if not files or action < 0.35:
        new = _path(dice)
        files[new] = _text(dice, new)
    elif action < 0.65:
        files[path] = _text(dice, path)
    elif action < 0.75:
        files[path] = "# only moves it\n\n" + files[path]
    elif action < 0.85:
        del files[path]
    elif action < 0.95:
        files[_path(dice)] = files.pop(path)
    else:
        files[_path(dice)] = files[path]


def assert_same(world: World, files: dict[str, str]) -> None:
    clean = World(files)
    assert list(world.rows) != [] or not files
    for path in sorted({*world.rows, *clean.rows}):
        kept, made = world.rows.get(path), clean.rows.get(path)
        assert kept == made, path
        assert list(kept or {}) == list(made or {}), path
    for path, terms in clean.view.own.index.terms.items():
        assert world.view.own.index.terms.get(path, set()) == terms, path


@pytest.mark.parametrize("seed", range(40))
def test_random_edits_end_with_the_rows_of_a_full_build(seed: int) -> None:
    dice = random.Random(seed)
    files: dict[str, str] = {}
    for _ in range(12):
        _edit(dice, files)
    world = World(files)
    for _ in range(12):
        for _ in range(dice.choice([1, 1, 1, 3])):
            _edit(dice, files)
        world.put(files)
        assert_same(world, files)


@pytest.mark.parametrize("length", [59, 60, 61])
def test_a_chain_at_the_depth_limit_ends_the_same_from_either_end(
    length: int,
) -> None:
    # A full build resolves it from its far end, the update from its near end.
    files = {
        f"m{n:02d}.py": f"from m{n - 1:02d} import f\n" for n in range(1, length + 1)
    }
    files |= {"m00.py": "def f():\n    return 1\n"}
    files["z.py"] = f"from m{length:02d} import f\nf()\n"
    world = World(files)
    files["z.py"] = "# moved\n" + files["z.py"]
    world.put(files)
    assert_same(world, files)


def test_a_module_that_replaces_a_package_updates_importers_of_its_modules():
    files = {"lib/__init__.pyi": "", "lib/x.py": "def f():\n    pass\n"}
    files["main.py"] = "from x import f\nf()\n"
    world = World(files)
    files["lib.py"] = ""
    world.put(files)
    assert_same(world, files)


INNER = """
class A:
    def m(self): pass
class B:
    def m(self): pass
def make():
    held = {0}
    def inner() -> {1}:
        pass
    def other():
        return held
    return {2}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("A()", "A", "inner"), ("A()", "B", "inner")),
        (("A()", "A", "inner"), ("A()", "A", "other")),
        (("A()", "A", "other"), ("B()", "A", "other")),
        (("A", "held", "inner"), ("B", "held", "inner")),
    ],
    ids=["its type", "another", "a variable around it", "a type around it"],
)
def test_a_change_within_a_function_updates_callers_of_its_result(
    before: tuple[str, str, str], after: tuple[str, str, str]
) -> None:
    files = {"b.py": INNER.format(*before), "a.py": "import b\nb.make()().m()\n"}
    world = World(files)
    files["b.py"] = INNER.format(*after)
    world.put(files)
    assert_same(world, files)


LOOSE = """
from functools import partial
class A:
    def __enter__(self){0}: return self
    def __iter__(self){1}: return self
    def m(self): pass
class B(A):
    def m(self): pass
def f(x): return {2}()
def g(x): pass
p = partial({3}, 1)
"""
USER = """
from b import A, f, p
with A() as x:
    x.m()
for y in A():
    y.m()
f().m()
p()
"""


@pytest.mark.parametrize(
    "after",
    [
        (" -> B", "", "A", "A"),
        ("", " -> list[B]", "A", "A"),
        ("", "", "B", "A"),
        ("", "", "A", "g"),
    ],
    ids=["with", "for", "return", "partial"],
)
def test_a_change_of_a_result_type_updates_its_users(
    after: tuple[str, str, str, str],
) -> None:
    files = {"b.py": LOOSE.format("", "", "A", "A"), "a.py": USER}
    world = World(files)
    before = world.calls("a.py")
    files["b.py"] = LOOSE.format(*after)
    world.put(files)
    assert world.calls("a.py") != before
    assert_same(world, files)
