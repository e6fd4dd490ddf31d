"""Entities in running text: the text is complete, types and probabilities are shown, and no text becomes HTML."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from picture_builders import ARABIC, ATTACK, CONTROL, make_tagger, with_entities

from tagger import plots
from tagger.errors import DataError
from tagger.pages.palette import COLOURS
from tagger.text.sentence import Sentence, TagLayer

MARK = re.compile(
    r'<mark style="([^"]*)" tabindex="0" title="([^"]*)">(.*?)<bdi class="type">(.*?)</bdi>'
    r'(?:<bdi class="score">(.*?)</bdi>)?</mark>',
    re.S,
)


class Page(HTMLParser):
    """The tags of a page and the text of its passages, without types and scores."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        assert self.open == [], "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "p" in self.open and "bdi" not in self.open:
            self.text += data


def page_of(*sentences: Sentence, tmp_path) -> str:
    plots.entities(sentences).save(tmp_path / "page.html")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_each_entity_has_its_type_and_probability_to_read_and_on_hover(tmp_path) -> None:
    sentence = with_entities(["Ada", "Lovelace", "saw", "Oslo"], ["B-PER", "I-PER", "O", "B-LOC"], [0.987654, 0.5])
    found = MARK.findall(page_of(sentence, tmp_path=tmp_path))
    assert [(text, type_, title, score) for _, title, text, type_, score in found] == [
        ("Ada Lovelace", "PER", "PER, probability 0.9877", "0.9877"),
        ("Oslo", "LOC", "LOC, probability 0.5000", "0.5000"),
    ]
    assert found[0][0] != found[1][0]


def test_gold_entities_have_no_probability(tmp_path) -> None:
    html = page_of(with_entities(["Ada"], ["B-PER"]), tmp_path=tmp_path)
    assert [(title, score) for _, title, _, _, score in MARK.findall(html)] == [("PER", "")]


@pytest.mark.parametrize(
    "tokens", [["Ada"], ["w"] * 60, ARABIC, ["👩‍👩‍👧‍👦", "in", "🇩🇪"], [ATTACK, "</p></mark>", "&amp;"], ["a" * 3000]]
)
def test_text_of_the_page_is_the_text_of_the_sentence(tokens: list[str], tmp_path) -> None:
    tags = ["B-PER" if i % 2 == 0 else "O" for i in range(len(tokens))]
    page = Page(page_of(with_entities(tokens, tags), tmp_path=tmp_path))
    assert page.text.strip() == " ".join(tokens)


def test_nothing_of_the_text_or_its_types_becomes_a_tag(tmp_path) -> None:
    plain = Page(page_of(with_entities(["a", "b"], ["B-PER", "O"], [0.5]), tmp_path=tmp_path))
    attack = Page(
        page_of(
            with_entities([ATTACK, '"><img src=x onerror=alert(1)>'], [f"B-{ATTACK}", "O"], [0.5]), tmp_path=tmp_path
        )
    )
    assert attack.tags == plain.tags


def test_control_characters_are_shown_and_line_ends_stay(tmp_path) -> None:
    text = f"{CONTROL}\nb\r\n\tc"
    layer = TagLayer(("B-PER", "O", "O"), "iob2", "iob2")
    end = len(CONTROL)
    sentence = Sentence((CONTROL, "b", "c"), text, ((0, end), (end + 1, end + 2), (end + 5, end + 6)), {"ner": layer})
    (mark,) = MARK.findall(page_of(sentence, tmp_path=tmp_path))
    assert mark[2] == r"a\x00b\x1b[31m\x7f\x85"
    assert (tmp_path / "page.html").read_bytes().count(b"\nb\r\n\tc</p>") == 1


def test_a_type_without_a_name_is_seen(tmp_path) -> None:
    assert MARK.findall(page_of(with_entities(["Ada"], ["B- "]), tmp_path=tmp_path))[0][3] == "&#39; &#39;"


def test_sentences_of_one_document_share_their_text_and_lines_do_not(tmp_path) -> None:
    text = "  Ada 👩‍👧 wrote. She left!\n\n\nPaul came to Köln; he stayed. "
    document = make_tagger().tag_document(text)
    assert len(document.sentences) >= 3
    page = page_of(*document.sentences, tmp_path=tmp_path)
    assert page_of(document, tmp_path=tmp_path) == page  # type: ignore[arg-type]
    assert page.count("<p class") == 1
    assert Page(page).text.rstrip("\n") == text
    same = with_entities(["ok"], ["O"])
    assert page_of(same, same, tmp_path=tmp_path).count('<p class="text"') == 2


def test_the_key_counts_each_type(tmp_path) -> None:
    first = with_entities(["Ada", "Oslo"], ["B-PER", "B-LOC"])
    html = page_of(first, with_entities(["Ada"], ["B-PER"]), tmp_path=tmp_path)
    key = re.findall(r"<li><mark [^>]*><bdi>(.*?)</bdi></mark> (\d+)</li>", html)
    assert key == [("LOC", "1"), ("PER", "2")]


def test_a_text_without_entities_says_so(tmp_path) -> None:
    assert "No entity was found." in page_of(with_entities(["a"], ["O"]), tmp_path=tmp_path)


def contrast(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    """Contrast of two colours as WCAG 2.1 defines it."""

    def luminance(rgb: tuple[float, ...]) -> float:
        linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def colours_of(html: str, name: str) -> list[tuple[int, ...]]:
    """The values of a colour of the style: on light paper, then on dark."""
    return [
        tuple(int(h * 2 if len(h) == 1 else h, 16) for h in re.findall(".." if len(value) == 6 else ".", value))
        for value in re.findall(rf"--{name}: #([0-9a-f]+);", html)
    ]


@pytest.mark.parametrize("dark", [False, True])
def test_text_on_every_colour_is_readable_on_light_and_dark_paper(dark: bool, tmp_path) -> None:
    html = page_of(with_entities(["Ada"], ["B-PER"]), tmp_path=tmp_path)
    paper, ink, faint = (colours_of(html, name)[dark] for name in ("paper", "ink", "faint"))
    assert contrast(paper, faint) > 4.5
    tint = float(re.findall(r"--tint: ([\d.]+)", html)[0])
    weight = tuple(map(int, re.findall(r"--weight: (\d+) (\d+) (\d+)", html)[dark]))
    for rgb, share in [*((rgb, tint) for rgb in COLOURS), (weight, 0.85)]:
        mixed = tuple(share * c + (1 - share) * p for c, p in zip(rgb, paper, strict=True))
        assert contrast(ink, mixed) > 4.5, (rgb, dark)


def test_the_page_loads_nothing_from_elsewhere(tmp_path) -> None:
    html = page_of(with_entities(["Ada"], ["B-PER"]), tmp_path=tmp_path)
    assert "default-src 'none'" in html
    assert not re.search(r'(src|href)="|url\(|@import|http://|https://', unescape(html))


def test_sentences_without_an_entity_layer_are_refused() -> None:
    sentence = Sentence.from_tokens(["a"], {"upos": TagLayer(("NOUN",))})
    with pytest.raises(DataError, match="expected a layer with entities, got none"):
        plots.entities(sentence)
    with pytest.raises(DataError, match="`upos` is not a layer with entities; choose `ner`"):
        plots.entities(with_entities(["Ada"], ["B-PER"]), layer="upos")
