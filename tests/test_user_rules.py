"""A repository's own rules: from the file through trust to the exported samples.

The worked example is the text of docs/rules.md, so that the two cannot drift apart.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.main import run
from repobuild.noop_cache import answer
from tests.repository import Repository

DOCS = (Path(__file__).parents[1] / "docs" / "rules.md").read_text("utf-8")
BLOCK = re.compile(r"^`([\w./]+)`[^`\n]*:\n\n(`{3,})\w*\n(.*?)^\2$", re.M | re.S)
EXAMPLE = {name: text for name, _, text in BLOCK.findall(DOCS)}
BUGS = {name: EXAMPLE[name] for name in ("rules/bugs.toml", "rules/bugs.py")}
RELEASE = {name: EXAMPLE[name] for name in ("rules/release.toml", "rules/release.py")}

WRONG = 'def middle(n: int) -> int:\n    """Return a half."""\n    return n / 2\n'
RIGHT = WRONG.replace("n / 2", "n // 2")


class World:
    """A repository whose verbs are called in its folder; what they print is kept."""

    def __init__(self, repository: Repository, capsys: Any) -> None:
        self.repository = repository
        self._capsys = capsys
        self.said = self.errors = ""

    @property
    def state(self) -> Path:
        return self.repository.path / ".git" / "repobuild"

    def run(self, *arguments: str) -> int:
        self._capsys.readouterr()
        code = run(list(arguments))
        self.said, self.errors = self._capsys.readouterr()
        return code

    def build(self, *more: str) -> int:
        return self.run("--until", "dataset", *more)

    def json(self, *arguments: str) -> Any:
        self.run(*arguments, "--json")
        return json.loads(self.said)

    def commit(self, files: dict[str, str | None], subject: str = "a change") -> str:
        """Commit with a subject, which the rules read."""
        self.repository.write(files)
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(
            [*git, "commit", "-q", "-m", subject], cwd=self.repository.path, check=True
        )
        return str(self.repository.git.head.target)

    def built(self, table: str) -> list[str]:
        """Return the rows of a table that the last build made."""
        lines = (self.state / "events.jsonl").read_text("utf-8").splitlines()
        events = [json.loads(line) for line in lines]
        last = max(event["build"] for event in events)
        return [
            key
            for event in events
            if event["build"] == last and event.get("table") == table
            for key in event.get("built", [])
        ]

    def rows(self, table: str) -> int:
        """Return how many logical rows a table has."""
        tables = self.json("status")["tables"]
        return next(int(t["rows"]) for t in tables if t["name"] == table)


@pytest.fixture
def world(repository, tmp_path, monkeypatch, capsys) -> World:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("REPOBUILD_TRUST", raising=False)
    monkeypatch.chdir(repository.path)
    found = World(repository, capsys)
    found.commit({"a.py": WRONG, "b.py": "def other():\n    return 'same'\n"}, "Start")
    return found


def fixed(world: World, **files: str) -> str:
    """Commit a fix, then the rule of the docs; return the fixing commit."""
    commit = world.commit({"a.py": RIGHT}, "Fix the half of odd numbers")
    world.commit({**BUGS, **files}, "Ask about mended faults")
    return commit


# ----------------------------------------------------------------- the whole path


def test_the_example_of_the_docs_works_from_the_rule_to_the_exported_samples(
    world: World, tmp_path: Path
):
    commit = fixed(world)
    assert world.build() == 0
    assert "left out, never trusted: bugs" in world.errors
    without = world.rows("dataset")
    assert world.run("trust", "--yes") == 0
    assert world.build() == 0
    assert world.built("bugs") == [commit]
    assert world.rows("dataset") == without + 2
    key = f"bugs//{commit}#bug_fix.en.a.py::middle.0"
    rows = world.json("show", key)["rows"]
    assert rows["dataset"] == {"split": "train", "track": ""}
    assert "return n / 2\n" in rows["bugs"]["answer"]
    assert "return n // 2\n" in rows["bugs"]["answer"]
    assert rows["provenance"][0]["path"] == "a.py"
    assert world.run("export", "dataset", "-o", str(tmp_path / "out")) == 0
    lines = (tmp_path / "out" / "train.jsonl").read_text("utf-8").splitlines()
    assert key in [json.loads(line)["metadata"]["id"] for line in lines]


def test_an_edited_rule_does_not_run_and_rebuilds_its_table_once_trusted_again(
    world: World,
):
    commit = fixed(world)
    world.run("trust", "--yes")
    world.build()
    world.commit({"rules/bugs.py": BUGS["rules/bugs.py"].replace("Which", "What")})
    assert world.build() == 2
    assert 'rule "bugs" was changed since it was trusted' in world.errors
    assert '"rules/bugs.py"' in world.errors
    assert world.run("status") == 2
    assert world.run("trust", "--yes") == 0
    assert world.build() == 0
    assert world.built("bugs") == [commit]
    assert world.run("why", "bugs") == 0
    assert "because ingredient rules/bugs.py" in world.said
    assert world.run("verify") == 0


def test_a_revoked_rule_leaves_no_rows(world: World):
    fixed(world)
    world.build()
    before = world.json("status")["tables"]
    world.run("trust", "--yes")
    world.build()
    assert world.run("trust", "--revoke", "bugs") == 0
    assert world.run("export", "dataset", "-o", "out") == 1
    assert "`repobuild`" in world.errors
    assert world.build() == 0
    assert world.built("dataset") == []
    after = world.json("status")["tables"]
    digests = [{t["name"]: t["digest"] for t in told} for told in (before, after)]
    assert digests[0] == digests[1]


def test_a_rule_catches_up_on_what_it_missed_while_untrusted(world: World):
    fixed(world)
    world.run("trust", "--yes")
    world.build()
    world.run("trust", "--revoke")
    late = world.commit({"a.py": RIGHT + "\n\nX = middle(3)\n", "b.py": None}, "Fix b")
    later = world.commit({"a.py": RIGHT.replace("a half", "one half")}, "Fix words")
    world.build()
    world.run("trust", "--yes")
    assert world.build() == 0
    assert world.json("show", f"bugs//{later}#bug_fix.en.a.py::middle.0")["rows"]
    assert late not in world.built("bugs")  # it changed no function
    assert world.run("verify") == 0


def test_a_fix_makes_one_row_and_the_rows_of_other_commits_stay(world: World):
    fixed(world)
    world.run("trust", "--yes")
    world.build()
    commit = world.commit({"b.py": "def other():\n    return 'all'\n"}, "Fix other")
    assert world.build() == 0
    assert world.built("bugs") == [commit]
    assert [key for key in world.built("dataset") if key.startswith("bugs//")] == [
        f"bugs//{commit}"
    ]
    assert world.run("verify") == 0


def test_claims_of_a_users_samples_are_reported_as_not_checked(world: World):
    fixed(world)
    world.run("trust", "--yes")
    world.build()
    assert world.json("verify", "--samples")["not_checked"] == ["bugs"]
    world.run("verify", "--samples")
    assert "bug_fix" not in world.said
    assert "not checked, as made by rules of the repository's own: bugs" in world.said


def test_gc_keeps_the_rows_of_a_rule_that_waits_to_be_trusted_again(world: World):
    fixed(world, **{"repobuild.toml": "[cache]\nkeep_builds = 0\n"})
    world.run("trust", "--yes")
    world.build()
    world.commit({"rules/bugs.py": BUGS["rules/bugs.py"] + "\n# more\n"})
    assert world.build() == 2
    assert world.run("cache", "gc") == 0
    world.commit({"rules/bugs.py": BUGS["rules/bugs.py"]})
    assert world.build() == 0
    assert world.run("verify") == 0


# -------------------------------------------------------------------------- trust


def test_a_rule_is_shown_with_its_files_before_anybody_is_asked(world: World):
    fixed(world)
    assert world.run("trust") == 2  # nobody to ask
    assert "rules/bugs.py:samples" in world.errors
    assert f"rules/bugs.py  {len(BUGS['rules/bugs.py']):,} bytes" in world.errors
    assert world.json("trust", "--list")["rules"][0]["standing"] == "untrusted"


def test_status_and_a_dry_run_name_what_is_not_trusted(world: World):
    fixed(world)
    assert world.json("status")["untrusted"] == ["bugs"]
    assert world.json("--until", "dataset", "-n")["untrusted"] == ["bugs"]
    assert world.json("--until", "dataset")["untrusted"] == ["bugs"]
    assert world.build() == 0  # nothing to do
    world.run("trust", "--yes")
    assert world.json("status")["untrusted"] == []
    assert "bugs" in world.json("--until", "dataset", "-n")["pending"]["reasons"]


def test_trusting_and_revoking_drop_the_cached_answer(world: World):
    fixed(world)
    world.build()
    assert answer("dataset")
    world.run("trust", "--yes")
    assert answer("dataset") is None
    world.build()
    assert answer("dataset")
    world.run("trust", "--revoke")
    assert answer("dataset") is None


def test_a_copy_of_the_repository_trusts_nothing_and_its_worktrees_do(
    world: World, tmp_path: Path, monkeypatch
):
    fixed(world)
    world.run("trust", "--yes")
    shutil.copytree(world.repository.path, tmp_path / "copy")
    other = tmp_path / "other"
    subprocess.run(["git", "worktree", "add", "-q", str(other)], check=True)
    monkeypatch.chdir(tmp_path / "copy")
    assert world.json("status")["untrusted"] == ["bugs"]
    monkeypatch.chdir(other)
    assert world.json("status")["untrusted"] == []


def test_ci_names_the_digests_that_it_trusts(world: World, monkeypatch):
    fixed(world)
    digest = world.json("trust", "--list")["rules"][0]["digest"]
    world.build()
    monkeypatch.setenv("REPOBUILD_TRUST", f"bugs:{digest}")
    assert answer("dataset") is None
    assert world.json("--until", "dataset")["untrusted"] == []
    world.commit({"rules/bugs.py": BUGS["rules/bugs.py"] + "\n# more\n"})
    assert world.build() == 2
    monkeypatch.setenv("REPOBUILD_TRUST", "bugs")
    assert world.build() == 2
    assert "NAME:DIGEST" in world.errors


def test_a_branch_switch_back_finds_the_version_that_was_trusted(world: World):
    fixed(world)
    world.run("trust", "--yes")
    world.commit({"rules/bugs.py": BUGS["rules/bugs.py"] + "\n# more\n"})
    world.run("trust", "--yes")
    assert world.build() == 0
    assert world.build("--commit", "HEAD~1") == 0
    assert not world.errors


# ----------------------------------------------------------------------- settings


def test_a_rule_has_settings_of_its_own(world: World):
    commit = world.commit({"a.py": RIGHT}, "Repair the half of odd numbers")
    words = '[bugs]\nwords = ["repair"]\n'
    world.commit({**BUGS, "repobuild.toml": words}, "Ask")
    world.run("trust", "--yes")
    world.build()
    assert world.built("bugs") == [commit]
    (world.repository.path / "repobuild.toml").write_text("[bugs]\nword = 1\n")
    assert world.build() == 2
    assert 'unknown key "bugs.word"' in world.errors
    assert 'did you mean "bugs.words"?' in world.errors


def test_a_rule_cannot_declare_an_unknown_setting(world: World):
    text = BUGS["rules/bugs.toml"].replace('["bugs.words"]', '["split.sallt"]')
    fixed(world, **{"rules/bugs.toml": text})
    assert world.build() == 2
    assert 'unknown setting "split.sallt" (did you mean "split.salt"?)' in world.errors


# ----------------------------------------------------------------------- programs


def test_the_program_of_the_docs_answers_row_by_row(world: World):
    commit = world.commit({**RELEASE}, "Release 1.2")
    world.run("trust", "--yes")
    assert world.build() == 0
    key = f"release//{commit}#release.en.0"
    assert world.json("show", key)["rows"]["release"]["task"] == "release"
    assert world.run("verify") == 0
    assert not list((world.state / "tmp").glob("command-*"))


def program(world: World, text: str) -> None:
    """Commit a program in place of the one of the docs, with two rows to answer."""
    world.commit({"b.py": None}, "Release 1.1")
    world.commit({**RELEASE, "rules/release.py": text}, "Release 1.2")
    world.run("trust", "--yes")


def test_a_failing_program_is_reported_with_its_exit_code_and_stderr(world: World):
    text = RELEASE["rules/release.py"]
    fall = '    if version == "1.2":\n        sys.exit("no luck with this one")\n'
    program(world, text.replace("    value = None\n", fall + "    value = None\n"))
    assert world.build() == 3
    assert "`python3 rules/release.py` ended with 1: no luck with this one" in (
        world.errors
    )


def test_a_bad_line_is_the_problem_of_its_row_alone(world: World):
    text = RELEASE["rules/release.py"]
    bad = '    if version == "1.2":\n        print("what?")\n        continue\n'
    program(world, text.replace("    value = None\n", bad + "    value = None\n"))
    assert world.build() == 3
    assert "gave no answer for this row: line " in world.errors
    assert world.rows("release") == 1


def test_a_problem_that_a_program_reports_is_shown_in_its_words(world: World):
    text = RELEASE["rules/release.py"].replace(
        "json.dumps({", 'json.dumps({"problem": "too old", '
    )
    program(world, text)
    assert world.build() == 3
    assert "too old" in world.errors


def test_a_program_that_is_not_there_is_named(world: World):
    rule = RELEASE["rules/release.toml"].replace("python3", "no-such-program")
    world.commit({**RELEASE, "rules/release.toml": rule}, "Release 1.2")
    world.run("trust", "--yes")
    assert world.build() == 3
    assert "no-such-program: no such file or directory" in world.errors


def test_a_rule_of_many_rows_runs_in_workers(world: World):
    many = {f"m{n}.py": f"x = {n}\n" for n in range(320)}
    rule = (
        'kind = "map"\nfrom = ["files"]\nreads = ["blob"]\nrun = "rules/who.py:made"\n'
    )
    code = (
        "import os\n\ndef made(row, scope):\n"
        "    return {'in': os.getpid(), 'bytes': len(scope.blob(row['blob']))}\n"
    )
    world.commit({**many, "rules/who.toml": rule, "rules/who.py": code})
    world.run("trust", "--yes")
    assert world.run("--until", "who", "--jobs", "2") == 0
    row = world.json("show", "m7.py")["rows"]["who"]
    assert row["bytes"] == 6 and row["in"] != os.getpid()


# ----------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("lacks", '"held_out": number'), "lacks 'held_out', true or false"),
        (("hard", '"difficulty": "hard"'), "must be easy or medium or hard"),
        (("task", '"task": "bug_fix"'), "is of task 'task', which its name does"),
        (("text", '"answer": answer'), "lacks the text 'answer'"),
    ],
)
def test_a_sample_of_another_form_is_refused_with_the_reason(
    world: World, change: tuple[str, str], said: str
):
    word, place = change
    name, _, _ = place.partition(": ")
    bad = {"lacks": '"held": number', "text": '"answer": 3'}.get(
        word, f'{name}: "{word if word != "hard" else "harder"}"'
    )
    fixed(world, **{"rules/bugs.py": BUGS["rules/bugs.py"].replace(place, bad)})
    world.run("trust", "--yes")
    assert world.build() == 3
    assert said in world.errors


def test_a_view_may_make_samples_too(world: World):
    rule = (
        'kind = "view"\nfrom = ["files"]\nrun = "rules/langs.py:count"\n'
        'extends = "samples"\nentries = true\n'
    )
    code = (
        "def count(view):\n"
        "    found = sum(1 for _ in view.table('files').keys())\n"
        "    text = f'There are {found} files in this repository, each of them read.'\n"
        "    view.own.put('@project', {'#count.en.0': dict(task='count',\n"
        "        language='en', form='chat', question='How many files are there?',\n"
        "        answer=text, element='@project', sources=['@project'],\n"
        "        difficulty='easy', held_out=False)})\n"
    )
    world.commit({"rules/langs.toml": rule, "rules/langs.py": code})
    world.run("trust", "--yes")
    assert world.build() == 0
    shown = world.json("show", "langs//@project#count.en.0")["rows"]
    assert "There are 4 files" in shown["langs"]["answer"]
    world.commit({"c.py": "x = 1\n"})
    assert world.build() == 0
    assert world.built("langs") == ["@project"]
    assert world.run("verify") == 0
    world.commit({"rules/langs.py": code.replace("answer=text", "answer=3")})
    world.run("trust", "--yes")
    assert world.build() == 3
    assert 'put a bad row "@project"' in world.errors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "map"\nrun = "rules/x.py:f"\n', "lacks from"),
        ('kind = "mop"\nrun = "rules/x.py:f"\nfrom = ["files"]\n', 'mean "map"?'),
        ('kind = "map"\nrun = "bugs:f"\nfrom = ["files"]\n', "write FILE:FUNCTION"),
        ('kind = "map"\nrun = "no.py:f"\nfrom = ["files"]\n', "is no file of this"),
        ('kind = "map"\nrun = "a.py:f"\nfrom = ["file"]\n', 'mean "files"?'),
        ('kind = "map"\nrun = "a.py:f"\nfrom = ["files"]\nread = []', 'mean "reads"?'),
        ('kind = "view"\ncommand = ["true"]\nfrom = ["files"]\n', "makes a map"),
        ('kind = "map"\nrun = 7\nfrom = ["files"]\n', "must be a text"),
        ('kind = "map"\nrun = \n', "cannot be read"),
        ('kind = "view"\nrun = "a.py:f"\nfrom = ["dataset"]\nextends = "samples"\n'
         "entries = true\n", "may not read what is made from it"),
    ],
)  # fmt: skip
def test_a_rule_file_that_errs_is_an_error_trusted_or_not(
    world: World, text: str, said: str
):
    world.commit({"rules/x.toml": text})
    assert world.build() == 2
    assert said in world.errors


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ("joins", "extends", 'write "extends" in its place'),
        ("sees", "untracked_settings", "remove it"),
        ("form", "schema", "remove it"),
        ("outlook", "forecast", "remove it"),
    ],
)
def test_a_key_of_an_earlier_version_is_refused_by_its_new_name(
    world: World, old: str, new: str, advice: str
):
    text = f'kind = "map"\nrun = "a.py:f"\nfrom = ["files"]\n{old} = "samples"\n'
    world.commit({"rules/x.toml": text})
    assert world.build() == 2
    refusal = f'rule file "rules/x.toml" uses "{old}", which is now "{new}"'
    assert refusal in world.errors and advice in world.errors


def test_other_files_in_a_rules_folder_are_ignored(world: World):
    world.commit(
        {
            "rules/lint.toml": '[rule]\nkind = "style"\n',
            "rules/broken.toml": "what is this\n",
            "rules/kinds.toml": 'kind = "of magic"\n',
            "rules/deep/x.toml": 'kind = "map"\nrun = 3\n',
            "rules/facts.toml": 'kind = "map"\nrun = "repobuild.code.x:facts"\n',
            "rules/readme.txt": "rules of the game\n",
        }
    )
    assert world.build() == 0
    assert not world.errors
    assert world.run("trust") == 0
    assert "no rules of its own" in world.said


def test_no_rule_takes_the_name_of_one_that_comes_with_repobuild(world: World):
    fixed(world, **{"rules/dataset.toml": BUGS["rules/bugs.toml"]})
    assert world.build() == 2
    assert "has the name of a rule that comes with repobuild" in world.errors


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("commit['no']", "KeyError: 'no' (rules/bugs.py, line 2)"),
        ("exit(4)", "SystemExit: 4 (rules/bugs.py, line 2)"),
    ],
)
def test_a_failing_function_is_reported_with_its_line(
    world: World, line: str, said: str
):
    code = f"def samples(commit, scope):\n    {line}\n"
    fixed(world, **{"rules/bugs.py": code})
    world.run("trust", "--yes")
    assert world.build() == 3
    assert world.errors.startswith('warning: bugs "')
    assert said in world.errors


def test_what_a_rule_prints_does_not_garble_the_output(world: World):
    code = "print(1)\ndef samples(commit, scope):\n    print(2)\n"
    fixed(world, **{"rules/bugs.py": code})
    world.run("trust", "--yes")
    assert world.json("--until", "dataset")["version"] == 1


def test_a_function_that_is_not_there_is_named(world: World):
    fixed(world, **{"rules/bugs.py": "def sample(commit, scope):\n    return None\n"})
    world.run("trust", "--yes")
    assert world.build() == 2
    assert 'has no function "samples" (did you mean "sample"?)' in world.errors


def test_the_work_trees_rules_are_built_with_the_work_tree(world: World):
    fixed(world)
    world.run("trust", "--yes")
    world.build()
    edited = BUGS["rules/bugs.py"].replace("Which", "What")
    (world.repository.path / "rules" / "bugs.py").write_text(edited)
    assert world.build() == 0  # HEAD's is as it was
    assert world.run("--worktree") == 2
    assert world.run("trust", "--worktree", "--yes") == 0
    assert world.run("--worktree") == 0
    assert world.built("bugs")
