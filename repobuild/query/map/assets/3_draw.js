// Make an element of the page for each cell of the map, and lines between them.

const MARK_SIGNS = { a: "+", d: "−", m: "→", r: "≈", c: "~", s: "→" };
const MARK_NAMES = {
  a: "added", d: "removed", m: "moved", r: "renamed", c: "changed",
  s: "sorted elsewhere",
};
const HUES = [212, 28, 150, 280, 350, 185, 95, 320];
const MOST_LINES = 40; // in each direction

function make(tag, given = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") made.textContent = value;
    else if (name === "click") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...inside);
  return made;
}

function drawCells(page) {
  const { tree, graph, stage, map } = page;
  page.cells = layout(tree, page.top, stage.clientWidth, stage.clientHeight);
  page.cellOf = new Map(page.cells.map((cell) => [cell.n, cell]));
  const hues = new Map(tree.shown(0).filter((n) => !isGrey(graph, n))
    .sort((a, b) => a - b).map((n, index) => [n, HUES[index % HUES.length]]));
  const made = document.createDocumentFragment();
  for (const cell of page.cells) {
    if (!cell.depth && page.top === 0) continue;
    cell.element = drawCell(page, cell, hues);
    made.append(cell.element);
  }
  map.replaceChildren(made);
}

function isGrey(graph, n) { return GREY_AREAS.has(graph.areaIds.get(n)); }

function drawCell(page, cell, hues) {
  const { tree, graph } = page;
  const { n } = cell;
  const mark = page.marks.get(n)?.what ?? (page.insideMarks.has(n) ? "c" : "");
  const area = tree.area(n);
  const classes = ["cell", LEVELS[graph.kinds[n]] ?? "element"];
  if (isGrey(graph, area)) classes.push("grey");
  if (tree.k) classes.push("past");
  if (mark && !cell.isOpen || page.marks.has(n)) classes.push(mark);
  if (page.hits && !page.hits.has(n) && !cell.isOpen) classes.push("miss");
  const name = page.describe(n);
  const made = make("div", {
    class: classes.join(" "), role: "treeitem", tabindex: "-1", "data-n": n, title: name,
    "aria-label": name, "aria-level": cell.depth + 1,
  });
  const { style } = made;
  style.setProperty("--hue", hues.get(area) ?? 40);
  style.left = `${cell.x}px`;
  style.top = `${cell.y}px`;
  style.width = `${Math.max(1, cell.w - 1)}px`;
  style.height = `${Math.max(1, cell.h - 1)}px`;
  if (cell.w < NAMED || cell.h < 20 || cell.isOpen && !cell.strip && cell.depth) return made;
  if (!cell.depth) return made;
  const sign = page.marks.has(n) || mark && !cell.isOpen ? `${MARK_SIGNS[mark]} ` : "";
  made.append(make("span", { class: "name", text: sign + tree.short(n) }));
  const phrase = cell.isOpen ? "" : graph.phrasesOf(n)[0]?.text;
  if (phrase && cell.w >= 90 && cell.h >= 40) {
    const note = make("span", { class: "note", text: phrase });
    note.style.maxHeight = `${Math.floor((cell.h - 20) / 15) * 15}px`;
    made.append(note);
  }
  return made;
}

// The cell of a node, or of the nearest around it; undefined where none is drawn.
function cellAround(page, n) {
  for (; n > 0; n = page.tree.parents[n]) if (page.cellOf.has(n)) return page.cellOf.get(n);
  return undefined;
}

function drawLines(page) {
  for (const cell of page.cells) cell.element?.classList.remove("selected", "is-out", "is-in", "is-with");
  page.drawn.replaceChildren();
  drawMoves(page);
  const own = page.cellOf.get(page.selected);
  if (!page.selected || !own?.element) return;
  own.element.classList.add("selected");
  const { out, into, beside } = page.relations;
  if (page.showEdges) {
    drawTo(page, own, out, "out");
    drawTo(page, own, into, "in");
  }
  if (page.showCochange) drawTo(page, own, beside, "with");
}

// Lines between the selected cell and the cells of others, the strongest first.
function drawTo(page, own, others, way) {
  const strengths = new Map();
  for (const [n, { weight }] of others) {
    const cell = cellAround(page, n);
    if (!cell?.element || cell === own || isAround(page, cell.n, own.n)) continue;
    strengths.set(cell, (strengths.get(cell) ?? 0) + weight);
  }
  const ranked = [...strengths].sort((a, b) => b[1] - a[1]);
  const most = ranked[0]?.[1];
  ranked.forEach(([cell, weight], place) => {
    cell.element.classList.add(`is-${way}`);
    if (place >= MOST_LINES) return;
    const [from, to] = way === "in" ? [cell, own] : [own, cell];
    drawLine(page, from, to, way, 1 + 3 * Math.sqrt(weight / most));
  });
}

function isAround(page, n, inner) {
  for (; inner > 0; inner = page.tree.parents[inner]) if (inner === n) return true;
  return false;
}

function middle(cell) {
  const y = cell.isOpen && cell.strip ? cell.y + STRIP / 2 : cell.y + cell.h / 2;
  return [cell.x + cell.w / 2, y];
}

function drawLine(page, from, to, way, width) {
  const [x1, y1] = middle(from), [x2, y2] = middle(to);
  const bend = 0.14;
  const x = (x1 + x2) / 2 - (y2 - y1) * bend, y = (y1 + y2) / 2 + (x2 - x1) * bend;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", `M${x1} ${y1}Q${x} ${y} ${x2} ${y2}`);
  line.setAttribute("class", `to-${way}`);
  line.setAttribute("stroke-width", width.toFixed(1));
  if (way !== "with") line.setAttribute("marker-end", `url(#head-${way})`);
  page.drawn.append(line);
}

// From where a node was before the commit to where it is now.
function drawMoves(page) {
  for (const [n, { from }] of page.marks) {
    const old = from >= 0 ? cellAround(page, from) : undefined, now = cellAround(page, n);
    if (old?.element && now?.element && old !== now) drawLine(page, old, now, "moved", 1.5);
  }
}
