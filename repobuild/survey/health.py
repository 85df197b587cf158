"""Check what a build here depends on, one thing at a time, and name the next step.

    versions     Python, git, repobuild and what it requires
    git          the repository, its HEAD, the reach of its history
    settings     every layer is readable; nothing waits for trust
    grammars     every language of the tree that is chosen can be read
    accelerator  processors, memory, cards; torch can use the card, the preset fits it
    base model   it is there, or the next build brings it
    cache        the state and its database; the artifacts against their digests
    shared       where a shared cache is set: its packages and keys are here
    hooks        installed hooks work, the last background build did not fail
    remote       what HEAD's branch follows

Nothing is written, repaired or downloaded, and no server is asked. torch is imported
only where there is a card that it may or may not be able to use.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

import pygit2
from pygit2.enums import RepositoryState

from repobuild import __version__
from repobuild.code.scan.language import chosen_languages, install_grammars
from repobuild.errors import BuildError, UsageError
from repobuild.git.repository import (
    common_folder,
    first_commit_step,
    has_object,
    has_replacements,
)
from repobuild.git.shallow import edge
from repobuild.resources import program
from repobuild.survey.machine import GB, Machine
from repobuild.survey.proposal import CARD_MEMORY, fits
from repobuild.survey.source_survey import counted, survey_snapshot

if TYPE_CHECKING:
    from repobuild.checkout import Checkout
    from repobuild.git.snapshot import Snapshot

_SHOWN = ("torch", "transformers", "peft", "deepspeed")
_LEAST_FREE = 2 * GB  # bytes: an adapter, its merged model and a checkpoint of the tiny
_MOST_CHECKED = 1 * GB  # bytes of artifacts; a digest of more takes many seconds
_GIT_SECONDS = 10.0
_UNDER_WAY = {
    RepositoryState.MERGE: "a merge",
    RepositoryState.REVERT: "a revert",
    RepositoryState.CHERRYPICK: "a cherry-pick",
    RepositoryState.BISECT: "a bisect",
    RepositoryState.REBASE: "a rebase",
    RepositoryState.REBASE_INTERACTIVE: "a rebase",
    RepositoryState.REBASE_MERGE: "a rebase",
}


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing, whether it is well, and what to do where it is not."""

    name: str
    text: str
    next: str = ""  # "" = it is well

    @classmethod
    def of_error(cls, name: str, error: BuildError, step: str) -> HealthCheck:
        """Return what an error says: its first line, its last one as the next step.

        `step` is the next step where the error has one line only.
        """
        what, *rest = str(error).splitlines()
        return cls(name, what, rest[-1] if rest else step)

    @property
    def is_well(self) -> bool:
        return not self.next


def check_installation() -> Iterator[HealthCheck]:
    """Yield the checks that need no repository."""
    yield _versions()


def check_checkout(
    checkout: Checkout, find_lacking: Callable[[Checkout], str]
) -> Iterator[HealthCheck]:
    """Yield the checks of a repository.

    `find_lacking` says which commits a build would lack, "" where it has all.
    """
    has_commit = not checkout.repository.head_is_unborn
    yield _git(checkout, find_lacking)
    settings = _settings(checkout)
    yield settings
    can_read = settings.is_well or _can_read(checkout)
    if can_read:
        if has_commit:
            yield _grammars(checkout.snapshot(), checkout.settings)
        yield _accelerator(Machine.here(), checkout.settings)
        yield _base_model(checkout.settings)
    yield _cache(checkout)
    if can_read and checkout.settings["cache.remote"]:
        yield _shared_cache(checkout)
    yield _hooks(checkout)
    yield _remote(checkout.repository)


# -------------------------------------------------------------------------- versions


def _versions() -> HealthCheck:
    git = _git_version()
    known = [f"{name} {_version(name) or 'missing'}" for name in _SHOWN]
    parts = [f"repobuild {__version__}", f"Python {python_version()}"]
    text = ", ".join([*parts, f"git {git or 'missing'}", *known])
    if not git:
        return HealthCheck("versions", text, "install git: https://git-scm.com")
    if unmet := list(unmet_requirements(_requirements())):
        names = " ".join(f"'{one}'" for one in unmet)
        return HealthCheck("versions", text, f"pip install {names}")
    return HealthCheck("versions", text)


