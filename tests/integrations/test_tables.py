"""Tagged data frames, datasets and Arrow tables: their columns, ids and types, through Parquet too."""

import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import datasets
import numpy
import pandas
import pyarrow
import pyarrow.parquet
import pytest

import tagger
from tagger.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")

TEXTS = ["Maria Rossi loved Paris. She moved to Oslo.", None, "", "it rained .", "Altavia Inc. is in London."]
EMPTY = ["it rained .", "so what ?"]
ENTITY = pyarrow.struct(
    {
        "start": pyarrow.int64(),
        "end": pyarrow.int64(),
        "text": pyarrow.string(),
        "type": pyarrow.string(),
        "score": pyarrow.float64(),
    }
)
TYPES = {
    "tokens": pyarrow.list_(pyarrow.string()),
    "ner": pyarrow.list_(ENTITY),
    "upos_tags": pyarrow.list_(pyarrow.string()),
    "xpos_tags": pyarrow.list_(pyarrow.string()),
    "sentiment": pyarrow.string(),
    "sentiment_score": pyarrow.float64(),
}


@pytest.fixture(scope="module")
def model() -> tagger.Tagger:
    return tagger.load("english")


@pytest.fixture(scope="module")
def sentence_model(tmp_path_factory: pytest.TempPathFactory) -> tagger.Tagger:
    """A model whose labels belong to sentences, not to texts."""
    recipe = {
        "data": {"format": "synthetic", "sentences": 20},
        "encoder": {"hidden_size": 4},
        "heads": {"ner": {"kind": "tokens"}, "sentiment": {"kind": "sentence"}},
        "training": {"epochs": 1},
    }
    return tagger.train(tagger.Recipe(**recipe)).tagger


def wanted_columns(model: tagger.Tagger) -> dict[str, list[Any]]:
    """The columns of `TEXTS`, put together from documents."""
    columns: dict[str, list[Any]] = {name: [] for name in TYPES}
    for text in TEXTS:
        found: dict[str, Any] = {}
        if text is not None:
            document = model.tag_document(text)
            rows = tagger.to_dataframe(document) if document.spans("ner") else None
            found["ner"] = [] if rows is None else rows[["start", "end", "text", "type", "score"]].to_dict("records")
            found |= {"tokens": list(document.tokens)}
            found |= {f"{name}_tags": list(document.tags(name)) for name in ("upos", "xpos")}
            if document.sentences:
                label = document.label("sentiment")
                found |= {"sentiment": label.value, "sentiment_score": label.score}
        for name, column in columns.items():
            column.append(found.get(name))
    return columns


def nearly(columns: dict[str, list[Any]]) -> dict[str, Any]:
    scores = columns["sentiment_score"]
    near = [None if score is None else pytest.approx(score, abs=1e-4) for score in scores]
    entities = [
        None if row is None else [{**entity, "score": pytest.approx(entity["score"], abs=1e-4)} for entity in row]
        for row in columns["ner"]
    ]
    return {**columns, "sentiment_score": near, "ner": entities}


def types_in(path: Path) -> dict[str, pyarrow.DataType]:
    """The types of the columns of a Parquet file."""
    schema = pyarrow.parquet.read_table(path).schema
    return {name: schema.field(name).type for name in schema.names}


def test_batches_of_a_dataset_get_columns_and_keep_theirs(model: tagger.Tagger, tmp_path: Path) -> None:
    ids = [f"a{i}" for i in range(len(TEXTS))]
    found = datasets.Dataset.from_dict({"id": ids, "text": TEXTS}).map(model.map_batch, batched=True, batch_size=2)
    assert found["id"][:] == ids
    assert found["text"][:] == TEXTS
    wanted = nearly(wanted_columns(model))
    assert {name: found[name][:] for name in TYPES} == wanted
    assert found["ner"][0][0]["text"] == "Maria Rossi"
    found.to_parquet(tmp_path / "a.parquet")
    again = datasets.Dataset.from_parquet(str(tmp_path / "a.parquet"))
    assert again.features == found.features
    assert again[:] == found[:]


