"""Heat maps: those of pytorch-grad-cam, from one pass, and nobody else's."""

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filled_weights import filled_model, noise, write_weights
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from core.errors import InvalidOptionError
from core.explain.cam import explain, explain_in_ways
from core.inference.engine import Engine
from core.labels import CAM_LAYERS, CamMethod
from core.models.simple_cnn import SimpleCNN
from core.models.transforms import Normalised
from core.models.weights import LoadedModel

REFERENCE = {
    CamMethod.GRAD_CAM: GradCAM,
    CamMethod.GRAD_CAM_PP: GradCAMPlusPlus,
    CamMethod.HIRES_CAM: HiResCAM,
    CamMethod.LAYER_CAM: LayerCAM,
}


@pytest.fixture
def simple() -> LoadedModel:
    """SimpleCNN with filled weights and a lock of its own."""
    return replace(filled_model("simple_cnn"), lock=threading.Lock())


def hooks(module: torch.nn.Module) -> int:
    return sum(len(part._forward_hooks) + len(part._backward_hooks) for part in module.modules())


def patchwork(count: int, side: int) -> np.ndarray:
    """Tiles with structure larger than a pixel."""
    return np.kron(noise(count, side // 16, side // 16, 3), np.ones((1, 16, 16, 1), np.uint8))


@pytest.mark.parametrize("method", REFERENCE)
@pytest.mark.parametrize("layer", ["conv1", "conv2"])
def test_each_method_is_that_of_pytorch_grad_cam(simple: LoadedModel, method: CamMethod, layer: str) -> None:
    tiles = patchwork(2, 128)
    batch = Normalised(simple.card, simple.module).normalise(torch.from_numpy(tiles)).requires_grad_()
    with REFERENCE[method](simple.module, [simple.module.get_submodule(layer)]) as reference:
        expected = reference(batch, [ClassifierOutputTarget(1)] * 2)
    expected = expected / expected.max(axis=(1, 2), keepdims=True)
    found = explain(simple, tiles, target=1, layers=[layer], method=method)[layer]
    # pytorch-grad-cam shifts each map to a minimum of 0 besides; after its ReLU that minimum is 0 already.
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_several_methods_come_from_one_pass(simple: LoadedModel) -> None:
    tile, methods = patchwork(1, 128), [CamMethod.GRAD_CAM, CamMethod.EIGEN_CAM]
    found = explain_in_ways(simple, tile[0], target=1, layer="conv2", methods=methods)

    assert list(found) == methods
    for method, heatmap in found.items():
        alone = explain(simple, tile, target=1, layers=["conv2"], method=method)["conv2"][0]
        np.testing.assert_allclose(heatmap, alone, atol=1e-4)


@pytest.mark.parametrize("method", CamMethod)
def test_heatmaps_fill_the_fixed_scale(simple: LoadedModel, method: CamMethod) -> None:
    maps = explain(simple, patchwork(3, 128), target=0, layers=["conv1", "conv2"], method=method)
    assert list(maps) == ["conv1", "conv2"]
    for heatmaps in maps.values():
        assert (heatmaps.shape, heatmaps.dtype) == ((3, 128, 128), np.float32)
        assert heatmaps.min() >= 0
        np.testing.assert_allclose(heatmaps.max(axis=(1, 2)), 1, rtol=1e-6)


def test_a_tile_is_explained_the_same_alone_and_among_others(simple: LoadedModel) -> None:
    tiles = patchwork(4, 128)
    together = explain(simple, tiles, target=1, layers=["conv2"], method=CamMethod.GRAD_CAM)["conv2"]
    alone = explain(simple, tiles[2:3], target=1, layers=["conv2"], method=CamMethod.GRAD_CAM)["conv2"]
    np.testing.assert_allclose(together[2:3], alone, atol=1e-4)


def test_nothing_that_supports_the_class_is_all_zeros(simple: LoadedModel) -> None:
    network = SimpleCNN()
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    silent = replace(simple, module=network.eval())
    heatmap = explain(silent, patchwork(1, 128), target=1, layers=["conv1"], method=CamMethod.GRAD_CAM)["conv1"]
    assert (heatmap == 0).all()


def test_hooks_and_modes_are_left_as_they_were(simple: LoadedModel) -> None:
    before = hooks(simple.module)
    for _ in range(3):
        explain(simple, patchwork(1, 128), target=1, layers=["conv1", "conv2"], method=CamMethod.GRAD_CAM)
    assert hooks(simple.module) == before == 0
    assert not simple.module.training
    assert not simple.lock.locked()
    assert all(parameter.grad is None for parameter in simple.module.parameters())


def test_hooks_and_lock_are_released_after_an_error(simple: LoadedModel) -> None:
    with pytest.raises(RuntimeError):
        explain(simple, noise(1, 64, 64, 3), target=1, layers=["conv1"], method=CamMethod.GRAD_CAM)
    assert (hooks(simple.module), simple.lock.locked()) == (0, False)


def test_works_inside_inference_mode(simple: LoadedModel) -> None:
    with torch.inference_mode():
        maps = explain(simple, patchwork(1, 128), target=1, layers=["conv2"], method=CamMethod.GRAD_CAM)
    assert maps["conv2"].max() == 1


def test_the_activation_is_not_rewritten_by_the_relu_behind_it(simple: LoadedModel) -> None:
    """A ReLU in place would leave no negative value in what the hook of a convolution captured."""
    from core.explain.gradients import capture

    captured = capture(simple, patchwork(1, 128), target=1, layers=["conv1"])["conv1"]
    assert captured.activations.min() < 0


def test_other_threads_are_not_captured(simple: LoadedModel) -> None:
    tiles = patchwork(2, 128)
    expected = explain(simple, tiles, target=1, layers=["conv2"], method=CamMethod.GRAD_CAM)["conv2"]
    found: list[np.ndarray] = []

    def again() -> None:
        found.append(explain(simple, tiles, target=1, layers=["conv2"], method=CamMethod.GRAD_CAM)["conv2"])

    threads = [threading.Thread(target=again) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(np.allclose(heatmap, expected, atol=1e-4) for heatmap in found)


def test_an_unknown_layer_or_class_is_refused(simple: LoadedModel) -> None:
    with pytest.raises(InvalidOptionError, match=r"no layer 'conv9'.*conv1, conv2"):
        explain(simple, patchwork(1, 128), target=1, layers=["conv9"], method=CamMethod.GRAD_CAM)
    with pytest.raises(InvalidOptionError, match="2 classes"):
        explain(simple, patchwork(1, 128), target=2, layers=["conv1"], method=CamMethod.GRAD_CAM)


def test_no_tiles_give_no_heatmaps(simple: LoadedModel) -> None:
    maps = explain(simple, np.zeros((0, 128, 128, 3), np.uint8), target=1, layers=["conv1"], method=CamMethod.GRAD_CAM)
    assert maps["conv1"].shape == (0, 128, 128)


@pytest.mark.slow
def test_the_compiled_graph_explains_as_autograd_does(tmp_path: Path) -> None:
    engine = Engine(write_weights(tmp_path, "ihcnet"), backend="openvino")
    compiled = engine.model("ihcnet")
    assert compiled.gradients is not None
    tiles = patchwork(5, 224)
    for method, least in ((CamMethod.GRAD_CAM, 0.97), (CamMethod.LAYER_CAM, 0.93), (CamMethod.EIGEN_CAM, 0.99)):
        found = explain(compiled, tiles, target=1, layers=CAM_LAYERS, method=method)
        expected = explain(replace(compiled, gradients=None), tiles, target=1, layers=CAM_LAYERS, method=method)
        for layer in CAM_LAYERS:
            if expected[layer].any():
                assert np.corrcoef(found[layer].ravel(), expected[layer].ravel())[0, 1] > least, (method, layer)
