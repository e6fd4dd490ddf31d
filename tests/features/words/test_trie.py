"""Matches of a trie against a search without one."""

from hypothesis import given
from hypothesis import strategies as st

from tagger.features.words.trie import Match, Trie

TOKENS = st.lists(st.sampled_from("abc"), max_size=9)
ENTRIES = st.fixed_dictionaries(
    {kind: st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4)) for kind in "XY"}
)


def searched(tokens: list[str], entries: list[list[str]], type_id: int) -> list[Match]:
    """From left to right the longest entry at each token, found by comparison with all entries."""
    found, start = [], 0
    while start < len(tokens):
        ends = [start + len(entry) for entry in entries if tokens[start : start + len(entry)] == entry]
        if ends:
            found.append(Match(start, max(ends), type_id))
        start = max(ends, default=start + 1)
    return found


@given(tokens=TOKENS, entries=ENTRIES)
def test_matches_are_the_longest_from_left_to_right_for_each_type(
    tokens: list[str], entries: dict[str, list[list[str]]]
) -> None:
    wanted = [match for i, own in enumerate(entries.values()) for match in searched(tokens, own, i)]
    assert sorted(Trie(entries).matches(tokens)) == sorted(wanted)


def test_matches_of_several_types_overlap() -> None:
    trie = Trie({"LOC": [("New", "York")], "ORG": [("New", "York", "Times"), ("York",)]})
    found = list(trie.matches(("New", "York", "Times", "in", "New", "York")))
    assert sorted(found) == [Match(0, 2, 0), Match(0, 3, 1), Match(4, 6, 0), Match(5, 6, 1)]


def test_an_entry_of_a_thousand_tokens_is_found() -> None:
    entry = ["word"] * 1000
    assert list(Trie({"LONG": [entry]}).matches(entry * 2)) == [Match(0, 1000, 0), Match(1000, 2000, 0)]
