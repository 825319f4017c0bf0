"""How far the heat maps of the bundled networks can be trusted: `python benchmarks/faithfulness.py`.

The tile that supports the answer of a real field most is explained by every method; one row a method, over all fields.
Random orders of the same cells, and the same network with random weights, are the baselines.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from core.analysis import analyze
from core.config import ROOT
from core.explain.cam import explain
from core.explain.findings import Agreement, MapCheck
from core.explain.randomised import Randomised, compare
from core.inference.engine import Engine
from core.inference.scoring import CLASSIFIER
from core.labels import CAM_LAYERS, CLASSES, PRIMARY_CAM_LAYER, CamMethod, Marker, NucleiMethod
from core.models.weights import LoadedModel
from core.tile_check import TileCheck, TileWish, check_tile
from core.types import Heatmap, Options

FIELDS = {
    Marker.HER2: (
        "bci/IHC/00006_test_3+.png",
        "bci/IHC/00002_test_2+.png",
        "bci/IHC/00014_test_2+.png",
        "mist/IHC/31M2101871_17_22.jpg",
        "bci/IHC/00012_test_1+.png",
        "her2_cores/3+/a1f1510c.jpg",
        "her2_cores/2+/0123a214.jpg",
        "her2_cores/2+/da5928b4.jpg",
    ),
    Marker.PR: (
        "ki67_points/bcdata/1.png",
        "ki67_masks/Bladder1/ihc.png",
        "ki67_masks/Lung1/ihc.png",
        "ki67_points/shidc/p1_0299_1.jpg",
    ),
}
LAYERS = {Marker.HER2: CAM_LAYERS, Marker.PR: ("conv1", "conv2")}
PRIMARY = {Marker.HER2: PRIMARY_CAM_LAYER, Marker.PR: "conv2"}
"""Layer at which the methods are compared; Grad-CAM alone is tried with random weights at every layer."""

Layers = dict[str, tuple[Randomised, ...]]


def check_of(engine: Engine, path: Path, marker: Marker, *, explained: str) -> tuple[TileCheck, Layers] | None:
    """Explain the best tile of one field in every way, and by Grad-CAM at every layer with random weights."""
    data = path.read_bytes()
    result = analyze(data, path.name, Options(marker=marker, nuclei=NucleiMethod.NONE, explain=False), engine=engine)
    tiles, classes = result.analysis.tiles, CLASSES[marker]
    target = explained or result.analysis.outcome
    if target not in classes or not tiles:
        print(f"{path.name}: {result.analysis.outcome}, left out", flush=True)
        return None
    index = classes.index(target)
    best = max(range(len(tiles)), key=lambda tile: tiles[tile].probabilities[index])
    check = check_tile(data, result, TileWish(best, target, PRIMARY[marker], tuple(CamMethod)), engine=engine)
    spent = sum(each.seconds for each in check.attributions)
    asked = sum(each.answers for each in check.attributions)
    fit = next(each.fit for each in check.attributions if each.fit is not None)
    print(
        f"{path.name}: {target}, tile {best + 1}, network {check.faithfulness.score:.0%}, glass "
        f"{check.faithfulness.glass_score:.0%}, LIME's fit {fit:.2f}, LIME and occlusion {spent:.1f} s for {asked} "
        f"answers, everything {check.faithfulness.seconds:.1f} s",
        flush=True,
    )

    def maps_of(network: LoadedModel) -> dict[str, Heatmap]:
        method, layers = CamMethod.GRAD_CAM, LAYERS[marker]
        maps = explain(network, check.image[None], target=index, layers=layers, method=method)
        return {layer: heatmaps[0] for layer, heatmaps in maps.items()}

    loaded = engine.model(CLASSIFIER[marker])
    return check, compare(loaded, maps_of(loaded), maps_of)


def report_layers(layers: Sequence[Layers]) -> None:
    """Print how like itself Grad-CAM is at every layer once weights are random."""
    stages = [each.stage for each in next(iter(layers[0].values()))]
    print(f"\n| Grad-CAM at | {' | '.join(f'random: {stage}' for stage in stages)} |")
    print(f"|---|{'---|' * len(stages)}")
    for layer in layers[0]:
        found = [[field[layer][place].similarity for field in layers] for place in range(len(stages))]
        cells = [f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})" for each in found]
        print(f"| {layer} | {' | '.join(cells)} |")


def report(marker: Marker, checks: Sequence[TileCheck]) -> None:
    """Print one row a map."""
    found: dict[str, list[tuple[MapCheck, float]]] = defaultdict(list)
    seconds: dict[str, list[float]] = defaultdict(list)
    for check in checks:
        chance = statistics.mean(check.faithfulness.random.areas)
        for each in check.faithfulness.maps:
            found[each.name].append((each, chance))
        for each in check.attributions:
            seconds[each.method.value].append(each.seconds)
    fields = max(len(rows) for rows in found.values())
    print(f"\n## {marker.title}, {fields} fields\n")
    print("| map | deletion / random | faster than 19 random orders | insertion | heat on tissue |", end="")
    print(" like itself, random classifier | random weights everywhere (lowest to highest) | s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, rows in found.items():
        print(row_of(name, rows, seconds.get(name, [])))


def row_of(name: str, rows: Sequence[tuple[MapCheck, float]], seconds: Sequence[float]) -> str:
    """One line of the table: medians over fields."""
    ratio = statistics.median(each.curves.deletion_area / chance for each, chance in rows)
    inserted = statistics.median(each.curves.insertion_area for each, _ in rows)
    tissue = [each.on_tissue for each, _ in rows if each.on_tissue is not None]
    head = [each.randomised[0].similarity for each, _ in rows if each.randomised]
    whole = [each.similarity for each, _ in rows if each.similarity is not None]
    cells = [
        name,
        f"{ratio:.2f}",
        f"{sum(each.follows_answer for each, _ in rows)}/{len(rows)}",
        f"{inserted:.2f}",
        f"{statistics.median(tissue):.0%}" if tissue else "-",
        f"{statistics.median(head):.2f}" if head else "-",
        f"{statistics.median(whole):.2f} ({min(whole):.2f} to {max(whole):.2f})" if whole else "-",
        f"{statistics.median(seconds):.1f}" if seconds else "-",
    ]
    return f"| {' | '.join(cells)} |"


def report_agreement(checks: Sequence[TileCheck]) -> None:
    """Print how far each pair of maps of the same tile agrees."""
    pairs: dict[tuple[str, str], list[Agreement]] = defaultdict(list)
    for check in checks:
        for each in check.faithfulness.agreements:
            pairs[each.first, each.second].append(each)
    print("\n| maps | rank correlation | strongest fifth in common |\n|---|---|---|")
    for (first, second), found in pairs.items():
        ranks = [each.rank_correlation for each in found if each.rank_correlation is not None]
        tops = [each.overlap for each in found if each.overlap is not None]
        if ranks and tops:
            print(f"| {first}, {second} | {statistics.median(ranks):.2f} | {statistics.median(tops):.0%} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--fields", type=int, default=99, help="of each marker, the first so many")
    parser.add_argument("--marker", choices=[marker.value for marker in Marker], help="one marker only")
    parser.add_argument("--cache", type=Path, help="folder of networks converted before; converted anew without")
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATA_DIR", folder)
        engine = Engine(ROOT / "weights", cache_dir=arguments.cache or Path(folder) / "cache")
        for marker in Marker:
            if arguments.marker not in (None, marker.value):
                continue
            paths = [arguments.data / name for name in FIELDS[marker][: arguments.fields]]
            explained = "PR+" if marker is Marker.PR else ""  # a PR- field has nothing to point at
            found = [check_of(engine, path, marker, explained=explained) for path in paths]
            known = [each for each in found if each is not None]
            if known:
                report(marker, [check for check, _ in known])
                report_agreement([check for check, _ in known])
                report_layers([layers for _, layers in known])
    print(f"\n{engine.backend}, {os.cpu_count()} cores, {time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
