"""The page's style sheet: one column, two colour schemes, nothing fetched.

Grey is the base, blue the parent, orange the adapter, in plots and text alike; every
plot also tells them apart by shape or by label, for readers who see no difference.
"""

from __future__ import annotations

CSS = """
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1d2126; --soft: #5d646d;
  --line: #e2dfd8; --faint: #f1efea;
  --base: #7d858e; --parent: #3573ae; --adapter: #c4560d;
  --good: #26734d; --bad: #b3261e; --warn: #fdf1dc; --warn-ink: #7a4b00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14161a; --card: #1b1e23; --ink: #e7e6e3; --soft: #a2a8b0;
    --line: #31353c; --faint: #23272d;
    --base: #98a0a9; --parent: #7db3e6; --adapter: #f49a55;
    --good: #6fc796; --bad: #f28b82; --warn: #3a2d14; --warn-ink: #f3cf8e;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 68rem;
  background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
    "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  font-variant-numeric: tabular-nums;
}
code, pre, .mono {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .88em;
}
h1 { margin: 0; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.015em; }
h2 {
  margin: 3.2rem 0 .4rem; font-size: 1.3rem; line-height: 1.3;
  letter-spacing: -.01em;
}
h3 { margin: 0 0 .6rem; font-size: 1rem; }
p { margin: .4rem 0 1rem; max-width: 44rem; }
.soft, figcaption, dt { color: var(--soft); }
.verdict { font-size: 1.18rem; line-height: 1.5; margin: 1.2rem 0 1.4rem; }
.badge {
  display: inline-block; padding: .12rem .6rem; border-radius: 99px;
  border: 1px solid currentColor; font-size: .82rem; font-weight: 600;
  color: var(--good); vertical-align: .3em; margin-left: .5rem;
}
.badge.held { color: var(--bad); }
.notice {
  background: var(--warn); color: var(--warn-ink); border-radius: 8px;
  padding: .8rem 1rem; max-width: none;
}
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.8rem; margin: .7rem 0 0; }
.facts div { display: flex; gap: .45rem; }
.facts dd { margin: 0; }
.cards { display: grid; gap: 1.2rem; grid-template-columns: 1fr 1fr; }
@media (max-width: 52rem) { .cards { grid-template-columns: 1fr; } }
.card, figure {
  margin: 0 0 1.2rem; padding: 1.1rem 1.2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; min-width: 0;
}
.cards > * { margin: 0; }
.card > svg { margin: .8rem 0 1rem; }
figcaption { font-size: .9rem; margin-top: .6rem; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 13px; fill: var(--ink); }
svg .soft { fill: var(--soft); }
svg .axis, svg .grid { stroke: var(--line); stroke-width: 1; }
svg .base { fill: var(--base); stroke: var(--base); }
svg .parent { fill: var(--parent); stroke: var(--parent); }
svg .adapter { fill: var(--adapter); stroke: var(--adapter); }
svg text.base, svg text.parent, svg text.adapter { stroke: none; }
svg .bar { stroke: none; opacity: .82; }
svg .whisker { stroke: var(--ink); stroke-width: 1.3; opacity: .75; }
svg .ink { stroke: var(--soft); fill: var(--soft); }
svg .dashed { stroke-dasharray: 6 4; }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .thin { fill: none; stroke-width: 1; opacity: .35; }
svg .hollow { fill: var(--card); stroke-width: 2; }
svg .link { stroke: var(--line); stroke-width: 3; }
.base-ink { color: var(--base); } .parent-ink { color: var(--parent); }
.adapter-ink { color: var(--adapter); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td {
  text-align: left; padding: .42rem .7rem .42rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line);
}
th { font-weight: 600; color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; }
tbody th { color: var(--ink); font-weight: 500; }
tr.current td, tr.current th { font-weight: 600; }
details.question { border-bottom: 1px solid var(--line); }
details.question > summary {
  display: grid; grid-template-columns: 4.2rem 5rem 1fr; gap: .7rem;
  padding: .6rem .2rem; cursor: pointer; list-style: none;
}
details.question > summary::-webkit-details-marker { display: none; }
details.question > summary:hover { background: var(--faint); }
summary:focus-visible, a:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--parent); outline-offset: 2px;
}
.share { text-align: right; font-weight: 600; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.tag { color: var(--soft); font-size: .85rem; }
.answers { display: grid; gap: .8rem; padding: .2rem .2rem 1.2rem; }
.answers { grid-template-columns: repeat(auto-fit, minmax(14.5rem, 1fr)); }
.answers > div { min-width: 0; border-top: 3px solid var(--line); padding-top: .4rem; }
.answers .of-base { border-color: var(--base); }
.answers .of-parent { border-color: var(--parent); }
.answers .of-adapter { border-color: var(--adapter); }
.answers pre {
  margin: .3rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere;
  max-height: 20rem; overflow-y: auto; line-height: 1.45;
}
.question-text { overflow-wrap: anywhere; }
footer { margin-top: 3.5rem; color: var(--soft); font-size: .88rem; }
@media print { details.question { break-inside: avoid; } }
"""
