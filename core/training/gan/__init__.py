"""The parts of the recipe `medsyngan`."""
