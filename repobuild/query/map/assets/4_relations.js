// Find what a node depends on, what depends on it, and what changes with it.
//
// Between elements relations have the names that the field has for them. Of a file, an
// area or the like the edges of all that it contains are added up, by file or by the
// nodes beside it. Edges are those of the indexed commit.

const RELATIONS = [
  // [title, of edges that lead, kind]
  ["Callers (they call it)", "into", 0],
  ["Callees (it calls them)", "out", 0],
  ["Bases (it inherits from them)", "out", 1],
  ["Subclasses", "into", 1],
  ["Reads", "out", 2],
  ["Read by", "into", 2],
  ["Imports", "out", 3],
  ["Imported by", "into", 3],
];

// {out, into, beside}: node -> {weight, kinds: edges of each kind}.
function relationsOf(page, n) {
  const { graph, tree } = page;
  const own = new Uint8Array(graph.count);
  for (const one of tree.inside(n)) own[one] = 1;
  const lift = liftTo(page, n);
  const out = new Map(), into = new Map(), beside = new Map();
  for (let at = 0; at < graph.edgeFrom.length; at++) {
    const from = graph.edgeFrom[at], to = graph.edgeTo[at];
    if (own[from] === own[to]) continue;
    if (own[from]) count(out, lift(to), graph.edgeKind[at], 1);
    else count(into, lift(from), graph.edgeKind[at], 1);
  }
  const list = graph.cochange, file = tree.file(n);
  for (let at = 0; at < list.length; at += 3) {
    const one = list[at], two = list[at + 1], strength = list[at + 2] / 1000;
    const a = own[one] || one === file, b = own[two] || two === file;
    if (a !== b) count(beside, lift(a ? two : one), 0, strength);
  }
  for (const found of [out, into, beside]) { found.delete(0); found.delete(n); }
  return { out, into, beside };
}

// Elements are compared with elements, files with files, an area with areas.
function liftTo(page, n) {
  const { graph, tree } = page;
  if (graph.isElement(n)) return (other) => other;
  if (graph.kinds[n] === "f") return (other) => tree.file(other);
  const level = Math.max(1, tree.line(n).length - 1);
  const known = new Map();
  return (other) => {
    const file = tree.file(other);
    if (!known.has(file)) known.set(file, tree.line(file)[level] ?? 0);
    return known.get(file);
  };
}

function count(found, n, kind, weight) {
  let entry = found.get(n);
  if (!entry) found.set(n, entry = { weight: 0, kinds: [0, 0, 0, 0] });
  entry.weight += weight;
  entry.kinds[kind] += weight;
}

// Nodes by weight, those of tests after all others.
function ranked(page, found) {
  const { tree } = page;
  return [...found].map(([n, entry]) => ({ n, ...entry, isTest: tree.isTest(n) }))
    .sort((a, b) => a.isTest - b.isTest || b.weight - a.weight || a.n - b.n);
}
