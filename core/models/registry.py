"""All networks of the workbench, by name."""

from functools import partial

from core.errors import NotFoundError
from core.labels import CLASSES, Marker
from core.models.card import HALF, IMAGENET_MEAN, IMAGENET_STD, ModelCard, Task
from core.models.ihcnet import IHCNet
from core.models.medsyngan import Discriminator, Generator
from core.models.nuclei_unet import NUCLEI_MPP, NUCLEI_TILE_PX, NucleiUNet
from core.models.resnet_generator import ResnetGenerator
from core.models.simple_cnn import SimpleCNN

_ALL = (
    ModelCard(
        name="ihcnet",
        title="IHCNet (HER2 score)",
        task=Task.CLASSIFICATION,
        marker=Marker.HER2,
        labels=CLASSES[Marker.HER2],
        input_px=224,
        tile_um=128.0,  # 512 px at 40x
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        parameters=19_210_372,
        licence="architecture: BSD-3-Clause (torchvision)",
        source="https://github.com/Lina-Askar/HER2-Classifier",
        build=IHCNet,
    ),
    ModelCard(
        name="simple_cnn",
        title="SimpleCNN (PR status)",
        task=Task.CLASSIFICATION,
        marker=Marker.PR,
        labels=CLASSES[Marker.PR],
        input_px=128,
        tile_um=32.0,  # 128 px at 40x
        mean=HALF,
        std=HALF,
        parameters=8_408_386,
        licence="architecture: as published with MedSynGAN",
        source="MedSynGAN, SimpleCNN classifier",
        build=SimpleCNN,
        white_level=240.0,
    ),
    ModelCard(
        name="pspstain",
        title="PSPStain generator (H&E to virtual IHC)",
        task=Task.VIRTUAL_STAINING,
        marker=Marker.HER2,
        labels=(),
        input_px=256,
        tile_um=256.0,  # 1.0 um per pixel
        mean=HALF,
        std=HALF,
        parameters=7_837_699,
        licence="architecture: as published with PSPStain",
        source="https://github.com/ccitachi/PSPStain",
        build=ResnetGenerator,
    ),
    ModelCard(
        name="medsyngan_g",
        title="MedSynGAN generator (synthetic PR images)",
        task=Task.SYNTHESIS,
        marker=Marker.PR,
        labels=CLASSES[Marker.PR],
        input_px=128,
        tile_um=32.0,
        mean=HALF,
        std=HALF,
        parameters=13_831_563,
        licence="architecture: as published with MedSynGAN",
        source="MedSynGAN",
        build=Generator,
    ),
    ModelCard(
        name="medsyngan_her2_g",
        title="MedSynGAN generator (synthetic HER2 images)",
        task=Task.SYNTHESIS,
        marker=Marker.HER2,
        labels=CLASSES[Marker.HER2],
        input_px=128,
        tile_um=64.0,  # 0.5 um per pixel
        mean=HALF,
        std=HALF,
        parameters=6_752_243,
        licence="architecture: as published with MedSynGAN, half as wide",
        source="MedSynGAN",
        build=partial(Generator, classes=4, width=32),
    ),
    ModelCard(
        name="medsyngan_d",
        title="MedSynGAN discriminator (real or synthetic)",
        task=Task.DISCRIMINATION,
        marker=Marker.PR,
        labels=CLASSES[Marker.PR],
        input_px=128,
        tile_um=32.0,
        mean=HALF,
        std=HALF,
        parameters=758_209,
        licence="architecture: as published with MedSynGAN",
        source="MedSynGAN",
        build=Discriminator,
    ),
    ModelCard(
        name="nuclei",
        title="Nuclei detector (nuclear DAB)",
        task=Task.DETECTION,
        marker=None,
        labels=(),
        input_px=NUCLEI_TILE_PX,
        tile_um=NUCLEI_TILE_PX * NUCLEI_MPP,
        mean=HALF,
        std=HALF,
        parameters=1_818_136,
        licence="architecture: own, after U-Net (Ronneberger et al. 2015) and CenterNet (Zhou et al. 2019)",
        source="IHC Workbench",
        build=NucleiUNet,
        white_level=240.0,
    ),
)

CARDS: dict[str, ModelCard] = {card.name: card for card in _ALL}


def get_card(name: str) -> ModelCard:
    """Return the card of a network.

    Raises:
        NotFoundError: there is no network of that name.
    """
    if name not in CARDS:
        raise NotFoundError(f"There is no model called {name!r}. The models are: {', '.join(CARDS)}.")
    return CARDS[name]
