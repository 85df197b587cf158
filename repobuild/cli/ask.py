"""repobuild ask: put a question to base and adapter, side by side."""

from __future__ import annotations

import click

from repobuild.cli.output import short


@click.command("ask")
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--max-tokens",
    metavar="N",
    default=160,
    type=click.IntRange(1),
    help="Longest answer, in tokens [default: 160].",
)
def command(question: tuple[str, ...], max_tokens: int) -> int:
    """Ask base model and adapter the same question; answers appear as they come.

    \b
    repobuild ask 'in which file is `Build` defined?'
    """
    from repobuild.checkout import find
    from repobuild.cli.newest import newest
    from repobuild.model.base import resolve
    from repobuild.model.generate import Speaker
    from repobuild.model.lineage import current

    checkout = find()
    build = checkout.view(checkout.snapshot(), checkout.state())
    commit, row = newest(build, "adapter")
    base = resolve(checkout.settings)
    folder = build.store.path(current(row))
    said = " ".join(question)
    for name, adapter in (("base", None), (f"adapter of {short(commit)}", folder)):
        click.echo(click.style(f"{name}:", bold=True))
        speaker = Speaker.load(base, adapter)
        for piece in speaker.stream(said, max_tokens):
            click.echo(piece, nl=False)
        click.echo("\n")
    return 0
