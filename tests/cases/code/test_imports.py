"""Imports: others' packages, namespaces over several distributions, `__all__`."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from repobuild.code.graph.python_files import PythonFiles
from repobuild.code.resolve.python.resolver import Resolver
from tests.code_world import World

DECLARED = {
    "pyproject.toml": "[project]\nname = 'shop'\n"
    "dependencies = ['fastapi', 'numpy', 'requests', 'PyYAML',"
    " 'google-cloud-storage']\n"
    "[project.optional-dependencies]\ntest = ['pandas']\n"
    "[dependency-groups]\ndev = ['attrs']\n",
}


def targets(files: dict[str, str], source: str, kind: str = "calls") -> list[str]:
    """Return where one element's edges of a kind lead, sorted."""
    edges = World(files).edges(kind)
    return sorted(target for found, target in edges if found == source)


def technologies(world: World) -> Any:
    return world.rows["@project"][""]["main_technologies"]


def test_a_file_with_the_name_of_a_dependency_is_not_imported() -> None:
    world = World(
        DECLARED
        | {
            "app/fastapi/__init__.py": "",
            "app/fastapi/main.py": "from fastapi import FastAPI\nimport fastapi\n\n\n"
            "def create():\n    return FastAPI()\n",
            "examples/numpy.py": "def array(values):\n    return list(values)\n",
            "tests/requests/__init__.py": "def get(address):\n    return address\n",
            "pkg/__init__.py": "",
            "pkg/core.py": "import numpy as np\nimport requests\n\n\n"
            "def load(address):\n    return np.array(requests.get(address))\n",
        }
    )
    assert world.edges("imports") == {}
    assert world.edges("calls") == {}
    assert technologies(world) == ["fastapi", "numpy", "requests"]


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("tools/yaml.py", "yaml"),
        ("google/cloud/storage.py", "google.cloud.storage"),
        ("tools/pandas/__init__.py", "pandas"),
        ("pkg/attr.py", "attr"),
        ("numpy.py", "numpy"),
    ],
    ids=["other import name", "namespace", "extra", "group, beside it", "at the top"],
)
def test_a_dependency_is_known_by_its_import_name(path: str, module: str) -> None:
    files = {path: "def f(): pass\n", "pkg/a.py": f"from {module} import f\nf()\n"}
    assert targets(files | DECLARED, "pkg/a.py") == []
    assert targets(files | DECLARED, "pkg/a.py", "imports") == []


def test_a_dependency_that_the_repository_provides_itself_is_imported() -> None:
    files = {
        "core/pyproject.toml": "[project]\nname = 'acme-core'\n",
        "core/src/acme_core/__init__.py": "def f(): pass\n",
        "web/pyproject.toml": "[project]\nname = 'w'\ndependencies = ['acme.core']\n",
        "web/src/w/__init__.py": "from acme_core import f\nf()\n",
    }
    call = ["core/src/acme_core/__init__.py::f"]
    assert targets(files, "web/src/w/__init__.py") == call
    # A project that is installed by its setup.py has no name that facts know.
    del files["core/pyproject.toml"]
    assert targets(files, "web/src/w/__init__.py") == []
    files["core/setup.py"] = "from setuptools import setup\nsetup(name='acme_core')\n"
    assert targets(files, "web/src/w/__init__.py") == call


def test_a_manifest_decides_for_the_files_below_it_only() -> None:
    use = "from yaml import f\nf()\n"
    files = {"one/requirements.txt": "pyyaml\n", "one/yaml.py": "def f(): pass\n"}
    files |= {"one/a.py": use, "two/yaml.py": "def f(): pass\n", "two/a.py": use}
    assert targets(files, "one/a.py") == []
    assert targets(files, "two/a.py") == ["two/yaml.py::f"]


def test_a_manifest_that_changes_updates_the_files_that_import() -> None:
    files = {"yaml.py": "def f(): pass\n", "a.py": "from yaml import f\nf()\n"}
    world = World(files)
    assert world.calls("a.py") == ["yaml.py::f"]
    assert world.put(files | {"requirements.txt": "pyyaml\n"}).calls("a.py") == []
    assert world.put(files).calls("a.py") == ["yaml.py::f"]


