"""A corpus that stays in its file is the corpus that is read whole."""

import errno
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from tagger.config import DataConfig, load_recipe
from tagger.corpus.corpus import Corpus, load_corpus, load_dataset, read_corpus
from tagger.corpus.synthetic import generate
from tagger.doctor.check import check_for_training
from tagger.encoding import packed
from tagger.encoding.batches import encode
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import DataError, RecipeError
from tagger.files.writing import locked
from tagger.hub import lazy
from tagger.hub import loading as hub
from tagger.hub.lazy import LazySentences, holding, packed_of
from tagger.hub.loading import stream_dataset
from tagger.running.corpora import read_corpora
from tagger.running.run import RunListener
from tagger.running.train import train
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.text.tokenization import sentence_from_text

pytestmark = pytest.mark.usefixtures("own_cache")
EVERY = ("split", {"every": 5, "dev": 1})
LAYERS: dict[str, Scheme | None] = {"ner": "bioes", "upos": None, "sentiment": None}


def saved(folder: Path, sentences: list[Sentence], **splits: list[Sentence]) -> Path:
    Corpus(sentences, **splits).to_dataset().save_to_disk(folder / "data")
    return folder / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sentences = list(generate(120, seed=6, split="train"))
    return saved(tmp_path, sentences[:100], test=sentences[100:])


def both(folder: Path, **settings: Any) -> tuple[Corpus, Corpus]:
    return load_dataset(folder, lazy=True, **settings), load_dataset(folder, **settings)


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the rows are packed again")

    monkeypatch.setattr(lazy, "_keep", refuse)


def test_odd_tokens_of_a_lazy_train_split_are_reported_without_reading_it_whole(tmp_path: Path) -> None:
    odd = [Sentence.from_tokens(["New York", "grows"]), Sentence.from_tokens(["a", "cafÃ©"])]
    tagged = [Sentence.from_tokens(s.tokens, {"ner": TagLayer(("O",) * len(s))}) for s in odd]
    folder = saved(tmp_path, [*list(generate(30, seed=6, split="train")), *tagged])
    notes = [check_for_training(corpus) for corpus in both(folder)]
    assert notes[0] == notes[1]
    assert len(notes[0]) == 2
    held = holding(load_dataset(folder, lazy=True, split={"dev": 0.01}).train, {"New York"})
    assert [sentence.tokens for sentence in held] == [("New York", "grows")]


@pytest.mark.parametrize("split", [{}, {"split": {"dev": 0.2}}])
def test_lazy_corpus_is_the_corpus(folder: Path, split: dict[str, Any]) -> None:
    found, wanted = both(folder, **split)
    assert isinstance(found.train, LazySentences)
    assert [*found.train] == wanted.train
    assert [found.train[i] for i in range(len(found.train))] == wanted.train
    assert [*found.train[3:9:2]] == list(wanted.train[3:9:2])
    assert (found.dev, found.test, found.schemes, found.notes) == (
        wanted.dev,
        wanted.test,
        wanted.schemes,
        wanted.notes,
    )


def test_vocabulary_and_encoded_sentences_are_those_of_the_corpus(folder: Path) -> None:
    found, wanted = both(folder)
    vocabularies = [build_vocabulary(packed_of(corpus.train), layers=LAYERS) for corpus in (found, wanted)]
    assert vocabularies[0] == vocabularies[1]
    encoded, other = (encode(packed_of(corpus.train), vocabularies[0], LAYERS) for corpus in (found, wanted))
    for name in ("types", "word_ids", "char_ids", "char_starts", "type_ids", "starts"):
        assert np.array_equal(getattr(encoded, name), getattr(other, name)), name
    assert {**encoded.tag_targets, **encoded.label_targets}.keys() == LAYERS.keys()
    for layer, ids in {**encoded.tag_targets, **encoded.label_targets}.items():
        assert np.array_equal(ids, {**other.tag_targets, **other.label_targets}[layer]), layer
    batch = encoded.batch(np.array([4, 0, 7]))
    for layer, ids in batch.targets.items():
        assert ids.dtype == np.int64, layer


def test_training_on_a_lazy_corpus_makes_the_same_model(folder: Path) -> None:
    recipe = folder.parent / "recipe.toml"
    recipe.write_text(
        '[data]\ndataset = "data"\n[encoder]\nhidden_size = 4\n[heads.ner]\nkind = "tokens"\n'
        '[heads.upos]\nkind = "tokens"\nscheme = "none"\n[heads.sentiment]\nkind = "sentence"\n[training]\nepochs = 2\n'
    )
    runs = [train(recipe, overrides=[f"data.lazy={value}"], listener=RunListener()) for value in ("true", "false")]
    first, second = ([(epoch.loss, epoch.selected) for epoch in run.outcome.epochs] for run in runs)
    assert first == second
    lazy_report, report = (run.report for run in runs)
    assert lazy_report is not None
    assert report is not None
    assert lazy_report.to_dict()["scores"] == report.to_dict()["scores"]


