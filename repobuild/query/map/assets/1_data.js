// Unpack the data, and answer what a node is called and where it is.
//
// A node is a number; the columns are described in map_nodes.py and map_history.py.
// Every text comes from the analysed repository: it is given to textContent only.

const LEVELS = { 0: "area", 1: "category", 2: "subcategory", f: "file" };
const KIND_NAMES = {
  r: "repository", 0: "area", 1: "category", 2: "subcategory", f: "file", c: "class",
  n: "function", m: "method", s: "section",
};
const EDGE_KINDS = ["calls", "inherits", "uses", "imports"];
const EDGE_NAMES = ["call", "base", "use", "import"];
const GREY_AREAS = new Set(["Tests", "Documentation", "Tooling", "Not sorted yet"]);

async function unpack(text) {
  const packed = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

class Graph {
  constructor(data) {
    const { kinds, names, parents, starts, lines, ids } = data.nodes;
    const { ghosts } = data.history;
    this.title = data.title;
    this.freshness = data.freshness;
    this.current = names.length; // from here on: what exists in earlier commits only
    this.count = names.length + ghosts.length;
    this.kinds = [...kinds, ...ghosts.map((ghost) => ghost[1])];
    this.names = [...names, ...ghosts.map((ghost) => ghost[0])];
    this.parents = new Int32Array(this.count);
    this.starts = new Int32Array(this.count);
    this.lines = new Int32Array(this.count);
    for (let n = 0, line = 0; n < this.current; n++) {
      this.parents[n] = n - parents[n];
      line += starts[n];
      this.starts[n] = line;
      this.lines[n] = lines[n];
    }
    ghosts.forEach((ghost, g) => { this.parents[this.current + g] = ghost[2]; });
    this.features = data.nodes.features;
    this.phrases = data.nodes.phrases;
    this.sources = data.nodes.sources;
    this.signatures = data.nodes.signatures;
    this.areas = [];
    for (let n = 1; n < this.current; n++) if (kinds[n] in { 0: 0, 1: 0, 2: 0 }) this.areas.push(n);
    this.areaIds = new Map(this.areas.map((n, index) => [n, ids[index]]));
    this.scopes = new Map(this.areas.map((n, index) => [n, data.scopes[index]]));
    this.history = data.history;
    this.readEdges(data);
  }

  readEdges(data) {
    const from = [], to = [], kind = [];
    EDGE_KINDS.forEach((name, which) => {
      const list = data.edges[name];
      for (let at = 0, source = 0; at < list.length;) {
        source += list[at++];
        for (let left = list[at++], target = 0; left > 0; left--) {
          target += list[at++];
          from.push(source);
          to.push(target);
          kind.push(which);
        }
      }
    });
    this.edgeFrom = Int32Array.from(from);
    this.edgeTo = Int32Array.from(to);
    this.edgeKind = Uint8Array.from(kind);
    this.cochange = data.cochange;
  }

  isArea(n) { return this.kinds[n] === "0" || this.kinds[n] === "1" || this.kinds[n] === "2"; }
  isElement(n) { return n > 0 && !this.isArea(n) && this.kinds[n] !== "f"; }
  kindName(n) { return KIND_NAMES[this.kinds[n]]; }

  phrasesOf(n) {
    const found = [];
    const list = this.features[n] || [];
    for (let at = 0; at < list.length; at += 2) {
      const [source, sure] = this.sources[list[at + 1]];
      found.push({ text: this.phrases[list[at]], source, sure });
    }
    return found;
  }
}

// The tree as of a commit: 0 is now, k the k-th newest commit.
class Tree {
  constructor(graph, k) {
    this.graph = graph;
    this.k = k;
    this.parents = graph.parents.slice();
    this.names = new Map();
    this.exists = new Uint8Array(graph.count).fill(1);
    const { born, ghosts, was, labels } = graph.history;
    for (let at = 0; at < born.length; at += 2) if (k > born[at + 1]) this.exists[born[at]] = 0;
    ghosts.forEach((ghost, g) => { if (k < ghost[3]) this.exists[graph.current + g] = 0; });
    for (const [n, since, name, parent] of was) {
      if (k <= since) continue;
      if (name) this.names.set(n, name);
      if (parent >= 0) this.parents[n] = parent;
    }
    for (const [n, since, label] of labels) if (k > since) this.names.set(n, label);
    this.index();
  }

  index() {
    const { graph, parents, exists } = this;
    this.first = new Int32Array(graph.count + 1);
    for (let n = 1; n < graph.count; n++) if (exists[n]) this.first[parents[n] + 1]++;
    for (let n = 0; n < graph.count; n++) this.first[n + 1] += this.first[n];
    const next = this.first.slice();
    this.below = new Int32Array(this.first[graph.count]);
    for (let n = 1; n < graph.count; n++) if (exists[n]) this.below[next[parents[n]]++] = n;
    this.weights = new Float64Array(graph.count).fill(-1);
    this.files = new Int32Array(graph.count); // below each node of the hierarchy
    this.weigh(0);
  }

  // Lines, to the power of 0.75: long files do not crowd out the others. Tests, documents
  // and tooling take half the room.
  weigh(n) {
    const { graph } = this;
    const isGroup = n === 0 || graph.isArea(n);
    let sum = 0;
    for (const child of this.children(n)) {
      sum += this.weigh(child);
      this.files[n] += this.files[child];
    }
    if (isGroup && !sum) this.exists[n] = n === 0 ? 1 : 0; // an area without files now
    if (graph.kinds[n] === "f") this.files[n] = 1;
    this.weights[n] = isGroup ? sum * (isGrey(graph, n) ? 0.5 : 1) : Math.max(graph.lines[n], 4) ** 0.75;
    return this.weights[n];
  }

  children(n) { return this.below.subarray(this.first[n], this.first[n + 1]); }
  shown(n) { return [...this.children(n)].filter((child) => this.exists[child]); }
  isThere(n) {
    for (; n > 0; n = this.parents[n]) if (!this.exists[n]) return false;
    return true;
  }
  name(n) { return n === 0 ? this.graph.title : this.names.get(n) ?? this.graph.names[n]; }
  short(n) { return this.graph.kinds[n] === "f" ? this.name(n).split("/").pop() : this.name(n); }

  file(n) {
    while (n > 0 && this.graph.kinds[n] !== "f") n = this.parents[n];
    return n;
  }

  // The qualified name of an element.
  qualified(n) {
    const parts = [];
    for (; this.graph.isElement(n); n = this.parents[n]) parts.unshift(this.name(n));
    return parts.join(".");
  }

  id(n) {
    if (n === 0) return "";
    if (this.graph.isArea(n)) return this.graph.areaIds.get(n);
    if (this.graph.kinds[n] === "f") return this.name(n);
    return `${this.name(this.file(n))}::${this.qualified(n)}`;
  }

  // From the repository down to the node.
  line(n) {
    const found = [n];
    while (n > 0) found.unshift(n = this.parents[n]);
    return found;
  }

  area(n) { return this.line(n)[1] ?? 0; }
  isTest(n) { return this.graph.areaIds.get(this.area(n)) === "Tests"; }

  *inside(n) {
    yield n;
    for (const child of this.children(n)) yield* this.inside(child);
  }
}