def test_types_do_not_depend_on_what_is_found(model: tagger.Tagger, tmp_path: Path) -> None:
    """The first batch has no entity, and none of the texts of another dataset has anything."""
    rows = {"text": [None, *EMPTY, *TEXTS]}
    mixed = datasets.Dataset.from_dict(rows).map(model.map_batch, batched=True, batch_size=1)
    nothing = datasets.Dataset.from_dict({"text": ["", "it rained ."]}).map(model.map_batch, batched=True)
    missing = datasets.Dataset.from_dict({"text": [None]}, features=nothing.select_columns("text").features)
    missing = missing.map(model.map_batch, batched=True)
    assert mixed.features == nothing.features == missing.features
    assert {name: mixed.data.schema.field(name).type for name in TYPES} == TYPES
    assert sum(len(row or ()) for row in mixed["ner"]) > 3 > sum(len(row or ()) for row in nothing["ner"]) == 0
    nothing.to_parquet(tmp_path / "nothing.parquet")
    assert {name: types_in(tmp_path / "nothing.parquet")[name] for name in TYPES} == TYPES


def test_two_processes_map_alike(model: tagger.Tagger) -> None:
    dataset = datasets.Dataset.from_dict({"text": TEXTS})
    one, two = (dataset.map(model.map_batch, batched=True, num_proc=number) for number in (None, 2))
    assert two.features == one.features
    assert two["ner"][:] == nearly(one[:])["ner"]


def test_streams_get_their_types_from_the_model(model: tagger.Tagger) -> None:
    stream = datasets.Dataset.from_dict({"id": [7], "text": EMPTY[:1]}).to_iterable_dataset()
    features = model.map_features(stream.features)
    found = stream.map(model.map_batch, batched=True, features=features)
    assert found.features == features
    assert {name: features.arrow_schema.field(name).type for name in TYPES} == TYPES
    assert list(features) == ["id", "text", *TYPES]
    assert next(iter(found))["ner"] == []
    assert list(model.map_features(prefix="x_")) == [f"x_{name}" for name in TYPES]


@pytest.mark.parametrize("index", [[7, 7, 9, 1, 2], ["a", "b", "c", "d", "e"]])
def test_data_frames_keep_index_and_columns(model: tagger.Tagger, index: list[Any], tmp_path: Path) -> None:
    frame = pandas.DataFrame({"text": TEXTS, "id": [5, 4, 3, 2, 1]}, index=index)
    before = frame.copy()
    found = tagger.tag_dataframe(model, frame)
    pandas.testing.assert_frame_equal(frame, before)
    pandas.testing.assert_frame_equal(found[["text", "id"]], frame)
    assert list(found.columns) == ["text", "id", *TYPES]
    plain = {name: [None if _is_missing(value) else value for value in found[name]] for name in TYPES}
    assert plain == nearly(wanted_columns(model))
    found.to_parquet(tmp_path / "a.parquet")
    again = pandas.read_parquet(tmp_path / "a.parquet")
    assert list(again.index) == index
    assert [None if row is None else list(row) for row in again["ner"]] == plain["ner"]
    assert types_in(tmp_path / "a.parquet")["ner"] == TYPES["ner"]


def _is_missing(value: Any) -> bool:
    return value is None or (not isinstance(value, list) and pandas.isna(value))


@pytest.mark.parametrize("missing", [None, float("nan"), pandas.NA, pandas.NaT])
def test_missing_texts_have_missing_values(model: tagger.Tagger, missing: Any) -> None:
    frame = pandas.DataFrame({"text": pandas.Series(["Oslo is cold.", missing], dtype=object)})
    found = tagger.tag_dataframe(model, frame)
    assert [_is_missing(value) for value in found.iloc[1]] == [True] * 7
    assert not any(_is_missing(value) for value in found.iloc[0])


