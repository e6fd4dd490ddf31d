"""A model splits text as it was trained, for ever and without spaCy."""

import json
import logging
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from signing import make_older, sign
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, ReadingConfig, TokensHeadConfig
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.errors import ModelError
from tagger.model.config import shared_rules
from tagger.model.folder.torch_model import load_model, save_model
from tagger.tagging import load
from tagger.text.sentence import Sentence, TagLayer
from tagger.text.tokenization import DEFAULT_RULES, TextRules
from tagger.text.word_tables import installed_table

TEXT = "Das geht z.B. nicht/oder? Ich kaufte Router Z."


def save(folder: Path, rules: TextRules = DEFAULT_RULES) -> Path:
    """Save an untrained model that splits text by these rules."""
    sentence = Sentence(("a", "b"), "a b", ((0, 1), (2, 3)), {"ner": TagLayer(("B-X", "O"))})
    model = untrained_model(
        build_vocabulary(pack([sentence]), layers={"ner": "bioes"}),
        {"ner": TokensHeadConfig(kind="tokens")},
        embeddings=EmbeddingsConfig(dimension=4, char_hidden=4, char_dimension=4),
        encoder=EncoderConfig(hidden_size=4),
        schemes={"ner": "iob2"},
        reading={"data": ReadingConfig(format="conll", columns=("token", "ner"))},
    )
    save_model(replace(model, rules=rules), folder, card="")
    return folder


def change(folder: Path, **values: Any) -> None:
    """Change values of `tokenizer.json`, and its hash; a dict changes the table."""
    found = json.loads((folder / "tokenizer.json").read_text())
    found |= {key: found[key] | value if isinstance(value, dict) else value for key, value in values.items()}
    (folder / "tokenizer.json").write_text(json.dumps(found))
    sign(folder)


@pytest.mark.parametrize(
    "rules",
    [
        TextRules(),
        TextRules("spacy", "de"),
        TextRules("words", "hu", split_on="/", segment="none"),
        TextRules("blanks"),
        TextRules("characters", segment="lines"),
        TextRules(version=1),
    ],
)
def test_a_loaded_model_has_the_rules_that_were_saved(rules: TextRules, tmp_path: Path) -> None:
    loaded = load(save(tmp_path, rules))
    assert loaded.model.text_rules == rules.with_table()
    assert loaded.tag(TEXT).tokens == rules.sentence(TEXT).tokens
    assert pickle.loads(pickle.dumps(loaded)).model.text_rules == rules.with_table()


def test_a_model_tags_the_same_tokens_without_spacy(tmp_path: Path) -> None:
    save(tmp_path, TextRules(language="de"))
    program = f"""
import sys
sys.modules["spacy"] = None
import tagger
tokens = tagger.load({str(tmp_path)!r}).tag({TEXT!r}).tokens
assert tokens == {TextRules(language="de").sentence(TEXT).tokens!r}, tokens
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_rules_of_no_known_spacy_are_run_only_if_they_are_trusted(tmp_path: Path) -> None:
    change(save(tmp_path), table={"infix": "nicht"})
    with pytest.raises(
        ModelError, match=r"tokenizer\.json: the rules for words must be those of a known spaCy.*--trust"
    ):
        load(tmp_path)
    tagger = load(tmp_path, trusted=True)
    assert "nicht" in tagger.tag("Dasnichtso").tokens
    assert "nicht" in pickle.loads(pickle.dumps(tagger)).tag("Dasnichtso").tokens


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"version": 3}, "`version` must be at most 2, got 3; upgrade tagger"),
        ({"tokenize": "blanks"}, "`table` must be there for words and spacy only"),
        ({"table": None}, "`table` must be there for words and spacy only"),
        ({"table": {"specials": {"ab": ["a", "c"]}}}, "the words of 'ab' must form it, got 'a c'"),
        ({"table": {"prefix": "("}}, r"`table\.prefix` must be a regular expression"),
        ({"table": {"prefix": 1}}, r"`table\.prefix`: must be text"),
        ({"brand": "new"}, "unknown key `brand`"),
    ],
)
def test_each_fault_of_the_file_has_its_sentence(values: dict[str, Any], problem: str, tmp_path: Path) -> None:
    change(save(tmp_path), **values)
    with pytest.raises(ModelError, match=rf"^{tmp_path}/tokenizer\.json: {problem}"):
        load_model(tmp_path, trusted=True)


def test_an_older_model_keeps_the_rules_of_its_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_older(save(tmp_path), 1, tokenizer="spacy 3.8.7 en")
    with caplog.at_level(logging.WARNING):
        tagger = load(tmp_path)
    assert "raw text went through spacy 3.8.7 en in training and goes through spacy" in caplog.text
    assert tagger.tag("a Router Z.").tokens == ("a", "Router", "Z.")
    save_model(tagger.backend.model, tmp_path / "again", card="")
    assert load(tmp_path / "again").tag("a Router Z.").tokens == ("a", "Router", "Z.")


def test_splitting_can_be_changed_when_a_model_is_loaded(tmp_path: Path) -> None:
    save(tmp_path, TextRules(segment="none"))
    tagger = load(tmp_path, tokenize="blanks", segment="lines")
    assert tagger.tag("don't go.").tokens == ("don't", "go.")
    assert pickle.loads(pickle.dumps(tagger)).tag("don't go.").tokens == ("don't", "go.")
    assert load(tmp_path, language="de").model.text_rules.with_table().table == installed_table("de")
    assert load(tmp_path, split_on="o").model.text_rules.table == installed_table("en")
    for settings in ({"tokenize": "letters"}, {"segment": "x"}, {"language": "zh"}, {"token": "words"}):
        with pytest.raises(ValueError, match=r"must be|is not a setting"):
            load(tmp_path, **settings)


@pytest.mark.parametrize(
    ("corpora", "expected"),
    [
        ([], TextRules()),
        ([TextRules("blanks"), TextRules("blanks")], TextRules("blanks")),
        ([TextRules("blanks"), TextRules()], TextRules()),
        ([TextRules(), TextRules(language="de"), TextRules(language="fr")], TextRules(language="de")),
        ([TextRules("blanks"), TextRules(language="de")], TextRules(language="de")),
    ],
)
def test_a_model_splits_as_the_first_corpus_that_chose_more_than_blanks(
    corpora: list[TextRules], expected: TextRules
) -> None:
    assert shared_rules(corpora) == expected