@pytest.mark.parametrize("folder", ["pkg", "pkg/utils", "scripts"])
def test_a_file_named_like_a_standard_module_is_not_imported(folder: str) -> None:
    files = {
        f"{folder}/logging.py": "def getLogger(name): pass\n",
        f"{folder}/use.py": "import logging\nlogging.getLogger('x')\n",
        "main.py": "from logging import getLogger\ngetLogger('x')\n",
    }
    world = World(files)
    assert world.edges("calls") == world.edges("imports") == {}


@pytest.mark.parametrize("folder", ["", "src/", "Lib/"])
def test_a_standard_name_in_the_source_root_hides_the_standard_one(folder: str) -> None:
    files = {
        f"{folder}logging.py": "def getLogger(name): pass\n",
        f"{folder}use.py": "import logging\nlogging.getLogger('x')\n",
    }
    assert targets(files, f"{folder}use.py") == [f"{folder}logging.py::getLogger"]


def test_examples_and_tests_are_not_imported_from_outside() -> None:
    files = {"examples/numpy.py": "def array(): pass\n"}
    files |= {"tests/help/tools.py": "def f(): pass\n"}
    files |= {"pkg/a.py": "import numpy\nimport tools\nnumpy.array()\ntools.f()\n"}
    files |= {"tests/unit/t.py": "import tools\ntools.f()\n"}
    assert targets(files, "pkg/a.py") == []
    assert targets(files, "tests/unit/t.py") == ["tests/help/tools.py::f"]


# ------------------------------------------------------------ what is installed here


def _distributions() -> list[metadata.Distribution]:
    found = {one.name: one for one in metadata.distributions() if one.files}
    return [found[name] for name in sorted(found)]


def _sources(one: metadata.Distribution) -> dict[str, str]:
    """Return the Python files of an installed distribution."""
    files = {}
    for path in one.files or ():
        if path.suffix == ".py" and ".." not in path.parts:
            try:
                files[path.as_posix()] = Path(str(path.locate())).read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
    return files


@pytest.mark.slow  # reads every installed package: a minute each
@pytest.mark.parametrize("with_packages", [True, False])
def test_no_import_that_is_installed_elsewhere_is_taken_for_an_own_file(
    with_packages: bool,
) -> None:
    checked = 0
    for one in _distributions():
        files = _sources(one)
        if not 0 < len(files) <= 120:
            continue
        if not with_packages:
            files = {p: t for p, t in files.items() if not p.endswith("__init__.py")}
        tops = {path.partition("/")[0].removesuffix(".py") for path in files}
        required = [re.split(r"[^\w.-]", line)[0] for line in one.requires or ()]
        names = [name.lower().replace("-", "_") for name in required]
        elsewhere = ({*names} | sys.stdlib_module_names) - tops
        manifest = f"[project]\nname = {one.name!r}\ndependencies = {required}\n"
        world = World(files | {"pyproject.toml": manifest})
        resolver = _resolver(world)
        for path, row in world.view.tables["facts"].rows.items():
            for _, module, *_ in row.get("imports", ()):
                if module.partition(".")[0] in elsewhere:
                    checked += 1
                    assert resolver.find_module(path, module) is None, (path, module)
    assert checked > 300


def _resolver(world: World) -> Resolver:
    facts = world.view.tables["facts"]
    changed = {path: (None, row) for path, row in facts.rows.items()}
    return PythonFiles(facts, changed, world.view.own, True).resolver


# ------------------------------------------------------------------------ namespaces