def test_a_frame_without_rows_gets_its_columns(model: tagger.Tagger) -> None:
    found = tagger.tag_dataframe(model, pandas.DataFrame({"text": []}))
    assert list(found.columns) == ["text", *TYPES]
    assert len(found) == 0


@pytest.mark.parametrize("texts", [TEXTS, EMPTY, [None]])
def test_arrow_tables_have_the_same_types_for_all_texts(
    model: tagger.Tagger, texts: list[str | None], tmp_path: Path
) -> None:
    ids = list(range(len(texts)))
    table = pyarrow.table({"text": pyarrow.array(texts, pyarrow.string()), "id": ids})
    found = tagger.tag_dataframe(model, table)
    assert found["id"].to_pylist() == ids
    assert {name: found.schema.field(name).type for name in TYPES} == TYPES
    pyarrow.parquet.write_table(found, tmp_path / "a.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").equals(found)
    assert pandas.read_parquet(tmp_path / "a.parquet")["id"].tolist() == ids


def test_index_of_a_frame_survives_as_an_arrow_table(model: tagger.Tagger, tmp_path: Path) -> None:
    frame = pandas.DataFrame({"text": EMPTY}, index=["x", "y"])
    table = tagger.tag_dataframe(model, pyarrow.Table.from_pandas(frame))
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert types_in(tmp_path / "a.parquet")["ner"] == TYPES["ner"]
    assert list(pandas.read_parquet(tmp_path / "a.parquet").index) == ["x", "y"]


def test_labels_of_sentences_are_a_list(sentence_model: tagger.Tagger) -> None:
    text = "Oslo is cold. Maria Rossi loved it."
    found = sentence_model.map_batch({"text": [text, ""]})
    assert sentence_model.tasks == {"ner": "entities", "sentiment": "labels"}
    assert [row["text"] for row in found["sentiment"][0]] == ["Oslo is cold.", "Maria Rossi loved it."]
    labels = [sentence.label("sentiment").value for sentence in sentence_model.tag_document(text).sentences]
    assert [row["type"] for row in found["sentiment"][0]] == labels
    assert found["sentiment"][1] == []
    assert found["sentiment"].type == pyarrow.list_(ENTITY)


def test_columns_of_a_batch_can_be_pickled(model: tagger.Tagger) -> None:
    column = model.map_batch({"text": EMPTY})["ner"]
    again = pickle.loads(pickle.dumps(column))
    assert pyarrow.array(again).type == pyarrow.array(column).type == TYPES["ner"]


@pytest.mark.parametrize(
    ("columns", "settings", "message"),
    [
        ({"body": ["a"]}, {}, "the table must have one column 'text', got `body`; name it with text="),
        (
            {"text": ["a", 5]},
            {},
            ": must be a text or missing, got int 5; convert the column first",
        ),
        ({"text": ["a"], "ner": [1]}, {}, "the columns to add must be new, but the table has `ner`; rename them, or"),
        ({"text": ["a"], "p_ner": [1]}, {"prefix": "p_"}, "the table has `p_ner`"),
    ],
)
def test_tables_that_do_not_fit_are_one_sentence(
    model: tagger.Tagger, columns: dict[str, list[Any]], settings: dict[str, str], message: str
) -> None:
    for call in (
        lambda: model.map_batch(columns, **settings),
        lambda: tagger.tag_dataframe(model, pandas.DataFrame(columns), **settings),
    ):
        with pytest.raises(DataError) as caught:
            call()
        assert message in str(caught.value)


def test_a_wrong_value_has_its_row(model: tagger.Tagger) -> None:
    with pytest.raises(DataError, match=r"^column `text`, row 1: must be a text"):
        tagger.tag_dataframe(model, pandas.DataFrame({"text": ["a", 5]}))
    with pytest.raises(DataError, match=r"^column `text`, row 1 of the batch: must be a text"):
        model.map_batch({"text": ["a", 5]})


