"""The project's name and dependencies come from its own manifests, no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.claim_audit import audit_tree
from repobuild.code.graph.graph import PROJECT
from repobuild.code.scan.manifest import read
from repobuild.samples.dataset.all_samples import AllSamples
from repobuild.truth.audit import audit
from repobuild.truth.tree.project_manifest import read_project_manifest
from tests.code_world import World
from tests.repository import Repository
from tests.standard import Standard

REQUIREMENTS = r"""# written by a lock tool
--index-url https://pypi.invalid/simple
-r base.txt
-c bounds.txt
-e ./local
alpha==1.0 \
    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000 \
    --hash=sha256:1111111111111111111111111111111111111111111111111111111111111111
    # via nothing
beta[extra]==2.0 ; python_version < "3.12" \
    --hash=sha256:2222222222222222222222222222222222222222222222222222222222222222
gamma \
    >=3.0
git+https://example.invalid/team/delta.git@v1#egg=delta
https://example.invalid/epsilon-1.0-py3-none-any.whl
zeta @ https://example.invalid/zeta.whl
./wheels/eta-1.0-py3-none-any.whl
theta==1.0  # a comment
"""
DECLARED = {
    "alpha": "==1.0",
    "beta": '==2.0; python_version < "3.12"',
    "delta": "",
    "gamma": ">=3.0",
    "theta": "==1.0",
    "zeta": "",
}
CODE = '"""Draw."""\n\n\ndef draw(x):\n    """Draw one picture of a thing."""\n'
FIXTURE = (
    '[project]\nname = "broken"\ndescription = "D."\ndependencies = ["left-pad"]\n'
)


def project_of(files: dict[str, str]) -> dict[str, Any]:
    return dict(World(files).rows[PROJECT][""])


def test_requirements_are_packages_and_nothing_else() -> None:
    assert (
        read(REQUIREMENTS.encode(), "manifest")["project"]["dependencies"] == DECLARED
    )


@pytest.mark.parametrize(
    ("text", "dependencies"),
    [
        ("-e git+https://x.invalid/y.git#egg=one\n", {"one": ""}),
        ("git+ssh://git@x.invalid/y@v1#egg=one&subdirectory=z\n", {"one": ""}),
        ("file:///home/somebody/wheels\n", {}),
        ("one.tar.gz\ntwo.whl\n", {}),
        ("{{ name }}\n== 1\n", {}),
        (
            "one>=1, <2\ntwo~=1.0 ;os_name=='nt'\n",
            {"one": ">=1,<2", "two": '~=1.0; os_name == "nt"'},
        ),
        ("one (>=1)\n", {"one": ">=1"}),
        ("[options]\ninstall_requires = file: requirements.txt\n", {}),
        (
            '{"dependencies": {"a": "^1", "b": "git+https://x", "c": "workspace:*"}}',
            {"a": "^1", "b": "", "c": ""},
        ),
        (
            '[package]\nname = "x"\n[dependencies]\n'
            'a = {package = "b", version = "1"}\n',
            {"b": "1"},
        ),
        (
            '[tool.poetry.dependencies]\npython = "^3.11"\na = {git = "https://x"}\n',
            {"a": ""},
        ),
    ],
)
def test_what_names_no_package_is_none(text: str, dependencies: Any) -> None:
    project = read(text.encode(), "manifest").get("project", {})
    assert project.get("dependencies", {}) == dependencies


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        (["os_name == 'nt'", "os_name != 'nt'"], ""),
        (["python_version < '3.9'", "python_version >= '3.9'"], ""),
        (["os_name == 'nt'", "os_name == 'java'"], "either"),
    ],
)
def test_what_is_needed_under_opposite_conditions_is_needed_always(
    conditions: list[str], told: str
) -> None:
    text = "".join(f"one>={i}; {c}\n" for i, c in enumerate(conditions))
    project = read(text.encode(), "manifest")["project"]
    plain = [condition.replace("'", '"') for condition in conditions]
    either = f"; {' or '.join(plain)}" if told else ""
    assert project["dependencies"] == {"one": f">=0{either}"}
    checked = read_project_manifest("requirements.txt", text.replace("'", '"'))
    assert checked.conditional == ({"one": " or ".join(plain)} if told else {})


def test_a_value_in_another_file_is_no_value() -> None:
    text = "[metadata]\nname = x\ndescription = file: README.md\nversion = attr: x.y\n"
    found = read(text.encode(), "manifest")["project"]
    assert found == {"name": "x", "kind": "python"}


def test_a_fixture_names_no_project() -> None:
    project = project_of(
        {
            "pyproject.toml": "[tool.ruff]\nline-length = 88\n",
            "README.md": "# Real\n\nReal does the work that nobody else does.\n",
            "tests/data/pyproject.toml": FIXTURE,
            "docs/requirements.txt": "sphinx\nfuro\n",
            "real/deep/er/pyproject.toml": FIXTURE,
            "real/__init__.py": CODE,
        }
    )
    assert project["project_name"] == "Real"
    assert project["dependencies"] == {}
    assert project["description"] == "Real does the work that nobody else does."


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"setup.cfg": "[metadata]\nname = own\n", "README.md": "# Other\n"}, "own"),
        ({"README.md": "# [`Own`](https://x) ![b](c)\n"}, "Own"),
        ({"README.md": "Own\n===\n"}, "Own"),
        ({"README.md": "# Getting Started\n"}, ""),
        ({"README.md": "## Not a title\n"}, ""),
        ({"README.md": "# " + "word " * 30 + "\n"}, ""),
        ({"docs/README.md": "# Other\n"}, ""),
        ({"examples/pyproject.toml": FIXTURE}, ""),
        ({"core/pyproject.toml": FIXTURE.replace("broken", "own")}, "own"),
        ({f"{n}/pyproject.toml": FIXTURE.replace("broken", n) for n in "ab"}, ""),
        ({"README.md": "# Own\n", "core/pyproject.toml": FIXTURE}, "Own"),
    ],
)
def test_the_top_of_the_tree_names_the_project(files: Any, name: str) -> None:
    assert project_of(files)["project_name"] == name


def test_an_update_equals_a_full_build() -> None:
    files = {"README.md": "# Real\n\nWords.\n", "a/pyproject.toml": FIXTURE}
    world = World(files)
    for change in ({"README.md": "# New\n"}, {"pyproject.toml": FIXTURE}, {}):
        world.put({**files, **change})
        assert world.rows[PROJECT] == World({**files, **change}).rows[PROJECT]


def test_samples_name_real_packages_and_the_claims_hold(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "repository")
    fixtures = {"tests/data/pyproject.toml": FIXTURE, "docs/requirements.txt": "furo\n"}
    readme = "# Real\n\nReal draws pictures of things that nobody else draws.\n"
    own = {"requirements.txt": REQUIREMENTS, "README.md": readme}
    repository.commit({**own, **fixtures, "paint.py": CODE + "    return x\n"})
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("samples")
    row = standard.table("contexts").get("@project")
    assert (row["name"], row["needs"]) == ("Real", sorted({*DECLARED} - {"beta"}))
    assert list(row["needs_sometimes"]) == ["beta"]
    build = standard.open()
    samples = dict(AllSamples.of(build).entries())
    tree = audit_tree(build)
    assert audit(samples.items(), tree).wrong == []
    key, sample = next(
        (key, one) for key, one in samples.items() if "alpha" in one["answer"]
    )
    assert (
        "**Only under conditions that `requirements.txt` gives**:\n- `beta`, where `"
        in (sample["answer"])
    )
    for false in ("git", "https", "left-pad"):
        told = {**sample, "answer": sample["answer"].replace("alpha", false)}
        wrong = audit([(key, told)], tree).wrong
        assert [one.claim for one in wrong] == ["dependencies"]
    named = {
        part: sample[part].replace("Real", "broken") for part in ("question", "answer")
    }
    wrong = audit([(key, {**sample, **named})], tree).wrong
    assert "project" in [one.claim for one in wrong]
    standard.close()


def test_a_description_that_ends_without_a_full_stop_holds(tmp_path: Path) -> None:
    """A quotation mark follows it in its manifest, not the end of a line."""
    repository = Repository(tmp_path / "repository")
    text = 'name = "tool"\ndescription = "Lightweight pipelines of functions"\n'
    readme = "|badge|\n\nTool\n====\n"
    repository.commit(
        {
            "pyproject.toml": f"[project]\n{text}",
            "README.rst": readme,
            "run.py": CODE + "    return x\n",
        }
    )
    standard = Standard(repository.git, tmp_path / "state")
    standard.build("samples")
    build = standard.open()
    samples = dict(AllSamples.of(build).entries())
    assert any("Lightweight pipelines" in one["answer"] for one in samples.values())
    assert audit(samples.items(), audit_tree(build)).wrong == []
