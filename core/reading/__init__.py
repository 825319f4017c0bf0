"""Blind reader tests: real or synthetic, and blind scores; who reads what, and what the answers amount to.

`round`, `agreement`: one round and its figures, nothing stored. `sources`, `making`: a test and its images. `taking`,
`results`: reading it, and what it has shown.
"""
