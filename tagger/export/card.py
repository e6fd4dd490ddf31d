"""The README of an exported folder: that of the model, and what the graph reads and returns."""

from collections.abc import Mapping, Sequence

from tagger.onnx_nn.graph import Graph
from tagger.text.choices import ExportPrecision

MEANINGS = {
    "word_ids": "id of each distinct word in `vocabulary.json`, 0 if it is unknown",
    "char_ids": "ids of the characters of each distinct word, 0 after its end",
    "known_vectors": "optional: `type_vectors` of an earlier run, of words that come before those of `word_ids`",
    "type_ids": "for each token, the index of its word among the distinct words, from 0; any valid index at padding",
    "lengths": "number of tokens of each sentence, at least 1",
    "feature": "what the feature says of each distinct word or of each token; see `tagger/features/`",
    "decode": "optional: false leaves `tags` and `marginals` empty, for callers that decode `emissions` themselves",
    "type_vectors": "vector of each word of `word_ids`",
    "tags": "id of the tag of each token, 0 at padding",
    "marginals": "probability of each tag at each token, 0 at padding",
    "emissions": "score of each tag at each token before decoding, 0 at padding",
    "probabilities": "probability of each class",
    "attention": "weight of each token in the sentence, 0 at padding",
    "values": "predicted number of each token, 0 at padding, or numbers of the sentence",
    "low": "lower end of the interval of each number; the number itself if there are no intervals",
    "high": "upper end of the interval of each number; the number itself if there are no intervals",
}


def graph_card(graph: Graph, precision: ExportPrecision, card: str) -> str:
    """Return the text of the README, in Markdown."""
    return f"""{card.rstrip()}

## The graph

`model.onnx` is the whole network in one graph, in {precision}, for onnxruntime. `vocabulary.json` names its ids.

{_table("input", graph.inputs)}

{_table("output", graph.outputs)}
"""


def _table(kind: str, values: Mapping[str, tuple[str, Sequence[str | int]]]) -> str:
    rows = [
        f"| `{name}` | {number.lower()} | ({', '.join(map(str, shape))}) | {MEANINGS.get(name.split(':')[0], '')} |"
        for name, (number, shape) in values.items()
    ]
    return "\n".join([f"| {kind} | type | shape | meaning |", "|---|---|---|---|", *rows])
