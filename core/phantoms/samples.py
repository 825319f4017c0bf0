"""Pictures to try the workbench with: simulated tissue, and one real picture that scikit-image brings along."""

from dataclasses import dataclass
from functools import lru_cache

import cv2

from core.errors import NotFoundError
from core.labels import Her2Score, Marker, Stain
from core.phantoms.phantom import he_phantom, her2_phantom, nuclear_phantom
from core.phantoms.tissue import TissueConfig
from core.types import RGBImage


@dataclass(frozen=True)
class Sample:
    """One picture to try.

    Attributes:
        key: stable short name.
        title: as shown on the button.
        simulated: drawn by the workbench, with exactly known content; otherwise a photograph of real tissue.
    """

    key: str
    title: str
    marker: Marker
    stain: Stain
    simulated: bool


SAMPLES = (
    Sample("her2-3", "HER2 3+ (simulated)", Marker.HER2, Stain.IHC, simulated=True),
    Sample("her2-2", "HER2 2+ (simulated)", Marker.HER2, Stain.IHC, simulated=True),
    Sample("her2-0", "HER2 0 (simulated)", Marker.HER2, Stain.IHC, simulated=True),
    Sample("he", "H&E (simulated)", Marker.HER2, Stain.HE, simulated=True),
    Sample("pr-positive", "PR+ (simulated)", Marker.PR, Stain.IHC, simulated=True),
    Sample("pr-negative", "PR- (simulated)", Marker.PR, Stain.IHC, simulated=True),
    Sample("colon", "Real IHC, colon, another protein", Marker.HER2, Stain.IHC, simulated=False),
)

_GLANDS = TissueConfig(cell_um=12.5, elongation=1.7, tumour=0.7, lumen=0.18, nest_um=85.0)
_NESTS = TissueConfig(cell_um=13.0, tumour=0.65, fat=0.08, lumen=0.05)


def _picture(key: str) -> RGBImage:
    if key == "her2-3":
        return her2_phantom(31, fractions=(0.03, 0.07, 0.2, 0.7), tissue=_GLANDS).image
    if key == "her2-2":
        return her2_phantom(32, fractions=(0.15, 0.35, 0.5, 0.0), tissue=_NESTS).image
    if key == "her2-0":
        return her2_phantom(33, score=Her2Score.ZERO, fractions=(1.0, 0.0, 0.0, 0.0), tissue=_NESTS).image
    if key == "he":
        return he_phantom(31, tissue=_GLANDS).image
    if key == "pr-positive":
        return nuclear_phantom(34, percent_positive=75.0, tissue=_NESTS).image
    if key == "pr-negative":
        return nuclear_phantom(35, percent_positive=0.0, tissue=_NESTS).image
    from skimage.data import immunohistochemistry  # bundled with scikit-image, no download

    return immunohistochemistry()  # type: ignore[no-any-return]


@lru_cache(maxsize=len(SAMPLES))
def load_sample(key: str) -> tuple[bytes, str]:
    """Return one sample as (PNG bytes, file name).

    Raises:
        NotFoundError: there is no such sample.
    """
    known = {sample.key: sample for sample in SAMPLES}
    if key not in known:
        raise NotFoundError(f"There is no sample '{key}'. Choose one of: {', '.join(known)}.")
    _, data = cv2.imencode(".png", cv2.cvtColor(_picture(key), cv2.COLOR_RGB2BGR))
    prefix = "simulated" if known[key].simulated else "real"
    return data.tobytes(), f"{prefix}-{key}.png"
