"""The service: what it answers, what it refuses, and that requests share batches without losing or swapping results."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

import tagger
from tagger import Tagger
from tagger.serving import app as app_module
from tagger.serving import writing
from tagger.serving.app import create_app
from tagger.serving.limits import Limits

SMALL = Limits(body=2000, text=100, items=5, waiting=8, seconds=30.0)
TEXTS = ["Ada lives in Oslo.", "Barack Obama visited Paris. He liked it.", ""]


@pytest.fixture(scope="module")
def model() -> Tagger:
    return tagger.load("english", backend="numpy")


def answers(app: FastAPI, ask: Callable[[httpx.AsyncClient], Any]) -> Any:
    """What a client gets that asks the service without a network between them."""

    async def main() -> Any:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await ask(client)

    return asyncio.run(main())


def post(app: FastAPI, body: Any, path: str = "/tag", **settings: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found: httpx.Response = answers(app, lambda client: client.post(path, content=content, **settings))
    return found


def get(app: FastAPI, path: str, **settings: Any) -> httpx.Response:
    found: httpx.Response = answers(app, lambda client: client.get(path, **settings))
    return found


@pytest.fixture(scope="module")
def app(model: Tagger) -> FastAPI:
    return create_app({"english": model, "again": model})


@pytest.fixture(scope="module")
def small(model: Tagger) -> FastAPI:
    return create_app({"english": model}, limits=SMALL)


def expected(model: Tagger, text: str) -> dict[str, Any]:
    return json.loads(json.dumps(model.tag_document(text).to_dict()))


def alike(found: Any, wanted: Any) -> None:
    """Probabilities differ by rounding with the sentences of a batch."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key, value in wanted.items():
            alike(found[key], value)
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            alike(one, other)
    else:
        assert found == (pytest.approx(wanted, abs=1e-4) if isinstance(wanted, float) else wanted)


def test_texts_are_tagged_as_the_library_does_and_keep_their_order_and_ids(app: FastAPI, model: Tagger) -> None:
    found = post(app, {"texts": [*TEXTS, {"id": 7, "text": TEXTS[0]}, {"id": "a", "tokens": ["Ada", "sleeps"]}]})
    assert found.status_code == 200
    row = found.json()
    assert row["model"] == "english"
    for result, text in zip(row["results"], [*TEXTS, TEXTS[0]], strict=False):
        alike({key: value for key, value in result.items() if key != "id"}, expected(model, text))
    assert [result.get("id") for result in row["results"]] == [None, None, None, 7, "a"]
    assert row["results"][4]["tokens"] == ["Ada", "sleeps"]


def test_one_text_and_one_list_of_words_need_no_list(app: FastAPI, model: Tagger) -> None:
    alike(post(app, {"text": TEXTS[0]}).json()["results"][0], expected(model, TEXTS[0]))
    assert post(app, {"text": ["Ada", "sleeps"]}).json()["results"][0]["tokens"] == ["Ada", "sleeps"]


def test_readings_attention_and_unsure_entities_are_as_asked_for(app: FastAPI) -> None:
    row = post(app, {"text": TEXTS[1], "n_best": 2, "min_score": 1.0, "attention": True}).json()["results"][0]
    assert len(row["readings"]["ner"]) == 4
    assert row["spans"]["ner"] == []
    assert row["attention"]["sentiment"] == pytest.approx(row["attention"]["sentiment"])
    assert sum(row["attention"]["sentiment"]) == pytest.approx(1, abs=1e-3)
    assert set(row["classes"]["sentiment"]) == {"negative", "neutral", "positive"}


def test_a_model_is_chosen_by_its_name(app: FastAPI) -> None:
    assert post(app, {"text": "a", "model": "again"}).json()["model"] == "again"
    refused = post(app, {"text": "a", "model": "other"})
    assert refused.status_code == 404
    assert refused.json() == {"error": "`model` must be one of `english`, `again`, got 'other'; see /info"}


