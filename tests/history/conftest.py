"""Two people and results put together by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from core import auth
from core.db import Database, User
from core.labels import (
    CAM_LAYERS,
    CLASSES,
    INSUFFICIENT,
    Marker,
    Role,
    Scale,
    Stain,
    StainSource,
)
from core.types import (
    Analysis,
    Heatmap,
    Measurements,
    Notice,
    Pictures,
    Provenance,
    QualityReport,
    Result,
    StainCall,
    TileResult,
)

PASSWORD = "correct horse battery"


@pytest.fixture
def anna(database: Database) -> User:
    """The administrator."""
    return auth.create_first_admin(database, "Anna", PASSWORD, local=True)


@pytest.fixture
def paul(database: Database, anna: User) -> User:
    """A pathologist."""
    return auth.add_user(database, anna, "Paul", PASSWORD, Role.PATHOLOGIST)


@pytest.fixture
def make_result() -> Callable[..., Result]:
    """Build a small result; different `seed`s are different images."""

    def build(
        seed: int = 0,
        *,
        name: str = "ihc.png",
        marker: Marker = Marker.HER2,
        outcome: str = "2+",
        confidence: float | None = 0.7,
        virtual: bool = False,
        models: dict[str, str] | None = None,
        heatmaps: bool = True,
    ) -> Result:
        scored = outcome in CLASSES[marker]
        analysis = Analysis(
            marker=marker,
            name=name,
            outcome=outcome,
            confidence=confidence if scored else None,
            probabilities={outcome: 0.7} if scored else {},
            prediction_set=(outcome,) if scored else (),
            rule="Mean of the tiles.",
            stain=StainCall(Stain.HE if virtual else Stain.IHC, {"he": 0.1, "ihc": 0.8, "neither": 0.1}, False, False),
            stain_source=StainSource.VIRTUAL if virtual else StainSource.REAL,
            quality=QualityReport(140.0, 100.0, 180.0, 31.0, 0.8, (240.0, 238.0, 241.0)),
            tiles=(TileResult(0, 0, 64, 48, outcome, 0.7, (0.1, 0.1, 0.7, 0.1), 0.9, True),) if scored else (),
            measurements=None if outcome == INSUFFICIENT else Measurements(3000, 0.15, 14.2, 0.21, 0.55, 0.083),
            notices=(Notice("blurred", "warning", "Blurred."), Notice("ish", "info", "Reflex ISH.")),
            provenance=Provenance(
                version="0.1.0",
                models=models or {"ihcnet": "a" * 64},
                image_sha256=f"{seed:064x}",
                backend="torch-cpu",
                seconds={"scoring": 0.1},
                thresholds={"dab": 0.15},
                mpp=None,
                scale=Scale.UNKNOWN,
                size=(64, 48),
                created="2030-01-01T00:00:00+00:00",
            ),
            target=outcome,
        )
        return Result(analysis, _pictures(seed, virtual=virtual, heatmaps=heatmaps))

    return build


def _pictures(seed: int, *, virtual: bool, heatmaps: bool) -> Pictures:
    rows, columns = np.mgrid[0:48, 0:64].astype(np.float32)
    image = np.stack([columns * 3, rows * 4, np.full_like(rows, 90 + seed % 100)], axis=-1).astype(np.uint8)
    heatmap: Heatmap = columns / np.float32(63)
    heatmap[:8, :8] = np.nan
    return Pictures(
        image=image,
        ihc=image[:, ::-1].copy() if virtual else image,
        dab=rows / np.float32(40),
        hematoxylin=np.zeros_like(rows),
        heatmaps={layer: heatmap.copy() for layer in CAM_LAYERS} if heatmaps else {},
    )
