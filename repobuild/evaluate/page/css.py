"""Define the page's style sheet: one column, two colour schemes, nothing fetched.

Grey is the base, blue the parent, orange the adapter, in plots and in text. Each plot
also distinguishes the models by shape or by label, for readers who cannot see the
colours. On paper the page is light, and folded parts are shown.
"""

from __future__ import annotations

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d2126; --soft: #5d646d;
  --line: #e2dfd8; --faint: #f1efea;
  --base: #6b737c; --parent: #2f6ca8; --adapter: #b94e06;
  --good: #1f6a45; --bad: #b3261e; --warn: #fdf1dc; --warn-ink: #7a4b00;
  --mark: #fbdcd6;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1b1e23; --ink: #e7e6e3; --soft: #a2a8b0;
    --line: #31353c; --faint: #23272d;
    --base: #98a0a9; --parent: #7db3e6; --adapter: #f49a55;
    --good: #6fc796; --bad: #f28b82; --warn: #3a2d14; --warn-ink: #f3cf8e;
    --mark: #5a2a26;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 70rem;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
    "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  font-variant-numeric: tabular-nums;
}
code, pre, .mono {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .88em;
}
code, bdi { overflow-wrap: anywhere; unicode-bidi: isolate; }
h1 {
  margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.015em;
  overflow-wrap: anywhere;
}
h2 {
  margin: 3.2rem 0 .4rem; font-size: 1.3rem; line-height: 1.3;
  letter-spacing: -.01em; scroll-margin-top: 1rem;
}
h3 { margin: 0 0 .6rem; font-size: 1rem; }
p { margin: .4rem 0 1rem; max-width: 44rem; }
a { color: var(--parent); }
mark { background: var(--mark); color: inherit; border-radius: 3px; padding: 0 .1em; }
.soft, figcaption, dt { color: var(--soft); }
.verdict { font-size: 1.18rem; line-height: 1.5; margin: 1.2rem 0 1.4rem; }
.summary { margin: 0 0 1.4rem; padding-left: 1.2rem; line-height: 1.5; }
.badge {
  display: inline-block; padding: .12rem .6rem; border-radius: 99px;
  border: 1px solid currentColor; font-size: .82rem; font-weight: 600;
  color: var(--good); vertical-align: .3em; margin-left: .5rem; letter-spacing: 0;
}
.badge.held { color: var(--bad); }
.notice {
  background: var(--warn); color: var(--warn-ink); border-radius: 8px;
  padding: .8rem 1rem; max-width: none;
}
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.8rem; margin: .7rem 0 0; }
.facts div { display: flex; gap: .45rem; min-width: 0; }
.facts dd { margin: 0; min-width: 0; }
.figures { display: grid; gap: .8rem; }
.figures { grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.tile { display: grid; border-top: 2px solid var(--line); padding-top: .5rem; }
.tile .soft { font-size: .85rem; }
.big { font-size: 1.7rem; font-weight: 600; line-height: 1.25; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 1.8rem 0 0; }
.cards { display: grid; gap: 1.2rem; grid-template-columns: 1fr 1fr; }
@media (max-width: 52rem) { .cards { grid-template-columns: 1fr; } }
.cards:empty { display: none; }
.cards + .scroll { margin-top: 1.4rem; }
figure {
  margin: 0; padding: 1.1rem 1.2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; min-width: 0;
}
figcaption { font-size: .9rem; margin-top: .6rem; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--ink); }
svg text.mono { font-size: 11px; }
svg .soft { fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .base { fill: var(--base); stroke: var(--base); }
svg .adapter { fill: var(--adapter); stroke: var(--adapter); }
svg .ink { stroke: var(--ink); fill: var(--ink); }
svg path.curve, svg path.dash, svg path.thin { fill: none; stroke-linejoin: round; }
svg .curve, svg .dash { stroke-width: 2; }
svg .dash { stroke-dasharray: 6 4; }
svg .thin { stroke-width: 1; opacity: .5; }
svg .hollow { fill: var(--card); stroke-width: 2; }
svg .bar { stroke: none; }
.key { white-space: nowrap; margin-right: .7rem; }
.key i {
  display: inline-block; width: 1.5rem; margin-right: .35rem; vertical-align: .25em;
  border-top: 2px solid var(--adapter);
}
.key .dash { border-top-style: dashed; }
.key .thin { border-top-width: 1px; opacity: .6; }
.key .base { border-color: var(--base); } .key .ink { border-color: var(--ink); }
.bars, .dumbbells { margin: .8rem 0 1rem; font-size: .9rem; }
.group {
  display: grid; grid-template-columns: 9rem 1fr; gap: .2rem .8rem;
  margin-bottom: .7rem;
}
.group .label { line-height: 1.25; overflow-wrap: anywhere; }
.bar-row {
  display: grid; grid-template-columns: 1fr 4rem; gap: .5rem; line-height: 1.15rem;
}
.bar-row .value { text-align: right; font-size: .86rem; }
.track { position: relative; display: block; height: 1.15rem; }
.bar-row .track { background: var(--faint); border-radius: 2px; }
.bar-row, .track { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
i.bar, i.whisker, i.dot, i.link { position: absolute; display: block; }
i.bar { left: 0; top: .18rem; height: .8rem; min-width: 2px; border-radius: 2px; }
i.bar { opacity: .82; }
i.base { background: var(--base); } i.parent { background: var(--parent); }
i.adapter { background: var(--adapter); }
i.base_grounded { background: var(--base); opacity: .55; }
i.adapter_grounded { background: var(--adapter); opacity: .55; }
i.whisker { top: .53rem; height: 2px; background: var(--ink); opacity: .7; }
i.link { top: .5rem; height: 3px; background: var(--line); }
i.dot { top: .2rem; width: .75rem; height: .75rem; margin-left: -.375rem; }
i.dot { border-radius: 50%; }
i.dot.base { background: var(--card); border: 2px solid var(--base); }
i.dot.parent { border-radius: 1px; transform: rotate(45deg) scale(.85); }
.dumbbells .track { border-bottom: 1px dotted var(--line); }
.axis { display: flex; justify-content: space-between; color: var(--soft); }
.axis { font-size: .82rem; }
@media (max-width: 30rem) {
  body { padding: 1.4rem .8rem 3rem; }
  figure { padding: .9rem; }
  .group { grid-template-columns: 1fr; }
  svg text { font-size: 17px; } svg text.mono { font-size: 16px; }
}
.base-ink { color: var(--base); } .parent-ink { color: var(--parent); }
.adapter-ink { color: var(--adapter); }
.base_grounded-ink { color: var(--base); }
.adapter_grounded-ink { color: var(--adapter); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td {
  text-align: left; padding: .42rem .8rem .42rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line);
}
td code, th code { white-space: nowrap; }
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.how { min-width: 12rem; }
tbody th { color: var(--ink); font-weight: 500; }
tr.current td, tr.current th { font-weight: 600; }
details.more { margin: .8rem 0; }
details.more > summary { cursor: pointer; color: var(--parent); padding: .3rem 0; }
details.question { border-bottom: 1px solid var(--line); }
details.question > summary {
  display: grid; grid-template-columns: 6rem 1fr; gap: .7rem;
  padding: .6rem .2rem; cursor: pointer; list-style: none;
}
details.question > summary::-webkit-details-marker { display: none; }
details.question > summary:hover { background: var(--faint); }
summary:focus-visible, a:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--parent); outline-offset: 2px; border-radius: 2px;
}
.verdict-of { font-weight: 600; white-space: nowrap; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.tag { color: var(--soft); font-size: .85rem; }
.answers { display: grid; gap: .8rem; padding: .2rem .2rem 1.2rem; }
.answers { grid-template-columns: repeat(auto-fit, minmax(min(14.5rem, 100%), 1fr)); }
.answers > div { min-width: 0; border-top: 3px solid var(--line); padding-top: .4rem; }
.answers .of-fact { border-color: var(--good); }
.answers .of-base { border-color: var(--base); }
.answers .of-parent { border-color: var(--parent); }
.answers .of-adapter { border-color: var(--adapter); }
.answers .of-base_grounded { border-color: var(--base); }
.answers .of-adapter_grounded { border-color: var(--adapter); }
.answers pre {
  margin: .3rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere;
  max-height: 20rem; overflow-y: auto; line-height: 1.45;
}
.question-text { overflow-wrap: anywhere; min-width: 0; }
footer { margin-top: 3.5rem; color: var(--soft); font-size: .88rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print {
  :root { color-scheme: light; --paper: #ffffff; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  nav { display: none; }
  h2, h3, summary { break-after: avoid; }
  figure, .tile, tr, .answers > div { break-inside: avoid; }
  .scroll { overflow: visible; }
  .answers pre { max-height: none; }
  details::details-content { content-visibility: visible; display: block; }
}
"""
