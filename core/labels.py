"""The words of this project: markers, scores, stains, roles. One spelling for code, screen, API and database."""

from enum import StrEnum


class Marker(StrEnum):
    """The protein whose stain is read."""

    HER2 = "her2"
    PR = "pr"

    @property
    def title(self) -> str:  # type: ignore[override]
        """How the marker is written on screen."""
        return self.value.upper()


class Her2Score(StrEnum):
    """HER2 immunohistochemistry score, in the order of the network's outputs."""

    ZERO = "0"
    ONE = "1+"
    TWO = "2+"
    THREE = "3+"


class PrStatus(StrEnum):
    """Progesterone receptor status, in the order of the network's outputs."""

    NEGATIVE = "PR-"
    POSITIVE = "PR+"


INSUFFICIENT = "insufficient tissue"
"""Outcome where there is no tissue that could carry a score."""

NOT_SCORED = "not scored"
"""Outcome where the image is neither H&E nor IHC and the user did not insist."""

CLASSES: dict[Marker, tuple[str, ...]] = {
    Marker.HER2: tuple(score.value for score in Her2Score),
    Marker.PR: tuple(status.value for status in PrStatus),
}


class Stain(StrEnum):
    """What an image shows, as recognised or as the user says."""

    HE = "he"
    IHC = "ihc"
    NEITHER = "neither"

    @property
    def title(self) -> str:  # type: ignore[override]
        """How the stain is written on screen."""
        return {"he": "H&E", "ihc": "IHC", "neither": "neither H&E nor IHC"}[self.value]


class StainChoice(StrEnum):
    """What the user asks for: let the workbench recognise the stain, or overrule it."""

    AUTO = "auto"
    HE = "he"
    IHC = "ihc"


class StainSource(StrEnum):
    """Whether the scored IHC was stained in a laboratory or computed from H&E."""

    REAL = "real"
    VIRTUAL = "virtual"


class Scale(StrEnum):
    """Where the physical pixel size comes from."""

    FILE = "file"
    X40 = "40x"
    X20 = "20x"
    X10 = "10x"
    UNKNOWN = "unknown"


MPP_OF_SCALE: dict[Scale, float] = {Scale.X40: 0.25, Scale.X20: 0.5, Scale.X10: 1.0}
"""Micrometres per pixel of the usual objective magnifications."""


class CamMethod(StrEnum):
    """Class activation mapping methods offered, named as in pytorch-grad-cam."""

    GRAD_CAM = "GradCAM"
    GRAD_CAM_PP = "GradCAM++"
    HIRES_CAM = "HiResCAM"
    LAYER_CAM = "LayerCAM"
    EIGEN_CAM = "EigenCAM"


class Perturbation(StrEnum):
    """Explanations that cover parts of a tile and watch the answer, named as in Captum."""

    LIME = "LIME"
    OCCLUSION = "Occlusion"


class NucleiMethod(StrEnum):
    """How nuclei are found: by the bundled network, by image processing alone, or not at all."""

    LEARNED = "learned"
    CLASSICAL = "classical"
    NONE = "none"


class OperatingPoint(StrEnum):
    """What the limits of the learned detector favour: finding each nucleus, or an unbiased share of stained ones."""

    BEST_F1 = "best F1"
    LEAST_BIAS = "least index bias"


CAM_LAYERS = ("conv0", "denseblock1", "denseblock2", "denseblock3", "denseblock4")
"""The layers of IHCNet that can be explained, shallow to deep."""

PRIMARY_CAM_LAYER = "denseblock3"


class Role(StrEnum):
    """What a user may do."""

    PATHOLOGIST = "pathologist"
    RESEARCHER = "researcher"
    ADMIN = "admin"
    GUEST = "guest"
