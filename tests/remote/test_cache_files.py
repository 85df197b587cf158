"""The same push and pull against real servers: folder, S3, GCS, SFTP and HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from repobuild.errors import UsageError
from repobuild.remote.cache_files import (
    CacheFiles,
    ReadOnlyError,
    import_packages,
    shown_url,
)
from tests.remote.servers import gcs_server, http_server, s3_server, sftp_server
from tests.remote.world import NOTHING, TEXTS, Clone, shared
from tests.repository import Repository

# moto and botocore leave sockets to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore::DeprecationWarning",
)  # fmt: skip


@pytest.fixture(params=["folder", "file", "s3", "gcs", "sftp"])
def url(request, tmp_path: Path, monkeypatch) -> Iterator[str]:
    place = tmp_path / "served"
    if request.param == "folder":
        yield str(place)
    elif request.param == "file":
        yield f"file://{place}"
    elif request.param == "sftp":
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        with sftp_server(place, tmp_path / "home") as server:
            yield f"{server}/cache"
    elif request.param == "gcs":
        with gcs_server("team") as endpoint:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", endpoint)
            yield "gs://team/cache"
    else:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with s3_server() as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
            import boto3

            boto3.client("s3").create_bucket(Bucket="team")
            yield "s3://team/cache"


@pytest.fixture
def origin(repository: Repository) -> Clone:
    repository.commit(TEXTS)
    clone = Clone(repository.path)
    clone.build()
    return clone


def test_rows_and_artifacts_go_there_and_come_back(url, origin, tmp_path):
    assert origin.push(shared(url, tmp_path / "a")).artifacts
    clone = Clone(tmp_path / "clone", origin.path)
    reading = shared(url, tmp_path / "b", key=None)
    pulled = clone.build(reading)
    assert pulled.built.keys() == NOTHING
    assert pulled.digests == origin.build().digests
    assert not reading.refused and not reading.breaker.reason
    again = shared(url, tmp_path / "a")
    assert origin.push(again).objects == 0 and not again.breaker.reason


def test_files_are_whole_or_missing(url):
    files = CacheFiles(url)
    with pytest.raises(FileNotFoundError):
        files.read("main/objects/ab/cd", 100)
    files.write("main/objects/ab/cd", b"0123456789")
    files.write("main/objects/ab/cd", b"0123456789")  # once more
    assert files.read("main/objects/ab/cd", 10) == b"0123456789"
    assert len(files.read("main/objects/ab/cd", 4)) == 5  # one more than was allowed


def test_large_files_go_block_by_block(url, tmp_path):
    source = tmp_path / "large"
    source.write_bytes(bytes(range(256)) * (40 << 10))  # 10 MiB
    files = CacheFiles(url)
    files.upload("main/objects/ab/large", source)
    moved: list[int] = []
    with (tmp_path / "back").open("wb") as target:
        size = source.stat().st_size
        files.download("main/objects/ab/large", target, size, moved.append)
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert sum(moved) == size and len(moved) > 1
    with pytest.raises(FileNotFoundError), (tmp_path / "no").open("wb") as target:
        files.download("main/objects/ab/none", target, 1, moved.append)


def test_http_serves_what_a_folder_holds(origin, tmp_path):
    folder = tmp_path / "served"
    origin.push(shared(folder, tmp_path / "a"))
    with http_server(folder) as server:
        clone = Clone(tmp_path / "clone", origin.path)
        reading = shared(server.url, tmp_path / "b", key=None)
        assert clone.build(reading).built.keys() == NOTHING
        assert not reading.refused and not reading.breaker.reason
        with pytest.raises(ReadOnlyError):
            CacheFiles(server.url).write("main/x", b"")


def test_an_sftp_server_with_an_unknown_key_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with sftp_server(tmp_path / "served", tmp_path / "other-home") as server:
        with pytest.raises(Exception, match="(?i)host key"):
            CacheFiles(f"{server}/cache").read("main/x", 1)


def test_an_interrupted_write_leaves_nothing_under_the_name(tmp_path, monkeypatch):
    files = CacheFiles(str(tmp_path))

    def broken(path: str, data: bytes) -> None:
        Path(path).write_bytes(data[: len(data) // 2])
        raise OSError("the connection broke")

    monkeypatch.setattr(files._files, "pipe_file", broken)
    with pytest.raises(OSError):
        files.write("main/objects/ab/cd", b"0123456789")
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "url",
    ["ftp://host/x", "zip://a::file://b", "memory://x", "https://", "s3://", "http://[",
     "simplecache::s3://a/b"],
)  # fmt: skip
def test_other_urls_are_refused(url):
    with pytest.raises(UsageError, match="s3://"):
        CacheFiles(url)
    with pytest.raises(UsageError):
        import_packages(url)


def test_no_password_is_shown():
    assert shown_url("sftp://u:secret@h:22/p?token=1#x") == "sftp://u@h:22/p"
    assert shown_url("/a/folder") == "/a/folder"


def test_a_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install"):
        import_packages("s3://a/b")
