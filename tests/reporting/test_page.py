"""The page of a report: nothing becomes markup, nothing is loaded, and what it shows is what the sections have."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from scored_layers import class_layer, entity_layer, token_layer

from tagger.analysis.mistakes import entity_errors
from tagger.metrics.layer import ScoredLayer
from tagger.metrics.section import Curve, Section, Table
from tagger.reporting.filterable import NUM_LISTED
from tagger.reporting.page import PageLayer, report_page
from tagger.reporting.sections import Context, sections_of

EVIL = "<script>alert('x')</script>"
VOID = {"meta", "path", "circle", "polyline", "br", "img"}


class Elements(HTMLParser):
    """Collects the start tags, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def elements_of(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(page)
    assert parser.open == []
    return parser.found


def on_page(layer: ScoredLayer, *more: Section, name: str = "") -> PageLayer:
    return PageLayer(name or layer.name, layer.scores.to_dict(), [*sections_of(layer, Context()), *more])


def page_of(layer: ScoredLayer, *more: Section) -> str:
    return report_page("Scores", [on_page(layer, *more)], {"model": "small"})


def text_of(page: str) -> str:
    return re.sub(r"<[^>]*>", "", page)


def test_tokens_types_and_names_cannot_become_markup() -> None:
    tag = EVIL.replace(" ", "")
    layer = entity_layer((f"B-{tag} O", f'B-{tag}2 B-"onload=x'), tokens=[f"{EVIL} </style>"])
    page = report_page(EVIL, [on_page(layer, name=EVIL)] * 2, {EVIL: {EVIL: [EVIL]}})
    elements = elements_of(page)
    assert [tag for tag, _ in elements].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in elements for name in attributes)
    assert "&lt;script&gt;alert" in page


def test_the_page_loads_nothing_and_runs_only_its_own_script() -> None:
    page = page_of(entity_layer(("B-PER O", "O B-PER")))
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'" in page
    assert not any({"src", "srcset", "action"} & attributes.keys() for _, attributes in elements_of(page))
    links = {attributes["href"] for tag, attributes in elements_of(page) if "href" in attributes}
    assert links <= {f"#{attributes['id']}" for _, attributes in elements_of(page) if "id" in attributes}


def test_mistakes_have_kinds_and_types_to_filter_by_and_marked_words() -> None:
    layer = entity_layer(("B-PER I-PER O B-LOC", "B-PER O O B-ORG"), tokens=["Ada Lovelace in London"])
    page = page_of(layer)
    items = [attributes for tag, attributes in elements_of(page) if tag == "li" and "data-kind" in attributes]
    assert [(item["data-kind"], item["data-types"]) for item in items] == [
        ("wrong boundary", "2"),
        ("wrong type", "0 1"),
    ]
    assert '<option value="2">PER</option>' in page
    assert '<span class="gold predicted">Ada</span><span class="gold"> Lovelace</span>' in page


def test_confusion_is_shaded_by_the_share_of_its_row() -> None:
    page = page_of(class_layer(("a", "a"), ("a", "a"), ("a", "a"), ("a", "b"), ("b", "b")))
    assert re.findall(r"<td[^>]*--w[^>]*>", page) == [
        '<td class="equal" style="--w: 0.52" title="a → a: 3, 75.0% of the row">',
        '<td style="--w: 0.30" title="a → b: 1, 25.0% of the row">',
        '<td class="equal" style="--w: 0.60" title="b → b: 1, 100.0% of the row">',
    ]


def test_the_headline_comes_first_with_its_interval() -> None:
    page = page_of(token_layer(*[("A B", "A C"), ("A", "A")] * 10))
    cards = re.search(r'<ul class="cards">(.*?)</ul>', page, re.DOTALL)
    assert cards is not None
    assert re.fullmatch(r"accuracy0\.66670\.\d{4} to 0\.\d{4}", text_of(cards[1]).split("\n")[1])


def test_curves_are_drawn_inside_their_axes() -> None:
    lines = {"one": ((0.0, 0.0), (1.0, 1.0)), EVIL: ((0.5, 0.25),)}
    curves = (
        Curve("shares", "x", "y", lines, diagonal=True),
        Curve("sizes", "n", "F1", {"a": ((100, 0.5), (400, 0.6))}),
        Curve("empty", "x", "y", {}),
    )
    layer = PageLayer("ner", {}, [Section("curves", "Curves", "", None, curves=curves)])
    elements = elements_of(report_page("Scores", [layer], {}))
    points = [attributes["points"] for _, attributes in elements if "points" in attributes]
    assert points == ["44,204 312,8", "178,155", "0,4 24,4", "0,4 24,4", "111,106 312,86.4", "0,4 24,4"]


def test_of_very_many_mistakes_the_surest_are_listed() -> None:
    found = entity_errors(entity_layer(("B-PER", "O")))
    many = found.data["list"] * (NUM_LISTED + 1)
    layer = PageLayer("ner", {}, [Section("errors", "Mistakes", "", {"list": many})])
    page = report_page("Scores", [layer], {})
    assert page.count("<li data-kind") == NUM_LISTED
    assert "The first 5,000 of 5,001 mistakes." in page


@pytest.mark.parametrize("layer", [entity_layer(), entity_layer(("O", "O")), token_layer(), class_layer()])
def test_a_layer_without_anything_to_score_has_a_page(layer: ScoredLayer) -> None:
    assert text_of(page_of(layer)).count("Mistakes") == 2  # a link and its target


def test_undefined_figures_are_a_dash_and_shares_have_four_digits() -> None:
    table = Table(("n", "share", "k"), (("a", None, 1), ("b", 0.5, 2)))
    page = report_page("Scores", [PageLayer("x", {}, [Section("x", "X", "", None, tables=(table,))])], {})
    assert "<td>-</td><td>1</td>" in page
    assert "<td>0.5000</td><td>2</td>" in page


def test_names_between_backticks_are_code_and_stay_escaped() -> None:
    more = Section("more", "More", "the key `<b>` of ``x``, and one ` alone", None, brief=("`ner` is",))
    page = page_of(entity_layer(), more)
    assert "the key <code>&lt;b&gt;</code> of ``x``, and one ` alone" in page
    assert "<p><code>ner</code> is</p>" in page


def test_long_cells_have_several_lines() -> None:
    table = Table(("text", "place", "mistake"), (("a", "sentence 'one of many words', token 3", "missed"),))
    page = page_of(entity_layer(), Section("more", "More", "", None, tables=(table,)))
    assert re.search('<td class="long">sentence .*, token 3</td><td>missed</td>', page)
