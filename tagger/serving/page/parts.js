"use strict";
// What the pages of this library share. All text reaches a page as text nodes, never as HTML.

const HUES = ["#c2410c", "#1d6fd1", "#15803d", "#9333ea", "#b45309", "#be185d", "#0e7490", "#64748b", "#4d7c0f"];
const $ = (id) => document.getElementById(id);
const hueOf = (number) => HUES[number % HUES.length];

function node(name, content, attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("--")) made.style.setProperty(key, value);
    else made.setAttribute(key, value);
  }
  for (const part of [content ?? []].flat()) made.append(part);
  return made;
}

// An error has one sentence, and the status of the answer: 0 if there was none.
const failure = (sentence, status) => Object.assign(new Error(sentence), { status });

async function answered(path, options) {
  const answer = await fetch(path, options).catch(() => { throw failure("the server does not answer", 0); });
  if (answer.ok) return answer;
  const found = await answer.json().catch(() => null);
  throw failure(found?.error ?? `the server answered with status ${answer.status}`, answer.status);
}

// Return the JSON of an answer; a body is sent with POST.
async function requested(path, body, headers = {}) {
  const sent = body === undefined ? { headers } : { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) };
  const answer = await answered(path, sent);
  return answer.json().catch(() => { throw failure("the answer of the server was cut", 0); });
}

function download(text, name, type) {
  const link = node("a", null, { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
