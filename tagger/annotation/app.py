"""The page of a project as an ASGI application.

GET  /                            the page
GET  /api/next?after=ID           the text that teaches most; null if all are done
GET  /api/item/ID                 a text with its suggestions and judgements
POST /api/judge                   `item`, `start`, `end`, `type` (null: no entity in these tokens), `seconds`
POST /api/rest                    `item`, `seconds`: nothing else here
POST /api/skip                    `item`
POST /api/undo                    take the last judgement back
GET  /api/progress                counts, score and state of the training
GET  /api/export?format=FORMAT    a file with all judgements

A text is `{"item": {...}}` or `{"item": null}`; an error is `{"error": "one sentence"}`. Only the page itself may ask:
other pages that are open in the same browser cannot judge or read, even if their name leads to this computer.
"""

import re
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import FastAPI, Query, Request
from fastapi.concurrency import run_in_threadpool as asked
from fastapi.responses import JSONResponse, Response
from pydantic import Field
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tagger.annotation.project import Item, Project
from tagger.errors import DataError
from tagger.serving.answers import add_errors
from tagger.serving.limits import Refusal
from tagger.serving.pages import Secured, add_page
from tagger.serving.requests import Closed, body_of, parse_as, read_body
from tagger.wording import shorten

FILES = {
    "/": ("tagger.annotation", "annotate.html"),
    "/annotate.js": ("tagger.annotation", "annotate.js"),
    "/annotate.css": ("tagger.annotation", "annotate.css"),
    "/parts.js": ("tagger.serving", "parts.js"),
    "/page.css": ("tagger.serving", "page.css"),
}
BODY = 10_000  # bytes of a request
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)
Number = Annotated[int, Field(ge=0, lt=2**53)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Name = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class Judgement(Closed):
    """What `POST /api/judge` takes."""

    item: Number
    start: Number
    end: Number
    type: str | None
    seconds: Seconds = 0.0


class Rest(Closed):
    """What `POST /api/rest` takes."""

    item: Number
    seconds: Seconds = 0.0


class Skipped(Closed):
    """What `POST /api/skip` takes."""

    item: Number


class Local:
    """Middleware that refuses requests of other sites.

    A name of another site may lead to this computer (DNS rebinding), so `Host` must be a name of this computer. A page
    of another site may send requests here, and a browser says so in `Origin`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        refusal = _refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (self.app if refusal is None else JSONResponse({"error": refusal}, 403))(scope, receive, send)


def _refusal(headers: Headers) -> str | None:
    """Return why the headers are not of a request from the page; None if they are."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not LOCAL.fullmatch(host):
        return f"`Host` must be localhost or 127.0.0.1, got {shorten(host)}; open the address that the command shows"
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return f"`Origin` must be http://{host}, got {shorten(origin)}; only the page of this server may ask"
    return None


def create_app(project: Project) -> FastAPI:
    """Return the page of a project, which threads of the server share."""
    app = FastAPI(title="tagger annotate", version=version("tagger-bilstm"), docs_url=None, redoc_url=None)
    app.add_middleware(Local)
    app.add_middleware(Secured)
    add_errors(app)
    add_page(app, FILES)

    @app.get("/api/next")
    async def next_item(after: Number | None = None) -> JSONResponse:
        """Return the text that teaches most."""
        return _answer(await asked(project.next, after))

    @app.get("/api/item/{id}")
    async def item(id: Number) -> JSONResponse:
        """Return a text."""
        try:
            return _answer(await asked(project.item, id))
        except DataError as error:
            raise Refusal(404, str(error)) from None

    @app.post("/api/judge", openapi_extra=body_of(Judgement))
    async def judge(request: Request) -> JSONResponse:
        """Save a judgement and return the text with it."""
        given = parse_as(Judgement, await read_body(request, BODY))
        return _answer(await asked(project.judge, given.item, given.start, given.end, given.type, given.seconds))

    @app.post("/api/rest", openapi_extra=body_of(Rest))
    async def rest(request: Request) -> JSONResponse:
        """Save that nothing else is in a text, and return it."""
        given = parse_as(Rest, await read_body(request, BODY))
        return _answer(await asked(project.judge_rest, given.item, given.seconds))

    @app.post("/api/skip", openapi_extra=body_of(Skipped))
    async def skip(request: Request) -> JSONResponse:
        """Leave the rest of a text open."""
        await asked(project.skip, parse_as(Skipped, await read_body(request, BODY)).item)
        return _answer(None)

    @app.post("/api/undo")
    async def undo() -> JSONResponse:
        """Take the last judgement back and return its text."""
        return _answer(await asked(project.undo))

    @app.get("/api/progress")
    async def progress() -> JSONResponse:
        """Return counts, score and state; `types` in the order of their keys on the page."""
        found = await asked(project.progress)
        types = [{"type": name, "spans": found["types"].get(name, 0)} for name in project.types]
        return JSONResponse({**found, "types": types})

    @app.get("/api/export")
    async def export(format: Name = "jsonl") -> Response:
        """Return a file with all judgements."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "judged"
            await asked(project.export, format, path)
            content = path.read_bytes()
        named = {"content-disposition": f'attachment; filename="judged.{format}"'}
        return Response(content, media_type="application/octet-stream", headers=named)

    return app


def _answer(item: Item | None) -> JSONResponse:
    return JSONResponse({"item": None if item is None else asdict(item)})
