"""Installing and uninstalling: the user's own hooks are kept, run, and put back."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from repobuild.errors import UsageError
from repobuild.hooks.hook_files import (
    HooksFolder,
    find_folder,
    install,
    installed_names,
    list_hooks,
    uninstall,
)
from repobuild.hooks.hook_script import HookScript
from tests.cases.commands import commit, git
from tests.hooks.place import head, hooks_of, place, state, wanted, write_script

OWN = {
    "plain": b"#!/bin/sh\necho mine $1 >>seen\n",
    "ends with exec": b"#!/bin/sh\necho mine $1 >>seen\nexec true\n",
    "exits": b"#!/bin/sh\necho mine $1 >>seen\nexit 0\n",
    "no newline at the end": b"#!/bin/sh\necho mine $1 >>seen",
    "no first line": b"echo mine $1 >>seen\n",
    "bash": b"#!/usr/bin/env bash\n[[ $1 == 0 ]] && echo mine $1 >>seen\n",
    "python": f"#!{sys.executable}\nimport sys\n"
    "open('seen', 'a').write(f'mine {sys.argv[1]}\\n')\n".encode(),
    "reads its name": b"#!/bin/sh\n"
    b'[ "${0##*/}" = post-merge ] && echo mine $1 >>seen\n',
    "reads its folder": b'#!/bin/sh\n. "$(dirname "$0")/part" && echo mine $1 >>seen\n',
}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    made = place(tmp_path / "a place")
    shutil.rmtree(made / ".git/hooks", ignore_errors=True)  # the samples of git
    write_script(made / ".git/hooks/part", "")
    return made


@pytest.fixture
def folder(here: Path, monkeypatch) -> HooksFolder:
    """Its hooks start a program that does nothing: what is built is another test."""
    monkeypatch.setattr(sys, "executable", shutil.which("true"))
    return hooks_of(here)


def listing(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Return content, mode and time of every file of a folder."""
    found = {}
    for path in sorted(folder.iterdir()):
        facts = path.lstat()
        content = os.fsencode(os.readlink(path)) if path.is_symlink() else b""
        content = content or path.read_bytes()
        found[path.name] = content, facts.st_mode, facts.st_mtime_ns
    return found


def merge(here: Path) -> None:
    git(here, "checkout", "-q", "-B", "side", "main")
    commit(here, {"side.py": f"n = {os.urandom(4).hex()!r}\n"})
    git(here, "checkout", "-q", "main")
    git(here, "merge", "-q", "--no-edit", "side")


@pytest.mark.parametrize("kind", OWN)
def test_a_hook_from_before_is_kept_run_and_put_back(here, folder, kind):
    write_script(folder.path / "post-merge", OWN[kind], 0o750)
    before = listing(folder.path)
    merge(here)
    assert (here / "seen").read_text() == "mine 0\n"
    install(folder, ["post-merge"])
    merge(here)
    assert (here / "seen").read_text() == "mine 0\nmine 0\n"
    assert wanted(here) == head(here)
    assert uninstall(folder, ["post-merge"]) == ["post-merge"]
    assert listing(folder.path) == before
    merge(here)
    assert (here / "seen").read_text() == "mine 0\nmine 0\nmine 0\n"


def test_a_program_is_kept_and_run(here, folder):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    source = here / "own.c"
    source.write_text(
        '#include <stdio.h>\nint main(int n, char **v) {'
        'FILE *f = fopen("seen", "a"); fputs(v[1], f); return fclose(f); }'
    )  # fmt: skip
    subprocess.run([compiler, "-o", folder.path / "post-merge", source], check=True)
    before = listing(folder.path)
    install(folder, ["post-merge"])
    merge(here)
    assert (here / "seen").read_text() == "0" and wanted(here) == head(here)
    uninstall(folder, ["post-merge"])
    assert listing(folder.path) == before


def test_a_link_stays_a_link(here, folder):
    write_script(here / "scripts/own", OWN["plain"])
    (folder.path / "post-merge").symlink_to("../../scripts/own")
    before = listing(folder.path)
    install(folder, ["post-merge"])
    merge(here)
    assert (here / "seen").read_text() == "mine 0\n"
    uninstall(folder, ["post-merge"])
    assert listing(folder.path) == before
    assert os.readlink(folder.path / "post-merge") == "../../scripts/own"


