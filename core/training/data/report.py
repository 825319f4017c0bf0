"""What a person should know of a data set before training on it: counts, sizes, damage, duplicates, balance."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import InvalidDataError
from core.training.data.items import DataSet, Item, Kind, Subset
from core.training.data.duplicates import Fingerprint, Twins, find_twins, fingerprint
from core.training.data.reading import Reader, Unreadable, check_readable, read_image, shown
from core.training.data.splitting import check_trainable
from core.types import Progress, no_progress

IMBALANCE = 4
"""The largest class may have so many times the images of the smallest before it is remarked on."""

FEW_IMAGES = 30
"""Training images of a class below which figures mean little."""

LISTED_DUPLICATES, LISTED_SIZES, NAMED = 200, 10, 3


@dataclass(frozen=True)
class ClassCount:
    """One class in numbers; all pairs count as one class without a name."""

    label: str
    images: int
    cases: int
    train: int
    val: int
    test: int


@dataclass(frozen=True)
class SizeCount:
    """How many images have one size, in pixels."""

    width: int
    height: int
    images: int


@dataclass(frozen=True)
class Duplicate:
    """Two files that show the same picture.

    Attributes:
        first, second: relative to the data set's folder.
        exact: the files are equal byte for byte.
        across: they are on different sides of the split, so that the figures are too good.
        labels: their classes, equal or not.
    """

    first: str
    second: str
    exact: bool
    across: bool
    labels: tuple[str, str]


@dataclass(frozen=True)
class DataReport:
    """A data set, looked at file by file.

    Attributes:
        images: or pairs; `readable` of them can be used.
        sizes: the commonest, most images first; `smallest` and `largest` by area, None without readable images.
        duplicates: the worst first, at most 200; `exact`, `near` and `across` count all that were found.
        notes: what was left out or assumed.
        warnings: what makes the figures worse, or better than they are.
        problems: what prevents a training.
    """

    kind: Kind
    images: int
    readable: int
    cases: int
    cases_known: bool
    classes: tuple[ClassCount, ...]
    sizes: tuple[SizeCount, ...]
    smallest: SizeCount | None
    largest: SizeCount | None
    unreadable: tuple[Unreadable, ...]
    duplicates: tuple[Duplicate, ...]
    exact: int
    near: int
    across: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Look:
    """What one file shows."""

    size: tuple[int, int]
    print: Fingerprint
    notes: tuple[str, ...]


def report(data: DataSet, progress: Progress = no_progress) -> DataReport:
    """Read every image of a data set and say what is in it.

    Args:
        data: as opened, or split: then the sides of the split take part.
    Raises:
        InvalidDataError: the folder is gone.
        CancelledError: raised by `progress`.
    """
    reader = Reader(data.root, _look, step="checking images", progress=progress)
    looks = dict(reader.results(data.items))
    seen = list(looks)
    sides = [str(data.items[index].subset) for index in seen]
    twins = find_twins([looks[index].print for index in seen], sides, progress)
    duplicates = [_duplicate(data, seen, each) for each in twins]
    duplicates.sort(key=lambda each: (not each.across, each.labels[0] == each.labels[1], not each.exact))
    sizes = Counter(look.size for look in looks.values())
    by_area = sorted(sizes, key=lambda size: size[0] * size[1])
    classes = _count(data)
    return DataReport(
        kind=data.kind,
        images=len(data.items),
        readable=len(looks),
        cases=len({item.case for item in data.items}),
        cases_known=data.cases_known,
        classes=classes,
        sizes=tuple(SizeCount(*size, count) for size, count in sizes.most_common(LISTED_SIZES)),
        smallest=SizeCount(*by_area[0], sizes[by_area[0]]) if by_area else None,
        largest=SizeCount(*by_area[-1], sizes[by_area[-1]]) if by_area else None,
        unreadable=tuple(reader.unreadable),
        duplicates=tuple(duplicates[:LISTED_DUPLICATES]),
        exact=sum(each.exact for each in duplicates),
        near=sum(not each.exact for each in duplicates),
        across=sum(each.across for each in duplicates),
        notes=(*data.notes, *_conversions(looks.values())),
        warnings=(*_about_split(data, duplicates), *_about_balance(classes)),
        problems=_problems(data, reader.unreadable),
    )


def _look(item: Item) -> _Look:
    decoded = read_image(item.path)
    if item.partner is not None:
        read_image(item.partner)
    size = (decoded.image.shape[1], decoded.image.shape[0])
    return _Look(size, fingerprint(decoded.image, decoded.sha256), decoded.notes)


def _count(data: DataSet) -> tuple[ClassCount, ...]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in data.items:
        found[item.label].append(item)
    counts = []
    for label in data.classes or ("",):
        subsets = Counter(item.subset for item in found[label])
        cases = len({item.case for item in found[label]})
        sides = (subsets[Subset.TRAIN], subsets[Subset.VAL], subsets[Subset.TEST])
        counts.append(ClassCount(label, len(found[label]), cases, *sides))
    return tuple(counts)


def _duplicate(data: DataSet, seen: Sequence[int], twins: Twins) -> Duplicate:
    first, second = (data.items[seen[index]] for index in (twins.first, twins.second))
    return Duplicate(
        shown(first.path, data.root),
        shown(second.path, data.root),
        exact=twins.exact,
        across=first.subset is not second.subset,
        labels=(first.label, second.label),
    )


def _conversions(looks: Iterable[_Look]) -> tuple[str, ...]:
    notes = Counter(note for look in looks for note in look.notes)
    return tuple(f"{count} images: {note}" for note, count in notes.most_common())


def _about_split(data: DataSet, duplicates: Sequence[Duplicate]) -> list[str]:
    warnings = []
    if not data.cases_known:
        warnings.append(
            "It is not known which images belong to one case, so the split is by file. Tiles of one patient may be on "
            "both sides of it, and the figures may be too good. Name files CASE__name.png, put them into one folder "
            "per case inside each class, or add a CSV file with the column case."
        )
    sides: dict[str, set[Subset]] = defaultdict(set)
    for item in data.items:
        if item.subset is not None:
            sides[item.case].add(item.subset)
    both = sorted(case for case, found in sides.items() if len(found) > 1)
    if both:
        warnings.append(
            f"{len(both)} cases are on more than one side of the split that the data set gives "
            f"({', '.join(both[:NAMED])}): the figures are too good. Leave the split away, and it is made by case."
        )
    across = [each for each in duplicates if each.across]
    if across:
        warnings.append(
            f"{len(across)} pictures are on two sides of the split, equal or nearly so (such as {across[0].first} and "
            f"{across[0].second}): the figures are too good. Remove one of each, or give both the same case."
        )
    contradictions = [each for each in duplicates if each.labels[0] != each.labels[1]]
    if contradictions:
        worst = contradictions[0]
        warnings.append(
            f"{len(contradictions)} pictures are in two classes (such as {worst.first} and {worst.second}). One of the "
            "labels is wrong."
        )
    return warnings


def _about_balance(classes: Sequence[ClassCount]) -> list[str]:
    warnings = []
    few = [each for each in classes if each.label and (each.train or each.images) < FEW_IMAGES]
    if few:
        names = ", ".join(f"{each.label}: {each.train or each.images}" for each in few)
        warnings.append(
            f"Few images to train on ({names}); from {FEW_IMAGES} per class on, figures begin to mean something."
        )
    large, small = max(classes, key=lambda each: each.images), min(classes, key=lambda each: each.images)
    if large.images > IMBALANCE * small.images:
        warnings.append(
            f"{large.label} has {large.images} images and {small.label} only {small.images}. Keep the class weights, "
            "or choose balanced sampling; read the recall of each class rather than the accuracy."
        )
    return warnings


def _problems(data: DataSet, unreadable: Sequence[Unreadable]) -> tuple[str, ...]:
    problems = []
    try:
        check_trainable(data)
    except InvalidDataError as error:
        problems.append(str(error))
    try:
        check_readable(unreadable, len(data.items))
    except InvalidDataError as error:
        problems.append(str(error))
    return tuple(problems)
