"""The yardstick: a plain server of the same networks, as one would write it first.

Batch 1, eager float32, a separate forward and backward pass for every explained layer, PNG of every picture at its
full size, all in one thread of Python. It answers what the workbench answers: probabilities, five heat maps laid over
the picture, a pseudo-colour picture, a chart, and the virtual IHC for H&E.
"""

import base64
import io
import json
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

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
ONE_TILE_PX, TILE_PX, STRIDE_PX, INPUT_PX = 1400, 400, 300, 224


class PlainServer:
    """Networks in float32 on the CPU, one image at a time."""

    def __init__(self, classifier: nn.Module, generator: nn.Module) -> None:
        self.classifier, self.generator = deepcopy(classifier).float().eval(), deepcopy(generator).float().eval()
        self.classifier.requires_grad_(True)  # as after loading: nobody freezes the weights of a plain server

    def predict(self, data: bytes, *, from_he: bool) -> str:
        """Answer one upload as JSON text."""
        image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        answer: dict[str, object] = {"original": png(image)}
        if from_he:
            image = self.stain(image)
            answer["generated"] = png(image)
        tiles = cut(image)
        scored = [self.probabilities(tile) for tile in tiles]
        best = int(np.argmax([probs.max() for probs in scored]))
        tile, probs = tiles[best], scored[best]
        answer |= {"score": list(Her2Score)[int(probs.argmax())], "probs": probs.tolist(), "chart": chart(probs)}
        answer["resized"] = png(cv2.resize(tile, (INPUT_PX, INPUT_PX)))
        answer["gradcam"] = {
            layer: png(overlay(image, self.grad_cam(tile, layer, int(probs.argmax())))) for layer in CAM_LAYERS
        }
        answer["pseudo"] = png(pseudo_colour(image))
        return json.dumps(answer)

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


def cut(image: np.ndarray) -> list[np.ndarray]:
    """The whole image up to 1400 px, else 400 px tiles at a stride of 300 px."""
    height, width = image.shape[:2]
    if max(height, width) <= ONE_TILE_PX:
        return [image]
    return [
        image[y : y + TILE_PX, x : x + TILE_PX]
        for y in range(0, height - STRIDE_PX, STRIDE_PX)
        for x in range(0, width - STRIDE_PX, STRIDE_PX)
    ]


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
