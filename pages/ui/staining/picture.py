"""One virtual stain for the picture viewer: before and after with a slider, the density of DAB, the trust map."""

from typing import TYPE_CHECKING

from core.explain.pseudocolor import COLORMAPS
from pages.ui import layers

if TYPE_CHECKING:
    from core.staining_round import Stained

LAYER = {"kind": "map", "base": "ihc", "opacity": 70}


def pack(each: "Stained") -> bytes:
    """Lay its pictures out as the viewer reads them; the trust map where there is one."""
    import numpy as np

    from core.images import encode_jpeg, resize_to_fit
    from core.quality.stain_agreement import TARGET_WHITE
    from core.staining_round import picture
    from core.stains.separation import separate
    from core.types import DISPLAY_PX

    he, ihc = (resize_to_fit(picture(png), DISPLAY_PX) for png in (each.he, each.ihc))
    images = {"image": encode_jpeg(he, 90), "ihc": encode_jpeg(ihc, 90)}
    offered: list[dict[str, object]] = [
        {"id": "compare", "title": "H&E | virtual IHC", "kind": "compare", "base": "image"},
        {"id": "image", "title": "H&E", "kind": "image", "base": "image"},
        {"id": "ihc", "title": "Virtual IHC", "kind": "image", "base": "ihc"},
    ]
    if each.real is not None:
        images["real"] = encode_jpeg(resize_to_fit(picture(each.real), DISPLAY_PX), 90)
        offered.append({"id": "real", "title": "Real IHC", "kind": "image", "base": "real"})
    maps = {"dab": layers.density_map(separate(ihc, np.full(3, TARGET_WHITE)).dab, "DAB optical density, virtual")}
    offered.append({"id": "dab", "title": "DAB", "lut": "dab", "map": "dab", **LAYER, "opacity": 100})
    if each.trust is not None:
        maps["trust"] = layers.share_map(each.trust.map, "Disagreement: 0 none, 1 do not trust the stain")
        offered.append({"id": "trust", "title": "Trust map", "map": "trust", **LAYER})
    height, width = he.shape[:2]
    facts = each.facts
    # The viewer takes a packet it knows for the same picture: with the trust map it is another.
    header: dict[str, object] = {
        "id": each.id + ("-trust" if each.trust is not None else ""),
        "name": facts.name,
        "width": width,
        "height": height,
        "upload_width": facts.size[0],
        "upload_height": facts.size[1],
        "width_um": None if facts.mpp is None else facts.mpp * picture(each.he).shape[1],
        "banner": layers.VIRTUAL_BANNER,
        "layers": offered,
        "cams": [],
        "colormaps": list(COLORMAPS),
        "luts": layers.tables(),
        "colours": {},
        "tiles": [],
        "start": {"layer": "compare" if each.trust is None else "trust", "cam": "", "colormap": COLORMAPS[0]},
    }
    return layers.lay_out(header, images, maps)
