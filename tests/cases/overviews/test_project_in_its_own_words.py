"""What a newcomer asks of a project is answered with what is true of its own tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.code.facts.parse import facts_of
from repobuild.code.graph.graph import PROJECT
from tests.cases.sampled import ALL_IN_ENGLISH, Sampled, answers, sampled_fixture
from tests.code_world import World

MODULE = '"""Draw lines."""\n\n\ndef draw(x):\n    """Draw a line."""\n    return x\n'
MANIFEST = '[project]\nname = "inkpot"\ndescription = "Pens with ink for drawing"\n'


def project_of(files: dict[str, str]) -> dict[str, Any]:
    return dict(World(files).rows[PROJECT][""])


@pytest.mark.parametrize(
    ("lead", "description"),
    [
        (
            "A Python implementation of RFC 7519. Original implementation was written"
            " by @somebody.",
            "Pens with ink for drawing",
        ),
        (
            "Inkpot has been successfully used in production at every scale since 2013,"
            " while embracing what is new.",
            "Pens with ink for drawing",
        ),
        (
            "Inkpot is a pen with ink. It was originally written by Ada Pen. It is"
            " fast.",
            "Inkpot is a pen with ink.",
        ),
        (
            "Inkpot is a library created by Ada Pen that draws lines.",
            "Inkpot is a library created by Ada Pen that draws lines.",
        ),
    ],
)
def test_praise_credits_and_numbers_do_not_introduce_a_project(
    lead: str, description: str
) -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "README.md": f"# Inkpot\n\n{lead}\n",
        "inkpot/__init__.py": MODULE,
    }
    assert project_of(files)["description"] == description


def test_modules_that_carry_most_are_named_first_and_deprecated_ones_never() -> None:
    core = "from inkpot._core import draw\n\n\ndef {}(x):\n    return draw(x)\n"
    old = "".join(f"def old_{n}(x):\n    return x\n\n\n" for n in range(30))
    files = {
        "pyproject.toml": MANIFEST,
        "inkpot/__init__.py": '"""Draw."""\n\nfrom inkpot.pens import pen\n',
        "inkpot/_core.py": MODULE,
        "inkpot/_small.py": MODULE,
        "inkpot/legacy.py": f'"""**Deprecated** pens."""\n\n\n{old}',
        **{
            f"inkpot/{name}.py": f'"""Draw with {name}."""\n\n{core.format(name)}'
            for name in ("pens", "chalk", "brush", "quill")
        },
    }
    modules = project_of(files)["key_modules"]
    assert modules[:2] == ["inkpot", "inkpot/_core.py"]
    assert "inkpot/_small.py" not in modules
    assert "inkpot/legacy.py" not in modules


@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("inkpot/vendor/quill/test.py", []),
        ("inkpot/parts/quill/test.py", []),
        ("inkpot/third_party/tests/test_quill.py", []),
        ("inkpot/test.py", ["inkpot/test.py"]),
        ("inkpot/pens/test_pens.py", ["inkpot/pens"]),
        ("tests/test_pens.py", ["tests"]),
    ],
)
def test_a_lone_test_of_bundled_code_is_not_the_folder_of_tests(
    path: str, folders: list[str]
) -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "inkpot/__init__.py": MODULE,
        path: "def test_it():\n    assert True\n",
    }
    assert project_of(files).get("tests", []) == folders


def test_a_script_to_try_things_out_is_no_test_folder() -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "inkpot/__init__.py": MODULE,
        "inkpot/test.py": "from inkpot import draw\n\nfor n in (1, 2):\n    draw(n)\n",
    }
    assert "tests" not in project_of(files)


def test_a_file_without_code_of_its_own_is_no_main_part() -> None:
    files = {
        "pyproject.toml": MANIFEST,
        "inkpot/__init__.py": MODULE,
        "inkpot/pens.py": MODULE,
        "inkpot/sizes.py": '"""Sizes of lines."""\n\nWIDE = 9\n',
        "inkpot/cli.py": '"""Command line interface to pens."""\n',
        "inkpot/items.py": (
            '"""Names for users."""\n\nfrom .pens import draw\n\n__all__ = ["draw"]\n'
        ),
    }
    modules = project_of(files)["key_modules"]
    assert modules == ["inkpot", "inkpot/pens.py", "inkpot/sizes.py"]


@pytest.mark.parametrize("init", [True, False])
def test_private_packages_that_hold_most_of_the_code_are_main_parts(init: bool) -> None:
    large = "".join(f"def draw_{n}(x):\n    return x\n\n\n" for n in range(9))
    files = {
        "pyproject.toml": MANIFEST,
        "inkpot/__init__.py": "from ._pens.pen import draw_1\n",
        "inkpot/errors.py": MODULE,
        "inkpot/_pens/pen.py": large,
        "inkpot/_chalk/chalk.py": large,
    }
    if init:
        files |= {"inkpot/_pens/__init__.py": "", "inkpot/_chalk/__init__.py": ""}
    modules = project_of(files)["key_modules"]
    assert modules[:3] == ["inkpot", "inkpot/_pens", "inkpot/_chalk"]
    files["inkpot/errors.py"] = 2 * large + large.replace("draw", "rub")
    assert project_of(files)["key_modules"] == ["inkpot", "inkpot/errors.py"]


SCRIPT = "from setuptools import setup\n{}\n\nsetup(name='inkpot', version='1')\n"


@pytest.mark.parametrize(
    ("line", "build", "missing"),
    [
        ("from inkpot import __version__", "", ["inkpot"]),
        ("import numpy", "", ["numpy"]),
        ("import numpy", '[build-system]\nrequires = ["numpy"]\n', []),
        (
            "import numpy",
            '[build-system]\nrequires = []\nbuild-backend = "flit_core.buildapi"\n',
            [],
        ),
        ("import versioneer", "", []),
        ("import helper_of_setup", "", []),
        ("import os, sys, wheel", "", []),
    ],
)
def test_a_script_that_a_clean_machine_cannot_run_needs_more_than_pip_install(
    line: str, build: str, missing: list[str]
) -> None:
    files = {
        "setup.py": SCRIPT.format(line),
        "helper_of_setup.py": MODULE,
        "inkpot/__init__.py": MODULE,
    }
    if build:
        files["pyproject.toml"] = build
    assert project_of(files).get("setup_needs", []) == missing


def test_an_installation_in_two_steps_is_read_from_a_document() -> None:
    text = (
        "# Inkpot\n\n    $ pip install inkpot\n\nOr by hand:\n\n    $ cd inkpot/\n"
        "    $ python -m build\n    $ python -m pip install dist/inkpot-*.whl\n"
    )
    found = facts_of(text.encode(), "markdown")
    assert found["setup"] == "python -m build\npython -m pip install dist/inkpot-*.whl"


FILES = {
    "pyproject.toml": MANIFEST
    + 'version = "1"\ndependencies = ["basin"]\n'
    + '[project.optional-dependencies]\nall = ["quill", "blotter"]\n'
    + 'feather = ["quill"]\n',
    "README.md": "# Inkpot\n\nInkpot is a pen with ink.\n\n    pip install inkpot\n\n"
    "From a checkout:\n\n    python -m build\n    pip install dist/inkpot-1.whl\n",
    "inkpot/__init__.py": "import basin\nimport sandbox\n\nimport wash\n\n" + MODULE,
    "inkpot/lines.py": "import wash\n\ntry:\n    import quill\nexcept ImportError:\n"
    "    quill = None\n\n\n" + MODULE.partition("\n\n\n")[2] + "\n\nclass Line:\n"
    '    """A line."""\n\n    def length(self):\n        return basin.size(self)\n',
    "docs/conftest.py": "class Drawn:\n    def test(self):\n        pass\n",
    "examples/lines.py": "def main():\n    pass\n",
    "tests/test_lines.py": "from inkpot import draw\n\n\ndef test_draw():\n"
    "    assert draw(1) == 1\n",
}
inkpot = sampled_fixture(FILES)


def test_every_claim_of_these_samples_holds(inkpot: Sampled) -> None:
    assert inkpot.audit().wrong == []


def test_what_documentation_and_examples_hold_is_counted_apart(inkpot: Sampled) -> None:
    (told,) = answers(inkpot, "statistics")
    assert (
        "define 2 classes, 4 functions and 2 methods in all."
        " Tests hold 0 of the classes, 1 of the functions and 0 of the methods."
        " Documentation and examples hold 1 of the classes, 1 of the functions and 1 of"
        " the methods." in told
    )


def test_what_an_extra_installs_is_told_as_optional(inkpot: Sampled) -> None:
    (told,) = answers(inkpot, "technologies")
    assert (
        "**Optional, by the extra that installs them**:\n- `feather`: `quill`" in told
    )
    besides = told.replace("- `feather`: `quill`", "")
    assert "`quill`" not in besides


def test_an_installation_from_the_tree_is_what_the_readme_says(inkpot: Sampled) -> None:
    assert answers(inkpot, "install_told") == {
        "In a checkout of inkpot, run `python -m build`, as `README.md` says. Then, as"
        " `README.md` goes on, run `pip install dist/inkpot-1.whl`."
    }
    assert answers(inkpot, "published") == {
        "`README.md` gives this command for the published package of inkpot:"
        " `pip install inkpot`."
    }
    assert not answers(inkpot, "install")


CONDITIONS = """[project]
name = "inkpot"
dependencies = [
  "colorama>=0.3 ; sys_platform=='win32'",
  "aiovars ; python_version<'3.7'",
]
"""


def test_what_is_needed_under_a_condition_is_told_with_it(tmp_path: Path) -> None:
    imports = "import aiovars\nimport colorama\n"
    files = {
        "pyproject.toml": CONDITIONS,
        "inkpot/__init__.py": '"""Draw."""\n\n' + imports,
        "inkpot/pens.py": '"""Draw with pens."""\n\n' + imports,
    }
    project = project_of(files)
    assert project["main_technologies"] == project["imports_besides"] == []
    inkpot = Sampled(tmp_path, files, **ALL_IN_ENGLISH)
    assert answers(inkpot, "technologies") == set()
    assert answers(inkpot, "independent") == {
        "inkpot needs no other packages to run in every environment: `pyproject.toml`"
        " gives a condition for each that it declares.\n\n"
        "**Only under conditions that `pyproject.toml` gives**:\n"
        '- `aiovars`, where `python_version < "3.7"`\n'
        '- `colorama`, where `sys_platform == "win32"`'
    }
    assert inkpot.audit().wrong == []
    told = {
        key: one | {"answer": one["answer"].replace("win32", "linux")}
        for key, one in inkpot.samples.items()
        if "win32" in one["answer"]
    }
    wrong = inkpot.audit(told).wrong
    assert {one.claim for one in wrong} == {"conditional dependencies"}
