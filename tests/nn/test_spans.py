"""Spans and their probabilities against enumeration of all tag sequences, in every scheme."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tagger.nn.crf import LinearChainCRF
from tagger.nn.heads import TokensHead
from tagger.nn.spans import Spans, SpanTables, find_spans, span_probabilities
from tagger.text.schemes import RULES, Scheme, legal_transitions, span_tables, tags_to_spans

SCHEMES = sorted(RULES)


def make_tags(scheme: Scheme, types: str) -> list[str]:
    return ["O", *(f"{prefix}-{name}" for name in types for prefix in RULES[scheme].prefixes)]


def make_tables(tags: list[str], scheme: Scheme) -> SpanTables:
    return SpanTables(*map(torch.tensor, span_tables(tags, scheme)))


def make_crf(tags: list[str], scheme: Scheme, *, constrained: bool, seed: int) -> LinearChainCRF:
    tables = legal_transitions(tags, scheme) if constrained else (None, None, None)
    crf = LinearChainCRF(len(tags), allowed=tables[0], allowed_start=tables[1], allowed_end=tables[2])
    generator = torch.Generator().manual_seed(seed)
    for parameter in crf.parameters():
        nn.init.normal_(parameter, generator=generator)
    return crf


def probabilities_of_sequences(crf: LinearChainCRF, emissions: Tensor) -> dict[tuple[int, ...], float]:
    """Return the probability of each sequence, in float64 and without any recursion."""
    start, moves, end = (table.double() for table in crf.scores())
    emitted = emissions.double()
    scores = {}
    for tags in product(range(crf.num_tags), repeat=len(emitted)):
        score = start[tags[0]] + end[tags[-1]] + sum(emitted[t, tag] for t, tag in enumerate(tags))
        scores[tags] = (score + sum(moves[a, b] for a, b in pairwise(tags))).item()
    values = torch.tensor(list(scores.values()), dtype=torch.double).softmax(0)
    return dict(zip(scores, values.tolist(), strict=True))


def all_spans(lengths: list[int], num_types: int) -> Spans:
    rows = [
        (row, start, end, kind)
        for row, length in enumerate(lengths)
        for start in range(length)
        for end in range(start + 1, length + 1)
        for kind in range(num_types)
    ]
    return Spans(*torch.tensor(rows).unbind(1))


@settings(max_examples=60, deadline=None)
@given(
    scheme=st.sampled_from(SCHEMES),
    two_types=st.booleans(),
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=2),
    constrained=st.booleans(),
    scale=st.sampled_from([1.0, 5.0, 10_000.0]),
    seed=st.integers(0, 10_000),
)
def test_probability_of_every_span_equals_enumeration(
    scheme: Scheme, two_types: bool, lengths: list[int], constrained: bool, scale: float, seed: int
) -> None:
    types = "XY" if two_types and scheme in ("iob1", "iob2") else "X"
    tags = make_tags(scheme, types)
    crf, tables = make_crf(tags, scheme, constrained=constrained, seed=seed), make_tables(tags, scheme)
    generator = torch.Generator().manual_seed(seed + 1)
    emissions = torch.randn(len(lengths), max(lengths), len(tags), generator=generator).double() * scale
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    spans = all_spans(lengths, len(types))
    expected = torch.zeros(len(spans.rows), dtype=torch.double)
    for row, length in enumerate(lengths):
        for sequence, probability in probabilities_of_sequences(crf, emissions[row, :length]).items():
            for name, start, end in tags_to_spans([tags[i] for i in sequence], scheme):
                same = (spans.rows == row) & (spans.starts == start) & (spans.ends == end)
                expected[same & (spans.types == types.index(name))] += probability
    lattice = crf.posterior(emissions, mask)
    transitions = crf.scores(torch.double).transitions
    found = span_probabilities(lattice, transitions, mask.sum(1), spans, tables)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)


@settings(max_examples=200, deadline=None)
@given(
    scheme=st.sampled_from(SCHEMES),
    rows=st.lists(st.lists(st.integers(0, 8), min_size=0, max_size=7), min_size=1, max_size=4),
)
def test_spans_found_in_tensors_are_those_read_from_tags(scheme: Scheme, rows: list[list[int]]) -> None:
    tags = make_tags(scheme, "XY")
    rows = [[i % len(tags) for i in row] for row in rows]
    width = max(1, *map(len, rows)) + 1
    padded = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    found = find_spans(padded, torch.tensor([len(row) for row in rows]), make_tables(tags, scheme))
    read = [
        (row, span.start, span.end, "XY".index(span.type))
        for row, ids in enumerate(rows)
        for span in tags_to_spans([tags[i] for i in ids], scheme)
    ]
    assert list(zip(*(column.tolist() for column in found), strict=True)) == read


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_softmax_head_gives_spans_the_probability_under_independent_tokens(scheme: Scheme) -> None:
    torch.manual_seed(3)
    tags = make_tags(scheme, "X")
    head = TokensHead(input_size=4, num_tags=len(tags), decoder="softmax", tables=make_tables(tags, scheme)).eval()
    states, mask = torch.randn(6, 3, 4) * 3, torch.ones(6, 3, dtype=torch.bool)
    output = head(states, mask)
    single = head.linear(states).double().softmax(2)
    assert len(output.spans.rows) > 0
    for row, start, end, probability in zip(*output.spans[:3], output.span_probabilities, strict=True):
        expected = 0.0
        for sequence in product(range(len(tags)), repeat=3):
            spans = tags_to_spans([tags[i] for i in sequence], scheme)
            if any((span.start, span.end) == (start, end) for span in spans):
                expected += single[row, range(3), list(sequence)].prod().item()
        assert probability.item() == pytest.approx(expected, rel=1e-4)


def test_a_batch_without_spans_has_no_probabilities() -> None:
    tags = make_tags("bioes", "X")
    crf = make_crf(tags, "bioes", constrained=True, seed=1)
    lattice = crf.posterior(torch.zeros(1, 2, len(tags)), torch.ones(1, 2, dtype=torch.bool))
    none = Spans(*torch.zeros(4, 0, dtype=torch.long).unbind(0))
    found = span_probabilities(lattice, crf.scores().transitions, torch.tensor([2]), none, make_tables(tags, "bioes"))
    assert found.shape == (0,)
