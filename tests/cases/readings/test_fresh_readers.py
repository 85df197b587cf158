"""What two readers of projects that nobody had looked at found."""

from __future__ import annotations

from repobuild.samples.text.markup import strip_markup
from repobuild.truth.claims.prose_match import is_beginning
from tests.cases.sampled import Sampled, answers, of_kind, sampled_fixture

DISK = '''import sys


class Disk:
    """Files of one machine."""

    def stat(self, namespaces=None, size=4):
        """Read what is known of the disk, and of what is on it."""
        return {"size": size, "known": namespaces}

    def read(self, path, size=4):
        """Read the first words of a file, and of what follows it."""
        return open(path).read(size)

    if sys.platform == "linux":
        def copy(self, path):
            """Copy a file by the system."""
            return sys.copy(path)
    else:
        def copy(self, path):
            """Copy a file by itself."""
            return open(path).read()

    if sys.platform == "win32":
        def drive(self, path):
            """Return the letter of a drive."""
            return path[0]
'''
disk = sampled_fixture({"store/__init__.py": "", "store/disk.py": DISK})


def test_a_method_that_both_branches_define_is_not_conditional(disk: Sampled) -> None:
    [told] = answers(disk, "members", "store/disk.py::Disk")
    assert "- `drive`: " in told and "- `copy`: " not in told
    assert disk.audit().wrong == []


def test_who_asks_what_to_pass_is_told_that_everything_has_a_default(
    disk: Sampled,
) -> None:
    default = "Everything has a default."
    [told] = answers(disk, "signature", "store/disk.py::Disk.stat")
    assert told.endswith(default)
    asked = of_kind(disk, "signature", "store/disk.py::Disk.read")
    assert asked and not any(default in one["answer"] for one in asked)
    key, one = next(
        (key, one)
        for key, one in disk.samples.items()
        if one["element"] == "store/disk.py::Disk.read" and one in asked
    )
    wrong = disk.audit({key: one | {"answer": f"{one['answer']}\n\n{default}"}}).wrong
    assert [one.actual for one in wrong] == ["path has none"]


def test_the_default_role_shows_the_last_name() -> None:
    doc = "Open a `~store.disk.Disk`, see `~store.disk.Disk.copy`, in `~/files`."
    told = "Open a `Disk`, see `Disk.copy`, in `~/files`."
    assert strip_markup(doc) == told
    assert is_beginning(told, doc)
