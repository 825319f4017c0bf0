"""Checks of an installation: what works here, and what to do where it does not."""

from core.doctor.check import Check, State
from core.doctor.rounds import iter_checks, run_checks

__all__ = ["Check", "State", "iter_checks", "run_checks"]
