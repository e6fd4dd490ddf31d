"""The network: who gets which rows, what is dropped when, and that equal seeds give equal weights."""

import numpy as np
import pytest
import torch
from untrained import network_of

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.batches import EncodedSentences, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vectors, Vocabulary, build_vocabulary
from tagger.model.network import Network, TensorBatch, to_tensors
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer

HEADS: dict[str, HeadConfig] = {
    "ner": TokensHeadConfig(kind="tokens"),
    "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
    "intent": SentenceHeadConfig(kind="sentence", dropout=0.0),
}
LAYERS: dict[str, Scheme | None] = {"ner": "bioes", "upos": None, "intent": None}
SENTENCES = [
    Sentence.from_tokens(["Ada", "Lovelace", "wrote"], {"ner": TagLayer(("B-PER", "E-PER", "O"), "bioes")}),
    Sentence.from_tokens(["go"], {"upos": TagLayer(("VERB",))}),
    Sentence.from_tokens(["Go", "home"], {"intent": Label("order")}),
    Sentence.from_tokens(["Ada", "ran"], {"ner": TagLayer(("S-PER", "O"), "bioes"), "intent": Label("tell")}),
    Sentence.from_tokens(["Ada", "Ada", "ran"]),
]


def make_encoded() -> tuple[Vocabulary, EncodedSentences]:
    vocabulary = build_vocabulary(pack(SENTENCES), layers=LAYERS)
    return vocabulary, encode(pack(SENTENCES), vocabulary, LAYERS)


def make_network(*, seed: int = 1, chars: str = "cnn", dropout: float = 0.0, word_dropout: float = 0.0) -> Network:
    torch.manual_seed(seed)
    settings = {"dimension": 6, "char_dimension": 4, "char_hidden": 4, "chars": chars}
    return network_of(
        make_encoded()[0],
        embeddings=EmbeddingsConfig(**settings, dropout=dropout, word_dropout=word_dropout),
        encoder=EncoderConfig(hidden_size=5, dropout=dropout),
        heads=HEADS,
    )


def make_batch(*rows: int) -> TensorBatch:
    return to_tensors(make_encoded()[1].batch(np.array(rows)), torch.device("cpu"))


def test_heads_learn_from_the_rows_that_carry_their_layer_alone() -> None:
    network = make_network()
    found = network.losses(make_batch(0, 1, 2, 3, 4)).gold
    parts = {layer: network.losses(make_batch(*rows)).gold for layer, rows in {"ner": (0, 3), "intent": (2, 3)}.items()}
    assert set(found) == {"ner", "upos", "intent"}
    for layer, losses in parts.items():
        torch.testing.assert_close(found[layer], losses[layer])
    torch.testing.assert_close(found["upos"], network.losses(make_batch(1)).gold["upos"])


def test_what_a_teacher_says_is_a_loss_of_its_own() -> None:
    network = make_network()
    batch = make_batch(0, 1, 2, 3, 4)
    single = make_encoded()[0].labels["ner"].index("S-PER")
    tags = torch.where(batch.mask & (torch.arange(5) == 4).unsqueeze(1), single, -1)
    shares = torch.tensor([[0.25, 0.75]]).repeat(5, 1)
    found = network.losses(batch._replace(taught={"ner": tags, "intent": shares}))
    states = network.states(batch)
    torch.testing.assert_close(dict(found.gold), dict(network.losses(batch).gold))
    ner, intent = network.heads["ner"], network.heads["intent"]
    expected = {
        "ner": ner.loss(states[4:], batch.mask[4:], tags[4:]),
        "intent": intent.loss(states, batch.mask, shares),
    }
    torch.testing.assert_close(dict(found.taught), expected)


def test_sentences_of_which_teachers_say_nothing_count_in_no_loss() -> None:
    network = make_network()
    batch = make_batch(0, 1, 2, 3, 4)
    tags, classes = torch.rand(5, 3, 5), torch.rand(5, 2)
    tags[[1, 3]], classes[0] = 0, 0
    found = network.losses(batch._replace(taught={"ner": tags, "intent": classes})).taught
    states, some = network.states(batch), torch.tensor([0, 2, 4])
    ner, intent = network.heads["ner"], network.heads["intent"]
    expected = {
        "ner": ner.loss(states[some], batch.mask[some], tags[some]),
        "intent": intent.loss(states[1:], batch.mask[1:], classes[1:]),
    }
    torch.testing.assert_close(dict(found), expected)


def test_a_head_without_a_row_is_left_out_and_gets_no_gradient() -> None:
    network = make_network()
    losses = network.losses(make_batch(0, 2)).gold
    assert set(losses) == {"ner", "intent"}
    torch.stack(list(losses.values())).sum().backward()
    assert all(parameter.grad is None for parameter in network.heads["upos"].parameters())
    assert network.heads["ner"].linear.weight.grad.abs().sum() > 0


def test_a_batch_without_any_layer_has_no_loss() -> None:
    assert make_network().losses(make_batch(4)) == ({}, {})


@pytest.mark.parametrize("chars", ["cnn", "lstm", "none"])
def test_states_do_not_depend_on_the_batch(chars: str) -> None:
    network = make_network(chars=chars).eval()
    batch = make_batch(0, 1, 2, 3, 4)
    together = network.states(batch)
    for row, sentence in enumerate(SENTENCES):
        alone = network.states(make_batch(row))[0]
        torch.testing.assert_close(together[row, : len(sentence)], alone, atol=1e-6, rtol=1e-5)


