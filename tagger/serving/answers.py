"""Errors as answers: each is one sentence in JSON."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tagger.errors import TaggerError
from tagger.serving.limits import Refusal
from tagger.serving.requests import explained


def add_errors(app: FastAPI) -> None:
    """Let an application answer each error with `{"error": "one sentence"}`."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(TaggerError, _wrong)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    headers = {} if error.retry is None else {"Retry-After": str(error.retry)}
    return JSONResponse({"error": error.message}, error.status, headers)


async def _wrong(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 422)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a wrong part of an address; its place starts with `path` or `query`."""
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"error": explained([{**each, "loc": each["loc"][1:]} for each in error.errors()])}, 422)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    said = {404: "there is no such path; see /openapi.json", 405: "the path has another method; see /openapi.json"}
    return JSONResponse({"error": said.get(error.status_code, error.detail)}, error.status_code, error.headers)


async def _failed(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": "the service failed; its log has the reason"}, 500)
