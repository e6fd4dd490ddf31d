"""The sentences of a file in another format, one at a time, or an error that names what would be lost.

A first pass finds the scheme of each layer and everything that is in the file; what the new format has no place for is
an error, unless the user named it. A second pass writes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.conversion.layout import Lines, guess_columns
from tagger.conversion.retagging import REPAIR
from tagger.conversion.targets import TARGETS, Conversion
from tagger.errors import DataError
from tagger.files.reading import decode_lines
from tagger.formats.columns import iter_conll
from tagger.formats.conllu import FIELDS, NO_WORD, iter_conllu, tells_place
from tagger.formats.json_keys import KeyTally
from tagger.formats.jsonl import align_tokens, sentence_from_line
from tagger.formats.standoff.annotation_tools import has_own_tokens, json_items, parse_spanned, unread_keys
from tagger.formats.standoff.brat import LEFT_OUT, read_brat
from tagger.formats.standoff.sentences import LAYER, Tally
from tagger.formats.streaming import stream_sentences
from tagger.text.schemes import Scheme, repair_tags
from tagger.text.sentence import Label, Origin, Sentence, TagLayer
from tagger.text.tag_survey import Survey, complain
from tagger.text.tokenization import Tokenize
from tagger.wording import counted

RAW = ("text", "spans", "brat")  # formats that do not say where tokens stand


class Reformatting:
    """The sentences of a file on their way to another format."""

    def __init__(self, lines: Lines, wanted: Conversion, format: str, where: str, path: Path | None = None) -> None:
        self.lines, self.wanted, self.format, self.where = lines, wanted, format, where
        self.columns = wanted.columns
        if format == "conll" and self.columns is None:
            self.columns = guess_columns(lines, where)
        self.path = path
        self.tally = Tally(wanted.misaligned, wanted.nested, options=True)
        self.tokenize: Tokenize = wanted.tokenize or "words"
        self.held: list[Sentence] = []  # of texts with character spans
        self.own_tokens = False  # whether these texts come with tokens
        self.before: str | None = None  # document of the sentence before
        self.num_documents = self.num_sentences = 0
        self.surveys: dict[str, Survey] = {}
        self.filled: set[str] = set()  # layers that are not `_` throughout
        self.schemes: dict[str, Scheme | None] = {}
        self.present: Counter[str] = Counter()  # all that is there, by the name it has in --drop
        self.noted = False  # whether the first pass is over
        self.kinds: dict[str, str] = {}  # name in --drop → what a format must have a place for

    def read(self) -> Iterator[Sentence]:
        """The sentences as the file has them."""
        lines = decode_lines(self.lines(), where=self.where)
        labels = {name: f"# {name}" for name in self.wanted.labels}
        match self.format:
            case "conll":
                yield from iter_conll(lines, self.columns or (), labels, where=self.where)
            case "conllu":
                fields = {field: field for field in FIELDS if field not in ("id", "form")}
                yield from iter_conllu(self._without_ranges(lines), {**fields, **labels}, where=self.where)
            case "jsonl":
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        keys, origin = KeyTally(), Origin(self.where, (number,))
                        yield sentence_from_line(line, tokenize=self.tokenize, origin=origin, keys=keys)
                        self._note_json(line, keys)
            case "spans" | "brat":
                self.held = self.held or self._read_annotated(lines)
                yield from self.held
            case _:
                yield from stream_sentences(lines, "text", tokenize=self.tokenize, where=self.where)

    def _read_annotated(self, lines: Iterable[str]) -> list[Sentence]:
        """The sentences of texts with character spans; what their readers leave aside is noted."""
        if self.format == "brat":
            if self.path is None:
                raise DataError(f"{self.where}: brat has annotations beside its texts; name a text (.txt) or a folder")
            found = read_brat(self.path, ReadingConfig(format="brat", tokenize=self.tokenize), self.tally)
            if number := self.tally.counts.pop(LEFT_OUT, 0):
                self._note("annotations", "annotations")
                self.present["annotations"] = number
            return found
        layers = {name: name for name in self.wanted.labels} or None
        held = list(lines)
        config = ReadingConfig(format="jsonl", layers=layers, layer=LAYER, tokenize=self.tokenize)
        found = parse_spanned(held, config, self.tally, where=self.where)
        for name in unread_keys(held, self.wanted.labels):
            self._note(name, f"key {name}")
        self.own_tokens = any(has_own_tokens(item.value) for item in json_items(held, self.where, []))
        return found

    def _without_ranges(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            if NO_WORD.fullmatch(line.partition("\t")[0]):
                self._note("ranges", "ranges")
            yield line

    def _note_json(self, line: str, keys: KeyTally) -> None:
        """Note what the reader of JSON lines leaves aside."""
        row = json.loads(line)
        for key in sorted(keys.unread):
            self._note(key, "spans" if key == "spans" else f"key {key}")
        tables = [value if isinstance(value := row.get(key), dict) else {} for key in ("spans", "labels")]
        spans = [span for layer in tables[0].values() for span in layer or ()]
        labels = tables[1].values()
        if any(isinstance(value, dict) and value.get("score") is not None for value in (*spans, *labels)):
            self._note("scores", "scores")

    def _note(self, name: str, kind: str) -> None:
        if self.noted:
            return
        self.present[name] += 1
        if not self.kinds.get(name, "").startswith("key "):  # what is no layer in one line is none
            self.kinds[name] = kind

    def write(self, write: Callable[[bytes], object]) -> str:
        """Write all sentences in the format that is wanted, and say what was done."""
        for sentence in self.read():
            self._note_contents(sentence)
        self.noted = True
        self._check_labels()
        self._find_schemes()
        self._refuse_losses()
        self._refuse_gaps()
        target = TARGETS[self.wanted.to]
        layers = [layer for layer in self.surveys if layer in self.filled and layer not in self.wanted.drop]
        count = 0

        def counted() -> Iterator[Sentence]:
            nonlocal count
            for sentence in self.read():
                count += 1
                yield self._kept(sentence)

        for line in target.lines(counted(), layers):
            write(f"{line}\n".encode())
        return self._said(count)

    def _note_contents(self, sentence: Sentence) -> None:
        self.num_sentences += bool(sentence.tokens)
        numbers = (
            [int(sentence.origin.at(i).rpartition(":")[2]) for i in range(len(sentence))] if sentence.origin else []
        )
        for name, layer in sentence.layers.items():
            if isinstance(layer, Label):
                self._note(name, "labels")
            else:
                self.surveys.setdefault(name, Survey()).add(layer.tags, numbers)
                if self.format != "conllu" or any(tag != "_" for tag in layer.tags):
                    self.filled.add(name)
                    self._note(name, "tags")
        for name in self._contents(sentence):
            self._note(name, name)
        if self.format == "conll" and "_" in (self.columns or ()):
            self._note("_", "columns that are not read")

    def _check_labels(self) -> None:
        for name in self.wanted.labels:
            if self.kinds.get(name) != "labels":
                raise DataError(f"{self.where}: --labels must name comments, but no sentence has `# {name} = ...`")

    def _find_schemes(self) -> None:
        """The scheme of each layer, its tags held against it."""
        for name, survey in self.surveys.items():
            self.schemes[name] = None
            if name in self.filled and name not in self.wanted.drop and survey.has_scheme():
                self.schemes[name] = scheme = self.wanted.scheme or survey.scheme()
                self.kinds[name] = "entities"
                complain(survey.unknown(scheme), self.where)
                if not self.wanted.repair:
                    complain(survey.invalid(scheme), self.where, REPAIR)

    def _refuse_losses(self) -> None:
        """Refuse a conversion that would lose something that the user did not name."""
        holds, drop = TARGETS[self.wanted.to].holds, self.wanted.drop
        named = TARGETS[self.wanted.to].layers
        lost = [
            name
            for name in self.present
            if name not in drop
            and (self.kinds[name] not in holds or (named is not None and name in self.surveys and name not in named))
        ]
        layers = [name for name in self.present if self.kinds[name] == "entities" and name not in drop]
        if TARGETS[self.wanted.to].single and not lost:
            lost = layers[1:]
        if lost:
            raise DataError(
                f"{self.where}: {self.wanted.to} has no place for {', '.join(f'`{name}`' for name in lost)}; "
                f'convert to another format, or leave out what may be lost with --drop "{",".join([*drop, *lost])}"'
            )

    def _refuse_gaps(self) -> None:
        """Refuse a layer that some sentences lack where each is a column."""
        filled = [name for name in self.surveys if name in self.filled and name not in self.wanted.drop]
        gaps = [name for name in filled if self.present[name] < self.num_sentences]
        if gaps and self.wanted.to == "conll":
            shown = ", ".join(f"`{name}` in {self.present[name]}" for name in gaps)
            raise DataError(
                f"{self.where}: a column of conll must stand in all {counted(self.num_sentences, 'sentence')}, got "
                f'{shown}; convert to jsonl, or leave out with --drop "{",".join([*self.wanted.drop, *gaps])}"'
            )

    def _kept(self, sentence: Sentence) -> Sentence:
        """The sentence with the layers that go over, in their schemes, invalid tags repaired."""
        drop = self.wanted.drop
        layers: dict[str, TagLayer | Label] = {}
        for name, layer in sentence.layers.items():
            if isinstance(layer, TagLayer) and name in self.filled and name not in drop:
                scheme = self.schemes[name]
                tags = tuple(repair_tags(layer.tags, scheme)) if scheme else layer.tags
                layers[name] = TagLayer(tags, scheme, scheme)
            elif isinstance(layer, Label) and name not in drop:
                layers[name] = layer
        labels = {name for name in self.wanted.labels if name not in drop}
        comments = {key: value for key, value in sentence.meta.items() if "comments" not in drop and key not in labels}
        plain = sentence
        if "text" in drop or "offsets" in drop:
            inner = _inner(sentence)
            plain = inner if "text" not in drop and self._tells_text(inner) else Sentence.from_tokens(sentence.tokens)
        whole = TARGETS[self.wanted.to].single  # where documents are not written, but tell whose text it is
        document = None if "documents" in drop and not whole else sentence.document
        return replace(plain, layers=layers, meta=comments, document=document)

    def _said(self, count: int) -> str:
        read = f" (columns {','.join(self.columns)})" if self.columns else ""
        repaired = sum(s.invalid(scheme)[0] for n, s in self.surveys.items() if (scheme := self.schemes[n]))
        parts = [f"{self.format}{read} to {self.wanted.to}: {counted(count, 'sentence')}"]
        parts += [f"layer `{name}` reads as {scheme.upper()}" for name, scheme in self.schemes.items() if scheme]
        parts += [f"{counted(repaired, 'invalid tag')} repaired by conlleval's rule"] if repaired else []
        parts += [self._left_out(name) for name in self.wanted.drop]
        return "; ".join([*parts, *self.tally.notes()])

    def _left_out(self, name: str) -> str:
        """What became of a name in --drop; one that the file does not have may stand for another file of a loop."""
        if name not in self.present:
            return f"there is no `{name}` to leave out, but {', '.join(f'`{n}`' for n in self.present) or 'nothing'}"
        noun = "line" if name == "annotations" else "text" if self.kinds[name].startswith("key ") else "sentence"
        return f"left out `{name}` of {counted(self.present[name], noun)}"

    def _contents(self, sentence: Sentence) -> Iterator[str]:
        """What is in a sentence beside its layers; where its tokens stand counts only where the file says it."""
        if sentence.meta.keys() - set(self.wanted.labels):
            yield "comments"
        if sentence.document is not None:
            yield from self._document(sentence)
        if not sentence.tokens:
            yield "blank lines"
        elif (self.own_tokens or self.format not in RAW) and not self._are_split_by_blanks(sentence):
            yield "tokens"
        if sentence.text != " ".join(sentence.tokens):
            yield "text" if self._tells_text(sentence) else "offsets"

    def _are_split_by_blanks(self, sentence: Sentence) -> bool:
        """Whether the tokens of a sentence follow from its text alone, of which it may be one sentence of several."""
        text = _inner(sentence).text if self.own_tokens else sentence.text
        return tuple(text.split()) == sentence.tokens

    def _document(self, sentence: Sentence) -> Iterator[str]:
        """What the document of a sentence tells: nothing where each text is one, whose numbers are only counted."""
        if sentence.document != self.before:
            self.before, self.num_documents = sentence.document, self.num_documents + 1
        if self.format != "spans" or not TARGETS[self.wanted.to].single:
            yield "documents"
        if sentence.document != str(self.num_documents) and not {"newdoc", "newdoc id"} & sentence.meta.keys():
            yield "document names"

    def _tells_text(self, sentence: Sentence) -> bool:
        """Whether the new format can say text and offsets by its tokens and the text."""
        return tells_place(sentence) if self.wanted.to == "conllu" else _tells_text(sentence)


def _inner(sentence: Sentence) -> Sentence:
    """The sentence without what stands before its first token and behind its last."""
    start, end = sentence.offsets[0][0], sentence.offsets[-1][1]
    offsets = tuple((first - start, last - start) for first, last in sentence.offsets)
    return replace(sentence, text=sentence.text[start:end], offsets=offsets)


def _tells_text(sentence: Sentence) -> bool:
    """Whether text and offsets follow from a comment with the text."""
    if sentence.text != sentence.text.strip() or sentence.meta.get("text", sentence.text) != sentence.text:
        return False
    try:
        return align_tokens(list(sentence.tokens), sentence.text).offsets == sentence.offsets
    except DataError:
        return False
