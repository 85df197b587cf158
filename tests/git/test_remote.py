"""A repository's public address holds no account, token or local path."""

from __future__ import annotations

import pytest

from repobuild.git.remote import public_url, web_address
from tests.repository import Repository

PUBLIC_URLS = {
    "https://github.com/a/b": "https://github.com/a/b",
    "https://github.com/a/b.git": "https://github.com/a/b",
    "https://jane:ghp_secret@github.com/a/b.git": "https://github.com/a/b",
    "https://ghp_secret@host.example:8443/a/b/": "https://host.example:8443/a/b",
    "https://host.example/a/b.git?private_token=x#y": "https://host.example/a/b",
    "git@github.com:a/b.git": "https://github.com/a/b",
    "github.com:a/b.git": "https://github.com/a/b",
    "ssh://git@host.example:2222/a/b.git": "https://host.example/a/b",
    "git://host.example/a/b.git": "https://host.example/a/b",
    "jane@box.example:work/b.git": "",
    "ssh://jane@box.example/home/jane/b.git": "",
    "git@box.example:/home/jane/b.git": "",
    "/home/jane/b.git": "",
    "../b": "",
    "file:///home/jane/b.git": "",
    "work:a/b": "",
    "C:\\Users\\jane\\b": "",
    "https://host.example:port/a/b": "",
    "": "",
}


@pytest.mark.parametrize("url", PUBLIC_URLS)
def test_a_public_url_holds_no_account_no_token_and_no_local_path(url: str) -> None:
    assert public_url(url) == PUBLIC_URLS[url]


def test_origin_is_preferred_and_local_paths_are_skipped(
    repository: Repository,
) -> None:
    assert web_address(repository.git) == ""
    repository.git.remotes.create("backup", "https://b.example/x/y")
    repository.git.remotes.create("origin", "https://a.example/x/y")
    assert web_address(repository.git) == "https://a.example/x/y"
    repository.git.remotes.set_url("origin", "/srv/git/y.git")
    assert web_address(repository.git) == "https://b.example/x/y"
