"""The weights that a model needs, against the network of torch."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.model.shapes import forms_of


@settings(max_examples=40, deadline=None)
@given(
    chars=st.sampled_from(["cnn", "lstm", "none"]),
    char_hidden=st.integers(1, 6),
    decoder=st.sampled_from(["crf", "softmax"]),
    pooling=st.sampled_from(["attention", "last", "mean", "max"]),
    cell=st.sampled_from(["lstm", "gru", "rnn"]),
    layers=st.integers(1, 3),
    merge=st.sampled_from(["concat", "sum", "mean"]),
    bidirectional=st.booleans(),
    trainable=st.integers(1, 3),
)
def test_forms_are_those_of_the_network_of_torch(
    chars: Any, char_hidden: int, decoder: Any, pooling: Any, trainable: int, **encoder: Any
) -> None:
    heads: dict[str, HeadConfig] = {
        "my.tags": TokensHeadConfig(kind="tokens", scheme="none", decoder=decoder),
        "type": SentenceHeadConfig(kind="sentence", pooling=pooling, hidden_size=3),
    }
    model = untrained_model(
        Vocabulary(["a", "b"], ["a"], {"my.tags": ["X", "Y", "Z"], "type": ["x", "y"]}, trainable),
        heads,
        embeddings=EmbeddingsConfig(dimension=4, chars=chars, char_hidden=char_hidden),
        encoder=EncoderConfig(hidden_size=5, **encoder),
    )
    found = {name: (form.dtype, form.shape) for name, form in forms_of(model.config, model.vocabulary, {}).items()}
    weights = model.network.state_dict().items()
    assert found == {name: (str(value.dtype).removeprefix("torch."), tuple(value.shape)) for name, value in weights}
    frozen = {name for name, value in model.network.named_parameters() if not value.requires_grad}
    assert bool(frozen) == (decoder == "softmax")
