"""Rolling back: an earlier adapter is current again, and nothing is lost by it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from repobuild.cli.main import run
from repobuild.engine.storage.state import open_state
from tests.model.test_nano import make_base
from tests.promises.test_from_commit_to_adapter import SETTINGS, module
from tests.repository import Repository, trust_settings

# transformers deprecates what peft still calls.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

QUESTIONS = "questions = 2\nseed_questions = 2\nloss_samples = 4\nmax_new_tokens = 8"
FEWER = "questions = 1\nseed_questions = 1\nloss_samples = 1\nmax_new_tokens = 1"
CHANGED = module(1).replace("others build", "nobody builds")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of two built commits; the second continued the first's adapter."""
    place = tmp_path_factory.mktemp("grown")
    base = place / "nano"
    make_base(base)
    repository = Repository(place / "repository")
    repository.commit({f"pkg/m{n}.py": module(n) for n in range(6)})
    settings = SETTINGS.format(base=base).replace(QUESTIONS, FEWER)
    goals = '[build]\ngoals = ["adapter", "report"]\n'
    (repository.path / "repobuild.toml").write_text(goals + settings)
    trust_settings(repository.path)
    before = Path.cwd()
    try:
        os.chdir(repository.path)
        assert run(["build", "-q"]) == 0
        repository.commit({"pkg/m1.py": CHANGED})
        assert run(["build", "-q"]) == 0
    finally:
        os.chdir(before)
    return repository.path


@pytest.fixture
def here(grown: Path, tmp_path: Path, monkeypatch) -> Repository:
    """A copy of it, so that every test starts from the same two adapters."""
    shutil.copytree(grown, tmp_path / "copy", symlinks=True)
    trust_settings(tmp_path / "copy")  # a copy brings no trust along
    monkeypatch.chdir(tmp_path / "copy")
    return Repository(tmp_path / "copy")


