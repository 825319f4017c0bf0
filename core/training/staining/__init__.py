"""The parts of the recipe `virtual-stain`."""
