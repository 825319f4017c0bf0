"""Measurements on stained tissue without any network, and scoring guidelines as code."""