@pytest.mark.parametrize(
    ("keys", "reader"),
    [
        ('teacher = "t.toml"', "a `teacher` reads"),
        ("[training]\nrefit = true", "`training.refit` reads"),
        ("[training]\nmention_replacement = 0.5", "`training.mention_replacement` reads"),
        ("[training]\ntoken_replacement = 0.5", "`training.token_replacement` reads"),
        ('[features.x]\nkind = "charlm"\nmodel = "lm"', "features of sentences (`x`) read"),
        ('[features.x]\nkind = "gazetteer"\nfiles = {LOC = "l.txt"}', "features of sentences (`x`) read"),
    ],
)
def test_what_reads_all_of_train_is_refused_for_a_lazy_corpus_that_is_given(
    folder: Path, keys: str, reader: str
) -> None:
    for name in ("l.txt", "lm"):
        (folder.parent / name).write_text("Oslo\n")
    (folder.parent / "recipe.toml").write_text(f'[heads.ner]\nkind = "tokens"\n{keys}\n')
    recipe, given = load_recipe(folder.parent / "recipe.toml"), load_dataset(folder, lazy=True)
    problem = re.escape(f"{reader} all of train, which `lazy` leaves on disk; keep one of the two")
    with pytest.raises(RecipeError, match=f"^{problem}$"):
        read_corpora(recipe, folder.parent, from_files=False, tell=str, given=given)


def test_second_reading_takes_what_the_first_one_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_dataset(folder, lazy=True)
    forbid(monkeypatch)
    assert [*load_dataset(folder, lazy=True).train] == [*first.train]


def touch(folder: Path) -> dict[str, Any]:
    os.utime(next((folder / "train").glob("*.arrow")), ns=(1, 1))
    return {}


