"use strict";
// The page of the service. What the models answer is put into the page as text, never as markup.

const PAUSE = 250; // milliseconds after the last key
const WATCHED = 1000; // milliseconds between two looks at how far a table is
const TINTS = 5; // colours of types, see page.css
const SUFFIXES = { csv: "text/csv", tsv: "text/tab-separated-values", jsonl: "application/jsonl" };
const find = (id) => document.getElementById(id);
let models = [];
let asked = 0;
let timer = 0;
let file = null;

function element(tag, content = "", className = "") {
  const made = document.createElement(tag);
  made.className = className;
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  return made;
}

function headers(more = {}) {
  const token = find("token-field").value.trim();
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function reply(response) {
  const found = await response.json();
  if (!response.ok) throw new Error(found.error ? found.error.message : `status ${response.status}`);
  return found;
}

function say(id, message, wrong = false) {
  find(id).textContent = message;
  find(id).classList.toggle("wrong", wrong);
}

async function list() {
  const response = await fetch("v1/models", { headers: headers() });
  find("token").hidden = response.status !== 401;
  models = (await reply(response)).models;
  const boxes = models.map((model) => {
    const box = element("input");
    box.type = "checkbox";
    box.value = model.name;
    box.checked = true;
    box.addEventListener("change", ask);
    return element("label", [box, ` ${model.name}`]);
  });
  find("models").replaceChildren(...boxes);
  const choices = models.map((model) => {
    const choice = element("option", model.name);
    choice.value = model.name;
    return choice;
  });
  find("table-model").replaceChildren(...choices);
}

async function start() {
  try {
    await list();
    say("state", "");
  } catch (error) {
    say("state", error.message, true);
  }
}

function bars(row, model) {
  const shares = model.labels.map((label) => [label, row[`p:${label}`]]).filter(([, share]) => typeof share === "number");
  shares.sort((one, other) => other[1] - one[1]);
  const given = model.label_separator ? row.label.split(model.label_separator) : [row.label];
  const cells = shares.slice(0, 12).flatMap(([label, share]) => {
    const bar = element("div", [element("span")], "bar");
    bar.firstChild.style.width = `${100 * share}%`;
    return [element("span", label, given.includes(label) ? "first" : ""), bar, element("span", `${(100 * share).toFixed(1)} %`, "number")];
  });
  return element("div", cells, "bars");
}

// A colour for each type of entity or tag of a model, by its place; the type stands beside it too.
function tint(part, type, model) {
  const types = [...new Set(model.labels.map((label) => label.replace(/^[BIMES]-/, "")))];
  part.classList.add(`tint-${types.indexOf(type) % TINTS}`);
  return part;
}

// `obeyed`: the parts of the text that obey the model's dictionary, [start, end].
function fromDictionary(part, start, end, obeyed) {
  if (!obeyed.some(([first, last]) => first <= start && end <= last)) return part;
  part.classList.add("dictionary");
  part.title = [part.title, "from the dictionary"].filter(Boolean).join(", ");
  return part;
}

function entities(row, text, model, obeyed) {
  const characters = Array.from(text);
  const parts = [];
  let place = 0;
  for (const found of JSON.parse(row.entities)) {
    parts.push(characters.slice(place, found.start).join(""));
    const mark = element("mark", [characters.slice(found.start, found.end).join(""), element("small", found.type)]);
    mark.title = `${found.type}, ${(100 * found.confidence).toFixed(1)} %`;
    parts.push(fromDictionary(tint(mark, found.type, model), found.start, found.end, obeyed));
    place = found.end;
  }
  parts.push(characters.slice(place).join(""));
  return element("div", parts, "text");
}

// Inside a word, white space and backslashes are written \\s, \\t, \\n, \\r, \\u3000 and \\\\.
function unescaped(word) {
  const meant = { s: " ", t: "\t", n: "\n", r: "\r" };
  return word.replace(/\\(u[0-9a-f]{4}|.)/g, (_, code) => (code.length > 1 ? String.fromCharCode(parseInt(code.slice(1), 16)) : meant[code] || code));
}

function words(row, text, model, obeyed) {
  const tags = (row.tags || "").split(" ");
  let place = 0; // in UTF-16 units
  const parts = row.words.split(" ").map(unescaped).map((word, number) => {
    const start = Math.max(place, text.indexOf(word, place));
    place = start + word.length;
    const part = element("span", tags[number] ? [word, element("small", tags[number])] : word, "word");
    const [first, last] = [start, place].map((units) => Array.from(text.slice(0, units)).length);
    return fromDictionary(tags[number] ? tint(part, tags[number], model) : part, first, last, obeyed);
  });
  return element("div", parts, "text");
}

function surprisal(row, text) {
  const characters = Array.from(text);
  const parts = JSON.parse(row.surprisal).map(([start, end, bits]) => {
    const part = element("span", end > start ? characters.slice(start, end).join("") : " end ", "bits");
    part.style.background = `color-mix(in srgb, var(--wrong) ${Math.min(50, 4 * bits)}%, transparent)`;
    part.title = `${bits.toFixed(1)} bits`;
    return part;
  });
  const note = element("p", `perplexity ${row.perplexity}; the stronger the colour, the more surprising`, "note");
  return element("div", [element("div", parts, "text"), note]);
}

async function post(model, route, body) {
  const address = `v1/models/${encodeURIComponent(model.name)}/${route}`;
  const options = { method: "POST", headers: headers({ "Content-Type": "application/json" }), body: JSON.stringify(body) };
  return reply(await fetch(address, options));
}

const FINISHES = { end: "the text ends here", length: "cut after 100 tokens", time: "cut, as it took too long" };

// A button that lets a language model write on, each time another text.
function continuing(model, text) {
  const button = element("button", "Continue the text");
  const written = element("div", "", "text");
  const note = element("p", "", "note");
  const warmth = element("input");
  Object.assign(warmth, { type: "range", min: 0, max: 1.5, step: 0.1, value: 0.8 });
  written.setAttribute("aria-live", "polite");
  button.type = "button";
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const found = await post(model, "continue", { prompt: text, temperature: Number(warmth.value), seed });
      const [{ text: more, finish }] = found.continuations;
      written.replaceChildren(text, element("b", more));
      note.textContent = FINISHES[finish];
    } catch (error) {
      note.textContent = error.message;
    }
    button.disabled = false;
  });
  const choice = element("label", ["likely ", warmth, " surprising"]);
  return element("div", [element("p", [button, choice], "more"), written, note]);
}