def _storage(space: str) -> dict[str, str]:
    """Return a monorepo of three distributions that share the namespace `acme`."""
    return {
        "packages/core/pyproject.toml": "[project]\nname = 'acme-cloud-core'\n",
        "packages/storage/pyproject.toml": "[project]\nname = 'acme-cloud-storage'\n"
        "dependencies = ['acme-cloud-core']\n",
        "packages/web/setup.py": "from setuptools import setup\nsetup(name='w')\n",
        f"packages/core/{space}/core/__init__.py": "def connect(url): pass\n",
        f"packages/core/{space}/core/retry.py": "def retry(times): pass\n",
        f"packages/web/{space}/web/__init__.py": "def serve(): pass\n",
        f"packages/storage/{space}/storage/__init__.py": "def store(url): pass\n",
    }


@pytest.mark.parametrize("space", ["src/acme/cloud", "acme/cloud"])
def test_distributions_of_one_namespace_import_each_other(space: str) -> None:
    files = _storage(space)
    path = f"packages/storage/{space}/storage/__init__.py"
    files[path] = (
        "from acme.cloud.core import connect\nfrom acme.cloud.core.retry import retry\n"
        "from acme.cloud import web\n\n\n"
        "def store(url):\n    retry(3)\n    web.serve()\n    return connect(url)\n"
    )
    core = f"packages/core/{space}/core"
    calls = [
        f"{core}/__init__.py::connect",
        f"{core}/retry.py::retry",
        f"packages/web/{space}/web/__init__.py::serve",
    ]
    assert targets(files, path + "::store") == calls
    assert targets(files, path, "imports") == [
        calls[0].partition("::")[0],
        calls[0],
        calls[1].partition("::")[0],
        calls[1],
        calls[2].partition("::")[0],
    ]
    assert technologies(World(files)) == []  # only its setup.py imports setuptools
    files["packages/storage/tests/test_store.py"] = (
        "from acme.cloud.storage import store\n\n\ndef test_store():\n    store('')\n"
    )
    test = "packages/storage/tests/test_store.py::test_store"
    assert targets(files, test) == [path + "::store"]


@pytest.mark.parametrize("space", ["src/acme/cloud", "acme/cloud"])
@pytest.mark.parametrize(
    "marker",
    [
        "",
        '__path__ = __import__("pkgutil").extend_path(__path__, __name__)\n',
        '__import__("pkg_resources").declare_namespace(__name__)\n',
    ],
    ids=["PEP 420", "pkgutil", "pkg_resources"],
)
def test_a_module_is_called_by_its_dotted_name(space: str, marker: str) -> None:
    files = _storage(space)
    for name in ("core", "storage", "web") if marker else ():
        top = space.partition("/cloud")[0]
        for folder in (top, space):
            files[f"packages/{name}/{folder}/__init__.py"] = marker
    path = f"packages/storage/{space}/storage/__init__.py"
    files[path] = (
        "import acme.cloud.core\nimport acme.cloud.web\nimport os.path\n\n\n"
        "def store(url):\n    acme.cloud.web.serve()\n    os.path.join(url)\n"
        "    return acme.cloud.core.connect(url)\n"
    )
    core, web = f"packages/core/{space}/core", f"packages/web/{space}/web"
    assert targets(files, path + "::store") == [
        f"{core}/__init__.py::connect",
        f"{web}/__init__.py::serve",
    ]


def test_a_module_in_a_folder_without_init_is_called_by_its_dotted_name() -> None:
    files = {
        "n/m/a.py": "def f(): pass\n",
        "b.py": "import n.m.a\nn.m.a.f()\nn.m.f()\n",
    }
    assert targets(files, "b.py") == ["n/m/a.py::f"]
    # `n.m` names nothing where no import loads it.
    files["b.py"] = "import n\nn.m.a.f()\n"
    assert targets(files, "b.py") == []


def test_a_namespace_that_two_distributions_fill_alike_is_not_guessed() -> None:
    files = {
        f"packages/{name}/{file}": text
        for name in ("one", "two")
        for file, text in {
            "pyproject.toml": f"[project]\nname = '{name}'\n",
            "src/acme/core.py": "def f(): pass\n",
        }.items()
    }
    files["a.py"] = "from acme.core import f\nf()\n"
    assert targets(files, "a.py") == []
    path = "packages/two/tests/t.py"  # its own distribution is the nearest
    files[path] = "from acme.core import f\nf()\n"
    assert targets(files, path) == ["packages/two/src/acme/core.py::f"]


