// Show everything about one node, about a commit, or about the repository.

const SHOWN = 8; // of a list, before it is unfolded

function showPanel(page) {
  const { panel } = page;
  const made = page.selected ? nodePanel(page, page.selected)
    : page.tree.k ? commitPanel(page) : repositoryPanel(page);
  panel.replaceChildren(...made.filter(Boolean));
  panel.scrollTop = 0;
}

function nodePanel(page, n) {
  const { graph, tree } = page;
  const made = [
    make("p", { class: "kind", text: kindLine(page, n) }),
    make("h2", { text: graph.isElement(n) ? tree.qualified(n) : tree.name(n) }),
    pathLine(page, n),
  ];
  if (graph.signatures[n]) made.push(make("pre", {}, make("code", { text: graph.signatures[n] })));
  const own = page.marks.get(n);
  if (own) made.push(markLine(page, n, own));
  const phrases = graph.phrasesOf(n);
  if (phrases.length) {
    made.push(make("h3", { text: "For" }), make("ul", {}, ...phrases.map((phrase) => make(
      "li", { text: phrase.text },
      make("span", { class: "kind", text: `  ${phrase.source}, ${phrase.sure}` }),
    ))));
  }
  if (!graph.isElement(n)) made.push(zoomButton(page, n));
  const scopes = graph.scopes.get(n);
  if (scopes?.length) made.push(...textList("Directories", scopes));
  const { out, into, beside } = page.relations;
  if (graph.isElement(n)) made.push(...elementRelations(page, out, into));
  else made.push(...summedRelations(page, out, into));
  made.push(...nodeList(page, "Changes with", ranked(page, beside), (one) => one.weight.toFixed(2)));
  made.push(...contents(page, n));
  if (page.tree.k) made.push(make("p", { class: "kind", text: "Dependencies are those of the indexed commit." }));
  return made;
}

function kindLine(page, n) {
  const { graph, tree } = page;
  if (graph.isArea(n)) return `${graph.kindName(n)}, ${plural(tree.files[n], "file")}`;
  const lines = graph.lines[n];
  const first = graph.starts[n];
  if (!lines) return `${graph.kindName(n)}, not in the indexed commit`;
  if (graph.kinds[n] === "f") return `file, ${plural(lines, "line")}`;
  return `${graph.kindName(n)}, ${lines === 1 ? "line" : "lines"} ${first}${lines > 1 ? `–${first + lines - 1}` : ""}`;
}

// Where it is defined: the file, and its line of the hierarchy.
function pathLine(page, n) {
  const { graph, tree } = page;
  const made = make("p", { class: "small" });
  if (graph.isElement(n)) {
    made.append("Defined in ", link(page, tree.file(n), tree.name(tree.file(n))));
    if (graph.lines[n]) made.append(`:${graph.starts[n]}`);
    made.append(make("br"));
  }
  const line = tree.line(graph.isElement(n) ? tree.file(n) : n).slice(1, -1);
  line.forEach((one, place) => made.append(place ? " › " : "", link(page, one, tree.name(one))));
  return made;
}

function markLine(page, n, mark) {
  const text = { d: "removed by this commit", a: "added by this commit" }[mark.what];
  const made = make("p", {}, make("span", { class: `mark ${mark.what}`, text: MARK_SIGNS[mark.what] }), " ");
  made.append(text ?? MARK_NAMES[mark.what], mark.text ? ` (${markText(mark)})` : "");
  return made;
}

function markText(mark) {
  return mark.what === "c" ? mark.text : `before: ${mark.text}`;
}

function elementRelations(page, out, into) {
  const lists = { out, into };
  return RELATIONS.flatMap(([title, way, kind]) => {
    const found = ranked(page, lists[way]).filter((one) => one.kinds[kind]);
    return nodeList(page, title, found, () => "");
  });
}

function summedRelations(page, out, into) {
  const kinds = (one) => one.kinds
    .map((number, kind) => number && plural(number, EDGE_NAMES[kind])).filter(Boolean).join(", ");
  return [
    ...nodeList(page, "Depends on (callees, bases, imports)", ranked(page, out), kinds),
    ...nodeList(page, "Depended on by (callers, subclasses, importers)", ranked(page, into), kinds),
  ];
}

function contents(page, n) {
  const { tree } = page;
  const found = tree.shown(n).map((one) => ({ n: one }));
  if (page.graph.isArea(n)) found.sort((a, b) => tree.weights[b.n] - tree.weights[a.n]);
  return nodeList(page, "Contains", found, (one) => page.graph.phrasesOf(one.n)[0]?.text
    ?? (page.graph.isArea(one.n) ? plural(tree.files[one.n], "file") : ""), true);
}

