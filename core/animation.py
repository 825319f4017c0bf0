"""Images one after the other as a moving picture that every browser plays."""

import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from core.types import RGBImage

FRAME_MS = 140
"""How long a frame stays; slow enough to follow a nucleus."""

QUALITY = 88


def animated_webp(images: RGBImage, text: Mapping[str, str], *, frame_ms: int = FRAME_MS) -> bytes:
    """Return an animated WebP that goes there and back for ever.

    Args:
        images: (N, H, W, 3) uint8 RGB, at least one.
        text: what the picture is; kept as its XMP metadata.
    """
    there_and_back = np.concatenate([images, images[-2:0:-1]])
    frames = [Image.fromarray(image) for image in there_and_back]
    file = io.BytesIO()
    frames[0].save(
        file,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=frame_ms,
        loop=0,
        quality=QUALITY,
        method=2,
        xmp=_xmp(text),
    )
    return file.getvalue()


def _xmp(text: Mapping[str, str]) -> bytes:
    words = "; ".join(f"{key}: {value}" for key, value in text.items())
    for character, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        words = words.replace(character, name)
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{words}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF>'
        "</x:xmpmeta>"
    ).encode()
