"""repobuild report: scores of base, parent and adapter."""

from __future__ import annotations

from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.output import columns, emit, short


@click.command("report")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@options.as_json
def command(show: bool, as_json: bool) -> int:
    """Print the headline scores of the newest report, and where its page lies."""
    from repobuild.checkout import find
    from repobuild.cli.newest_artifact import newest

    checkout = find()
    build = checkout.view(checkout.snapshot(), checkout.state())
    commit, adapter = newest(build, "adapter")
    row = build.table("report").get(adapter["object"])
    if row is None:
        from repobuild.errors import StaleError

        raise StaleError(f"no report of {short(commit)} yet\nrun `repobuild` first")
    page = build.store.path(row["object"]) / "index.html"
    if as_json:
        click.echo((page.parent / "report.json").read_text("utf-8"))
    else:
        facts = {"commit": commit, "page": str(page), "tracks": row["headline"]}
        emit(facts, False, text)
    if show:
        click.launch(page.as_uri())
    return 0


_COLUMNS = {
    "loss": "{:.3f}",
    "relative": "{:+.1%}",
    "path_exact": "{:.1%}",
    "right": "{:.1%}",
    "all": "{:.1%}",
}


def text(facts: dict[str, Any]) -> str:
    rows = [["", "loss", "to base", "right path", "all facts", "old answer"]]
    for section, models in facts["tracks"].items():
        for model, scores in models.items():
            cells = [
                form.format(scores[name]) if name in scores else ""
                for name, form in _COLUMNS.items()
            ]
            rows.append([f"{section}, {model}", *cells])
    return f"report of {short(facts['commit'])}\n{columns(rows)}\n{facts['page']}"
