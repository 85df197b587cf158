"""Publish to a repository of the Hugging Face hub (destination.py).

    main                the newest adapter; all files of a release are one commit
    tag 4f2a91c0de12    the adapter of that commit: `revision="4f2a91c0de12"`

An adapter can repeat its training data word for word, so a repository is made private,
and one that is public gets nothing without `--public`. The token is that of
huggingface_hub: the variable HF_TOKEN, or the one that `hf auth login` stored. It
appears in no message.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild.errors import BuildError, UsageError
from repobuild.model.publish.destination import (
    RECORD,
    IsAncestor,
    Published,
    Release,
    ReleaseRecord,
    moves,
)

if TYPE_CHECKING:
    from huggingface_hub import HfApi

SCHEME = "hf://"


@dataclass(frozen=True, slots=True)
class HubDestination:
    """A hub repository of the kind `model`."""

    name: str  # owner/name
    public: bool  # whether a public repository is meant

    def publish(self, release: Release, is_ancestor: IsAncestor) -> Published:
        """See `Destination`."""
        from huggingface_hub import HfApi

        api = HfApi()
        with self._errors():
            self._require_repository(api)
            tags = {ref.name for ref in api.list_repo_refs(self.name).tags}
            tag = self._tag_for(api, tags, release)
            latest = self._record(api, "main")
            moving = moves(latest, release, is_ancestor)
            if tag in tags and (latest == release.record or not moving):
                newest = latest.commit if latest else ""
                return Published(f"{SCHEME}{self.name}@{tag}", False, newest)
            if moving:  # also an adapter that has its tag: a rollback, and one back
                commit = self._upload(api, release, "main")
            else:  # an older commit, whose job ended late: beside the branch
                branch = f"repobuild-{tag}"
                api.create_branch(self.name, branch=branch, exist_ok=True)
                commit = self._upload(api, release, branch)
            api.create_tag(self.name, tag=tag, revision=commit, exist_ok=True)
            if not moving:
                api.delete_branch(self.name, branch=branch)
        newest = release.commit if moving or latest is None else latest.commit
        return Published(f"{SCHEME}{self.name}@{tag}", tag not in tags, newest)

    def _require_repository(self, api: HfApi) -> None:
        """Make a private repository if there is none.

        Raises `UsageError` for a public one that was not asked for.
        """
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            info = api.repo_info(self.name)
        except RepositoryNotFoundError:
            api.create_repo(self.name, private=not self.public, exist_ok=True)
            info = api.repo_info(self.name)
        if not info.private and not self.public:
            raise UsageError(
                f"the hub repository {self.name} is public\n"
                "an adapter can repeat its training data word for word\n"
                "make it private there, or publish with `--public`"
            )

    def _tag_for(self, api: HfApi, tags: set[str], release: Release) -> str:
        """Return the tag that the release has, or gets."""
        for tag in release.names:
            record = self._record(api, tag) if tag in tags else None
            if tag not in tags or (record and record.adapter == release.adapter):
                return tag
        raise UsageError(
            f"the tag {tag} of {self.name} is of something else\n"
            "remove it there, or publish to another repository"
        )

    def _record(self, api: HfApi, revision: str) -> ReleaseRecord | None:
        """Return the record of a revision; None where there is none of ours."""
        from huggingface_hub.errors import (
            RemoteEntryNotFoundError,
            RevisionNotFoundError,
        )

        with tempfile.TemporaryDirectory(prefix="repobuild-publish-") as folder:
            try:
                path = api.hf_hub_download(
                    self.name, RECORD, revision=revision, local_dir=folder
                )
            except (RemoteEntryNotFoundError, RevisionNotFoundError):
                return None
            return ReleaseRecord.parse(Path(path).read_bytes())

    def _upload(self, api: HfApi, release: Release, branch: str) -> str:
        """Commit all files of a release; return the hub's commit."""
        done: Any = api.upload_folder(
            repo_id=self.name,
            folder_path=release.source,
            revision=branch,
            commit_message=f"adapter of {release.commit}",
        )
        return str(done.oid)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what the hub answers into an error that says what to do."""
        from huggingface_hub.errors import HFValidationError

        try:
            yield
        except BuildError:
            raise
        except HFValidationError as error:
            raise UsageError(f'"{self.name}" is no name of a hub repository') from error
        except Exception as error:
            # Uploads wrap what the hub answered, and each version differently.
            causes = list(_causes(error))
            if answered := [c for c in causes if _is_answer(c)]:
                status = getattr(
                    getattr(answered[-1], "response", None), "status_code", None
                )
                raise BuildError(_hub_message(self.name, status)) from error
            if not any(map(_is_of_network, causes)):
                raise
            raise BuildError(
                f"the hub does not answer: {type(causes[-1]).__name__}\n"
                f"publishing to {self.name} was cut off; run it again to continue"
            ) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_answer(error: BaseException) -> bool:
    """Return whether the hub refused, or there is no token to ask it with."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    return isinstance(error, HfHubHTTPError | LocalTokenNotFoundError)


def _hub_message(name: str, status: int | None) -> str:
    if status in (None, 401, 403, 404):
        return (
            f"the hub does not let this token publish to {name}"
            f"{f' ({status})' if status else ''}\n"
            "give one that may write there, in the variable HF_TOKEN, or log in: "
            "hf auth login"
        )
    return f"the hub refused to publish to {name} ({status})\nrun it again to continue"


def _is_of_network(error: BaseException) -> bool:
    names = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or bool(names & {"httpx", "httpx2", "httpcore2"})
