"""The health of the bundled generator as the Synthesis page computes it: the section of its card.

python -m benchmarks.generator_health [--model medsyngan_g] [--count 500] [--seed 0]
"""

import argparse
import os
import platform

from core.config import ROOT
from core.inference.engine import Engine
from core.inference.generator_health import DEFAULT_COUNT, check_generator
from core.inference.health_export import card_section


def main() -> None:
    """Print the table, and how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="medsyngan_g", choices=("medsyngan_g", "medsyngan_her2_g"))
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    engine = Engine(ROOT / "weights")
    health = check_generator(engine, arguments.model, count=arguments.count, seed=arguments.seed)
    print(card_section(health, f"{os.cpu_count()} cores ({platform.machine()}), {engine.backend}"))
    print(f"\nClasses named by {health.classifier}; features of {health.features_title}. {health.seconds:.0f} s.")


if __name__ == "__main__":
    main()
