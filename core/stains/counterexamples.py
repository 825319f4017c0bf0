"""Images that are neither H&E nor IHC: photographs that come with the libraries, and synthetic ones."""

from collections.abc import Callable, Iterator
from importlib import resources

import cv2
import numpy as np

from core.images import decode
from core.labels import Stain
from core.stains.augmentation import clipped
from core.types import RGBImage

PHOTOGRAPHS = (
    ("skimage.data", "astronaut.png"),
    ("skimage.data", "brick.png"),
    ("skimage.data", "camera.png"),
    ("skimage.data", "cell.png"),
    ("skimage.data", "chelsea.png"),
    ("skimage.data", "clock_motion.png"),
    ("skimage.data", "coffee.png"),
    ("skimage.data", "coins.png"),
    ("skimage.data", "color.png"),
    ("skimage.data", "grass.png"),
    ("skimage.data", "gravel.png"),
    ("skimage.data", "hubble_deep_field.jpg"),
    ("skimage.data", "logo.png"),
    ("skimage.data", "moon.png"),
    ("skimage.data", "motorcycle_left.png"),
    ("skimage.data", "page.png"),
    ("skimage.data", "retina.jpg"),
    ("skimage.data", "rocket.jpg"),
    ("skimage.data", "text.png"),
    ("sklearn.datasets.images", "china.jpg"),
    ("sklearn.datasets.images", "flower.jpg"),
    ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
)
"""(package, file) of pictures that are installed with the requirements; those missing are left out."""


def photographs() -> Iterator[tuple[str, RGBImage]]:
    """Yield (name, (H, W, 3) uint8 RGB) of every photograph that is installed."""
    for package, path in PHOTOGRAPHS:
        file = resources.files(package).joinpath(path)
        if file.is_file():
            yield path, decode(file.read_bytes(), path, max_bytes=10**8, max_pixels=10**8).image


def white_noise(random: np.random.Generator, side: int = 384) -> RGBImage:
    """Independent pixels, gray or coloured."""
    channels = 3 if random.random() < 0.7 else 1
    noise = random.integers(0, 256, (side, side, channels), dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(noise, (side, side, 3)))


