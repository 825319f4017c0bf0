"""The IHC field behind a score: the upload itself, or its virtual stain; again from the bytes that were scored."""

from core.config import get_settings
from core.errors import InvalidOptionError
from core.images import decode
from core.inference.engine import Engine
from core.inference.scoring import IhcField, real_field, virtual_field
from core.labels import StainSource
from core.quality.measures import tissue_mask
from core.stains.separation import White, white_point
from core.types import Analysis, DecodedImage, Mask, Progress, RGBImage, no_progress


def decode_upload(data: bytes, name: str, max_bytes: int | None) -> DecodedImage:
    """Decode an upload within the limits of this installation.

    Args:
        max_bytes: None takes the installation's.
    Raises:
        InvalidImageError, TooLargeError: it can't be analysed.
    """
    settings = get_settings()
    limit = settings.upload_limit_mb * 1_000_000 if max_bytes is None else max_bytes
    return decode(data, name, max_bytes=limit, max_pixels=settings.max_pixels)


def ihc_field(
    engine: Engine,
    image: RGBImage,
    mpp: float | None,
    white: White,
    tissue: Mask,
    *,
    virtual: bool,
    progress: Progress = no_progress,
) -> IhcField:
    """The IHC to score: the upload itself, or its virtual stain."""
    if virtual:
        return virtual_field(engine, image, mpp, tissue, progress)
    return real_field(image, mpp, white, tissue)


def scored_image(data: bytes, analysis: Analysis) -> DecodedImage:
    """Decode the image of a result.

    Raises:
        InvalidOptionError: the image is another one, or has no scored tiles.
    """
    decoded = decode_upload(data, analysis.name, len(data))
    if decoded.sha256 != analysis.provenance.image_sha256 or not analysis.tiles:
        raise InvalidOptionError(
            "This is not the image that was scored, or it has no scored tiles. Upload the image again to explain it."
        )
    return decoded


def scored_field(
    decoded: DecodedImage, analysis: Analysis, engine: Engine, progress: Progress = no_progress
) -> IhcField:
    """The field that was scored, as `scored_image` returned it."""
    white = white_point(decoded.image)
    tissue = tissue_mask(decoded.image, white)
    virtual = analysis.stain_source is StainSource.VIRTUAL
    return ihc_field(engine, decoded.image, analysis.provenance.mpp, white, tissue, virtual=virtual, progress=progress)
