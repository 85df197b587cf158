from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from repobuild.errors import BuildError
from repobuild.model.adapter.lineage import (
    Known,
    Lineage,
    Manifest,
    current_digest,
    sample_digest,
)
from tests.model.test_nano import manifest_of, samples

LINEAGE = Lineage(
    commit="c1", tree="t1", parent="", mode="first", reason="no adapter yet",
    base={"name": "nano", "digest": "b"}, dataset="d", recipe={"rank": 8},
    recipe_digest="r", chain=1, drift=0.0, samples={"current": 4},
    training={"steps": 3, "tokens": 90, "losses": [[1.0, 2.0]]},
    scores={"loss": 0.5, "parent_loss": 0.7}, promoted=True,
)  # fmt: skip


def test_a_manifest_survives_its_file(tmp_path: Path) -> None:
    manifest = manifest_of(samples())
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    known = {"a": Known(2, 7), "b": Known(3, 9, replaced=8)}
    Manifest(manifest.digests, known).write(tmp_path)
    assert Manifest.read(tmp_path).facts == known


def test_a_manifest_does_not_depend_on_order() -> None:
    assert manifest_of(samples()).digest == manifest_of(samples()[::-1]).digest


def test_a_sample_digest_covers_only_what_is_trained() -> None:
    _, sample = samples()[0]
    assert sample_digest({**sample, "sources": ["x"]}) == sample_digest(sample)
    assert sample_digest({**sample, "answer": "x"}) != sample_digest(sample)


def test_a_manifest_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    manifest_of(samples(2)).write(tmp_path)
    path = tmp_path / "manifest.bin"
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(BuildError, match=r"manifest\.bin"):
            Manifest.read(tmp_path)


def test_a_manifest_of_ten_thousand_samples_is_small(tmp_path: Path) -> None:
    manifest_of(samples(5000)).write(tmp_path)
    assert (tmp_path / "manifest.bin").stat().st_size < 200_000


def test_lineage_survives_its_file(tmp_path: Path) -> None:
    LINEAGE.write(tmp_path)
    assert Lineage.read(tmp_path) == LINEAGE
    assert [p.name for p in tmp_path.iterdir()] == ["repobuild.json"]


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    replace(LINEAGE, version=2).write(tmp_path)
    with pytest.raises(BuildError, match="newer repobuild"):
        Lineage.read(tmp_path)


def test_an_adapter_that_was_not_promoted_leaves_its_parent_current() -> None:
    kept = {"object": "p", "chain": 4, "drift": 0.2, "current": ""}
    row = {"object": "new", **replace(LINEAGE, chain=5, promoted=False).to_row(kept)}
    assert current_digest(row) == "p"
    assert (row["chain"], row["drift"]) == (4, 0.2)
    assert current_digest({"object": "new", **LINEAGE.to_row(None)}) == "new"
