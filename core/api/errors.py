"""Errors as answers: every one is `{"detail": "what was found, what is needed"}`."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core.errors import (
    AppError,
    AuthenticationError,
    CancelledError,
    ConflictError,
    InvalidDataError,
    InvalidImageError,
    InvalidOptionError,
    ModelUnavailableError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    StorageError,
    TooLargeError,
    TooManyAttemptsError,
    TrainingError,
    WeightsError,
)

logger = logging.getLogger(__name__)

STATUS: dict[type[AppError], int] = {
    TooManyAttemptsError: 429,
    AuthenticationError: 401,
    PermissionDeniedError: 403,
    NotFoundError: 404,
    ConflictError: 409,
    CancelledError: 409,
    TooLargeError: 413,
    TrainingError: 409,
    InvalidDataError: 422,
    InvalidImageError: 422,
    InvalidOptionError: 422,
    RemoteError: 502,
    ModelUnavailableError: 503,
    WeightsError: 503,
    StorageError: 503,
}

PLAIN = {
    404: "There is nothing at this address. The routes are listed at /api/docs.",
    405: "This address does not answer to this method. The routes are listed at /api/docs.",
}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in words; the trace of an unexpected one goes to the log alone."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(Exception, _unexpected)


def sentence(errors: list[ErrorDetails]) -> str:
    """Say which field is wrong, what was found and what is expected: "`stain` is 'x': should be 'he' or 'ihc'"."""
    parts = []
    for error in errors:
        field = str(error["loc"][-1]) if error["loc"] else "request"
        expected = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
        parts.append(f"`{field}` is {str(error['input'])[:60]!r}: {expected}.")
    return " ".join(parts)


async def _app_error(request: Request, error: Exception) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    if status >= 500:
        logger.warning("%s %s: %s", request.method, request.url.path, error)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TooManyAttemptsError):
        headers["Retry-After"] = str(error.wait_s)
    return _answer(status, str(error), headers)


async def _http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    usual = error.detail in ("Not Found", "Method Not Allowed")
    detail = PLAIN.get(error.status_code, error.detail) if usual else error.detail
    return _answer(error.status_code, detail, dict(error.headers or {}))


async def _validation_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return _answer(422, sentence(list(error.errors())), {})


async def _unexpected(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(500, "The server made a mistake; it is in the log. Try again, or tell the administrator.", {})


def _answer(status: int, detail: str, headers: dict[str, str]) -> Response:
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)