def cloud_noise(random: np.random.Generator, side: int = 384) -> RGBImage:
    """Noise with a power spectrum as natural pictures have, in random colours around a random mean."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]) + 1 / side
    spectrum = np.power(frequency, -random.uniform(0.5, 2.2))
    fields = [np.fft.irfft2(spectrum * np.fft.rfft2(random.normal(size=(side, side)))) for _ in range(3)]
    mixed = np.stack([field / field.std() for field in fields], axis=2) @ random.normal(0, 1, (3, 3))
    return clipped(random.uniform(40, 215, 3) + mixed * random.uniform(10, 45))


def dead_leaves(random: np.random.Generator, side: int = 384) -> RGBImage:
    """Objects in front of each other, lit and textured: the occlusion statistics of photographs."""
    image = np.empty((side, side, 3), np.float32)
    image[:] = random.uniform(0, 255, 3)
    palette = random.uniform(0, 255, (random.integers(3, 12), 3))
    for _ in range(int(random.integers(60, 400))):
        radius = int(min(side / 2.5, 4 / random.uniform(0.015, 1) ** 0.9))
        x, y = (int(value) for value in random.integers(0, side, 2))
        colour = np.clip(palette[random.integers(len(palette))] * random.uniform(0.6, 1.2), 0, 255)
        axes = (max(1, radius), max(1, int(radius * random.uniform(0.3, 1))))
        cv2.ellipse(image, (x, y), axes, float(random.uniform(0, 180)), 0, 360, colour.tolist(), -1, cv2.LINE_AA)
    grain = cv2.GaussianBlur(random.normal(0, 1, (side, side, 1)).astype(np.float32), (0, 0), random.uniform(0.6, 3))
    image = image + grain[..., None] * random.uniform(0, 60)
    start, end = random.uniform(0.6, 1.1, 2)
    shade = np.linspace(float(start), float(end), side, dtype=np.float32)[:, None, None]
    return clipped(image * shade)


def drawing(random: np.random.Generator, side: int = 384) -> RGBImage:
    """Lines, boxes and letters on a plain ground: charts, forms, screenshots."""
    ground = random.uniform(225, 255, 3) if random.random() < 0.75 else random.uniform(0, 60, 3)
    image = np.empty((side, side, 3), np.uint8)
    image[:] = ground.astype(np.uint8)
    for _ in range(int(random.integers(5, 80))):
        colour = tuple(int(value) for value in random.integers(0, 256, 3)) if random.random() < 0.5 else (20, 20, 20)
        start, end = (tuple(int(value) for value in random.integers(0, side, 2)) for _ in range(2))
        kind = random.integers(3)
        if kind == 0:
            cv2.line(image, start, end, colour, int(random.integers(1, 5)), cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(image, start, end, colour, int(random.choice([-1, 1, 2])))
        else:
            cv2.putText(image, "sample text 0123", start, 0, float(random.uniform(0.3, 1)), colour, 1, cv2.LINE_AA)
    return image


def gradient(random: np.random.Generator, side: int = 384) -> RGBImage:
    """A smooth change from one colour to another: sky, wall, pen smear, uneven light on empty glass."""
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    across = ramp[None, :, None] * random.uniform(0, 1) + ramp[:, None, None] * random.uniform(0, 1)
    ends = random.uniform(0, 255, (2, 3)) if random.random() < 0.7 else random.uniform(200, 255, (2, 3))
    image = ends[0] + (ends[1] - ends[0]) * across / max(float(across.max()), 1e-6)
    return clipped(image + random.normal(0, random.uniform(0, 3), image.shape))


def fluorescence(random: np.random.Generator, side: int = 384) -> RGBImage:
    """Glowing spots on black, as fluorescence microscopy and night skies show."""
    image = np.zeros((side, side, 3), np.float32)
    for _ in range(int(random.integers(1, 4))):
        spots = np.zeros((side, side), np.float32)
        for x, y in random.integers(0, side, (int(random.integers(20, 200)), 2)):
            cv2.circle(spots, (int(x), int(y)), int(random.integers(1, 12)), float(random.uniform(0.3, 1)), -1)
        image += cv2.GaussianBlur(spots, (0, 0), random.uniform(0.7, 4))[..., None] * random.uniform(0, 255, 3)
    return clipped(image + random.normal(4, 3, image.shape))


def empty_glass(random: np.random.Generator, side: int = 384) -> RGBImage:
    """Glass without tissue: dust, scratches, a coverslip edge with another gray behind it, uneven light."""
    image = np.empty((side, side, 3), np.float32)
    image[:] = random.uniform(170, 252) * (1 - np.abs(random.normal(0, 0.015, 3)))
    x = np.arange(side, dtype=np.float32)
    edge = random.uniform(0, side) + random.normal(0, 0.2) * x + random.normal(0, 3e-4) * x * x
    behind = x[None] < edge[:, None]
    image[behind] *= random.uniform(0.9, 1.0)
    image *= 1 - random.uniform(0, 0.06) * (x[None, :, None] / side) * (x[:, None, None] / side)
    points = np.stack([edge, x], axis=1).astype(np.int32)
    if random.random() < 0.6:
        cv2.polylines(image, [points], False, (random.uniform(10, 190),) * 3, int(random.integers(1, 6)), cv2.LINE_AA)
    for x_px, y_px in random.integers(0, side, (int(random.integers(0, 40)), 2)):
        colour = random.uniform(20, 230) * (1 - np.abs(random.normal(0, 0.04, 3)))
        cv2.circle(image, (int(x_px), int(y_px)), int(random.integers(1, 5)), colour.tolist(), -1, cv2.LINE_AA)
    return clipped(cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 2)) + random.normal(0, 2, image.shape))


SYNTHETIC: tuple[Callable[[np.random.Generator], RGBImage], ...] = (
    white_noise,
    cloud_noise,
    dead_leaves,
    drawing,
    gradient,
    empty_glass,
    fluorescence,
)


def add_pen(image: RGBImage, random: np.random.Generator) -> RGBImage:
    """Cover a good part of a slide with the smear of a felt pen: then it has to be rejected."""
    side = max(image.shape[:2])
    cover = np.zeros(image.shape[:2], np.float32)
    for _ in range(int(random.integers(2, 5))):
        points = random.uniform(0, 1, (2, 2)) * (image.shape[1], image.shape[0])
        start, end = (tuple(int(value) for value in point) for point in points)
        cv2.line(cover, start, end, 1.0, int(side * random.uniform(0.1, 0.3)), cv2.LINE_AA)
    cover = cv2.GaussianBlur(cover, (0, 0), side * random.uniform(0.005, 0.04))[..., None]
    pens = ([1.0, 0.25, 0.45], [0.05, 1.1, 0.9], [1.3, 0.9, 0.15], [0.9, 0.95, 1.0])  # green, red, blue, black
    density = np.array(pens[random.integers(4)]) * random.uniform(0.5, 1.4)
    return clipped(image * np.power(10.0, -density * cover))


def recoloured(image: RGBImage, stain: Stain, random: np.random.Generator) -> RGBImage:
    """Turn tissue into something that is no H&E or IHC: gray, negative, or (H&E) green instead of pink."""
    kind = random.integers(3)
    if kind == 0:
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), dtype=np.uint8)
    if kind == 1 and stain is Stain.HE:
        # Other exchanges of channels turn one stain into the colours of the other.
        return np.ascontiguousarray(image[..., [1, 0, 2]])
    return 255 - image
