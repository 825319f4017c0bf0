"""IHC Workbench: the library behind the pages, the REST API and the command line."""

__version__ = "0.1.0"
