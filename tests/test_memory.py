"""Freed pictures leave the process."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from core.memory import return_memory_early

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

def work(seed):
    pictures = [np.full(4_000_000 + 1000 * seed + i, 1, np.uint8) for i in range(20)]
    kept = bytearray(100)
    return kept

return_memory_early()
before = resident_mb()
with ThreadPoolExecutor(8) as pool:
    kept = list(pool.map(work, range(40)))
print(resident_mb() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings exist on Linux only")
def test_freed_pictures_are_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 50
