"""Put a trained model into the cache that ships with repobuild.

    python -m repobuild.model.bundled.pretrain --out tiny   trains it
    python -m repobuild.model.bundled.bundle tiny           makes it the default

`cache/refs/tiny` then holds the digest of `cache/objects/ab/cdef…/`. The previous model
is removed: a wheel carries one.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from repobuild.engine.storage.artifact_store import ArtifactStore
from repobuild.resources import data_folder

MAX_BYTES = 16 << 20  # of the model that a wheel may carry


def bundle(model: Path, cache: Path, name: str = "tiny") -> str:
    """Copy a model folder into a cache, remove all others, and return its digest.

    Raises `ValueError` when the folder is larger than MAX_BYTES.
    """
    size = sum(p.stat().st_size for p in model.rglob("*") if p.is_file())
    if size > MAX_BYTES:
        raise ValueError(f'"{model}" has {size:,} bytes, more than {MAX_BYTES:,}')
    store = ArtifactStore(cache / "objects")
    copy = cache / "tmp"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(model, copy)
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    digest = store.put(copy)
    for other in list(store.digests()):
        if other != digest:
            store.remove(other)
    ref = cache / "refs" / name
    ref.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text(digest + "\n", "utf-8")
    return digest


if __name__ == "__main__":
    print(bundle(Path(sys.argv[1]), data_folder("cache")))
