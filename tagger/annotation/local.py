"""Requests of the page itself, and of no other site that is open in the same browser."""

import re

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tagger.wording import shorten

LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.IGNORECASE)


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