def test_half_a_character_has_its_row(model: tagger.Tagger) -> None:
    texts = ["a", "b \ud800"]
    with pytest.raises(DataError, match=r"row 1 of the batch: must be valid Unicode, .*, got \\ud800; replace it"):
        model.map_batch({"text": texts})
    with pytest.raises(DataError, match=r"row 1: must be valid Unicode"):
        tagger.tag_dataframe(model, pandas.DataFrame({"text": pandas.Series(texts, dtype=object)}))


@pytest.mark.parametrize("batch", [{"text": "Oslo"}, {"text": 5}, {"text": None}, {"text": {"Oslo": 1}}])
def test_one_text_in_the_place_of_a_batch_is_refused(model: tagger.Tagger, batch: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"column `text`: must be a list of texts, got .*; use batched=True in `map`"):
        model.map_batch(batch)


def test_map_without_batches_is_refused(model: tagger.Tagger) -> None:
    with pytest.raises(DataError, match=r"got str 'Oslo is cold\.'; use batched=True"):
        datasets.Dataset.from_dict({"text": ["Oslo is cold."]}).map(model.map_batch)


def test_a_dataset_may_be_formatted_as_arrow(model: tagger.Tagger) -> None:
    plain = datasets.Dataset.from_dict({"text": TEXTS})
    formatted = plain.with_format("arrow").map(model.map_batch, batched=True)
    assert formatted.features["ner"] == plain.map(model.map_batch, batched=True).features["ner"]


@pytest.mark.parametrize(
    "table",
    [
        pandas.DataFrame([["a", "b"]], columns=["text", "text"]),
        pyarrow.Table.from_arrays([pyarrow.array(["a"])] * 2, names=["text", "text"]),
    ],
)
def test_two_columns_of_one_name_are_refused(model: tagger.Tagger, table: Any) -> None:
    with pytest.raises(DataError, match="the table must have one column 'text', got 2 columns with this name"):
        tagger.tag_dataframe(model, table)


def test_columns_with_levels_are_named_in_full(model: tagger.Tagger) -> None:
    names = pandas.MultiIndex.from_tuples([("text", "body"), ("ner", "mine")])
    frame = pandas.DataFrame([["Maria Rossi moved to Oslo.", "x"]], columns=names)
    with pytest.raises(DataError, match=r"must have one column 'text', got `\('text', 'body'\)`"):
        tagger.tag_dataframe(model, frame)
    with pytest.raises(DataError, match="must be new, but the table has `ner`"):
        tagger.tag_dataframe(model, frame, text=("text", "body"))  # type: ignore[arg-type]
    found = tagger.tag_dataframe(model, frame, text=("text", "body"), prefix="p_")  # type: ignore[arg-type]
    assert [entity["text"] for entity in found["p_ner"].iloc[0]] == ["Maria Rossi", "Oslo"]


@pytest.mark.parametrize("missing", [float("nan"), numpy.float32("nan"), Decimal("NaN"), pandas.NA, pandas.NaT, None])
def test_every_kind_of_missing_value_has_no_columns(model: tagger.Tagger, missing: object) -> None:
    frame = pandas.DataFrame({"text": pandas.Series([missing, "Oslo"], dtype=object)})
    assert tagger.tag_dataframe(model, frame)["tokens"].tolist() == [None, ["Oslo"]]


def test_columns_can_be_named(model: tagger.Tagger) -> None:
    dataset = datasets.Dataset.from_dict({"body": TEXTS[:1], "ner": ["mine"]})
    found = dataset.map(model.map_batch, batched=True, fn_kwargs={"text": "body", "prefix": "found_"})
    assert found["ner"][:] == ["mine"]
    assert [entity["text"] for entity in found["found_ner"][0]] == ["Maria Rossi", "Paris", "Oslo"]


def test_no_table_is_a_type_error(model: tagger.Tagger) -> None:
    with pytest.raises(TypeError, match="frame must be a data frame of pandas or an Arrow table, got list"):
        tagger.tag_dataframe(model, ["Oslo"])  # type: ignore[type-var]
