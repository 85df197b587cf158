"""repobuild report: scores of base, parent and adapter."""

from __future__ import annotations

from typing import Any

import click

from repobuild.cli import options
from repobuild.cli.adapter_lookup import find_adapter
from repobuild.cli.output import columns, emit, print_text, short
from repobuild.errors import StaleError
from repobuild.plain_text import escape_json
from repobuild.resources import program

_FORMATS = {
    "loss": "{:.3f}",
    "relative": "{:+.1%}",
    "path_exact": "{:.1%}",
    "right": "{:.1%}",
    "files": "{:.1%}",
    "rouge_l": "{:.2f}",
    "bleu": "{:.2f}",
    "all": "{:.1%}",
}
_HEAD = [
    "", "loss", "to base", "right path", "all facts", "files", "ROUGE-L", "BLEU",
    "old answer",
]  # fmt: skip
_MODELS = {
    "base_grounded": "base with facts",
    "adapter_grounded": "adapter with facts",
}


@click.command("report")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@options.as_json
def command(show: bool, as_json: bool) -> int:
    """Print the headline scores of the newest report, and the path of its page.

    \b
    repobuild report
    repobuild report --open       and show the page in a browser
    """
    from repobuild.checkout import open_checkout
    from repobuild.evaluate.report_summary import SUMMARY
    from repobuild.model.publish.publication import artifact_folder

    checkout = open_checkout()
    build = checkout.view(checkout.snapshot(), checkout.state())
    commit, adapter = find_adapter(build)
    row = build.table("report").get(adapter["object"])
    if row is None:
        raise StaleError(f"no report of {short(commit)} yet\nrun `{program()}` first")
    page = artifact_folder(build, str(row["object"]), "report") / "index.html"
    if as_json:
        print_text(escape_json((page.parent / "report.json").read_text("utf-8")))
    else:
        facts = {
            "commit": commit,
            "page": str(page),
            "tracks": row["headline"],
            **{name: row.get(name) for name in SUMMARY},
            "judge": row.get("judge") or {},
        }
        emit(facts, False, text)
    if show:
        click.launch(page.as_uri())
    return 0


def text(facts: dict[str, Any]) -> str:
    from repobuild.evaluate.report_summary import summary_lines

    rows = [_HEAD]
    for track, models in facts["tracks"].items():
        for model, scores in models.items():
            cells = [
                template.format(scores[name]) if name in scores else ""
                for name, template in _FORMATS.items()
            ]
            rows.append([f"{track}, {_MODELS.get(model, model)}", *cells])
    lines = [f"report of {short(facts['commit'])}", columns(rows)]
    lines += summary_lines(facts)
    judge = facts["judge"]
    for other, found in judge.get("against", {}).items():
        lines.append(
            f"judged by {judge['model']} against the {other}: {found['wins']} won, "
            f"{found['ties']} tied, {found['losses']} lost, "
            f"{found['unjudged']} not judged"
        )
    if judge.get("problem"):
        lines.append(judge["problem"])
    return "\n".join([*lines, facts["page"]])
