"""Training of the bundled networks: data, augmentation, loops, held-out figures."""
