"""Heat maps of transitions and of tag probabilities: the numbers of the model, and what is forbidden."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from picture_builders import ARABIC, ATTACK, HEADS, make_tagger
from test_picture import svg_of, texts_of

from tagger import plots
from tagger.config import TokensHeadConfig
from tagger.errors import ModelError
from tagger.plots.heat_maps import _marginals, _marginals_body
from tagger.text.schemes import legal_transitions
from tagger.text.sentence import Sentence

TAGGER = make_tagger()
SVG = "{http://www.w3.org/2000/svg}"


def crosses_of(svg: str) -> int:
    (group,) = [element for element in ET.fromstring(svg).iter(f"{SVG}g") if element.get("id") == "forbidden"]
    return len(list(group.iter(f"{SVG}use")))


def test_forbidden_transitions_and_no_others_are_crossed_out(tmp_path) -> None:
    svg = svg_of(plots.transitions(TAGGER), tmp_path)
    tags = TAGGER.model.vocabulary.labels["ner"]
    allowed, start, end = legal_transitions(tags, "bioes")
    number = sum(map(sum, allowed)) + sum(start) + sum(end)
    assert crosses_of(svg) == (len(tags) + 1) ** 2 - number
    assert all(tag in texts_of(svg) for tag in (*tags, "(start)", "(end)"))


def test_numbers_are_the_scores_from_row_to_column(tmp_path) -> None:
    texts = texts_of(svg_of(plots.transitions(TAGGER), tmp_path))
    crf = TAGGER.network.heads["ner"].crf
    first = crf.start_transitions[crf.allowed_start].tolist()
    numbers = [float(text) for text in texts if text.lstrip("-").replace(".", "").isdigit()]
    assert numbers[: len(first)] == pytest.approx(first, abs=0.051)
    row = [*crf.transitions[0][crf.allowed[0]].tolist(), crf.end_transitions[0].item()]
    assert numbers[len(first) : len(first) + len(row)] == pytest.approx(row, abs=0.051)
    assert "-0.0" not in texts


def test_a_model_without_constraints_has_nothing_crossed_out_but_the_empty_sentence(tmp_path) -> None:
    free = make_tagger(heads={"ner": TokensHeadConfig(kind="tokens", constraints=False)})
    assert crosses_of(svg_of(plots.transitions(free), tmp_path)) == 1


def test_transitions_need_a_crf() -> None:
    softmax = make_tagger(heads={"upos": HEADS["upos"]})
    with pytest.raises(ModelError, match=r'expected a layer with a CRF, got none.*decoder = "crf"'):
        plots.transitions(softmax)
    with pytest.raises(ModelError, match="`upos` is not a layer with a CRF; choose `ner`"):
        plots.transitions(TAGGER, layer="upos")


@pytest.mark.parametrize("layer", ["ner", "upos"])
def test_each_token_has_the_percentages_of_its_tags(layer: str, tmp_path) -> None:
    sentence = Sentence.from_tokens(ARABIC)
    texts = texts_of(svg_of(plots.marginals(TAGGER, sentence, layer=layer), tmp_path))
    array = TAGGER.marginals(sentence)[layer].array
    shown = [text for text in texts if text.isdigit()]
    assert shown == [f"{100 * value:.0f}" for value in array[array >= 0.005]]


def test_a_page_has_one_map_per_sentence(tmp_path) -> None:
    sentences = [Sentence.from_tokens(["a"]), Sentence((), "", ()), Sentence.from_tokens(["b", "c"])]
    texts = texts_of(svg_of(plots.marginals(TAGGER, sentences, layer="upos"), tmp_path))
    assert texts.count("NOUN") == 2
    assert [text for text in texts if text in ("a", "b", "c")] == ["a", "b", "c"]


@pytest.mark.parametrize("layer", ["ner", "upos"])
def test_the_page_has_a_table_of_these_percentages_and_frames_the_predicted_tags(layer: str, tmp_path) -> None:
    sentence = Sentence.from_tokens([*ARABIC, ATTACK])
    plots.marginals(TAGGER, sentence, layer=layer).save(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    rows = [re.findall(r'<td( class="best")?[^>]*>(\d*)</td>', "<td" + row) for row in page.split("</th><td")[1:]]
    array = TAGGER.marginals(sentence)[layer].array
    shown = [[number for _, number in row] for row in rows]
    assert shown == [[f"{100 * share:.0f}" if share >= 0.005 else "" for share in row] for row in array]
    tags, (predicted,) = TAGGER.model.vocabulary.labels[layer], TAGGER.predict([sentence])
    best = [[tag for tag, (framed, _) in zip(tags, row, strict=True) if framed] for row in rows]
    assert best == [[tag] for tag in predicted.tag_layer(layer).tags]
    assert ATTACK not in page


def test_the_page_of_60_tokens_and_41_tags_stays_below_200_kilobytes(tmp_path) -> None:
    """Also where every cell has a number, which is the largest page."""
    large = make_tagger([f"type-{i}" for i in range(10)])
    assert len(large.model.vocabulary.labels["ner"]) == 41
    sentence = Sentence.from_tokens(["word"] * 60)
    picture = plots.marginals(large, sentence, layer="ner")
    picture.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 200_000
    even = [(sentence, np.full((60, 41), 1 / 41, np.float32), [0] * 60)]
    assert len(str(_marginals_body(even, [f"B-type-{i}" for i in range(41)]))) < 200_000


def test_marginals_need_a_tag_layer_and_its_name_where_there_are_several() -> None:
    sentence = Sentence.from_tokens(["a"])
    with pytest.raises(ModelError, match="expected one tag layer, got `ner`, `upos`; choose one"):
        plots.marginals(TAGGER, sentence)
    with pytest.raises(ModelError, match="expected a tag layer, got none"):
        plots.marginals(make_tagger(heads={"sentiment": HEADS["sentiment"]}), sentence)


def test_forty_tags_with_long_names_do_not_overlap() -> None:
    """Each label of the columns keeps within its cell, and the labels of the rows end where the map begins."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    tags = [f"B-a-type-with-a-long-name-{i}" for i in range(40)]
    array = np.full((60, 40), 1 / 40, np.float32)
    figure = _marginals([(Sentence.from_tokens(["word"] * 60), array, [0] * 60)], tags, "title")
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    columns = [label.get_window_extent() for label in axes.get_xticklabels()]
    rows = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert len(columns) == 40
    assert all(one.x1 <= two.x0 for one, two in pairwise(columns))
    assert all(one.y0 >= two.y1 for one, two in pairwise(rows))
    assert max(row.x1 for row in rows) <= axes.bbox.x0
