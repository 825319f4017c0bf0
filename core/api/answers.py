"""Answers that are not plain JSON models: encoded elsewhere, or files."""

import math
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from core.db import Database
from core.db.settings import get_app_settings


def upload_limit_mb(db: Database) -> int:
    """Return the administrator's upload limit."""
    return get_app_settings(db).upload_limit_mb


def json_bytes(body: bytes) -> Response:
    """Send encoded JSON as it is; base64 pictures do not get smaller, so compressing them would only cost time."""
    return Response(body, media_type="application/json", headers={"Content-Encoding": "identity"})


def finite(value: Any) -> Any:
    """Return JSON-like data with null in place of what JSON has no number for."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def attachment(body: bytes, media_type: str, name: str, ending: str) -> Response:
    """Send a file to be saved under the uploaded image's name with another ending.

    Args:
        name: of the image; any characters.
        ending: replaces its own ("_report.pdf").
    """
    stem = PurePosixPath(name).stem or "image"
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_. ") else "_" for char in stem)
    full = quote(f"{stem}{ending}", safe="")
    disposition = f"attachment; filename=\"{plain}{ending}\"; filename*=UTF-8''{full}"
    return Response(body, media_type=media_type, headers={"Content-Disposition": disposition})
