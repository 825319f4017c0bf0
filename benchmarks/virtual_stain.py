"""Virtual IHC of pairs the generator never saw, beside doing nothing and beside recolouring.

    python -m benchmarks.virtual_stain [--data ../shared/data] [--weights FILE] [--pictures OUT.png]

Fields of 1024 px reduced to 256 px, IHC brought to one white background. SSIM and PSNR per pixel; DAB correlation and
Dice on blocks of 4 px, since the pairs are neighbouring sections and not one. "identity" is the H&E itself on the same
background, "recoloured" the H&E with mean and deviation of the training IHC.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from core.config import get_settings
from core.models.registry import get_card
from core.models.weights import load_weights
from core.quality.stain_agreement import judge
from core.training.data import Subset
from core.training.staining.judging import Method, identity, painter, recolouring, strip
from core.training.staining.pairs import open_fields
from core.training.staining.sets import shared_pairs

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights" / "pspstain.safetensors")
    parser.add_argument("--pictures", type=Path, help="write H&E, virtual and real IHC of the unseen pairs there")
    arguments = parser.parse_args()
    folder = get_settings().data_dir / "cache" / "pairs"
    fields = open_fields(shared_pairs(arguments.data), folder, scale=1.0, mpp=None)
    unseen, seen = (fields[subset].pairs() for subset in (Subset.TEST, Subset.TRAIN))
    virtual = painter(load_weights(get_card("pspstain"), arguments.weights).module)
    methods: dict[str, Method] = {"generator": virtual, "identity": identity, "recoloured": recolouring(seen)}
    print(f"{'':12}{'pairs':>14}{'SSIM':>8}{'PSNR':>8}{'DAB corr.':>11}{'DAB Dice':>10}{'DAB mean err.':>15}")
    for title, group in (("unseen", unseen), ("trained on", seen)):
        for name, method in methods.items():
            found = [judge(method(pair), pair.ihc) for pair in group]
            rows = np.array([(one.ssim, one.psnr, one.dab_correlation, one.dice, one.dab_error) for one in found])
            values, spread = rows.mean(axis=0), rows.std(axis=0)
            print(
                f"{name:12}{title + ' ' + str(len(group)):>14}{values[0]:8.3f}{values[1]:8.2f}{values[2]:11.3f}"
                f"{values[3]:10.3f}{values[4]:15.4f}   (SSIM +-{spread[0]:.3f}, DAB corr. +-{spread[2]:.3f}, "
                f"Dice +-{spread[3]:.3f})"
            )
    if arguments.pictures:
        picture = np.vstack([strip(pair, virtual) for pair in (*unseen, *seen[:6])])
        cv2.imwrite(str(arguments.pictures), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
