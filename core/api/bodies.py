"""Reading request bodies: forms and uploads, counted while they arrive."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from core.errors import InvalidImageError, InvalidOptionError, TooLargeError

FORM_LIMIT_BYTES = 64 * 1024
"""Names, passwords and options: nothing near this is honest."""

ENVELOPE_BYTES = 64 * 1024
"""What multipart boundaries and the other fields may add to a file."""

FILE_FIELDS = ("file", "image")


@dataclass(frozen=True)
class Upload:
    """One uploaded file and the text fields that came with it."""

    data: bytes
    name: str
    fields: Mapping[str, str]


async def read_upload(request: Request, *, limit_mb: int) -> Upload:
    """Read a multipart form with one image.

    Raises:
        TooLargeError: announced or found larger than the limit; reading stops there.
        HTTPException: 415, not multipart.
        InvalidOptionError: damaged form, or no file in it.
        InvalidImageError: the file is empty.
    """
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        raise HTTPException(
            415,
            f"The request is {content_type.split(';')[0] or 'without a content type'}; "
            "send the image as multipart/form-data in the field `file`.",
        )
    sentence = (
        f"The upload is larger than the limit of {limit_mb} MB. Crop or compress the image, or ask the administrator."
    )
    limited = _limited(request, limit_mb * 1_000_000 + ENVELOPE_BYTES, sentence)
    try:
        async with limited.form(max_files=4, max_fields=40, max_part_size=FORM_LIMIT_BYTES) as form:
            fields = _texts(dict(form))
            file = next((form[name] for name in FILE_FIELDS if isinstance(form.get(name), UploadFile)), None)
            if not isinstance(file, UploadFile):
                raise InvalidOptionError(
                    "The form holds no file. Send the image as multipart/form-data in the field `file`."
                )
            data = await file.read()
            name = file.filename or "image"
    except HTTPException as error:
        raise _form_error(error) from error
    if len(data) > limit_mb * 1_000_000:
        raise TooLargeError(sentence)
    if not data:
        raise InvalidImageError("The file is empty. Choose an image in PNG, JPEG, TIFF or WebP format.")
    return Upload(data=data, name=name, fields=fields)


async def read_fields(request: Request) -> dict[str, str]:
    """Read the text fields of a small form, or of a JSON object.

    Raises:
        TooLargeError: no honest form is that large.
        InvalidOptionError: neither a form nor a JSON object.
    """
    limited = _limited(request, FORM_LIMIT_BYTES, "The form is too large.")
    if request.headers.get("content-type", "").lower().startswith("application/json"):
        try:
            found = json.loads(await limited.body())
        except ValueError as error:
            raise InvalidOptionError("The request body is not JSON. Send an object or a form.") from error
        if not isinstance(found, dict):
            raise InvalidOptionError("The request body is JSON, but not an object. Send an object or a form.")
        return _texts(found)
    try:
        async with limited.form(max_files=0, max_fields=20) as form:
            return _texts(dict(form))
    except HTTPException as error:
        raise _form_error(error) from error


async def read_object(
    request: Request, *, optional: bool = False, limit_bytes: int = FORM_LIMIT_BYTES
) -> dict[str, object]:
    """Read a small JSON object.

    Args:
        optional: no body at all is an empty object.
        limit_bytes: what is larger is refused while it arrives.
    Raises:
        TooLargeError: no honest one is that large.
        InvalidOptionError: it is no JSON object, or holds what no text or number can be.
    """
    limited = _limited(request, limit_bytes, "The request body is too large.")
    try:
        body = await limited.body()
        found = {} if optional and not body else json.loads(body, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise InvalidOptionError("The request body is not JSON. Send an object.") from error
    if not isinstance(found, dict):
        raise InvalidOptionError("The request body is not a JSON object. Send an object.")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _texts(found: Mapping[str, object]) -> dict[str, str]:
    """Keep the text fields; half a surrogate pair, which JSON lets through, is no text that could be stored."""
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)
    }


def _form_error(error: HTTPException) -> InvalidOptionError:
    return InvalidOptionError(f"The form cannot be read ({error.detail}). Send it as multipart/form-data.")


def _limited(request: Request, limit_bytes: int, sentence: str) -> Request:
    """Return the same request whose body ends with TooLargeError beyond the limit."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:18]) > limit_bytes:
        raise TooLargeError(sentence)
    return Request(request.scope, receive=_counted(request.receive, limit_bytes, sentence))


def _counted(receive: Receive, limit_bytes: int, sentence: str) -> Receive:
    read_bytes = 0

    async def counted() -> Message:
        nonlocal read_bytes
        message = await receive()
        read_bytes += len(message.get("body", b""))
        if read_bytes > limit_bytes:
            raise TooLargeError(sentence)
        return message

    return counted
