"""How the weights that come with the workbench were made."""