def test_a_stream_answers_each_line_in_its_place(app: FastAPI, model: Tagger) -> None:
    lines = [
        '"Ada lives in Oslo."',
        '{"id": 3, "text": "She left.", "x": [1]}',
        "",
        '{"txt": 1}',
        '["a", " "]',
        '["b"]',
    ]
    found = post(app, "\n".join(lines).encode(), "/tag/stream")
    assert found.headers["content-type"] == "application/x-ndjson"
    first, second, third, fourth, fifth = map(json.loads, found.text.splitlines())
    alike(first, expected(model, TEXTS[0]))
    assert (second["id"], second["x"], second["tokens"]) == (3, [1], ["She", "left", "."])
    assert third["error"].startswith("line 4: ")
    assert fourth["error"] == "line 5: token 1 must have a character that is not white space, got ' '"
    assert fifth["tokens"] == ["b"]


def test_a_long_stream_keeps_its_order(app: FastAPI) -> None:
    async def ask(client: httpx.AsyncClient) -> list[str]:
        async def body() -> AsyncIterator[bytes]:
            for i in range(300):
                yield f'"text {i}"\n'.encode()

        answer = await client.post("/tag/stream", content=body())
        return [json.loads(line)["text"] for line in answer.text.splitlines()]

    assert answers(app, ask) == [f"text {i}" for i in range(300)]


@pytest.mark.parametrize("line", ['"a","item":"b"', '"a"} {', "5", "null", "[1]", '{"text": "a", "tokens": ["a"]}'])
def test_a_line_that_is_no_text_is_an_error_in_its_place(app: FastAPI, line: str) -> None:
    wrong, right = map(json.loads, post(app, f'{line}\n"b"'.encode(), "/tag/stream").text.splitlines())
    assert wrong["error"].startswith("line 1: ")
    assert right["text"] == "b"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[", "must be JSON in UTF-8: "),
        (b"\xff", "must be JSON in UTF-8: "),
        (b'{"text": "\\ud800"}', "must be JSON in UTF-8: "),
        (b"[" * 100_000, "must be JSON in UTF-8: "),
        ({}, "must have one of `text`, `texts` and `frames`, got 'dict'"),
        ({"text": "a", "texts": ["a"]}, "must have one of `text`, `texts` and `frames`"),
        ({"tex": "a"}, "unknown key `tex`; see /openapi.json for the known keys"),
        ({"text": 5}, "`text` must be a text, a list of words, or an object with `text`, `tokens` or `frames`, got 5"),
        (
            {"texts": ["a", None]},
            "`texts.1` must be a text, a list of words, or an object with `text`, `tokens` or `frames`, got",
        ),
        ({"texts": [{"id": 1}]}, "`texts.0` must have one of `text`, `tokens` and `frames`, got 'dict'"),
        ({"texts": "a"}, "`texts` must be a list, got 'a'"),
        ({"text": ["a", " "]}, "token 1 must have a character that is not white space, got ' '"),
        ({"text": "a", "n_best": -1}, "`n_best` must be greater than or equal to 0, got -1"),
        ({"text": "a", "n_best": 10**30}, "`n_best` must be "),
        ({"text": "a", "min_score": "0.5"}, "`min_score` must be a number, got '0.5'"),
    ],
)
def test_a_wrong_request_is_refused_in_one_sentence(app: FastAPI, body: Any, sentence: str) -> None:
    refused = post(app, body)
    assert refused.status_code == 422
    assert refused.json()["error"].startswith(sentence)


@pytest.mark.parametrize(
    ("body", "path", "sentence"),
    [
        ({"text": "x" * 101}, "/tag", "text 0 must have at most 100 characters, got 101; divide it into several texts"),
        ({"text": ["x" * 60, "y" * 60]}, "/tag", "text 0 must have at most 100 characters, got 120"),
        ({"texts": ["x"] * 6}, "/tag", "a request must have at most 5 texts, got 6"),
        (b" " * 2001, "/tag", "the body must have at most 2,000 bytes, got more"),
        (b"x" * 2001, "/tag/stream", "the body must have at most 2,000 bytes, got more"),
    ],
)
def test_too_much_is_refused(small: FastAPI, body: Any, path: str, sentence: str) -> None:
    refused = post(small, body, path)
    assert refused.status_code == 413
    assert refused.json()["error"].startswith(sentence)


