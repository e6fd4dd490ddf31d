"""What is said of the splits of a corpus, or refused, before a head learns from them."""

from pathlib import Path

import pytest

from tagger.config import parse_recipe
from tagger.errors import DataError
from tagger.running.corpora import read_corpora


def said(
    folder: Path, heads: dict[str, dict[str, str]], columns: list[str], *, refit: bool = False, **splits: str
) -> list[str]:
    """Read sentences such as `Ada/B-PER/PROPN naps/O/VERB`, one per line of a split, and return what was said."""
    files = {}
    for split, text in splits.items():
        files[split] = f"{split}.conll"
        lines = ["\n".join(word.replace("/", "\t") for word in line.split()) for line in text.splitlines()]
        (folder / files[split]).write_text("\n\n".join(lines))
    data = {"format": "conll", "columns": ["token", *columns], **files}
    found: list[str] = []
    recipe = parse_recipe({"data": data, "heads": heads, "training": {"refit": refit}}, where="r.toml")
    read_corpora(recipe, folder, from_files=False, tell=found.append)
    return found


NER, UPOS = {"ner": {"kind": "tokens"}}, {"upos": {"kind": "tokens", "scheme": "none"}}


def test_types_and_tags_that_train_lacks_are_noted_with_their_counts(tmp_path: Path) -> None:
    notes = said(
        tmp_path,
        NER | UPOS,
        ["ner", "upos"],
        train="Ada/B-PER/PROPN naps/O/VERB",
        dev="Gala/B-EVENT/PROPN at/O/ADP Oslo/B-LOC/PROPN\nBall/B-EVENT/PROPN Week/I-EVENT/PROPN",
        test="Ada/B-PER/PROPN naps/O/NOUN",
    )
    assert [note for note in notes if "train lacks" in note] == [
        "dev has labels of `ner` that train lacks, so the model cannot predict them: EVENT (2), LOC (1)",
        "dev has labels of `upos` that train lacks, so the model cannot predict them: ADP (1)",
        "test has labels of `upos` that train lacks, so the model cannot predict them: NOUN (1)",
    ]


def test_labels_of_dev_are_known_to_a_model_that_is_trained_again_with_dev(tmp_path: Path) -> None:
    splits = {"train": "Ada/B-PER", "dev": "Gala/B-EVENT", "test": "Gala/B-EVENT Oslo/B-LOC"}
    notes = said(tmp_path, NER, ["ner"], refit=True, **splits)
    assert [note for note in notes if "lack" in note] == [
        "dev has labels of `ner` that train lacks, so only the model that is trained again with dev can predict them: "
        "EVENT (1)",
        "test has labels of `ner` that train and dev lack, so the model cannot predict them: LOC (1)",
    ]


def test_classes_that_train_lacks_are_noted_and_of_many_the_first_ten(tmp_path: Path) -> None:
    for split, text in {"train": "good\tfine\n", "dev": "".join(f"c{i}\ttext\n" for i in range(12))}.items():
        (tmp_path / f"{split}.txt").write_text(text)
    data = {"format": "labelled", "layer": "mood", "train": "train.txt", "dev": "dev.txt"}
    notes: list[str] = []
    recipe = parse_recipe({"data": data, "heads": {"mood": {"kind": "sentence"}}}, where="r.toml")
    read_corpora(recipe, tmp_path, from_files=False, tell=notes.append)
    names = ", ".join(f"c{i} (1)" for i in range(10))
    assert f"dev has labels of `mood` that train lacks, so the model cannot predict them: {names} and 2 more" in notes


def test_splits_with_the_labels_of_train_are_not_noted(tmp_path: Path) -> None:
    text = "Ada/B-PER naps/O"
    assert not [note for note in said(tmp_path, NER, ["ner"], train=text, dev=text) if "lacks" in note]


def test_one_sentence_without_dev_is_refused_because_dev_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        said(tmp_path, NER, ["ner"], train="Oslo/B-LOC is/O")
    assert str(refused.value) == (
        "dev must have at least one sentence, which is needed to choose the best epoch, got none; name a file in "
        "`dev`, or give train at least two sentences, so that one of them can be dev"
    )
