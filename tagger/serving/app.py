"""The service as an ASGI application: its paths, errors, metrics and log.

POST /tag          texts or lists of words, one or many
POST /tag/stream   the same as lines of JSON, in and out
GET  /             a page to try the models
GET  /health, /ready, /info, /metrics, /openapi.json
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from itertools import islice, takewhile
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tagger.errors import DataError
from tagger.serving.answers import add_errors
from tagger.serving.batching import Batcher
from tagger.serving.gate import Gate, Metrics
from tagger.serving.limits import Limits, Refusal, too_large
from tagger.serving.pages import FILES, Secured, add_page
from tagger.serving.requests import (
    MOST_READINGS,
    Given,
    TagRequest,
    body_of,
    document_of,
    parse_line,
    parse_request,
    read_body,
)
from tagger.serving.writing import bytes_of, to_json, written
from tagger.tagging import Tagger
from tagger.text.document import Document
from tagger.wording import quoted, shorten

VERSION = version("tagger-bilstm")
LINES = 64  # of a stream that are tagged together at most
NDJSON = "application/x-ndjson"
REFUSALS = {  # what the description of the service says of each status
    401: "The key is missing or wrong.",
    404: "There is no such model.",
    413: "The body, a text or the number of texts is too large.",
    422: "The body is not such a request.",
    429: "Too many texts wait.",
    503: "There was no result in time, or the service is stopping.",
}


class Served(NamedTuple):
    """A model with its name, and what tags with it."""

    name: str
    tagger: Tagger
    batcher: Batcher


def create_app(
    models: Mapping[str, Tagger], *, limits: Limits | None = None, key: str | None = None, log_texts: bool = False
) -> FastAPI:
    """Return the service of these models, by name; the first one is the default.

    Args:
        models: The models.
        limits: What a request may have.
        key: What clients must send as `Authorization: Bearer KEY` or `X-API-Key: KEY`. None: no key is asked for.
        log_texts: Whether the log has the texts.
    """
    limits, metrics = limits or Limits(), Metrics()
    served = {name: Served(name, tagger, Batcher(tagger, limits)) for name, tagger in models.items()}
    state = {"ready": True}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        state["ready"] = False
        for each in served.values():
            await asyncio.to_thread(each.batcher.close)

    app = FastAPI(
        title="tagger", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None, summary="Tags texts."
    )
    app.add_middleware(Gate, key=key, metrics=metrics, served=served)
    app.add_middleware(Secured)
    add_errors(app)
    add_page(app, FILES)

    def chosen(name: str | None) -> Served:
        if name is None:
            return next(iter(served.values()))
        if name not in served:
            raise Refusal(404, f"`model` must be one of {quoted(served)}, got {shorten(name)}; see /info")
        return served[name]

    @app.post("/tag", openapi_extra=body_of(TagRequest), responses=_answers())
    async def tag(request: Request) -> Response:
        """Tag one or many texts; the results are in their order, each as `tagger tag` writes it."""
        asked = parse_request(await read_body(request, limits.body), limits)
        model = chosen(asked.model)
        make = [partial(document_of, item, model.tagger.model.text_rules) for item in asked.items]
        documents = await model.batcher.tag(make, n_best=asked.n_best)
        _count(request, model, documents, log_texts)
        answer = partial(_answer_of, model.name, documents, asked)
        return Response(await written(documents, answer), media_type="application/json")

    @app.post("/tag/stream", openapi_extra=_takes_lines(), responses=_answers(NDJSON))
    async def tag_stream(request: Request, model: str | None = None, n_best: int = 0) -> Response:
        """Tag lines of JSON while they arrive: a line has a text, a list of words, or an object with `text` or
        `tokens`, whose other keys are kept. Each line has its result, or an `error`, in the same order."""
        if not 0 <= n_best <= MOST_READINGS:
            raise Refusal(422, f"`n_best` must be a number from 0 to {MOST_READINGS}, got {n_best}")
        found = chosen(model)

        async def lines() -> AsyncIterator[bytes]:
            async for group in _groups(request, limits.body):
                results = await _tagged_lines(found, group, limits, n_best)
                documents = [each for each in results if isinstance(each, Document)]
                _count(request, found, documents, log_texts)
                yield await written(documents, partial(_lines_of, results))

        return _Lines(lines())

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Return that the process works."""
        return {"status": "ok"}

    @app.get("/ready", responses={503: {"description": REFUSALS[503]}})
    async def ready() -> JSONResponse:
        """Return whether the service takes requests."""
        is_ready = state["ready"]
        return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)

    @app.get("/info")
    async def info() -> dict[str, Any]:
        """Return the models with their layers and labels, and the limits."""
        return {
            "version": VERSION,
            "models": [_described(each.name, each.tagger) for each in served.values()],
            "limits": {name: getattr(limits, name) for name in limits.__slots__},
        }

    @app.get("/metrics")
    async def prometheus() -> Response:
        """Return the figures of this process in the text format of Prometheus."""
        return Response(metrics.text(), media_type=metrics.media_type)

    return app


