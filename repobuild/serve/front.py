"""Stand in front of a server's routes: what neither server does by itself.

    "model": "steps@latest"     becomes the name of the adapter that is the latest now
    /v1/completions, "suffix"   becomes a prompt with the tokens of the base for
                                fill-in-the-middle; transformers appends the suffix to
                                the answer instead, vLLM refuses it
    GET /v1/models              names what is served; transformers lists its cache

A request of a web page is refused: the endpoint is for programs of this machine, and
pages can reach 127.0.0.1 as well. They have an `Origin`, or, after DNS rebinding, a
`Host` of their own.

A middleware of ASGI, as uvicorn and vLLM (`--middleware`) take it. It imports nothing
but the standard library, so it runs in vLLM's process too.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from repobuild.serve.served import ServedNames

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

MOST_BYTES = 8 << 20  # of a request
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NAMES_FILE = "REPOBUILD_SERVE_NAMES"  # environment of vLLM: the file of the names
TOKEN = "REPOBUILD_SERVE_TOKEN"  # and what requests to load adapters must carry
TOKEN_HEADER = "x-repobuild-token"
PUBLIC = "REPOBUILD_SERVE_PUBLIC"  # "1": the user has chosen another host
CHAT, COMPLETIONS, MODELS = "/v1/chat/completions", "/v1/completions", "/v1/models"
_OPEN = {CHAT: "POST", COMPLETIONS: "POST", MODELS: "GET", "/health": "GET"}


class RefusedError(Exception):
    """The request is answered here, with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Front:
    """The middleware; `names` returns the names of the moment."""

    def __init__(
        self, app: App, names: Callable[[], ServedNames], public: bool, token: str = ""
    ) -> None:
        self._app = app
        self._names = names
        self._public = public
        self._token = token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        try:
            self._admit(scope)
            if path == MODELS:
                await _answer(send, 200, _list_models(self._names().all))
                return
            if path in (CHAT, COMPLETIONS):
                body = self._rewrite(path, await _read_body(receive))
                scope, receive = _with_body(scope, receive, body)
        except RefusedError as refused:
            error = {"message": str(refused), "type": "invalid_request_error"}
            await _answer(send, refused.status, {"error": error})
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Message) -> None:
        """Raise `RefusedError` for a page of the web, and for a route not offered."""
        headers = {k.decode("latin1"): v.decode("latin1") for k, v in scope["headers"]}
        origin = urlsplit(headers.get("origin", ""))
        if origin.scheme in ("http", "https") and origin.hostname not in LOOPBACK:
            raise RefusedError(403, "requests of web pages are refused")
        host = urlsplit(f"//{headers.get('host', '')}").hostname
        if not self._public and host not in LOOPBACK:
            raise RefusedError(403, "this server is asked as 127.0.0.1 or localhost")
        if _OPEN.get(scope["path"]) == scope["method"]:
            return
        given = headers.get(TOKEN_HEADER, "").encode()
        if not self._token or not hmac.compare_digest(given, self._token.encode()):
            raise RefusedError(404, f"no such route: {', '.join(_OPEN)} are served")

    def _rewrite(self, path: str, body: bytes) -> bytes:
        """Return a request's body with the server's own names and prompt."""
        try:
            request: Any = json.loads(body)
        except (ValueError, RecursionError):
            raise RefusedError(400, "the request is no JSON") from None
        if not isinstance(request, dict):
            raise RefusedError(400, "the request is no JSON object")
        names: ServedNames = self._names()
        request["model"] = names.resolve(str(request.get("model") or names.latest))
        if request["model"] not in names.all:
            known = ", ".join(names.all)
            raise RefusedError(
                404, f'no model "{request["model"]}" is served; there are {known}'
            )
        if path == COMPLETIONS and request.get("suffix") is not None:
            _fill_in(request, names.fim)
        return json.dumps(request).encode()


def _fill_in(request: dict[str, Any], fim: Iterable[str]) -> None:
    """Put prompt and suffix around the gap, in the order that adapters are trained on.

    Bavarian et al. 2022, "Efficient Training of Language Models to Fill in the Middle".
    """
    before: Any = request.get("prompt", "")
    after: Any = request.pop("suffix")
    if not fim:
        raise RefusedError(
            400, "this base has no tokens for fill-in-the-middle: send no suffix"
        )
    if not isinstance(before, str) or not isinstance(after, str):
        raise RefusedError(400, "with a suffix, the prompt must be one text")
    prefix, suffix, middle = fim
    for token in fim:  # in a text they are no gap
        before, after = before.replace(token, ""), after.replace(token, "")
    request["prompt"] = f"{prefix}{before}{suffix}{after}{middle}"


async def _read_body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MOST_BYTES:
            raise RefusedError(413, f"a request has at most {MOST_BYTES:,} bytes")
        if not message.get("more_body"):
            return body


def _with_body(
    scope: Message, receive: Receive, body: bytes
) -> tuple[Message, Receive]:
    """Return a request with another body; later messages are the client's own."""
    is_length = (b"content-length", b"transfer-encoding")
    headers = [pair for pair in scope["headers"] if pair[0] not in is_length]
    headers.append((b"content-length", str(len(body)).encode()))
    pending: list[Message] = [{"type": "http.request", "body": body}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return {**scope, "headers": headers}, replay


def _list_models(names: list[str]) -> dict[str, Any]:
    models = [
        {"id": name, "object": "model", "created": 0, "owned_by": "repobuild"}
        for name in names
    ]
    return {"object": "list", "data": models}


async def _answer(send: Send, status: int, facts: dict[str, Any]) -> None:
    body = json.dumps(facts).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class VllmFront(Front):
    """The middleware as vLLM makes it: `--middleware repobuild.serve.front.VllmFront`.

    Its names come from a file that `repobuild serve` replaces.
    """

    def __init__(self, app: App) -> None:
        from repobuild.serve.served import NamesFile

        names = NamesFile(Path(os.environ[NAMES_FILE]))
        public = os.environ.get(PUBLIC) == "1"
        super().__init__(app, names.read, public, os.environ[TOKEN])
