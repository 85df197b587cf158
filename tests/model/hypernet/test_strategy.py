"""The standard build generates adapters: what it costs, keeps, follows and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pygit2.enums import ResetMode
from safetensors.torch import load_file

from repobuild.errors import BuildError, UsageError
from repobuild.model.base import Base
from repobuild.model.hypernet.file_encoder import EncoderSettings, FileEncoder
from repobuild.model.hypernet.folder import Hypernet, describe
from repobuild.model.hypernet.shapes import ModelShape
from tests.model.test_nano import make_base
from tests.repository import Repository
from tests.standard import Standard

FILES = {
    "README.md": "# Shop\n\nSells things.\n",
    "shop/cart.py": 'def add_item(name):\n    """Add an item."""\n    return [name]\n',
    "shop/price.py": "def price_of(name):\n    return len(name)\n",
    "tests/test_cart.py": "def test_add():\n    assert [1] == [1]\n",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return make_base(tmp_path_factory.mktemp("nano"))


@pytest.fixture(scope="module")
def network(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that follows commits; untrained, its residual is not zero."""
    folder = tmp_path_factory.mktemp("network")
    torch.manual_seed(0)
    shape = ModelShape.read(base.folder())
    sizes = {"width": 16, "bases": 4, "rank": 2, "bank_rank": 2}
    made = Hypernet(
        describe("residual", base, shape, 32, EncoderSettings(), True, **sizes)
    )
    state: Any = made.state
    for weight in (made.head.mix_b.weight, state.change.weight):  # type: ignore[union-attr]
        torch.nn.init.normal_(weight)
    made.save(folder)
    return folder


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are encoded, files and diffs."""
    texts: list[str] = []
    for name in ("encode_file", "encode_diff"):
        original = getattr(FileEncoder, name)

        def spy(self: Any, text: str, original: Any = original) -> Any:
            texts.append(text)
            return original(self, text)

        monkeypatch.setattr(FileEncoder, name, spy)
    return texts


class Shop:
    """A repository, and a build that generates."""

    def __init__(self, place: Path, base: Base, **settings: Any) -> None:
        self.repository = Repository(place / "repository")
        self.repository.commit(FILES)
        given = {f"adapter.{name}": value for name, value in settings.items()}
        named = {"base.model": base.source, "adapter.bf16": False, **given}
        self.standard = Standard(self.repository.git, place / "state", **named)

    def build(self) -> dict[str, Any]:
        """Build the adapter; return the row of HEAD."""
        self.standard.build("adapter")
        head = str(self.repository.git.head.target)
        row = self.standard.table("adapter").get(head)
        assert row is not None
        return dict(row)

    def folder(self, row: dict[str, Any]) -> Path:
        assert self.standard.last is not None
        return self.standard.last.store.checked_path(str(row["object"]))

    def state(self, row: dict[str, Any], commit: str) -> torch.Tensor:
        """Return the hidden vector of a commit."""
        return load_file(self.folder(row) / "states.safetensors")[f"{commit}.hidden"]


def static(place: Path, base: Base, network: Path, **more: Any) -> Shop:
    named = {"strategy": "code2lora-static", "hypernet": str(network)}
    return Shop(place, base, **named, **more)


def evo(place: Path, base: Base, network: Path, **more: Any) -> Shop:
    named = {"strategy": "code2lora-evo", "hypernet": str(network)}
    return Shop(place, base, **named, **more)


# ----------------------------------------------------------------------------- static


def test_a_commit_encodes_the_files_that_it_changed(tmp_path, base, network, encoded):
    shop = static(tmp_path, base, network)
    first = shop.build()
    assert sorted(encoded) == sorted(t for p, t in FILES.items() if "test" not in p)
    assert first["mode"] == "generate"
    assert first["generated"]["files"] == 3
    encoded.clear()
    changed = "def price_of(name):\n    return 2 * len(name)\n"
    shop.repository.commit({"shop/price.py": changed})
    second = shop.build()
    assert encoded == [changed]
    assert second["object"] != first["object"]
    assert second["parent"] == first["object"]


def test_what_moves_no_source_keeps_the_adapter(tmp_path, base, network, encoded):
    shop = static(tmp_path, base, network)
    first = shop.build()
    encoded.clear()
    shop.repository.commit({"tests/test_cart.py": "def test_more():\n    pass\n"})
    second = shop.build()
    assert (second["mode"], second["object"]) == ("wait", first["object"])
    assert encoded == []
    shop.repository.commit(
        {"shop/price.py": None, "shop/cost.py": FILES["shop/price.py"]}
    )
    assert shop.build()["mode"] == "generate"  # a path counts for the weight
    assert encoded == []  # but the blob is known


def test_an_adapter_is_the_same_bytes_from_nothing(tmp_path, base, network):
    one = static(tmp_path / "one", base, network)
    one.build()
    one.repository.commit({"shop/more.py": "def more_items():\n    return 3\n"})
    two = static(tmp_path / "two", base, network)
    two.repository.commit({"shop/more.py": "def more_items():\n    return 3\n"})
    weights = [
        (shop.folder(shop.build()) / "adapter_model.safetensors").read_bytes()
        for shop in (one, two)
    ]
    assert weights[0] == weights[1]


def test_vectors_after_many_commits_are_those_of_a_clean_build(tmp_path, base, network):
    shop = evo(tmp_path, base, network)
    same = FILES["shop/price.py"]
    for files in (
        {"shop/copy.py": same, "shop/cart.py": "def emptied(): ...\n"},
        {"shop/price.py": None},
        {"shop/copy.py": None, "tests/moved.py": same},
        {"tests/moved.py": None, "shop/back.py": same, "shop/big.py": "\0"},
    ):
        shop.standard.build("adapter")
        shop.repository.commit(files)
    shop.standard.build("adapter")
    clean = Standard(shop.repository.git, tmp_path / "clean")
    clean.settings |= shop.standard.settings
    clean.build("adapter")
    for table in ("file_vectors", "commit_vectors"):
        assert shop.standard.digests()[table] == clean.digests()[table]
        assert list(clean.table(table).keys())


def test_a_network_for_other_layers_is_refused(tmp_path, base, network):
    import json

    other = tmp_path / "network"
    other.mkdir()
    for path in network.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    said = json.loads((network / "hypernet.json").read_text())
    for change in (
        {"shape": {**said["shape"], "layers": 3}},
        {"encoder": {"window": 0}},
    ):
        (other / "hypernet.json").write_text(json.dumps(said | change))
        with pytest.raises(UsageError, match=r"other sizes|is damaged"):
            static(tmp_path / str(len(change)), base, other).build()


def test_diffs_of_tests_alone_look_the_network_up_once(
    tmp_path, base, network, monkeypatch: pytest.MonkeyPatch
):
    """A look-up hashes the weights of the network and of the base."""
    from repobuild.model.hypernet import vectors

    found = []
    original = vectors.resolve_hypernet

    def spy(*arguments: Any) -> Any:
        found.append(original(*arguments))
        return found[-1]

    monkeypatch.setattr(vectors, "resolve_hypernet", spy)
    shop = evo(tmp_path, base, network)
    for number in range(3):
        shop.repository.commit({f"tests/test_{number}.py": "def test_it(): ...\n"})
    shop.standard.build("commit_vectors")
    rows = dict(shop.standard.table("commit_vectors").items())
    assert [row["tokens"] for row in rows.values()] == [0, 0, 0]
    assert len(found) == 1


def test_a_trained_strategy_encodes_nothing(tmp_path, base, network, encoded):
    shop = Shop(tmp_path, base, hypernet=str(network))
    for table in ("file_vectors", "commit_vectors"):
        shop.standard.build(table)
        assert list(shop.standard.table(table).keys()) == []
    assert encoded == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"hypernet": ""}, "adapter.hypernet is empty"),
        ({"hypernet": "nowhere/at/all"}, "does not exist"),
        ({"hypernet": "."}, r"has no hypernet\.json"),
    ],
)
def test_a_network_that_is_not_there_is_explained(tmp_path, base, settings, said):
    shop = Shop(tmp_path, base, **{"strategy": "code2lora-static", **settings})
    with pytest.raises(BuildError, match=said):
        shop.build()


def test_a_network_of_another_base_is_refused(tmp_path, base, network):
    other = make_base(tmp_path / "other", hidden=64)
    with pytest.raises(UsageError, match="is for the base model"):
        static(tmp_path, other, network).build()


# -------------------------------------------------------------------------------- evo


def test_k_commits_are_k_steps_in_one_build_or_in_many(tmp_path, base, network):
    def change(shop: Shop, number: int) -> str:
        text = f"def added_{number}():\n    return {number}\n"
        return shop.repository.commit({f"shop/part_{number}.py": text})

    one, many = (evo(tmp_path / name, base, network) for name in ("one", "many"))
    rows = {shop: shop.build() for shop in (one, many)}
    assert rows[one]["generated"]["steps"] == 0
    for number in range(3):
        last = change(one, number)
        assert change(many, number) == last
        rows[many] = many.build()
        assert rows[many]["generated"]["new"] == 1
    rows[one] = one.build()
    assert rows[one]["generated"]["new"] == 3
    assert [rows[shop]["generated"]["steps"] for shop in (one, many)] == [3, 3]
    assert torch.equal(one.state(rows[one], last), many.state(rows[many], last))
    assert one.state(rows[one], last).any()


def test_a_rewritten_history_is_followed_from_where_it_parts(tmp_path, base, network):
    shop = evo(tmp_path, base, network)
    shop.build()
    kept = shop.repository.commit({"shop/a.py": "def first():\n    return 1\n"})
    shop.build()
    for number in range(2):
        shop.repository.commit({f"shop/b{number}.py": "def second(): ...\n"})
    abandoned = shop.build()
    assert abandoned["generated"]["steps"] == 3
    shop.repository.git.reset(kept, ResetMode.HARD)  # a force push
    last = shop.repository.commit({"shop/c.py": "def other():\n    return 3\n"})
    row = shop.build()
    assert (row["generated"]["new"], row["generated"]["steps"]) == (1, 2)
    straight = evo(tmp_path / "straight", base, network)
    straight.build()
    straight.repository.commit({"shop/a.py": "def first():\n    return 1\n"})
    assert straight.repository.commit(
        {"shop/c.py": "def other():\n    return 3\n"}
    ) == (last)
    same = straight.build()
    assert torch.equal(shop.state(row, last), straight.state(same, last))


def test_a_reset_and_a_long_chain_start_from_the_files(tmp_path, base, network):
    shop = evo(tmp_path, base, network, rebase_after=1)
    shop.build()
    for number, steps in enumerate((1, 0)):
        shop.repository.commit({f"shop/{number}.py": f"def f{number}(): ...\n"})
        assert shop.build()["generated"]["steps"] == steps
    shop.standard.settings["adapter.reset_state"] = True
    shop.repository.commit({"shop/more.py": "def more(): ...\n"})
    assert shop.build()["generated"]["steps"] == 0


# ------------------------------------------------------------------------- warm start


def test_a_trained_adapter_starts_from_the_generated_one(
    tmp_path, base, network, monkeypatch: pytest.MonkeyPatch
):
    from repobuild.model.hypernet import start

    copied = []
    original = start.copy_matrices

    def spy(folder: Path, model: Any) -> int:
        copied.append(original(folder, model))
        return copied[-1]

    monkeypatch.setattr(start, "copy_matrices", spy)
    more = {"budget": 1000, "rank": 8, "keep": 0.0}
    shop = Shop(tmp_path, base, start="hypernet", hypernet=str(network), **more)
    first = shop.build()
    assert (first["mode"], len(copied)) == ("first", 1)
    assert copied[0] == 2 * 7
    assert not (shop.folder(first) / "scratch").exists()
    shop.repository.commit({"shop/more.py": 'def more():\n    """More."""\n'})
    assert shop.build()["mode"] == "continue"
    assert len(copied) == 1  # the chain goes on from its parent
