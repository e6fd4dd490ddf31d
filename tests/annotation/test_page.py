"""The page to annotate in a real browser: keyboard, mouse, hostile texts, a server that stops, a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import make_browser, needs_chromium, running, until
from fake_project import FakeProject

from tagger import Document, Sentence
from tagger.annotation.app import create_app
from tagger.annotation.items import Suggestion
from tagger.annotation.project import Project

webdriver = pytest.importorskip("selenium.webdriver")
Keys = webdriver.Keys
pytestmark = needs_chromium
ADA = "Ada Lovelace met Siemens Energy in New York City ."
MARKUP = "<img src=x onerror=\"document.title='hit'\"> <script>document.title='hit'</script>"
HOSTILE = f"{MARKUP} & \u202e😀 e\u0301\u0302 Rome שלום עולם"


def make_project(**changes: Any) -> FakeProject:
    suggested = {
        0: [Suggestion(0, 2, "PER", 0.987), Suggestion(3, 5, "PER", 0.51), Suggestion(6, 9, "LOC", 0.75)],
        1: [Suggestion(0, 1, "LOC", 0.9)],
    }
    return FakeProject([ADA, "Rome waits .", "Nothing here ."], suggested, **changes)


class Page:
    """The page of a project, as a person uses it."""

    def __init__(self, browser: Any, project: FakeProject, port: int) -> None:
        self.browser, self.project = browser, project
        browser.get(f"http://127.0.0.1:{port}/")
        until(lambda: self.all(".current") or self.find("#done").is_displayed(), lambda: browser.get_log("browser"))

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list[str]:
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.replaceAll('\\u00a0', ' '))"
        found: list[str] = self.run(script, selector)
        return found

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys: str, said: str | None = None) -> None:
        """Press keys one after the other, and wait until all that they began is done."""
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()
        self.settle()
        if said is not None:
            until(lambda: self.said() == said, lambda: (self.said(), said), seconds=5)

    def select(self, key: str, times: int) -> None:
        chain = webdriver.ActionChains(self.browser).key_down(Keys.SHIFT)
        chain.send_keys(key * times).key_up(Keys.SHIFT).perform()
        self.settle()

    def settle(self) -> None:
        self.browser.execute_async_script("queue.then(arguments[0])")

    def said(self) -> str:
        return str(self.find("#status").text)

    @property
    def current(self) -> str:
        return str(self.run("return [...document.querySelectorAll('#text .current')].map(e => e.textContent).join('')"))

    @property
    def judged(self) -> list[tuple[int, int, str | None]]:
        rows = [each for judged in self.project.judged.values() for each in judged]
        return [(each.start, each.end, each.type) for each in rows]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with make_browser() as found:
        yield found


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    project = make_project()
    with running(create_app(project)) as port:
        yield Page(browser, project, port)
        assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_suggestions_have_type_and_probability_and_the_first_is_the_current_one(page: Page) -> None:
    assert page.all("#text mark.open") == ["Ada Lovelace PER 0.99", "Siemens Energy PER 0.51", "New York City LOC 0.75"]
    assert page.all("mark.now") == ["Ada Lovelace PER 0.99"]
    assert page.find("#why").text == "Why this text: its spans are unsure"
    colours = page.run("return [...document.querySelectorAll('mark')].map(e => getComputedStyle(e).borderTopColor)")
    assert colours[0] == colours[1] != colours[2]


def test_enter_accepts_x_rejects_and_a_digit_corrects(page: Page) -> None:
    page.press(Keys.ENTER, said="Ada Lovelace: PER. 2 suggestions are left.")
    page.press("2", said="Siemens Energy: ORG. 1 suggestion is left.")
    page.press(
        "x", said="New York City: no entity. No suggestion is left: n for nothing else here, s to skip the rest."
    )
    assert page.judged == [(0, 2, "PER"), (3, 5, "ORG"), (6, 9, None)]
    assert page.all("#text mark:not(.open)") == ["Ada Lovelace ✓ PER", "Siemens Energy ✓ ORG"]
    page.press(Keys.ARROW_UP, Keys.BACKSPACE)
    assert (3, 5, None) in page.judged
    assert all(0 <= each[-1] < 60 for each in page.project.asked if each[0] == "judge")


def test_tokens_are_selected_with_the_keyboard_and_get_a_type(page: Page) -> None:
    page.press(Keys.TAB, Keys.TAB)
    assert page.current == "New York City"
    page.press(Keys.ARROW_LEFT, Keys.ARROW_RIGHT)
    assert page.current == "York"
    page.select(Keys.ARROW_RIGHT, 1)
    assert page.current == "York City"
    page.press("3", said="York City: LOC. 2 suggestions are left.")
    assert page.judged == [(7, 9, "LOC")]
    page.press(Keys.END)
    page.select(Keys.ARROW_LEFT, 1)
    assert page.current == "City ."
    page.press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert page.current == "met"
    page.press(Keys.ENTER, said="There is no suggestion here: press the number of a type, or x for no entity.")
    page.press("9", said="There is no type 9.")
    assert len(page.judged) == 1


def test_tab_visits_the_suggestions_and_then_leaves_the_text(page: Page) -> None:
    visited = [page.current]
    for _ in range(2):
        page.press(Keys.TAB)
        visited.append(page.current)
    assert visited == ["Ada Lovelace", "Siemens Energy", "New York City"]
    page.press(Keys.TAB)
    assert page.run("return document.activeElement.textContent") == "1 PER"
    webdriver.ActionChains(page.browser).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    assert page.current == "New York City"


def test_tokens_are_selected_with_the_mouse(page: Page) -> None:
    cells = page.browser.find_elements("css selector", "#text .token")
    chain = webdriver.ActionChains(page.browser)
    chain.click_and_hold(cells[5]).move_to_element(cells[6]).move_to_element(cells[7]).release().perform()
    assert page.current == "in New York"
    page.find("#types button:nth-child(3)").click()
    page.settle()
    assert page.judged == [(5, 8, "LOC")]
    page.browser.find_elements("css selector", "#text .token")[4].click()
    assert page.current == "Siemens Energy"
    page.browser.find_elements("css selector", "#text .token")[4].click()
    assert page.current == "Energy"


def test_unjudged_tokens_look_different_from_judged_ones(page: Page) -> None:
    looks = (
        "const style = getComputedStyle(document.querySelectorAll('#text .token')[2]);"
        "return [style.color, style.textDecorationLine]"
    )
    before = page.run(looks)
    page.press(Keys.HOME, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, "x")
    after = page.run(looks)
    assert page.judged == [(2, 3, None)]
    assert (before[1], after[1]) == ("underline", "none")
    assert before[0] != after[0]


def test_nothing_else_and_skip_bring_the_next_text_and_at_the_end_there_is_none(page: Page) -> None:
    page.press(Keys.ENTER, "n", said="Nothing else is in the last text. This is the next one.")
    assert page.current == "Rome"
    page.press("s", said="The rest of the last text stays unknown. This is the next one.")
    assert (page.current, page.all("#text mark.open")) == ("Nothing", [])
    page.press("n")
    assert page.find("#done").is_displayed()
    assert page.run("return document.activeElement.id") == "done"
    page.press("1", Keys.ENTER, Keys.ARROW_LEFT, "n", "s")  # there is nothing to judge
    assert [each[:2] for each in page.project.asked if each[0] == "rest"] == [("rest", 0), ("rest", 2)]


def test_undo_takes_back_judgements_of_this_text_and_of_the_one_before(page: Page) -> None:
    page.press(Keys.ENTER, "2", "u", said="Taken back: Siemens Energy.")
    assert page.current == "Siemens Energy"
    assert page.judged == [(0, 2, "PER")]
    page.press("s", "u", said="Taken back; this is its text.")
    assert page.all("mark")[0] == "Ada Lovelace ✓ PER"
    page.press("u", said="Taken back: Ada Lovelace.")
    assert page.all("#text mark.open")[0] == "Ada Lovelace PER 0.99"  # it was no suggestion when the text came again
    page.press("u", "u", said="There is nothing to take back.")
    assert page.judged == []


def test_keys_that_are_pressed_at_one_text_judge_nothing_of_the_next(page: Page) -> None:
    page.press("n", Keys.ENTER, "n", "1")
    assert page.current == "Rome"
    assert {each[1] for each in page.project.asked if each[0] in ("judge", "rest")} == {0}


def test_fast_keys_are_done_in_their_order(page: Page) -> None:
    page.press(Keys.ENTER, "2", "x", Keys.HOME, "1")
    assert sorted(page.judged, key=str) == sorted([(0, 1, "PER"), (3, 5, "ORG"), (6, 9, None)], key=str)


def test_new_suggestions_come_with_the_next_text_and_change_nothing_of_this_one(page: Page) -> None:
    page.project.suggested = {0: [], 1: [Suggestion(0, 2, "ORG", 0.6)]}
    page.press(Keys.TAB)
    page.press("2", said="Siemens Energy: ORG. 2 suggestions are left.")
    assert page.all("#text mark.open") == ["Ada Lovelace PER 0.99", "New York City LOC 0.75"]
    page.press("n")
    assert page.all("#text mark.open") == ["Rome waits ORG 0.60"]


def test_progress_is_shown_and_follows_the_training(page: Page) -> None:
    assert page.all("#progress li") == [
        "0 judgements", "PER 0", "ORG 0", "LOC 0", "0 of 3 texts", "dev F1 not known yet", "pace not known yet",
        "next training in 20 judgements",
    ]  # fmt: skip
    page.press(Keys.ENTER)
    assert page.all("#progress li")[:2] == ["1 judgement", "PER 1"]
    assert page.all("#progress li")[5] == "dev F1 0.71 (0.66 to 0.77, 200 sentences)"
    page.project.training = "running"
    until(lambda: page.all("#progress li")[-1] == "training …", seconds=10)
    page.project.training, page.project.error = "idle", "no memory"
    until(lambda: page.all("#progress li")[-1] == "the last training failed: no memory", seconds=10)
    assert page.current == "Siemens Energy"


def test_a_score_without_an_interval_is_shown(page: Page) -> None:
    page.project.score = {"f1": 1.0, "low": None, "high": None, "sentences": 1}
    page.press(Keys.ENTER, said="Ada Lovelace: PER. 2 suggestions are left.")
    assert page.all("#progress li")[5] == "dev F1 1.00 (1 sentence)"


def test_text_is_never_read_as_html(browser: Any) -> None:
    project = FakeProject([HOSTILE], {0: [Suggestion(0, 3, "<b>T", 0.5)]}, ["<b>T"], why="<i>why")
    with running(create_app(project)) as port:
        page = Page(browser, project, port)
        page.press(Keys.ENTER)
        assert page.said().startswith("<img src=x onerror=")
        assert browser.title == "tagger annotate"
        assert page.run("return document.querySelectorAll('#text img, #text script, main b, main i').length") == 0
        shown = page.run("return [...document.querySelectorAll('#text .token')].map(e => e.textContent)")
        assert shown == HOSTILE.split()  # characters count as in Python
        page.press(Keys.END)
        assert page.current == "עולם"
        isolated = page.run("return [...document.querySelectorAll('.isolated')].map(e => e.textContent)")
        assert isolated == ["\u202e😀"]  # turns no other token round


def test_a_text_from_right_to_left_is_walked_in_the_order_of_reading(browser: Any) -> None:
    project = FakeProject(["שלום עולם טוב"])
    with running(create_app(project)) as port:
        page = Page(browser, project, port)
        page.press(Keys.ARROW_LEFT)
        assert page.current == "עולם"
        places = page.run("return [...document.querySelectorAll('#text .token')].map(e => e.getBoundingClientRect().x)")
        assert places == sorted(places, reverse=True)


def test_a_sentence_of_five_thousand_tokens_is_judged_without_delay(browser: Any) -> None:
    project = FakeProject(["Ada lives in Oslo . " * 1000], {0: [Suggestion(4990, 4991, "PER", 0.8)]})
    with running(create_app(project)) as port:
        page = Page(browser, project, port)
        assert len(browser.find_elements("css selector", "#text .token")) == 5000
        box = page.run("const b = document.querySelector('.now').getBoundingClientRect(); return [b.top, b.bottom]")
        tools = page.run("return document.getElementById('tools').getBoundingClientRect().top")
        assert 0 <= box[0] < box[1] <= tools  # the current suggestion is on the screen and not behind the buttons
        drawn = page.run("const begun = performance.now(); draw(); return performance.now() - begun")
        assert drawn < 1000  # milliseconds; with a search for the direction at each token it was several times that
        page.press(Keys.ENTER)
        assert page.judged == [(4990, 4991, "PER")]


def test_a_server_that_stops_loses_nothing_and_the_page_goes_on_when_it_is_back(browser: Any) -> None:
    project = make_project()
    with running(create_app(project)) as port:
        page = Page(browser, project, port)
        page.press(Keys.ENTER)
    page.press("2", "x")
    assert page.said().startswith("The server does not answer: ")
    assert page.find("#status").get_attribute("class") == "error"
    assert page.current == "Siemens Energy"
    assert page.all("mark")[:2] == ["Ada Lovelace ✓ PER", "Siemens Energy PER 0.51"]
    with running(create_app(project), port):
        page.press("2", said="Siemens Energy: ORG. 1 suggestion is left.")
        assert page.judged == [(0, 2, "PER"), (3, 5, "ORG")]
    page.press("n")
    assert page.said().startswith("The server does not answer: ")
    with running(create_app(FakeProject(["Another text ."])), port):  # its text 0 is not the one that is shown
        until(lambda: page.said() == "The server answers again.", page.said, seconds=10)
        assert page.current == "Another"
    browser.get_log("browser")


def test_an_error_of_the_server_is_shown_and_what_is_judged_stays(page: Page) -> None:
    page.press(Keys.ENTER)
    page.project.types.remove("LOC")  # the page still has it
    page.press(Keys.TAB, "3", said="item 0: type must be one of ['PER', 'ORG'], got 'LOC'")
    assert page.judged == [(0, 2, "PER")]
    assert page.all("mark.now") == ["New York City LOC 0.75"]
    assert all("422" in entry["message"] for entry in page.browser.get_log("browser"))


def test_nothing_is_wider_than_a_phone(browser: Any) -> None:
    project = FakeProject(
        ["Donaudampfschifffahrtsgesellschaft" * 9], {0: [Suggestion(0, 1, "T" * 80, 0.5)]}, ["T" * 80]
    )
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        for each in (project, make_project()):
            with running(create_app(each)) as port:
                page = Page(browser, each, port)
                assert page.run("return document.documentElement.scrollWidth <= 360")
                small = "return [...document.querySelectorAll('#tools button')].filter(e => e.offsetHeight < 40).length"
                assert page.run(small) == 0  # a finger finds them
                page.press("?")
                assert page.run("return document.documentElement.scrollWidth <= 360")
                assert page.run("const d = document.getElementById('help'); return d.scrollWidth <= d.clientWidth")
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}


def accessible(browser: Any) -> list[dict[str, Any]]:
    """The role and the name of each thing that a screen reader finds on the page."""
    nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [
        {"role": each["role"]["value"], "name": each.get("name", {}).get("value", "")}
        for each in nodes
        if not each["ignored"]
    ]


def test_a_screen_reader_finds_roles_and_names(page: Page) -> None:
    found = accessible(page.browser)
    names = {(each["role"], each["name"]) for each in found}
    assert all(each["name"] for each in found if each["role"] in ("button", "option", "listbox", "dialog", "group"))
    assert {
        ("listbox", "Tokens of the text"), ("option", "Ada Lovelace: suggested PER, 99 percent"), ("option", "met"),
        ("group", "suggested LOC"), ("list", "Progress"), ("button", "Accept"), ("button", "PER"),
    } <= names  # fmt: skip
    assert page.run("return document.activeElement.getAttribute('aria-label')").startswith("Ada Lovelace: suggested")
    assert page.find("#status").get_attribute("role") == "status"
    page.press(Keys.ENTER, Keys.ARROW_UP)
    assert page.run("return document.activeElement.getAttribute('aria-label')") == "Ada Lovelace: judged PER"


def test_help_opens_and_closes_with_the_keyboard_and_judges_nothing_meanwhile(page: Page) -> None:
    page.press("?")
    assert page.run("return document.activeElement.id") == "close"
    assert ("dialog", "Keys") in {(each["role"], each["name"]) for each in accessible(page.browser)}
    page.press("1", "x", "n", Keys.ARROW_RIGHT)
    page.press(Keys.ESCAPE)
    assert page.judged == []
    page.press(Keys.ENTER)
    assert page.judged == [(0, 2, "PER")]


def test_buttons_work_with_the_keyboard_alone_and_give_the_focus_back(page: Page) -> None:
    while page.run("return document.activeElement.id") != "reject":
        page.press(Keys.TAB)
    page.press(Keys.ENTER)
    assert [kind for *_, kind in page.judged] == [None]
    assert page.run("return document.activeElement.getAttribute('role')") == "option"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_paper(page: Page, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    page.press(Keys.ENTER)
    found = page.run(CONTRASTS)
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(found) > 20
    assert {text: ratio for text, ratio in found if ratio < 4.5} == {}


CONTRASTS = """
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
function painted(colours) {
  for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
  const light = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
}
const rows = [];
const SEEN = "h1, li, #text span, #text small, #status, button, button kbd, .quiet";
for (const element of document.querySelectorAll(SEEN)) {
  if (!element.offsetParent || !element.textContent.trim() || element.closest("dialog")) continue;
  const papers = [];
  for (let e = element; e; e = e.parentElement) papers.unshift(getComputedStyle(e).backgroundColor);
  const paper = painted(["#fff", ...papers]), ink = painted(["#fff", ...papers, getComputedStyle(element).color]);
  const [high, low] = [Math.max(paper, ink), Math.min(paper, ink)];
  rows.push([element.textContent, (high + 0.05) / (low + 0.05)]);
}
return rows;
"""


def test_what_is_judged_on_the_page_is_in_the_file_of_the_project(browser: Any, tmp_path: Path) -> None:
    documents = [Document(text, (Sentence.from_tokens(text.split()),)) for text in (ADA, "Rome waits .")]
    project: Any = Project.create(tmp_path / "a.sqlite", documents, types=["PER", "LOC"], teach=False)
    with running(create_app(project)) as port:
        page = Page(browser, project, port)
        page.press(Keys.HOME, "2", "n")
        page.press(Keys.END, "x", "u", said="Taken back: ..")
        page.press("s")
        assert page.find("#done").is_displayed()
        assert page.all("#progress li")[:3] == ["2 judgements", "PER 0", "LOC 1"]
    project.close()
    project = Project(tmp_path / "a.sqlite", teach=False)
    judged = {item.text: item.judged for item in (project.item(1), project.item(2))}
    project.close()
    (whole,) = [held for held in judged.values() if held]
    assert (whole[0].start, whole[0].end, whole[0].type) == (0, 1, "LOC")
    assert {each.type for each in whole[1:]} == {None}
