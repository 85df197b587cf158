"""Check the settings of the judge before anything is built, and make the report's key.

A report is the last table of a build: a URL that cannot be asked must not end it after
an hour of training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repobuild.chat_endpoint import check_endpoint
from repobuild.model import base as bases
from repobuild.resources import JUDGE_TOKEN

SECTION = "report.judge"


def ingredients(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base model's part of the key; raises `UsageError` for a bad judge."""
    check_judge(settings)
    return bases.ingredients(settings)


def check_judge(settings: Mapping[str, Any]) -> bool:
    """Return whether a judge is set.

    Raises `UsageError` for a URL that is not of the web or holds a password, and for
    one without a model.
    """
    return check_endpoint(settings, SECTION, JUDGE_TOKEN)
