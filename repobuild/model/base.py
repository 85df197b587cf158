"""Resolve the base model that an adapter is trained for, and load it.

`base.model` is one of

    "tiny"            the bundled model: `cache/refs/tiny` holds its digest, and
                      `cache/objects/ab/cdef...` is its folder
    "smollm2"         a model out of an installed package, converted once (packaged.py)
    a folder          anything `from_pretrained` loads; relative to the repository
    "owner/name"      a model of the Hugging Face hub, at `base.revision`

The digest of the base is part of every adapter's cache key. For a folder it covers
every file: whole up to 64 MiB; above that the size, the first MiB (a safetensors header
names every tensor) and 64 pieces spread over the rest, so that 16 GB of weights take a
moment. For a hub model it is the commit, read from the local hub cache if it is there;
pin `base.revision` to make a build repeatable.

A folder is checked when it is resolved, before any sample is made: damaged, missing and
hostile files end a build at once (load/).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repobuild import resources
from repobuild.engine.storage.artifact_store import read_ref
from repobuild.errors import UsageError
from repobuild.model.load.chat_template import PLAIN_TEMPLATE, check_template
from repobuild.model.load.libraries import silence_libraries
from repobuild.model.load.pretrained import fetch_folder, read_model, read_tokenizer
from repobuild.model.load.weight_check import check_model
from repobuild.model.packaged import HUB_NAME, SMOLLM2, packaged_model

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TINY = "tiny"  # `base.model` of the model that ships with repobuild
BUNDLED = "repobuild/tiny"  # its name in the lineage of adapters
WHOLE_FILE_LIMIT = 64 << 20  # bytes; larger files are digested by pieces
PIECES = 64
PIECE = 1 << 16  # bytes

QUANTIZED = "/"  # in a digest, before the kind of quantisation

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Base:
    """A resolved base model."""

    name: str  # as an adapter's lineage names it; never an absolute path
    source: str  # a folder, or the id of a hub model
    revision: str | None
    digest: str
    fim: bool = True  # use fill-in-the-middle tokens where the tokenizer has them
    quantize: str = ""  # "nf4": weights of four bits

    def folder(self) -> Path:
        """Return the model's folder; a hub model is downloaded if it is not here."""
        return fetch_folder(self.source, commit_of(self.digest))


def commit_of(digest: str) -> str:
    """Return the commit in the digest of a hub model, "" for another model's."""
    return digest.partition("@")[2].partition(QUANTIZED)[0]


def resolve_base(settings: Mapping[str, Any]) -> Base:
    """Return the base model that the settings name.

    With other weights it is another model, so a quantised one has another digest.

    Raises `UsageError` when there is no such model here or on the hub, and when its
    files are damaged or ask for code to be run.
    """
    base = _resolve_plain(settings)
    quantize = str(settings.get("base.quantize", ""))
    if not quantize:
        return base
    if find_spec("bitsandbytes") is None:
        raise UsageError(
            f'base.quantize "{quantize}" needs the package bitsandbytes\n'
            "install it: pip install 'repobuild[quantize]'"
        )
    digest = f"{base.digest}{QUANTIZED}{quantize}"
    return replace(base, digest=digest, quantize=quantize)


def _resolve_plain(settings: Mapping[str, Any]) -> Base:
    model = str(settings["base.model"])
    revision = str(settings.get("base.revision", "")) or None
    fim = bool(settings.get("base.fim", True))
    if model == TINY:
        folder, digest = bundled_model()
        return Base(BUNDLED, str(folder), None, digest, fim)
    if model == SMOLLM2:
        folder, digest = packaged_model()
        return Base(HUB_NAME, str(folder), None, digest, fim)
    folder = Path(settings.get("root", ""), Path(model).expanduser())
    if folder.is_dir():
        return _resolve_folder(model, folder, fim)
    if HUB_ID.fullmatch(model):
        digest = _hub_digest(model, revision)
        _check_downloaded(model, commit_of(digest))
        return Base(model, model, revision, digest, fim)
    raise UsageError(
        f'model folder "{folder.absolute()}" does not exist (base.model)\n'
        'set base.model to "tiny", "smollm2", a folder with config.json, or a hub id'
    )


def ingredients(settings: Mapping[str, Any], _: object = None) -> dict[str, Any]:
    """Return the part of a cache key that identifies the base model."""
    return {"base": resolve_base(settings).digest}


