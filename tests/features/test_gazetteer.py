"""Lists of names: files, tokens, case, places, notes, and the file in the model folder."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tagger.config import GazetteerConfig
from tagger.encoding.packed import pack
from tagger.errors import DataError, ModelError
from tagger.features.feature import Given
from tagger.features.gazetteer import GazetteerFeature
from tagger.features.passages import Passage
from tagger.text.sentence import Sentence
from tagger.text.tokenization import TextRules

TRAIN = ("She moved from new York to Oslo .", "The New York Times is read in New York")


def config_of(files: dict[str, str | list[str]], case: str = "keep") -> GazetteerConfig:
    return GazetteerConfig.model_validate({"kind": "gazetteer", "files": files, "case": case})


def prepared(
    folder: Path, config: GazetteerConfig, train: tuple[str, ...] = TRAIN
) -> tuple[GazetteerFeature, list[str]]:
    """The feature and the notes of its preparation."""
    notes: list[str] = []
    packed = pack([Sentence.from_tokens(text.split()) for text in train])
    given = Given(folder, packed, notes.append, "cpu", TextRules())
    return GazetteerFeature.prepare("lists", config, given), notes


def places(feature: GazetteerFeature, text: str, *, type_id: int = 0) -> str:
    """The place of each token in entries of one type, `O` for none."""
    rows = feature.arrays([Passage(tuple(text.split()))])[:, 4 * type_id : 4 * type_id + 4]
    assert rows.sum(1).max(initial=0) <= 1
    return "".join("BIES"[row.argmax()] if row.any() else "O" for row in rows)


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "places.txt").write_text("New York\nOslo\nNew York\n\n  Rio de la Plata \n", encoding="utf-8")
    (tmp_path / "papers.txt").write_text("The New York Times\n", encoding="utf-8")
    return tmp_path


def test_each_token_has_its_place_in_the_entries_of_each_type(lists: Path) -> None:
    feature, _ = prepared(lists, config_of({"LOC": "places.txt", "ORG": ["papers.txt"]}))
    assert feature.width == 8
    text = "The New York Times from Oslo and Rio de la Plata"
    assert places(feature, text) == "OBEOOSOBIIE"
    assert places(feature, text, type_id=1) == "BIIEOOOOOOO"
    both = feature.arrays([Passage(("Oslo",)), Passage(("x", "New", "York"), before=("Oslo",))])
    assert [row.tolist() for row in np.argwhere(both)] == [[0, 3], [2, 0], [3, 2]]


def test_the_notes_count_entries_and_tokens_of_train(lists: Path) -> None:
    (lists / "never.txt").write_text("Atlantis\n", encoding="utf-8")
    _, notes = prepared(lists, config_of({"LOC": "places.txt", "ORG": "papers.txt", "MYTH": "never.txt"}))
    assert notes == [
        "features.lists: entries of `LOC` found in train: 2 of 3, in 5 of 17 tokens",
        "features.lists: entries of `ORG` found in train: 1 of 1, in 4 of 17 tokens",
        "features.lists: entries of `MYTH` found in train: 0 of 1, so the list teaches nothing; check its case, its "
        "language and how its entries are split into words",
    ]


@pytest.mark.parametrize(("case", "found"), [("keep", "OOOO"), ("fold", "BEOS")])
def test_case_is_folded_by_choice(lists: Path, case: str, found: str) -> None:
    feature, _ = prepared(lists, config_of({"LOC": "places.txt"}, case))
    assert places(feature, "NEW york , OSLO") == found


def test_an_entry_matches_tokens_split_at_blanks_and_as_text_is_split(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Smith's (Oslo)\n", encoding="utf-8")
    feature, _ = prepared(tmp_path, config_of({"ORG": "list.txt"}))
    assert places(feature, "Smith's (Oslo)") == "BE"
    assert places(feature, "Smith 's ( Oslo )") == "BIIIE"


@pytest.mark.parametrize(
    "content",
    [
        b"New York\r\nOslo\r\n",
        "\ufeffNew York\n\nOslo".encode(),
        "New York\nOslo\n".encode("utf-16"),
        gzip.compress(b"New York\nOslo\n", mtime=0),
    ],
)
def test_lists_are_read_as_other_files_are(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list").write_bytes(content)
    feature, _ = prepared(tmp_path, config_of({"LOC": "list"}))
    assert feature.entries == {"LOC": [("New", "York"), ("Oslo",)]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "list.txt: the file must not be empty, got no bytes"),
        (b"\n \n", "list.txt: the file must not be empty, got blank lines only"),
        ("Oslo\nKøge\n".encode("latin-1"), r"list.txt:2: .*UTF-8, .*; save it as UTF-8$"),
        (None, "list.txt: no such file"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, problem: str) -> None:
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(DataError, match=problem):
        prepared(tmp_path, config_of({"LOC": "list.txt"}))


def test_the_file_of_the_model_holds_the_entries(lists: Path) -> None:
    config = config_of({"LOC": "places.txt", "ORG": "papers.txt"}, "fold")
    feature, _ = prepared(lists, config)
    again = GazetteerFeature.restore("lists", config, feature.content(None))
    assert again.entries == feature.entries
    assert places(again, "in OSLO") == "OS"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Invalid JSON"),
        (b"[]", "valid dictionary|object"),
        (b'{"entries": {"LOC": [[]]}}', "at least 1"),
        (b'{"entries": {"LOC": [[1]]}}', "must be text"),
        (b'{"entries": {"LOC": ["Oslo"]}}', "array|list"),
        (b'{"entries": {"ORG": [["Oslo"]]}}', "must have the types `LOC`, got `ORG`"),
    ],
)
def test_a_damaged_file_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(ModelError, match=problem) as error:
        GazetteerFeature.restore("lists", config_of({"LOC": "x"}), content)
    assert str(error.value).startswith("feature.lists.json: must ")
