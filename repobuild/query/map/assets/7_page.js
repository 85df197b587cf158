// Hold what is shown: the commit, the zoom and the selection; and answer keys.

class Page {
  constructor(graph) {
    this.graph = graph;
    for (const name of ["stage", "map", "drawn", "panel", "crumbs", "slider"]) {
      this[name] = document.getElementById(name);
    }
    this.top = 0;
    this.selected = 0;
    this.hits = null;
    this.showEdges = true;
    this.showCochange = false;
    this.relations = { out: new Map(), into: new Map(), beside: new Map() };
    this.setCommit(0);
    this.search = new Search(this);
    this.listen();
  }

  // ------------------------------------------------------------------ what is shown

  setCommit(k) {
    this.tree = new Tree(this.graph, k);
    this.marks = new Map();
    this.insideMarks = new Set(); // nodes that contain one with a mark
    for (const [what, n, text] of k ? this.graph.history.commits[k - 1].marks : []) this.mark(k, what, n, text);
    if (!this.tree.isThere(this.top)) this.top = 0;
    if (!this.tree.isThere(this.selected)) this.selected = 0;
  }

  mark(k, what, n, text) {
    const known = this.marks.get(n);
    if (known && known.what !== "c") return; // the first says most
    const moved = this.graph.history.was.filter((one) => one[0] === n && one[1] === k && one[3] >= 0);
    this.marks.set(n, { what, text, from: moved.length ? moved[moved.length - 1][3] : -1 });
    if (this.graph.isArea(n)) return;
    for (const one of this.tree.line(n).slice(1, -1)) this.insideMarks.add(one);
  }

  draw() {
    const focused = this.map.contains(document.activeElement) ? Number(document.activeElement.dataset.n) : 0;
    drawCells(this);
    this.drawCrumbs();
    this.drawSelection();
    if (focused) this.focusCell(focused);
  }

  focusCell(n) {
    const element = this.cellOf.get(n)?.element ?? this.cellOf.get(this.selected)?.element;
    (element ?? this.map.firstElementChild)?.focus({ preventScroll: true });
  }

  drawSelection() {
    if (this.selected) this.relations = relationsOf(this, this.selected);
    drawLines(this);
    showPanel(this);
    for (const cell of this.cells) {
      cell.element?.setAttribute("tabindex", "-1");
      cell.element?.setAttribute("aria-selected", String(cell.n === this.selected));
    }
    (this.cellOf.get(this.selected)?.element ?? this.map.firstElementChild)?.setAttribute("tabindex", "0");
    this.remember();
  }

  drawCrumbs() {
    const line = this.tree.line(this.top);
    this.crumbs.replaceChildren(...line.flatMap((n, place) => [
      place ? " › " : "",
      n === this.top ? make("strong", { text: this.tree.short(n) })
        : make("button", { type: "button", class: "link", text: this.tree.short(n), click: () => this.zoom(n) }),
    ]));
  }

  describe(n) {
    const { tree, graph } = this;
    const mark = this.marks.get(n);
    const phrase = graph.phrasesOf(n)[0]?.text;
    return [
      `${graph.kindName(n)} ${graph.isElement(n) ? tree.qualified(n) : tree.name(n)}`,
      phrase, graph.isArea(n) && plural(tree.files[n], "file"), mark && MARK_NAMES[mark.what],
    ].filter(Boolean).join(": ");
  }

  // --------------------------------------------------------------------- what is done

  select(n, isFocused = false) {
    this.selected = n;
    this.drawSelection();
    if (isFocused) this.cellOf.get(n)?.element?.focus({ preventScroll: true });
  }

  zoom(n) {
    this.top = this.tree.shown(n).length ? n : this.tree.parents[n];
    if (n === 0) this.selected = 0;
    this.draw();
    this.focusCell(this.selected);
  }

