"use strict";
// Shows one text at a time; its suggestions are accepted, rejected or corrected. All text reaches the page as text
// nodes, never as HTML. What is judged is shown only after the server has saved it.

const POLL = 3000; // milliseconds between two looks at the progress
const LONGEST = 60; // seconds that count for a judgement at most: a longer one is a break
const BIDI = /[\u202a-\u202e\u2066-\u2069]/; // would turn the tokens after it round
const text = $("text");
let item = null; // the text that is shown; its suggestions stay as they are until the next text
let points = []; // its characters as Python counts them: JavaScript counts some of them twice
let spans = []; // judged entities, and suggestions where nothing is judged, in the order of the text
let cells = []; // the element of each token
let gaps = []; // the element of the white space before each token
let anchor = 0; // the current tokens are those from `anchor` to `head`, in either direction
let head = 0;
let types = [];
let since = performance.now();
let queue = Promise.resolve();
let round = 0; // grows with each failure: the keys that were pressed before it are forgotten
let lost = false; // whether the server did not answer
let stop = null; // the token that Tab reaches beside the suggestions: the current one
let moving = false; // whether the page moves the focus itself
let from = null; // the token where a drag began

const first = () => Math.min(anchor, head);
const last = () => Math.max(anchor, head);
const words = (start, end) => points.slice(item.tokens[start][0], item.tokens[end - 1][1]).join("");
const overlaps = (one, other) => one.start < other.end && other.start < one.end;
const spanOf = (token) => spans.find(({ start, end }) => start <= token && token < end);
const spanHere = () => spans.find(({ start, end }) => start === first() && end === last() + 1);
const waiting = () => spans.filter((span) => "probability" in span);
const judged = (token) => item.judged.some(({ start, end }) => start <= token && token < end);

function short(content) {
  const letters = Array.from(content);
  const shown = letters.length <= 60 ? content : letters.slice(0, 57).join("") + "…";
  return BIDI.test(shown) ? `\u2068${shown}\u2069` : shown;
}

function say(sentence, wrong = false) {
  $("status").textContent = sentence;
  $("status").className = wrong ? "error" : "";
}

function failed(error) {
  round += 1;
  lost = error.status === 0;
  say(lost ? "The server does not answer: all judgements that you see are saved; start `tagger annotate` again and go on here." : error.message, true);
}

// The text

function open(found) {
  item = found;
  points = Array.from(item.text);
  since = performance.now();
  draw();
  const [span] = waiting();
  select(span ? span.start : 0, span ? span.end - 1 : 0);
}

function update(found) {
  if (found.id !== item?.id) return open(found);
  item = { ...item, judged: found.judged };
  draw();
  select(Math.min(anchor, cells.length - 1), Math.min(head, cells.length - 1));
}

function spansNow() {
  const found = item.judged.filter(({ type }) => type !== null);
  const taken = [...item.judged];
  for (const span of [...item.suggestions].sort((a, b) => b.probability - a.probability)) {
    if (taken.some((other) => overlaps(span, other))) continue;
    found.push(span);
    taken.push(span);
  }
  return found.sort((a, b) => a.start - b.start);
}

function draw() {
  spans = spansNow();
  const known = new Array(item.tokens.length).fill(false);
  for (const { start, end } of item.judged) known.fill(true, start, end);
  const opens = new Map(spans.map((span) => [span.start, span]));
  const parts = [];
  let [box, span, done] = [parts, null, 0];
  cells = [];
  gaps = [];
  item.tokens.forEach(([start, end], i) => {
    gaps.push(node("span", points.slice(done, start).join("")));
    box.push(gaps[i]);
    if (opens.has(i)) [span, box] = [opens.get(i), []];
    const content = points.slice(start, end).join("");
    const classes = ["token", known[i] ? "judged" : "", BIDI.test(content) ? "isolated" : ""].join(" ").trim();
    cells.push(node("span", content, { class: classes, role: "option", tabindex: -1, "aria-selected": false }));
    box.push(cells[i]);
    if (span?.end === i + 1) {
      parts.push(marked(span, box));
      [span, box] = [null, parts];
    }
    done = end;
  });
  parts.push(points.slice(done).join(""));
  cells.forEach((cell, i) => (cell.token = i));
  for (const { start } of waiting()) cells[start].tabIndex = 0;
  text.dir = ""; // with `auto`, Chromium would look for the direction again at each child: seconds for a long text
  text.replaceChildren(...parts);
  text.dir = "auto";
  $("why").textContent = item.why ? `Why this text: ${item.why}` : "";
  show(true);
}

