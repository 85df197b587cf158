"""Make the tables `file_vectors` and `commit_vectors`: what was encoded once stays.

    file_vectors     blob -> {"vector": (C,), "tokens", "lines", "paths": [...]}
    commit_vectors   commit -> {"vector": (2C,), "tokens", "before", "parent"}

Vectors are bytes, float16 in the order of the machine, which is little-endian. A row is
keyed by the blob, so that a commit encodes the files that it changed, and a moved or
copied file is not encoded again. Both tables are empty unless an adapter, or its start,
is generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from repobuild.errors import MissingObjectError
from repobuild.model.base import Base, resolve_base
from repobuild.model.hypernet.chosen import EVO, resolve_hypernet, uses_hypernet
from repobuild.model.hypernet.description import HypernetDescription
from repobuild.model.hypernet.sources import decode_source, diff_text, is_encoded

if TYPE_CHECKING:
    import torch

    from repobuild.engine.contract import View
    from repobuild.model.hypernet.file_encoder import FileEncoder
    from repobuild.model.hypernet.repository_input import FileVector

LEFT_OUT = "left_out"  # language of a file that is excluded or generated


class BlobUse(NamedTuple):
    """A path that a blob is encoded for."""

    blob: str
    path: str


def file_vectors(view: View) -> None:
    """Encode the blobs that are new in the tree; forget those that left it."""
    if not uses_hypernet(view.settings):
        return
    encoder = LazyEncoder(view)
    gone: dict[str, set[str]] = {}
    new: dict[str, set[str]] = {}
    for path, (before, after) in view.changes("files").items():
        for blob, uses in ((_blob(path, before), gone), (_blob(path, after), new)):
            if blob:
                uses.setdefault(blob, set()).add(path)
    for blob in sorted({*gone, *new}):
        known = view.own.get(blob)
        left = set(known["paths"] if known else ()) - gone.get(blob, set())
        paths = sorted(left | new.get(blob, set()))
        if not paths:
            view.own.drop(blob)
        elif known:
            view.own.put(blob, {**known, "paths": paths})
        else:
            _put_new(view, encoder, blob, paths)


def _blob(path: str, row: Mapping[str, Any] | None) -> str:
    """Return the blob of a file that is encoded, else ""."""
    chosen = row is not None and row["language"] not in ("", LEFT_OUT)
    return str(row["blob"]) if row is not None and chosen and is_encoded(path) else ""


def _put_new(view: View, encoder: LazyEncoder, blob: str, paths: list[str]) -> None:
    """Encode a blob; one that is missing is tried again by the next build."""
    try:
        text = decode_source(view.blob(blob))
    except MissingObjectError as error:
        for path in paths:
            view.fail("files", path, error)
        return
    if text is None:  # binary, or too large
        return
    made = encoder.loaded.encode_file(text)
    row = {"vector": pack_vector(made.vector), "tokens": made.tokens}
    view.own.put(blob, {**row, "lines": text.count("\n") + 1, "paths": paths})


def commit_vectors(view: View) -> None:
    """Encode the diffs of new commits, where the strategy follows commits."""
    if view.settings["adapter.strategy"] != EVO:
        return
    encoder = LazyEncoder(view)
    for commit, (_, row) in sorted(view.changes("commits").items()):
        known = view.own.get(commit)
        if row is None:
            view.own.drop(commit)
        elif known:
            view.own.put(commit, {**known, **_links(row)})
        else:
            text = diff_text(row["changes"], view.blob)
            view.own.put(commit, {**encoder.encode_diff(text), **_links(row)})


def _links(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the commit's parent, and the older commit that has a row, or ""."""
    return {"before": row["before"], "parent": row["parent"]}


class LazyEncoder:
    """The encoder of the chosen hypernetwork, loaded when something is encoded."""

    def __init__(self, view: View) -> None:
        self.settings = view.settings

    def encode_diff(self, text: str) -> dict[str, Any]:
        """Return a diff's vector and tokens; an empty one loads nothing."""
        if not text:
            return {"vector": bytes(4 * self._description.encoded), "tokens": 0}
        made = self.loaded.encode_diff(text)
        return {"vector": pack_vector(made.vector), "tokens": made.tokens}

    @cached_property
    def loaded(self) -> FileEncoder:
        """The encoder."""
        from repobuild.model.hypernet.file_encoder import FileEncoder

        settings = self._description.encoder
        model = settings.resolve(self._base, str(self.settings.get("root", "")))
        return FileEncoder.load(model, settings)

    # Kept: to look one up is to hash its weights.

    @cached_property
    def _base(self) -> Base:
        return resolve_base(self.settings)

    @cached_property
    def _description(self) -> HypernetDescription:
        return resolve_hypernet(self.settings, self._base).description


# ----------------------------------------------------------------------------- rows


def pack_vector(vector: torch.Tensor) -> bytes:
    """Return a vector as float16; what is out of its range is cut."""
    import torch

    most = torch.finfo(torch.float16).max
    rounded = vector.clamp(-most, most).to(torch.float16)
    return bytes(rounded.contiguous().view(torch.uint8).tolist())


def unpack_vector(packed: bytes) -> torch.Tensor:
    """Return what `pack_vector` packed, as float32."""
    import torch

    return torch.frombuffer(bytearray(packed), dtype=torch.float16).float()


def read_files(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[FileVector]:
    """Yield the file vectors of a tree: one for each path."""
    from repobuild.model.hypernet.repository_input import FileVector

    for _, row in rows:
        vector = unpack_vector(row["vector"])
        for path in row["paths"]:
            yield FileVector(path, vector, row["tokens"], row["lines"])
