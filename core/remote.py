"""Inference on another workbench, through its API: the same result as here, computed there."""

import base64
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from core.config import get_settings
from core.errors import RemoteError
from core.images import decode, resize_to_fit, safe_name
from core.labels import CAM_LAYERS, Marker, StainSource
from core.quantify.nuclei_file import decode_nuclei
from core.remote_transport import Transport
from core.reports.answer import decode_plane
from core.reports.pictures import resize_plane
from core.types import DISPLAY_PX, Analysis, Nuclei, Options, Pictures, Progress, Result, RGBImage, no_progress

HEALTH_TIMEOUT_S = 15.0
ANALYSIS_TIMEOUT_S = 300.0

_PICTURE_SIDE_PX = 4 * DISPLAY_PX
"""Largest side a picture of an answer may state; later versions may send larger ones than today's."""

_ANALYSIS = TypeAdapter(Analysis)


@dataclass(frozen=True)
class RemoteHealth:
    """What another workbench says about itself.

    Attributes:
        models: name -> SHA-256 of its weights, None where they are unusable there.
        seconds: how long the answer took.
    """

    status: str
    version: str
    device: str
    backend: str
    models: dict[str, str | None]
    seconds: float


_HEALTH = TypeAdapter(RemoteHealth)


class RemoteWorkbench:
    """Another workbench that computes results; threads may share it."""

    def __init__(self, url: str, token: str, *, timeout_s: float = ANALYSIS_TIMEOUT_S) -> None:
        """Check the address without connecting.

        Args:
            url: of the other workbench as opened in the browser; a trailing "/api" is fine.
            token: made on the Account page there.
            timeout_s: longest wait for one analysis.
        Raises:
            InvalidOptionError: the address or the token cannot be one.
        """
        self._transport = Transport(url, token)
        self._timeout_s = timeout_s

    def health(self) -> RemoteHealth:
        """Ask whether the other workbench works.

        Raises:
            RemoteError: it cannot be reached, or the address is no workbench.
        """
        started = time.perf_counter()
        answer = self._transport.get("/health", timeout_s=HEALTH_TIMEOUT_S)
        try:
            return _HEALTH.validate_python({**answer, "seconds": time.perf_counter() - started})
        except ValidationError as error:
            raise RemoteError(self._transport.no_workbench()) from error

    def analyze(
        self,
        data: bytes,
        name: str,
        options: Options,
        progress: Progress = no_progress,
        *,
        max_bytes: int | None = None,
    ) -> Result:
        """Score one uploaded image there; nothing is kept in the history there.

        Args:
            max_bytes: upload limit here; None takes the installation's.
        Raises:
            RemoteError: unreachable, token refused, too old, or the answer cannot be used.
            InvalidImageError, TooLargeError: the image is refused here, or there.
        """
        settings = get_settings()
        limit = settings.upload_limit_mb * 1_000_000 if max_bytes is None else max_bytes
        progress("reading", 0, 3)
        # Decoded here too: a bad file is refused before it travels, and the picture need not come back.
        decoded = decode(data, name, max_bytes=limit, max_pixels=settings.max_pixels)
        progress(f"waiting for {self._transport.host}", 1, 3)
        started = time.perf_counter()
        answer = self._transport.post(
            "/predict-pr" if options.marker is Marker.PR else "/predict-her2",
            files={"file": (decoded.name, data, "application/octet-stream")},
            form=_form(options),
            timeout_s=self._timeout_s,
        )
        waited = time.perf_counter() - started
        progress("unpacking the answer", 2, 3)
        result = self._rebuilt(answer, resize_to_fit(decoded.image, DISPLAY_PX))
        analysis = result.analysis
        if analysis.provenance.image_sha256 != decoded.sha256 or analysis.marker is not options.marker:
            raise RemoteError(f"{self._transport.host} answered for another image or marker. Try again.")
        progress("unpacking the answer", 3, 3)
        return replace(result, analysis=_received(analysis, decoded.name, waited))

    def _rebuilt(self, answer: Mapping[str, Any], image: RGBImage) -> Result:
        host = self._transport.host
        if "analysis" not in answer:
            raise RemoteError(f"{host} runs a version that cannot compute for others. Update the workbench there.")
        try:
            analysis = _ANALYSIS.validate_python(answer["analysis"])
            pictures = _pictures(answer, image, virtual=analysis.stain_source is StainSource.VIRTUAL)
            return Result(analysis, pictures, _nuclei(answer.get("nuclei")))
        except (ValueError, LookupError, TypeError, AttributeError, cv2.error) as error:  # pydantic raises ValueError
            raise RemoteError(
                f"The answer of {host} cannot be read: it runs another version, or something between changed it. "
                "Bring both workbenches to the same version."
            ) from error


