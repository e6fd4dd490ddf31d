"""The `Tagger`: a loaded model that tags texts, tokens, documents and streams, and scores itself on gold sentences."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagger.errors import DataError, ModelError, missing_package
from tagger.extensions import Extension, register
from tagger.heads.table import heads_of
from tagger.inference.documents import predict_documents, whole_text_labels
from tagger.inference.items import Errors, document_of_text, documents_of, reporter, sentence_of_text, sentences_of
from tagger.inference.predict import CHUNK, Backend, predict, tag_marginals
from tagger.model.model import Model
from tagger.text.choices import BackendName, InputFormat, Precision, Unit
from tagger.text.document import Document
from tagger.text.frames import frames_of
from tagger.text.sentence import Sentence, is_ordered, sentence_of_frames, sentence_of_tokens, typed
from tagger.text.tokenization import SYMBOLS, Split, Tokenize
from tagger.text.word_tables import source_name

if TYPE_CHECKING:
    import datasets

    from tagger.formats.faults import Faults
    from tagger.formats.tally import Tally
    from tagger.hub.columns import Task, TypedList
    from tagger.inference.incremental import Incremental
    from tagger.model.network import Network
    from tagger.reporting.report import Report
    from tagger.reporting.sections import Context

logger = logging.getLogger(__name__)
C = TypeVar("C")


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

    Threads and processes may share a tagger. A forked process uses that of its parent, by default with one thread. A
    pickled tagger is the path of its folder, or all its weights if it was not loaded from a folder.

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

    @property
    def tasks(self) -> "dict[str, Task]":
        """What the model finds in each layer.

        `entities`, `tags`, a `label` of the whole text, or the `labels` of its sentences.
        """
        whole = whole_text_labels(self.model.config)
        return {
            layer: "label" if layer in whole else head.task  # type: ignore[misc]  # one of the others
            for layer, head in heads_of(self.model.heads).items()
        }

    def tag(self, text: str, *, n_best: int = 0) -> Sentence:
        """Return a text as one sentence with predicted layers; offsets are positions in `text`.

        The result of an empty or blank text is a sentence without tokens.
        """
        return next(self.predict([sentence_of_text(text, self.model.text_rules)], n_best=n_best))

    def tag_tokens(self, tokens: Sequence[str], *, n_best: int = 0) -> Sentence:
        """Return the sentence of these words with predicted layers.

        Raises:
            DataError: A word is empty or white space.
        """
        return next(self.predict([sentence_of_tokens(tokens)], n_best=n_best))

    def tag_symbols(self, symbols: str, *, n_best: int = 0) -> Sentence:
        """Return a sequence of symbols with predicted layers: each character of `"ACGT"` is a token.

        White space is ignored. The result of an empty or blank text is a sentence without tokens.
        """
        return next(self.predict([sentence_of_text(symbols, SYMBOLS)], n_best=n_best))

    def tag_frames(
        self, frames: ArrayLike, *, names: Sequence[str] = (), steps: Sequence[str] | None = None, n_best: int = 0
    ) -> Sentence:
        """Return a sequence of numbers as a sentence with predicted layers, whose tokens name the steps.

        Args:
            frames: The numbers of each step, of shape (steps, numbers), or (steps,) if there is one number in each; NaN
                where one is missing. They are standardised as in training.
            names: What the numbers are, to be compared with training. Default: they are in its order.
            steps: The names of the steps, such as their times. Default: their numbers from 0.
            n_best: Number of readings of each tag layer.

        Raises:
            DataError: The array has another shape, other numbers than in training, or infinite ones, or the model reads
                text.
        """
        return next(self.predict([sentence_of_frames(frames_of(frames, names), steps=steps)], n_best=n_best))

    def tag_document(self, text: str, *, n_best: int = 0) -> Document:
        """Return a text as a document with predicted layers, split into sentences as the training texts were.

        The result of an empty or blank text is a document without sentences.
        """
        return next(self.predict_documents([document_of_text(text, self.model.text_rules)], n_best=n_best))

    def stream(
        self,
        items: Iterable[str | Sequence[str]],
        *,
        chunk: int = CHUNK,
        n_best: int = 0,
        errors: Errors = "raise",
    ) -> Iterator[Sentence]:
        """Yield the sentence of each text or list of words, in order.

        Results of the items before an invalid one are yielded before the error is raised.

        Args:
            items: The texts or lists of words; they are read as results are asked for.
            chunk: Number of items that are held at once.
            n_best: Number of readings of each tag layer.
            errors: What to do with an invalid item: `raise` its error, `skip` it with a warning in the log, or a
                function that is called with the position of the item, from 0, and the error. The result of an item
                that is skipped has no tokens, so that results and items stay aligned. For example,
                `errors=lambda i, error: print(error)` prints the errors and continues.

        Raises:
            DataError: A word of an item is empty. The error names the item.
            TypeError: An item is neither a text nor a list of words. The error names the item.
        """
        _check_items(items, "texts or lists of words", "tag")
        return self.predict(sentences_of(items, self.model.text_rules, reporter(errors)), chunk=chunk, n_best=n_best)

    @overload
    def tag_documents(
        self,
        texts: Iterable[str],
        *,
        as_tuples: Literal[False] = False,
        chunk: int = CHUNK,
        n_best: int = 0,
        errors: Errors = "raise",
    ) -> Iterator[Document]: ...
    @overload
    def tag_documents(
        self,
        texts: Iterable[tuple[str, C]],
        *,
        as_tuples: Literal[True],
        chunk: int = CHUNK,
        n_best: int = 0,
        errors: Errors = "raise",
    ) -> Iterator[tuple[Document, C]]: ...
    def tag_documents(
        self,
        texts: Iterable[Any],
        *,
        as_tuples: bool = False,
        chunk: int = CHUNK,
        n_best: int = 0,
        errors: Errors = "raise",
    ) -> Iterator[Any]:
        """Yield the document of each text, in order; the sentences of several documents are tagged together.

        Args:
            texts: The texts; they are read as results are asked for.
            as_tuples: Whether the items are pairs `(text, context)`; then the results are pairs `(document, context)`.
            chunk: Number of sentences that are held at once.
            n_best: Number of readings of each tag layer of a sentence.
            errors: What to do with an invalid item, as for `stream`.

        Raises:
            TypeError: An item is no text, or no pair. The error names the item.
        """
        _check_items(texts, "texts", "tag_document")
        contexts: deque[Any] | None = deque() if as_tuples else None
        drafts = documents_of(texts, self.model.text_rules, reporter(errors), contexts)
        documents = self.predict_documents(drafts, chunk=chunk, n_best=n_best)
        return documents if contexts is None else ((document, contexts.popleft()) for document in documents)

    def map_batch(self, batch: Any, *, text: str = "text", prefix: str = "") -> "dict[str, TypedList]":
        """Return new columns for a batch of a dataset: `dataset.map(model.map_batch, batched=True)`.

        A text is read as by `tag_document`. The columns of a layer depend on what the model finds:

        - entities: a column with the name of the layer, with a list of `{start, end, text, type, score}` for each text;
          `start` and `end` are characters of it.
        - tags: the columns `LAYER_tags` and `tokens`.
        - a label of the whole text: the columns `LAYER` and `LAYER_score`.
        - a label of each sentence: a column as for entities, with an entry for each sentence.

        A text that is missing (None or NaN) has no value in any of them. The columns know their Arrow types, so that
        batches without any entity have the same types as others.

        Args:
            batch: A list of values for each column, by its name; or a data frame or an Arrow table.
            text: The column of texts.
            prefix: Begins the names of the new columns.

        Raises:
            DataError: There is no such column, or it is no list of texts, as in a `map` without `batched=True`, or has
                a value that is no text, or a new column exists already.
        """
        from tagger.hub.columns import arrow_types, checked_texts, typed_columns  # tagging alone needs no Arrow

        tasks = self.tasks
        texts = checked_texts(batch, text, arrow_types(tasks, prefix))
        documents = self.tag_documents(text for text in texts if text is not None)
        return typed_columns((None if text is None else next(documents) for text in texts), tasks, prefix)

    def map_features(self, features: "datasets.Features | None" = None, *, prefix: str = "") -> "datasets.Features":
        """Return the types of the columns of a dataset after `map_batch`, for streams, which cannot know them.

        Args:
            features: The types of the columns before. Default: none, for a `map` that removes them.
            prefix: As for `map_batch`.
        """
        import datasets  # loading it takes seconds
        import pyarrow

        from tagger.hub.columns import arrow_types

        new = datasets.Features.from_arrow_schema(pyarrow.schema(arrow_types(self.tasks, prefix)))
        return datasets.Features({**(features or {}), **new})

    def incremental(self) -> "Incremental":
        """Return a tagger of one sentence whose words arrive one by one.

        `feed` returns the prediction for a token at once: that of `tag_tokens` for the last of the tokens so far.
        `reset` begins the next sentence.

        Raises:
            ModelError: The model reads in both directions, or has features of whole sentences.
        """
        return self.backend.incremental()

    def predict(self, sentences: Iterable[Sentence], *, chunk: int = CHUNK, n_best: int = 0) -> Iterator[Sentence]:
        """Yield these sentences with predicted layers only, in order."""
        _check_numbers(chunk, n_best)
        return predict(sentences, self.backend, chunk=chunk, n_best=n_best)

    def predict_documents(
        self, documents: Iterable[Document], *, chunk: int = CHUNK, n_best: int = 0
    ) -> Iterator[Document]:
        """Yield these documents, with their sentences as they are, with predicted layers only, in order."""
        _check_numbers(chunk, n_best)
        return predict_documents(documents, self.backend, chunk=chunk, n_best=n_best)

    def marginals(self, sentence: Sentence) -> dict[str, Marginals]:
        """Return the probability of each tag at each token given the whole sentence, by tag layer.

        The tag scores of `predict` are these probabilities.

        Raises:
            DataError: The sentence has no token.
        """
        if not len(sentence):
            raise DataError("a sentence must have at least one token, got none. Pass a list of words.")
        found, labels = next(tag_marginals([sentence], self.backend)), self.model.vocabulary.labels
        return {layer: Marginals(tuple(labels[layer]), array) for layer, array in found.items()}

    def evaluate(
        self,
        sentences: Iterable[Sentence],
        *,
        watch: Callable[[Iterable[Sentence]], Iterable[Sentence]] = iter,
        files: Mapping[str, str] | None = None,
        context: "Context | None" = None,
    ) -> "Report":
        """Return the scores of this model on gold sentences, with the time that tagging them took.

        Gold entities that tokens cannot express (`TagLayer.unaligned`) count as missed.

        Args:
            sentences: The gold sentences.
            watch: Passes on the predicted sentences, which know their number, and may show how many are done.
            files: SHA-256 of each file that the sentences are from, for the signature of the report.
            context: What sections of the report need beside the sentences.

        Raises:
            DataError: No sentence has a layer of the model.
            MissingExtraError: seqeval, which entity scores need, is not installed.
        """
        from tagger.evaluation import score_predictions  # tagging alone needs no scores

        sentences = list(sentences)
        if not sentences:
            raise DataError("expected at least one sentence to score, got none")
        started = time.perf_counter()
        predicted = list(watch(_Counted(self.predict(sentences), len(sentences))))
        seconds, tokens = time.perf_counter() - started, sum(map(len, sentences))
        speed = {"tokens": tokens, "seconds": round(seconds, 3), "tokens_per_second": round(tokens / seconds)}
        try:
            known = {**self._identity(), "files": files or {}}
            return score_predictions(sentences, predicted, self.model, speed, known=known, context=context)
        except ModuleNotFoundError as error:
            raise missing_package("scoring", error) from None

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool = False,
        revision: str | None = None,
        token: str | None = None,
        commit_message: str = "Upload a model of tagger",
        license: str | None = None,
        language: str | Sequence[str] | None = None,
    ) -> str:
        """Publish this model on the Hugging Face hub, and return the URL of the commit.

        The commit has the files of the model's folder, and its card with what the hub shows of a model: tags of its
        tasks, datasets, and the scores on test of its run. `tagger.load("hf://owner/name")` loads it again.

        Args:
            repo_id: The repository, `owner/name`; it is created if missing.
            private: Whether to create the repository as private.
            revision: The branch, which is created if missing. Default: the main branch.
            token: A token with the right to write. Default: that of `hf auth login` or `HF_TOKEN`.
            commit_message: The message of the commit.
            license: The licence of the weights, by its id on the hub, such as `cc-by-sa-4.0`. Default: as the card
                says in its head, or else none, because the licences of the training data decide.
            language: Code of the language of the texts, or several. Default: as the card says in its head, or else
                that of the rules for words, if the recipe chose it.

        Raises:
            ModelError: The model was not loaded from a folder, or was exported, or the hub cannot be reached or refuses
                it.
            MissingExtraError: huggingface_hub is not installed.
        """
        from tagger.model.hub.uploading import upload  # few programs need it

        return upload(
            self.model,
            repo_id,
            private=private,
            revision=revision,
            token=token,
            message=commit_message,
            licence=license,
            languages=[language] if isinstance(language, str) else language,
        )

    def _identity(self) -> dict[str, object]:
        """Return the name of the model and its SHA-256, if it was loaded from a folder."""
        source = self.model.source
        if source is None:
            return {}
        from tagger.model.hub.address import name_of

        return {"model": name_of(source.folder), "model_sha256": source.sha256}


def load(
    path: str | Path,
    *,
    backend: BackendName = "auto",
    device: str = "cpu",
    precision: Precision = "float32",
    threads: int | None = None,
    trusted: bool = False,
    tokenize: Tokenize | Split | None = None,
    extensions: Sequence[Extension] = (),
    **splitting: str,
) -> Tagger:
    """Load the model of a run folder, of its `model/` folder, of an exported folder, or of the Hugging Face hub.

    Args:
        path: The folder that training or an export wrote, the name of a model of the library, or
            `hf://owner/name@revision`, where the revision is optional.
        backend: What runs the network: `torch`, `numpy` (on the CPU, without torch), or `onnx` (an exported folder).
            `auto` takes `onnx` for an exported folder, otherwise `torch` if it is installed, else `numpy`. Tags are the
            same, and probabilities differ by rounding.
        device: Where the network runs: `cpu`, or, with torch, `cuda` or `cuda:N`.
        precision: Precision of the encoder. `bfloat16` needs torch. It is faster on some processors, and its scores
            differ in the third decimal; embeddings, CRF and probabilities stay float32. With torch on a CPU, `auto`
            measures both once, keeps the result in the user's cache folder (`$TAGGER_CACHE`, or else
            `$XDG_CACHE_HOME/tagger` or `~/.cache/tagger`), and takes the faster one; otherwise `auto` is `float32`.
        threads: Number of batches that run at the same time on the CPU, and of threads that compute the states of a
            transformer or character model. Default: as many as torch has threads, 1 with NumPy, one per CPU with
            onnxruntime.
        trusted: Whether to run rules for words that the model brings and that are not those of a known spaCy. Rules
            that are made for it can take forever on some texts.
        tokenize: How to split raw text into tokens, where it must differ from training: a value of a recipe, or a
            function that takes a text and returns its tokens, or start and end of each.
        extensions: Parts of your own that the model has; see `tagger.extensions`.
        splitting: The same for `language`, `split_on` and `segment`.

    Raises:
        ModelError: The folder cannot be read or downloaded, its rules are not trusted, or the backend, the device or
            the precision is not available or does not support the others.
        ValueError: A value of `splitting` is not one of a recipe, or `threads` is below 1.
    """
    from tagger.inference.loading import load_backend  # reads files, which a `Tagger` itself does not
    from tagger.model.folder.opening import model_path
    from tagger.model.hub.address import address_of

    register(*extensions)
    if threads is not None and (not isinstance(threads, Integral) or isinstance(threads, bool)):
        raise TypeError(f"threads must be a whole number, got {typed(threads)}")
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    path = path if address_of(path) is None else model_path(path)  # downloaded once
    loaded = load_backend(path, backend, device=device, precision=precision, threads=threads, trusted=trusted)
    rules, trained, here = loaded.model.text_rules, loaded.model.config.tokenizer, source_name()
    if rules.uses_table and rules.table is None and trained != rules.name:  # the model has no `tokenizer.json`
        logger.warning(
            "%s: raw text went through %s in training and goes through %s here; tokens may differ",
            path,
            trained,
            rules.name if here else "no rules",
        )
    given = splitting if tokenize is None or callable(tokenize) else {"tokenize": tokenize, **splitting}
    rules = rules.changed(**given)
    rules = rules.with_function(tokenize) if callable(tokenize) else rules
    return Tagger(loaded.with_rules(rules) if given or tokenize is not None else loaded)


class _Counted:
    """Sentences whose number is known."""

    def __init__(self, sentences: Iterator[Sentence], number: int) -> None:
        self._sentences, self._number = sentences, number

    def __iter__(self) -> Iterator[Sentence]:
        return self._sentences

    def __len__(self) -> int:
        return self._number


def _check_items(items: object, wanted: str, method: str) -> None:
    if isinstance(items, str) or not is_ordered(items):
        raise TypeError(f"items must be {wanted}, got {typed(items)}; {method} takes one text")


def _check_numbers(chunk: int, n_best: int) -> None:
    for name, number, least in (("chunk", chunk, 1), ("n_best", n_best, 0)):
        if not isinstance(number, Integral) or isinstance(number, bool):
            raise TypeError(f"{name} must be a whole number, got {typed(number)}")
        if number < least:
            raise ValueError(f"{name} must be at least {least}, got {number}")


def read_documents(
    tagger: Tagger,
    lines: Iterable[bytes],
    *,
    format: InputFormat = "text",
    columns: Sequence[str] | None = None,
    where: str = "input",
    unit: Unit = "line",
    faults: "Faults | None" = None,
    tally: "Tally | None" = None,
    form: Mapping[str, Any] | None = None,
) -> Iterator[Document]:
    """Yield the documents of lines of text, to be tagged, in order.

    A blank line of text becomes a document without sentences, so that input and output stay aligned. `unit` says what a
    document of plain text is, `faults` takes records that are invalid and lines that are not UTF-8, which count as
    blank, `tally` what was skipped, and `form` says how the lines are written, with keys of a recipe such as
    `encoding`.

    Raises:
        DataError: A record is not in the format, and there are no `faults`. The error names its line.
    """
    from tagger.config import ReadingConfig
    from tagger.files.reading import decode_lines  # only files need the formats
    from tagger.formats.streaming import stream_documents
    from tagger.formats.tally import Tally

    trained = [r for r in tagger.model.config.reading.values() if r.format == format and columns is None]
    reading = (trained[0] if trained else ReadingConfig.model_construct()).model_copy(update=dict(form or {}))
    columns = reading.columns if trained else columns
    if format == "fasta":
        from tagger.formats.texts.fasta import TAGS

        of_tags = [layer for layer, key in (reading.layers or {}).items() if key == TAGS]
        labels = tagger.model.vocabulary.labels
        tags = frozenset(tag for layer in of_tags for tag in labels.get(layer, ()))
        tally = replace(tally or Tally(), tags=tags or None)
    report = faults.add if faults is not None else None
    return stream_documents(
        decode_lines(
            lines,
            where=where,
            encoding=reading.encoding,
            report=report,
            keep_cr=format == "csv" or (format == "text" and unit != "line"),
        ),
        format,
        columns,
        rules=tagger.model.text_rules,
        reading=reading,
        where=where,
        unit=unit,
        faults=faults,
        tally=tally,
    )


def tag_lines(
    tagger: Tagger,
    lines: Iterable[bytes],
    *,
    waits: Callable[[], bool] = lambda: False,
    n_best: int = 0,
    **reading: Any,
) -> Iterator[Document]:
    """Yield the tagged documents of lines of text, in order.

    `waits` says whether the next line has not arrived yet; the documents so far are tagged then. `reading` says how the
    lines are read, as for `read_documents`.

    Raises:
        DataError: A record is not in the format. The error names its line.
    """
    return predict_documents(read_documents(tagger, lines, **reading), tagger.backend, n_best=n_best, waits=waits)
