"""The page to try the models: three files that load nothing from elsewhere."""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import Response

FILES = {
    "/": ("page.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
}


def add_page(app: FastAPI) -> None:
    """Add the paths of the page."""
    folder = files("tagger.serving") / "page"
    for path, (name, kind) in FILES.items():
        content = (folder / name).read_bytes()
        _add(app, path, content, kind)


def _add(app: FastAPI, path: str, content: bytes, kind: str) -> None:
    async def page() -> Response:
        return Response(content, media_type=f"{kind}; charset=utf-8")

    app.add_api_route(path, page, methods=["GET"], include_in_schema=False)
