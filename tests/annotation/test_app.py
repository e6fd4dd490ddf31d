"""The paths of the page: what they answer, what they refuse, and who may ask."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from fake_project import FakeProject
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from tagger.annotation.app import FILES, create_app
from tagger.annotation.items import Suggestion

HOME = "http://127.0.0.1:8000"
POSTS = ["/api/judge", "/api/rest", "/api/skip", "/api/undo"]


def make_project() -> FakeProject:
    return FakeProject(["Ada lives in Oslo .", "Rome waits ."], {0: [Suggestion(0, 1, "PER", 0.9)]})


def ask(
    asked: Any, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, method: str | None = None
) -> httpx.Response:
    """What a client gets from a project or an application; with a body, it posts."""
    app = asked if isinstance(asked, FastAPI) else create_app(asked)
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()

    async def main() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
            found = method or ("GET" if content is None else "POST")
            return await client.request(found, path, content=content, headers=headers)

    return asyncio.run(main())


def judgement(**changes: Any) -> dict[str, Any]:
    return {"item": 0, "start": 0, "end": 1, "type": "PER", **changes}


def test_a_text_comes_with_its_tokens_suggestions_and_reason() -> None:
    assert ask(make_project(), "/api/next").json() == {
        "item": {
            "id": 0,
            "text": "Ada lives in Oslo .",
            "tokens": [[0, 3], [4, 9], [10, 12], [13, 17], [18, 19]],
            "suggestions": [{"start": 0, "end": 1, "type": "PER", "probability": 0.9}],
            "judged": [],
            "why": "its spans are unsure",
        }
    }


def test_what_is_judged_reaches_the_project_with_its_seconds() -> None:
    project = make_project()
    assert ask(project, "/api/judge", judgement(seconds=1.5)).json()["item"]["judged"][0]["type"] == "PER"
    assert ask(project, "/api/judge", judgement(start=1, end=3, type=None)).json()["item"]["judged"][1]["type"] is None
    ask(project, "/api/rest", {"item": 0, "seconds": 2})
    assert project.asked == [
        ("judge", 0, 0, 1, "PER", 1.5),
        ("judge", 0, 1, 3, None, 0.0),
        ("rest", 0, 2.0),
    ]
    assert ask(project, "/api/next?after=0").json()["item"]["id"] == 1
    assert ask(project, "/api/skip", {"item": 1}).json() == ask(project, "/api/next").json() == {"item": None}
    assert ask(project, "/api/undo", {}).json()["item"]["id"] == 1
    assert ask(make_project(), "/api/undo", {}).json() == {"item": None}


def test_progress_has_all_types_in_their_order() -> None:
    project = make_project()
    project.judge(0, 3, 4, "LOC")
    found = ask(project, "/api/progress").json()
    assert found["types"] == [{"type": name, "spans": number} for name, number in (("PER", 0), ("ORG", 0), ("LOC", 1))]
    assert (found["judgements"], found["texts"], found["training"]) == (1, 2, "idle")


def test_the_export_is_a_file_to_download() -> None:
    found = ask(make_project(), "/api/export?format=jsonl")
    assert found.headers["content-disposition"] == 'attachment; filename="judged.jsonl"'
    assert [json.loads(line)["id"] for line in found.text.splitlines()] == [0, 1]
    refused = ask(make_project(), "/api/export?format=docx")
    assert (refused.status_code, refused.json()) == (422, {"error": "`format` must be jsonl, got 'docx'"})


@pytest.mark.parametrize(
    ("path", "body", "status", "sentence"),
    [
        ("/api/judge", b"", 422, "must be JSON in UTF-8: "),
        ("/api/judge", b"[" * 9_000, 422, "must be JSON in UTF-8: "),
        ("/api/judge", b"\xff\xfe", 422, "must be JSON in UTF-8: "),
        ("/api/judge", b'{"type": "\\ud800"}', 422, "must be JSON in UTF-8: "),
        ("/api/judge", [], 422, "must be "),
        ("/api/judge", {"item": 0, "start": 0, "end": 1}, 422, "`type` is missing; see /openapi.json"),
        ("/api/judge", judgement(extra=1), 422, "unknown key `extra`"),
        ("/api/judge", judgement(item="0"), 422, "`item` must be a whole number, got '0'"),
        ("/api/judge", judgement(start=-1), 422, "`start` must be greater than or equal to 0, got -1"),
        ("/api/judge", judgement(end=10**40), 422, "`end` must be "),
        ("/api/judge", judgement(start=True), 422, "`start` must be a whole number"),
        ("/api/judge", b'{"item": 0, "start": 0, "end": 1, "type": "PER", "seconds": NaN}', 422, ""),
        ("/api/judge", judgement(seconds=-1), 422, "`seconds` must be greater than or equal to 0, got -1"),
        ("/api/judge", judgement(end=6), 422, "item 0: tokens must be within 0 and 5, got 0 to 6"),
        ("/api/judge", judgement(type="GPE"), 422, "item 0: type must be one of "),
        ("/api/judge", judgement(item=7), 422, "item 7: there is no such text"),
        ("/api/judge", b" " * 10_001, 413, "the body must have at most 10,000 bytes, got more"),
        ("/api/rest", {"item": 7}, 422, "item 7: there is no such text"),
        ("/api/skip", {"item": None}, 422, "`item` must be a whole number, got None"),
        ("/api/item/7", None, 404, "item 7: there is no such text"),
        ("/api/item/x", None, 422, "`id` must be a whole number"),
        ("/api/next?after=" + "9" * 5000, None, 422, "`after` must be "),
        ("/api/export?format=../../x", None, 422, "`format` must "),
        ("/api/export?format=%ff%00", None, 422, "`format` must "),
        ("/api/none", None, 404, "there is no such path"),
        ("/api/judge", None, 405, "the path has another method"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_changes_nothing(path: str, body: Any, status: int, sentence: str) -> None:
    project = make_project()
    refused = ask(project, path, body)
    assert (refused.status_code, list(refused.json())) == (status, ["error"])
    assert refused.json()["error"].startswith(sentence)
    assert "\n" not in refused.json()["error"]
    assert not any(project.judged.values())


ANY_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
FIELDS = st.sampled_from(["item", "start", "end", "type", "seconds"])


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(make_project())


@given(path=st.sampled_from(POSTS), body=st.binary() | st.dictionaries(FIELDS, ANY_JSON))
def test_no_body_makes_the_server_fail(app: FastAPI, path: str, body: Any) -> None:
    assert ask(app, path, body).status_code in (200, 422)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost.evil.example:8000"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "192.168.1.5:8000"},
        {"host": ""},
        {"host": "localhost:8000@evil.example"},
        {"host": "127.0.0.1:8000", "origin": "http://evil.example"},
        {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:9000"},
        {"host": "127.0.0.1:8000", "origin": "http://localhost:8000"},
        {"host": "127.0.0.1:8000", "origin": "null"},
    ],
)
def test_other_sites_can_neither_read_nor_judge(headers: dict[str, str]) -> None:
    project = make_project()
    project.judge(0, 3, 4, "LOC")
    app = create_app(project)
    for path in ["/", "/api/next", "/api/export", *POSTS]:
        refused = ask(app, path, judgement() if path in POSTS else None, headers=headers)
        assert refused.status_code == 403, path
        assert refused.json()["error"].startswith(("`Host` must be ", "`Origin` must be "))
    assert [each.type for each in project.judged[0]] == ["LOC"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_the_page_itself_may_ask_under_each_name_of_this_computer(host: str) -> None:
    headers = {"host": host, "origin": f"http://{host.lower()}"}
    assert ask(make_project(), "/api/judge", judgement(), headers=headers).status_code == 200


def test_each_answer_has_the_headers_and_no_file_loads_anything_from_elsewhere() -> None:
    app = create_app(make_project())
    for path in [*FILES, "/api/next", "/api/item/7", "/none"]:
        assert "default-src 'none'" in ask(app, path).headers["content-security-policy"]
    refused = ask(app, "/", headers={"host": "evil.example"})
    assert refused.headers["x-content-type-options"] == "nosniff"
    for path in FILES:
        content = ask(app, path).text
        for wrong in ("http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "style=", "onclick="):
            assert wrong not in content, (path, wrong)


def test_a_fault_of_the_project_is_one_sentence() -> None:
    class Broken(FakeProject):
        def next(self, after: int | None = None) -> None:
            raise RuntimeError("secret")

    failed = ask(Broken(["a"]), "/api/next")
    assert (failed.status_code, failed.json()) == (500, {"error": "the service failed; its log has the reason"})
