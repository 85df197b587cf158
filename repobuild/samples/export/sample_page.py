"""Write samples as one static page, for a look at what is trained.

The page holds 50 samples, one of each task in turn, with their sources. It needs
nothing else: no script, font or network, which its content security policy forbids. All
text of the repository is escaped; only code fences and backticks of samples are shown
as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from repobuild.code.graph.graph import PROJECT
from repobuild.plain_text import escape_controls, escape_line
from repobuild.samples.dataset.all_samples import SampleSource
from repobuild.samples.dataset.summary import SPLITS, DatasetSummary, read_kept
from repobuild.samples.export.sample_record import Record, make_record
from repobuild.samples.review.reading_list import draw_samples
from repobuild.samples.review.verdict_file import subject_of

FILE = "index.html"
SHOWN = 50  # samples
_FENCED = re.compile(r"^```[^\n]*\n(.*?)^```[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
_CSS = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto;
  padding: 0 1rem }
article { border-top: 1px solid #8886; padding: 1rem 0 }
h2 { font-size: 1rem; margin: 0 }
dt, .soft { opacity: .7; font-size: .85rem }
dd { margin: 0 0 .6rem }
.text { white-space: pre-wrap; overflow-wrap: anywhere }
pre, code { font: .85rem/1.45 ui-monospace, monospace; background: #8882 }
pre { padding: .6rem; overflow-x: auto; margin: .4rem 0 }
"""


def write_page(source: SampleSource, folder: Path, commit: str, seed: int) -> None:
    """Write the page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = DatasetSummary()
    for _ in read_kept(source, summary):
        pass
    graph, files = source.table("graph"), source.table("files")
    drawn = draw_samples(source, SHOWN, seed)
    records = [make_record(kept, graph, files) for kept in drawn]
    project = ((graph.get(PROJECT) or {}).get("") or {}).get("project_name", "")
    title = f"{project or 'samples'} at {commit[:10]}"
    counts = ", ".join(f"{summary.splits[split]:,} {split}" for split in SPLITS)
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<link rel="icon" href="data:,"><title>{_line(title)}</title>'
        f"<style>{_CSS}</style></head><body><h1><bdi>{_line(title)}</bdi></h1>"
        f'<p class="soft">{len(records)} of {summary.splits.total():,} samples '
        f"({counts}), drawn with seed {seed} over all tasks.</p>"
        f"{''.join(map(_article, records))}</body></html>\n"
    )
    (folder / FILE).write_text(page, "utf-8", "replace")


def _article(record: Record) -> str:
    words = (
        record["task_type"],
        subject_of(record["id"]).frame,
        record["language"],
        record["difficulty"],
        f"{record['split']} {record['track']}".strip(),
    )
    sources = (_source(source) for source in record["provenance"])
    return (
        f"<article><h2><bdi>{_line(record['element'])}</bdi></h2>"
        f'<p class="soft">{_line(", ".join(words))}</p><dl>'
        f"{''.join(_texts(record))}"
        f"<dt>from</dt><dd><bdi>{'<br>'.join(sources)}</bdi></dd></dl></article>"
    )


def _texts(record: Record) -> Iterator[str]:
    """Yield the parts of a sample; the code around a hole only if it has one."""
    for name in ("question", "prefix", "answer", "suffix"):
        if text := record.get(name):
            is_code = record["form"] == "fim" and name != "question"
            body = f"<pre>{_escape(text)}</pre>" if is_code else _prose(text)
            yield f"<dt>{name}</dt><dd>{body}</dd>"


def _source(source: Record) -> str:
    if "path" not in source:
        return "the project as a whole"
    return _line(f"{source['path']}:{source['start_line']}-{source['end_line']}")


def _prose(text: str) -> str:
    """Render text, its fences and its inline code."""
    parts = _FENCED.split(text)  # prose and code, alternating
    rendered = []
    for number, part in enumerate(parts):
        if number % 2:
            rendered.append(f"<pre>{_escape(part)}</pre>")
        elif part.strip():
            marked = _CODE.sub(r"<code>\1</code>", _escape(part.strip()))
            rendered.append(f'<div class="text">{marked}</div>')
    return "".join(rendered)


def _escape(text: str) -> str:
    return escape(escape_controls(text))


def _line(text: str) -> str:
    return escape(escape_line(text))