def bundled_model() -> tuple[Path, str]:
    """Return folder and digest of the model that ships with repobuild.

    Raises `UsageError` when the installation has lost it.
    """
    cache = resources.data_folder("cache")
    if found := read_ref(cache, TINY):
        return found
    raise UsageError(
        f'the bundled model is missing: "{cache / "refs" / TINY}" names no folder of '
        "the cache\ninstall repobuild again, or train it: "
        "python -m repobuild.model.bundled.pretrain"
    )


def _resolve_folder(setting: str, folder: Path, fim: bool) -> Base:
    if not (folder / "config.json").is_file():
        raise UsageError(
            f'"{folder.absolute()}" has no config.json: it is no model (base.model)\n'
            "save one there with save_pretrained, or name another folder"
        )
    digest = folder_digest(folder)
    check_folder(folder.absolute(), digest)
    name = folder.name if Path(setting).is_absolute() or "~" in setting else setting
    return Base(name, str(folder.absolute()), None, digest, fim)


@cache
def check_folder(folder: Path, digest: str) -> None:
    """Check a model's files and its chat template, once for each digest.

    Raises `UsageError` that names the file that is damaged, missing or refused.
    """
    check_model(folder)
    check_template(folder)


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of all paths, sizes and contents (large files by pieces)."""
    total = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = file.relative_to(folder).as_posix()
        total.update(f"{name}\0{file.stat().st_size}\0{file_digest(file)}\0".encode())
    return total.hexdigest()


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file, of a large one by pieces."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        if size <= WHOLE_FILE_LIMIT:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        digest = hashlib.sha256(stream.read(1 << 20))
        for number in range(PIECES):
            stream.seek((size - PIECE) * number // (PIECES - 1))
            digest.update(stream.read(PIECE))
    return digest.hexdigest()


def _hub_digest(model: str, revision: str | None) -> str:
    """Return `model@commit`; ask the network only if no local cache has it."""
    commit = _local_commit(model, revision) or _ask_hub_for_commit(model, revision)
    return f"{model}@{commit}"


def _local_commit(model: str, revision: str | None) -> str:
    """Return the commit of a revision without a network, "" when it is not known."""
    if revision and _COMMIT.fullmatch(revision):
        return revision
    ref = _hub_cache(model) / "refs" / (revision or "main")
    return ref.read_text("utf-8").strip() if ref.is_file() else ""


def is_to_be_downloaded(settings: Mapping[str, Any]) -> bool:
    """Return whether the settings name a model of the hub that is not here yet.

    The hub is not asked: a revision that is not known here is none that is here.
    """
    model = str(settings["base.model"])
    folder = Path(settings.get("root", ""), Path(model).expanduser())
    if folder.is_dir() or HUB_ID.fullmatch(model) is None:
        return False
    commit = _local_commit(model, str(settings.get("base.revision", "")) or None)
    snapshot = _hub_cache(model) / "snapshots" / commit
    return not (commit and (snapshot / "config.json").is_file())


def _hub_cache(model: str) -> Path:
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"models--{model.replace('/', '--')}"


def _check_downloaded(model: str, commit: str) -> None:
    """Check a hub model if it was downloaded; otherwise it is checked when loaded."""
    folder = _hub_cache(model) / "snapshots" / commit
    if (folder / "config.json").is_file():
        check_folder(folder, commit)


def _ask_hub_for_commit(model: str, revision: str | None) -> str:
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(model, revision=revision, timeout=10)
    except Exception as error:  # the hub client raises a dozen unrelated types
        raise UsageError(
            f'base.model "{model}" is no folder, and the hub did not provide it: '
            f"{type(error).__name__}\n"
            f'download it where there is a network ("hf download {model}"), '
            "or set base.model to a local folder"
        ) from error
    return str(info.sha)


# ----------------------------------------------------------------------- loading


@lru_cache(2)  # a build asks ten times, 0.13 s each
def load_tokenizer(base: Base) -> PreTrainedTokenizerBase:
    """Load the tokenizer; supply a chat template and a padding token if it lacks them.

    It is shared: nobody changes it.

    Raises `UsageError` when the tokenizer has no end token.
    """
    silence_libraries()
    folder = base.folder()
    check_template(folder)
    tokenizer = read_tokenizer(folder)
    if tokenizer.eos_token is None:
        raise UsageError(
            f'the tokenizer of "{base.name}" has no end token\n'
            "an adapter could never learn to stop; use an instruction-tuned base"
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer


def load_model(base: Base, dtype: torch.dtype) -> PreTrainedModel:
    """Load the base model without an adapter, frozen and in evaluation mode."""
    silence_libraries()
    model = read_model(base.folder(), dtype, base.quantize)
    model.requires_grad_(False)
    model.train(False)
    return model
