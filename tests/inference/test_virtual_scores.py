"""What a score of the bundled virtual stain may say."""

from core.config import ROOT
from core.inference.engine import Engine
from core.inference.scoring import score_field, virtual_field
from core.labels import CLASSES, Marker
from core.models.registry import get_card
from core.phantoms.phantom import he_phantom
from core.quality.measures import tissue_mask


def test_no_her2_score_is_excluded_on_the_bundled_virtual_stain() -> None:
    engine = Engine(ROOT / "weights", backend="torch")
    image = he_phantom(5, size_px=512).image
    field = virtual_field(engine, image, 0.25, tissue_mask(image))
    scored = score_field(engine, field, get_card("ihcnet"), (512, 512), measured=None)
    assert sorted(scored.aggregate.prediction_set) == sorted(CLASSES[Marker.HER2])
    assert scored.aggregate.prediction_set[0] == scored.aggregate.outcome
    assert set(scored.aggregate.probabilities) == {0.25}
    assert "confidence is that of a guess" in scored.aggregate.rule
