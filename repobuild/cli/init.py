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
    """Write repobuild.toml: every setting with its default, commented out."""
    from repobuild.checkout import open_checkout
    from repobuild.cli.output import print_text
    from repobuild.errors import UsageError
    from repobuild.resources import SETTINGS_FILE, data_folder
    from repobuild.settings import preset_settings

    preset_settings(preset)
    path = open_checkout().root / SETTINGS_FILE
    if path.is_symlink() or path.exists():
        kind = " as a symbolic link" if path.is_symlink() else ""
        raise UsageError(
            f'"{path}" is there already{kind}\nedit it, or move it away first'
        )
    defaults = (data_folder("configs") / "defaults.toml").read_text("utf-8")
    with path.open("x", encoding="utf-8") as file:  # "x" follows no link
        file.write(commented(defaults, preset))
    print_text(f'wrote "{path}"; uncomment what you want to change')
    return 0


def commented(defaults: str, preset: str) -> str:
    """Return the defaults with every setting commented out, and the preset set."""
    lines = [
        "# Settings of repobuild for this repository. Every setting is listed with its",
        "# default, commented out; a preset sets several at once.",
        f'preset = "{preset}"',
    ]
    for line in defaults.splitlines()[1:]:
        if line.startswith("preset"):
            continue
        is_setting = line and not line.startswith(("#", "["))
        lines.append(f"# {line}" if is_setting else line)
    return "\n".join(lines) + "\n"
