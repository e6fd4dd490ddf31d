"""The page about the format of a model folder: its tables are those of the code."""

import itertools
import re
from pathlib import Path

import pytest

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig, widths_of
from tagger.encoding.vocabulary import Vocabulary
from tagger.files.hashes import CONFIG, CONFIG_BYTES, HASHES
from tagger.model.config import FORMAT, ModelConfig
from tagger.model.folder import files, opening
from tagger.model.folder.tokenizer import TableSection, TokenizerSection
from tagger.model.folder.vocabulary import VocabularySection
from tagger.model.shapes import GATES, forms_of

PAGE = (Path(__file__).parents[2] / "docs" / "model-format.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^##+ (.+?)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))
LABELS = {"ner": ["O", "B-X", "I-X", "E-X", "S-X"], "a.b%": ["X", "Y"], "mood": ["bad", "good", "odd"]}
VOCABULARY = Vocabulary(["a", "b", "c"], ["a", "b"], LABELS, 2)


def rows(section: str) -> list[list[str]]:
    """The cells of the first table of a section, without its head."""
    table = re.search(r"(?:^\|.*\n)+", SECTIONS[section], re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def keys(section: str) -> set[str]:
    return {row[0].strip("`") for row in rows(section)}


def named(paragraph: str) -> set[str]:
    """The words in backticks of the paragraph that begins with these words."""
    (found,) = [text for text in PAGE.split("\n\n") if text.startswith(paragraph)]
    return set(re.findall(r"`(\w+)`", found))


def test_keys_are_those_of_the_files() -> None:
    assert keys("`config.json`") == {*ModelConfig.model_fields, HASHES}
    assert keys("`vocabulary.json`") == set(VocabularySection.model_fields)
    assert keys("`tokenizer.json`") == set(TokenizerSection.model_fields)
    assert named("A `table` has `specials`") >= set(TableSection.model_fields)
    assert named("Of `embeddings`") >= set(EmbeddingsConfig.model_fields)
    assert named("Of `encoder`") >= set(EncoderConfig.model_fields)
    assert named("Every head has") >= {*TokensHeadConfig.model_fields, *SentenceHeadConfig.model_fields}


def test_files_and_formats_are_those_of_the_code() -> None:
    names = re.findall(r"^\| `([\w.]+)` \|.*\| (\d) \|$", PAGE.split("##")[0], re.MULTILINE)
    hashed = (CONFIG, opening.VOCABULARY, opening.TOKENIZER, opening.WEIGHTS)
    assert {name: int(number) for name, number in names} == {name: files._HASHED_SINCE[name] for name in hashed}
    assert keys("Formats") == {str(number) for number in range(1, FORMAT + 1)}
    for number in (CONFIG_BYTES, files.TOKENIZER_BYTES):
        assert f"{number:,} " in SECTIONS["What is refused"]


def config_of(embeddings: EmbeddingsConfig, encoder: EncoderConfig, pooling: str) -> ModelConfig:
    heads: dict[str, HeadConfig] = {
        "ner": TokensHeadConfig(kind="tokens"),
        "a.b%": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
        "mood": SentenceHeadConfig(kind="sentence", pooling=pooling, hidden_size=7),
    }
    return ModelConfig.model_construct(embeddings=embeddings, encoder=encoder, heads=heads, vector_dimension=5)


def tensors(config: ModelConfig) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of each tensor, as the page says."""
    embeddings, encoder = config.embeddings, config.encoder
    widths = widths_of(embeddings, encoder, config.vector_dimension)
    sizes = {"E": 5, "N": 4, "T": 2, "C": 4, "D": embeddings.char_dimension, "K": embeddings.char_hidden}
    sizes |= {"B": (embeddings.char_hidden + 1) // 2, "H": encoder.hidden_size, "S": widths.output, "M": 7}
    sizes |= {"G": GATES[encoder.cell] * encoder.hidden_size}
    layers = {"Heads of tokens": ("ner", "a.b%"), "Heads of sentences": ("mood",)}
    characters = [f'Characters, `chars = "{embeddings.chars}"`'] if embeddings.chars != "none" else []
    found = {}
    for section in ("Words", *characters, "Encoder", *layers):
        both = section.startswith("Characters") or encoder.bidirectional
        places = range(encoder.layers) if section == "Encoder" else (0,)
        values = itertools.product(("", "_reverse") if both else ("",), places, layers.get(section, ("",)))
        for (suffix, i, layer), (name, kind, shape, _) in itertools.product(values, rows(section)):
            if ".pooling." in name and config.heads["mood"].pooling != "attention":
                continue
            escaped = layer.replace("%", "%25").replace(".", "%2E")
            sizes |= {"I": widths.inputs[i], "L": len(LABELS.get(layer, ()))}
            known = name.strip("`").replace("{_reverse}", suffix).replace("{i}", str(i)).replace("{layer}", escaped)
            found[known] = (kind, eval(f"({shape.strip('`')},)", dict(sizes)))
    return found


@pytest.mark.parametrize("chars", ["cnn", "lstm", "none"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize(("bidirectional", "merge"), [(True, "concat"), (True, "mean"), (False, "concat")])
@pytest.mark.parametrize("pooling", ["attention", "last"])
def test_tensors_are_those_of_a_model(chars: str, cell: str, bidirectional: bool, merge: str, pooling: str) -> None:
    encoder = EncoderConfig(cell=cell, hidden_size=3, layers=2, bidirectional=bidirectional, merge=merge)
    config = config_of(EmbeddingsConfig(chars=chars, char_dimension=6, char_hidden=9), encoder, pooling)
    assert tensors(config) == {name: tuple(form) for name, form in forms_of(config, VOCABULARY, {}).items()}
