"""Making a reader test: choosing its images, asking the model, and storing all of it or nothing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from core.analysis import analyze
from core.auth import require
from core.db import Database, User, reading
from core.db.clock import utc_now
from core.db.reading import ReaderItem, ReaderTest
from core.errors import InvalidImageError, InvalidOptionError
from core.images import encode_png
from core.inference.engine import Engine
from core.inference.scoring import CLASSIFIER
from core.jobs.names import clean_name
from core.jobs.runs import RESEARCHERS
from core.labels import Marker, NucleiMethod, StainChoice
from core.models.registry import get_card
from core.reading import files
from core.reading.choosing import Picture, as_tile, check_real, real_tiles, synthetic_tiles, whole_images
from core.reading.round import REAL, SYNTHETIC, Question
from core.reading.sources import RealSource, SyntheticSource, opened
from core.types import Options, Progress, no_progress

MOST = 500
"""Images of one kind in a test; a reader needs half an hour for so many."""

MOST_BYTES, MAX_SEED = 500_000_000, 2**32 - 1


@dataclass(frozen=True)
class Plan:
    """What every test needs.

    Attributes:
        name: as the owner calls it.
        seed: of the choice and of the order; the same seed and images give the same test.
        offered: other users of the workbench may read it.
    """

    name: str
    seed: int = 0
    offered: bool = False


def make_origin_test(
    db: Database,
    user: User,
    plan: Plan,
    *,
    real: RealSource,
    synthetic: SyntheticSource,
    generator: str,
    counts: tuple[int, int],
    labels: Sequence[str] = (),
    engine: Engine,
    progress: Progress = no_progress,
) -> ReaderTest:
    """Make a test "Real or synthetic?".

    Args:
        generator: whose size and scale all images get.
        counts: how many real and how many synthetic images.
        labels: classes of both; empty for all.
    Raises:
        InvalidOptionError, InvalidDataError: there are not so many images, or a number cannot be.
        StorageError: disk or database refused; nothing is left behind.
        PermissionDeniedError: the user makes no tests.
    """
    require(user, *RESEARCHERS)
    _check(plan, *counts)
    card = get_card(generator)
    with opened(user, real) as data:
        check_real(data)
        shown = real_tiles(data, card, counts[0], labels=labels, seed=plan.seed, progress=progress)
    made = synthetic_tiles(user, synthetic, counts[1], engine=engine, labels=labels, seed=plan.seed, progress=progress)
    pairs = [(REAL, each) for each in shown] + [(SYNTHETIC, each) for each in made]
    pictures: dict[str, bytes] = {}
    items = []
    for truth, each in pairs:
        item_id = files.new_item_id()
        pictures[item_id] = files.blind_tile(as_tile(each.image, card.input_px))
        items.append(ReaderItem(item_id, truth, each.label, each.source))
    note = f"{counts[0]} real and {counts[1]} synthetic tiles of {card.tile_um:g} µm, seed {plan.seed}"
    return _store(db, user, plan, Question.ORIGIN, items, pictures, note)


def make_scoring_test(
    db: Database,
    user: User,
    plan: Plan,
    *,
    question: Question,
    source: RealSource | SyntheticSource,
    count: int,
    engine: Engine,
    progress: Progress = no_progress,
) -> ReaderTest:
    """Make a test of blind HER2 or PR scoring; the model scores every image now, as the page Analyze would.

    Raises:
        InvalidOptionError, InvalidDataError: there are not so many images, or a number cannot be.
        ModelUnavailableError: the classifier has no usable weights.
        StorageError: disk or database refused; nothing is left behind.
        PermissionDeniedError: the user makes no tests.
    """
    require(user, *RESEARCHERS)
    _check(plan, count)
    marker = Marker(question.value)
    pictures: dict[str, bytes] = {}
    items = []
    for number, (each, data) in enumerate(_to_score(user, source, count, plan.seed, engine, progress)):
        progress("asking the model", number, count)
        item_id = files.new_item_id()
        answer, confidence = _model_answer(data, marker, engine)
        truth = each.label if each.label in question.answers else ""
        items.append(ReaderItem(item_id, truth, each.label, each.source, answer, confidence))
        pictures[item_id] = files.blind_whole(each.image)
    model = CLASSIFIER[marker]
    note = f"{count} images, seed {plan.seed}; the model is {model}, weights {engine.model(model).sha256[:12]}"
    return _store(db, user, plan, question, items, pictures, note)


def _to_score(
    user: User,
    source: RealSource | SyntheticSource,
    count: int,
    seed: int,
    engine: Engine,
    progress: Progress,
) -> list[tuple[Picture, bytes]]:
    """The images, and the bytes that the model is given."""
    if isinstance(source, SyntheticSource):
        made = synthetic_tiles(user, source, count, engine=engine, labels=(), seed=seed, progress=progress)
        return [(each, encode_png(each.image)) for each in made]
    with opened(user, source) as data:
        return [(each, path.read_bytes()) for each, path in whole_images(data, count, seed=seed, progress=progress)]


def _model_answer(data: bytes, marker: Marker, engine: Engine) -> tuple[str, float | None]:
    """What the workbench answers about an IHC image; empty where it gives no class."""
    options = Options(marker=marker, stain=StainChoice.IHC, explain=False, nuclei=NucleiMethod.NONE, insist=True)
    try:
        found = analyze(data, "image", options, engine=engine, max_bytes=MOST_BYTES).analysis
    except InvalidImageError:
        return "", None
    known = found.outcome in found.probabilities
    return (found.outcome, found.confidence) if known else ("", None)


def _check(plan: Plan, *counts: int) -> None:
    if any(not 1 <= count <= MOST for count in counts):
        raise InvalidOptionError(f"A test has 1 to {MOST} images of each kind, not {' and '.join(map(str, counts))}.")
    if not 0 <= plan.seed <= MAX_SEED:
        raise InvalidOptionError(f"The seed is a whole number from 0 to {MAX_SEED}, not {plan.seed}.")


def _store(
    db: Database,
    user: User,
    plan: Plan,
    question: Question,
    items: list[ReaderItem],
    pictures: dict[str, bytes],
    note: str,
) -> ReaderTest:
    test = ReaderTest(
        id=secrets.token_hex(8),
        owner_id=user.id,
        owner=user.name,
        name=clean_name(plan.name, default=question.title),
        kind=question.value,
        seed=plan.seed,
        created=utc_now(),
        offered=plan.offered,
        note=note,
        items=len(items),
    )
    folder = files.write(test.id, pictures)
    try:
        reading.insert_test(db, test, items, publish=lambda: files.publish(folder, test.id))
    finally:
        files.discard(folder)
    return test
