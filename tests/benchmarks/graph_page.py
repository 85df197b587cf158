"""Make the page of the map of a built repository, time it, and take its picture.

    python -m tests.benchmarks.graph_page REPOSITORY [--commits 20] [--picture FILE]
        [--dark] [--width 1280] [--do SCRIPT]

The repository's `areas` must be built, and Chromium installed. Printed are the size of
the page and of its data before compression, seconds of CPU that making it takes, and
of the page in Chromium, each the median of five in wall and in CPU time of the main
thread: until the map is drawn, a zoom, a commit of the slider, a search, a selection.

`--picture` writes what the window shows after `--do`, a script, as WebP (or PNG).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from repobuild.checkout import open_checkout
from repobuild.cli.output import redact_secrets
from repobuild.query.graph_view import GraphSource
from repobuild.query.map.map_page import map_data, render_map
from tests.chromium import READY, Browser, Tab

_TIMES = 5
_ACTIONS = {
    "zoom": "repositoryMap.zoom("
    "repositoryMap.top ? 0 : repositoryMap.tree.shown(0)[0])",
    "commit": "repositoryMap.goTo(repositoryMap.tree.k ? 0 : 1)",
    "search": "repositoryMap.search.input.value = 'read file';"
    " repositoryMap.search.find()",
    "select an area": "repositoryMap.select(repositoryMap.tree.shown(0)[0])",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("--commits", type=int, default=20)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--do", default="1")
    given = parser.parse_args()
    picture = given.picture and given.picture.absolute()
    os.chdir(given.repository)
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "map.html"
        figures = _made(page, given.commits)
        with Browser(Path(place) / "profile") as browser:
            if picture:
                scheme = "dark" if given.dark else "light"
                tab = _open(browser, page, given.width, scheme)
                tab.value(given.do)
                tab.value("new Promise(done => setTimeout(done, 300))", wait=True)
                picture.write_bytes(tab.picture(picture.suffix.strip(".")))
            else:
                figures |= _opened(browser, page)
    print(json.dumps(figures, indent=2))


def _made(page: Path, commits: int) -> dict[str, Any]:
    checkout = open_checkout()
    source = GraphSource(lambda: checkout.view(checkout.snapshot(), checkout.state()))
    began = time.process_time()
    data = map_data(source, commits, checkout.root.name)
    html = render_map(data, redact_secrets).encode("utf-8", "replace")
    spent = time.process_time() - began
    page.write_bytes(html)
    kinds = data["nodes"]["kinds"]
    return {
        "files": kinds.count("f"),
        "elements": sum(kinds.count(kind) for kind in "cnms"),
        "commits": len(data["history"]["commits"]),
        "seconds of CPU": round(spent, 2),
        "MB of JSON": round(len(json.dumps(data)) / 1e6, 2),
        "MB of the page": round(len(html) / 1e6, 2),
    }


def _opened(browser: Browser, page: Path) -> dict[str, Any]:
    ready, cpu = [], []
    for _ in range(_TIMES):
        tab = _open(browser, page, 1280, "light")
        ready.append(float(tab.value("document.documentElement.dataset.ready")))
        cpu.append(tab.cpu() * 1000)
        if len(ready) < _TIMES:
            tab.close()
    found: dict[str, Any] = {
        "ms until drawn, of CPU": _middle(ready, cpu),
        "cells": tab.value("document.querySelectorAll('.cell').length"),
    }
    for name, script in _ACTIONS.items():
        found[f"ms of {name}, of CPU"] = _middle(*_timed(tab, script))
    return found


def _timed(tab: Tab, script: str) -> tuple[list[float], list[float]]:
    wall, cpu = [], []
    for _ in range(_TIMES):
        before = tab.cpu()
        timed = f"(() => {{ const at = performance.now(); {script};"
        timed += " document.body.offsetHeight; return performance.now() - at; })()"
        wall.append(float(tab.value(timed)))
        cpu.append((tab.cpu() - before) * 1000)
    return wall, cpu


def _middle(wall: list[float], cpu: list[float]) -> list[int]:
    return [round(statistics.median(wall)), round(statistics.median(cpu))]


def _open(browser: Browser, page: Path, width: int, scheme: str) -> Tab:
    tab = browser.open(page.as_uri(), width, scheme)
    tab.value(READY, wait=True)
    return tab


if __name__ == "__main__":
    main()