function answered(row, model, text, obeyed) {
  if (Object.values(row).every((cell) => cell === null)) return element("p", "no text, no answer");
  if (row.entities !== undefined) return entities(row, text, model, obeyed);
  if (row.words !== undefined) return words(row, text, model, obeyed);
  if (row.surprisal !== undefined) return surprisal(row, text);
  return bars(row, model);
}

async function answer(model, text) {
  const found = await post(model, "predict", { texts: [text], probabilities: true, dictionary: true });
  const obeyed = found.dictionary[0];
  const parts = [element("h3", `${model.name} (${model.task})`), answered(found.predictions[0], model, text, obeyed)];
  if (parts[1].querySelector(".dictionary")) parts.push(element("p", "dashed: as the model's dictionary says", "note"));
  if (model.generates) parts.push(continuing(model, text));
  return element("article", parts);
}

async function ask() {
  const text = find("text").value;
  const turn = ++asked;
  if (!text.trim()) {
    find("answers").replaceChildren();
    return say("state", "");
  }
  const chosen = new Set([...find("models").querySelectorAll("input:checked")].map((box) => box.value));
  try {
    const found = await Promise.all(models.filter((model) => chosen.has(model.name)).map((model) => answer(model, text)));
    if (turn !== asked) return; // a later text is on its way
    find("answers").replaceChildren(...found);
    say("state", "");
  } catch (error) {
    if (turn === asked) say("state", error.message, true);
  }
}

