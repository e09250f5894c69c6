// The page of the review. Texts and labels are put into the page as text, never as markup.
import { SpanEditor } from "./spans.js";
import { WordEditor } from "./words.js";

const KEYED = 9; // labels that have a key
const WHY = {
  doubtful: "doubtful: models that were trained without this row expect another label",
  error: "the model answers otherwise",
  unsure: "the model is unsure",
  teaches: "chosen because its label would teach the model much",
};
const find = (id) => document.getElementById(id);
let token = "";
let queue = null; // what the server says of all texts
let item = null; // the text that is shown
let place = -1; // its place in the queue
let chosen = new Set(); // of several labels
let busy = false;
let editor = null; // of spans or words

const inTokens = () => queue.form === "spans" || queue.form === "words";

function element(tag, content = "", className = "") {
  const made = document.createElement(tag);
  made.className = className;
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  return made;
}

function say(message, wrong = false) {
  find("state").textContent = message;
  find("state").classList.toggle("wrong", wrong);
}

async function ask(address, value) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const options = value === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(value) };
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new Error("zhpipe review no longer runs: start it again, and it goes on here");
  }
  const found = await response.json();
  if (!response.ok) throw new Error(found.error ? found.error.message : `status ${response.status}`);
  return found;
}

// One request at a time; what goes wrong is said, and nothing moves on.
async function during(work) {
  if (busy) return;
  busy = true;
  document.body.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  } finally {
    busy = false;
    document.body.setAttribute("aria-busy", "false");
  }
}

function stretchText([start, end, type]) {
  const token = item.tokens.slice(start, end).map(([, each]) => each).join("");
  return queue.form === "words" ? [token, type].filter(Boolean).join("/") : `${token} ${type}`;
}

function written(value) {
  if (value === null) return "none";
  if (!Array.isArray(value)) return value;
  const separator = queue.form === "words" ? " " : ", ";
  return value.map((one) => (Array.isArray(one) ? stretchText(one) : one)).join(separator) || "none";
}

// A label as it is written; of words, those that the other side lacks stand out.
function beside(value, other) {
  if (queue.form !== "words" || value === null || other === null) return [element("b", written(value))];
  const known = new Set(other.map(String));
  return value.flatMap((word) => [element(known.has(String(word)) ? "span" : "b", stretchText(word)), " "]);
}

function progress() {
  const done = queue.decided.filter(Boolean).length;
  const all = queue.decided.length;
  find("counts").textContent = `${done} of ${all} decided, ${all - done} left`;
  find("progress").value = all ? done / all : 1;
}

function button(name, number) {
  const made = element("button", number < KEYED ? [element("kbd", String(number + 1)), " ", element("span", name)] : [element("span", name)]);
  made.type = "button";
  made.lang = "zh";
  made.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the selection of the text
  made.addEventListener("click", () => choose(name));
  if (!inTokens()) {
    const has = (value) => (Array.isArray(value) ? value.includes(name) : value === name);
    if (has(item.old)) made.append(element("span", "given", "given"));
    if (has(item.answer)) made.append(element("span", "suggested", "suggested"));
    const pressed = queue.form === "labels" ? chosen.has(name) : item.decided === name;
    made.setAttribute("aria-pressed", String(pressed));
  }
  return made;
}

function labels() {
  const wanted = find("filter").value.trim().toLowerCase();
  const buttons = queue.labels.map((name, number) => [name, button(name, number)]);
  find("labels").replaceChildren(...buttons.filter(([name]) => name.toLowerCase().includes(wanted)).map(([, made]) => made));
}

function marked([piece, share]) {
  if (!share) return piece;
  const made = element("mark", piece, share > 0 ? "for" : "against");
  made.style.setProperty("--effect", Math.abs(share));
  return made;
}

function text() {
  if (inTokens()) {
    editor.show(item.tokens, item.decided || item.old || item.answer || []);
    return;
  }
  find("text").replaceChildren(...item.pieces.map(marked));
  find("legend").hidden = !item.pieces.some(([, share]) => share);
}

function draw() {
  const where = [item.part, `row ${item.row} of ${item.file}`, WHY[item.reason]].filter(Boolean);
  find("where").textContent = where.join(" · ");
  const sure = `${(100 * item.confidence).toFixed(0)} %`;
  const between = queue.form === "words" ? element("br") : " · ";
  find("beside").replaceChildren("given ", ...beside(item.old, item.answer), between, "suggested ", ...beside(item.answer, item.old), ` (${sure})`);
  chosen = new Set(queue.form === "labels" ? item.decided || item.old || item.answer || [] : []);
  find("keep").hidden = item.old === null;
  find("accept").hidden = item.answer === null;
  find("filter").value = "";
  text();
  labels();
}

