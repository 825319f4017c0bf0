"""The API's answer: every documented field, pictures that decode, planes that survive the wire."""

import base64
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from results_by_hand import hand_made_result

from core.api.schemas import PredictAnswer
from core.labels import CAM_LAYERS, INSUFFICIENT, Marker
from core.reports.answer import API_PX, decode_plane, encode_json, to_json
from core.types import Pictures, Result, RGBImage

DOCUMENTED = {
    "confidence",
    "probabilities",
    "prediction_set",
    "stain",
    "stain_source",
    "tiles",
    "gradcam",
    "pseudo_color",
    "synthetic_ihc",
    "quantification",
    "quality",
    "warnings",
    "provenance",
    "id",
}


def decoded(png: str) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize(("marker", "outcome", "key"), [(Marker.HER2, "2+", "score"), (Marker.PR, "PR+", "status")])
def test_has_every_documented_field(ihc_image: RGBImage, marker: Marker, outcome: str, key: str) -> None:
    answer = to_json(hand_made_result(ihc_image, marker=marker, outcome=outcome), entry_id="e1")
    assert DOCUMENTED | {key} <= answer.keys()
    assert (answer[key], answer["id"], answer["stain"], answer["stain_source"]) == (outcome, "e1", "ihc", "real")
    assert {"model", "weights_sha256", "version", "image_sha256", "seconds"} <= answer["provenance"].keys()
    assert {"x", "y", "width", "height", "score", "confidence"} <= answer["tiles"][0].keys()
    assert {"positive_nuclei_percent", "allred", "h_score"} <= answer["quantification"].keys()


def test_survives_json(ihc_image: RGBImage) -> None:
    answer = to_json(hand_made_result(ihc_image))
    assert json.loads(encode_json(answer)) == answer


def test_pictures_are_png_of_the_uploads_shape(ihc_image: RGBImage) -> None:
    answer = to_json(hand_made_result(ihc_image))
    assert set(answer["gradcam"]) == set(CAM_LAYERS)
    shapes = {decoded(png).shape for png in [*answer["gradcam"].values(), answer["pseudo_color"]]}
    assert shapes == {(512, 512, 3)}
    assert answer["synthetic_ihc"] is None


def test_pictures_stay_within_the_documented_size(ihc_image: RGBImage) -> None:
    answer = to_json(hand_made_result(np.tile(ihc_image, (2, 3, 1))))
    assert decoded(answer["pseudo_color"]).shape == (683, API_PX, 3)


def test_virtual_stain_is_delivered_and_marked(ihc_image: RGBImage) -> None:
    answer = to_json(hand_made_result(ihc_image, virtual=True))
    assert answer["stain_source"] == "virtual"
    assert answer["provenance"]["model"] == "ihcnet"
    assert answer["provenance"]["models"].keys() == {"pspstain", "ihcnet"}
    assert np.array_equal(decoded(answer["synthetic_ihc"])[..., ::-1], ihc_image[..., ::-1])
    assert b"not real staining" in base64.b64decode(answer["synthetic_ihc"])


def test_pictures_can_be_left_out(ihc_image: RGBImage) -> None:
    answer = to_json(hand_made_result(ihc_image), pictures=False)
    assert (answer["gradcam"], answer["pseudo_color"], answer["synthetic_ihc"]) == ({}, None, None)


def test_nothing_scored_is_null_not_zero(ihc_image: RGBImage) -> None:
    scored = hand_made_result(ihc_image).analysis
    analysis = replace(scored, outcome=INSUFFICIENT, confidence=None, probabilities={}, measurements=None, tiles=())
    provenance = replace(analysis.provenance, models={})
    answer = to_json(Result(replace(analysis, provenance=provenance), Pictures(ihc_image, ihc_image)))
    assert (answer["score"], answer["confidence"], answer["quantification"]) == (INSUFFICIENT, None, None)
    assert (answer["provenance"]["model"], answer["gradcam"], answer["pseudo_color"]) == (None, {}, None)


def test_raw_planes_survive_the_wire(ihc_image: RGBImage) -> None:
    result = hand_made_result(ihc_image)
    answer = json.loads(encode_json(to_json(result, raw=True)))
    for name, plane in (("dab", result.pictures.dab), ("hematoxylin", result.pictures.hematoxylin)):
        assert plane is not None
        back = decode_plane(decoded(answer[name]["png"]), answer[name]["max"])
        assert np.abs(back - plane).max() <= answer[name]["max"] / 254
    heatmap = result.pictures.heatmaps["conv0"]
    back = decode_plane(decoded(answer["heatmaps"]["conv0"]["png"]), answer["heatmaps"]["conv0"]["max"])
    assert np.array_equal(np.isnan(back), np.isnan(heatmap))
    assert np.nanmax(np.abs(back - heatmap)) <= 1 / 254


def test_figures_that_are_no_numbers_become_null(ihc_image: RGBImage) -> None:
    result = hand_made_result(ihc_image)
    analysis = replace(result.analysis, quality=replace(result.analysis.quality, sharpness=float("nan")))
    answer = json.loads(encode_json(to_json(Result(analysis, result.pictures), pictures=False)))
    assert answer["quality"]["sharpness"] is None
    assert answer["confidence"] == pytest.approx(0.7)


@pytest.mark.parametrize(("marker", "outcome"), [(Marker.HER2, "2+"), (Marker.PR, "PR+")])
def test_fits_the_shape_that_the_api_documents(ihc_image: RGBImage, marker: Marker, outcome: str) -> None:
    answer = to_json(hand_made_result(ihc_image, marker=marker, outcome=outcome), pictures=False)
    missing = PredictAnswer.model_fields.keys() - answer.keys()
    assert missing == ({"status"} if marker is Marker.HER2 else {"score"})
    PredictAnswer.model_validate({"score": None, "status": None} | answer)
