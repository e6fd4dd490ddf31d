"""Pictures of attention: each word has its weight, the text is complete, and no text becomes HTML."""

import re
from html import unescape

import pytest
from picture_builders import ARABIC, ATTACK, CONTROL, EMOJI, labelled, make_tagger, with_entities

from tagger import plots
from tagger.errors import DataError
from tagger.text.sentence import Label, Sentence

WORD = re.compile(r'<span class="word" style="--w: ([\d.]+)" title="([\d.]+)" data-weight="([^"]+)">(.*?)</span>', re.S)


def test_each_word_has_its_weight_and_the_strongest_colour_is_the_largest_weight() -> None:
    found = WORD.findall(plots.attention(labelled(["a", "fine", "film"]))._repr_html_())
    assert [word for *_, word in found] == ["a", "fine", "film"]
    assert [weight for _, weight, *_ in found] == ["0.1667", "0.3333", "0.5000"]
    assert [shown for *_, shown, _ in found] == ["17%", "33%", "50%"]
    opacity = [float(value) for value, *_ in found]
    assert opacity == pytest.approx([0.85 / 3, 0.85 * 2 / 3, 0.85], abs=1e-3)


@pytest.mark.parametrize("tokens", [["x"], ["w"] * 60, ARABIC, EMOJI, [ATTACK, "b"]])
def test_text_of_the_page_is_the_text_of_the_sentence(tokens: list[str]) -> None:
    html = plots.attention(labelled(tokens))._repr_html_()
    (text,) = re.findall(r'<p class="text weighted" dir="auto">(.*?)</p>', html, re.S)
    assert unescape(re.sub(r"<[^>]+>", "", text)) == " ".join(tokens)


def test_text_between_words_is_kept() -> None:
    text = "  A film,\tno\u2003doubt \n"
    html = plots.attention(make_tagger().tag(text))._repr_html_()
    (shown,) = re.findall(r'dir="auto">(.*?)</p>', html, re.S)
    assert re.sub(r"<[^>]+>", "", shown) == "A film,\tno\u2003doubt"


@pytest.mark.parametrize("layer", ["sentiment", ATTACK])
def test_words_labels_and_layers_are_escaped(layer: str, tmp_path) -> None:
    plots.attention(labelled([ATTACK, "b"], value=ATTACK, layer=layer)).save(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#34;&#39;" in page


def test_control_characters_are_shown() -> None:
    html = plots.attention(labelled([CONTROL, "\ud800"]))._repr_html_()
    assert r">a\x00b\x1b[31m\x7f\x85</span>" in html
    html.encode()


def test_the_prediction_is_followed_by_the_next_most_probable_classes() -> None:
    label = Label("b", 0.6, {"a": 0.1, "b": 0.6, "": 0.2, "d": 0.07, "e": 0.03}, (1.0,))
    html = plots.attention(Sentence.from_tokens(["x"], {"mood": label}))._repr_html_()
    assert "<h1>Attention of mood</h1>" in html
    assert '<h2><bdi>b</bdi> 0.60 <span class="rest">&#39;&#39; 0.20 · a 0.10</span></h2>' in html


def test_a_page_has_one_article_per_sentence() -> None:
    blank = Sentence((), "", ())
    html = plots.attention([labelled(["a"]), blank, labelled(["b"])])._repr_html_()
    assert html.count("<article>") == 2
    assert html.count("<style>") == 1


def test_weights_that_are_all_zero_are_drawn(tmp_path) -> None:
    label = Label("b", None, None, (0.0, 0.0))
    plots.attention(Sentence.from_tokens(["x", "y"], {"mood": label})).save(tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().count("0.0%") == 2


def test_sentences_without_attention_are_refused_with_a_hint() -> None:
    for sentence in (with_entities(["Ada"], ["B-PER"]), Sentence.from_tokens(["a"], {"mood": Label("b", 0.5)})):
        with pytest.raises(DataError, match=r'expected a sentence layer with attention, got none.*"attention"'):
            plots.attention(sentence)


def test_several_layers_need_a_name() -> None:
    label = Label("b", 0.6, None, (1.0,))
    sentence = Sentence.from_tokens(["x"], {"mood": label, "topic": label})
    with pytest.raises(DataError, match="got `mood`, `topic`; choose one with layer"):
        plots.attention(sentence)
    assert plots.attention(sentence, layer="topic").title == "Attention of topic"
    with pytest.raises(DataError, match="`ner` is not a sentence layer with attention; choose `mood`, `topic`"):
        plots.attention(sentence, layer="ner")