async function show(next) {
  place = next;
  const left = place >= 0;
  find("card").hidden = !left;
  find("done").hidden = left;
  progress();
  if (!left) {
    find("after").textContent = `All decisions are in ${queue.file}. Stop zhpipe review with Ctrl-C; it says how to apply them.`;
    find("undo-last").focus();
    return;
  }
  item = await ask(`v1/items/${place}`);
  draw();
}

// The next text that is not decided; those that were skipped come again at the end.
function following() {
  const all = queue.decided.length;
  for (let step = 1; step <= all; step++) {
    const next = (place + step + all) % all;
    if (!queue.decided[next]) return next;
  }
  return -1;
}

const decide = (value) => during(async () => {
  if (place < 0) return;
  const row = item.row;
  queue = await ask(`v1/items/${place}`, { new: value });
  say(`row ${row}: ${written(value)}`);
  await show(following());
});

const skip = () => during(async () => {
  if (place < 0) return;
  say(`row ${item.row} skipped; it comes again at the end`);
  await show(following());
});

const undo = () => during(async () => {
  const found = await ask("v1/undo", {});
  queue = found;
  say(found.place === null ? "there is nothing to take back" : "taken back");
  await show(found.place === null ? (place >= 0 ? place : following()) : found.place);
});

function choose(name) {
  if (queue.form === "label") return decide(name);
  if (inTokens()) return editor.mark(name);
  if (!chosen.delete(name)) chosen.add(name);
  labels();
  say(written([...chosen]));
}

function save() {
  if (queue.form === "labels") decide([...chosen]);
  if (inTokens()) decide(editor.spans);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !queue) return;
  if (event.target === find("filter")) {
    if (event.key === "Escape") { find("filter").value = ""; labels(); find("filter").blur(); }
    if (event.key === "Enter") { find("labels").querySelector("button")?.click(); find("filter").blur(); }
    return;
  }
  const key = event.key.toLowerCase();
  if (key === "u") return undo();
  if (place < 0 || busy) return;
  if (/^[1-9]$/.test(key) && Number(key) <= queue.labels.length) return choose(queue.labels[Number(key) - 1]);
  if (key === "k" && item.old !== null) return decide(item.old);
  if (key === "a" && item.answer !== null) return decide(item.answer);
  if (key === "s") return skip();
  if (key === "enter" && !event.target.closest("button")) return save();
  if (key === "/" && !find("filter").hidden) { event.preventDefault(); find("filter").focus(); }
}

const HINTS = {
  label: "1 to 9 decide at once. What is decided is on the disk at once.",
  labels: "1 to 9 add and remove labels, Enter saves.",
};

function edit() {
  const told = (message) => say(message);
  editor = queue.form === "words" ? new WordEditor(find("text"), told, queue.words_are_given) : new SpanEditor(find("text"), told);
  find("erase").hidden = queue.words_are_given;
  if (queue.form === "words") find("erase").replaceChildren(element("kbd", "Backspace"), " join");
}

function wire() {
  find("title").textContent = queue.title;
  find("save").hidden = queue.form === "label";
  find("filter").hidden = queue.labels.length <= KEYED;
  if (inTokens()) edit();
  find("hint").textContent = HINTS[queue.form] || editor.help;
  find("save").addEventListener("click", save);
  find("erase").addEventListener("mousedown", (event) => event.preventDefault());
  find("erase").addEventListener("click", () => editor.mark(""));
  find("keep").addEventListener("click", () => decide(item.old));
  find("accept").addEventListener("click", () => decide(item.answer));
  find("skip").addEventListener("click", skip);
  find("undo").addEventListener("click", undo);
  find("undo-last").addEventListener("click", undo);
  find("filter").addEventListener("input", labels);
  document.addEventListener("keydown", press);
}

// The token stands behind the # of the address; it is kept for this tab alone, so that the page can be loaded again.
function secret() {
  if (location.hash.length > 1) {
    sessionStorage.setItem("token", location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token") || "";
}

during(async () => {
  token = secret();
  if (!token) throw new Error("open the address that zhpipe review printed, with all that stands behind the #");
  queue = await ask("v1/queue");
  wire();
  await show(following());
});
