"""One image from upload to score: real images, odd ones, and what the user chooses."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data as photographs

from core.analysis import analyze
from core.errors import CancelledError, InvalidOptionError
from core.images import encode_png
from core.inference.engine import Engine
from core.labels import CAM_LAYERS, CLASSES, INSUFFICIENT, NOT_SCORED, Marker, Scale, Stain, StainChoice, StainSource
from core.types import DISPLAY_PX, Options, Result

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The bundled networks."""
    return Engine(WEIGHTS)


@pytest.fixture(scope="module")
def ihc_result(engine: Engine, shared_data: Path) -> Result:
    """A real 3+ breast field."""
    return score(engine, shared_data / "bci" / "IHC" / "00006_test_3+.png")


def score(engine: Engine, path: Path, options: Options | None = None) -> Result:
    """Analyze a file."""
    return analyze(path.read_bytes(), path.name, options or Options(), engine=engine)


def codes(result: Result) -> set[str]:
    """Short names of all remarks."""
    return {notice.code for notice in result.analysis.notices}


def test_a_strong_field_is_3_plus_with_everything_that_explains_it(ihc_result: Result) -> None:
    analysis, pictures = ihc_result.analysis, ihc_result.pictures
    assert analysis.outcome == "3+"
    assert analysis.prediction_set[0] == "3+"
    assert sum(analysis.probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert analysis.stain.stain is Stain.IHC and analysis.stain_source is StainSource.REAL
    assert set(pictures.heatmaps) == set(CAM_LAYERS)
    for heatmap in pictures.heatmaps.values():
        assert heatmap.shape == pictures.image.shape[:2]
        assert np.nanmin(heatmap) >= 0 and np.nanmax(heatmap) <= 1
    assert pictures.dab is not None and pictures.dab.shape == pictures.image.shape[:2]
    assert analysis.measurements is not None and analysis.measurements.dab_area_percent > 20


def test_the_provenance_names_image_weights_and_time_per_step(ihc_result: Result) -> None:
    made = ihc_result.analysis.provenance
    assert len(made.image_sha256) == 64
    assert list(made.models) == ["nuclei", "ihcnet"] and all(len(sha256) == 64 for sha256 in made.models.values())
    assert {"reading", "checking quality", "recognising the stain", "scoring", "explaining"} <= set(made.seconds)
    assert made.size == (1024, 1024) and made.mpp is None and made.scale is Scale.UNKNOWN


def test_the_score_rests_on_all_tissue_tiles(ihc_result: Result) -> None:
    assert len(ihc_result.analysis.tiles) == 4
    assert ihc_result.analysis.rule


def test_an_unknown_scale_is_said(ihc_result: Result) -> None:
    assert "scale-unknown" in codes(ihc_result)


def test_h_and_e_is_stained_virtually_and_marked(engine: Engine, shared_data: Path) -> None:
    result = score(engine, shared_data / "bci" / "HE" / "00002_test_2+.png")
    assert result.analysis.stain.stain is Stain.HE
    assert result.analysis.stain_source is StainSource.VIRTUAL
    assert "virtual-stain" in codes(result)
    assert list(result.analysis.provenance.models) == ["pspstain", "ihcnet"]
    assert result.pictures.ihc.shape == result.pictures.image.shape
    assert not np.array_equal(result.pictures.ihc, result.pictures.image)


def test_a_core_is_tiled_and_its_blank_tiles_are_left_out(engine: Engine, shared_data: Path) -> None:
    result = score(engine, shared_data / "her2_cores" / "0" / "ccb66c10.jpg", Options(scale=Scale.X40))
    assert result.analysis.outcome == "0"
    assert 40 < len(result.analysis.tiles) < 121
    assert "blank tiles were left out" in result.analysis.rule
    assert max(result.pictures.image.shape) == DISPLAY_PX


def test_pr_counts_nuclei_beside_the_network(engine: Engine, shared_data: Path) -> None:
    field = shared_data / "ki67_points" / "bcdata" / "8.png"
    result = score(engine, field, Options(marker=Marker.PR, scale=Scale.X40))
    assert result.analysis.outcome == "PR+"
    assert result.analysis.measurements is not None
    assert 40 < (result.analysis.measurements.positive_nuclei_percent or 0) < 90
    assert set(result.pictures.heatmaps) == {"conv1", "conv2"}


def test_another_class_can_be_explained(engine: Engine, shared_data: Path) -> None:
    options = Options(target="0", layers=("denseblock4",))
    result = score(engine, shared_data / "bci" / "IHC" / "00006_test_3+.png", options)
    assert result.analysis.target == "0"
    assert set(result.pictures.heatmaps) == {"denseblock4"}


def test_a_cat_is_not_scored_unless_the_user_insists(engine: Engine) -> None:
    cat = encode_png(photographs.chelsea())
    refused = analyze(cat, "cat.png", Options(), engine=engine)
    assert refused.analysis.outcome == NOT_SCORED and refused.analysis.confidence is None
    assert "neither-stain" in codes(refused)
    insisted = analyze(cat, "cat.png", Options(insist=True), engine=engine)
    assert insisted.analysis.outcome in (*CLASSES[Marker.HER2], INSUFFICIENT)
    assert "stain-overruled" in codes(insisted)


def test_noise_is_not_scored(engine: Engine) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (600, 600, 3), dtype=np.uint8)
    assert analyze(encode_png(noise), "noise.png", Options(), engine=engine).analysis.outcome == NOT_SCORED


