"""A hub on this machine: the HTTP calls that huggingface_hub makes to publish a model.

Repositories are kept in memory, each commit with all its files. A token is wanted for
everything; requests are written down, so that a test can look for what must not be in
them. What is implemented: making a repository, its facts and refs, files of a revision,
the upload of a commit with large files apart (LFS), branches and tags.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_" + "aB3" * 12


@dataclass
class HubRepository:
    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def files(self, revision: str) -> dict[str, bytes] | None:
        named = {**self.branches, **self.tags}
        return self.commits.get(named.get(revision, revision))

    def add(self, branch: str, files: dict[str, bytes], message: str) -> str:
        whole = {**(self.files(branch) or {}), **files}
        parts = json.dumps([len(self.commits), sorted(whole)])
        commit = hashlib.sha1(parts.encode()).hexdigest()
        self.commits[commit] = whole
        self.branches[branch] = commit
        self.messages.append(message)
        return commit


@dataclass
class Hub:
    url: str = ""
    repositories: dict[str, HubRepository] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)  # method, path
    refuse: dict[str, int] = field(default_factory=dict)  # part of a path -> status

    def make(self, name: str, private: bool = True) -> HubRepository:
        repository = HubRepository(private)
        repository.add("main", {".gitattributes": b""}, "initial commit")
        self.repositories[name] = repository
        return repository


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        pass

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def missing(self, what: str) -> None:
        self.answer({"error": what}, 404, X_Error_Code=what)

    def handle_request(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path))
        length = int(self.headers.get("Content-Length") or 0)
        self.data = self.rfile.read(length)
        for part, status in self.hub.refuse.items():
            if part in path:
                return self.answer({"error": "refused"}, status)
        if path.startswith("/lfs/"):
            return self.blob(path)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"error": "Invalid credentials"}, 401)
        if path == "/api/repos/create":
            return self.create()
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return self.api("/".join(parts[2:4]), parts[4:])
        if path.endswith(".git/info/lfs/objects/batch"):
            return self.lfs_batch()
        if parts[2:3] == ["resolve"]:
            return self.file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        return self.missing("NotFound")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_request

    def create(self) -> None:
        body = json.loads(self.data)
        name = f"{body.get('organization') or 'me'}/{body['name']}"
        if name in self.hub.repositories:
            return self.answer(
                {"error": "exists", "url": f"{self.hub.url}/{name}"}, 409
            )
        private = body.get("private", body.get("visibility") == "private")
        self.hub.make(name, bool(private))
        return self.answer({"url": f"{self.hub.url}/{name}", "name": name})

    def api(self, name: str, rest: list[str]) -> None:
        repository = self.hub.repositories.get(name)
        if repository is None:
            return self.missing("RepoNotFound")
        match rest:
            case [] | ["revision", _]:
                facts = {"id": name, "private": repository.private, "tags": []}
                return self.answer({**facts, "siblings": [], "downloads": 0})
            case ["refs"]:
                refs = {
                    kind: [
                        {"name": n, "ref": f"refs/{n}", "targetCommit": commit}
                        for n, commit in named.items()
                    ]
                    for kind, named in (
                        ("branches", repository.branches),
                        ("tags", repository.tags),
                    )
                }
                return self.answer({**refs, "converts": []})
            case ["preupload", _]:
                files = json.loads(self.data)["files"]
                return self.answer(
                    {
                        "files": [
                            {
                                "path": file["path"],
                                "uploadMode": "lfs"
                                if file["path"].endswith(".safetensors")
                                else "regular",
                                "shouldIgnore": False,
                            }
                            for file in files
                        ]
                    }
                )
            case ["commit", branch]:
                return self.commit(name, repository, branch)
            case ["tag", revision]:
                tag = json.loads(self.data)["tag"]
                if tag in repository.tags:
                    return self.answer({"error": "exists"}, 409)
                repository.tags[tag] = repository.branches.get(revision, revision)
                return self.answer({})
            case ["branch", branch]:
                if self.command == "DELETE":
                    del repository.branches[branch]
                else:
                    repository.branches[branch] = repository.branches["main"]
                return self.answer({})
        return self.missing("NotFound")

    def commit(self, name: str, repository: HubRepository, branch: str) -> None:
        files, message = {}, ""
        for line in self.data.decode().splitlines():
            item = json.loads(line)
            value = item["value"]
            match item["key"]:
                case "header":
                    message = value["summary"]
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile":
                    files[value["path"]] = self.hub.blobs[value["oid"]]
        commit = repository.add(branch, files, message)
        url = f"{self.hub.url}/{name}/commit/{commit}"
        return self.answer(
            {"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": ""}
        )

    def lfs_batch(self) -> None:
        objects = [
            {
                "oid": item["oid"],
                "size": item["size"],
                "actions": {"upload": {"href": f"{self.hub.url}/lfs/{item['oid']}"}},
            }
            for item in json.loads(self.data)["objects"]
        ]
        self.answer({"transfer": "basic", "objects": objects})

    def blob(self, path: str) -> None:
        oid = path.rpartition("/")[2]
        assert hashlib.sha256(self.data).hexdigest() == oid
        self.hub.blobs[oid] = self.data
        self.answer({})

    def file(self, name: str, revision: str, path: str) -> None:
        repository = self.hub.repositories.get(name)
        if repository is None:
            return self.missing("RepoNotFound")
        files = repository.files(revision)
        if files is None:
            return self.missing("RevisionNotFound")
        if path not in files:
            return self.missing("EntryNotFound")
        data = files[path]
        etag = f'"{hashlib.sha1(data).hexdigest()}"'
        return self.answer(data, ETag=etag, X_Repo_Commit="c" * 40)


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Serve a hub on a free port of this machine."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