def _requirements() -> list[str]:
    try:
        return requires("repobuild") or []
    except PackageNotFoundError:  # run from a folder, not installed
        return []


def unmet_requirements(wanted: Iterable[str]) -> Iterator[str]:
    """Yield the requirements that are not installed, or in another version."""
    from packaging.requirements import Requirement

    for text in wanted:
        one = Requirement(text)
        if one.marker and not one.marker.evaluate({"extra": ""}):
            continue
        found = _version(one.name)
        if not found or not one.specifier.contains(found, prereleases=True):
            yield f"{one.name}{one.specifier}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _git_version() -> str:
    try:
        done = subprocess.run(
            ["git", "--version"], capture_output=True, text=True, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else ""


# ------------------------------------------------------------------------------- git


def _git(checkout: Checkout, find_lacking: Callable[[Checkout], str]) -> HealthCheck:
    repository = checkout.repository
    if repository.head_is_unborn:
        return HealthCheck("git", "no commit yet", first_commit_step(repository))
    parts = [_head(repository)]
    if under_way := _UNDER_WAY.get(RepositoryState(repository.state())):
        parts.append(f"{under_way} is under way")
    if has_replacements(repository):
        parts.append("`git replace` is not followed")
    steps = []
    if edge(repository):
        try:
            lacking_commits = find_lacking(checkout)
        except BuildError:  # bad settings, which another check reports
            lacking_commits = "earlier commits are not seen"
        parts.append(f"a shallow clone: {lacking_commits or 'it has what is read'}")
        steps += ["repobuild ci deepen"] if lacking_commits else []
    if lacking := _missing_blobs(repository):
        parts.append(f"a partial clone that lacks {lacking:,} files of HEAD")
        steps.append("git fetch --refetch --no-filter")
    return HealthCheck("git", ", ".join(parts), "; ".join(steps))


def _head(repository: pygit2.Repository) -> str:
    commit = repository.head.peel(pygit2.Commit)
    at = str(commit.id)[:10]
    if repository.head_is_detached:
        return f"detached at {at}"
    return f"branch {repository.head.shorthand} at {at}"


def _missing_blobs(repository: pygit2.Repository) -> int:
    """Count the files of HEAD whose content a partial clone has not fetched."""
    from repobuild.git.snapshot import at_commit, is_regular

    config = repository.config
    if not any(entry.name.endswith(".promisor") for entry in config):
        return 0
    files = at_commit(repository).files()
    blobs = {blob for _, (blob, mode) in files if is_regular(mode)}
    return sum(not has_object(repository, blob) for blob in blobs)


# -------------------------------------------------------------------------- settings


def _settings(checkout: Checkout) -> HealthCheck:
    """Read every layer of the settings, and the rules of HEAD."""
    try:
        layers, powers = checkout.layers, checkout.powers
        chosen_languages(checkout.settings)
        if not checkout.repository.head_is_unborn:
            checkout.rulebook(checkout.snapshot()).require_unchanged()
    except BuildError as error:
        return HealthCheck.of_error("settings", error, "correct it, and run again")
    set_here = len(layers.repository)
    text = f"preset {layers.preset}, {set_here} set in repobuild.toml"
    if not set_here:
        text = f"preset {layers.preset}, no repobuild.toml"
    if powers.withheld:
        return HealthCheck("settings", f"{text}; {powers.notice}", "repobuild trust")
    return HealthCheck("settings", text)


def _can_read(checkout: Checkout) -> bool:
    try:
        return bool(checkout.settings)
    except UsageError:
        return False


def _grammars(snapshot: Snapshot, settings: Mapping[str, Any]) -> HealthCheck:
    survey = survey_snapshot(snapshot, settings)
    read = f"files: {counted(survey.read, most=9) or 'none in a known language'}"
    if not (survey.read or survey.missing):
        step = "commit code or documents in a language of docs/languages.md"
        return HealthCheck("grammars", f"{read}: nothing to train on", step)
    if not survey.missing:
        return HealthCheck("grammars", read)
    text = f"{read}; not read: {counted(survey.missing, most=9)}"
    return HealthCheck("grammars", text, install_grammars(survey.missing))


# ---------------------------------------------------------------- machine and model


def _accelerator(machine: Machine, settings: Mapping[str, Any]) -> HealthCheck:
    name, text = "accelerator", machine.text
    if machine.has_unused_card:
        step = "install a torch with CUDA: https://pytorch.org/get-started/locally"
        return HealthCheck(
            name, f"{text}, which torch {machine.torch} cannot use", step
        )
    if machine.cards and not _torch_has_card():
        text = f"{text}, which torch {machine.torch} does not find"
        return HealthCheck(name, text, "look at nvidia-smi; the driver may be too old")
    preset = str(settings["preset"])
    if not fits(preset, machine):
        text = f"{text}; preset {preset} trains on a card of {CARD_MEMORY[preset]} GB"
        return HealthCheck(name, text, "repobuild init --force proposes what fits")
    return HealthCheck(name, text)


def _torch_has_card() -> bool:
    from repobuild.model.load.libraries import pick_device

    return pick_device() != "cpu"


def _base_model(settings: Mapping[str, Any]) -> HealthCheck:
    from repobuild.model.base import TINY, resolve_base

    name = str(settings["base.model"])
    try:
        if coming := _comes_with_next_build(settings):
            return HealthCheck("base model", f"{name}, {coming}")
        base = resolve_base(settings)
        text = f"{name}, {base.digest.removeprefix(f'{name}@')[:12]}"
        folder = Path(base.source)
        if name == TINY and not _is_whole(folder, base.digest):
            text = f"the embedded model is damaged: {folder}"
            return HealthCheck("base model", text, "install repobuild again")
    except BuildError as error:
        return HealthCheck.of_error("base model", error, "see base.model")
    return HealthCheck("base model", text)


def _comes_with_next_build(settings: Mapping[str, Any]) -> str:
    """Return how a model that is not here yet comes; "" for one that is here.

    Raises `UsageError` where the package of a model is not installed.
    """
    from repobuild.engine.storage.artifact_store import read_ref
    from repobuild.model.base import is_to_be_downloaded
    from repobuild.model.packaged import REF, SMOLLM2, locate_weights
    from repobuild.resources import user_cache_folder

    if settings["base.model"] == SMOLLM2:
        cache = user_cache_folder()
        if not cache or read_ref(Path(cache), REF):
            return ""
        locate_weights()
        return "to be converted by the next build"
    downloads = is_to_be_downloaded(settings)
    return "to be downloaded by the next build" if downloads else ""


def _is_whole(folder: Path, digest: str) -> bool:
    from repobuild.engine.storage.artifact_store import folder_digest

    return folder_digest(folder) == digest


# ----------------------------------------------------------------------------- state


def _cache(checkout: Checkout) -> HealthCheck:
    """Check the state without writing to it; a bad artifact stays where it is."""
    try:
        folder = checkout.folder
        if not folder.is_dir():
            return _with_room(
                "nothing is built yet", common_folder(checkout.repository)
            )
        if damage := checkout.database_damage():
            text = f"the database is damaged: {damage}"
            return HealthCheck("cache", text, f"{program()} (it rebuilds the tables)")
    except BuildError as error:
        return HealthCheck.of_error("cache", error, f"{program()} cache verify")
    store = checkout.store
    digests = list(store.digests())
    sizes = {digest: store.size(digest) for digest in digests}
    bad, checked = [], 0
    for digest in digests:
        if checked + sizes[digest] <= _MOST_CHECKED:
            checked += sizes[digest]
            if not _is_whole(store.object_path(digest), digest):
                bad.append(digest[:12])
    total = sum(sizes.values())
    count = f"{len(digests)} artifact{'s' * (len(digests) != 1)}"
    text = f"database whole, {count}, {total / GB:.2f} GB"
    if bad:
        text = f"{text}, of which {', '.join(bad[:3])} changed on disk"
        return HealthCheck("cache", text, f"{program()} cache verify")
    if checked < total:
        text = f"{text}, the larger ones not read ({program()} cache verify)"
    return _with_room(text, folder)


def _with_room(text: str, folder: Path) -> HealthCheck:
    free = shutil.disk_usage(folder).free
    text = f"{text}, {free / GB:.0f} GB free"
    if free < _LEAST_FREE:
        step = f"make room on this disk, or `{program()} cache gc --max-size 500M`"
        return HealthCheck("cache", text, step)
    return HealthCheck("cache", text)


def _shared_cache(checkout: Checkout) -> HealthCheck:
    """Check what reading and writing the shared cache needs here; asks it nothing."""
    from repobuild.remote.shared_cache import SharedCache

    name = "shared"
    try:
        cache = SharedCache.of(checkout.settings, checkout.folder)
        assert cache is not None
        if checkout.settings["cache.push"]:
            cache.require_writable(os.environ)
    except UsageError as error:
        return HealthCheck.of_error(name, error, "see `repobuild cache push`")
    text = f"{cache.shown}, namespace {cache.namespaces[0]}"
    if not cache.trusted.keys:
        step = "put the key of whoever pushes into cache.trusted_keys"
        return HealthCheck(name, f"{text}; no key is trusted, so nothing is read", step)
    count = len(cache.trusted.keys)
    return HealthCheck(name, f"{text}, {count} key{'s' * (count > 1)} trusted")


# ------------------------------------------------------------------- hooks and remote


def _hooks(checkout: Checkout) -> HealthCheck:
    """Check that installed hooks can work, and how the last background build ended."""
    from repobuild.hooks.builder_record import FAILED, background_facts
    from repobuild.hooks.hook_files import find_folder, list_hooks

    if checkout.repository.is_bare:
        return HealthCheck("hooks", "none: a bare repository runs none of them")
    common = common_folder(checkout.repository)
    try:
        hooks = list_hooks(find_folder(checkout.root, common, is_bare=False))
    except UsageError as error:
        return HealthCheck.of_error("hooks", error, "repobuild hook status")
    for hook in hooks:
        if hook.problem:
            text = f"{hook.name}: {hook.problem}"
            return HealthCheck("hooks", text, hook.next_step)
    installed = [hook.name for hook in hooks if hook.is_installed]
    text = ", ".join(installed) or "none installed"
    if background_facts(common / "repobuild")["last"]["outcome"] == FAILED:
        text = f"{text}; the last background build failed"
        return HealthCheck("hooks", text, "repobuild hook status")
    return HealthCheck("hooks", text)


def _remote(repository: pygit2.Repository) -> HealthCheck:
    """Tell what HEAD's branch follows, as git last fetched it."""
    names = [str(remote.name) for remote in repository.remotes]
    if not names:
        return HealthCheck("remote", "none")
    if repository.head_is_unborn or repository.head_is_detached:
        return HealthCheck("remote", ", ".join(names))
    upstream = _upstream(repository)
    if upstream is None:
        return HealthCheck("remote", f"{', '.join(names)}; this branch follows none")
    head, other = repository.head.target, upstream.target
    try:
        ahead, behind = repository.ahead_behind(head, other)
    except (KeyError, pygit2.GitError):  # the end of a shallow clone
        return HealthCheck("remote", str(upstream.shorthand))
    text = f"{upstream.shorthand} as last fetched: {ahead:,} ahead, {behind:,} behind"
    return HealthCheck("remote", text)


def _upstream(repository: pygit2.Repository) -> pygit2.Branch | None:
    """Return the remote branch that HEAD's branch follows, None where it is not here.

    Where it follows a URL, or HEAD is outside of refs/heads, pygit2 raises.
    """
    try:
        return repository.branches.local[repository.head.shorthand].upstream
    except (KeyError, ValueError, pygit2.GitError):
        return None
