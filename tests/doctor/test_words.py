"""Odd tokens, as a table; what looks odd and is not; and mojibake made by the mistake that makes it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.doctor.findings import Findings
from tagger.doctor.words import check_words, oddity_of, unmangled
from tagger.text.sentence import Origin, Sentence

FINE = [
    "",
    "naïve",
    "Ångström",
    "Tromsø",
    "日本語",
    "👩\u200d🚀",
    "नम\u200dस्ते",
    "É",
    "SÃO",
    "Ã",
    "â",
    "“quoted”",
    "it’s",
    "½",
    "c#",
]


@pytest.mark.parametrize("token", FINE[1:])
def test_words_of_many_scripts_are_not_odd(token: str) -> None:
    assert oddity_of(token) is None


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("", "empty"),
        ("\u3000", "empty"),
        ("a b", "space"),
        ("a\u2028b", "space"),
        ("a ", "space"),
        ("a\x1bb", "control"),
        ("\x7fa", "control"),
        ("cafÃ©", "mojibake"),
        ("â€™", "mojibake"),
        ("TaiyÅ\x8d", "mojibake"),
        ("a\x95", "mojibake"),
        ("a\ufffd", "mojibake"),
        ("a\u200bb", "invisible"),
        ("\ufeffa", "invisible"),
        ("a\xadb", "invisible"),
    ],
)
def test_unusual_tokens_are_reported_by_kind(token: str, kind: str) -> None:
    oddity = oddity_of(token)
    assert oddity is not None
    assert oddity.kind == kind


@given(st.text("aeéèüñçøå’“”€", min_size=1))
def test_text_decoded_by_the_wrong_table_is_given_back(text: str) -> None:
    try:
        mangled = text.encode("utf-8").decode("cp1252")
    except UnicodeDecodeError:
        return
    assert unmangled(mangled) == (None if text.isascii() else text)


@given(st.text("aeéèüñçøåÅÉß", min_size=1))
def test_text_of_letters_is_not_taken_for_mangled(text: str) -> None:
    assert unmangled(text) is None


@pytest.mark.parametrize(("tokens", "is_error"), [(["a", " ", "b"], False), (["ab", " ", "b"], True)])
def test_a_blank_is_an_error_unless_all_tokens_are_characters(tokens: list[str], is_error: bool) -> None:
    sentence = replace(Sentence.from_tokens(tokens), origin=Origin("f", (1, 2, 3)))
    errors, warnings = Findings(), Findings()
    check_words({"f": [sentence]}, tokens, errors, warnings)
    assert [errors.counts["empty"], warnings.counts["empty"]] == ([1, 0] if is_error else [0, 1])