def test_a_link_to_a_tracked_script_is_kept_and_run(here, folder):
    """Only the link gets another name: nothing that git tracks changes."""
    commit(here, {"scripts/own": OWN["plain"].decode()})
    (here / "scripts/own").chmod(0o755)
    commit(here, {})
    (folder.path / "post-merge").symlink_to("../../scripts/own")
    before = listing(folder.path)
    install(folder, ["post-merge"])
    assert git(here, "status", "--porcelain") == ""
    merge(here)
    assert (here / "seen").read_text() == "mine 0\n"
    uninstall(folder, ["post-merge"])
    assert listing(folder.path) == before


def test_a_hook_that_git_ignores_is_not_run_by_ours(here, folder):
    write_script(folder.path / "post-merge", OWN["plain"], 0o644)
    before = listing(folder.path)
    install(folder, ["post-merge"])
    merge(here)
    assert not (here / "seen").exists()
    uninstall(folder, ["post-merge"])
    assert listing(folder.path) == before


def test_its_exit_status_arguments_and_input_are_those_of_git(here, folder):
    own = b'#!/bin/sh\necho "$*" >seen\ncat >>seen\nexit 3\n'
    for name in ("post-checkout", "post-rewrite"):
        write_script(folder.path / name, own)
    install(folder, ["post-checkout", "post-rewrite"])
    hook = folder.path / "post-checkout"
    done = subprocess.run([hook, "a b", "c", "1"], cwd=here, input=b"given\n")
    assert done.returncode == 3
    assert (here / "seen").read_text() == "a b c 1\ngiven\n"
    old = commit(here, {"b.py": "b = 1\n"})
    git(here, "commit", "-q", "--amend", "-m", "another")
    assert (here / "seen").read_text() == f"amend\n{old} {head(here)}\n"


def test_only_the_named_hook_is_taken_out(folder):
    install(folder, ["post-merge", "post-commit"])
    assert uninstall(folder, ["post-commit"]) == ["post-commit"]
    assert installed_names(folder) == ["post-merge"]
    assert uninstall(folder, ["post-commit"]) == []


def test_to_install_twice_changes_nothing(folder):
    write_script(folder.path / "post-merge", OWN["plain"])
    install(folder, ["post-merge"])
    before = listing(folder.path)
    install(folder, ["post-merge"])
    after = listing(folder.path)
    assert {n: v[:2] for n, v in after.items()} == {n: v[:2] for n, v in before.items()}


def test_another_tool_that_comes_later_keeps_its_hook(here, folder):
    """pre-commit moves ours to NAME.legacy, and runs it there."""
    write_script(folder.path / "post-merge", OWN["plain"])
    own = (folder.path / "post-merge").read_bytes()
    install(folder, ["post-merge"])
    (folder.path / "post-merge").rename(folder.path / "post-merge.legacy")
    theirs = b'#!/bin/sh\n# pre-commit\nexec "$0.legacy" "$@"\n'
    write_script(folder.path / "post-merge", theirs)
    merge(here)
    assert wanted(here) == head(here) and (here / "seen").exists()
    assert [h.problem for h in list_hooks(folder) if h.is_installed] == [""]
    install(folder, ["post-merge"])  # again: theirs is not taken for an old one
    assert (folder.path / "post-merge").read_bytes() == theirs
    uninstall(folder, ["post-merge"])
    assert (folder.path / "post-merge").read_bytes() == theirs
    assert (folder.path / "post-merge.legacy").read_bytes() == own
    assert not (folder.path / "post-merge.before-repobuild").exists()


@pytest.mark.parametrize("verb", ["install", "uninstall"])
@pytest.mark.parametrize("step", ["linked", "ours written", "ours deleted"])
def test_what_a_kill_left_half_done_is_mended(here, folder, step, verb):
    path = write_script(folder.path / "post-merge", OWN["plain"])
    before = listing(folder.path)
    os.link(path, folder.path / "post-merge.before-repobuild")
    if step == "ours written":  # and not yet renamed
        ours = HookScript("post-merge", sys.executable, "", (), False).text()
        write_script(folder.path / "post-merge.new-repobuild", ours)
    if step == "ours deleted":
        path.unlink()
    if verb == "install":
        install(folder, ["post-merge"])
        merge(here)
        assert wanted(here) and (here / "seen").read_text() == "mine 0\n"
    assert uninstall(folder, ["post-merge"]) == ["post-merge"]
    assert listing(folder.path) == before


def test_a_hook_that_was_never_chained_is_not_taken_for_the_user_s(here, folder):
    write_script(folder.path / "post-merge", OWN["plain"])
    write_script(folder.path / "post-merge.before-repobuild", "another")
    before = listing(folder.path)
    with pytest.raises(UsageError, match="beside it"):
        install(folder, ["post-merge"])
    assert uninstall(folder, ["post-merge"]) == []
    assert listing(folder.path) == before