def test_prediction_is_deterministic_whatever_the_dropout() -> None:
    network = make_network(dropout=0.5, word_dropout=0.5).eval()
    first, second = (network(make_batch(0, 3)) for _ in range(2))
    assert torch.equal(first["ner"].probabilities, second["ner"].probabilities)
    assert torch.equal(first["intent"].probabilities, second["intent"].probabilities)


def test_training_drops_features() -> None:
    network, batch = make_network(dropout=0.5), make_batch(0)
    assert not torch.equal(network.states(batch), network.states(batch))


def test_word_dropout_replaces_whole_words_by_the_unknown_one_in_training_alone() -> None:
    network, batch = make_network(word_dropout=0.5, chars="none"), make_batch(*[0, 1, 2, 3] * 5)
    known, unknown = network.words(batch.word_ids), network.words.weight[0]
    torch.manual_seed(3)
    dropped = [(network.type_vectors(*batch[:3]) == unknown).all(1) for _ in range(40)]
    kept = network.eval().type_vectors(*batch[:3])
    assert torch.equal(kept, known)
    ada = int((batch.word_ids != 0).nonzero()[0])
    assert 5 < sum(bool(rows[ada]) for rows in dropped) < 35


def test_equal_seeds_give_equal_weights_and_others_do_not() -> None:
    first, second, other = make_network(seed=1), make_network(seed=1), make_network(seed=2)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
    assert not torch.equal(first.words.weight, other.words.weight)


def test_only_the_tags_of_the_scheme_may_follow_each_other() -> None:
    vocabulary, network = make_encoded()[0], make_network()
    tags = list(vocabulary.labels["ner"])
    crf = network.heads["ner"].crf
    table = {
        (before, after) for i, before in enumerate(tags) for j, after in enumerate(tags) if bool(crf.allowed[i, j])
    }
    assert ("B-PER", "E-PER") in table
    assert ("O", "S-PER") in table
    assert not {("O", "E-PER"), ("B-PER", "O"), ("S-PER", "I-PER")} & table
    assert not crf.allowed_start[tags.index("I-PER")]
    assert not crf.allowed_end[tags.index("B-PER")]
    assert crf.allowed_start[tags.index("O")]


def test_constraints_can_be_turned_off() -> None:
    vocabulary = make_encoded()[0]
    heads = {"ner": TokensHeadConfig(kind="tokens", constraints=False)}
    network = network_of(vocabulary, embeddings=EmbeddingsConfig(), encoder=EncoderConfig(), heads=heads)
    assert network.heads["ner"].crf.allowed.all()


@pytest.mark.parametrize("tune", [False, True])
def test_pretrained_words_start_from_their_vectors(tune: bool) -> None:
    words = ["ada", "ran", "far"]
    vectors = Vectors(words, np.arange(6, dtype=np.float16).reshape(3, 2) + 1)
    vocabulary = build_vocabulary(pack(SENTENCES), layers=LAYERS, vectors=vectors, tune=tune)
    network = network_of(
        vocabulary, embeddings=EmbeddingsConfig(tune=tune), encoder=EncoderConfig(), heads=HEADS, vectors=vectors
    )
    ids = torch.tensor([vocabulary.word_id(word) for word in ["Ada", "ran", "far", "nowhere"]])
    assert network.words(ids).tolist() == [[1, 2], [3, 4], [5, 6], [0, 0]]
    assert network.words.weight.shape[0] == (3 if tune else 1)  # the unknown word, and those of train


@pytest.mark.parametrize("merge", ["concat", "sum", "mean"])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_every_merge_fits_every_pooling(merge: str, bidirectional: bool) -> None:
    vocabulary, encoded = make_encoded()
    encoder = EncoderConfig(hidden_size=5, merge=merge, bidirectional=bidirectional)
    for pooling in ("attention", "last", "mean", "max"):
        heads = {"intent": SentenceHeadConfig(kind="sentence", pooling=pooling)}
        network = network_of(vocabulary, embeddings=EmbeddingsConfig(), encoder=encoder, heads=heads).eval()
        output = network(to_tensors(encoded.batch(np.arange(5)), network.device))["intent"]
        torch.testing.assert_close(output.probabilities.sum(1), torch.ones(5))


def test_a_layer_may_have_any_name() -> None:
    names = ["type", "keys", "training", "a.b", "a%2Eb", "heads", "x y", "ü"]
    sentences = [Sentence.from_tokens(["go"], {name: Label(value) for name in names}) for value in ("yes", "no")]
    vocabulary = build_vocabulary(pack(sentences), layers=dict.fromkeys(names))
    heads = {name: SentenceHeadConfig(kind="sentence") for name in names}
    network = network_of(vocabulary, embeddings=EmbeddingsConfig(), encoder=EncoderConfig(), heads=heads)
    losses = network.losses(
        to_tensors(encode(pack(sentences), vocabulary, dict.fromkeys(names)).batch(np.arange(2)), network.device)
    ).gold
    assert list(losses) == names
    trained = {id(parameter) for parameter in network.parameters()}
    assert all(id(parameter) in trained for head in network.heads.values() for parameter in head.parameters())
    assert len(network.state_dict()) == len({id(value) for value in network.state_dict(keep_vars=True).values()})
