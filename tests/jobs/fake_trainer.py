"""A trainer without networks: `python -m tests.jobs.fake_trainer RUN_FOLDER` behaves as the real one, in little time.

The environment variable FAKE makes it odd: "deaf" (does not hear STOP), "stubborn" (nor SIGTERM), "broken" (ends with
an error at once), "slow" (a minute an epoch), "failing" (says that it failed).
"""

import fcntl
import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from core.training.run_folder import RunFolder, State, Status

ODD = os.environ.get("FAKE", "")
STEPS = 10
STEP_S = 6.0 if ODD == "slow" else 0.02


def main() -> int:
    """Count through epochs, as quickly as the configuration's batch size says."""
    folder = RunFolder(Path(sys.argv[1]))
    if ODD == "broken":
        sys.stderr.write("ModuleNotFoundError: No module named 'nothing'\n")
        return 3
    if ODD == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with folder.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return train(folder)


def train(folder: RunFolder) -> int:
    """Train."""
    epochs = json.loads(folder.config.read_text())["epochs"]
    status = Status(State.RUNNING, folder.status().epoch, epochs, steps=STEPS, pid=os.getpid())
    folder.say(status)
    if ODD == "failing":
        folder.say(replace(status, state=State.FAILED, message="The training diverged.", pid=0))
        return 1
    for epoch in range(status.epoch + 1, epochs + 1):
        for _ in range(STEPS):
            end = time.monotonic() + STEP_S
            while time.monotonic() < end:
                time.sleep(0.01)
                if ODD not in ("deaf", "stubborn") and folder.asked_to_stop():
                    folder.say(replace(status, state=State.STOPPED, message="Stopped.", pid=0))
                    return 0
        status = replace(status, epoch=epoch, best_epoch=epoch)
        folder.say(status)
        folder.add_stats({"kind": "epoch", "epoch": epoch, "train_loss": 1 / epoch})
    folder.say(replace(status, state=State.FINISHED, message="Finished.", pid=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
