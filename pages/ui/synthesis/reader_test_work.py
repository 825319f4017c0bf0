"""The making of a reader test, in a thread that touches no widget."""

from core.db.engine import Database
from core.db.reading import ReaderTest
from core.db.records import User
from core.labels import Marker
from core.reading.round import Question
from core.types import Progress
from pages.ui.synthesis.reader_test_sources import COLLECTION, SAMPLE, STORED, Chosen

# The networks are imported where they are used: torch takes seconds, and a page shall not wait for it.


def origin(
    db: Database,
    user: User,
    plan: tuple[str, int, bool],
    marker: Marker,
    real: Chosen,
    synthetic: Chosen,
    counts: tuple[int, int],
    labels: tuple[str, ...],
    progress: Progress,
) -> ReaderTest:
    """Make a test of real and synthetic images; `plan` is name, seed and whether it is offered."""
    progress("loading the networks", 0, 1)
    from core.inference.synthesis import GENERATORS
    from core.reading.making import Plan, make_origin_test
    from core.reading.sources import Fresh, FromCollection, StoredSet, Uploads
    from core.serving import serving_engine

    return make_origin_test(
        db,
        user,
        Plan(*plan),
        real=StoredSet(str(real.value)) if real.kind == STORED else Uploads(_files(real)),
        synthetic=FromCollection(str(synthetic.value)) if synthetic.kind == COLLECTION else Fresh(GENERATORS[marker]),
        generator=GENERATORS[marker],
        counts=counts,
        labels=labels,
        engine=serving_engine(db),
        progress=progress,
    )


def scoring(
    db: Database,
    user: User,
    plan: tuple[str, int, bool],
    question: Question,
    images: Chosen,
    count: int,
    progress: Progress,
) -> ReaderTest:
    """Make a test of images to score."""
    progress("loading the networks", 0, 1)
    from core.inference.synthesis import GENERATORS
    from core.reading.making import Plan, make_scoring_test
    from core.reading.sources import Fresh, FromCollection, RealSource, StoredSet, SyntheticSource, Uploads
    from core.serving import serving_engine

    source: RealSource | SyntheticSource = Uploads(_files(images))
    if images.kind == STORED:
        source = StoredSet(str(images.value))
    elif images.kind == COLLECTION:
        source = FromCollection(str(images.value))
    elif images.kind == SAMPLE:
        source = Fresh(GENERATORS[Marker(question.value)])
    return make_scoring_test(
        db,
        user,
        Plan(*plan),
        question=question,
        source=source,
        count=count,
        engine=serving_engine(db),
        progress=progress,
    )


def _files(chosen: Chosen) -> tuple[tuple[str, bytes], ...]:
    return chosen.value if isinstance(chosen.value, tuple) else ()
