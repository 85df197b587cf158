"""Write the tables of docs/configuration.md from the schema of settings."""

from __future__ import annotations

import re
from pathlib import Path

from repobuild.settings_schema import SECTIONS, Setting, settings, toml, wanted

PAGE = Path(__file__).parents[1] / "docs/configuration.md"
ROW = re.compile(rf"\| `(preset|({'|'.join(SECTIONS)})\.\w+)` \| `")


def rows() -> list[str]:
    """Return the row of each setting, in the order of the schema."""
    return list(map(_row, settings().values()))


def _row(setting: Setting) -> str:
    if setting.names:
        one = '"auto", or a list of ' if setting.default == "auto" else ""
        takes = one + ", ".join(setting.names)
    else:
        takes = wanted(setting.annotation).replace(" or ", ", ").replace('"', "")
    unit = f" {setting.unit}" if setting.unit else ""
    mark = "\\*" if setting.power else ""
    default = f"`{toml(setting.default)}`"
    cells = (f"`{setting.name}`", default, takes + unit, setting.description + mark)
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Replace the rows of the page; a section's begin where its first one was."""
    lines = []
    seen = set()
    for line in PAGE.read_text("utf-8").splitlines():
        if not (found := ROW.match(line)):
            lines.append(line)
        elif (section := _section(found[1])) not in seen:
            seen.add(section)
            own = (s for s in settings().values() if _section(s.name) == section)
            lines += map(_row, own)
    PAGE.write_text("\n".join(lines) + "\n", "utf-8")


def _section(name: str) -> str:
    return name.rpartition(".")[0]


if __name__ == "__main__":
    main()
