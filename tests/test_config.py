"""Recipes: what they may say, how they are read and written, and the sentence that each mistake gets."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tagger.config import (
    CorpusConfig,
    DataConfig,
    Recipe,
    SplitConfig,
    TokensHeadConfig,
    dump_recipe,
    load_recipe,
    parse_recipe,
    parse_section,
)
from tagger.errors import RecipeError

RECIPES = sorted((Path(__file__).resolve().parents[1] / "recipes").glob("*.toml"))
SMALL = """
[data]
format = "conll"
columns = ["token", "ner"]
train = "train.conll"

[heads.ner]
kind = "tokens"
"""


def make_values(**changes: Any) -> dict[str, Any]:
    """A small recipe as plain values, with `section__key=value` laid over it."""
    values: dict[str, Any] = {
        "data": {"format": "conll", "columns": ["token", "ner"], "train": "train.conll"},
        "heads": {"ner": {"kind": "tokens"}},
    }
    for path, value in changes.items():
        *sections, last = path.split("__")
        table = values
        for section in sections:
            table = table.setdefault(section, {})
        table[last] = deepcopy(value)
    return values


def make_recipe(**changes: Any) -> Recipe:
    return parse_recipe(make_values(**changes), where="r.toml")


def error_of(**changes: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        make_recipe(**changes)
    return str(caught.value)


def write(folder: Path, text: str | bytes, name: str = "ner.toml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def load_error(path: Path, *overrides: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, overrides)
    return str(caught.value)


def test_defaults_are_those_of_the_recipe_table() -> None:
    recipe = make_recipe()
    head = recipe.heads["ner"]
    assert isinstance(head, TokensHeadConfig)
    assert (recipe.seed, recipe.embeddings.dimension, recipe.embeddings.chars) == (1, 100, "cnn")
    assert (recipe.embeddings.char_dimension, recipe.embeddings.char_hidden) == (30, 50)
    assert (recipe.embeddings.dropout, recipe.embeddings.word_dropout, recipe.embeddings.tune) == (0.5, 0.0, True)
    assert (recipe.encoder.cell, recipe.encoder.hidden_size, recipe.encoder.layers) == ("lstm", 200, 1)
    assert (recipe.encoder.bidirectional, recipe.encoder.merge, recipe.encoder.dropout) == (True, "concat", 0.5)
    assert (head.decoder, head.scheme, head.constraints, head.weight, head.layer) == ("crf", "bioes", True, 1.0, "ner")
    sentence = make_recipe(heads__mood={"kind": "sentence"}).heads["mood"]
    assert sentence.model_dump() == {
        "kind": "sentence",
        "layer": "mood",
        "weight": 1.0,
        "teacher": None,
        "teacher_weight": 0.3,
        "pooling": "attention",
        "hidden_size": 64,
        "dropout": 0.5,
        "class_weights": "none",
        "label_smoothing": 0.0,
        "calibrate": False,
        "metrics": (),
    }
    assert (recipe.training.sampling, recipe.training.batches) == ("proportion", "separate")


def test_a_teachers_weight_without_a_teacher_is_reported() -> None:
    head = {"kind": "tokens", "teacher_weight": 0.7}
    assert "`teacher_weight` is for a head with a `teacher`, got no `teacher`" in error_of(heads__ner=head)
    assert make_recipe(heads__ner={**head, "teacher": "a.toml"}).heads["ner"].teacher_weight == 0.7


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_shipped_recipe_loads_and_is_dumped_to_an_equal_one(path: Path, tmp_path: Path) -> None:
    recipe = load_recipe(path)
    assert load_recipe(write(tmp_path, dump_recipe(recipe))) == recipe


def test_there_are_shipped_recipes() -> None:
    assert RECIPES


EVERYTHING = {
    "seed": 2**63 - 1,
    "corpora": {
        "one": {
            "format": "conll",
            "columns": ["index", "token", "_", "ner", "_"],
            "layers": {"intent": "# intent"},
            "train": ["a", "b"],
            "dev": "c",
            "scheme": "iob1",
            "invalid": "repair",
            "rename": {"PER": "person", "ä \"quoted\" 'one'": "x"},
            "drop": ["MISC"],
            "weight": 0.5,
        },
        "two": {
            "dataset": "d",
            "name": "n",
            "revision": "r",
            "layers": {},
            "format": "labelled",
            "layer": "mood",
            "tokenize": "blanks",
            "train": {"pos": "p", "neg": "n"},
            "split": {"every": 10, "dev": 0, "test": 9},
        },
        "three": {"format": "synthetic", "sentences": 3, "split": {"dev": 0.1, "test": 0.25}},
    },
    "embeddings": {
        "quantize": True,
        "vectors": ["v.gz", "w.txt"],
        "max_words": 5,
        "tune": False,
        "dimension": 3,
        "chars": "lstm",
        "char_dimension": 2,
        "char_hidden": 4,
        "min_count": 3,
        "dropout": 0.0,
        "word_dropout": 0.99,
    },
    "encoder": {
        "cell": "gru",
        "hidden_size": 7,
        "layers": 2,
        "bidirectional": False,
        "stride": 4,
        "merge": "sum",
        "dropout": 0.1,
    },
    "heads": {
        "a": {
            "kind": "tokens",
            "layer": "ner",
            "weight": 2.0,
            "decoder": "softmax",
            "scheme": "bilou",
            "constraints": False,
        },
        "b": {
            "kind": "sentence",
            "layer": "mood",
            "weight": 3,
            "pooling": "max",
            "hidden_size": 5,
            "dropout": 0.2,
            "class_weights": {"bad": 2.5, "so-so": 1},
            "label_smoothing": 0.1,
            "calibrate": True,
        },
    },
    "training": {
        "epochs": 2,
        "batch_size": 3,
        "accumulate": 2,
        "precision": "bfloat16",
        "optimizer": "sgd",
        "learning_rate": 1e-5,
        "schedule": "cosine",
        "warmup": 0.3,
        "weight_decay": 0.01,
        "clip_norm": "none",
        "patience": 4,
        "select": "mood",
        "sampling": "sqrt",
        "batches": "mixed",
        "average": 0.998,
        "mention_replacement": 0.4,
        "token_replacement": 0.3,
        "perturbation": {"lower": 0.1, "scanned": 0.2},
        "teacher_seeds": [4, 5],
    },
}


def test_every_key_comes_back_from_its_dump(tmp_path: Path) -> None:
    recipe = parse_recipe(EVERYTHING, where="r.toml")
    again = load_recipe(write(tmp_path, dump_recipe(recipe)))
    assert again == recipe
    assert again.training.clip_norm is None
    assert again.corpora is not None
    assert again.corpora["two"].train == {"pos": "p", "neg": "n"}
    assert again.corpora["two"].split == SplitConfig(every=10, dev=0, test=9)
    default = make_recipe().model_dump()
    changed = recipe.model_dump()
    same = [
        f"{section}.{key}"
        for section in ("embeddings", "encoder", "training")
        for key in default[section]
        if default[section][key] == changed[section][key]
    ]
    # No other key was left at its default, where a lost one would not be seen.
    assert same == ["embeddings.words", "training.refit"]
    wordless = make_recipe(embeddings={"words": False}, features={"x": {"kind": "frames", "scale": "sequence"}})
    assert load_recipe(write(tmp_path, dump_recipe(wordless))) == wordless
    assert wordless.embeddings.chars == "none"
    refit = make_recipe(training__refit=True)  # excludes `calibrate`
    assert load_recipe(write(tmp_path, dump_recipe(refit))) == refit


def test_one_string_stands_for_a_list_of_one() -> None:
    recipe = make_recipe(data__dev="dev.conll", embeddings__vectors="v.gz")
    assert recipe.data is not None
    assert (recipe.data.dev, recipe.embeddings.vectors) == (("dev.conll",), ("v.gz",))


def test_sections_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        make_recipe().encoder.hidden_size = 3


def test_corpora_are_given_by_name_and_the_one_of_data_as_data() -> None:
    assert list(make_recipe().all_corpora()) == ["data"]
    assert make_recipe().all_corpora()["data"].weight == 1.0
    several = parse_recipe(EVERYTHING, where="r.toml").all_corpora()
    assert {name: corpus.weight for name, corpus in several.items()} == {"one": 0.5, "two": 1.0, "three": 1.0}
    assert all(isinstance(corpus, CorpusConfig) for corpus in several.values())


def test_reading_is_what_a_corpus_says_but_for_where_it_is() -> None:
    data = make_recipe(data__scheme="iob1").data
    assert data is not None
    reading = data.reading()
    assert (reading.format, reading.columns, reading.scheme) == ("conll", ("token", "ner"), "iob1")
    assert not hasattr(reading, "train")


def test_all_mistakes_of_a_recipe_are_reported_at_once() -> None:
    found = error_of(
        encoder__hiden_size=3,
        encoder__layers=0,
        embeddings__chars="cn",
        embedings={},
        training__epochs="5",
        heads__ner={"kind": "tokens", "pooling": "max"},
    )
    assert found.splitlines() == [
        "r.toml: `embeddings.chars` must be 'cnn', 'lstm' or 'none', got 'cn'",
        "r.toml: `encoder.layers` must be greater than or equal to 1, got 0",
        "r.toml: unknown key `encoder.hiden_size`; did you mean `hidden_size`?",
        "r.toml: unknown key `heads.ner.pooling`; known keys are `kind`, `layer`, `weight`, `teacher`, "
        "`teacher_weight`, `calibrate`, `metrics`, `decoder`, `teacher_targets`, `scheme`, `constraints`",
        "r.toml: `training.epochs` must be a whole number, got '5'",
        "r.toml: unknown key `embedings`; did you mean `embeddings`?",
    ]


def test_a_value_too_deep_to_be_shown_is_an_unknown_key(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("a" + ".a" * 5000 + " = 1\n")
    with pytest.raises(RecipeError, match="unknown key `a`; known keys are `seed`, "):
        load_recipe(path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sed": 1}, "unknown key `sed`; did you mean `seed`?"),
        ({"data__colums": []}, "unknown key `data.colums`; did you mean `columns`?"),
        ({"data__split": {"evry": 2}}, "unknown key `data.split.evry`; did you mean `every`?"),
        ({"heads__ner__decder": "crf"}, "unknown key `heads.ner.decder`; did you mean `decoder`?"),
        (
            {"heads__m": {"kind": "sentence", "class_weights": {"good": 0}}},
            '`heads.m.class_weights` must be "none", "balanced" or a table class = weight with weights above 0 '
            "and at most 1e6, got {'good': 0}",
        ),
        (
            {"heads__m": {"kind": "sentence", "class_weights": "even"}},
            '`heads.m.class_weights` must be "none", "balanced" or a table class = weight with weights above 0 '
            "and at most 1e6, got 'even'",
        ),
        (
            {"data": {"format": "labelled", "layer": "m", "train": "t", "columns": ["_", "text"]}},
            '`data`: `columns` of labelled text must name "m" (its `layer`) and "text"',
        ),
        ({"heads__m": {"kind": "sentence", "poling": 1}}, "unknown key `heads.m.poling`; did you mean `pooling`?"),
        (
            {"training__xyz": 1},
            "unknown key `training.xyz`; known keys are `epochs`, `batch_size`, `accumulate`, `precision`, "
            "`optimizer`, `learning_rate`, `schedule`, `warmup`, `weight_decay`, `clip_norm`, `patience`, `select`, "
            "`sampling`, `batches`, `average`",
        ),
        ({"seed": -1}, "`seed` must be greater than or equal to 0, got -1"),
        ({"seed": 2**63}, f"`seed` must be less than {2**63}, got {2**63}"),
        ({"seed": 1.5}, "`seed` must be a whole number, got 1.5"),
        ({"seed": True}, "`seed` must be a whole number, got True"),
        ({"encoder__bidirectional": "yes"}, "`encoder.bidirectional` must be true or false, got 'yes'"),
        ({"encoder__dropout": 1.0}, "`encoder.dropout` must be less than 1, got 1.0"),
        ({"encoder__dropout": "x"}, "`encoder.dropout` must be a number, got 'x'"),
        ({"training__learning_rate": 0}, "`training.learning_rate` must be greater than 0, got 0"),
        (
            {"training__learning_rate": float("inf")},
            "`training.learning_rate` must be a finite number, got inf",
        ),
        (
            {"encoder__hidden_size": 10_000_000},
            "`encoder.hidden_size` must be less than or equal to 10000, got 10000000",
        ),
        ({"encoder__layers": 10**6}, "`encoder.layers` must be less than or equal to 100, got 1000000"),
        (
            {"training__batch_size": 10**12},
            "`training.batch_size` must be less than or equal to 1000000, got 10000000000",
        ),
        (
            {"data": {"format": "synthetic", "sentences": 10**12}},
            "`data.sentences` must be less than or equal to 1000000, got 1000000000000",
        ),
        ({"encoder__cell": "x" * 5000}, f"`encoder.cell` must be 'lstm', 'gru' or 'rnn', got '{'x' * 57}...'"),
        (
            {"data__train": [5] * 5000},
            "`data.train` must be a path, a list of paths or a table class = path, got [5, 5,",
        ),
        (
            {"training__epochs": 16**5000},
            "`training.epochs` must be less than or equal to 1000000, got a number of thou",
        ),
        ({"training__clip_norm": "off"}, "`training.clip_norm` must be a number, got 'off'"),
        ({"data": 5}, "`data` must be a table, got 5"),
        ({"data__rename": ["a"]}, "`data.rename` must be a table, got ['a']"),
        ({"data__layers": {"tokens": 5}}, "`data.layers.tokens` must be text, got 5"),
        (
            {"data__header": "yes"},
            "`data.header` must be a number of lines from 0 to 1,000, or true or false, got 'yes'",
        ),
        ({"data__header": 1001}, "`data.header` must be a number of lines from 0 to 1,000, or true or false, got 1001"),
        ({"data__quote": "abc"}, "`data.quote` must have at most 1 character, got 'abc'"),
        ({"data__rename": {"a": ""}}, "`data.rename.a` must not be empty"),
        ({"data__rename": {"a": " "}}, "`data.rename.a` must be the name of a type or class, got ' '; remove"),
        ({"data__rename": {"a": "O"}}, "`data.rename.a` must be the name of a type or class, got 'O'; to remove"),
        (
            {"data__rename": {"a": "b"}, "data__drop": ["a"]},
            "`data`: `rename` and `drop` must not name the same, got `a` in both",
        ),
        ({"data__columns": 5}, "`data.columns` must be a list, got 5"),
        (
            {"data__columns": ["word", "ner"]},
            '`data`: one of the `columns` must be "token"',
        ),
        (
            {"data__columns": ["token", "ner", "ner"]},
            "`data`: `columns` must have different names; call ignored columns `_`",
        ),
        ({"data__train": 5}, "`data.train` must be a path, a list of paths or a table class = path, got 5"),
        ({"data__train": ["a", 5]}, "`data.train` must be a path, a list of paths or a table class = path, "),
        ({"data__train": []}, "`data`: needs `train`, the file to learn from"),
        ({"data": {"train": "a"}}, "`data`: needs `format` (with files) or `dataset`"),
        ({"data": {"format": "synthetic"}}, '`data`: `format = "synthetic"` needs `sentences`, the number to generate'),
        (
            {"data": {"format": "labelled", "train": "a"}},
            '`data`: `format = "labelled"` needs `layer`, the name of the layer to read into',
        ),
        ({"data__scheme": "IOB2"}, "`data.scheme` must be 'iob1', 'iob2', 'bioes', 'bilou' or 'io', got 'IOB2'"),
        (
            {"heads__ner__scheme": "iob"},
            "`heads.ner.scheme` must be 'iob1', 'iob2', 'bioes', 'bilou' or 'none', got 'iob'",
        ),
        ({"data__sentences": 5}, '`data`: `sentences` is for format = "synthetic" alone, got format = "conll"'),
        (
            {"data__layer": "x"},
            '`data`: `layer` is for format = "labelled" or "parallel" or "tagged" or "jsonl" or "brat"',
        ),
        (
            {"data": {"format": "brat", "train": "a", "layers": {"ner": "x"}}},
            '`data`: `layers` is not for format = "brat"; name the layer of its entities in `layer`',
        ),
        (
            {"data__misaligned": "drop"},
            '`data`: `misaligned` is for format = "jsonl" or "brat"',
        ),
        (
            {"data__nested": "outermost"},
            '`data`: `nested` is for format = "jsonl" or "brat"',
        ),
        (
            {"data": {"dataset": "d", "columns": ["token"]}},
            '`data`: `columns` is for format = "conll" or "labelled" alone, got no `format`',
        ),
        ({"data__name": "x"}, "`data`: `name` is for a `dataset` alone, got no `dataset`"),
        ({"data__revision": "x"}, "`data`: `revision` is for a `dataset` alone, got no `dataset`"),
        ({"data__data_files": "x"}, "`data`: `data_files` is for a `dataset` alone, got no `dataset`"),
        ({"data__streaming": True}, "`data`: `streaming` is for a `dataset` alone, got no `dataset`"),
        ({"embeddings__max_words": 5}, "`embeddings`: `max_words` is for `vectors` alone, got no `vectors`"),
        ({"data__split": {}}, "`data.split` must name `dev`, `test` or both"),
        ({"data__split": {"every": 10}}, "`data.split` must name `dev`, `test` or both"),
        ({"data__split": {"every": 10, "fold": [1, 2]}}, "`data.split` must name `dev`, `test` or both"),
        ({"data__split": {"fold": [3, 2]}}, "`data.split.fold` must be a fold and the number of folds (2 to 1,000)"),
        (
            {"data__split": {"fold": 5}},
            "`data.split.fold` must be a fold and the number of folds (2 to 1,000), such as",
        ),
        ({"data__seed": 2}, '`data`: `seed` is for format = "synthetic" alone'),
        ({"data__split": {"dev": "x"}}, "`data.split.dev` must be a number, got 'x'"),
        ({"data__split": {"dev": True}}, "`data.split.dev` must be a number, got True"),
        ({"data__split": {"dev": 0}}, "`data.split`: `dev` must be a share between 0 and 1, got 0"),
        ({"data__split": {"dev": 1}}, "`data.split`: `dev` must be a share between 0 and 1, got 1"),
        (
            {"data__split": {"dev": 0.5, "test": 0.5}},
            "`data.split`: `dev` and `test` together must leave a share for train",
        ),
        (
            {"data__split": {"every": 10, "dev": 10}},
            "`data.split`: `dev` must be a remainder from 0 to 9 beside `every`, got 10",
        ),
        (
            {"data__split": {"every": 10, "test": 0.1}},
            "`data.split`: `test` must be a remainder from 0 to 9 beside `every`, got 0.1",
        ),
        (
            {"data__split": {"every": 10, "dev": -1}},
            "`data.split`: `dev` must be a remainder from 0 to 9 beside `every`, got -1",
        ),
        (
            {"data__split": {"every": 10, "dev": 3, "test": 3}},
            "`data.split`: `dev` and `test` must be different remainders, got 3 twice",
        ),
        (
            {"data__split": {"dev": 0.1}, "data__dev": "dev.conll"},
            "`data`: `dev` names files and `split.dev` cuts them from train; keep one of the two",
        ),
        ({"heads": {}}, "`heads` must not be empty"),
        ({"heads__ner": {}}, "`heads.ner.kind` is missing; choose 'tokens' or 'sentence'"),
        ({"heads__ner": 5}, "`heads.ner` must be a table, got 5"),
        (
            {"features__x": {"kind": "affixes", "dimesion": 3}},
            "unknown key `features.x.dimesion`; did you mean `dimension`?",
        ),
        (
            {
                "data": {"dataset": "d", "lazy": True},
                "features": {"x": {"kind": "shape"}, "y": {"kind": "gazetteer", "files": {"A": "a.txt"}}},
            },
            "features of sentences (`y`) read all of train, which `lazy` leaves on disk; keep one of the two",
        ),
        *(
            (
                {"features__x": {"kind": "transformer", "model": "m", "layers": layers}},
                f"`features.x.layers` must be {said}",
            )
            for layers, said in [
                ("top", "\"all\" or a list of whole numbers, got 'top'"),
                (-1, '"all" or a list of whole numbers, got -1'),
                ([], '"all" or a list of whole numbers, got []'),
                ([1, "2"], "\"all\" or a list of whole numbers, got [1, '2']"),
                ([True], '"all" or a list of whole numbers, got [True]'),
                ([-1, 3, -1], "different numbers, got -1, 3, -1"),
            ]
        ),
        (
            {"features": {"bad name": {"kind": "shape"}}},
            "`features.bad name`: a name must have 1 to 50 letters from A to Z, digits, `-` and `_`, got 'bad name'",
        ),
        ({"heads__ner__kind": "token"}, "`heads.ner.kind` must be 'tokens' or 'sentence', got 'token'"),
        (
            {"heads__other": {"kind": "tokens", "layer": "ner"}},
            "two heads predict the same layer; give each head a layer of its own",
        ),
        (
            {"training__select": "upos"},
            "`training.select` must be `mean` or one of the layers `ner`, got `upos`",
        ),
        (
            {"corpora": {"a": {"format": "synthetic", "sentences": 5}}},
            "needs either one corpus in [data] or several in [corpora.NAME], got both",
        ),
    ],
)
def test_each_mistake_gets_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    found = error_of(**changes)
    assert found.startswith(f"r.toml: {sentence}")
    assert "\n" not in found


def test_recipe_without_heads_or_data_says_so() -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe({}, where="r.toml")
    assert str(caught.value) == "r.toml: `heads` is missing"


def test_keys_of_a_section_alone_are_suggested_as_well() -> None:
    with pytest.raises(RecipeError) as caught:
        parse_section(DataConfig, {"fromat": "conll", "train": "a"}, where="here")
    assert str(caught.value).splitlines()[0] == "here: unknown key `fromat`; did you mean `format`?"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ({"train": "a", "test": ["b", "c"]}, {"train": ("a",), "test": ("b", "c")}),
    ],
)
def test_data_files_are_a_path_a_list_or_a_table_of_those(given: object, kept: object) -> None:
    section = parse_section(DataConfig, {"dataset": "d", "data_files": given}, where="x")
    assert section.data_files == kept
    assert parse_section(DataConfig, section.model_dump(mode="json", exclude_none=True), where="x") == section


def test_dataset_may_stand_beside_files_with_the_keys_of_both() -> None:
    both = {"dataset": "d", "name": "n", "revision": "r"}
    data = make_recipe(data={**make_values()["data"], **both}).data
    assert data is not None
    assert (data.dataset, data.columns) == ("d", ("token", "ner"))


def test_missing_recipe_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ner.toml"
    assert load_error(path) == f"{path}: no such recipe; give the path of a TOML file"


def test_folder_is_no_recipe(tmp_path: Path) -> None:
    assert load_error(tmp_path) == f"{tmp_path}: the recipe cannot be read: Is a directory"


def test_recipe_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, "seed = 1\nepochs 5\n")
    assert load_error(path) == (
        f"{path}: a recipe must be TOML in UTF-8: Expected '=' after a key in a key/value pair (at line 2, column 8)"
    )


@pytest.mark.parametrize("text", [b"seed = \xff", b"seed = " + b"1" * 5000, b"[data]\nx = 1\nx = 2\n"])
def test_recipe_that_cannot_be_read_is_no_traceback(text: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    assert load_error(path).startswith(f"{path}: a recipe must be TOML in UTF-8: ")


def test_mistakes_of_a_file_open_with_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL + "[encoder]\nhiden_size = 200\n")
    assert load_error(path) == "ner.toml: unknown key `encoder.hiden_size`; did you mean `hidden_size`?"


def test_byte_order_mark_of_a_recipe_is_no_matter(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path, b"\xef\xbb\xbf" + SMALL.encode())) == load_recipe(write(tmp_path, SMALL, "b"))


def test_overrides_are_toml_or_bare_words_and_lie_over_the_file(tmp_path: Path) -> None:
    overrides = [
        "seed=7",
        "training.learning_rate=1e-3",
        "encoder.cell=gru",
        "encoder.bidirectional=false",
        'data.train=["a.conll", "b.conll"]',
        "data.split={test = 0.1}",
        "heads.mood.kind=sentence",
        "data.dev=a=b",
        "data.columns=token, _,ner",
    ]
    recipe = load_recipe(write(tmp_path, SMALL), overrides)
    assert (recipe.seed, recipe.training.learning_rate, recipe.encoder.cell) == (7, 1e-3, "gru")
    assert recipe.encoder.bidirectional is False
    assert recipe.data is not None
    assert recipe.data.train == ("a.conll", "b.conll")
    assert recipe.data.split == SplitConfig(test=0.1)
    assert recipe.data.dev == ("a=b",)
    assert recipe.data.columns == ("token", "_", "ner")
    assert list(recipe.heads) == ["ner", "mood"]


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("seed", "--set seed: must be section.key=value, such as training.epochs=5"),
        ("=5", "--set =5: must be section.key=value, such as training.epochs=5"),
        ("training.=5", "--set training.=5: must be section.key=value, such as training.epochs=5"),
        ("data.format.x=5", "--set data.format.x=5: `format` is a value and has no keys"),
        (
            "data.train=[a.conll]",
            "--set data.train=[a.conll]: the value must be TOML or a bare word: Invalid value (at line 1, column 10)",
        ),
        ("training.epoch=5", "--set training.epoch=5: unknown key `training.epoch`; did you mean `epochs`?"),
        ("trainig.epochs=5", "--set trainig.epochs=5: unknown key `trainig`; did you mean `training`?"),
        (
            "heads.ner.kind=tags",
            "--set heads.ner.kind=tags: `heads.ner.kind` must be 'tokens' or 'sentence', got 'tags'; "
            "no extension has that name",
        ),
        ("data.columns=[1]", "--set data.columns=[1]: `data.columns.0` must be text, got 1"),
        ("training.epochs=many", "--set training.epochs=many: `training.epochs` must be a whole number, got 'many'"),
        (
            "encoder.bidirectional=True",
            "--set encoder.bidirectional=True: `encoder.bidirectional` must be true or false, got 'True'",
        ),
        ("seed=2024-01-01", "--set seed=2024-01-01: `seed` must be a whole number, got datetime.date(2024, 1, 1)"),
        ("data.name=5", "--set data.name=5: `data.name` must be text, got 5"),
    ],
)
def test_bad_override_gets_one_sentence(override: str, sentence: str, tmp_path: Path) -> None:
    assert load_error(write(tmp_path, SMALL), override) == sentence
