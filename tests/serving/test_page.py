"""The page in a real browser: type, see, click, hostile text, a long text."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chromium import make_browser, needs_chromium, running, until

import tagger
from tagger.serving.app import create_app

webdriver = pytest.importorskip("selenium.webdriver")
pytestmark = needs_chromium
HOSTILE = "<img src=x onerror=\"document.title='hit'\"> Ada <script>document.title='hit'</script> & \u202e 😀 Rome"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A service with two names of one model, on a free port."""
    model = tagger.load("english", backend="numpy")
    with running(create_app({"english": model, "again": model})) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with make_browser() as found:
        yield found


class Page:
    """The page, as a person uses it."""

    def __init__(self, browser: Any, address: str) -> None:
        self.browser = browser
        browser.get(address)
        until(lambda: self.find("#model").text, self.status)

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list[str]:
        return [element.text for element in self.browser.find_elements("css selector", selector)]

    def status(self) -> str:
        return str(self.find("#status").text)

    def tag(self, text: str) -> None:
        self.browser.execute_script("document.getElementById('text').value = arguments[0]", text)
        self.browser.execute_script("document.getElementById('status').textContent = ''")
        self.find("#send").click()
        until(lambda: self.status() not in ("", "tagging …"), self.status)


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    page = Page(browser, address)
    yield page
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_entities_labels_and_parts_of_speech_are_shown(page: Page) -> None:
    text = page.find("#text")
    text.clear()
    text.send_keys("Barack Obama visited Paris.", webdriver.Keys.CONTROL, webdriver.Keys.ENTER)
    until(lambda: "words in" in page.status(), page.status)
    assert [mark.rsplit(" ", 1)[0] for mark in page.all("mark")] == ["Barack Obama PER", "Paris LOC"]
    assert {"positive", "neutral", "negative"} <= set(page.all(".bar span"))
    assert page.all(".tags span")[0] == "Barack\nPROPN"
    assert page.all(".weights span")[:2] == ["Barack", "Obama"]


def test_the_slider_hides_unsure_entities(page: Page) -> None:
    page.tag("Jordan beat Apple in Springfield.")
    assert page.all("mark")
    page.browser.execute_script("least.value = 1; least.dispatchEvent(new Event('input'))")
    assert page.all("mark") == []
    assert page.find("#shown").text == "1.00"


def test_two_models_and_readings_are_shown_beside_each_other(page: Page) -> None:
    page.find("#other").send_keys("again")
    page.browser.execute_script("document.getElementById('readings').value = 2")
    page.tag("Ada sleeps.")
    assert page.all("h2") == ["english", "again"]
    assert len(page.all("tbody tr")) == 2 * 3 * 2  # models, tag layers, readings


def test_text_is_never_read_as_html(page: Page) -> None:
    page.tag(HOSTILE)
    assert page.browser.title == "tagger"
    assert page.all("#results img") == page.all("#results script") == []
    shown = page.browser.execute_script("return document.querySelector('.text').textContent")
    assert shown.replace(" ", "").startswith("<imgsrc=x")
    assert any(mark.startswith("Rome") for mark in page.all("mark"))  # characters count as in Python


def test_a_text_of_twenty_thousand_words_is_tagged(page: Page) -> None:
    page.tag("Ada sleeps in Oslo . " * 4000)
    assert page.status().startswith("20,000 words")
    assert len(page.browser.find_elements("css selector", "mark")) >= 4000
    assert any(note.startswith("18,000 more words") for note in page.all(".tags .quiet"))


def test_a_blank_text_is_one_sentence(page: Page) -> None:
    page.tag("  ")
    assert page.status() == "type or paste a text first"


def test_results_are_copied_as_json_and_csv(page: Page) -> None:
    page.tag("=Ada, Oslo")
    found = json.loads(page.browser.execute_script("return json()"))
    assert found[0]["text"] == "=Ada, Oslo"
    lines = page.browser.execute_script("return csv()").split("\r\n")
    assert lines[0] == "model,layer,type,text,start_char,end_char,score"
    assert any('"\'=Ada, Oslo"' in line for line in lines)  # no formula for a spreadsheet


def test_every_control_has_a_name_and_can_be_reached_with_the_keyboard(page: Page) -> None:
    page.tag("Ada sleeps.")
    named = page.browser.execute_script(
        "return [...document.querySelectorAll('button, input, select, textarea')].filter(e => e.offsetParent)"
        ".every(e => e.textContent.trim() || e.labels?.length)"
    )
    assert named
    reached = set()
    for _ in range(20):
        webdriver.ActionChains(page.browser).send_keys(webdriver.Keys.TAB).perform()
        reached.add(page.browser.execute_script("return document.activeElement.id"))
    assert {"send", "model", "other", "readings", "least", "copy-json", "load-csv"} <= reached


def test_nothing_is_wider_than_a_phone(page: Page) -> None:
    page.tag("Donaudampfschifffahrtsgesellschaftskapitän" * 5)
    assert page.browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