def test_a_blank_slide_gets_no_score_even_if_called_ihc(engine: Engine) -> None:
    blank = encode_png(np.full((900, 900, 3), 238, np.uint8))
    for choice in (StainChoice.AUTO, StainChoice.IHC, StainChoice.HE):
        result = analyze(blank, "blank.png", Options(stain=choice), engine=engine)
        assert result.analysis.outcome in (NOT_SCORED, INSUFFICIENT)
        assert result.analysis.confidence is None
        assert "blank" in codes(result)


def test_a_blurred_field_is_warned_about(engine: Engine, shared_data: Path) -> None:
    image = cv2.imread(str(shared_data / "bci" / "IHC" / "00002_test_2+.png"))[..., ::-1]
    result = analyze(encode_png(cv2.GaussianBlur(image, (0, 0), 6)), "blurred.png", Options(), engine=engine)
    assert "blurred" in codes(result)


@pytest.mark.parametrize(
    ("options", "words"),
    [(Options(layers=("layer9",)), "no layer called 'layer9'"), (Options(target="4+"), "'4+' is not a class of HER2")],
)
def test_options_that_do_not_exist_are_named(engine: Engine, options: Options, words: str) -> None:
    with pytest.raises(InvalidOptionError, match=words.replace("+", r"\+")):
        analyze(encode_png(photographs.chelsea()), "cat.png", options, engine=engine)


def test_progress_names_the_steps_and_can_cancel(engine: Engine, shared_data: Path) -> None:
    data = (shared_data / "bci" / "IHC" / "00006_test_3+.png").read_bytes()
    steps: list[str] = []
    analyze(data, "field.png", Options(), engine=engine, progress=lambda step, _done, _total: steps.append(step))
    assert [steps.index(step) for step in ("reading", "scoring", "explaining")] == sorted(
        steps.index(step) for step in ("reading", "scoring", "explaining")
    )

    def cancel(step: str, _done: int, _total: int) -> None:
        if step == "scoring":
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        analyze(data, "field.png", Options(), engine=engine, progress=cancel)


def test_h_and_e_called_ihc_is_refused_with_the_reason_unless_the_user_insists(
    engine: Engine, shared_data: Path
) -> None:
    path = shared_data / "bci" / "HE" / "00002_test_2+.png"
    refused = score(engine, path, Options(stain=StainChoice.IHC, scale=Scale.X20))
    assert refused.analysis.outcome == NOT_SCORED and refused.nuclei is None
    assert any("pink eosin" in notice.message for notice in refused.analysis.notices)
    insisted = score(engine, path, Options(stain=StainChoice.IHC, scale=Scale.X20, insist=True))
    assert insisted.analysis.outcome != NOT_SCORED and insisted.nuclei is None


def test_a_gray_copy_of_an_ihc_is_refused(engine: Engine, shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "gray.png"
    field = shared_data / "ki67_points" / "bcdata" / "1.png"
    cv2.imwrite(str(path), cv2.imread(str(field), cv2.IMREAD_GRAYSCALE))
    result = score(engine, path, Options(marker=Marker.PR, stain=StainChoice.IHC))
    assert result.analysis.outcome == NOT_SCORED
    assert any("gray" in notice.message for notice in result.analysis.notices)