@pytest.mark.parametrize("cuts", [(0,), (0, 7, 2008), (0, 6)])
def test_a_line_that_is_too_long_ends_a_stream_with_an_error(small: FastAPI, cuts: Sequence[int]) -> None:
    body = b'"Ada"\n"' + b"x" * 2001 + b'"\n"Oslo"\n'

    async def parts() -> AsyncIterator[bytes]:
        for start, end in zip(cuts, (*cuts[1:], len(body)), strict=True):
            yield body[start:end]

    found = answers(small, lambda client: client.post("/tag/stream", content=parts()))
    first, last = map(json.loads, found.text.splitlines())
    assert (found.status_code, first["text"]) == (200, "Ada")
    assert last["error"].startswith("the body must have at most 2,000 bytes, got more")


@pytest.mark.parametrize("end", [b"", b"\n", b'\n"Bob"\n'])
def test_a_line_that_is_too_long_is_refused_however_it_arrives(small: FastAPI, end: bytes) -> None:
    refused = post(small, b'"' + b"a" * 2000 + b'"' + end, "/tag/stream")
    assert refused.status_code == 413


def test_a_body_without_a_length_is_read_up_to_the_limit_only(small: FastAPI) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10**7:
            sent += 1000
            yield b" " * 1000

    refused = answers(small, lambda client: client.post("/tag", content=endless()))
    assert refused.status_code == 413
    assert sent < 10**5


@pytest.mark.parametrize("step", ["document_of", "bytes_of"])
@pytest.mark.parametrize(("path", "body"), [("/tag", b'{"text": "Ada"}'), ("/tag/stream", b'"Ada"')])
def test_no_request_waits_while_the_text_of_another_is_split_or_its_result_written(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, step: str, path: str, body: bytes
) -> None:
    real, begun, go = getattr(app_module, step), threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        begun.set()
        assert go.wait(5)
        return real(*arguments)

    monkeypatch.setattr(app_module, step, slow)
    monkeypatch.setattr(writing, "LARGE", 0)

    async def ask(client: httpx.AsyncClient) -> httpx.Response:
        asked = asyncio.create_task(client.post(path, content=body))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        assert (await client.get("/health")).json() == {"status": "ok"}
        go.set()
        return await asked

    found = answers(app, ask)
    assert found.status_code == 200
    assert '"tokens": ["Ada"]' in found.text


def test_a_line_whose_words_are_wrong_keeps_its_error_when_the_others_are_refused(model: Tagger) -> None:
    slow: Any = Slow(model)
    app = create_app({"english": slow}, limits=Limits(seconds=0.2))
    found = post(app, b'"a"\n[" "]\n{', "/tag/stream")
    slow.go.set()
    errors = [json.loads(line)["error"] for line in found.text.splitlines()]
    assert [error[:8] for error in errors] == ["no resul", "line 2: ", "line 3: "]


class Slow:
    """A model that waits until a test lets it go on."""

    def __init__(self, model: Tagger) -> None:
        self.model, self.layers, self.backend = model.model, model.layers, model.backend
        self.tagger, self.go, self.calls = model, threading.Event(), 0

    def predict_documents(self, documents: Any, *, n_best: int = 0) -> Iterator[Any]:
        self.calls += 1
        self.go.wait(30)
        return self.tagger.predict_documents(documents, n_best=n_best)


def test_requests_that_wait_share_a_batch_and_too_many_are_refused(model: Tagger) -> None:
    slow: Any = Slow(model)
    app = create_app({"english": slow}, limits=SMALL)

    async def ask(client: httpx.AsyncClient) -> list[httpx.Response]:
        asked = [asyncio.create_task(client.post("/tag", json={"texts": [f"text {i}"]})) for i in range(8)]
        while len([task for task in asked if task.done()]) == 0 and slow.calls == 0:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        late = await client.post("/tag", json={"text": "late"})
        slow.go.set()
        return [late, *await asyncio.gather(*asked)]

    late, *others = answers(app, ask)
    assert (late.status_code, late.headers["retry-after"]) == (429, "1")
    assert late.json()["error"] == "at most 8 texts may wait at once, and 8 texts wait; send it again later"
    assert [other.json()["results"][0]["text"] for other in others] == [f"text {i}" for i in range(8)]
    assert slow.calls <= 3


