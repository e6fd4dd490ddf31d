"use strict";
// Tags the text of the page with the models of the service. All text reaches the page as text nodes, never as HTML.

const SHOWN = 2000; // words that are drawn at most; copies and downloads have all
let answers = [];
let types = [];

function headers() {
  const key = $("key").value;
  return key ? { "X-API-Key": key } : {};
}

const asked = (path, body) => requested(path, body, headers()).catch((error) => {
  if (error.status === 401) $("keyed").hidden = false;
  throw error;
});

async function begin() {
  const { models, version } = await asked("info");
  for (const { name } of models) {
    $("model").append(node("option", name, { value: name }));
    $("other").append(node("option", name, { value: name }));
  }
  $("models").textContent = `version ${version}: ` + models.map((m) => `${m.name} (${Object.keys(m.layers).join(", ")})`).join("; ");
}

async function tag(event) {
  event?.preventDefault();
  const text = $("text").value;
  const names = [$("model").value, $("other").value].filter((name, i, all) => name && all.indexOf(name) === i);
  if (!names.length) await begin().catch(failed);
  if (!text.trim()) return failed(new Error("type or paste a text first"));
  $("status").textContent = "tagging …";
  $("status").className = "quiet";
  const started = performance.now();
  try {
    const n_best = Number($("readings").value) || 0;
    const sent = (names.length ? names : [undefined]).map((model) => asked("tag", { text, model: model ?? null, n_best, attention: true }));
    answers = (await Promise.all(sent)).map(({ model, results }) => ({ model, result: results[0] }));
    draw();
    const words = answers[0].result.tokens.length;
    $("status").textContent = `${words.toLocaleString("en")} words in ${Math.round(performance.now() - started)} ms`;
  } catch (error) {
    failed(error);
  }
}

function failed(error) {
  $("status").textContent = error.message;
  $("status").className = "error";
}

function hue(type) {
  if (!types.includes(type)) types.push(type);
  return hueOf(types.indexOf(type));
}

function draw() {
  const least = Number($("least").value);
  $("shown").textContent = least.toFixed(2);
  $("save").hidden = !answers.length;
  $("results").className = "sides";
  $("results").replaceChildren(...answers.map(({ model, result }) => {
    const parts = [node("h2", model)];
    for (const [layer, spans] of Object.entries(result.spans)) {
      parts.push(node("h3", layer), entities(result, spans.filter(({ score }) => score === null || score >= least)));
    }
    for (const [layer, label] of Object.entries(result.labels)) parts.push(node("h3", layer), ...labels(result, layer, label));
    for (const [layer, tags] of Object.entries(result.tags)) {
      if (!(layer in result.spans)) parts.push(node("h3", layer), tagged(result, tags, result.tag_scores?.[layer]));
    }
    for (const [layer, rows] of Object.entries(result.readings ?? {})) parts.push(node("h3", `readings of ${layer}`), readings(result, layer, rows));
    return node("section", parts, { "aria-label": `result of ${model}` });
  }));
}

function offsets(result) {
  // In characters of Python, which are code points: JavaScript counts some of them twice.
  if (result.points === undefined) Object.defineProperty(result, "points", { value: Array.from(result.text) });
  return result.points;
}

function entities(result, spans) {
  const points = offsets(result);
  const parts = [];
  let done = 0;
  for (const { type, start_char, end_char, score } of spans) {
    parts.push(points.slice(done, start_char).join(""));
    const probability = score === null ? "" : ` ${score.toFixed(2)}`;
    parts.push(node("mark", [points.slice(start_char, end_char).join(""), " ", node("small", `${type}${probability}`)], { "--hue": hue(type) }));
    done = end_char;
  }
  parts.push(points.slice(done).join(""));
  return node("p", parts, { class: "text" });
}

function labels(result, layer, label) {
  if (Array.isArray(label)) return label.map(({ value, score }, i) => node("p", `sentence ${i + 1}: ${value} (${score.toFixed(2)})`));
  const classes = Object.entries(result.classes?.[layer] ?? { [label.value]: label.score }).sort((a, b) => b[1] - a[1]);
  const bars = classes.slice(0, 8).map(([name, score]) =>
    node("div", [node("span", name), node("meter", null, { min: 0, max: 1, value: score, "aria-label": name }), node("span", score.toFixed(2))], { class: "bar" }));
  const weights = result.attention?.[layer];
  if (!weights || weights.length !== result.tokens.length) return bars;
  const most = Math.max(...weights);
  const words = result.tokens.slice(0, SHOWN).map((token, i) =>
    [node("span", token, { "--weight": (40 * weights[i]) / most, title: `attention ${weights[i].toFixed(3)}` }), " "]).flat();
  return [...bars, node("p", words, { class: "text weights", "aria-label": `attention of ${layer}` })];
}

function tagged(result, tags, scores) {
  const words = result.tokens.slice(0, SHOWN).map((token, i) =>
    [node("span", [token, node("small", tags[i])], { title: scores ? scores[i].toFixed(3) : "" }), " "]).flat();
  if (tags.length > SHOWN) words.push(node("p", `${(tags.length - SHOWN).toLocaleString("en")} more words are in the copies and downloads`, { class: "quiet" }));
  return node("div", words, { class: "tags" });
}

function readings(result, layer, rows) {
  const lines = rows.slice(0, 100).map(({ score, tags, spans, sentence }) => {
    const said = spans ? spans.map(({ text, type }) => `[${text}] ${type}`).join(", ") || "no entity" : tags.join(" ");
    return node("tr", [node("td", sentence === undefined ? "" : String(sentence + 1)), node("td", score.toPrecision(3)), node("td", said)]);
  });
  const head = node("tr", ["sentence", "probability", "reading"].map((name) => node("th", name, { scope: "col" })));
  return node("table", [node("thead", head), node("tbody", lines)]);
}

function cell(value) {
  // A spreadsheet would take a cell that begins with one of these for a formula.
  const text = String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv() {
  const least = Number($("least").value);
  const rows = [["model", "layer", "type", "text", "start_char", "end_char", "score"]];
  for (const { model, result } of answers) {
    for (const [layer, spans] of Object.entries(result.spans)) {
      for (const { type, text, start_char, end_char, score } of spans.filter((span) => span.score === null || span.score >= least)) {
        rows.push([model, layer, type, text, start_char, end_char, score]);
      }
    }
    for (const [layer, label] of Object.entries(result.labels)) {
      for (const { value, score } of [label].flat()) rows.push([model, layer, value, result.text, 0, offsets(result).length, score]);
    }
  }
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

const json = () => JSON.stringify(answers.map(({ model, result }) => ({ model, ...result })), null, 2) + "\n";

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    $("status").textContent = `copied as ${what}`;
    $("status").className = "quiet";
  } catch {
    failed(new Error("the browser does not allow copying here; download the file instead"));
  }
}

$("form").addEventListener("submit", tag);
$("text").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) tag(event); });
$("least").addEventListener("input", () => answers.length ? draw() : ($("shown").textContent = Number($("least").value).toFixed(2)));
$("copy-json").addEventListener("click", () => copy(json(), "JSON"));
$("copy-csv").addEventListener("click", () => copy(csv(), "CSV"));
$("load-json").addEventListener("click", () => download(json(), "tagged.json", "application/json"));
$("load-csv").addEventListener("click", () => download(csv(), "tagged.csv", "text/csv"));
begin().catch(failed);
