"""What each request passes: the key, the time it takes, the log and the metrics."""

import hmac
import json
import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagger.serving.pages import FILES

logger = logging.getLogger("tagger.serving")
OPEN = ("/health", "/ready", *FILES)  # paths that need no key
KNOWN = (*OPEN, "/tag", "/tag/stream", "/info", "/metrics", "/openapi.json")


class Metrics:
    """Figures of a process for Prometheus."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Counter(
            "tagger_requests", "Requests by path and status.", ["path", "status"], registry=registry
        )
        self.seconds = Histogram("tagger_request_seconds", "Seconds of a request.", ["path"], registry=registry)
        self.texts = Counter("tagger_texts", "Texts that were tagged.", registry=registry)
        self.tokens = Counter("tagger_tokens", "Tokens that were tagged.", registry=registry)
        self.waiting = Gauge("tagger_waiting_texts", "Texts that wait, by model.", ["model"], registry=registry)

    def text(self) -> bytes:
        """Return all figures in the text format of Prometheus."""
        return generate_latest(self.registry)


class Gate:
    """Middleware that checks the key and notes each request; errors of the service become a 500."""

    def __init__(self, app: ASGIApp, *, key: str | None, metrics: Metrics, served: Mapping[str, Any]) -> None:
        self.app, self.key, self.metrics = app, key, metrics
        for name, each in served.items():
            metrics.waiting.labels(name).set_function(partial(getattr, each.batcher, "waiting"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 499  # the client has gone before it was answered

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        said: dict[str, Any] = scope.setdefault("tagger", {"items": 0, "tokens": 0})
        try:
            if scope["path"] not in OPEN and not self._has_key(scope):
                sentence = "a key is needed: send Authorization: Bearer KEY or X-API-Key: KEY"
                await JSONResponse({"error": sentence}, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, noted)
            else:
                await self.app(scope, receive, noted)
        except Exception:
            status = 500
            logger.exception("a request to %s failed", scope["path"])
            raise
        finally:
            self._note(scope, status, time.perf_counter() - started, said)

    def _has_key(self, scope: Scope) -> bool:
        if self.key is None:
            return True
        headers = dict(scope["headers"])
        given = headers.get(b"x-api-key", b"") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        return hmac.compare_digest(given, self.key.encode())

    def _note(self, scope: Scope, status: int, seconds: float, said: Mapping[str, Any]) -> None:
        path = scope["path"] if scope["path"] in KNOWN else "other"  # few values, whatever clients ask for
        self.metrics.requests.labels(path, str(status)).inc()
        self.metrics.seconds.labels(path).observe(seconds)
        self.metrics.texts.inc(said["items"])
        self.metrics.tokens.inc(said["tokens"])
        line = {
            "method": scope["method"],
            "path": path,
            "status": status,
            "ms": round(1000 * seconds, 1),
            "texts": said["items"],
            "tokens": said["tokens"],
        }
        if "texts" in said:
            line["content"] = said["texts"]
        logger.info("%s", json.dumps(line, ensure_ascii=False))
