"""What one H&E image goes through to become virtual IHC: the one path that page, API and command line share.

decode -> recognise the stain -> bring to the generator's scale -> stain tile by tile -> seams -> compare with real IHC
"""

from dataclasses import dataclass, replace

from core.config import get_settings
from core.errors import InvalidImageError, WrongStainError
from core.images import decode, resize_to, resize_to_fit
from core.inference.engine import Engine
from core.inference.seams import seam_index
from core.inference.virtual_staining import GENERATOR, at_generator_scale, stain_image
from core.labels import MPP_OF_SCALE, Scale, Stain
from core.quality.stain_agreement import TARGET_WHITE, Judgement, judge
from core.stains.recognition import recognise
from core.stains.separation import white_point
from core.stains.white import balance_white
from core.types import DecodedImage, Progress, RGBImage, StainCall, no_progress

COMPARED_PX = 2048
"""Long side at which a virtual stain is compared with the real one: beyond, the neighbouring section says no more."""

SHAPES_DIFFER = 1.03
"""Two pictures whose shapes differ by more cannot show the same field."""

STAIN_ANYWAY = "stain it all the same"


@dataclass(frozen=True)
class Agreement:
    """A virtual stain beside the real one of the same field, and the H&E as it is beside it for scale.

    Attributes:
        virtual, he: the same figures of both; the H&E on the same white.
    """

    virtual: Judgement
    he: Judgement


@dataclass(frozen=True)
class VirtualStain:
    """One H&E image and its virtual IHC.

    Attributes:
        name: of the upload.
        he, ihc: (H, W, 3) uint8 RGB at the generator's scale.
        real: the real IHC of the field on a white of 240, as large; None where none was given.
        size: (width, height) of the upload in pixels.
        mpp: of `he` in micrometres per pixel; None where the upload's is unknown.
        stain: what the upload was recognised as.
        seams: steps of brightness along tile borders beside those inside tiles; None for a single tile.
        agreement: None where no real IHC was given.
        weights: SHA-256 of the generator's.
        notes: what was converted or assumed, in words.
    """

    name: str
    he: RGBImage
    ihc: RGBImage
    real: RGBImage | None
    size: tuple[int, int]
    mpp: float | None
    stain: StainCall
    seams: float | None
    agreement: Agreement | None
    weights: str
    notes: tuple[str, ...] = ()

    @property
    def full_size(self) -> RGBImage:
        """The virtual IHC as large as the upload."""
        return resize_to(self.ihc, self.size)


def stain_upload(
    data: bytes,
    name: str,
    *,
    engine: Engine,
    scale: Scale = Scale.FILE,
    insist: bool = False,
    real: tuple[bytes, str] | None = None,
    progress: Progress = no_progress,
    max_bytes: int | None = None,
) -> VirtualStain:
    """Stain one uploaded H&E image virtually.

    Args:
        data: the bytes of the upload.
        name: its file name.
        scale: where its pixel size comes from.
        insist: stain it although it does not look like H&E.
        real: bytes and name of a real IHC of the same field, to compare with.
        progress: told the step, with tiles done; may raise CancelledError.
        max_bytes: upload limit; None takes the installation's.
    Raises:
        InvalidImageError, TooLargeError: it cannot be read, or is smaller than 32 px.
        WrongStainError: it looks like IHC, or like neither.
        ModelUnavailableError: the generator has no usable weights.
    """
    progress("reading", 0, 1)
    decoded = _decode(data, name, max_bytes)
    progress("recognising the stain", 0, 1)
    call = recognise(decoded.image)
    if call.stain is not Stain.HE and not insist:
        raise WrongStainError(_refusal(decoded.name, call))
    mpp = decoded.mpp if scale is Scale.FILE else MPP_OF_SCALE.get(scale)
    he, factor = at_generator_scale(decoded.image, mpp)
    ihc = stain_image(engine, he, progress)
    size = (decoded.image.shape[1], decoded.image.shape[0])
    stained = VirtualStain(
        name=decoded.name,
        he=he,
        ihc=ihc,
        real=None,
        size=size,
        mpp=None if mpp is None else mpp / factor,
        stain=call,
        seams=seam_index(ihc),
        agreement=None,
        weights=engine.state(GENERATOR).sha256 or "",
        notes=decoded.notes + _remarks(mpp, call),
    )
    return stained if real is None else _compared(stained, real, progress, max_bytes)


def compare(stained: VirtualStain, real: RGBImage) -> Agreement:
    """Compare a virtual stain with the real IHC of the same field, and the H&E as it is with the same.

    Args:
        real: (H, W, 3) uint8 RGB on a white of 240, as large as the stain.
    """
    target = resize_to_fit(real, COMPARED_PX)
    he = balance_white(resize_to_fit(stained.he, COMPARED_PX), white_point(stained.he), level=TARGET_WHITE)
    return Agreement(judge(resize_to_fit(stained.ihc, COMPARED_PX), target), judge(he, target))


def _compared(
    stained: VirtualStain, real: tuple[bytes, str], progress: Progress, max_bytes: int | None
) -> VirtualStain:
    """Add the comparison; a real IHC that cannot be used is a remark, the stain is there all the same."""
    progress("comparing with the real IHC", 0, 1)
    try:
        truth = _decode(*real, max_bytes)
    except InvalidImageError as error:
        return replace(stained, notes=(*stained.notes, f"Not compared with the real IHC. {error}"))
    height, width = truth.image.shape[:2]
    shapes = (width / height) / (stained.size[0] / stained.size[1])
    if not 1 / SHAPES_DIFFER < shapes < SHAPES_DIFFER:
        words = (
            f"Not compared with the real IHC: {truth.name} is {width} x {height} px, the H&E {stained.size[0]} x "
            f"{stained.size[1]}, so they cannot show the same field. Crop both to the same field."
        )
        return replace(stained, notes=(*stained.notes, words))
    side = (stained.ihc.shape[1], stained.ihc.shape[0])
    white = balance_white(resize_to(truth.image, side), white_point(truth.image), level=TARGET_WHITE)
    if min(side) < 8:
        return replace(stained, real=white)
    return replace(stained, real=white, agreement=compare(stained, white))


def _decode(data: bytes, name: str, max_bytes: int | None) -> DecodedImage:
    settings = get_settings()
    limit = settings.upload_limit_mb * 1_000_000 if max_bytes is None else max_bytes
    return decode(data, name, max_bytes=limit, max_pixels=settings.max_pixels)


def _refusal(name: str, call: StainCall) -> str:
    share = f"{call.probabilities[call.stain.value]:.0%}"
    found = f"like IHC already ({share})" if call.stain is Stain.IHC else f"like neither H&E nor IHC ({share})"
    return (
        f"{name} looks {found}. Virtual staining needs an H&E image. Choose another file, or {STAIN_ANYWAY} if you "
        "know better."
    )


def _remarks(mpp: float | None, call: StainCall) -> tuple[str, ...]:
    remarks = []
    if mpp is None:
        remarks.append("The file does not state its pixel size; 40x (0.25 µm per pixel) was assumed.")
    if call.stain is not Stain.HE:
        remarks.append(f"It was recognised as {call.stain.title}, and stained on request.")
    elif call.unsure:
        remarks.append("The stain was recognised as H&E, but not with certainty: have a look.")
    return tuple(remarks)