def test_a_request_that_takes_too_long_is_refused(model: Tagger) -> None:
    slow: Any = Slow(model)
    app = create_app({"english": slow}, limits=Limits(seconds=0.05))
    refused = post(app, {"text": "a"})
    slow.go.set()
    assert refused.status_code == 503
    assert refused.json()["error"] == "no result within 0.05 s; send it again later, or send less at once"


def test_a_request_that_fails_does_not_take_the_others_with_it(model: Tagger) -> None:
    class Fails(Slow):
        def predict_documents(self, documents: Any, *, n_best: int = 0) -> Iterator[Any]:
            documents = list(documents)
            if self.calls == 0:
                self.go.wait(30)
            self.calls += 1
            if any(document.text == "bad" for document in documents):
                raise RuntimeError("a fault")
            return self.tagger.predict_documents(documents, n_best=n_best)

    fails: Any = Fails(model)
    app = create_app({"english": fails})

    async def ask(client: httpx.AsyncClient) -> list[httpx.Response]:
        asked = [asyncio.create_task(client.post("/tag", json={"text": text})) for text in ("a", "bad", "b")]
        await asyncio.sleep(0.2)
        fails.go.set()
        return list(await asyncio.gather(*asked))

    found = answers(app, ask)
    assert [answer.status_code for answer in found] == [200, 500, 200]
    assert found[1].json() == {"error": "the service failed; its log has the reason"}


def test_a_key_is_asked_for_where_texts_or_figures_are(model: Tagger) -> None:
    app = create_app({"english": model}, key="secret")
    for path in ("/info", "/metrics", "/openapi.json"):
        assert get(app, path).status_code == 401
        assert get(app, path, headers={"X-API-Key": "secret"}).status_code == 200
    assert post(app, {"text": "a"}).json()["error"].startswith("a key is needed: ")
    assert "content-security-policy" in post(app, {"text": "a"}).headers
    assert post(app, {"text": "a"}, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert post(app, {"text": "a"}, headers={"Authorization": "Bearer secret"}).status_code == 200
    for path in ("/", "/health", "/ready"):
        assert get(app, path).status_code == 200


def test_a_wrong_parameter_is_refused_in_one_sentence(app: FastAPI) -> None:
    refused = post(app, b'"a"', "/tag/stream?n_best=x")
    assert (refused.status_code, list(refused.json())) == (422, ["error"])
    assert refused.json()["error"].startswith("`n_best` must be a whole number, ")


def test_other_paths_and_methods_are_refused_in_one_sentence(app: FastAPI) -> None:
    assert (get(app, "/tags").status_code, get(app, "/tag").status_code) == (404, 405)
    assert get(app, "/tags").json() == {"error": "there is no such path; see /openapi.json"}


def test_figures_and_models_are_described(app: FastAPI) -> None:
    post(app, {"texts": TEXTS})
    figures = get(app, "/metrics").text
    assert 'tagger_requests_total{path="/tag",status="200"}' in figures
    assert "tagger_tokens_total" in figures
    info = get(app, "/info").json()
    assert [each["name"] for each in info["models"]] == ["english", "again"]
    assert info["models"][0]["layers"]["sentiment"] == {"kind": "labels", "labels": ["negative", "neutral", "positive"]}


def test_the_log_has_no_texts_unless_it_is_asked_for(model: Tagger, caplog: pytest.LogCaptureFixture) -> None:
    for log_texts in (False, True):
        caplog.clear()
        with caplog.at_level("INFO", "tagger.serving"):
            post(create_app({"english": model}, log_texts=log_texts), {"text": TEXTS[0]})
        row = json.loads(caplog.messages[-1])
        assert (row["path"], row["status"], row["texts"], row["tokens"]) == ("/tag", 200, 1, 5)
        assert row.get("content") == ([TEXTS[0]] if log_texts else None)


def test_the_page_loads_nothing_from_elsewhere_and_runs_no_script_of_a_text(app: FastAPI) -> None:
    for path in ("/", "/tags", "/health"):
        assert "default-src 'none'" in get(app, path).headers["content-security-policy"]
    for path in ("/", "/page.js", "/parts.js", "/page.css"):
        content = get(app, path).text
        assert "http://" not in content
        assert "https://" not in content
        assert "innerHTML" not in content
