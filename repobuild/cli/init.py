"""repobuild init: write a repobuild.toml that lists every setting, commented out."""

from __future__ import annotations

import click


@click.command("init")
@click.option(
    "--preset",
    metavar="NAME",
    default="tiny",
    help="What to start from [default: tiny].",
)
def command(preset: str) -> int:
    """Write repobuild.toml: every setting of a preset, commented out."""
    from repobuild.checkout import open_checkout
    from repobuild.cli.output import print_text
    from repobuild.errors import UsageError
    from repobuild.resources import SETTINGS_FILE
    from repobuild.settings import preset_settings
    from repobuild.settings_schema import settings_file

    values = preset_settings(preset)
    checkout = open_checkout()
    path = checkout.root / SETTINGS_FILE
    if path.is_symlink() or path.exists():
        kind = " as a symbolic link" if path.is_symlink() else ""
        raise UsageError(
            f'"{path}" is there already{kind}\nedit it, or move it away first'
        )
    with path.open("x", encoding="utf-8") as file:
        file.write(settings_file(preset, values))
    asked = checkout.powers.requested
    if asked.powers and not asked.sizes:  # the user chose it just now
        checkout.trust.trust(asked)
        checkout.trust.write()
    print_text(f'wrote "{path}"; uncomment what you want to change')
    return 0
