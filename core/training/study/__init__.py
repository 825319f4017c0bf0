"""The recipe `study`: does synthetic data help a classifier? Planned without leaks, trained part by part, compared."""
