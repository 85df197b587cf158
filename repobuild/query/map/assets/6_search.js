// Find nodes by words in names, paths and features.

const MOST_FOUND = 40;

class Search {
  constructor(page) {
    this.page = page;
    this.input = document.getElementById("search");
    this.list = document.getElementById("found");
    this.at = -1;
    this.input.addEventListener("input", () => this.find());
    this.input.addEventListener("focus", () => { if (this.input.value) this.find(); });
    this.input.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".search")) this.close();
    });
  }

  // Texts are made at the first search: names, paths, phrases, in lower case.
  prepare() {
    const { graph, tree } = this.page;
    if (this.texts?.tree === tree) return;
    const names = [], paths = [], phrases = [];
    for (let n = 0; n < graph.count; n++) {
      const isElement = graph.isElement(n);
      names.push((n === 0 ? "" : isElement ? tree.qualified(n) : tree.name(n)).toLowerCase());
      paths.push(isElement ? names[tree.file(n)] : "");
      phrases.push(graph.phrasesOf(n).map((phrase) => phrase.text).join("; "));
    }
    this.texts = { tree, names, paths, phrases };
  }

  // How well a node fits; 0 where a term is missing, unless some are enough.
  score(n, terms, isSomeEnough) {
    const { names, paths, phrases } = this.texts;
    const name = names[n];
    let sum = 0;
    for (const term of terms) {
      const at = name.lastIndexOf(term);
      if (at >= 0) {
        const isStart = at === 0 || "./_".includes(name[at - 1]);
        const isEnd = at + term.length === name.length;
        sum += 10 + (isStart ? 6 : 0) + (isStart && isEnd ? 8 : 0);
      } else if (` ${phrases[n]}`.includes(` ${term}`)) sum += 9;
      else if (phrases[n].includes(term)) sum += 4;
      else if (paths[n].includes(term)) sum += 2;
      else if (!isSomeEnough) return 0;
    }
    return sum && sum - Math.min(name.length, 80) / 40;
  }

  find() {
    const terms = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!terms.length) return this.close();
    this.prepare();
    const found = this.matches(terms, false);
    this.show(found.length ? found : this.matches(terms, true));
  }

  matches(terms, isSomeEnough) {
    const { graph, tree } = this.page;
    const found = [];
    for (let n = 1; n < graph.count; n++) {
      const score = this.score(n, terms, isSomeEnough);
      if (score > 0 && tree.isThere(n)) found.push([n, tree.isTest(n) ? score / 2 : score]);
    }
    return found.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  }

  show(found) {
    const { page } = this;
    this.found = found.slice(0, MOST_FOUND).map(([n]) => n);
    this.at = -1;
    const options = this.found.map((n, place) => make(
      "div",
      { class: "option", role: "option", id: `found-${place}`, "aria-selected": "false", click: () => this.choose(n) },
      listed(page, n, false),
      make("small", { text: [page.graph.kindName(n), page.graph.phrasesOf(n)[0]?.text].filter(Boolean).join(": ") }),
    ));
    const rest = found.length - this.found.length;
    const note = found.length ? rest && `and ${rest} more` : "nothing found";
    if (note) options.push(make("div", { class: "option small", text: note }));
    this.list.replaceChildren(...options);
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    page.highlight(new Set(found.map(([n]) => n)));
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found?.length) {
      event.preventDefault();
      this.move((this.at + step + this.found.length) % this.found.length);
    } else if (event.key === "Enter" && this.found?.length) {
      this.choose(this.found[Math.max(0, this.at)]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.close();
    }
  }

  move(place) {
    this.list.children[this.at]?.setAttribute("aria-selected", "false");
    this.at = place;
    const option = this.list.children[place];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  choose(n) {
    this.close();
    this.page.reveal(n, true);
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.page.highlight(null);
  }
}
