"""Trained models as teachers."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import cast

from tagger.features.cache import compute
from tagger.features.passages import by_document
from tagger.features.table import Features, longest_context, passages_for
from tagger.heads.lessons import Opinion
from tagger.inference.predict import tag_marginals
from tagger.inference.torch_backend import TorchBackend
from tagger.tagging import Tagger
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence


@dataclass(frozen=True, slots=True)
class ModelTeacher:
    """A model that teaches."""

    tagger: Tagger

    def keeping(self, keep: Callable[[Features], Features]) -> "ModelTeacher":
        """Return the same teacher; what `keep` returns of its features keeps their values on disk."""
        backend = cast(TorchBackend, self.tagger.backend)  # that of all models that teach
        return ModelTeacher(Tagger(backend.with_features(keep(backend.model.features))))

    def labels(self, layer: str) -> Sequence[str]:
        """Return the labels of a layer that the model knows."""
        return self.tagger.model.vocabulary.labels[layer]

    def predict(self, sentences: Sequence[Sentence], asked: Sequence[bool]) -> Iterator[Sentence]:
        """Yield those sentences that are asked about, with the layers that the model predicts."""
        read, flags = self._read(sentences, asked)
        return compress(self.tagger.predict(read), flags)

    def opinions(
        self, sentences: Sequence[Sentence], asked: Sequence[bool], layer: str, scheme: Scheme | None
    ) -> Iterator[Opinion]:
        """Yield the probabilities of the tags of each sentence asked about; they are in the scheme of the model."""
        names, (read, flags) = self.labels(layer), self._read(sentences, asked)
        return (Opinion(names, found[layer]) for found in compress(tag_marginals(read, self.tagger.backend), flags))

    def having(self, layer: str, classes: Collection[str]) -> tuple[str, str]:
        """Return where the model has classes that train lacks, and how to fix that."""
        return "the teacher", "use a teacher that was trained on the same labels"

    def _read(self, sentences: Sequence[Sentence], asked: Sequence[bool]) -> tuple[list[Sentence], list[bool]]:
        """Return the sentences to read, and whether each is asked about: all of a document, if the model reads context.

        Documents get names of their own, so that two of the same name stay apart where one between them is not read.
        The features that are kept on disk are computed first.
        """
        features, read, left = self.tagger.model.features, list[tuple[Sentence, bool]](), iter(asked)
        if not (context := longest_context(features)):
            read += [(sentence, True) for sentence in compress(sentences, asked)]
        for number, document in enumerate(by_document(sentences) if context else ()):
            part = [(s if s.document is None else replace(s, document=str(number)), next(left)) for s in document]
            read += part if any(is_asked for _, is_asked in part) else []
        found = [sentence for sentence, _ in read]
        compute(features, passages_for(features, found))
        return found, [is_asked for _, is_asked in read]
