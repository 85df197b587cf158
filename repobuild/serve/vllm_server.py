"""Serve by vLLM as a child process, and load each new adapter into it while it runs.

vLLM keeps keys and values of prompts under the name and the path of an adapter, so a
name is loaded once and never again with other weights: `NAME@latest` is replaced in
front (front.py, given to vLLM by `--middleware`) and never known to vLLM. Its routes
that load and unload are closed to all but this process, which has a token that only
both know.

Source: vLLM's "LoRA Adapters", "Dynamically serving LoRA Adapters".
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from repobuild.errors import BuildError, UsageError
from repobuild.model.base import commit_of, load_tokenizer
from repobuild.model.conversation import FIM, Conversation
from repobuild.model.publish.serving_recipes import VLLM_RANKS
from repobuild.serve.front import NAMES_FILE, PUBLIC, TOKEN, TOKEN_HEADER
from repobuild.serve.served import KEPT, ServedAdapter, ServedNames

STARTED_WITHIN = 900.0  # seconds; a model of 8 billion parameters takes minutes
_ANSWERED_WITHIN = 120.0
_MIDDLEWARE = "repobuild.serve.front.VllmFront"


def is_installed() -> bool:
    """Return whether vLLM can be imported by this interpreter."""
    return find_spec("vllm") is not None


@dataclass
class VllmServer:
    """A running vLLM and the names that it serves."""

    host: str
    port: int
    folder: Path  # of the file of names
    public: bool
    names: ServedNames = field(default_factory=lambda: ServedNames("", ""))
    _base: str = ""  # digest
    _token: str = field(default_factory=lambda: secrets.token_hex(16))
    _child: subprocess.Popen[bytes] | None = None

    @property
    def names_file(self) -> Path:
        return self.folder / "served.json"

    def start(self, adapter: ServedAdapter) -> None:
        """Start vLLM with the base, and load the first adapter.

        Raises `UsageError` for an adapter that vLLM refuses, `BuildError` when it ends.
        """
        config = read_config(adapter)
        base = Conversation(load_tokenizer(adapter.base), adapter.base.fim)
        fim = FIM if base.has_fim_tokens else ()
        self._base = adapter.base.digest
        self.names = ServedNames(adapter.project, adapter.base.name, (), fim)
        self.names.write(self.names_file)
        self._child = subprocess.Popen(
            self.command(adapter, rank_for(config)), env=self.environment()
        )
        self._wait_until_ready()
        self.add(adapter)

    def command(self, adapter: ServedAdapter, rank: int) -> list[str]:
        """Return the command that serves the base and lets adapters be loaded."""
        base = adapter.base
        revision = commit_of(base.digest)
        return [
            sys.executable, "-P", "-m", "vllm.entrypoints.cli.main",
            "serve", base.source,
            *(["--revision", revision] if revision else []),
            "--served-model-name", base.name,
            "--enable-lora", "--max-lora-rank", str(rank),
            "--max-loras", str(KEPT), "--max-cpu-loras", str(KEPT + 1),
            "--host", self.host, "--port", str(self.port),
            "--middleware", _MIDDLEWARE,
            "--default-chat-template-kwargs", '{"enable_thinking": false}',
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
            NAMES_FILE: str(self.names_file),
            TOKEN: self._token,
            PUBLIC: "1" if self.public else "",
        }

    def add(self, adapter: ServedAdapter) -> None:
        """Load an adapter under its name, let `latest` be it, and unload the oldest.

        Raises `UsageError` for another base or form, `BuildError` when vLLM refuses.
        """
        adapter.require_base(self._base)
        read_config(adapter)
        before = self.names.adapters
        if adapter.name not in before:
            loaded = {"lora_name": adapter.name, "lora_path": str(adapter.folder)}
            self._post("/v1/load_lora_adapter", loaded)
        self.names = self.names.with_adapter(adapter.name)
        self.names.write(self.names_file)
        for name in set(before) - set(self.names.adapters):
            self._post("/v1/unload_lora_adapter", {"lora_name": name})

    def wait(self) -> None:
        """Wait until vLLM ends; raises `BuildError` when it failed."""
        assert self._child is not None
        if code := self._child.wait():
            raise BuildError(f"vLLM ended with code {code}\nits own lines say why")

    def stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait(_ANSWERED_WITHIN)
        self.names_file.unlink(missing_ok=True)

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + STARTED_WITHIN
        while time.monotonic() < end:
            assert self._child is not None
            if self._child.poll() is not None:
                self.wait()
            try:
                with urllib.request.urlopen(f"{self._address}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.5)
        raise BuildError(
            f"vLLM was not ready after {STARTED_WITHIN:.0f} s\n"
            "its own lines say what it waits for; or serve by --engine transformers"
        )

    @property
    def _address(self) -> str:
        anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
        return f"http://{anywhere.get(self.host, self.host)}:{self.port}"

    def _post(self, path: str, facts: dict[str, str]) -> None:
        request = urllib.request.Request(
            f"{self._address}{path}",
            json.dumps(facts).encode(),
            {"Content-Type": "application/json", TOKEN_HEADER: self._token},
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWERED_WITHIN) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            reason = error.read(500).decode("utf-8", "replace")
            raise BuildError(
                f"vLLM did not take {facts['lora_name']}: {reason}"
            ) from error


def read_config(adapter: ServedAdapter) -> dict[str, Any]:
    """Return an adapter's configuration; raises `UsageError` for one vLLM refuses."""
    text = (adapter.folder / "adapter_config.json").read_text("utf-8")
    config: dict[str, Any] = json.loads(text)
    if config.get("use_dora"):
        raise UsageError(
            "vLLM serves no DoRA\nserve it by transformers: --engine transformers"
        )
    return config


def rank_for(config: dict[str, Any]) -> int:
    """Return the least rank that vLLM allows and that holds the adapter's."""
    rank = int(config["r"])
    return next((allowed for allowed in VLLM_RANKS if allowed >= rank), rank)