def test_a_hook_of_ours_that_was_edited_is_not_thrown_away(folder):
    install(folder, ["post-merge"])
    path = folder.path / "post-merge"
    path.write_text(path.read_text() + "echo my own line\n")
    for change in (install, uninstall):
        with pytest.raises(UsageError, match="changed after repobuild"):
            change(folder, ["post-merge"])
    assert path.read_text().endswith("echo my own line\n")


def test_windows_line_ends_are_found_and_mended(folder):
    install(folder, ["post-merge"])
    path = folder.path / "post-merge"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (hook,) = (h for h in list_hooks(folder) if h.is_installed)
    assert "Windows" in hook.problem
    install(folder, ["post-merge"])
    assert b"\r" not in path.read_bytes()


def test_a_strict_umask_leaves_the_hook_executable(folder):
    before = os.umask(0o177)
    try:
        install(folder, ["post-merge"])
    finally:
        os.umask(before)
    mode = (folder.path / "post-merge").stat().st_mode
    assert stat.S_IMODE(mode) == 0o755


# ----------------------------------------------------------------- where hooks are


def found(repository: Path) -> HooksFolder:
    common = git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir")
    return find_folder(repository, Path(common), is_bare=False)


def test_core_hookspath_is_followed_from_the_top(here, folder, tmp_path):
    git(here, "config", "core.hooksPath", ".my hooks")
    mine = found(here)
    assert mine.path == here / ".my hooks" and not mine.is_shared
    install(mine, ["post-merge"])
    merge(here)
    assert wanted(here) == head(here)
    assert not (here / ".git/hooks/post-merge").exists()


def test_a_hook_that_git_tracks_is_left_alone(here, folder):
    git(here, "config", "core.hooksPath", "team")
    commit(here, {"team/post-merge": "#!/bin/sh\n"})
    with pytest.raises(UsageError, match='repobuild hook run post-merge "\\$@"'):
        install(found(here), ["post-merge"])
    assert git(here, "status", "--porcelain") == ""


@pytest.mark.parametrize("target", ["../scripts/own", "/bin/true"])
def test_a_link_that_git_tracks_is_left_alone(here, folder, target):
    git(here, "config", "core.hooksPath", "team")
    (here / "team").mkdir()
    (here / "team/post-merge").symlink_to(target)
    commit(here, {"scripts/own": "#!/bin/sh\n"})
    with pytest.raises(UsageError, match="git tracks it"):
        install(found(here), ["post-merge"])
    assert git(here, "status", "--porcelain") == ""


def test_a_folder_of_all_repositories_wants_commits_of_those_that_asked(
    here, folder, tmp_path
):
    second, third = place(tmp_path / "second"), place(tmp_path / "third")
    shared = tmp_path / "shared"
    write_script(shared / "post-commit", b"#!/bin/sh\necho mine >>seen\n")
    before = listing(shared)
    for one in (here, second, third):
        git(one, "config", "core.hooksPath", str(shared))
    install(found(here), ["post-commit"])
    install(found(second), ["post-commit"])
    for one in (here, second, third):
        commit(one, {"a.py": "a = 1\n"})
        assert (one / "seen").read_text() == "mine\n"
    assert wanted(here) and wanted(second) and not state(third).exists()
    assert uninstall(found(third), ["post-commit"]) == []
    uninstall(found(here), ["post-commit"])
    commit(here, {"a.py": "a = 2\n"})
    assert not wanted(here)
    commit(second, {"a.py": "a = 2\n"})
    assert wanted(second)
    uninstall(found(second), ["post-commit"])
    assert listing(shared) == before


def test_a_hook_that_stays_in_a_shared_folder_still_wants_commits(
    here, folder, tmp_path
):
    git(here, "config", "core.hooksPath", str(tmp_path / "shared"))
    install(found(here), ["post-commit", "post-merge"])
    assert uninstall(found(here), ["post-merge"]) == ["post-merge"]
    assert commit(here, {"a.py": "a = 1\n"}) == wanted(here)


def test_hooks_that_another_folder_hides_are_taken_out_too(here, folder):
    before = listing(folder.path)
    install(folder, ["post-merge", "post-commit"])
    git(here, "config", "core.hooksPath", "other")
    install(found(here), ["post-merge"])
    taken_out = uninstall(found(here), ["post-merge", "post-commit"])
    assert taken_out == ["post-merge", "post-commit"]
    assert listing(folder.path) == before
    assert not list((here / "other").iterdir())