class _Lines(Response):
    """An answer that is written while the request is still read.

    `StreamingResponse` asks for the messages of the client too, to learn whether it has gone, and takes parts of the
    body that way.
    """

    media_type = NDJSON

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self.lines, self.status_code, self.background = lines, 200, None
        self.raw_headers = [(b"content-type", NDJSON.encode())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines as they come; nothing is sent before the first group is tagged, so that it may be refused."""
        first = await anext(self.lines, b"")
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        try:
            async for part in self.lines:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            last = b""
        except Refusal as error:  # of a line that is too long: the answer has begun, so its status cannot change
            last = bytes_of({"error": error.message}) + b"\n"
        await send({"type": "http.response.body", "body": last})


async def _groups(request: Request, most: int) -> AsyncIterator[list[tuple[int, bytes]]]:
    """Yield the lines of a body with their numbers, those that have arrived together."""
    rest, number = b"", 0
    async for part in request.stream():
        *whole, rest = (rest + part).split(b"\n")
        fitting = list(takewhile(lambda line: len(line) <= most, whole))
        numbered = iter([(number + i, line) for i, line in enumerate(fitting, 1)])
        number += len(fitting)
        while group := list(islice(numbered, LINES)):
            yield group
        if len(fitting) < len(whole) or len(rest) > most:
            raise too_large(most)
    if rest.strip():
        yield [(number + 1, rest)]


async def _tagged_lines(
    model: Served, group: Sequence[tuple[int, bytes]], limits: Limits, n_best: int
) -> list[Document | str]:
    """Return the document of each line, or what is wrong with it; blank lines have none."""
    rules, items, wrong = model.tagger.model.text_rules, dict[int, Given](), dict[int, str]()
    for number, line in group:
        if not line.strip():
            continue
        try:
            items[number] = parse_line(line, limits)
        except (DataError, Refusal) as error:
            wrong[number] = f"line {number}: {error}"

    def made(number: int, item: Given) -> Document:
        try:
            return document_of(item, rules)
        except DataError as error:  # of this line alone
            wrong[number] = f"line {number}: {error}"
            return Document("")

    make, found = [partial(made, number, item) for number, item in items.items()], dict[int, Document | str]()
    try:
        found.update(zip(items, await model.batcher.tag(make, n_best=n_best), strict=True))
    except Refusal as error:  # the answer has begun, so its status cannot change
        found.update(dict.fromkeys(items, error.message))
    found.update(wrong)
    return [found[number] for number in sorted(found)]


def _answer_of(name: str, documents: Sequence[Document], asked: TagRequest) -> bytes:
    """Return the body of an answer of `/tag`."""
    rows = [bytes_of(to_json(document, least=asked.min_score, attention=asked.attention)) for document in documents]
    return b'{"model": %s, "results": [%s]}' % (json.dumps(name).encode(), b", ".join(rows))


def _lines_of(results: Sequence[Document | str]) -> bytes:
    """Return the lines of a stream."""
    rows = ({"error": result} if isinstance(result, str) else result.to_dict() for result in results)
    return b"".join(bytes_of(row) + b"\n" for row in rows)


def _count(request: Request, model: Served, documents: Sequence[Document], log_texts: bool) -> None:
    """Note what a request had, for the metrics and the log."""
    said = request.scope.setdefault("tagger", {"items": 0, "tokens": 0})
    said["model"] = model
    said["items"] += len(documents)
    said["tokens"] += sum(map(len, documents))
    if log_texts:
        said.setdefault("texts", []).extend(document.text for document in documents)


def _described(name: str, tagger: Tagger) -> dict[str, Any]:
    from tagger.heads.table import heads_of

    model = tagger.model
    layers = {
        layer: {"kind": head.task, "labels": list(model.vocabulary.labels[layer])}
        for layer, head in heads_of(model.heads).items()
    }
    source = {"sha256": model.source.sha256} if model.source is not None else {}
    return {"name": name, "layers": layers, "backend": type(tagger.backend).__name__, **source}


def _takes_lines() -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {NDJSON: {"schema": {"type": "string"}}}}}


def _answers(kind: str = "application/json") -> dict[int | str, dict[str, Any]]:
    error = {"application/json": {"schema": {"type": "object", "properties": {"error": {"type": "string"}}}}}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": said, "content": error} for status, said in REFUSALS.items()
    }
    found[200] = {"description": "The results.", "content": {kind: {"schema": {"type": "object"}}}}
    return found
