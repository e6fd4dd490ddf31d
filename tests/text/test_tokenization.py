"""Claims about the tokens and sentences of raw text."""

import pkgutil
import random
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
import spacy.lang
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spacy.pipeline import Sentencizer

from tagger.config import ReadingConfig, parse_section
from tagger.errors import DataError, RecipeError
from tagger.text.splitting import word_rules
from tagger.text.splitting.segmentation import SENTENCE_MARKS
from tagger.text.tokenization import (
    TextRules,
    sentence_from_text,
    split_sentences,
    tokenize,
)
from tagger.text.word_tables import LANGUAGES, UNSPACED_LANGUAGES

FAMILY = "👨\u200d👩\u200d👧"
AWKWARD = ["don't", "Mr.", "U.S.", "...", "…", "\n\n", " \r\n", "\x00", "\x1c", "\x85", "\u2028", "\xa0", "\u200b"]
AWKWARD += ["\u200d", "\ufe0f", "\u0301", "\ufeff", "\ud83d", "\udc00", FAMILY, "👍🏽", "🇩🇪", "🇫", "1️⃣", "שלום", "مرحبا"]
AWKWARD += ["https://a.b/c?d=e", "#tag", "@me", ":-)", "’s", *"\"'()aA1 !-/\t"]

any_text = st.one_of(
    st.text(st.characters()),  # all of Unicode, lone surrogates too
    st.lists(st.sampled_from(AWKWARD), max_size=30).map("".join),
)


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in tokenize(text)]


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


def covered(spans: list[tuple[int, int]]) -> list[int]:
    return [position for start, end in spans for position in range(start, end)]


@given(any_text)
@example("( " + "(" * 2500 + " '")
@example("a" * 999 + "👍🏽" + "b" * 2000)
@settings(max_examples=400, deadline=None)
def test_every_character_but_white_space_is_in_exactly_one_token_in_order(text: str):
    spans = tokenize(text)
    assert all(start < end for start, end in spans)
    assert covered(spans) == [position for position, char in enumerate(text) if not char.isspace()]


@given(any_text)
@settings(max_examples=400, deadline=None)
def test_sentences_partition_the_tokens_in_order(text: str):
    tokens, spans = tokenize(text), split_sentences(text)
    inside = [[token for token in tokens if start <= token[0] and token[1] <= end] for start, end in spans]
    assert [token for group in inside for token in group] == tokens
    assert [(group[0][0], group[-1][1]) for group in inside] == spans


@given(any_text)
@settings(max_examples=200, deadline=None)
def test_no_sentence_goes_over_a_blank_line(text: str):
    assert not any(re.search(r"\S[^\S\n]*\n[^\S\n]*\n\s*\S", sentence) for sentence in sentences(text))


@given(any_text)
@settings(max_examples=100, deadline=None)
def test_blanks_splits_as_python_splits(text: str):
    if text.split():
        sentence = sentence_from_text(text, "blanks")
        assert list(sentence.tokens) == text.split()
        assert [text[start:end] for start, end in sentence.offsets] == text.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't, can't, won’t", "I do n't , ca n't , wo n’t"),
        ("cannot gonna", "can not gon na"),
        ("it's John's they'll we've I'm he'd", "it 's John 's they 'll we 've I 'm he 'd"),
        ("the dogs' bowl", "the dogs ' bowl"),
        ("well-known state-of-the-art", "well - known state - of - the - art"),
        ("Mr. Smith left the U.S. in Jan. 2020, e.g. by car.", "Mr. Smith left the U.S. in Jan. 2020 , e.g. by car ."),
        ("wait... what… ok?!", "wait ... what … ok ? !"),
        ("see https://example.org/a?b=c#d, or a@b.co.uk.", "see https://example.org/a?b=c#d , or a@b.co.uk ."),
        ("@ada_l likes #NLP2024", "@ada_l likes # NLP2024"),
        ('"quoted" ‘single’ «double»', '" quoted " ‘ single ’ « double »'),
        ("$5.50, 10%, 1,000.5 at 3pm", "$ 5.50 , 10 % , 1,000.5 at 3 pm"),
        ("one\xa0two\u2003three\n\tfour", "one two three four"),
        ("  around  ", "around"),
        (":-) <3 😀😃", ":-) <3 😀 😃"),
    ],
)
def test_words_are_split_as_in_treebanks(text: str, expected: str):
    assert words(text) == expected.split(" ")


@pytest.mark.parametrize(
    "text",
    ["I don't think Mr. O'Neil's e-mail (a@b.com) cost $5...", 'Well-known? "Yes," she said: it\'s 10% of 3.5km/h!'],
)
def test_words_are_those_of_the_blank_pipeline_of_spacy(text: str):
    assert words(text) == [token.text for token in spacy.blank("en")(text)]