def test_a_repository_that_was_removed_keeps_no_shared_hook(here, folder, tmp_path):
    shared, second = tmp_path / "shared", place(tmp_path / "second")
    for one in (here, second):
        git(one, "config", "core.hooksPath", str(shared))
        install(found(one), ["post-commit"])
    shutil.rmtree(second)
    uninstall(found(here), ["post-commit"])
    assert list(shared.iterdir()) == []


def test_a_linked_folder_of_hooks_counts_as_shared(here, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(here / ".git/hooks")
    (here / ".git/hooks").symlink_to(tmp_path / "elsewhere")
    assert found(here).is_shared


def test_worktrees_share_the_hooks(here, folder, tmp_path):
    git(here, "worktree", "add", "-q", str(tmp_path / "other"))
    other = found(tmp_path / "other")
    assert other.path.resolve() == folder.path.resolve() and not other.is_shared
    install(other, ["post-merge"])
    assert installed_names(folder) == ["post-merge"]


def test_a_submodule_has_hooks_of_its_own(here, folder, tmp_path):
    outer = place(tmp_path / "outer")
    allow = ("-c", "protocol.file.allow=always")
    git(outer, *allow, "submodule", "--quiet", "add", str(here), "inner")
    inner = found(outer / "inner")
    assert inner.path.resolve() == (outer / ".git/modules/inner/hooks").resolve()
    install(inner, ["post-commit"])
    commit(outer / "inner", {"a.py": "a = 1\n"})
    assert wanted(outer) == ""
    assert (outer / ".git/modules/inner/repobuild/wanted").is_file()


def test_a_repository_that_was_moved_still_wants_commits(here, folder, tmp_path):
    write_script(folder.path / "post-merge", OWN["plain"])
    install(folder, ["post-merge"])
    moved = here.rename(tmp_path / "moved")
    merge(moved)
    assert wanted(moved) == head(moved)
    assert (moved / "seen").read_text() == "mine 0\n"
    uninstall(hooks_of(moved), ["post-merge"])
    assert (moved / ".git/hooks/post-merge").read_bytes() == OWN["plain"]


# ------------------------------------------------------------------------ refusals


def test_where_git_runs_no_hooks_none_is_installed(here):
    git(here, "config", "core.hooksPath", "/dev/null")
    with pytest.raises(UsageError, match="git config --unset core.hooksPath"):
        found(here)
    git(here, "config", "--unset", "core.hooksPath")
    shutil.rmtree(here / ".git/hooks")
    (here / ".git/hooks").touch()
    with pytest.raises(UsageError, match="move it away"):
        found(here)
    with pytest.raises(UsageError, match="post-receive"):
        find_folder(here, here / ".git", is_bare=True)


def test_without_git_the_work_tree_is_not_taken_for_its_folder_of_hooks(
    here, monkeypatch
):
    monkeypatch.setenv("PATH", str(here))
    with pytest.raises(UsageError, match="install it: https://git-scm.com"):
        find_folder(here, here / ".git", is_bare=False)


def test_a_script_that_lives_by_its_name_is_not_renamed(folder):
    own = b"#!/usr/bin/env ruby\nhook = File.basename($0)\n"
    path = write_script(folder.path / "post-merge", own)
    with pytest.raises(UsageError, match="by its own name"):
        install(folder, ["post-merge"])
    assert path.read_bytes() == own and len(list(folder.path.iterdir())) == 2


def test_a_hook_of_husky_is_left_to_husky(here, folder):
    git(here, "config", "core.hooksPath", ".husky/_")
    write_script(here / ".husky/_/post-merge", '#!/bin/sh\n. "${0%/*}/h" # husky\n')
    with pytest.raises(UsageError, match=r'/\.husky/post-merge": repobuild hook run'):
        install(found(here), ["post-merge"])


def test_one_hook_that_cannot_be_installed_leaves_all_as_they_were(folder):
    (folder.path / "post-commit").mkdir()
    before = sorted(folder.path.iterdir())
    with pytest.raises(UsageError, match="is a folder"):
        install(folder, ["post-merge", "post-commit"])
    assert sorted(folder.path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(folder):
    write_script(folder.path / "post-merge", OWN["plain"])
    before = listing(folder.path)
    folder.path.chmod(0o555)
    try:
        with pytest.raises(UsageError, match="permission denied"):
            install(folder, ["post-merge"])
    finally:
        folder.path.chmod(0o755)
    assert listing(folder.path) == before
