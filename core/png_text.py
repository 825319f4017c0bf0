"""Text in a PNG: what a picture is travels with it."""

import struct
import zlib
from collections.abc import Mapping

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIGNATURE_AND_HEADER_BYTES = 33  # 8 signature + 25 IHDR chunk: text chunks may follow at once


def with_text(png: bytes, text: Mapping[str, str]) -> bytes:
    """Return a PNG with `text` as metadata (Latin-1 keys, any values); the pixels stay as they are."""
    chunks = b"".join(_chunk(key, value) for key, value in text.items())
    return png[:_SIGNATURE_AND_HEADER_BYTES] + chunks + png[_SIGNATURE_AND_HEADER_BYTES:]


def read_text(png: bytes) -> dict[str, str]:
    """Return the metadata that `with_text` wrote; empty where there is none, or it is no PNG."""
    found: dict[str, str] = {}
    place = len(_SIGNATURE)
    while png.startswith(_SIGNATURE) and place + 8 <= len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"iTXt":
            key, _, rest = png[place + 8 : place + 8 + size].partition(b"\0")
            found[key.decode("latin-1")] = rest[4:].decode("utf-8", "replace")
        place += 12 + size
    return found


def _chunk(key: str, value: str) -> bytes:
    # iTXt: keyword, no compression, no language, no translated keyword, UTF-8 text
    body = b"iTXt" + key.encode("latin-1", "replace") + b"\0\0\0\0\0" + value.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