function marked(span, content) {
  const open = "probability" in span;
  const label = node("small", open ? `${span.type}\u00a0${span.probability.toFixed(2)}` : `✓\u00a0${span.type}`, { "aria-hidden": true, dir: "ltr" });
  const names = { role: "group", "aria-label": `${open ? "suggested" : "judged"} ${span.type}`, "--hue": hueOf(types.indexOf(span.type)) };
  span.mark = node("mark", [...content, "\u00a0", label], { class: open ? "open" : "", ...names });
  return span.mark;
}

function show(working) {
  $("work").hidden = !working;
  $("done").hidden = working;
  for (const button of document.querySelectorAll("#types button, #accept, #reject, #rest, #skip")) button.disabled = !working;
}

// The current tokens

function select(one, other, focus = true) {
  const span = spanHere();
  for (let i = first(); i <= last(); i++) {
    cells[i]?.classList.remove("current");
    cells[i]?.setAttribute("aria-selected", false);
    gaps[i]?.classList.remove("current");
  }
  if (stop && !waiting().some(({ start }) => cells[start] === stop)) stop.tabIndex = -1;
  span?.mark.classList.remove("now");
  [anchor, head] = [one, other];
  for (let i = first(); i <= last(); i++) {
    cells[i].classList.add("current");
    cells[i].setAttribute("aria-selected", true);
    if (i > first()) gaps[i].classList.add("current");
  }
  const now = spanHere();
  now?.mark.classList.add("now");
  stop = cells[now ? now.start : head];
  stop.tabIndex = 0;
  stop.setAttribute("aria-label", described());
  if (!focus || $("help").open) return;
  moving = true;
  stop.focus();
  moving = false;
}

function described() {
  const [start, end, here] = [first(), last() + 1, spanHere()];
  const content = short(words(start, end));
  if (here) return `${content}: ${"probability" in here ? `suggested ${here.type}, ${Math.round(100 * here.probability)} percent` : `judged ${here.type}`}`;
  const part = spanOf(start);
  if (part) return `${content}: selected, in ${short(words(part.start, part.end))}, ${"probability" in part ? "suggested" : "judged"} ${part.type}`;
  return `${content}: ${judged(start) ? "judged no entity" : "not judged"}`;
}

function move(step, extend) {
  const within = (token) => Math.max(0, Math.min(token, cells.length - 1));
  if (extend) return select(anchor, within(head + step));
  const to = first() < last() ? (step < 0 ? first() : last()) : within(head + step);
  select(to, to);
}

function jump(step) {
  const others = step > 0 ? spans.filter(({ start }) => start > first()) : spans.filter(({ start }) => start < first()).reverse();
  if (others.length) select(others[0].start, others[0].end - 1);
}

function goOn(after) {
  const left = waiting();
  const span = left.find(({ start }) => start >= after) ?? left[0];
  if (span) select(span.start, span.end - 1);
  return left.length ? `${left.length} ${left.length === 1 ? "suggestion is" : "suggestions are"} left.` : "No suggestion is left: n for nothing else here, s to skip the rest.";
}

// What is done, one after the other in the order of the keys

// A key that was pressed at one text does nothing to the next one, which nobody has seen yet.
function act(work, anywhere = false) {
  const [own, id] = [round, item?.id];
  queue = queue.then(async () => {
    try {
      if (lost) await recover();
      if (own === round && (anywhere || (id !== undefined && id === item?.id))) await work();
    } catch (error) {
      failed(error);
    }
  });
  return queue;
}

