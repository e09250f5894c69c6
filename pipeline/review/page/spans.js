// Spans: a text of tokens in which people mark stretches. Tokens are selected with the mouse, a finger or the keyboard.

export class SpanEditor {
  // `host`: the element of the text; `changed`: called with a sentence whenever the selection or the spans change.
  constructor(host, changed) {
    this.host = host;
    this.changed = changed;
    this.tokens = [];
    this.spans = [];
    this.anchor = null;
    this.focus = null;
    host.tabIndex = 0;
    host.setAttribute("role", "group");
    host.addEventListener("keydown", (event) => this.key(event));
    host.addEventListener("click", (event) => this.click(event));
    document.addEventListener("selectionchange", () => this.selected());
  }

  get help() { return "Arrows move, with Shift they select; a number marks, Delete removes the mark, Enter saves."; }

  show(tokens, spans) {
    this.tokens = tokens.slice(0, -1);
    this.tail = tokens.length ? tokens[tokens.length - 1][0] : "";
    this.spans = spans.map((span) => [...span]);
    this.anchor = this.focus = null;
    this.host.setAttribute("aria-label", `Text. ${this.help}`);
    this.draw();
    this.host.focus();
  }

  get range() { return this.focus === null ? null : [Math.min(this.anchor, this.focus), Math.max(this.anchor, this.focus) + 1]; }

  // Marks the selection as a span of a type, in place of the spans that it touches; "" only removes these.
  mark(type) {
    if (!this.range) return this.changed("select some text first");
    const [start, end] = this.range;
    this.spans = this.spans.filter((span) => span[1] <= start || span[0] >= end);
    if (type) this.spans.push([start, end, type]);
    this.spans.sort((one, other) => one[0] - other[0]);
    this.draw();
    this.changed(type ? `${this.words(start, end)}: ${type}` : `removed from ${this.words(start, end)}`);
  }

  words(start, end) { return this.tokens.slice(start, end).map(([, token]) => token).join(""); }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.tokens.length) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      const from = this.focus === null ? (steps[event.key] > 0 ? -1 : this.tokens.length) : this.focus;
      this.focus = Math.max(0, Math.min(this.tokens.length - 1, from + steps[event.key]));
      if (!event.shiftKey || this.anchor === null) this.anchor = this.focus;
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.mark("");
    } else return;
    event.preventDefault();
    if (event.key in steps) { this.draw(); this.changed(`selected ${this.words(...this.range)}`); }
  }

  place(node) {
    const element = node && (node.nodeType === Node.TEXT_NODE ? node.parentElement : node);
    const token = element && this.host.contains(element) && element.closest("[data-place]");
    return token ? Number(token.dataset.place) : null;
  }

  // A click chooses the span that it hits, or else the token.
  click(event) {
    if (!window.getSelection().isCollapsed) return;
    const place = this.place(event.target);
    if (place === null) return;
    const hit = this.spans.find((span) => span[0] <= place && place < span[1]);
    [this.anchor, this.focus] = hit ? [hit[0], hit[1] - 1] : [place, place];
    this.draw();
    this.changed(`selected ${this.words(...this.range)}`);
  }

  selected() {
    const selection = window.getSelection();
    if (selection.isCollapsed || !selection.rangeCount) return;
    const range = selection.getRangeAt(0);
    const touched = [...this.host.querySelectorAll("[data-place]")].filter((token) => range.intersectsNode(token) && !this.edge(range, token));
    if (!touched.length || !this.host.contains(range.commonAncestorContainer)) return;
    this.anchor = Number(touched[0].dataset.place);
    this.focus = Number(touched[touched.length - 1].dataset.place);
    this.changed(`selected ${this.words(...this.range)}`);
  }

  // Whether a range only touches the end or the start of a token.
  edge(range, token) {
    const inside = document.createRange();
    inside.selectNodeContents(token);
    return range.compareBoundaryPoints(Range.END_TO_START, inside) >= 0 || range.compareBoundaryPoints(Range.START_TO_END, inside) <= 0;
  }

  draw() {
    const starts = new Map(this.spans.map((span) => [span[0], span]));
    const parts = [];
    for (let place = 0; place < this.tokens.length;) {
      const span = starts.get(place) || [place, place + 1];
      const inner = [];
      for (let each = place; each < span[1]; each++) inner.push(this.between(each), this.token(each));
      parts.push(inner.shift(), ...(starts.has(place) ? [this.stretch(inner, span[2])] : inner));
      place = span[1];
    }
    this.host.replaceChildren(...parts, this.tail);
  }

  between(place) { return this.tokens[place][0]; }

  token(place) {
    const made = document.createElement("span");
    made.dataset.place = place;
    made.textContent = this.tokens[place][1];
    if (this.range && this.range[0] <= place && place < this.range[1]) made.className = "chosen";
    return made;
  }

  stretch(inner, type) {
    const made = document.createElement("mark");
    made.className = "span";
    made.append(...inner);
    if (type) {
      const small = document.createElement("small");
      small.textContent = type;
      made.append(small);
    }
    return made;
  }
}
