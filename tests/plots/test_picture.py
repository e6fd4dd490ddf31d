"""What all pictures have in common: files, formats, and optional dependencies."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import pytest
from picture_builders import ARABIC, ATTACK, CONTROL, EMOJI, labelled, make_tagger, with_entities

from tagger import plots
from tagger.errors import DataError, MissingExtraError, RecipeError
from tagger.plots.chart import need_matplotlib
from tagger.text.sentence import Sentence

TAGGER = make_tagger()
SENTENCE = Sentence.from_tokens(["a", "film"])
CHARTS = {
    "attention": lambda: plots.attention(labelled(["a", "film"])),
    "transitions": lambda: plots.transitions(TAGGER),
    "marginals": lambda: plots.marginals(TAGGER, SENTENCE, layer="ner"),
}


def svg_of(picture: plots.Picture, folder: Path) -> str:
    picture.save(folder / "picture.svg")
    return (folder / "picture.svg").read_text(encoding="utf-8")


def texts_of(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", CHARTS)
def test_end_of_the_name_decides_the_form(name: str, tmp_path: Path) -> None:
    starts = {".svg": b"<?xml", ".png": b"\x89PNG\r\n", ".html": b"<!DOCTYPE html>", ".PNG": b"\x89PNG\r\n"}
    for suffix, start in starts.items():
        CHARTS[name]().save(str(tmp_path / f"picture{suffix}"))
        assert (tmp_path / f"picture{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("a.pdf", "a.pdf: the name of this picture must end in .html or .svg or .png, got '.pdf'"),
        ("a", "a: the name of this picture must end in .html or .svg or .png, got 'no suffix'"),
        ("a.svg.gz", "a.svg.gz: the name of this picture must end in .html or .svg or .png, got '.gz'"),
    ],
)
def test_other_names_are_refused_in_one_sentence(file: str, said: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        CHARTS["attention"]().save(file)
    assert str(caught.value) == said
    assert list(tmp_path.iterdir()) == []


def test_entities_have_no_chart() -> None:
    with pytest.raises(RecipeError, match=r"must end in \.html, got '\.svg'"):
        plots.entities(with_entities(["Ada"], ["B-PER"])).save("entities.svg")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its folder must exist"):
        CHARTS["attention"]().save(tmp_path / "none" / "a.html")


@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("suffix", [".svg", ".html"])
def test_the_same_data_give_the_same_bytes(name: str, suffix: str, tmp_path: Path) -> None:
    for file in ("one", "two"):
        CHARTS[name]().save(tmp_path / f"{file}{suffix}")
    one, two = ((tmp_path / f"{file}{suffix}").read_bytes() for file in ("one", "two"))
    assert one == two
    assert b"<dc:date>" not in one


def test_drawing_changes_no_setting_and_loads_no_pyplot(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    svg_of(CHARTS["marginals"](), tmp_path)
    assert dict(matplotlib.rcParams) == before
    code = f"import sys; sys.path[:0] = {sys.path!r}; import test_picture as t, pathlib\n"
    code += f"t.svg_of(t.CHARTS['attention'](), pathlib.Path({str(tmp_path)!r}))\n"
    code += "assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", CHARTS)
def test_a_notebook_shows_the_page_without_its_frame(name: str) -> None:
    shown = CHARTS[name]()._repr_html_()
    assert shown.startswith("<style>")
    assert shown.rstrip().endswith("</section>")
    assert "<body" not in shown


def test_without_matplotlib_a_chart_says_what_to_install_and_html_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    picture = CHARTS["attention"]()
    picture.save(tmp_path / "a.html")
    CHARTS["marginals"]().save(tmp_path / "m.html")
    plots.entities(with_entities(["Ada"], ["B-PER"])).save(tmp_path / "e.html")
    assert picture._repr_html_()
    with pytest.raises(MissingExtraError) as caught:
        picture.save(tmp_path / "a.svg")
    assert 'pip install "tagger-bilstm[plots]"' in str(caught.value)
    with pytest.raises(MissingExtraError, match=r"^this picture needs matplotlib"):
        plots.transitions(TAGGER).save(tmp_path / "t.html")
    with pytest.raises(MissingExtraError):
        need_matplotlib()


def test_import_of_the_package_loads_neither_torch_nor_matplotlib() -> None:
    code = "import sys, tagger.plots; assert not {'torch', 'matplotlib', 'spacy', 'datasets'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "tokens",
    [ARABIC, EMOJI, [ATTACK, "]]>", "<!--"], [CONTROL, "\ufffe", "\ud800"], ["$x^2$", r"\frac{", "_a", "50%"]],
    ids=["arabic", "emoji", "attack", "control", "mathematics"],
)
def test_an_svg_holds_each_word_as_text_in_its_order(tokens: list[str], tmp_path: Path) -> None:
    shown = [t.replace("\ufffe", "\ufffd").replace("\ud800", "\ufffd") for t in tokens]
    if CONTROL in tokens:
        shown[0] = r"a\x00b\x1b[31m\x7f\x85"
    for picture in (plots.attention(labelled(tokens)), plots.marginals(TAGGER, labelled(tokens), layer="upos")):
        texts = texts_of(svg_of(picture, tmp_path))
        assert [text for text in texts if text in shown] == shown


def test_a_long_word_keeps_both_its_ends(tmp_path: Path) -> None:
    texts = texts_of(svg_of(plots.attention(labelled(["https://" + "x" * 500 + ".org"])), tmp_path))
    (word,) = [text for text in texts if text.startswith("https://")]
    assert len(word) == 40
    assert word.endswith(".org")
    assert "…" in word


def test_png_of_characters_without_a_glyph_says_so(tmp_path: Path, caplog) -> None:
    plots.attention(labelled(["\U0001fae8\u4e2d\U000e0041"])).save(tmp_path / "a.svg")
    assert caplog.text == ""
    plots.attention(labelled(["\U000e0041\U0002ebf0"])).save(tmp_path / "a.png")
    assert "boxes" in caplog.text


def test_a_png_that_is_too_large_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tagger.plots.chart.LARGEST", 1000)
    picture = plots.attention(labelled(["a"] * 30))
    with pytest.raises(DataError, match=r"PNG must be at most 1000 pixels.*would be 600 by 990; save it as \.svg"):
        picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "a.svg")
    plots.attention(labelled(["a"] * 20)).save(tmp_path / "a.png")


def test_anything_but_sentences_is_refused() -> None:
    for draw in (plots.attention, plots.entities, lambda s: plots.marginals(TAGGER, s)):
        for given in ("a text", ["a text"]):
            with pytest.raises(DataError, match=r"is drawn of sentences, got str; pass what `model.tag\(text\)`"):
                draw(given)


def test_sentences_without_tokens_are_no_picture() -> None:
    for draw in (plots.attention, plots.entities, lambda s: plots.marginals(TAGGER, s)):
        for given in ([], [Sentence((), "", ())]):
            with pytest.raises(DataError, match="at least one sentence with a token"):
                draw(given)
