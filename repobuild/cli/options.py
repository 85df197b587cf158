"""Define the options that several verbs share."""

from __future__ import annotations

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
dry_run = click.option(
    "--dry-run", "-n", is_flag=True, help="Say what would be done, and do nothing."
)
