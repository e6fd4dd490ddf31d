"""The component `tagger_bilstm` of spaCy: a model that sets entities, tags, parts of speech and categories of a `Doc`.

spaCy finds the factory through the entry point `spacy_factories`, and imports this module whenever a pipeline is made.
So it imports no more than spaCy; the rest is loaded with the first model. Tokens are those of the `Doc`.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import srsly
from spacy.language import Language
from spacy.parts_of_speech import IDS
from spacy.pipeline import Pipe
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example
from spacy.util import minibatch

from tagger.errors import ModelError, TaggerError
from tagger.wording import quoted

if TYPE_CHECKING:
    from tagger.tagging import Tagger
    from tagger.text.sentence import Sentence
    from tagger.text.tokenization import TextRules

AUTO = "auto"
SCORES = ("ents_f", "ents_p", "ents_r", "ents_per_type", "tag_acc", "pos_acc", "cats_score")
SET = ("doc.ents", "token.ent_iob", "token.ent_type", "token.tag", "token.pos", "doc.cats", "doc.spans")
SPACE_TAG, SPACE_POS = "_SP", "SPACE"  # what spaCy's own pipelines set for a token of white space
DEFAULTS: dict[str, Any] = {
    "model": None,
    "load": {},
    "ents": AUTO,
    "tag": AUTO,
    "pos": AUTO,
    "cats": AUTO,
    "spans_key": "tagger",
    "overwrite": False,
}


def _is_layer(value: Any) -> bool:
    return value is None or (isinstance(value, str) and bool(value))


def _is_layers(value: Any) -> bool:
    return _is_layer(value) or (isinstance(value, (list, tuple)) and all(map(_is_layer, value)) and None not in value)


LAYER = f"a layer, `{AUTO}` or None", _is_layer
RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "model": ("a folder or a name, as for tagger.load", lambda value: isinstance(value, str) and bool(value)),
    "load": ("keyword arguments of tagger.load", lambda value: isinstance(value, dict)),
    "ents": LAYER,
    "tag": LAYER,
    "pos": LAYER,
    "cats": (f"a layer, a list of layers, `{AUTO}` or None", _is_layers),
    "spans_key": ("a name", lambda value: isinstance(value, str) and bool(value)),
    "overwrite": ("true or false", lambda value: isinstance(value, bool)),
}


class Layers(NamedTuple):
    """Which layer of a model sets what.

    Args:
        ents: The layer of `doc.ents`.
        spans: The other layers of entities; each has a group in `doc.spans`.
        tag: The layer of `token.tag_`.
        pos: The layer of `token.pos_`.
        cats: The layers of `doc.cats`.
    """

    ents: str | None
    spans: tuple[str, ...]
    tag: str | None
    pos: str | None
    cats: tuple[str, ...]


class Part(NamedTuple):
    """A sentence of a `Doc`, without tokens of white space, and the position of each of its tokens in the `Doc`."""

    sentence: "Sentence"
    positions: Sequence[int]


@Language.factory("tagger_bilstm", assigns=SET, default_config=DEFAULTS, default_score_weights=dict.fromkeys(SCORES))
def make_component(
    nlp: Language,
    name: str,
    model: Any,
    load: Any,
    ents: Any,
    tag: Any,
    pos: Any,
    cats: Any,
    spans_key: Any,
    overwrite: Any,
) -> "TaggerComponent":
    """Return the component; the settings are those of `TaggerComponent`.

    They are checked here and not by spaCy, whose errors have several lines.

    Raises:
        ModelError: A setting has a wrong type.
    """
    given = {"model": model, "load": load, "ents": ents, "tag": tag, "pos": pos, "cats": cats}
    for key, value in {**given, "spans_key": spans_key, "overwrite": overwrite}.items():
        rule, fits = RULES[key]
        if not fits(value):
            raise ModelError(f"component `{name}`: `{key}` must be {rule}, got {value!r}; see docs/integrations.md")
    wanted = {"ents": ents, "tag": tag, "pos": pos, "cats": cats}
    return TaggerComponent(name, model, load=load, wanted=wanted, spans_key=spans_key, overwrite=overwrite)


class TaggerComponent(Pipe):
    """A model as a component of spaCy. The model is loaded when the component is first used.

    Args:
        name: The name of the component.
        model: A folder or a name, as for `tagger.load`.
        load: Keyword arguments of `tagger.load`.
        wanted: For each of `ents`, `tag`, `pos` and `cats` its layer (`cats`: its layers), `auto`, or None: not set.
        spans_key: The group in `doc.spans` with the entities of the layer `ents`, and their scores.
        overwrite: Whether to replace entities, tags and parts of speech that another component has set.
    """

    def __init__(
        self,
        name: str,
        model: str,
        *,
        load: Mapping[str, Any],
        wanted: Mapping[str, Any],
        spans_key: str,
        overwrite: bool,
    ) -> None:
        self.name = name
        self._content: Path | dict[str, bytes] = Path(model)  # the folder of the model, or its files
        self._load, self._wanted, self._spans_key, self._overwrite = dict(load), dict(wanted), spans_key, overwrite
        self._loaded: tuple[Tagger, Layers] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        loaded = self._loaded if isinstance(self._content, Path) else None  # otherwise its folder is deleted
        return _restored, ({**vars(self), "name": self.name, "_loaded": loaded},)

    def __call__(self, doc: Doc) -> Doc:
        """Set the annotations of one document.

        Raises:
            ModelError: The model cannot be loaded, or has no such layer as the settings name.
        """
        for found in self.pipe([doc]):
            return found
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Yield the documents with their annotations, in order; the sentences of a batch are tagged together."""
        for docs in minibatch(stream, size=batch_size):  # type: ignore[no-untyped-call]
            try:
                self._annotate(docs)
            except TaggerError as error:
                self.get_error_handler()(self.name, self, docs, error)
            else:
                yield from docs

    @property
    def tagger(self) -> "Tagger":
        """The model."""
        return self._model()[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """All types, tags and classes that the component may set."""
        return tuple(dict.fromkeys(name for names in self.label_data.values() for name in names))

    @property
    def label_data(self) -> dict[str, list[str]]:
        """The types, tags and classes by what has them: `ents`, `spans`, `tag`, `pos` and `cats`."""
        from tagger.text.schemes import span_types

        tagger, layers = self._model()
        known = tagger.model.vocabulary.labels
        return {
            "ents": span_types(known[layers.ents]) if layers.ents else [],
            "spans": [name for layer in layers.spans for name in span_types(known[layer])],
            "tag": list(known[layers.tag]) if layers.tag else [],
            "pos": list(known[layers.pos]) if layers.pos else [],
            "cats": [name for layer in layers.cats for name in known[layer]],
        }

    @property
    def hide_labels(self) -> bool:
        """Whether `nlp.meta` is without the labels: before the model is loaded."""
        return self._loaded is None

    def initialize(self, get_examples: Callable[[], Iterable[Example]], *, nlp: Language | None = None) -> None:
        """Load the model; nothing is trained.

        Raises:
            ModelError: The model cannot be loaded, or has no such layer as the settings name.
        """
        self._model()

    def score(self, examples: Iterable[Example], **settings: Any) -> dict[str, Any]:
        """Return spaCy's scores of what the component sets, for `nlp.evaluate`.

        `ents_p`, `ents_r`, `ents_f`, `tag_acc` and `pos_acc` are None if gold has no such annotation. `cats_...` are
        those of a layer of labels, whose classes exclude each other; if there are several, they are `cats_LAYER_...`.
        """
        tagger, layers = self._model()
        examples, found = list(examples), dict[str, Any]()
        if layers.ents is not None:
            found |= get_ner_prf(examples, **settings)
        for attribute, layer in (("tag", layers.tag), ("pos", layers.pos)):
            if layer is not None:
                found |= Scorer.score_token_attr(examples, attribute, **settings)
        for layer in layers.cats:
            name = "cats" if len(layers.cats) == 1 else f"cats_{layer}"
            found |= scores_of_classes(examples, tagger.model.vocabulary.labels[layer], name, **settings)
        return found

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model to a folder.

        Raises:
            ModelError: Another model is in the folder that the model was loaded from.
        """
        from tagger.files.writing import replace_files

        replace_files(Path(path), self._files())

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "TaggerComponent":
        """Load the model of a folder.

        Raises:
            ModelError: The folder cannot be read, or the model has no such layer as the settings name.
        """
        return self._with(Path(path))

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the files of the model."""
        content: bytes = srsly.msgpack_dumps(self._files())
        return content

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "TaggerComponent":
        """Load the model that `to_bytes` returned."""
        return self._with(srsly.msgpack_loads(data))

    def _with(self, content: Path | dict[str, bytes]) -> "TaggerComponent":
        self._content, self._loaded = content, None
        self._model()
        return self

    def _files(self) -> dict[str, bytes]:
        from tagger.model.folder.copying import copied_files

        source = self.tagger.model.source
        if not isinstance(self._content, Path):
            return self._content
        assert source is not None  # the model was loaded from a folder
        return copied_files(source)

    def _model(self) -> "tuple[Tagger, Layers]":
        """Return the model and which of its layers sets what."""
        if self._loaded is None:
            from tagger.tagging import load

            if isinstance(self._content, Path):
                tagger = load(self._content, **self._load)
            else:
                with TemporaryDirectory(prefix="tagger-") as folder:
                    for name, content in self._content.items():
                        Path(folder, name).write_bytes(content)
                    tagger = load(folder, **self._load)
            self._loaded = tagger, chosen_layers(tagger, self._wanted, f"component `{self.name}`")
        return self._loaded

    def _annotate(self, docs: Sequence[Doc]) -> None:
        tagger, layers = self._model()
        parts = [parts_of(doc, tagger.model.text_rules, str(number)) for number, doc in enumerate(docs)]
        whole = [whole_of(own) if layers.cats and len(own) > 1 else [] for own in parts]
        predicted = tagger.predict(
            part.sentence for own, together in zip(parts, whole, strict=True) for part in (*own, *together)
        )
        for doc, own, together in zip(docs, parts, whole, strict=True):
            found = [Part(next(predicted), part.positions) for part in own]
            labelled = list(islice(predicted, len(together))) or [part.sentence for part in found]
            self._set_entities(doc, found, layers)
            self._set_tags(doc, found, layers)
            for sentence in labelled:
                doc.cats = doc.cats | {key: p for layer in layers.cats for key, p in classes_of(sentence, layer)}

    def _set_entities(self, doc: Doc, parts: Sequence[Part], layers: Layers) -> None:
        if layers.ents is not None:
            group = group_of(doc, parts, layers.ents, self._spans_key)
            doc.spans[self._spans_key] = group
            if self._overwrite:
                doc.set_ents(list(group))
            else:
                add_entities(doc, group)
        for layer in layers.spans:
            doc.spans[layer] = group_of(doc, parts, layer, layer)

    def _set_tags(self, doc: Doc, parts: Sequence[Part], layers: Layers) -> None:
        for attribute, layer, of_space in (("tag_", layers.tag, SPACE_TAG), ("pos_", layers.pos, SPACE_POS)):
            if layer is None:
                continue
            tags = {i: tag for part in parts for i, tag in zip(part.positions, part.sentence.tags(layer), strict=True)}
            for token in doc:
                if self._overwrite or not getattr(token, attribute):
                    setattr(token, attribute, tags.get(token.i, of_space))


def _restored(state: Mapping[str, Any]) -> TaggerComponent:
    """Return the component that was pickled."""
    component = TaggerComponent.__new__(TaggerComponent)
    for name, value in state.items():
        setattr(component, name, value)
    return component


def chosen_layers(tagger: "Tagger", wanted: Mapping[str, Any], where: str) -> Layers:
    """Return which layer of a model sets what.

    By default, the first layer of entities sets `doc.ents`, the layers `xpos` and `upos` set `token.tag_` and
    `token.pos_`, and all labels set `doc.cats`.

    Args:
        tagger: The model.
        wanted: The layer for each of `ents`, `tag`, `pos` and `cats` (several), `auto`, or None.
        where: What an error names.

    Raises:
        ModelError: A layer does not exist or is of another kind, a tag is not one of spaCy's parts of speech, or two
            layers have the same class.
    """
    labels, tasks = tagger.model.vocabulary.labels, tagger.tasks
    entities = [layer for layer, task in tasks.items() if task == "entities"]
    tags = [layer for layer, task in tasks.items() if task == "tags"]
    classes = [layer for layer, task in tasks.items() if task in ("label", "labels")]

    def chosen(key: str, known: Sequence[str], default: Sequence[str]) -> list[str]:
        given = wanted[key]
        if given == AUTO:
            return list(default)
        names = [given] if isinstance(given, str) else list(given or ())
        if unknown := [name for name in names if name not in known]:
            raise ModelError(
                f"{where}: `{key}` must be a layer that can set it ({quoted(known) or 'the model has none'}), "
                f"`{AUTO}` or None, got {quoted(unknown)}"
            )
        return names

    ents = next(iter(chosen("ents", entities, entities[:1])), None)
    tag = next(iter(chosen("tag", tags, [layer for layer in tags if layer == "xpos"])), None)
    pos = next(iter(chosen("pos", tags, [layer for layer in tags if layer == "upos"])), None)
    cats = chosen("cats", classes, classes)
    if pos is not None and (odd := [name for name in labels[pos] if name not in IDS]):
        raise ModelError(
            f"{where}: the tags of `{pos}`, which sets token.pos_, must be universal parts of speech, got "
            f"{quoted(odd[:3])}; set pos = None, and tag = {pos!r} if these are tags of a language"
        )
    names = [name for layer in cats for name in labels[layer]]
    if len(set(names)) < len(names):
        raise ModelError(f"{where}: the layers {quoted(cats)} must not share classes in doc.cats; name one in `cats`")
    return Layers(ents, tuple(layer for layer in entities if layer != ents), tag, pos, tuple(cats))


def parts_of(doc: Doc, rules: "TextRules", name: str) -> list[Part]:
    """Return the sentences of a document: its own if it has some, otherwise as the texts of training were split.

    Args:
        doc: The document. Its tokens of white space are skipped, which no model has seen.
        rules: How the model splits texts into sentences, here given the tokens of the document.
        name: Differs between documents, whose sentences are no context of each other.
    """
    words = [token for token in doc if token.text.strip()]
    if not words:
        return []
    if doc.has_annotation("SENT_START"):
        starts = [sentence.start_char for sentence in doc.sents]
    else:
        starts = [start for start, _ in rules.sentences(doc.text, [(word.idx, word.idx + len(word)) for word in words])]
    groups: dict[int, list[Any]] = {}
    for word in words:
        groups.setdefault(bisect_right(starts, word.idx), []).append(word)
    return [_part(doc.text, group, name) for group in groups.values()]


def _part(text: str, words: Sequence[Any], name: str) -> Part:
    from tagger.text.sentence import Sentence

    offsets = tuple((word.idx, word.idx + len(word)) for word in words)
    sentence = Sentence(tuple(word.text for word in words), text, offsets, document=name)
    return Part(sentence, [word.i for word in words])


def whole_of(parts: Sequence[Part]) -> list[Part]:
    """Return a document as one sentence, without context, for its labels."""
    first = parts[0].sentence
    tokens = tuple(token for part in parts for token in part.sentence.tokens)
    offsets = tuple(pair for part in parts for pair in part.sentence.offsets)
    return [Part(replace(first, tokens=tokens, offsets=offsets, document=None), ())]


def group_of(doc: Doc, parts: Iterable[Part], layer: str, key: str) -> SpanGroup:
    """Return the predicted entities of a layer; `attrs["scores"]` has the probability of each, in the same order."""
    spans, scores = [], []
    for part in parts:
        for found in part.sentence.spans(layer):
            start, last = part.positions[found.start], part.positions[found.end - 1]
            spans.append(Span(doc, start, last + 1, label=found.type))
            scores.append(found.score)
    return SpanGroup(doc, name=key, spans=spans, attrs={"scores": scores})


def add_entities(doc: Doc, spans: Iterable[Span]) -> None:
    """Set entities beside those that a document has, as spaCy's `ner` does.

    An entity that shares a token with one that was set before, or with a token that must not be in one, is not set.
    """
    taken = {token.i for token in doc if token.ent_iob_ in ("B", "I")}
    blocked = [doc[token.i : token.i + 1] for token in doc if token.ent_iob_ == "B" and not token.ent_type_]
    new = [span for span in spans if taken.isdisjoint(range(span.start, span.end))]
    doc.set_ents([*doc.ents, *new], blocked=blocked)


def classes_of(sentence: "Sentence", layer: str) -> list[tuple[str, float]]:
    """Return each class of a layer with its probability."""
    label = sentence.label(layer)
    scores = label.scores or {label.value: 1.0 if label.score is None else label.score}
    return [(name, float(score)) for name, score in scores.items()]


def scores_of_classes(
    examples: Sequence[Example], classes: Sequence[str], name: str, **settings: Any
) -> dict[str, Any]:
    """Return spaCy's scores of classes that exclude each other, over the documents that have one in gold.

    A document without words, which has no predicted class, is not counted.
    """
    labelled = [each for each in examples if each.predicted.cats and not each.reference.cats.keys().isdisjoint(classes)]
    if not labelled:
        return {}
    settings = {**settings, "labels": classes, "multi_label": False}
    found: dict[str, Any] = Scorer.score_cats(labelled, name, getter=lambda doc, _: doc.cats, **settings)
    return found