function spent() {
  const seconds = Math.min(LONGEST, (performance.now() - since) / 1000);
  return Math.round(100 * seconds) / 100;
}

async function judge(start, end, type) {
  const content = short(words(start, end));
  const answer = await requested("api/judge", { item: item.id, start, end, type, seconds: spent() });
  since = performance.now();
  update(answer.item);
  say(`${content}: ${type ?? "no entity"}. ${goOn(end)}`);
  await progress();
}

const give = (type) => act(() => judge(first(), last() + 1, type));
const accept = () => act(async () => {
  const span = spanOf(first());
  if (span && "probability" in span) return judge(span.start, span.end, span.type);
  say("There is no suggestion here: press the number of a type, or x for no entity.");
});
const leave = (path, sentence) => act(async () => {
  const answer = await requested(path, { item: item.id, ...(path === "api/rest" ? { seconds: spent() } : {}) });
  since = performance.now();
  if (answer.item) update(answer.item);
  await next();
  say(item ? sentence : "");
  await progress();
});
const rest = () => leave("api/rest", "Nothing else is in the last text. This is the next one.");
const skip = () => leave("api/skip", "The rest of the last text stays unknown. This is the next one.");
const undo = () => act(async () => {
  const { item: found } = await requested("api/undo", {});
  if (!found) return say("There is nothing to take back.");
  const same = found.id === item?.id;
  const gone = same ? item.judged.find(({ id }) => !found.judged.some((other) => other.id === id)) : null;
  if (same) item.suggestions.push(...found.suggestions.filter((span) => !item.suggestions.some((other) => overlaps(span, other))));
  update(found);
  if (gone) select(gone.start, gone.end - 1);
  say(gone ? `Taken back: ${short(words(gone.start, gone.end))}.` : "Taken back; this is its text.");
  await progress();
}, true);

async function next() {
  const { item: found } = await requested(item ? `api/next?after=${item.id}` : "api/next");
  if (found) return open(found);
  item = null;
  show(false);
  $("done").focus();
}

async function begin() {
  await progress();
  await next();
}

// Look after the training and the server now and then.
async function look() {
  if (document.hidden) return;
  if (lost) act(() => {}, true);
  else await progress().catch(failed);
}

// The server may have come back with another project, in which the number means another text.
async function recover() {
  const answer = item && await requested(`api/item/${item.id}`).catch((error) => {
    if (error.status === 404) return null;
    throw error;
  });
  if (answer?.item.text === item?.text && item) update(answer.item);
  else {
    round += 1;
    item = null;
    await begin();
  }
  lost = false;
  say("The server answers again.");
}

async function progress() {
  const found = await requested("api/progress");
  const names = found.types.map(({ type }) => type);
  if (JSON.stringify(names) !== JSON.stringify(types)) {
    types = names;
    $("types").replaceChildren(...types.map(button));
  }
  const { score } = found;
  const parts = [
    node("li", `${found.judgements} ${found.judgements === 1 ? "judgement" : "judgements"}`),
    ...found.types.map(({ type, spans: number }, i) => node("li", `${type} ${number}`, { class: "type", "--hue": hueOf(i) })),
    node("li", `${found.texts_judged} of ${found.texts} texts`),
    node("li", score ? scoreText(score) : "dev F1 not known yet"),
    node("li", found.per_minute === null ? "pace not known yet" : `${found.per_minute.toFixed(1)} per minute`),
    found.training === "running" ? node("li", "training …", { class: "runs" }) : node("li", `next training in ${found.next_training_in} judgements`),
  ];
  if (found.error) parts.push(node("li", `the last training failed: ${found.error}`, { class: "error" }));
  $("progress").replaceChildren(...parts);
}

