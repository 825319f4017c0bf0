"""Running the networks: engine, classification, virtual staining, and how tiles become one answer."""