def _form(options: Options) -> dict[str, str]:
    form = {
        "stain": options.stain.value,
        "scale": options.scale.value,
        "explain": "true" if options.explain else "false",
        "layers": ",".join(_layers(options)),
        "cam_method": options.cam_method.value,
        "insist": "true" if options.insist else "false",
        "nuclei": options.nuclei.value,
        "operating_point": options.operating_point.value,
        "raw": "true",
        "store": "false",
    }
    return form if options.target is None else {**form, "target": options.target}


def _layers(options: Options) -> tuple[str, ...]:
    """Return the layers to ask for; none stands for all of the network, where the defaults name those of the other."""
    other_network = options.marker is Marker.PR and set(options.layers) <= set(CAM_LAYERS)
    return () if other_network else options.layers


def _received(analysis: Analysis, name: str, waited_s: float) -> Analysis:
    """Mark an analysis as computed elsewhere, and count the time that the way took."""
    made = analysis.provenance
    seconds = {**made.seconds, "waiting and transfer": max(waited_s - sum(made.seconds.values()), 0.0)}
    return replace(analysis, name=safe_name(name), provenance=replace(made, backend="remote", seconds=seconds))


def _pictures(answer: Mapping[str, Any], image: RGBImage, *, virtual: bool) -> Pictures:
    """Rebuild the pictures over `image`.

    Raises:
        ValueError, LookupError, TypeError, AttributeError, cv2.error: the answer is not as documented.
    """
    size = (image.shape[1], image.shape[0])
    ihc = image
    if virtual:
        coloured = cv2.cvtColor(_decoded_png(answer["synthetic_ihc"], cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        ihc = coloured if coloured.shape == image.shape else cv2.resize(coloured, size, interpolation=cv2.INTER_AREA)
    return Pictures(
        image=image,
        ihc=ihc,
        dab=_plane(answer["dab"], size),
        hematoxylin=_plane(answer["hematoxylin"], size),
        heatmaps={str(layer): _required(_plane(plane, size)) for layer, plane in answer["heatmaps"].items()},
    )


def _nuclei(found: str | None) -> Nuclei | None:
    """Rebuild the nuclei; None where none were sought, or the other workbench is older.

    Raises:
        ValueError, TypeError: they are damaged.
    """
    return None if found is None else decode_nuclei(base64.b64decode(found, validate=True))


def _required(plane: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32]:
    if plane is None:
        raise ValueError("a heat map is missing")
    return plane


def _plane(found: Mapping[str, Any] | None, size: tuple[int, int]) -> npt.NDArray[np.float32] | None:
    if found is None:
        return None
    high = float(found["max"])
    if not 0 < high < 100:
        raise ValueError(f"a plane that ends at {high}")
    plane = decode_plane(_decoded_png(found["png"], cv2.IMREAD_GRAYSCALE), high)
    return plane if plane.shape == size[::-1] else resize_plane(plane, size)


def _decoded_png(text: str, flags: int) -> npt.NDArray[np.uint8]:
    data = base64.b64decode(text, validate=True)
    # The header states the size: a bomb is refused before anything is unpacked.
    if data[:8] != b"\x89PNG\r\n\x1a\n" or max(struct.unpack(">II", data[16:24])) > _PICTURE_SIDE_PX:
        raise ValueError("a picture is no PNG of a usual size")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if picture is None:
        raise ValueError("a picture is damaged")
    return np.asarray(picture, dtype=np.uint8)
