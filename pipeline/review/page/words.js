// Words: a text whose words people cut and join, and whose tags they choose. Every token belongs to one word.
import { SpanEditor } from "./spans.js";

export class WordEditor extends SpanEditor {
  // `given`: each token is a word, which can't be cut or joined; others as of SpanEditor.
  constructor(host, changed, given) {
    super(host, changed);
    this.given = given;
    host.classList.add("words");
  }

  get help() {
    if (this.given) return "Click a word, or go to it with the arrows; a number gives it a tag. Enter saves.";
    return "Click between two characters to cut or join. With the keyboard: arrows move, Space cuts before the selected character, "
      + "Backspace joins it with what stands before; with Shift and arrows several are selected, which Backspace makes one word. Enter saves.";
  }

  show(tokens, words) {
    super.show(tokens, words.length ? words : tokens.slice(0, -1).map((_, place) => [place, place + 1, ""]));
  }

  word(place) { return this.spans.find(([start, end]) => start <= place && place < end); }

  // Makes the words begin anew at places, and nowhere else between `start` and `end`; a word keeps the tag that its first token had.
  divide(start, end, places) {
    const begins = new Set(this.spans.map((word) => word[0]).filter((place) => place <= start || place >= end));
    places.filter((place) => place < this.tokens.length).forEach((place) => begins.add(place));
    const sorted = [...begins].sort((one, other) => one - other);
    this.spans = sorted.map((place, number) => [place, sorted[number + 1] ?? this.tokens.length, this.word(place)[2]]);
  }

  cut(place) {
    if (this.given || place <= 0 || place >= this.tokens.length) return;
    this.divide(place, place, [place]);
    this.tell(`cut before ${this.words(...this.word(place))}`);
  }

  join(place) {
    if (this.given || place <= 0 || place >= this.tokens.length) return;
    this.divide(place - 1, place + 1, []);
    this.tell(`one word: ${this.words(...this.word(place))}`);
  }

  toggle(place) {
    if (this.word(place)[0] === place) this.join(place);
    else this.cut(place);
  }

  // Several selected tokens become one word, in place of those that they touch.
  unite() {
    const [start, end] = this.range;
    this.divide(start, end, [start, end]);
    this.tell(`one word: ${this.words(start, end)}`);
  }

  // Gives the selected word a tag; several selected tokens become a word first, unless the words are given.
  mark(type) {
    if (!this.range) return this.changed("select a word first");
    if (!type) return this.joined();
    const [start, end] = this.range;
    if (!this.given && end - start > 1) this.unite();
    for (const word of this.spans) if (word[0] < end && word[1] > start) word[2] = type;
    this.tell(`${this.words(start, end)}: ${type}`);
  }

  joined() {
    if (!this.range) return this.changed("select a character first");
    const [start, end] = this.range;
    if (end - start > 1 && !this.given) this.unite();
    else this.join(start);
  }

  tell(message) {
    this.draw();
    this.changed(message);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.tokens.length) return;
    const [start, end] = this.range || [null, null];
    if (start !== null && event.key === " ") this.cut(start);
    else if (start !== null && event.key === "Delete") this.join(end);
    else if (event.key === "Backspace") this.joined();
    else return super.key(event);
    event.preventDefault();
  }

  click(event) {
    const gap = event.target.closest("[data-gap]");
    if (gap && window.getSelection().isCollapsed) this.toggle(Number(gap.dataset.gap));
    else super.click(event);
  }

  between(place) {
    const text = super.between(place);
    if (this.given || place === 0) return text;
    const made = document.createElement("span");
    made.className = this.word(place)[0] === place ? "gap cut" : "gap";
    made.dataset.gap = place;
    made.textContent = text;
    return made;
  }
}
