"""An adapter is published whole, once, and replaces nothing that is not ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from repobuild.cli.publish import destination
from repobuild.errors import BuildError, UsageError
from repobuild.model.publish import folder_destination
from repobuild.model.publish.destination import RECORD, Release, ReleaseRecord
from repobuild.model.publish.folder_destination import FolderDestination
from repobuild.model.publish.hub_destination import HubDestination
from repobuild.model.publish.url_destination import UrlDestination, shown_url
from tests.model.hub_server import TOKEN, Hub, running_hub

# huggingface_hub 2.4 calls httpx2 so; it is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")

OLDER, NEWER = "a" * 40, "b" * 40
FILES = {
    "adapter_config.json": b"{}",
    "adapter_model.safetensors": b"weights",
    "base/config.json": b"{}",
}


def release(place: Path, commit: str = OLDER, adapter: str = "1" * 64) -> Release:
    """Return an exported adapter, as the verb writes one."""
    folder = place / f"export-{commit[:4]}-{adapter[:4]}"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data + adapter[:4].encode())
    made = Release(commit, adapter, folder)
    (folder / RECORD).write_bytes(made.record.to_bytes())
    return made


def is_ancestor(one: str, other: str) -> bool:
    return (one, other) == (OLDER, NEWER)


def tree(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def latest(folder: Path) -> dict[str, str]:
    answer: dict[str, str] = json.loads((folder / "latest.json").read_text())
    return answer


# ---------------------------------------------------------------------------- a folder


def test_a_folder_gets_one_folder_a_commit_and_a_pointer(tmp_path: Path):
    target = FolderDestination(tmp_path / "served/adapters")
    done = target.publish(release(tmp_path), is_ancestor)
    assert (done.is_new, done.latest) == (True, OLDER)
    expected = {f"{OLDER[:12]}/{name}" for name in (*FILES, RECORD)}
    assert tree(target.folder) == expected | {"latest.json"}
    assert latest(target.folder)["folder"] == OLDER[:12]
    folder = target.folder / OLDER[:12]
    assert folder.stat().st_mode & 0o777 == 0o777 & ~folder_destination._umask()
    target.publish(release(tmp_path, NEWER), is_ancestor)
    assert latest(target.folder)["commit"] == NEWER and folder.is_dir()


def test_what_is_there_is_not_written_again(tmp_path: Path):
    target = FolderDestination(tmp_path / "served")
    target.publish(release(tmp_path), is_ancestor)
    before = {p: p.stat().st_mtime_ns for p in target.folder.rglob("*/*")}
    assert not target.publish(release(tmp_path), is_ancestor).is_new
    assert {p: p.stat().st_mtime_ns for p in target.folder.rglob("*/*")} == before


def test_the_pointer_does_not_move_back(tmp_path: Path):
    target = FolderDestination(tmp_path / "served")
    target.publish(release(tmp_path, NEWER), is_ancestor)
    done = target.publish(release(tmp_path, OLDER), is_ancestor)
    assert (done.is_new, done.latest) == (True, NEWER)
    assert latest(target.folder)["commit"] == NEWER


def test_another_adapter_of_a_commit_gets_another_name(tmp_path: Path):
    target = FolderDestination(tmp_path / "served")
    target.publish(release(tmp_path, adapter="1" * 64), is_ancestor)
    done = target.publish(release(tmp_path, adapter="2" * 64), is_ancestor)
    assert done.where.endswith(f"{OLDER[:12]}-22222222")
    assert latest(target.folder)["folder"] == f"{OLDER[:12]}-22222222"


@pytest.mark.parametrize("name", ["latest.json", OLDER[:12], f"{OLDER[:12]}/x"])
def test_what_is_not_ours_is_not_replaced(tmp_path: Path, name: str):
    path = tmp_path / "served" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(UsageError, match="was not written by"):
        FolderDestination(tmp_path / "served").publish(release(tmp_path), is_ancestor)
    assert path.read_text() == "mine" and tree(tmp_path / "served") == {name}


@pytest.mark.parametrize("name", ["latest.json", OLDER[:12], ""])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str):
    outside = tmp_path / "outside"
    outside.mkdir()
    link = tmp_path / "served" / name if name else tmp_path / "served"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    with pytest.raises(UsageError):
        FolderDestination(tmp_path / "served").publish(release(tmp_path), is_ancestor)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("after", range(6))
def test_a_publication_that_is_killed_leaves_what_was_there(
    tmp_path: Path, monkeypatch, after: int
):
    target = FolderDestination(tmp_path / "served")
    target.publish(release(tmp_path, OLDER), is_ancestor)
    count = iter(range(100))

    def sync(path: Path) -> None:
        if next(count) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folder_destination, "_sync", sync)
        with pytest.raises(KeyboardInterrupt):
            target.publish(release(tmp_path, NEWER), is_ancestor)
    named = target.folder / latest(target.folder)["folder"]
    assert {*FILES, RECORD} == tree(named)
    target.publish(release(tmp_path, NEWER), is_ancestor)
    assert latest(target.folder)["commit"] == NEWER


def test_two_that_publish_at_once_both_end_well(tmp_path: Path):
    made = release(tmp_path)
    failed: list[BaseException] = []

    def publish() -> None:
        try:
            FolderDestination(tmp_path / "served").publish(made, is_ancestor)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert not list((tmp_path / "served").glob(".repobuild*"))


# ------------------------------------------------------------------------------- a URL


@pytest.fixture
def store() -> Iterator[fsspec.AbstractFileSystem]:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def test_a_store_gets_the_files_before_the_pointer(tmp_path: Path, store, monkeypatch):
    sent: list[str] = []
    put, pipe = type(store).put_file, type(store).pipe_file

    def put_file(self, source, target, **more):
        sent.append(target)
        return put(self, source, target, **more)

    def pipe_file(self, path, data, **more):
        sent.append(path)
        return pipe(self, path, data, **more)

    monkeypatch.setattr(type(store), "put_file", put_file)
    monkeypatch.setattr(type(store), "pipe_file", pipe_file)
    target = UrlDestination("memory://models/shop")
    assert target.publish(release(tmp_path), is_ancestor).is_new
    ends = [path.rpartition("/")[2] for path in sent]
    assert ends[-2:] == [RECORD, "latest.json"] and len(sent) == len(FILES) + 2
    sent.clear()
    assert not target.publish(release(tmp_path), is_ancestor).is_new
    assert [path.rpartition("/")[2] for path in sent] == ["latest.json"]
    target.publish(release(tmp_path, NEWER), is_ancestor)
    assert target.publish(release(tmp_path, OLDER), is_ancestor).latest == NEWER


def test_a_store_that_breaks_off_keeps_its_pointer(tmp_path: Path, store, monkeypatch):
    target = UrlDestination("memory://models/shop")
    target.publish(release(tmp_path, OLDER), is_ancestor)
    before = store.cat_file("/models/shop/latest.json")

    def put_file(self, source, target, **more):
        raise ConnectionError("gone away: s3://user:secret@host")

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "put_file", put_file)
        with pytest.raises(BuildError, match="cannot publish to"):
            target.publish(release(tmp_path, NEWER), is_ancestor)
    assert store.cat_file("/models/shop/latest.json") == before
    assert target.publish(release(tmp_path, NEWER), is_ancestor).latest == NEWER


def test_a_file_of_a_store_that_is_not_ours_stays(tmp_path: Path, store):
    store.pipe_file("/models/shop/latest.json", b"mine")
    with pytest.raises(UsageError, match="was not written by"):
        UrlDestination("memory://models/shop").publish(release(tmp_path), is_ancestor)
    assert store.find("/models") == ["/models/shop/latest.json"]


def test_a_bucket_of_an_s3_server_gets_a_release(tmp_path: Path, monkeypatch):
    pytest.importorskip("s3fs")
    server_of = pytest.importorskip("moto.server")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = server_of.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        bucket = fsspec.filesystem("s3", skip_instance_cache=True)
        bucket.mkdir("models")
        target = UrlDestination("s3://models/shop")
        assert target.publish(release(tmp_path), is_ancestor).is_new
        assert not target.publish(release(tmp_path), is_ancestor).is_new
        assert target.publish(release(tmp_path, NEWER), is_ancestor).latest == NEWER
        bucket.invalidate_cache()
        names = bucket.find(f"models/shop/{OLDER[:12]}")
        assert len(names) == len(FILES) + 1
        newest = ReleaseRecord.parse(bucket.cat_file("models/shop/latest.json"))
        assert newest is not None and newest.commit == NEWER
    finally:
        server.stop()


@pytest.mark.parametrize("url", ["https://host/x", "nope://host/x", "http://host"])
def test_a_url_that_takes_no_files_is_refused(tmp_path: Path, url: str):
    with pytest.raises(UsageError):
        UrlDestination(url).publish(release(tmp_path), is_ancestor)


def test_a_url_is_shown_without_its_secrets():
    url = "s3://key:secret@host/path?token=1#x"
    assert shown_url(url) == "s3://host/path"


# ----------------------------------------------------------------------------- the hub


@pytest.fixture
def hub(monkeypatch, tmp_path: Path) -> Iterator[Hub]:
    from huggingface_hub import constants

    with running_hub() as hub:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE
        template = template.replace(constants.ENDPOINT, hub.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        yield hub


def publish_to_hub(place: Path, commit: str = OLDER, **more: object):
    made = release(place, commit, str(more.pop("adapter", "1" * 64)))
    return HubDestination("team/shop", bool(more.get("public"))).publish(
        made, is_ancestor
    )


def test_the_hub_gets_a_private_repository_with_a_tag_a_commit(tmp_path: Path, hub):
    done = publish_to_hub(tmp_path)
    assert done.where == f"hf://team/shop@{OLDER[:12]}" and done.is_new
    repository = hub.repositories["team/shop"]
    assert repository.private
    files = repository.files(OLDER[:12])
    assert files is not None and set(FILES) < set(files)
    assert files["adapter_model.safetensors"] == b"weights1111"
    assert repository.messages[-1] == f"adapter of {OLDER}"
    count = len(repository.commits)
    assert not publish_to_hub(tmp_path).is_new and len(repository.commits) == count
    publish_to_hub(tmp_path, NEWER, adapter="2" * 64)
    main = repository.files("main")
    assert main is not None and main["adapter_model.safetensors"] == b"weights2222"
    assert repository.files(OLDER[:12]) == files  # a revision never changes


def test_an_older_commit_gets_its_tag_and_main_stays(tmp_path: Path, hub):
    publish_to_hub(tmp_path, NEWER, adapter="2" * 64)
    repository = hub.repositories["team/shop"]
    main = repository.branches["main"]
    assert publish_to_hub(tmp_path, OLDER).latest == NEWER
    assert repository.branches == {"main": main}
    files = repository.files(OLDER[:12])
    assert files is not None
    assert files["adapter_model.safetensors"] == b"weights1111"


def test_another_adapter_of_a_commit_gets_another_tag(tmp_path: Path, hub):
    publish_to_hub(tmp_path)
    done = publish_to_hub(tmp_path, adapter="2" * 64)
    assert done.where == f"hf://team/shop@{OLDER[:12]}-22222222"


def test_an_adapter_that_is_used_again_is_the_latest_again(tmp_path: Path, hub, store):
    """As after a rollback, and one back: its folder or tag is there already."""
    folder, url = tmp_path / "served", "memory://models/shop"
    for adapter in ("1" * 64, "2" * 64, "1" * 64):
        made = release(tmp_path, adapter=adapter)
        for target in (
            FolderDestination(folder),
            UrlDestination(url),
            HubDestination("team/shop", public=False),
        ):
            done = target.publish(made, is_ancestor)
    assert not done.is_new and latest(folder)["adapter"] == "1" * 64
    pointer = ReleaseRecord.parse(store.cat_file("/models/shop/latest.json"))
    assert pointer is not None and pointer.adapter == "1" * 64
    repository = hub.repositories["team/shop"]
    tagged = repository.files(OLDER[:12])
    assert repository.files("main") == tagged
    assert tagged is not None
    assert tagged["adapter_model.safetensors"] == b"weights1111"


def test_a_public_repository_gets_nothing_without_public(tmp_path: Path, hub):
    repository = hub.make("team/shop", private=False)
    with pytest.raises(UsageError, match="is public"):
        publish_to_hub(tmp_path)
    assert len(repository.commits) == 1 and not repository.tags
    assert not [path for method, path in hub.requests if method != "GET"]
    assert publish_to_hub(tmp_path, public=True).is_new


def test_a_public_repository_is_made_only_with_public(tmp_path: Path, hub):
    publish_to_hub(tmp_path, public=True)
    assert not hub.repositories["team/shop"].private


def test_a_token_that_may_not_write_is_said_and_not_shown(
    tmp_path: Path, hub, monkeypatch
):
    monkeypatch.setenv("HF_TOKEN", "hf_" + "zZ9" * 12)
    with pytest.raises(BuildError, match="HF_TOKEN") as caught:
        publish_to_hub(tmp_path)
    assert "zZ9" not in str(caught.value)


@pytest.mark.parametrize("part", ["/commit/", "/lfs/", "/tag/"])
def test_a_hub_that_breaks_off_is_published_to_again(tmp_path: Path, hub, part: str):
    publish_to_hub(tmp_path, OLDER)
    hub.refuse = {part: 400}
    with pytest.raises(BuildError):
        publish_to_hub(tmp_path, NEWER, adapter="2" * 64)
    repository = hub.repositories["team/shop"]
    assert NEWER[:12] not in repository.tags
    hub.refuse = {}
    publish_to_hub(tmp_path, NEWER, adapter="2" * 64)
    files = repository.files(NEWER[:12])
    assert files is not None
    assert files["adapter_model.safetensors"] == b"weights2222"


# --------------------------------------------------------------------------- the verb


@pytest.mark.parametrize(
    "target", ["hf://team", "hf://team/shop/../x", "hf://-x/y", "hf://a/b?c", ""]
)
def test_a_target_that_is_none_is_refused(tmp_path: Path, target: str):
    with pytest.raises(UsageError):
        destination(target, False, tmp_path)


def test_public_is_for_the_hub_alone(tmp_path: Path):
    with pytest.raises(UsageError, match="--public"):
        destination("served", True, tmp_path)


def test_a_folder_of_the_settings_lies_below_the_repository(tmp_path: Path):
    assert destination("served", False, tmp_path) == FolderDestination(
        tmp_path / "served"
    )
    absolute = destination(f"file://{tmp_path}/x", False, Path("/elsewhere"))
    assert absolute == FolderDestination(tmp_path / "x")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b'{"made_by": 1}', b"\xff", b"[" * 9000]
)
def test_a_record_that_is_not_ours_is_none(data: bytes):
    assert ReleaseRecord.parse(data) is None


def test_a_record_cut_at_any_byte_is_none_of_ours():
    whole = ReleaseRecord(OLDER, "1" * 64, "x").to_bytes()
    assert ReleaseRecord.parse(whole) is not None
    for end in range(len(whole) - 2):
        assert ReleaseRecord.parse(whole[:end]) is None