function cellsOf(line, separator) {
  const cells = [""];
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) cells.push("");
    else cells[cells.length - 1] += character;
  }
  return cells;
}

function columnsOf(head, suffix) {
  const line = head.replace(/^\ufeff/, "").split(/\r?\n/, 1)[0];
  return suffix === "jsonl" ? Object.keys(JSON.parse(line)) : cellsOf(line, suffix === "tsv" ? "\t" : ",");
}

async function choose(chosen) {
  file = chosen;
  say("outcome", "");
  try {
    const suffix = file.name.split(".").pop().toLowerCase();
    if (!(suffix in SUFFIXES)) throw new Error(`${file.name}: a file .csv, .tsv or .jsonl is expected`);
    const names = columnsOf(await file.slice(0, 1 << 16).text(), suffix);
    find("column").replaceChildren(...names.map((name) => element("option", name)));
    find("columns").hidden = false;
    say("outcome", file.name);
  } catch (error) {
    find("columns").hidden = true;
    say("outcome", error.message, true);
  }
}

function send(event) {
  event.preventDefault();
  const suffix = file.name.split(".").pop().toLowerCase();
  const watch = crypto.randomUUID ? crypto.randomUUID() : `table-${Date.now()}-${Math.floor(Math.random() * 1e9)}`; // none without TLS
  const query = new URLSearchParams({ text: find("column").value, probabilities: find("probabilities").checked, watch });
  const request = new XMLHttpRequest();
  request.open("POST", `v1/models/${encodeURIComponent(find("table-model").value)}/label?${query}`);
  request.responseType = "blob";
  for (const [name, value] of Object.entries(headers({ "Content-Type": SUFFIXES[suffix] }))) request.setRequestHeader(name, value);
  find("progress").hidden = false;
  request.upload.onprogress = (sent) => { if (sent.lengthComputable) find("progress").value = sent.loaded / sent.total; };
  request.upload.onload = () => { find("progress").removeAttribute("value"); say("outcome", "labelling"); };
  const watching = setInterval(() => tell(watch, request), WATCHED);
  request.onloadend = () => { clearInterval(watching); received(request, suffix); };
  request.send(file);
}

async function tell(watch, request) {
  const reply = await fetch(`v1/labelling/${watch}`, { headers: headers({}) }).catch(() => null);
  if (!reply || !reply.ok) return;
  const { rows } = await reply.json();
  if (rows && request.readyState < 4) say("outcome", `labelling: ${rows.toLocaleString("en")} rows are done`);
}

async function received(request, suffix) {
  find("progress").hidden = true;
  if (request.status !== 200) {
    const said = request.response ? JSON.parse(await request.response.text()) : null;
    return say("outcome", said ? said.error.message : "the service can't be reached", true);
  }
  const link = element("a", "");
  link.href = URL.createObjectURL(request.response);
  link.download = file.name.replace(new RegExp(`\\.${suffix}$`, "i"), `-labelled.${suffix}`);
  document.body.append(link); // Firefox asks for it
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000); // Firefox reads it later
  const count = (name) => request.getResponseHeader(`Zhpipe-${name}`);
  say("outcome", `${link.download}: ${count("Labelled")} of ${count("Rows")} rows labelled, ${count("Blank")} blank`);
}

find("text").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
find("token").addEventListener("submit", (event) => { event.preventDefault(); start(); });
find("file").addEventListener("change", (event) => { if (event.target.files.length) choose(event.target.files[0]); });
find("columns").addEventListener("submit", send);
find("table").addEventListener("dragover", (event) => { event.preventDefault(); find("table").classList.add("over"); });
find("table").addEventListener("dragleave", () => find("table").classList.remove("over"));
find("table").addEventListener("drop", (event) => {
  event.preventDefault();
  find("table").classList.remove("over");
  if (event.dataTransfer.files.length) choose(event.dataTransfer.files[0]);
});
start();
