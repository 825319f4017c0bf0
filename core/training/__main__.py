"""Train what a run folder describes: `python -m core.training RUN_FOLDER`; what the launcher starts."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from core.errors import AppError
from core.training.run_folder import RunFolder, State, Status


def main() -> int:
    """Train or go on; code 0 unless the run failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    run = RunFolder(parser.parse_args().run)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: with a last word in the status
    from core.training.loop import train  # seconds of imports; a wrong command line shall not wait for them

    try:
        status = train(run)
    except AppError as error:
        logging.error("%s", error)
        if not run.status().state.ended and run.status().pid == 0:
            run.say(Status(State.FAILED, message=str(error)))
        return 1
    return 1 if status.state is State.FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
