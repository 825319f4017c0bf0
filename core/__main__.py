"""Entry of the command line: `python -m core`."""

import warnings

from core.cli import app

if __name__ == "__main__":
    # Deprecations inside the libraries say nothing to who runs a command.
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    app(prog_name="python -m core")