// A title and links; what is more than a few is unfolded by a button.
function nodeList(page, title, found, note, isInside = false) {
  if (!found.length) return [];
  const list = make("ul");
  const row = (one) => {
    const made = make("li", {}, link(page, one.n, listed(page, one.n, isInside)));
    const text = note(one);
    if (text) made.append(make("span", { class: "kind", text: `  ${text}` }));
    return made;
  };
  list.append(...found.slice(0, SHOWN).map(row));
  const made = [make("h3", { text: `${title}, ${found.length}` }), list];
  if (found.length > SHOWN) {
    const more = make("button", { type: "button", class: "plain-button", text: `${found.length - SHOWN} more` });
    more.addEventListener("click", () => {
      list.append(...found.slice(SHOWN, 500).map(row));
      if (found.length > 500) list.append(make("li", { text: `and ${found.length - 500} more` }));
      list.children[SHOWN].querySelector("button").focus();
      more.remove();
    });
    made.push(more);
  }
  return made;
}

function listed(page, n, isInside) {
  const { graph, tree } = page;
  if (!graph.isElement(n)) return isInside ? tree.short(n) : tree.name(n);
  return isInside ? tree.name(n) : `${tree.qualified(n)} in ${tree.short(tree.file(n))}`;
}

function link(page, n, text) {
  return make("button", {
    type: "button", class: "link", text, title: page.tree.id(n) || page.graph.title,
    click: () => page.reveal(n),
  });
}

function zoomButton(page, n) {
  if (page.top === n || !page.tree.shown(n).length) return null;
  return make("button", { type: "button", class: "plain-button", text: "Zoom in", click: () => page.zoom(n) });
}

function textList(title, texts) {
  const list = make("ul", {}, ...texts.slice(0, SHOWN).map((text) => make("li", {}, make("code", { text }))));
  if (texts.length > SHOWN) list.append(make("li", { class: "kind", text: `and ${texts.length - SHOWN} more` }));
  return [make("h3", { text: title }), list];
}

function plural(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function commitPanel(page) {
  const commit = page.graph.history.commits[page.tree.k - 1];
  const made = [
    make("p", { class: "kind", text: `commit ${commit.id.slice(0, 10)}, ${commit.date}` }),
    make("h2", { text: commit.subject }),
    make("p", { text: `${plural(commit.files, "file")} changed.${hierarchyNote(page)}` }),
  ];
  if (commit.unread) made.push(make("p", { text: "Too much changed, or could not be read, to compare all elements." }));
  for (const what of Object.keys(MARK_NAMES)) {
    const marks = commit.marks.filter((mark) => mark[0] === what);
    made.push(...nodeList(page, `${MARK_SIGNS[what]} ${MARK_NAMES[what]}`, marks.map(([, n, text]) => ({ n, what, text })),
      (one) => [page.graph.isArea(one.n) ? page.graph.kindName(one.n) : "", one.text && markText(one)].filter(Boolean).join(", ")));
  }
  if (!commit.marks.length) made.push(make("p", { text: "No file or element of the map changed." }));
  return made;
}

// What is known of the hierarchy at the commit that is shown.
function hierarchyNote(page) {
  const older = page.graph.history.commits[page.tree.k - 1].mode;
  if (!older) return " Older commits are not shown: this one changed too many files.";
  return older === "built" ? " The hierarchy before it was built then."
    : " The hierarchy before it was not built; it is carried back from this one.";
}

function repositoryPanel(page) {
  const { graph, tree } = page;
  let elements = 0;
  for (let n = 1; n < graph.current; n++) elements += graph.isElement(n);
  const areas = tree.shown(0).sort((a, b) => tree.weights[b] - tree.weights[a]).map((n) => ({ n }));
  return [
    make("p", { class: "kind", text: "repository" }),
    make("h2", { text: graph.title }),
    make("p", { text: `${plural(tree.files[0], "file")}, ${plural(elements, "element")}, ${plural(graph.edgeFrom.length, "dependency edge")}.` }),
    make("p", { text: "A rectangle is a file, or a group of files by what they are for; it grows with their lines; tests, documents and tooling take half the room. Select one to see what it depends on and what depends on it; select it again to zoom in." }),
    ...nodeList(page, "Areas", areas, (one) => plural(tree.files[one.n], "file")),
    make("h3", { text: "Keys" }),
    keys([["/", "search"], ["← →", "the node before, after"], ["↑ ↓", "out, in"], ["Enter", "zoom in"], ["Esc", "zoom out"], ["[ ]", "one commit back, on"]]),
  ];
}

function keys(rows) {
  return make("ul", {}, ...rows.map(([key, text]) => make("li", {}, make("kbd", { text: key }), ` ${text}`)));
}
