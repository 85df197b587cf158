"""Derive the web address under which a repository is published, without credentials.

    https://USER:TOKEN@host/owner/name.git      https://host/owner/name
    git@host:owner/name.git                     https://host/owner/name
    ssh://git@host:22/owner/name.git            https://host/owner/name

The address goes into published files, so it holds no credential, no query and no
account on a machine. A remote that is a path, or that needs a personal login
(jane@box:/home/jane/name), is private and yields no address.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pygit2

FIRST = "origin"
_FORGE_USERS = (None, "git")  # the shared account of forges; others belong to a person
_SCP = re.compile(r"(?:(?P<user>[^@/\s]+)@)?(?P<host>[\w.-]+\.[\w-]+):(?P<path>[^/].*)")


def web_address(repository: pygit2.Repository) -> str:
    """Return the public URL of `origin` or else of another remote; "" for none."""
    urls = {remote.name: str(remote.url or "") for remote in repository.remotes}
    names = sorted(urls, key=lambda name: (name != FIRST, name))
    return next((public for name in names if (public := public_url(urls[name]))), "")


def public_url(url: str) -> str:
    """Return the web URL that a remote's URL corresponds to; "" for a private one."""
    if "://" not in url:
        match = _SCP.fullmatch(url)
        if not match or match["user"] not in _FORGE_USERS:
            return ""
        return _web_url(match["host"], match["path"])
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return _web_url(f"{host}:{port}" if port else host, parts.path, parts.scheme)
    if parts.scheme in ("ssh", "git") and parts.username in _FORGE_USERS:
        return _web_url(host, parts.path)
    return ""


def _web_url(host: str, path: str, scheme: str = "https") -> str:
    path = path.strip("/").removesuffix(".git")
    return f"{scheme}://{host}/{path}" if host and path else ""
