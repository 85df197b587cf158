"""Locate the data that ships with repobuild (rules, configs, cache), and settings.

In a checkout they are folders beside the package; in a wheel they are packed into
`repobuild/share`. They are not packages, because users' repositories have folders of
these names and `python -m repobuild` runs inside them.
"""

from __future__ import annotations

import os

SETTINGS_FILE = "repobuild.toml"  # the settings of a repository, in its root folder

# Settings in the environment begin with it: REPOBUILD_ADAPTER_RANK=8.
SETTING_PREFIX = "REPOBUILD_"
# The settings of the command line, for this process and those that it starts.
COMMAND_LINE = "REPOBUILD_COMMAND_LINE"
BUILDER = "REPOBUILD_BUILDER"  # see engine/run/child_processes.py
QUICK = "REPOBUILD_QUICK"  # "1" in a process of `repobuild --quick`, and below it
JUDGE_TOKEN = "REPOBUILD_JUDGE_TOKEN"  # see evaluate/judge.py
LLM_TOKEN = "REPOBUILD_LLM_TOKEN"  # see lifting/lifted.py
CACHE_KEY = "REPOBUILD_CACHE_KEY"  # see remote/signing_keys.py
# Variables that are no settings; trust_record.py reads the last.
NO_SETTINGS = (
    COMMAND_LINE, BUILDER, QUICK, JUDGE_TOKEN, LLM_TOKEN, CACHE_KEY, "REPOBUILD_TRUST",
)  # fmt: skip

TYPE_CHECKING = False  # type checkers read it as true; importing `typing` costs 3 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    Name = Literal["rules", "configs", "cache"]


def path_of(name: Name) -> str:
    """Return `folder(name)` as a string, without importing `pathlib` (7 ms)."""
    package = os.path.dirname(os.path.abspath(__file__))
    packed = os.path.join(package, "share", name)
    if os.path.isdir(packed):
        return packed
    return os.path.join(os.path.dirname(package), name)


def data_folder(name: Name) -> Path:
    """Return the data folder of that name, in a checkout or an installation."""
    from pathlib import Path

    return Path(path_of(name))


def is_quick() -> bool:
    """Return whether this process works on the quick build, which is kept apart."""
    return os.environ.get(QUICK) == "1"


def program() -> str:
    """Return how a next step calls this program, for the build that it works on."""
    return "repobuild --quick" if is_quick() else "repobuild"


def user_settings_file() -> str:
    """Return the path of the user's own settings; "" where no home is known.

    A relative path would be one of the analysed repository's, so it counts as none.
    """
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(folder):
        folder = os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(folder, SETTINGS_FILE) if os.path.isabs(folder) else ""


def user_cache_folder() -> str:
    """Return the user's folder for what can be made again; "" where no home is known.

    A relative path would lie in the analysed repository, so it counts as none.
    """
    folder = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(folder):
        folder = os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(folder, "repobuild") if os.path.isabs(folder) else ""
