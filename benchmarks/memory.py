"""Memory of the server's process: idle, and over 200 analyses of different images.

    python -m benchmarks.memory [--data ../shared/data] [--analyses 200] [--plot docs/memory.png]

Prints the resident memory after every 20 analyses and the growth of the second half. Aim: under 2 GB, no growth.
"""

import argparse
import gc
import os
import tempfile
from pathlib import Path

from core.analysis import analyze
from core.inference.engine import get_engine
from core.labels import Marker, Scale
from core.memory import return_memory_early
from core.reports.answer import encode_json, to_json
from core.types import Options

ROOT = Path(__file__).resolve().parent.parent


def resident_mb() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Print the table and the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--analyses", type=int, default=200)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp())
    return_memory_early()  # as the server does when it starts
    engine = get_engine()
    engine.warm_up()
    print(f"models loaded, nothing analysed: {resident_mb():.0f} MB")
    files = sorted((arguments.data / "bci").rglob("*.png")) + sorted((arguments.data / "ki67_points").rglob("*.png"))
    curve = []
    for number in range(1, arguments.analyses + 1):
        path = files[number % len(files)]
        marker = Marker.PR if "ki67" in str(path) else Marker.HER2
        result = analyze(path.read_bytes(), path.name, Options(marker=marker, scale=Scale.X40), engine=engine)
        encode_json(to_json(result))
        del result
        if number % 20 == 0:
            gc.collect()
            curve.append((number, resident_mb()))
            print(f"{number:4d} analyses: {curve[-1][1]:.0f} MB", flush=True)
    middle = len(curve) // 2
    print(f"growth over the second half: {curve[-1][1] - curve[middle - 1][1]:+.0f} MB")
    if arguments.plot:
        plot(curve, arguments.plot)


def plot(curve: list[tuple[int, float]], path: Path) -> None:
    """Draw the memory curve."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3))
    axes.plot(*zip(*curve, strict=True), marker="o")
    axes.set(xlabel="analyses", ylabel="resident memory, MB", ylim=(0, None))
    figure.tight_layout()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
