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

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.concurrency import run_in_threadpool as asked
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from tagger.annotation.items import Item
from tagger.annotation.local import Local
from tagger.annotation.project import Project
from tagger.errors import DataError
from tagger.serving.answers import add_errors
from tagger.serving.limits import Refusal
from tagger.serving.pages import Secured, add_page
from tagger.serving.requests import Closed, body_of, parse_as, read_body

FILES = {
    "/": ("tagger.annotation", "annotate.html"),
    "/annotate.js": ("tagger.annotation", "annotate.js"),
    "/annotate.css": ("tagger.annotation", "annotate.css"),
    "/parts.js": ("tagger.serving", "parts.js"),
    "/page.css": ("tagger.serving", "page.css"),
}
BODY = 10_000  # bytes of a request
Number = Annotated[int, Field(ge=0, lt=2**53)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Name = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


router = APIRouter(prefix="/api")


def create_app(project: Project) -> FastAPI:
    """Return the page of a project, which threads of the server share."""
    app = FastAPI(title="tagger annotate", version=version("tagger-bilstm"), docs_url=None, redoc_url=None)
    app.state.project = project
    app.add_middleware(Local)
    app.add_middleware(Secured)
    add_errors(app)
    add_page(app, FILES)
    app.include_router(router)
    return app


async def _project(request: Request) -> Project:
    project: Project = request.app.state.project
    return project


Opened = Annotated[Project, Depends(_project)]


def _answer(item: Item | None) -> JSONResponse:
    return JSONResponse({"item": None if item is None else asdict(item)})


@router.get("/next")
async def next_item(project: Opened, after: Number | None = None) -> JSONResponse:
    """Return the text that teaches most."""
    return _answer(await asked(project.next, after))


@router.get("/item/{id}")
async def item(project: Opened, id: Number) -> JSONResponse:
    """Return a text."""
    try:
        return _answer(await asked(project.item, id))
    except DataError as error:
        raise Refusal(404, str(error)) from None


class Judgement(Closed):
    """What `POST /api/judge` takes."""

    item: Number
    start: Number
    end: Number
    type: str | None
    seconds: Seconds = 0.0


@router.post("/judge", openapi_extra=body_of(Judgement))
async def judge(project: Opened, request: Request) -> JSONResponse:
    """Save a judgement and return the text with it."""
    given = parse_as(Judgement, await read_body(request, BODY))
    return _answer(await asked(project.judge, given.item, given.start, given.end, given.type, given.seconds))


class Rest(Closed):
    """What `POST /api/rest` takes."""

    item: Number
    seconds: Seconds = 0.0


@router.post("/rest", openapi_extra=body_of(Rest))
async def rest(project: Opened, request: Request) -> JSONResponse:
    """Save that nothing else is in a text, and return it."""
    given = parse_as(Rest, await read_body(request, BODY))
    return _answer(await asked(project.judge_rest, given.item, given.seconds))


class Skipped(Closed):
    """What `POST /api/skip` takes."""

    item: Number


@router.post("/skip", openapi_extra=body_of(Skipped))
async def skip(project: Opened, request: Request) -> JSONResponse:
    """Leave the rest of a text open."""
    await asked(project.skip, parse_as(Skipped, await read_body(request, BODY)).item)
    return _answer(None)


@router.post("/undo")
async def undo(project: Opened) -> JSONResponse:
    """Take the last judgement back and return its text."""
    return _answer(await asked(project.undo))


@router.get("/progress")
async def progress(project: Opened) -> JSONResponse:
    """Return counts, score and state; `types` in the order of their keys on the page."""
    found = await asked(project.progress)
    types = [{"type": name, "spans": found["types"].get(name, 0)} for name in project.types]
    return JSONResponse({**found, "types": types})


@router.get("/export")
async def export(project: Opened, format: Name = "jsonl") -> Response:
    """Return a file with all judgements."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "judged"
        await asked(project.export, format, path)
        content = path.read_bytes()
    named = {"content-disposition": f'attachment; filename="judged.{format}"'}
    return Response(content, media_type="application/octet-stream", headers=named)