@pytest.mark.parametrize("emoji", [FAMILY, "👍🏽", "🇩🇪", "❤️", "1️⃣", "🏴\U000e0067\U000e0062\U000e007f", "🏳️\u200d🌈"])
def test_an_emoji_of_several_code_points_is_one_token(emoji: str):
    assert words(f"so{emoji}, {emoji}{emoji} don't!") == ["so", emoji, ",", emoji, emoji, "do", "n't", "!"]


def test_two_flags_are_two_tokens():
    assert words("🇩🇪🇫🇷") == ["🇩🇪", "🇫🇷"]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("cafe\u0301, re\u0301sume\u0301s", [(0, 5), (5, 6), (7, 16)]),
        ("שָׁלוֹם, עולם!", [(0, 7), (7, 8), (9, 13), (13, 14)]),
        ("مرحبا، كيف", [(0, 5), (5, 6), (7, 10)]),
        ("😀 x", [(0, 1), (2, 3)]),
        ("zero\u200bwidth \u2060x", [(0, 10), (11, 13)]),
        ("a\x00b \x1c c\x85d", [(0, 3), (6, 7), (8, 9)]),
        ("x \ud83d y", [(0, 1), (2, 3), (4, 5)]),
        ("", []),
        (" \n\xa0", []),
    ],
)
def test_offsets_count_code_points_of_the_text_as_given(text: str, spans: list[tuple[int, int]]):
    assert tokenize(text) == spans


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. Smith went to the U.S. in May.", "He liked it!", "Did he?"],
        ["She left.", '"They stayed," he said.', '"Why?"', "(Nobody knew.)", "[...] The end."],
        ["Wait... what?!", "Yes."],
        ["one", "two"],
        ["Great!", "👍🏽 Next one."],
        [],
    ],
)
@pytest.mark.parametrize("gap", ["\n\n", " \r\n\t\r\n ", "\n \u2029"])
def test_sentences_between_blank_lines_are_found(expected: list[str], gap: str):
    assert sentences(gap.join(["", *expected, ""])) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. Smith went to the U.S. in May.", "He liked it!", "Did he?"],
        ["She left.", '"They stayed," he said.', "(Nobody knew.)", "“Really?”", "So it goes."],
        ["Wait... what?!", "Yes."],
        ["Great!", "👍🏽 Next one."],
    ],
)
@pytest.mark.parametrize("gap", [" ", "\n", "\r\n", "  "])
def test_sentences_end_at_their_marks_and_keep_their_opening_quotes(expected: list[str], gap: str):
    assert sentences(gap.join(expected)) == expected


def test_one_line_break_ends_no_sentence():
    assert sentences("a line\nand its rest") == ["a line\nand its rest"]


def test_a_sentence_has_the_text_as_given_and_offsets_into_it():
    sentence = sentence_from_text("  I don't. ")
    assert sentence.text == "  I don't. "
    assert sentence.tokens == ("I", "do", "n't", ".")
    assert sentence.offsets == ((2, 3), (4, 6), (6, 9), (9, 10))


def test_start_makes_offsets_those_of_the_document():
    document = "Ada left. She didn't return."
    for start, end in split_sentences(document):
        sentence = sentence_from_text(document[start:end], start=start)
        assert tuple(document[first:last] for first, last in sentence.offsets) == sentence.tokens


@pytest.mark.parametrize("mode", ["words", "blanks"])
def test_a_text_without_a_token_is_an_error_of_one_sentence(mode):
    with pytest.raises(DataError) as caught:
        sentence_from_text("   ", mode)
    assert str(caught.value) == (
        "the text has no token: expected at least one character that is not white space, got '   '; pass a sentence"
    )


def test_name_is_library_version_and_language():
    assert TextRules(language="de").name == f"spacy {spacy.__version__} de"
    assert TextRules("blanks").name == "blanks"


def test_threads_get_what_one_thread_gets(monkeypatch: pytest.MonkeyPatch):
    texts = [f"Mr. w{i} doesn't like w{i * 7}-x, ok?" for i in range(400)]
    expected = [tokenize(text) for text in texts]
    monkeypatch.setattr(word_rules, "MAX_CHUNKS", 100)  # so that the cache is cleared during the test
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(tokenize, texts)) == expected


def test_a_run_without_white_space_takes_linear_time():
    text = "".join(random.Random(1).choices("()[]", k=20_000))
    tokenize("warm up")
    began = time.process_time()
    assert covered(tokenize(text)) == list(range(len(text)))
    assert time.process_time() - began < 20  # about 2 seconds; with quadratic growth about 37


