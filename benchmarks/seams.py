"""Steps of brightness along tile borders of virtual stains, beside plain tiles put side by side.

    python -m benchmarks.seams [--most 12] [--data ../shared/data]

Real H&E (BCI, MIST and others) as it is, taken as being at the scale of the generator, so that every field has many
tiles. The index is the mean step at tile borders over the mean step inside tiles; 1 is what tissue has, and the H&E
itself at the same borders shows how much of it is chance. Aim: at most 1.2 with overlap and blending, on the whole.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.config import get_settings
from core.errors import InvalidImageError
from core.images import decode
from core.inference.engine import Engine
from core.inference.seams import seam_index
from core.inference.tile_blending import TILE_PX
from core.inference.virtual_staining import stain_image
from core.phantoms.phantom import he_phantom
from core.types import RGBImage

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
LARGEST = 1536


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=12, help="fields at most, spread evenly")
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()
    some = [each for each in fields(arguments.data) if min(each[1].shape[:2]) >= 2 * TILE_PX]
    chosen = [some[round(index)] for index in np.linspace(0, len(some) - 1, min(arguments.most, len(some)))]
    engine = Engine(get_settings().weights_dir)
    print(f"{'field':44}{'pixels':>12}{'plain tiles':>13}{'blended':>9}{'the H&E':>9}")
    rows = []
    for name, image in chosen:
        row = [seam_index(plain(engine, image), overlap=0), seam_index(stain_image(engine, image)), seam_index(image)]
        rows.append([each or np.nan for each in row])
        size = f"{image.shape[1]} x {image.shape[0]}"
        print(f"{name[:42]:44}{size:>12}" + "{:13.2f}{:9.2f}{:9.2f}".format(*rows[-1]))
    mean, worst = np.mean(rows, axis=0), np.max(rows, axis=0)
    print(f"{'mean of ' + str(len(rows)):56}{mean[0]:13.2f}{mean[1]:9.2f}{mean[2]:9.2f}")
    print(f"{'largest':56}{worst[0]:13.2f}{worst[1]:9.2f}{worst[2]:9.2f}")
    print(f"ratio of plain to blended: {mean[0] / mean[1]:.1f}; blended {mean[1]:.2f} (aim: at most 1.2)")


def fields(data: Path = DATA) -> Iterator[tuple[str, RGBImage]]:
    """Yield real H&E fields, whole tiles of them; a simulated one where there are none."""
    paths = sorted(path for place in ("bci/HE", "mist", "stains/HE") for path in (data / place).rglob("*"))
    found = False
    for path in paths:
        if path.is_file() and "IHC" not in path.parts:
            try:
                image = decode(path.read_bytes(), path.name, max_bytes=10**9, max_pixels=10**9).image
            except InvalidImageError:
                continue
            height, width = (min(side, LARGEST) // TILE_PX * TILE_PX for side in image.shape[:2])
            if height and width:
                found = True
                yield path.name, np.ascontiguousarray(image[:height, :width])
    if not found:
        yield "simulated H&E", he_phantom(31).image


def plain(engine: Engine, image: RGBImage) -> RGBImage:
    """Stain tiles without overlap, put side by side."""
    rows, columns = (side // TILE_PX for side in image.shape[:2])
    tiles = image.reshape(rows, TILE_PX, columns, TILE_PX, 3).swapaxes(1, 2).reshape(-1, TILE_PX, TILE_PX, 3)
    stained = engine.stain(np.ascontiguousarray(tiles)).reshape(rows, columns, TILE_PX, TILE_PX, 3)
    return np.ascontiguousarray(stained.swapaxes(1, 2).reshape(image.shape))


if __name__ == "__main__":
    main()
