"""What the filter judges virtual stains by, measured in the background at the scale they were painted at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.db.engine import Database
from core.db.records import User
from core.labels import Marker
from core.quality.filter import Measures
from core.types import Progress
from pages.ui import filtering_second

if TYPE_CHECKING:
    from core.staining_round import Stained

Identity = tuple[tuple[str, ...], tuple[str, ...], Marker, str]
"""Images, their classes, the marker, the second model."""


@dataclass(frozen=True)
class Measured:
    """What was measured of some virtual stains, and of which."""

    identity: Identity
    measures: tuple[Measures, ...]


def measure(
    db: Database,
    user: User,
    some: "Sequence[Stained]",
    labels: Sequence[str],
    marker: Marker,
    second: str,
    identity: Identity,
    progress: Progress,
) -> Measured:
    """Measure virtual stains; in a thread that touches no widget.

    Raises:
        ModelUnavailableError: the classifier has no usable weights.
        CancelledError: raised by `progress`.
    """
    progress("loading the networks", 0, len(some))
    from core.inference.filtering import measure_synthetic
    from core.serving import serving_engine
    from core.staining_round import painted_mpp, picture

    engine, other = serving_engine(db), filtering_second.engine_of(user, marker, second)
    measures: list[Measures] = []
    for index, (each, label) in enumerate(zip(some, labels, strict=True)):
        progress("filtering", index, len(some))
        image = picture(each.ihc)
        measures += measure_synthetic(engine, [image], [label], marker, second=other, mpp=painted_mpp(each))
    progress("filtering", len(some), len(some))
    return Measured(identity, tuple(measures))