def asked(capsys, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def adapters(capsys) -> dict[str, dict[str, Any]]:
    """Rows by commit, as `log` tells them."""
    return {row["commit"]: row for row in asked(capsys, "log")["adapters"]}


def chain(here: Repository, capsys) -> tuple[str, str, str, str]:
    """First and second commit, and their adapters."""
    second = str(here.git.head.target)
    first = str(here.git[second].parent_ids[0])
    rows = adapters(capsys)
    return first, second, rows[first]["object"], rows[second]["object"]


def events(here: Repository, after: int = 0) -> list[dict[str, Any]]:
    log = (here.path / ".git/repobuild/events.jsonl").read_text()
    found = [json.loads(line) for line in log.splitlines()]
    return [event for event in found if event["build"] > after]


def last(here: Repository) -> int:
    return max(event["build"] for event in events(here))


def built(here: Repository, after: int) -> dict[str, list[str]]:
    """Tables and the rows of them that were built since, from the event log."""
    found = [event for event in events(here, after) if event["event"] == "table"]
    return {event["table"]: event["built"] for event in found if event["built"]}


def refused(capsys, code: int, *arguments: str) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err


def test_the_adapter_before_is_current_again_without_training(here, capsys):
    _, second, old, new = chain(here, capsys)
    before = last(here)
    facts = asked(capsys, "rollback")
    assert (facts["adapter"], facts["before"]) == (old, new)
    assert facts["done"] and not facts["restores"]
    assert built(here, before) == {}
    (event,) = [e for e in events(here, before) if e["event"] == "rollback"]
    assert (event["key"], event["object"], event["instead"]) == (second, old, new)
    row = adapters(capsys)[second]
    assert (row["object"], row["mode"], row["current"]) == (old, "rollback", "")


def test_a_build_with_nothing_to_do_does_not_undo_it(here, capsys):
    _, second, old, _ = chain(here, capsys)
    run(["rollback"])
    before = last(here)
    for _ in range(2):  # the second is answered without the state being opened
        assert asked(capsys, "build")["adapter"]["object"] == old
    assert "adapter" not in built(here, before)
    assert [e for e in events(here, before) if e["event"] == "adapter"] == []
    assert adapters(capsys)[second]["mode"] == "rollback"


def test_only_the_report_is_made_again(here, capsys):
    _, _, old, _ = chain(here, capsys)
    run(["rollback"])
    before = last(here)
    assert run(["status"]) == 1
    assert run(["build", "-q"]) == 0
    assert built(here, before) == {"report": [old]}
    assert run(["status"]) == 0
    said = capsys.readouterr().out
    assert f"adapter {old[:12]}" in said and "rolled back" in said


def test_it_is_undone_by_name_and_by_commit(here, capsys):
    _, second, _, new = chain(here, capsys)
    own = adapters(capsys)[second]
    for name in (new[:10], "HEAD"):
        run(["rollback"])
        before = last(here)
        facts = asked(capsys, "rollback", name)
        assert facts["restores"] and facts["adapter"] == new
        assert {**adapters(capsys)[second], "build": own["build"]} == own
        assert built(here, before) == {}
    assert run(["status"]) == 0


def test_a_commit_that_changes_no_sample_keeps_what_was_rolled_back_to(here, capsys):
    _, _, old, _ = chain(here, capsys)
    run(["rollback"])
    here.commit({"pkg/m5.py": module(5) + "# the end\n"})
    before = last(here)
    assert asked(capsys, "build")["adapter"]["object"] == old
    assert "adapter" not in built(here, before)


def test_the_next_commit_continues_from_it_with_all_changes_since(here, capsys):
    _, _, old, new = chain(here, capsys)
    run(["rollback"])
    third = here.commit({"pkg/m2.py": module(2).replace("others build", "all build")})
    before = last(here)
    row = asked(capsys, "build")["adapter"]
    assert built(here, before)["adapter"] == [third]
    assert (row["mode"], row["parent"], row["follows"]) == ("continue", old, old)
    log = [e for e in events(here, before) if e["event"] == "adapter"]
    assert [e["mode"] for e in log] == ["continue"]
    changed = adapters(capsys)[third]["samples"]["changed"]
    asked(capsys, "rollback", new)
    here.commit({"pkg/m2.py": module(2).replace("others build", "all  build")})
    alone = asked(capsys, "build")["adapter"]
    assert alone["parent"] == new
    assert alone["samples"]["changed"] < changed


def test_a_replaced_adapter_does_not_return_with_its_samples(here, capsys):
    """The same samples as at the rollback, from the same adapter: the same decision."""
    _, _, old, _ = chain(here, capsys)
    run(["rollback"])
    before = last(here)
    for text in (module(1), CHANGED):
        here.commit({"pkg/m1.py": text})
        assert asked(capsys, "build")["adapter"]["object"] == old
    log = [e["mode"] for e in events(here, before) if e["event"] == "adapter"]
    assert log == ["reuse"]


def test_another_setting_at_the_same_commit_continues_from_it(here, capsys):
    _, _, old, _ = chain(here, capsys)
    run(["rollback"])
    place = here.path / "repobuild.toml"
    place.write_text(
        place.read_text().replace("[adapter]\n", "[adapter]\nreview=0.4\n")
    )
    row = asked(capsys, "build")["adapter"]
    assert (row["mode"], row["parent"]) == ("continue", old)
    assert "instead" not in row


def test_before_head_is_built_its_nearest_built_ancestor_is_rolled_back(here, capsys):
    _, second, old, _ = chain(here, capsys)
    third = here.commit({"pkg/m2.py": module(2).replace("others build", "all build")})
    facts = asked(capsys, "rollback")
    assert (facts["head"], facts["commit"], facts["adapter"]) == (third, second, old)
    assert run(["status"]) == 1
    said = f"continues adapter {old[:12]}, to which {second[:10]} was rolled back"
    assert said in capsys.readouterr().out
    assert asked(capsys, "build")["adapter"]["parent"] == old


def test_a_dry_run_changes_nothing(here, capsys):
    _, second, old, new = chain(here, capsys)
    before = last(here)
    facts = asked(capsys, "rollback", "-n")
    assert (facts["adapter"], facts["done"]) == (old, False)
    assert last(here) == before
    assert adapters(capsys)[second]["object"] == new


def test_rolling_back_to_the_current_adapter_changes_nothing(here, capsys):
    _, _, _, new = chain(here, capsys)
    before = last(here)
    assert asked(capsys, "rollback", new[:12])["done"] is False
    assert last(here) == before


def test_it_outlives_a_lost_index(here, capsys):
    _, second, old, new = chain(here, capsys)
    run(["rollback"])
    state = here.path / ".git/repobuild"
    for path in state.glob("build.db*"):
        path.unlink()
    before = last(here)
    assert asked(capsys, "build")["adapter"]["object"] == old
    assert "adapter" not in built(here, before)
    assert asked(capsys, "rollback", "HEAD")["adapter"] == new
    assert run(["status"]) == 0


def test_a_replaced_adapter_is_not_collected(here, capsys):
    _, _, _, new = chain(here, capsys)
    run(["rollback"])
    place = here.path / "repobuild.toml"
    place.write_text(f'{place.read_text()}\n[cache]\nmax_size = "1"\n')
    assert run(["cache", "gc"]) == 0
    assert asked(capsys, "rollback", "HEAD")["adapter"] == new


@pytest.mark.parametrize("moment", ["note", "row"])
def test_a_kill_leaves_one_state_or_the_other(here, capsys, monkeypatch, moment):
    from repobuild.engine import override

    _, second, old, new = chain(here, capsys)
    real = override.write_note

    def killed(*arguments: Any) -> None:
        if moment == "row":
            real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(override, "write_note", killed)
    assert run(["rollback"]) == 130
    monkeypatch.setattr(override, "write_note", real)
    assert adapters(capsys)[second]["object"] == new
    assert asked(capsys, "build")["adapter"]["object"] == new
    assert asked(capsys, "rollback")["adapter"] == old
    assert run(["verify"]) == 0


def test_the_log_shows_the_rollback(here, capsys):
    _, second, old, new = chain(here, capsys)
    run(["rollback"])
    capsys.readouterr()
    assert run(["log"]) == 0
    _, now, aside, *_ = capsys.readouterr().out.splitlines()
    assert now.startswith(f"*  {second[:10]}  {old[:12]}  rolled back")
    assert now.endswith(f"instead of {new[:12]}")
    assert aside.startswith(f"-  {second[:10]}  {new[:12]}  continued")
    assert run(["show", new[:12]]) == 0
    assert f"put aside at {second[:10]}" in capsys.readouterr().out
    assert run(["show", "HEAD"]) == 0
    assert "current, used at" in capsys.readouterr().out
    assert run(["why", "HEAD"]) == 0
    told = capsys.readouterr().out
    assert f"rollback: instead of {new[:12]}" in told


# ------------------------------------------------------------------ bad input


def test_nothing_earlier(here, capsys):
    run(["rollback"])
    assert "no adapter before" in refused(capsys, 2, "rollback")


def test_an_unknown_name(here, capsys):
    said = refused(capsys, 2, "rollback", "v9")
    assert '"v9" names no adapter and no commit here' in said


def test_rollback_on_a_branch_without_any_adapter_is_refused(
    repository, monkeypatch, capsys
):
    repository.commit({"a.py": "x = 1\n"})
    monkeypatch.chdir(repository.path)
    assert "no adapter of this branch yet" in refused(capsys, 1, "rollback")


def test_an_adapter_that_is_gone(here, capsys):
    _, _, old, _ = chain(here, capsys)
    shutil.rmtree(here.path / f".git/repobuild/objects/{old[:2]}/{old[2:]}")
    assert "is not stored any more" in refused(capsys, 2, "rollback", old[:12])


def test_an_adapter_of_another_base_model(here, capsys, tmp_path):
    make_base(tmp_path / "other", layers=3)
    place = here.path / "repobuild.toml"
    lines = [
        f'model = "{tmp_path / "other"}"' if line.startswith("model") else line
        for line in place.read_text().splitlines()
    ]
    place.write_text("\n".join(lines))
    trust_settings(here.path)
    assert "belongs to another base model" in refused(capsys, 2, "rollback")


def test_while_another_build_holds_the_lock(here, capsys):
    import fcntl

    with (here.path / ".git/repobuild/lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refused(capsys, 4, "rollback", "--no-wait")
    assert "another build holds the lock" in said


def test_a_rollback_keeps_the_running_digest_of_the_table(here, capsys):
    """The table's running digest is that of its rows, as `verify` counts them."""
    run(["rollback"])
    state = open_state(here.path / ".git/repobuild", read_only=True)
    line = state.line("adapter")
    assert line is not None and line.rows == 2
    state.close()
    assert run(["verify"]) == 0
