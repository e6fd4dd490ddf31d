"""Pages: files that load nothing from elsewhere, and the headers of each answer that see to it."""

from collections.abc import Mapping
from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FILES = {  # of the page to try the models, by their paths; a folder `page` of a package, and a name in it
    "/": ("tagger.serving", "page.html"),
    "/page.js": ("tagger.serving", "page.js"),
    "/parts.js": ("tagger.serving", "parts.js"),
    "/page.css": ("tagger.serving", "page.css"),
}
KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
HEADERS = {  # of each answer; the page loads nothing from elsewhere
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Secured:
    """Middleware that adds the headers to each answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self.app(scope, receive, secured)


def add_page(app: FastAPI, paths: Mapping[str, tuple[str, str]]) -> None:
    """Add the paths of a page: each with a package, and the name of a file in the folder `page` of that package."""
    for path, (package, name) in paths.items():
        _add(app, path, (files(package) / "page" / name).read_bytes(), KINDS[name.rpartition(".")[2]])


def _add(app: FastAPI, path: str, content: bytes, kind: str) -> None:
    async def page() -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    app.add_api_route(path, page, methods=["GET"], include_in_schema=False)
