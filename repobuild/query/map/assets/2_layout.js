// Place the nodes below one as nested rectangles: a squarified treemap.
//
// A group that is large enough has a strip for its name above what it contains, so no
// name is ever drawn over another. What would be too small to see is left out.
//
// Source: Bruls, Huizing, van Wijk, Squarified Treemaps (2000).

const STRIP = 18; // pixels: height of a name
const NAMED = 50; // least width of a cell with a name; in less, too little of it is seen
const LEAST = 4; // pixels: a smaller rectangle is left out
const MOST_CELLS = 6000;

function layout(tree, top, width, height) {
  const cells = [];
  // Breadth first, so that what is left out of too many is the smallest of the deepest.
  const waiting = [{ n: top, x: 0, y: 0, w: width, h: height, depth: 0 }];
  for (let at = 0; at < waiting.length && cells.length < MOST_CELLS; at++) {
    const cell = waiting[at];
    cells.push(cell);
    const inner = room(tree, cell);
    if (inner) waiting.push(...squarify(tree, cell, inner));
  }
  return cells;
}

// The rectangle for what a cell contains; null for none.
function room(tree, cell) {
  const kids = tree.shown(cell.n);
  cell.isOpen = false;
  if (!kids.length) return null;
  const isGroup = cell.n === 0 || tree.graph.isArea(cell.n);
  cell.strip = cell.depth && cell.w >= NAMED && cell.h >= STRIP + 14 ? STRIP : 0;
  const edge = cell.depth === 0 ? 0 : Math.min(3, cell.w / 14, cell.h / 14);
  const inner = {
    x: cell.x + edge,
    y: cell.y + Math.max(edge, cell.strip),
    w: cell.w - 2 * edge,
    h: cell.h - edge - Math.max(edge, cell.strip),
  };
  const space = inner.w * inner.h / kids.length;
  // Elements are opened where most of them can have a name.
  if (!isGroup && cell.depth && (space < 1200 || inner.w < 70 || inner.h < 40)) return null;
  if (inner.w < 6 || inner.h < 6) return null;
  cell.isOpen = true;
  return inner;
}

function squarify(tree, cell, inner) {
  const { weights } = tree;
  const kids = tree.shown(cell.n).sort((a, b) => weights[b] - weights[a] || a - b);
  const total = kids.reduce((sum, n) => sum + weights[n], 0);
  const scale = inner.w * inner.h / total;
  const found = [];
  let { x, y, w, h } = inner;
  for (let at = 0; at < kids.length;) {
    const side = Math.min(w, h);
    let end = at, sum = 0, worst = Infinity;
    for (; end < kids.length; end++) {
      const more = sum + weights[kids[end]] * scale;
      const ratio = proportion(weights[kids[at]] * scale, weights[kids[end]] * scale, more, side);
      if (ratio > worst) break;
      [sum, worst] = [more, ratio];
    }
    const thick = sum / side;
    let along = 0;
    for (; at < end; at++) {
      const length = weights[kids[at]] * scale / thick;
      const box = w >= h ? { x, y: y + along, w: thick, h: length } : { x: x + along, y, w: length, h: thick };
      if (box.w >= LEAST && box.h >= LEAST) found.push({ n: kids[at], ...box, depth: cell.depth + 1 });
      along += length;
    }
    if (w >= h) [x, w] = [x + thick, w - thick];
    else [y, h] = [y + thick, h - thick];
    if (w <= 0 || h <= 0) break;
  }
  return found;
}

// The worst proportion of a row whose largest and smallest areas are given.
function proportion(largest, smallest, sum, side) {
  const square = side * side;
  return Math.max(square * largest / (sum * sum), sum * sum / (square * smallest));
}
