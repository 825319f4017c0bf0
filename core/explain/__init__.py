"""Showing why: class activation maps, pseudo-colour maps, overlays."""
