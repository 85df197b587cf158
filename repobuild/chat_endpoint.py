"""Ask a model behind an OpenAI-compatible endpoint.

The token is in an environment variable, and goes to the endpoint's URL only: redirects
are not followed. A server's answer is data: it is bounded in size, and nothing of it is
run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from repobuild.errors import UsageError

_SECONDS = 120.0  # for one answer
_MOST_BYTES = 1 << 20  # of an answer
_THOUGHTS = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)


class EndpointError(Exception):
    """The server gave no answer that can be read."""


class _NoRedirects(request.HTTPRedirectHandler):
    """Refuse redirects: the token is for one server."""

    def redirect_request(self, *details: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """A model at an endpoint; `who` names it in messages."""

    url: str  # up to `/v1`
    model: str
    token: str = ""
    who: str = "the model"

    @classmethod
    def of(
        cls, settings: Mapping[str, Any], section: str, token: str, who: str
    ) -> ChatEndpoint | None:
        """Return the endpoint of a section of settings, None where none is set.

        `token` is the environment variable of the token. Raises `UsageError`.
        """
        if not check_endpoint(settings, section, token):
            return None
        url, model = (settings[f"{section}.{name}"] for name in ("url", "model"))
        return cls(url.rstrip("/"), model, os.environ.get(token, ""), who)

    def ask(self, rules: str, prompt: str, most_tokens: int) -> str:
        """Return the text of an answer; raises `EndpointError`."""
        body = {
            "model": self.model,
            "temperature": 0,
            "max_tokens": most_tokens,
            "messages": [
                {"role": "system", "content": rules},
                {"role": "user", "content": prompt},
            ],
        }
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode()
        call = request.Request(f"{self.url}/chat/completions", data, headers)
        opener = request.build_opener(_NoRedirects)
        try:
            with opener.open(call, timeout=_SECONDS) as answer:
                found = json.loads(answer.read(_MOST_BYTES))
            return str(found["choices"][0]["message"]["content"])
        except HTTPError as error:
            raise EndpointError(
                f"{self.who} answers with status {error.code}"
            ) from None
        except (URLError, HTTPException, OSError) as error:
            raise EndpointError(
                f"{self.who} cannot be reached: {_reason(error)}"
            ) from None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise EndpointError(
                f"the answer of {self.who} is not of OpenAI's form"
            ) from None


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", "") or error or type(error).__name__)[:200]


def without_thoughts(text: str) -> str:
    """Return an answer without what a reasoning model thinks aloud before it."""
    return _THOUGHTS.sub("", text).strip()


def check_endpoint(settings: Mapping[str, Any], section: str, token: str) -> bool:
    """Return whether the endpoint of a section of settings is set.

    Raises `UsageError` for a URL that is not of the web or holds a password, and for
    one without a model. `token` is the environment variable to name.
    """
    url = settings[f"{section}.url"]
    if not url:
        return False
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        has_account = "@" in parts.netloc
    except ValueError:
        is_web, has_account = False, False
    if not is_web or has_account:
        raise UsageError(
            f"{section}.url must begin with http:// or https:// and hold no account\n"
            f"write https://host/v1, and set the token in {token}"
        )
    if not settings[f"{section}.model"]:
        raise UsageError(
            f"{section}.url is set, but not {section}.model\n"
            "name the model that the server should ask"
        )
    return True