// A few texts, or texts that are all right or all wrong, show no interval.
function scoreText({ f1, low, high, sentences }) {
  const interval = low === null ? "" : `${low.toFixed(2)} to ${high.toFixed(2)}, `;
  return `dev F1 ${f1.toFixed(2)} (${interval}${sentences} ${sentences === 1 ? "sentence" : "sentences"})`;
}

function button(type, i) {
  const key = i < 9 ? [node("kbd", String(i + 1), { "aria-hidden": true }), " "] : [];
  const made = node("button", [...key, type], { type: "button", "--hue": hueOf(i), ...(i < 9 ? { "aria-keyshortcuts": i + 1 } : {}) });
  made.addEventListener("click", () => give(type));
  return made;
}

async function save() {
  const answer = await answered("api/export?format=jsonl");
  download(await answer.text(), "judged.jsonl", "application/jsonl");
  say("The judgements are downloaded.");
}

// Keys, mouse and touch

const ACTIONS = { Enter: accept, Backspace: () => give(null), x: () => give(null), n: rest, s: skip, u: undo, "?": () => $("help").showModal() };
const MOVES = {
  ArrowLeft: (extend) => move(forward() ? -1 : 1, extend),
  ArrowRight: (extend) => move(forward() ? 1 : -1, extend),
  ArrowUp: () => jump(-1),
  ArrowDown: () => jump(1),
  Home: (extend) => select(extend ? anchor : 0, 0),
  End: (extend) => select(extend ? anchor : cells.length - 1, cells.length - 1),
};
const forward = () => getComputedStyle(text).direction === "ltr";

// The number of a key: some keyboards have other signs there, and numbers with Shift.
function numberOf(event) {
  if (/^[1-9]$/.test(event.key)) return Number(event.key);
  return event.shiftKey ? 0 : Number(/^Digit([1-9])$/.exec(event.code)?.[1] ?? 0);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("help").open) return;
  if (event.key === "Enter" && event.target.closest("button")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const number = numberOf(event);
  if (Object.hasOwn(MOVES, key)) {
    act(() => MOVES[key](event.shiftKey));
  } else if (number) {
    if (number > types.length) say(`There is no type ${number}.`);
    else if (!event.repeat) give(types[number - 1]);
  } else if (Object.hasOwn(ACTIONS, key)) {
    if (!event.repeat) ACTIONS[key]();
  } else return;
  event.preventDefault();
}

function tokenAt(event) {
  return document.elementFromPoint(event.clientX, event.clientY)?.closest(".token")?.token ?? null;
}

function down(event) {
  const token = tokenAt(event);
  if (token === null || event.button) return;
  if (event.pointerType === "mouse") event.preventDefault(); // the browser would select text
  if (event.shiftKey) return select(anchor, token);
  from = { token, moved: false };
}

function drag(event) {
  const token = from && tokenAt(event);
  if (token === null || (token === from.token && !from.moved)) return;
  from.moved = true;
  select(from.token, token, false);
}

function up() {
  if (!from) return;
  const { token, moved } = from;
  from = null;
  const span = spanOf(token);
  if (moved) select(anchor, head);
  else if (span && spanHere() !== span) select(span.start, span.end - 1);
  else select(token, token);
}

// Tab has reached the first token of a suggestion.
function reached(event) {
  const token = event.target.token;
  if (token === undefined || moving) return;
  const span = spanOf(token);
  if (span?.start === token) select(span.start, span.end - 1, false);
  else select(token, token, false);
}

document.addEventListener("keydown", pressed);
text.addEventListener("focusin", reached);
text.addEventListener("mousedown", (event) => event.preventDefault());
text.addEventListener("pointerdown", down);
document.addEventListener("pointermove", drag);
document.addEventListener("pointerup", up);
document.addEventListener("pointercancel", () => (from = null));
for (const [id, action] of Object.entries({ accept, reject: ACTIONS.x, rest, skip, undo, ask: ACTIONS["?"], close: () => $("help").close() })) $(id).addEventListener("click", action);
$("export").addEventListener("click", () => save().catch(failed));
setInterval(look, POLL);
act(begin, true);