@pytest.mark.parametrize("change", [touch, lambda _: {"layers": {"ner": "ner_tags"}}, lambda _: {"tokenize": "blanks"}])
def test_other_data_and_another_reading_are_read_anew(
    folder: Path, change: Callable[[Path], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_dataset(folder, lazy=True)
    settings = change(folder)
    forbid(monkeypatch)
    with pytest.raises(AssertionError, match="packed again"):
        load_dataset(folder, lazy=True, **settings)


def test_text_of_a_lazy_sentence_is_its_own(tmp_path: Path) -> None:
    plain = sentence_from_text("It's  fine.", "words")
    written = Sentence(plain.tokens, plain.text, plain.offsets, {"mood": Label("glad")}, {"id": "7"}, "d")
    found, wanted = both(saved(tmp_path, [written] * 3, dev=[written]))
    assert [*found.train] == wanted.train == [written] * 3


def test_mistake_of_a_lazy_train_split_is_reported(tmp_path: Path) -> None:
    fine, wrong = TagLayer(("B-X", "I-X")), TagLayer(("O", "I-X"))
    rows = [Sentence.from_tokens(("a", "b"), {"ner": layer}) for layer in (fine, fine, wrong, wrong)]
    place = saved(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        load_dataset(place, lazy=True, scheme="iob2")
    assert str(caught.value).startswith("sentence 'a b', token 2: tag 'I-X' after 'O' is not valid IOB2 in layer `ner`")


def test_bad_rows_are_reported_and_nothing_is_kept(tmp_path: Path) -> None:
    rows = {"tokens": [["a"], [], ["b"]], "ner_tags": [["O"], [], ["O", "O"]]}
    datasets.Dataset.from_dict(rows).save_to_disk(tmp_path / "data")
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            load_corpus(dataset=str(tmp_path / "data"), lazy=True)
        assert str(caught.value).splitlines() == [
            f"{tmp_path}/data (train), row 1: a sentence must have a list of tokens, got '[]'",
            f"{tmp_path}/data (train), row 2: `ner` must have 1 tags, got 2",
        ]


def test_full_disk_is_one_sentence_and_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packed.Growing, "_write", refuse)
    with pytest.raises(DataError, match=r"lazy corpus cannot be saved here: No space left on device; free some"):
        load_dataset(folder, lazy=True)
    assert list((Path(datasets.config.HF_DATASETS_CACHE) / "tagger").iterdir()) == []


def test_what_a_killed_reading_left_is_deleted_and_what_another_one_makes_is_not(folder: Path) -> None:
    cache = Path(datasets.config.HF_DATASETS_CACHE) / "tagger"
    names = ["left.part", "new.part", "busy.part", "other"]
    for name in names:
        (cache / name / "room").mkdir(parents=True)
        os.utime(cache / name, (0, 0) if name != "new.part" else None)
    with locked(cache / "busy.part"):
        os.utime(cache / "busy.part", (0, 0))
        load_dataset(folder, lazy=True)
        found = {path.name for path in cache.iterdir()}
    assert found.intersection(names) == {"new.part", "busy.part", "other"}
    assert len(found) == 4  # with the arrays of this reading


def test_blank_tokens_are_counted_over_all_of_train(tmp_path: Path) -> None:
    blank = Sentence.from_tokens(("a", " "), {"pos": TagLayer(("X", "X"))})
    corpus = load_corpus(dataset=str(saved(tmp_path, [blank] * 5, test=[blank])), lazy=True)
    assert corpus.notes == ("kept 6 tokens that are empty or white space",)


def test_lazy_and_streaming_exclude_each_other() -> None:
    with pytest.raises(RecipeError, match="`lazy` reads from a copy on disk, which `streaming` does not keep"):
        load_dataset("x", lazy=True, streaming=True)


def odd_tags(number: int) -> list[Sentence]:
    """Sentences of any tags of IOB2 and IOB1, valid or not, with two layers, some without, and a class."""
    rng = random.Random(number)
    tags = ["O", "B-A", "I-A", "B-B", "I-B", "B-C"]
    sentences = []
    for i in range(number):
        length = rng.randint(1, 6)
        layers: dict[str, TagLayer | Label] = {"ner": TagLayer(tuple(rng.choices(tags, k=length)))}
        if i % 3:
            layers["chunk"] = TagLayer(tuple(rng.choices(["O", "B-A", "I-A", "I-N"], k=length)))
            layers["kind"] = Label(rng.choice("ABD"))
        sentences.append(Sentence.from_tokens(rng.choices("vwxyz", k=length), layers))
    return sentences


CHANGES: dict[str, dict[str, Any]] = {
    "repair": {},
    "rename": {"rename": {"A": "Z", "D": "d"}},
    "two become one": {"rename": {"A": "B", "N": "B"}},
    "swap": {"rename": {"A": "B", "B": "A"}},
    "drop": {"drop": ["B"]},
    "drop all": {"drop": ["A", "B", "C", "N"]},
    "both": {"rename": {"D": "A"}, "drop": ["A"]},
    "shares": {"drop": ["D"], "split": {"dev": 0.2, "test": 0.1}},
    "remainders": {"rename": {"A": "B"}, "split": {"every": 4, "dev": 0}},
}


@pytest.mark.parametrize("scheme", ["iob1", "iob2"])
@pytest.mark.parametrize("name", CHANGES)
def test_changed_lazy_corpus_is_the_changed_corpus(name: str, scheme: Scheme, tmp_path: Path) -> None:
    dev = {} if "split" in CHANGES[name] else {"dev": odd_tags(20)}
    folder = saved(tmp_path, odd_tags(300), **dev)
    found, wanted = both(folder, invalid="repair", scheme=scheme, **CHANGES[name])
    assert isinstance(found.train, LazySentences)
    assert any(note.startswith("repaired ") for note in wanted.notes)
    assert (found.notes, found.schemes) == (wanted.notes, wanted.schemes)
    assert [list(split) for split in found.splits().values()] == [list(split) for split in wanted.splits().values()]
    assert len(found.train) == len(wanted.train)
    layers: dict[str, Scheme | None] = {"ner": "bioes", "chunk": scheme, "kind": None}
    vocabularies = [build_vocabulary(packed_of(corpus.train), layers=layers) for corpus in (found, wanted)]
    assert vocabularies[0] == vocabularies[1]
    first, second = (encode(packed_of(corpus.train), vocabularies[0], layers) for corpus in (found, wanted))
    assert first.types.tolist() == second.types.tolist()
    for layer in ("ner", "chunk"):
        assert first.tag_targets[layer].tolist() == second.tag_targets[layer].tolist()
    assert first.label_targets["kind"].tolist() == second.label_targets["kind"].tolist()


def test_documents_of_a_lazy_corpus_stay_whole_and_a_group_is_refused(tmp_path: Path) -> None:
    sentences = [replace(s, document=f"d{i // 4}") for i, s in enumerate(generate(80, seed=2, split="train"))]
    folder = saved(tmp_path, sentences)
    found, wanted = both(folder, split={"dev": 0.2, "test": 0.1})
    assert [list(split) for split in found.splits().values()] == [list(split) for split in wanted.splits().values()]
    assert {len(split) for split in found.splits().values()} == {56, 16, 8}
    assert not {s.document for s in found.train} & {s.document for s in found.dev}
    with pytest.raises(RecipeError, match=r"`split.group` must not be given beside `lazy`"):
        load_dataset(folder, lazy=True, split={"dev": 0.1, "group": "ticket"})


def test_remainders_of_a_lazy_corpus_are_those_of_the_corpus(folder: Path) -> None:
    (folder / "dataset_dict.json").write_text('{"splits": ["train"]}')
    found, wanted = both(folder, split={"every": 10, "dev": 8, "test": 9})
    assert [list(split) for split in found.splits().values()] == [list(split) for split in wanted.splits().values()]
    assert [len(split) for split in found.splits().values()] == [80, 10, 10]


@pytest.mark.parametrize("key", [{"rename": {"X": "Y"}}, {"drop": ["X"]}])
def test_type_that_a_lazy_corpus_does_not_have_is_reported(key: dict[str, Any], folder: Path) -> None:
    with pytest.raises(
        DataError, match="`rename` and `drop` must name types or classes of the data, got 'X'; the data have"
    ):
        load_dataset(folder, lazy=True, **key)


def test_type_of_few_sentences_is_found_whatever_else_they_have(tmp_path: Path) -> None:
    """The one sentence that shows a type may go for its class, another that has it too stays."""
    rows = [
        Sentence.from_tokens(("a",), {"ner": TagLayer(("B-X",)), "kind": Label(kind)})
        for kind in ("bad", "bad", "good")
    ]
    for corpus in both(saved(tmp_path, rows), rename={"X": "Y"}, drop=["bad"]):
        assert corpus.notes[1:3] == ("renamed 'X' to 'Y' 1 time", "dropped 'bad' 2 times")
        assert [sentence.tags("ner") for sentence in corpus.train] == [("B-Y",)]


def test_lazy_corpus_beside_another_is_refused(folder: Path) -> None:
    recipe = folder.parent / "recipe.toml"
    recipe.write_text(
        '[corpora.a]\ndataset = "data"\nlazy = true\n[corpora.b]\ndataset = "data"\n[heads.ner]\nkind = "tokens"\n'
    )
    with pytest.raises(RecipeError, match=r"corpora\.a: a `lazy` corpus must be the only one, got 2; remove `lazy`"):
        train(recipe)
    recipe.write_text(recipe.read_text().replace("lazy = true", ""))
    with pytest.raises(RecipeError, match=r"corpora\.b: a `lazy` corpus must be the only one, got 2; remove `lazy`"):
        train(recipe, corpus={"a": load_dataset(folder), "b": load_dataset(folder, lazy=True)})


@pytest.mark.parametrize("streaming", [False, True])
def test_streamed_sentences_have_tokens_and_no_layers(folder: Path, streaming: bool) -> None:
    wanted = read_corpus(DataConfig(dataset=str(folder))).test
    found = list(stream_dataset(folder, split="test", streaming=streaming))
    assert [sentence.tokens for sentence in found] == [sentence.tokens for sentence in wanted]
    assert not any(sentence.layers for sentence in found)
    assert list(stream_dataset(datasets.load_from_disk(folder)["test"])) == found


def test_stream_needs_no_layers_and_reads_as_it_is_asked(tmp_path: Path) -> None:
    rows = datasets.Dataset.from_dict({"text": ["It's fine.", " "], "id": [1, 2]})
    stream = stream_dataset(rows)
    assert next(stream).tokens == ("It", "'s", "fine", ".")
    with pytest.raises(DataError, match="dataset, row 1: the text has no token"):
        next(stream)


def test_split_that_is_not_there_is_reported(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        stream_dataset(folder, split="dev")
    assert str(caught.value) == f"{folder}: must have the split `dev`, got train, test"


def test_stream_reads_no_more_than_a_batch_ahead() -> None:
    taken = []

    def rows() -> Iterator[dict[str, list[str]]]:
        for i in range(5 * hub.ROWS):
            taken.append(i)
            yield {"tokens": [str(i)]}

    features = datasets.Features({"tokens": datasets.List(datasets.Value("string"))})
    stream = stream_dataset(datasets.IterableDataset.from_generator(rows, features=features))
    assert taken == []
    assert next(stream).tokens == ("0",)
    assert len(taken) <= 2 * hub.ROWS


def test_problems_of_a_stream_come_behind_its_good_rows() -> None:
    rows = datasets.Dataset.from_dict({"tokens": [["a"], [], ["b"], None]})
    stream = stream_dataset(rows)
    assert [next(stream).tokens, next(stream).tokens] == [("a",), ("b",)]
    with pytest.raises(DataError, match=r"dataset, row 1: .*\ndataset, row 3: "):
        next(stream)
