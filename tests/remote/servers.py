"""Real servers on this machine: HTTP over a folder, S3 (moto), GCS and SFTP (asyncssh).

The HTTP one can also misbehave: answer slowly, with errors, with garbage or never.
"""

from __future__ import annotations

import asyncio
import functools
import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class FaultyHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, or what `server.fault` says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        fault = getattr(self.server, "fault", "")
        self.server.asked += 1  # type: ignore[attr-defined]
        if fault == "error":
            self.send_error(500)
        elif fault == "sometimes" and self.server.asked % 4 == 0:  # type: ignore[attr-defined]
            self.send_error(503)
        elif fault == "denied":
            self.send_error(403)
        elif fault == "garbage":
            self._send(b"\x00garbage" * 1000)
        elif fault == "endless":
            self._endless()
        elif fault == "trickle":
            self._trickle()
        elif fault == "stall":
            time.sleep(60)
        elif fault == "short":
            self._short()
        else:
            if fault == "late":
                time.sleep(0.4)
            super().do_GET()

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(bytes(1 << 16))
        except OSError:
            pass

    def _trickle(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        try:
            for _ in range(600):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            pass

    def _short(self) -> None:
        """Promise more than is sent, and hang up."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


class FaultyServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    fault = ""
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def http_server(folder: Path) -> Iterator[FaultyServer]:
    folder.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(FaultyHandler, directory=str(folder))
    server = FaultyServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def s3_server() -> Iterator[str]:
    """Yield the endpoint of an S3-compatible server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def gcs_server(bucket: str) -> Iterator[str]:
    """Yield the endpoint of a Google Cloud Storage with one bucket."""
    from gcp_storage_emulator.server import create_server

    with socket.socket() as taken:  # the emulator does not say which port it chose
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=bucket)
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


@contextmanager
def sftp_server(folder: Path, home: Path) -> Iterator[str]:
    """Yield the URL of an SFTP server whose host key `home` knows."""
    import asyncssh

    host_key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    connections: list[Any] = []

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            connections.append(conn)

        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("build", "secret")

    folder.mkdir(parents=True, exist_ok=True)

    async def start() -> Any:
        return await asyncssh.create_server(
            Server, "127.0.0.1", 0, server_host_keys=[host_key],
            sftp_factory=lambda chan: asyncssh.SFTPServer(chan, chroot=str(folder)),
        )  # fmt: skip

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    port = server.sockets[0].getsockname()[1]
    public = host_key.export_public_key("openssh").decode().strip()
    (home / ".ssh").mkdir(parents=True, exist_ok=True)
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
    try:
        yield f"sftp://build:secret@127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(server, connections), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _end(server: Any, connections: list[Any]) -> None:
    """Close the sockets, too: one that is left open fails a later test."""
    server.close()
    for connection in connections:
        connection.abort()
    await asyncio.sleep(0.2)


@contextmanager
def silent_port() -> Iterator[int]:
    """Yield a port that accepts connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        yield int(listening.getsockname()[1])
