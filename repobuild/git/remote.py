"""Where a repository is published: its web address, as strangers may be told.

    https://USER:TOKEN@host/owner/name.git      https://host/owner/name
    git@host:owner/name.git                     https://host/owner/name
    ssh://git@host:22/owner/name.git            https://host/owner/name

The address holds no credential, no query and no account on a machine. A remote that is
a path, or that is reached by a person's own log-in (jane@box:/home/jane/name), is
nobody else's business: then there is none.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pygit2

FIRST = "origin"
_FORGE = "git"  # the account that forges share; any other one is a person's
_SCP = re.compile(r"(?:(?P<user>[^@/\s]+)@)?(?P<host>[\w.-]+\.[\w-]+):(?P<path>[^/].*)")


def address(repository: pygit2.Repository) -> str:
    """The address of `origin`, else of the first remote that has one; else ""."""
    remotes = {remote.name: str(remote.url or "") for remote in repository.remotes}
    names = sorted(remotes, key=lambda name: (name != FIRST, name))
    return next((found for name in names if (found := published(remotes[name]))), "")


def published(url: str) -> str:
    """What may be told of a remote's URL; "" for nothing."""
    if "://" not in url:
        match = _SCP.fullmatch(url)
        if not match or match["user"] not in (None, _FORGE):
            return ""
        return _web(match["host"], match["path"])
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return _web(f"{host}:{port}" if port else host, parts.path, parts.scheme)
    if parts.scheme in ("ssh", "git") and parts.username in (None, _FORGE):
        return _web(host, parts.path)
    return ""


def _web(host: str, path: str, scheme: str = "https") -> str:
    inside = path.strip("/").removesuffix(".git")
    return f"{scheme}://{host}/{inside}" if host and inside else ""
