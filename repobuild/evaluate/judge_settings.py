"""Check the settings of the judge before anything is built, and make the report's key.

A report is the last table of a build: a URL that cannot be asked must not end it after
an hour of training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from repobuild.errors import UsageError
from repobuild.model import base as bases

URL, MODEL = "report.judge.url", "report.judge.model"


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base model's part of the key; raises `UsageError` for a bad judge."""
    check_judge(settings)
    return bases.ingredients(settings)


def check_judge(settings: Mapping[str, Any]) -> bool:
    """Return whether a judge is set.

    Raises `UsageError` for a URL that is not of the web or holds a password, and for
    one without a model.
    """
    url = settings[URL]
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
            f"{URL} must begin with http:// or https:// and hold no account\n"
            "write https://host/v1, and set the token in REPOBUILD_JUDGE_TOKEN"
        )
    if not settings[MODEL]:
        raise UsageError(
            f"{URL} is set, but not {MODEL}\nname the model that the server should ask"
        )
    return True