  // Select a node wherever it is, and zoom so far that its cell is seen.
  reveal(n, isFocused = false) {
    if (!this.tree.isThere(n)) return this.showText(n);
    this.selected = n;
    const isInside = n !== this.top && this.tree.line(n).includes(this.top);
    if (!isInside || !this.cellOf.has(n)) {
      this.top = isInside ? this.top : 0;
      for (const one of this.tree.line(n).slice(0, -1)) {
        if (this.tree.line(one).length <= this.tree.line(this.top).length && one !== this.top) continue;
        this.top = one;
        drawCells(this);
        const cell = this.cellOf.get(n);
        if (cell && cell.w > 30 && cell.h > 16) break;
      }
      this.draw();
    } else this.drawSelection();
    if (isFocused) this.cellOf.get(n)?.element?.focus();
    else this.panel.focus({ preventScroll: true });
  }

  // A node that this commit has not: it is described, and no cell is selected.
  showText(n) {
    this.selected = 0;
    drawLines(this);
    this.selected = n;
    this.relations = relationsOf(this, n);
    showPanel(this);
    this.panel.focus({ preventScroll: true });
  }

  highlight(hits) {
    if (!hits && !this.hits) return;
    this.hits = null;
    if (hits) {
      this.hits = new Set();
      for (const n of hits) for (const one of this.tree.line(n)) this.hits.add(one);
    }
    for (const cell of this.cells) {
      cell.element?.classList.toggle("miss", Boolean(this.hits) && !cell.isOpen && !this.hits.has(cell.n));
    }
  }

  goTo(k) {
    const { commits } = this.graph.history;
    k = Math.max(0, Math.min(commits.length, k));
    this.slider.value = String(commits.length - k);
    this.selected = 0;
    this.setCommit(k);
    this.draw();
    this.tellCommit();
  }

  tellCommit() {
    const { commits } = this.graph.history;
    const { k } = this.tree;
    const commit = commits[k - 1];
    const text = document.getElementById("commit");
    document.getElementById("older").disabled = k >= commits.length;
    document.getElementById("newer").disabled = k <= 0;
    if (!commit) {
      text.textContent = `Now. Move the slider to see what each of the last ${plural(commits.length, "commit")} did.`;
    } else {
      const counts = Object.keys(MARK_NAMES).map((what) => [what, commit.marks.filter((mark) => mark[0] === what).length]);
      text.replaceChildren(
        make("strong", { text: `${commit.id.slice(0, 8)} ` }), `${commit.date} ${commit.subject} `,
        ...counts.filter(([, number]) => number).flatMap(([what, number]) => [
          make("span", { class: `mark ${what}`, text: `${MARK_SIGNS[what]} ${number} ${MARK_NAMES[what]}` }), " ",
        ]),
      );
    }
    this.slider.setAttribute("aria-valuetext", commit ? `${commit.id.slice(0, 8)}, ${commit.subject}` : "now");
  }

  // ------------------------------------------------------------- the page's address

