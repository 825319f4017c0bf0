"""Fields larger than one network input."""