# --------------------------------------------------------------------------- __all__

MULTI = "__all__ = ['dot', '_cross']\ndef dot(): pass\ndef _cross(): pass\n"
MULTI += "def hidden(): pass\n"


@pytest.mark.parametrize(
    "package",
    [
        "from . import multi\n__all__ = ['v']\n__all__ += multi.__all__\n",
        "from . import multi\n__all__ = ['v']\n__all__.extend(multi.__all__)\n",
        "from . import multi\n__all__ = ['v'] + multi.__all__\n",
        "from . import multi\n__all__ = ['v', *multi.__all__]\n",
        "from . import multi\n__all__ = sorted(multi.__all__)\n",
        "import num.multi\n__all__ = list(num.multi.__all__) + []\n",
        "from .multi import __all__ as names\n__all__ = ['v', *names]\n",
        "from .multi import __all__\n__all__ += ['v']\n",
        "__all__ = ['v']\n__all__.append('dot')\n__all__.insert(0, '_cross')\n",
        "__all__ = ['v']\n__all__ += ('dot', '_cross')\n",
        "__all__ = 'v dot _cross'.split()\n",
        "__all__: list[str] = ['v']\nif v:\n    __all__ += ['dot', '_cross']\n",
        "__all__ = ['hidden', 'dot', '_cross']\n__all__.remove('hidden')\n",
    ],
)
def test_all_grows(package: str) -> None:
    files = {"num/multi.py": MULTI}
    files["num/__init__.py"] = (
        f"from .multi import *\nfrom .multi import hidden, _cross\n{package}"
    )
    files["a.py"] = "from num import *\ndot()\n_cross()\nhidden()\n"
    edges = World(files).edges("calls")
    assert {
        target: sure for (source, target), sure in edges.items() if source == "a.py"
    } == {
        "num/multi.py::dot": 0.95,
        "num/multi.py::_cross": 0.95,
    }


@pytest.mark.parametrize(
    "text",
    [
        '__all__ = [\n    "kept",\n    # "old",\n]\n',
        '__all__ = (\n    "kept",  # not "old"\n)\n',
        '__all__ = ["kept"]\n# __all__ += ["old"]\n',
        '__all__ = ["kept"]\ndef g():\n    __all__.append("old")\n',
        '__all__ = ["kept"] + [f"{name}" for name in ["old"]]\n',
    ],
)
def test_a_name_in_a_comment_of_all_is_not_exported(text: str) -> None:
    files = {"com.py": text + "def kept(): pass\ndef old(): pass\n"}
    files["d.py"] = "from com import *\nkept()\nold()\n"
    assert targets(files, "d.py") == ["com.py::kept"]


def test_modules_whose_all_is_each_others_end() -> None:
    files = {"a.py": "import b\n__all__ = ['f', *b.__all__]\ndef f(): pass\n"}
    files["b.py"] = "import a\n__all__ = ['g', *a.__all__]\ndef g(): pass\n"
    files["c.py"] = "from a import *\nf()\ng()\n"
    assert targets(files, "c.py") == ["a.py::f"]


def test_a_change_of_another_all_updates_who_imports_by_star() -> None:
    files = {"num/multi.py": MULTI.replace("'dot', ", "")}
    files["num/__init__.py"] = (
        "from .multi import *\nfrom . import multi\n__all__ = multi.__all__\n"
    )
    files["a.py"] = "from num import *\ndot()\n"
    world = World(files)
    assert world.calls("a.py") == []
    files["num/multi.py"] = MULTI
    assert world.put(files).calls("a.py") == ["num/multi.py::dot"]


def test_the_insides_of_a_package_are_no_technology() -> None:
    files = {"a.py": "import _pytest.config\nimport _cffi_backend\nimport numpy\n"}
    assert technologies(World(files)) == ["numpy"]
