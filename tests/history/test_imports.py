"""The history is for pages that must start quickly."""

import subprocess
import sys

from core.config import ROOT


def test_importing_the_history_loads_no_network() -> None:
    code = "import sys, core.history, core.auth; sys.exit('torch' in sys.modules or 'openvino' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, timeout=60).returncode == 0