def test_texts_are_split_without_importing_spacy_or_another_library():
    program = """
import sys
from tagger.text.tokenization import DEFAULT_RULES, split_sentences
assert DEFAULT_RULES.name.startswith("spacy ")
assert split_sentences("Now it's 5km. Here.") == [(0, 13), (14, 19)]
assert not {"spacy", "thinc", "srsly", "torch", "numpy", "pydantic"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_sentences_end_at_the_marks_of_the_sentencizer_of_spacy():
    assert set(Sentencizer.default_punct_chars) == SENTENCE_MARKS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("米拉搬到沃尼克城了。", "米 拉 搬 到 沃 尼 克 城 了 。"),
        ("東京タワーは333.5mです", "東 京 タ ワ ー は 333.5 m で す"),
        ("ที่ไทย", "ที่ ไ ท ย"),
        ("서울에서 iPhone15 2024-01", "서 울 에 서 iPhone15 2024 - 01"),
        ("Don't “Café” e\u0301t\u0301", "Don't “ Café ” e\u0301t\u0301"),
        ("हिन्दी में", "हिन्दी में"),
        (f"好{FAMILY}👍🏽!", f"好 {FAMILY} 👍🏽 !"),
    ],
)
def test_characters_are_tokens_where_a_script_has_no_blanks(text: str, expected: str):
    assert list(TextRules("characters").sentence(text).tokens) == expected.split(" ")


def test_every_symbol_is_a_token() -> None:
    sentence = TextRules("symbols").sentence(" AC.g\t-*12\u0301")
    assert sentence.tokens == ("A", "C", ".", "g", "-", "*", "1", "2", "\u0301")
    assert sentence.offsets[4] == (6, 7)


@pytest.mark.parametrize("mode", ["words", "spacy", "blanks", "characters", "symbols"])
@given(any_text, st.sampled_from(["", "/#-", "a]^\\"]))
@settings(max_examples=60, deadline=None)
def test_no_rules_lose_a_character(mode, text: str, split_on: str):
    rules = TextRules(mode, split_on=split_on)
    spans = rules.tokens(text)
    assert covered(spans) == [position for position, char in enumerate(text) if not char.isspace()]
    assert all(end - start == 1 for start, end in spans if set(text[start:end]) & set(split_on))


@pytest.mark.parametrize(
    ("mode", "split_on", "expected"),
    [
        ("words", "/#-", "Berlin / Paris # 12 - 3 , Mr. / Mrs. do n't"),
        ("blanks", "/", "Berlin / Paris#12-3, Mr. / Mrs. don't"),
        ("characters", "/", "Berlin / Paris # 12 - 3 , Mr . / Mrs . don't"),
    ],
)
def test_characters_of_split_on_are_tokens_of_their_own(mode, split_on: str, expected: str):
    sentence = TextRules(mode, split_on=split_on).sentence("Berlin/Paris#12-3, Mr./Mrs. don't")
    assert list(sentence.tokens) == expected.split(" ")


@pytest.mark.parametrize(
    ("mode", "segment", "expected"),
    [
        ("words", None, ["One.", "Two\nthree."]),
        ("words", "lines", [" One. Two", "three. "]),
        ("words", "none", ["One. Two\nthree."]),
        ("blanks", None, [" One. Two", "three. "]),
        ("blanks", "rules", ["One. Two\nthree."]),
        ("characters", "rules", ["One.", "Two\nthree."]),
        ("symbols", None, [" One. Two", "three. "]),
    ],
)
def test_segment_says_where_sentences_end(mode, segment, expected: list[str]):
    text = " One. Two\nthree. "
    found = TextRules(mode, segment=segment).sentences(text)
    assert [text[start:end] for start, end in found] == expected


@pytest.mark.parametrize("segment", ["rules", "lines", "none"])
def test_a_blank_text_has_no_sentence(segment):
    assert TextRules(segment=segment).sentences(" \n ") == []


def test_sentences_of_chinese_end_at_their_marks():
    text = "你好！今天下雨了。“真的？”他说。"
    found = TextRules("characters").sentences(text)
    assert [text[start:end] for start, end in found] == ["你好！", "今天下雨了。", "“真的？”", "他说。"]


def test_the_languages_are_those_that_spacy_has_rules_for():
    names = {module.name for module in pkgutil.iter_modules(spacy.lang.__path__) if module.ispkg}
    assert set(LANGUAGES) == names - set(UNSPACED_LANGUAGES)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("zh", 'must be a language with rules, got \'zh\'; use "characters" or "blanks" for `tokenize`'),
        ("deu", "must be the code of a language with rules, got 'deu'; the codes are af am "),
    ],
)
def test_a_language_without_rules_is_refused_by_name(code: str, problem: str):
    with pytest.raises(ValueError, match="^" + re.escape(problem)):
        TextRules(language=code)
    with pytest.raises(RecipeError, match=re.escape(f"r: `language` {problem}")):
        parse_section(ReadingConfig, {"language": code}, where="r")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Das kostet z.B. 5 km, geht's?", "Das kostet z.B. 5 km , geht's ?"),
        ("fr", "L'homme n'a qu'aujourd'hui.", "L' homme n' a qu' aujourd'hui ."),
        ("es", "Va a EE. UU. hoy.", "Va a EE. UU. hoy ."),
    ],
)
def test_words_follow_the_rules_of_a_language_and_hold_no_blank(language: str, text: str, expected: str):
    assert list(TextRules(language=language).sentence(text).tokens) == expected.split(" ")


@pytest.mark.parametrize("mode", ["words", "spacy", "blanks", "characters", "symbols"])
@pytest.mark.parametrize("segment", ["rules", "lines", "none"])
@given(st.lists(st.sampled_from([*AWKWARD, "Ada", "router Z.", ".", "?", ")", "“", " ", " ", "\n"]), max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_text_that_is_split_at_once_has_the_tokens_of_its_sentences_alone(mode, segment, pieces: list[str]):
    rules, text = TextRules(mode, segment=segment), "".join(pieces)
    alone = [(rules.sentence(text[start:end], start=start)) for start, end in rules.sentences(text)]
    found = rules.split(text)
    assert [(s.tokens, s.offsets) for s in found] == [(s.tokens, s.offsets) for s in alone]
    assert all(s.text is text for s in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We bought a Router Z.", "We bought a Router Z ."),
        ("He works for Acme Inc.", "He works for Acme Inc ."),
        ('He said "call Acme Inc."', 'He said " call Acme Inc . "'),
        ("(See No.)", "( See No . )"),
        ("tea, coffee etc.", "tea , coffee etc ."),
        ("She moved to the U.S.", "She moved to the U.S."),
        ("at 9 a.m.", "at 9 a.m."),
        ("Wait...", "Wait ..."),
        ("Mr. A. Smith and B. left", "Mr. A. Smith and B. left"),
        ("B.!", "B. !"),
        (".", "."),
        ("5.", "5 ."),
    ],
)
def test_the_full_stop_at_the_end_of_a_sentence_is_a_token(text: str, expected: str):
    assert list(TextRules().sentence(text).tokens) == expected.split(" ")
    assert [t for part in TextRules().split(text) for t in part.tokens] == expected.split(" ")
    assert TextRules("spacy").sentence(text).tokens == TextRules(version=1).sentence(text).tokens


def test_bare_rules_are_those_of_spacy_where_words_differ():
    for text in (FAMILY, "\u2066" * 1500, "a Router Z.", "x" * 1200):
        found = [text[start:end] for start, end in TextRules("spacy").tokens(text)]
        assert found == [token.text for token in spacy.blank("en")(text)]


def by_commas(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def test_a_function_splits_texts_into_tokens_or_into_ranges():
    rules = TextRules().with_function(by_commas)
    assert rules.sentence("a b, c,d", start=5).tokens == ("a b", "c", "d")
    assert rules.sentence("a b, c,d", start=5).offsets == ((5, 8), (10, 11), (12, 13))
    assert rules.name.endswith("by_commas")
    spans = TextRules().with_function(lambda text: [(0, 1), (1, len(text))])
    assert spans.sentence("abc").tokens == ("a", "bc")
    assert [sentence.tokens for sentence in rules.split("a, .,b, c.")] == [("a", "."), ("b", "c.")]


@pytest.mark.parametrize("found", [["b", "a"], ["x"], [(0, 0)], [(1, 9)], [(1, 2), (0, 1)], [" "], [""]])
def test_a_function_must_return_tokens_of_the_text_in_their_order(found):
    with pytest.raises(DataError, match=r"must return tokens of the text in their order, or start and end of each"):
        TextRules().with_function(lambda text: found).sentence("a b")


def test_without_its_function_raw_text_is_refused_in_one_sentence():
    rules = TextRules("function", function_name="mine.split")
    with pytest.raises(DataError) as caught:
        rules.sentence("a b")
    assert str(caught.value) == (
        "raw text must be split by the function mine.split, as in training, but the model does not hold it; load the "
        "model with tokenize=FUNCTION, or pass tokens"
    )
