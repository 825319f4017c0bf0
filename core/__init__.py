"""IHC Workbench: the library behind the pages, the REST API and the command line."""

import os

__version__ = "0.4.0"

# Read when torch is first imported: threads that wait for each other sleep instead of spinning. Where another process
# keeps a core busy (a training beside the server), spinning made one pass of a network take 14 s instead of 0.4 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
