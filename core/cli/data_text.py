"""The report of a data set as lines of text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.training.data.report import DataReport

NAMED = 10


def describe(found: "DataReport") -> Iterator[str]:
    """Yield what a person should know before training."""
    cases = f"{found.cases} cases" if found.cases_known else "cases unknown"
    yield f"{found.readable} of {found.images} {'pairs' if found.kind.value == 'pairs' else 'images'} readable, {cases}"
    if found.smallest is not None and found.largest is not None:
        small, large = found.smallest, found.largest
        yield f"sizes from {small.width} x {small.height} to {large.width} x {large.height} px"
    yield f"{'class':<12}{'images':>8}{'cases':>8}{'train':>8}{'val':>8}{'test':>8}"
    for row in found.classes:
        yield f"{row.label or 'pairs':<12}{row.images:>8}{row.cases:>8}{row.train:>8}{row.val:>8}{row.test:>8}"
    for each in found.unreadable[:NAMED]:
        yield f"unreadable: {each.reason}"
    if found.exact or found.near:
        yield f"{found.exact} equal and {found.near} nearly equal pictures, {found.across} of them across the split"
    for level, sentences in (("note", found.notes), ("warning", found.warnings), ("problem", found.problems)):
        for sentence in sentences:
            yield f"{level}: {sentence}"