  // Soon, because browsers refuse more than a few changes a second.
  remember() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => this.writeAddress(), 150);
  }

  writeAddress() {
    const commit = this.graph.history.commits[this.tree.k - 1];
    const parts = [this.tree.id(this.selected), this.tree.id(this.top), commit?.id.slice(0, 12) ?? ""];
    const text = parts.some(Boolean) ? `#${parts.map(encodeURIComponent).join("&")}` : "#";
    if (text !== (location.hash || "#")) history.replaceState(null, "", text);
  }

  recall() {
    let [selected, top, commit] = ["", "", ""];
    try {
      [selected, top, commit] = location.hash.slice(1).split("&").map(decodeURIComponent);
    } catch { /* an address that nobody wrote here */ }
    const k = commit ? this.graph.history.commits.findIndex((one) => one.id.startsWith(commit)) + 1 : 0;
    this.slider.value = String(this.graph.history.commits.length - k);
    this.setCommit(k);
    const byId = new Map();
    if (selected || top) for (let n = 1; n < this.graph.count; n++) byId.set(this.tree.id(n), n);
    const asked = byId.get(top) ?? 0;
    this.top = this.tree.isThere(asked) ? asked : 0;
    this.draw();
    this.tellCommit();
    const wanted = byId.get(selected) ?? 0;
    if (wanted && this.tree.isThere(wanted)) this.reveal(wanted);
  }

  // --------------------------------------------------------------------------- input

  listen() {
    this.map.addEventListener("click", (event) => this.clicked(event));
    this.map.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => this.globalKey(event));
    this.slider.addEventListener("input", () => this.goTo(this.slider.max - this.slider.value));
    document.getElementById("older").addEventListener("click", () => this.goTo(this.tree.k + 1));
    document.getElementById("newer").addEventListener("click", () => this.goTo(this.tree.k - 1));
    document.getElementById("show-edges").addEventListener("change", (event) => {
      this.showEdges = event.target.checked;
      drawLines(this);
    });
    document.getElementById("show-cochange").addEventListener("change", (event) => {
      this.showCochange = event.target.checked;
      drawLines(this);
    });
    addEventListener("hashchange", () => this.recall());
    new ResizeObserver(() => this.resized()).observe(this.stage);
  }

  resized() {
    const size = `${this.stage.clientWidth} ${this.stage.clientHeight}`;
    if (size === this.size) return;
    this.size = size;
    if (this.cells) this.draw();
  }

  clicked(event) {
    const n = Number(event.target.closest("[data-n]")?.dataset.n ?? 0);
    if (n && n === this.selected && n !== this.top && this.tree.shown(n).length) this.zoom(n);
    else this.select(n, true);
  }

  key(event) {
    const at = Number(event.target.closest("[data-n]")?.dataset.n ?? 0);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    let next = 0;
    if (step) next = this.beside(at, step);
    else if (event.key === "ArrowDown") next = this.cellsIn(at)[0];
    else if (event.key === "ArrowUp") next = at === this.top ? 0 : this.tree.parents[at];
    else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (at && at !== this.top && this.tree.shown(at).length) this.zoom(at);
      return;
    } else return;
    event.preventDefault();
    if (next && this.cellOf.get(next)?.element) this.select(next, true);
  }

  globalKey(event) {
    const isTyping = event.target.matches?.("input[type=search]");
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
    if (event.key === "/") {
      event.preventDefault();
      document.getElementById("search").focus();
    } else if (event.key === "Escape" && this.top) {
      this.selected = this.top;
      this.zoom(this.tree.parents[this.top]);
    } else if (event.key === "Escape") this.select(0);
    else if (event.key === "[") this.goTo(this.tree.k + 1);
    else if (event.key === "]") this.goTo(this.tree.k - 1);
  }

  // The drawn cells within a node, in the order in which they are placed.
  cellsIn(n) {
    return this.tree.shown(n).filter((one) => this.cellOf.has(one))
      .sort((a, b) => this.cells.indexOf(this.cellOf.get(a)) - this.cells.indexOf(this.cellOf.get(b)));
  }

  beside(n, step) {
    const all = this.cellsIn(n === this.top ? n : this.tree.parents[n]);
    return all[(all.indexOf(n) + step + all.length) % all.length];
  }
}

function showLegend() {
  const ways = [["is-out", "depends on (callees)"], ["is-in", "depended on by (callers)"], ["is-with", "changes with"]];
  const rows = ways.map(([way, text]) => make("li", {}, make("span", { class: `swatch ${way}` }), text));
  document.getElementById("legend").replaceChildren(...rows);
}

function showHead(graph) {
  const { indexed_commit: commit, commits_behind: behind, dirty_files: dirty } = graph.freshness;
  const parts = [`as of ${commit}`];
  if (behind) parts.push(`${plural(behind, "commit")} behind HEAD`);
  const changed = dirty.length + (graph.freshness.more_dirty_files ?? 0);
  if (changed) parts.push(`${plural(changed, "changed file")} not in it`);
  document.getElementById("title").textContent = graph.title;
  document.getElementById("about").textContent = parts.join(", ");
}

async function start() {
  const data = document.getElementById("data");
  const graph = new Graph(await unpack(data.textContent));
  data.remove();
  showHead(graph);
  showLegend();
  const { commits } = graph.history;
  const slider = document.getElementById("slider");
  document.getElementById("history").hidden = !commits.length;
  slider.max = String(commits.length);
  slider.value = slider.max;
  const page = window.repositoryMap = new Page(graph); // for the console, and tests
  page.recall();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start().catch((error) => {
  const problem = document.getElementById("problem");
  problem.hidden = false;
  problem.textContent = typeof DecompressionStream === "undefined"
    ? "This browser is too old to unpack the map; one of 2023 or later can."
    : `The map cannot be drawn: ${error.message}`;
  throw error;
});
