"""The `Tagger`: a loaded model that tags texts, tokens, documents and streams, and scores itself on gold sentences."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.batches import encode
from tagger.encoding.packed import pack
from tagger.errors import DataError, ModelError
from tagger.inference.predict import CHUNK, Backend, predict
from tagger.model.model import Model
from tagger.text.choices import Precision, StreamFormat
from tagger.text.sentence import Sentence, is_ordered, plain, sentence_of_tokens, typed
from tagger.text.tokenization import TextRules, tokenizer_name

if TYPE_CHECKING:
    from tagger.inference.incremental import Incremental
    from tagger.metrics.report import Report
    from tagger.model.network import Network

logger = logging.getLogger(__name__)


class Marginals(NamedTuple):
    """The probability of each tag at each token of a sentence.

    Args:
        tags: The tags of the layer, in the scheme of its head.
        array: One row per token and one column per tag; each row sums to 1.
    """

    tags: tuple[str, ...]
    array: NDArray[np.float32]


class Tagger:
    """A model ready to use.

    Threads may share a tagger, and so may processes: a forked process uses the one of its parent, with one thread of
    torch, and a tagger can be pickled. If it was loaded from a folder, the path is pickled, otherwise the weights are.

    Args:
        backend: Runs the model.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @property
    def model(self) -> Model:
        """The configuration of the model and the names of its ids."""
        return self.backend.model

    @property
    def network(self) -> "Network":
        """The network of the model, which torch runs.

        Raises:
            ModelError: Another backend runs the model.
        """
        network: Network | None = getattr(self.backend, "network", None)
        if network is None:
            raise ModelError(f"the model must be loaded with torch, but {type(self.backend).__name__} runs it")
        return network

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the model predicts."""
        return tuple(self.model.heads)

    def tag(self, text: str, *, n_best: int = 0) -> Sentence:
        """Return the sentence of a text with predicted layers; offsets are positions in `text`.

        With `n_best`, `readings` of the result returns the most probable tag sequences of each tag layer.

        Raises:
            DataError: The text has no token.
        """
        _check_text(text)
        return next(self.predict([self.model.text_rules.sentence(text)], n_best=n_best))

    def tag_tokens(self, tokens: Sequence[str], *, n_best: int = 0) -> Sentence:
        """Return the sentence of these words with predicted layers.

        Raises:
            DataError: There is no word, or one is empty or white space.
        """
        return next(self.predict([sentence_of_tokens(tokens)], n_best=n_best))

    def tag_document(self, text: str, *, n_best: int = 0) -> list[Sentence]:
        """Split a text into sentences and return them with predicted layers.

        The text of each sentence is the whole `text`; offsets are positions in it.

        Raises:
            DataError: The text has no token.
        """
        _check_text(text)
        text, rules = plain(text), self.model.text_rules
        parts = [rules.sentence(text[start:end], start=start) for start, end in rules.sentences(text)]
        if not parts:
            rules.sentence(text)  # raises, in the words of an empty sentence
        return list(self.predict((replace(part, text=text) for part in parts), n_best=n_best))

    def stream(
        self,
        items: Iterable[str | Sequence[str]],
        *,
        chunk: int = CHUNK,
        n_best: int = 0,
        on_error: Callable[[int, Exception], object] | None = None,
    ) -> Iterator[Sentence]:
        """Yield the sentence of each text or list of words, in order.

        Results of the items before an invalid one are yielded before the error is raised.

        Args:
            items: The texts or lists of words; they are read as results are asked for.
            chunk: Number of items that are held at once.
            n_best: Number of readings of each tag layer.
            on_error: Called with the position of an invalid item, from 0, and the error, which is not raised then. The
                result for this item is a sentence without tokens, so that results and items stay aligned. For
                example, `on_error=lambda i, error: print(error)` reports invalid items and continues.

        Raises:
            DataError: An item has no token. The error names the item.
            TypeError: An item is neither a text nor a list of words. The error names the item.
        """
        if isinstance(items, str) or not is_ordered(items):
            raise TypeError(f"items must be texts or lists of words, got {typed(items)}; tag takes one text")
        sentences = _sentences(items, self.model.text_rules, on_error or _raise)
        return self.predict(sentences, chunk=chunk, n_best=n_best)

    def incremental(self) -> "Incremental":
        """Return a tagger of one sentence whose words arrive one by one.

        `feed` returns the prediction for a token at once: that of `tag_tokens` for the last of the tokens so far.
        `reset` begins the next sentence.

        Raises:
            ModelError: The model reads in both directions.
        """
        return self.backend.incremental()

    def predict(self, sentences: Iterable[Sentence], *, chunk: int = CHUNK, n_best: int = 0) -> Iterator[Sentence]:
        """Yield these sentences with predicted layers only, in order."""
        for name, number, least in (("chunk", chunk, 1), ("n_best", n_best, 0)):
            if not isinstance(number, Integral) or isinstance(number, bool):
                raise TypeError(f"{name} must be a whole number, got {typed(number)}")
            if number < least:
                raise ValueError(f"{name} must be at least {least}, got {number}")
        return predict(sentences, self.backend, chunk=chunk, n_best=n_best)

    def marginals(self, sentence: Sentence) -> dict[str, Marginals]:
        """Return the probability of each tag at each token given the whole sentence, by tag layer.

        The tag scores of `predict` are these probabilities.

        Raises:
            DataError: The sentence has no token.
        """
        if not len(sentence):
            raise DataError("a sentence must have at least one token, got none. Pass a list of words.")
        batch = encode(pack([sentence], layers=()), self.model.vocabulary).batch(np.zeros(1, np.int64))
        labels = self.model.vocabulary.labels
        found = self.backend.marginals(batch)
        return {layer: Marginals(tuple(labels[layer]), array[0]) for layer, array in found.items()}

    def evaluate(self, sentences: Iterable[Sentence]) -> "Report":
        """Return the scores of this model on gold sentences, with the time that tagging them took.

        Raises:
            DataError: No sentence has a layer of the model.
        """
        from tagger.evaluation import score_predictions  # tagging alone needs no scores

        sentences = list(sentences)
        if not sentences:
            raise DataError("expected at least one sentence to score, got none")
        started = time.perf_counter()
        predicted = list(self.predict(sentences))
        seconds, tokens = time.perf_counter() - started, sum(map(len, sentences))
        speed = {"tokens": tokens, "seconds": round(seconds, 3), "tokens_per_second": round(tokens / seconds)}
        return score_predictions(sentences, predicted, self.model, speed)


def load(path: str | Path, *, device: str = "cpu", precision: Precision = "float32") -> Tagger:
    """Load the model of a run folder or of its `model/` folder.

    Args:
        path: The folder that training wrote.
        device: Where the network runs: `cpu`, `cuda` or `cuda:N`.
        precision: Precision of the encoder. `bfloat16` is faster on processors that support it, and its scores differ
            in the third decimal; embeddings, CRF and probabilities stay float32.

    Raises:
        ModelError: The folder cannot be read, or the device is not available or does not support the precision.
    """
    from tagger.inference.torch_backend import load_torch  # importing torch takes a second; other backends need none

    backend = load_torch(path, device=device, precision=precision)
    trained = backend.model.config.tokenizer
    if trained != tokenizer_name():
        logger.warning(
            "%s: raw text went through %s in training and goes through %s here; tokens may differ",
            path,
            trained,
            tokenizer_name(),
        )
    return Tagger(backend)


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}; tag_tokens takes a list of words")


def _sentences(
    items: Iterable[str | Sequence[str]], rules: TextRules, on_error: Callable[[int, Exception], object]
) -> Iterator[Sentence]:
    for i, item in enumerate(items):
        try:
            sentence = rules.sentence(item) if isinstance(item, str) else sentence_of_tokens(item)
        except (DataError, TypeError) as error:
            wrong = not (isinstance(item, str) or is_ordered(item))
            problem = f"must be a text or a list of words, got {typed(item)}" if wrong else error
            on_error(i, type(error)(f"item {i}: {problem}"))
            sentence = Sentence((), plain(item) if isinstance(item, str) else "", ())
        yield sentence


def _raise(position: int, error: Exception) -> None:
    raise error from None


def tag_lines(
    tagger: Tagger,
    lines: Iterable[bytes],
    *,
    format: StreamFormat = "text",
    columns: Sequence[str] | None = None,
    where: str = "input",
    waits: Callable[[], bool] = lambda: False,
    n_best: int = 0,
) -> Iterator[Sentence]:
    """Yield the tagged sentences of lines of UTF-8 text, in order.

    A blank line of text becomes a sentence without tokens, so that input and output lines stay aligned. `waits` says
    whether the next line has not arrived yet; the sentences so far are tagged then.

    Raises:
        DataError: A line is not in the format. The error names the line.
    """
    from tagger.files.reading import decode_lines  # only files need the formats
    from tagger.formats.table import stream_sentences

    if columns is None and format == "conll":
        columns = next((r.columns for r in tagger.model.config.reading.values() if r.columns), None)
    decoded = decode_lines(lines, where=where)
    sentences = stream_sentences(decoded, format, columns, rules=tagger.model.text_rules, where=where)
    return predict(sentences, tagger.backend, n_best=n_best, waits=waits)
