// Tag sentences with an exported model, in Node: npm install onnxruntime-node
//
//     node tag.mjs FOLDER "Ada lives in Oslo ." "She left ."
//
// Prints one line of JSON for each sentence, whose words are separated by blanks.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const [folder, ...texts] = process.argv.slice(2);
const vocabulary = JSON.parse(readFileSync(`${folder}/vocabulary.json`, "utf8"));
const wordIds = new Map(vocabulary.words.map((word, i) => [word, i + 1])); // 0: unknown
const charIds = new Map(vocabulary.chars.map((char, i) => [char, i + 2])); // 0: padding, 1: unknown
// What goes wrong is thrown; the log would only warn that some inputs are optional.
const session = await ort.InferenceSession.create(`${folder}/model.onnx`, { logSeverityLevel: 3 });

function wordId(word) {
  const lower = word.toLowerCase();
  return wordIds.get(word) ?? wordIds.get(lower) ?? wordIds.get(lower.replace(/[0-9]/g, "0")) ?? 0;
}

function tensor(rows, width) {
  const flat = new Int32Array(rows.length * width); // zeros are padding
  rows.forEach((row, i) => flat.set(row, i * width));
  return new ort.Tensor("int32", flat, [rows.length, width]);
}

function vector(numbers) {
  return new ort.Tensor("int32", Int32Array.from(numbers), [numbers.length]);
}

function inputs(sentences) {
  const types = [...new Set(sentences.flat())]; // each distinct word is computed once
  const place = new Map(types.map((word, i) => [word, i]));
  const chars = types.map((word) => [...word].map((char) => charIds.get(char) ?? 1));
  const tokens = sentences.map((words) => words.map((word) => place.get(word)));
  const longest = (rows) => Math.max(...rows.map((row) => row.length));
  return {
    word_ids: vector(types.map(wordId)),
    char_ids: tensor(chars, longest(chars)),
    type_ids: tensor(tokens, longest(tokens)),
    lengths: vector(sentences.map((words) => words.length)),
  };
}

const sentences = texts.map((text) => text.split(" "));
const given = inputs(sentences);
const unknown = session.inputNames.filter((name) => name.startsWith("feature:"));
if (unknown.length) {
  throw new Error(`the model reads ${unknown.join(", ")}, which this program does not compute; see docs/onnx.md`);
}
const feeds = Object.fromEntries(session.inputNames.map((name) => [name, given[name]])); // some models read no characters
const outputs = await session.run(feeds);

sentences.forEach((words, row) => {
  const found = { words };
  for (const [name, output] of Object.entries(outputs)) {
    const layer = name.slice(name.indexOf(":") + 1);
    const values = output.data.subarray(row * (output.size / output.dims[0]));
    if (name.startsWith("tags:")) {
      found[layer] = words.map((_, token) => vocabulary.labels[layer][values[token]]);
    } else if (name.startsWith("probabilities:")) {
      const scores = vocabulary.labels[layer].map((label, i) => [label, values[i]]);
      found[layer] = Object.fromEntries(scores);
    }
  }
  console.log(JSON.stringify(found));
});
