"""The command line: output and exit code, for good and bad input."""

from __future__ import annotations

import json

import pytest

from repobuild.cli.main import run
from repobuild.engine.storage import damage_check
from tests.repository import Repository

MODULE = '''"""Shapes and their areas."""


def area(width: int, height: int) -> int:
    """Return the area of a rectangle of this width and height."""
    return scaled(width * height)


def scaled(value: int) -> int:
    """Return a value in the unit that people read."""
    return value // 100


class Square:
    """A rectangle with equal sides, so that one number says it all."""

    def area(self) -> int:
        """Return the area of this square."""
        return area(self.side, self.side)
'''


@pytest.fixture
def here(repository: Repository, monkeypatch) -> Repository:
    repository.commit(
        {
            "shapes/__init__.py": "",
            "shapes/flat.py": MODULE,
            "README.md": "# Shapes\n\nA small library about flat shapes.\n",
        }
    )
    monkeypatch.chdir(repository.path)
    return repository


def run_json(capsys, *arguments: str) -> dict:
    """Run a verb with --json and return its object."""
    run([*arguments, "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("until", "missing"), [("facts", "samples"), ("samples", "history")]
)
def test_samples_are_checked_only_when_all_of_them_are_built(
    here: Repository, capsys: pytest.CaptureFixture[str], until: str, missing: str
) -> None:
    assert run(["build", "--until", until]) == 0
    capsys.readouterr()
    assert run(["verify", "--samples"]) == 1
    said = capsys.readouterr().err
    assert f"{missing} is not built yet" in said and "--until dataset` first" in said


def test_a_build_reports_how_many_rows_of_each_table_were_built(here, capsys):
    facts = run_json(capsys, "build", "--until", "dataset")
    assert facts["version"] == 1
    assert facts["commit"] == str(here.git.head.target)
    assert facts["tables"]["facts"]["built"] >= 3
    assert set(facts["tables"]) == {
        "files", "facts", "graph", "contexts", "samples", "dataset",
        "additions", "balance", "call_sites", "changes", "commits", "documents",
        "families", "history", "importance", "licences", "past_commits", "plans",
        "reviews",
    }  # fmt: skip


def test_one_changed_function_parses_one_file(here, capsys):
    run(["--until", "dataset"])
    here.commit({"shapes/flat.py": MODULE.replace("// 100", "// 10")})
    capsys.readouterr()
    facts = run_json(capsys, "build", "--until", "dataset")
    assert facts["tables"]["facts"]["built"] == 1
    assert facts["tables"]["contexts"]["built"] <= 2


def test_a_comment_makes_no_sample_again(here, capsys):
    run(["--until", "dataset"])
    here.commit(
        {"shapes/flat.py": MODULE.replace("    return s", "    # why\n    return s")}
    )
    capsys.readouterr()
    tables = run_json(capsys, "build", "--until", "dataset")["tables"]
    assert tables["facts"]["built"] == 1
    run(["show", "samples", "--json"])
    lined = [k for k in _built_entries(here, "samples") if "@lines" not in k]
    assert lined == []


def _built_entries(repository: Repository, table: str) -> list[str]:
    log = repository.path / ".git/repobuild/events.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()]
    last = max(event["build"] for event in events)
    return [
        key
        for event in events
        if event["build"] == last and event.get("table") == table
        for key in event["entries"]
    ]


def test_the_second_build_has_nothing_to_do(here, capsys):
    run(["--until", "dataset"])
    capsys.readouterr()
    assert run(["--until", "dataset"]) == 0
    assert capsys.readouterr().out.startswith("nothing to do")


def test_status_is_1_when_stale_and_says_why(here, capsys):
    run(["--until", "dataset"])
    here.commit({"shapes/flat.py": "x = 1\n"})
    capsys.readouterr()
    assert run(["status"]) == 1
    said = capsys.readouterr().out
    assert "1 changed path" in said and "never built" in said


def test_a_dry_run_writes_nothing(here, capsys):
    assert run(["--dry-run"]) == 0
    assert "never built" in capsys.readouterr().out
    assert not (here.path / ".git/repobuild/build.db").exists()


def test_show_gives_an_element_and_its_samples_with_their_sources(here, capsys):
    run(["--until", "dataset"])
    capsys.readouterr()
    rows = run_json(capsys, "show", "shapes/flat.py::area")["rows"]
    assert rows["graph"]["start_line"] == 4
    sample = run_json(capsys, "show", rows["sample keys"][0])["rows"]
    paths = {entry["path"] for entry in sample["provenance"] if "path" in entry}
    assert "shapes/flat.py" in paths
    assert sample["samples"]["question"]


def test_why_explains_a_changed_row(here, capsys):
    run(["--until", "dataset"])
    here.commit({"shapes/flat.py": MODULE.replace("width: int", "wide: int")})
    run(["--until", "dataset"])
    capsys.readouterr()
    assert run(["why", "shapes/flat.py::area"]) == 0
    assert "wide: int" in capsys.readouterr().out


def test_verify_finds_every_digest_equal(here, capsys):
    run(["--until", "dataset"])
    here.commit({"shapes/flat.py": MODULE.replace("100", "1000")})
    run(["--until", "dataset"])
    capsys.readouterr()
    assert run(["verify"]) == 0
    assert "every digest is equal" in capsys.readouterr().out


def test_the_dataset_is_exported_twice_byte_for_byte(here, tmp_path, capsys):
    run(["--until", "dataset"])
    for name in ("one", "two"):
        assert run(["export", "dataset", "-o", str(tmp_path / name)]) == 0
    files = sorted(path.name for path in (tmp_path / "one").glob("[!.]*"))
    assert files == ["metadata.json", "test.jsonl", "train.jsonl", "val.jsonl"]
    for name in files:
        one, two = (tmp_path / f / name for f in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    line = json.loads((tmp_path / "one/train.jsonl").read_text().splitlines()[0])
    assert [turn["role"] for turn in line["conversations"]] == ["user", "assistant"]


def test_analysis_and_graph_are_exported(here, tmp_path, capsys):
    run(["--until", "graph"])
    assert run(["export", "facts", "-o", str(tmp_path / "out")]) == 0
    assert run(["export", "graph", "-o", str(tmp_path / "out")]) == 0
    analysis = json.loads((tmp_path / "out" / "repository_analysis.json").read_text())
    graph = json.loads((tmp_path / "out" / "graph.json").read_text())
    ids = {element["id"] for element in analysis["code_elements"]}
    assert "shapes/flat.py::Square.area" in ids
    assert graph["commit"] == str(here.git.head.target)
    calls = {(e["src"], e["dst"]) for e in graph["edges"] if e["kind"] == "calls"}
    assert ("shapes/flat.py::Square.area", "shapes/flat.py::area") in calls


def test_the_state_can_be_listed_verified_and_collected(here, capsys):
    run(["--until", "dataset"])
    assert run(["cache", "stats"]) == 0
    assert run(["cache", "verify"]) == 0
    assert run(["cache", "gc", "--dry-run"]) == 0
    assert "would remove 0 artifacts" in capsys.readouterr().out


def test_a_work_tree_is_built_on_request(here, capsys):
    (here.path / "shapes/new.py").write_text("def fresh():\n    return 1\n")
    facts = run_json(capsys, "build", "--worktree")
    assert list(facts["tables"])[-1] == "dataset"
    assert run(["show", "shapes/new.py::fresh"]) == 0


# ------------------------------------------------------------------ bad input


def refused(capsys, code: int, *arguments: str) -> str:
    assert run(list(arguments)) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err


def test_outside_a_repository(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert "not inside a git repository" in refused(capsys, 2)


def test_before_the_first_commit(repository, monkeypatch, capsys):
    monkeypatch.chdir(repository.path)
    assert "no commit yet" in refused(capsys, 2)


def test_an_unknown_key_in_the_settings(here, capsys):
    (here.path / "repobuild.toml").write_text("[sampels]\nlanguages = ['en']\n")
    assert 'did you mean "samples.languages"' in refused(capsys, 2)


def test_unparsable_settings(here, capsys):
    (here.path / "repobuild.toml").write_text("preset = \n")
    assert "it must be TOML" in refused(capsys, 2)


def test_an_unknown_preset(here, capsys):
    (here.path / "repobuild.toml").write_text('preset = "tinny"\n')
    assert 'did you mean "tiny"' in refused(capsys, 2)


def test_a_missing_model_folder_is_named_before_anything_is_trained(here, capsys):
    assert "models/none" in refused(capsys, 2, "-c", "base.model=./models/none")


def test_an_unknown_table(here, capsys):
    assert 'did you mean "dataset"' in refused(capsys, 2, "--until", "datasets")


def test_an_unknown_verb(here, capsys):
    assert 'did you mean "status"' in refused(capsys, 2, "statsu")


def test_an_unknown_revision(here, capsys):
    assert '"v9" names no commit' in refused(capsys, 2, "--commit", "v9")


def test_an_unknown_element(here, capsys):
    run(["--until", "graph"])
    capsys.readouterr()
    said = refused(capsys, 2, "show", "shapes/falt.py")
    assert 'did you mean "shapes/flat.py"' in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("latin.py", b'name = "caf\xe9"\n', "utf-8"),
        (
            "broken.py",
            b"def f(:\n    pass\n\n\ndef g():\n    return 1\n",
            "syntax error",
        ),
        ("huge.py", b"x = 1\n" * 3_500_000, "more than"),
    ],
)
def test_a_bad_source_file_is_reported_and_the_rest_is_kept(
    here, capsys, name, content, said
):
    here.commit({f"shapes/{name}": content})
    assert run(["--until", "dataset"]) == 0
    err = capsys.readouterr().err
    assert f'"shapes/{name}"' in err and said in err.lower()
    assert run(["show", "shapes/flat.py::area"]) == 0


def test_the_sound_parts_of_a_broken_file_are_kept(here, capsys):
    source = "def good():\n    return 1\n\n\ndef bad(:\n    pass\n"
    here.commit({"shapes/broken.py": source})
    run(["--until", "graph"])
    assert run(["show", "shapes/broken.py::good"]) == 0


def test_an_empty_file_is_no_problem(here, capsys):
    here.commit({"shapes/empty.py": ""})
    assert run(["--until", "dataset"]) == 0
    assert "warning" not in capsys.readouterr().err


def test_a_second_builder_is_refused_while_the_lock_is_held(here, capsys):
    import fcntl

    run(["--until", "files"])
    with (here.path / ".git/repobuild/lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        here.commit({"shapes/flat.py": "x = 1\n"})
        assert "another build holds the lock" in refused(capsys, 4, "--no-wait")


def test_verify_fails_on_a_damaged_database_and_a_build_repairs_it(here, capsys):
    run(["build", "--until", "dataset", "-q"])
    with (here.path / ".git/repobuild/build.db").open("rb+") as file:
        file.seek(5 * 8192)
        file.write(bytes(100))
    capsys.readouterr()
    assert run(["cache", "verify", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["database"]
    assert run(["status"]) == 3
    assert "run `repobuild`: it sets the file aside" in capsys.readouterr().err
    assert run(["build", "--until", "dataset", "-q"]) == 0
    assert run(["cache", "verify"]) == 0


def test_verify_sees_no_damage_in_what_a_build_writes_meanwhile(
    here, capsys, monkeypatch
):
    run(["build", "--until", "graph", "-q"])
    here.commit({"shapes/flat.py": "def fresh():\n    return 1\n"})
    check_rows, built = damage_check._check_rows, []

    def build_once(*arguments):
        if not built:
            built.append(run(["build", "--until", "graph", "-q"]))
        return check_rows(*arguments)

    monkeypatch.setattr(damage_check, "_check_rows", build_once)
    capsys.readouterr()
    assert run(["cache", "verify"]) == 0
    assert built == [0]
