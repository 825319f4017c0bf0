"""The networks: one file each, their cards, and how their weights are read."""
