"""The yardstick: a plain server of the same networks, as one would write it first.

Batch 1, eager float32, a separate forward and backward pass for every explained layer, PNG of every picture at its
full size, all in one thread of Python. It answers what the workbench answers: probabilities, five heat maps laid over
the picture, a pseudo-colour picture, a chart, and the virtual IHC for H&E.
"""

import base64
import io
import json
from collections.abc import Sequence
from copy import deepcopy

import cv2
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn

from core.labels import CAM_LAYERS, Her2Score
from core.slides.tiling import Box

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ONE_TILE_PX, TILE_PX, STRIDE_PX, INPUT_PX = 1400, 400, 300, 224
BLANK_GRAY = 220  # the glass of the cores is at 232


class PlainServer:
    """Networks in float32 on the CPU, one image at a time."""

    def __init__(self, classifier: nn.Module, generator: nn.Module) -> None:
        self.classifier, self.generator = deepcopy(classifier).float().eval(), deepcopy(generator).float().eval()
        self.classifier.requires_grad_(True)  # as after loading: nobody freezes the weights of a plain server

    def predict(self, data: bytes, *, from_he: bool, explained: Sequence[Box] = ()) -> str:
        """Answer one upload as JSON text.

        Args:
            explained: the tiles to score and to explain; by default one tile answers for the image, as published.
        """
        image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        answer: dict[str, object] = {"original": png(image)}
        if from_he:
            image = self.stain(image)
            answer["generated"] = png(image)
        boxes = list(explained) or cut(image)
        scored = [self.probabilities(crop(image, box)) for box in boxes]
        best = int(np.argmax([probs.max() for probs in scored]))
        probs, target = scored[best], int(scored[best].argmax())
        answer |= {"score": list(Her2Score)[target], "probs": probs.tolist(), "chart": chart(probs)}
        answer["resized"] = png(cv2.resize(crop(image, boxes[best]), (INPUT_PX, INPUT_PX)))
        shown = boxes if explained else [boxes[best]]
        answer["gradcam"] = {layer: png(self.explained(image, shown, layer, target)) for layer in CAM_LAYERS}
        answer["pseudo"] = png(pseudo_colour(image))
        return json.dumps(answer)

    def explained(self, image: np.ndarray, boxes: Sequence[Box], layer: str, target: int) -> np.ndarray:
        """The picture with the heat maps of some tiles over it."""
        cam = np.zeros(image.shape[:2], np.float32)
        for box in boxes:
            heat = self.grad_cam(crop(image, box), layer, target)
            cam[box.y : box.y + box.height, box.x : box.x + box.width] = cv2.resize(heat, (box.width, box.height))
        return overlay(image, cam)

    def stain(self, image: np.ndarray) -> np.ndarray:
        """H&E to virtual IHC through one 256 px pass, back at the size of the upload."""
        small = torch.from_numpy(cv2.resize(image, (256, 256))).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            made = self.generator(small)[0]
        painted = ((made.permute(1, 2, 0).numpy() + 1) * 127.5).clip(0, 255).astype(np.uint8)
        return cv2.resize(painted, (image.shape[1], image.shape[0]))

    def probabilities(self, tile: np.ndarray) -> np.ndarray:
        """Softmax of one tile."""
        with torch.no_grad():
            return torch.softmax(self.classifier(batch(tile)), 1)[0].numpy()

    def grad_cam(self, tile: np.ndarray, layer: str, target: int) -> np.ndarray:
        """Grad-CAM of one layer, with its own forward and backward pass; (224, 224) in [0, 1]."""
        kept: dict[str, torch.Tensor] = {}
        module = getattr(self.classifier.backbone, layer)

        def keep(_module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
            # A clone, because DenseNet's in-place ReLU would rewrite the kept activations.
            output.register_hook(lambda grad: kept.__setitem__("gradient", grad))
            kept["activation"] = output.clone()
            return output.clone()

        handle = module.register_forward_hook(keep)
        self.classifier.zero_grad()
        self.classifier(batch(tile))[0, target].backward()
        handle.remove()
        weights = kept["gradient"].mean((2, 3), keepdim=True)
        cam = torch.relu((weights * kept["activation"]).sum(1))[0].detach().numpy()
        return cv2.resize(cam / (cam.max() + 1e-8), (INPUT_PX, INPUT_PX))


def batch(tile: np.ndarray) -> torch.Tensor:
    """(1, 3, 224, 224) float32, ImageNet mean and standard deviation."""
    small = cv2.resize(tile, (INPUT_PX, INPUT_PX)).astype(np.float32) / 255
    return torch.from_numpy(((small - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)[None]


def cut(image: np.ndarray) -> list[Box]:
    """The whole image up to 1400 px, else the tiles of 400 px at a stride of 300 px that hold tissue."""
    height, width = image.shape[:2]
    if max(height, width) <= ONE_TILE_PX:
        return [Box(0, 0, width, height)]
    starts = [(x, y) for y in range(0, height - STRIDE_PX, STRIDE_PX) for x in range(0, width - STRIDE_PX, STRIDE_PX)]
    boxes = [Box(x, y, min(TILE_PX, width - x), min(TILE_PX, height - y)) for x, y in starts]
    return [box for box in boxes if (cv2.cvtColor(crop(image, box), cv2.COLOR_RGB2GRAY) < BLANK_GRAY).mean() > 0.05]


def crop(image: np.ndarray, box: Box) -> np.ndarray:
    """One tile of an image."""
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def overlay(image: np.ndarray, cam: np.ndarray) -> np.ndarray:
    """Heat map in jet over the picture at full size."""
    heat = cv2.applyColorMap(
        (cv2.resize(cam, (image.shape[1], image.shape[0])) * 255).astype(np.uint8), cv2.COLORMAP_JET
    )
    return cv2.addWeighted(image, 0.6, heat[..., ::-1].copy(), 0.4, 0)


def pseudo_colour(image: np.ndarray) -> np.ndarray:
    """Inverted gray in jet."""
    return cv2.applyColorMap(255 - cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLORMAP_JET)[..., ::-1]


def chart(probs: np.ndarray) -> str:
    """Bar chart of the probabilities as PNG."""
    figure, axes = plt.subplots()
    axes.bar([score.value for score in Her2Score], probs)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    return base64.b64encode(buffer.getvalue()).decode()


def png(image: np.ndarray) -> str:
    """Base64 of a PNG at Pillow's default compression."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()
