"""Everything about one result, or the reports of many, as a ZIP."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.explain.pseudocolor import COLORMAPS
from core.images import safe_name
from core.labels import StainSource
from core.quantify.adjusted import Adjusted
from core.quantify.export import nuclei_csv, nuclei_geojson
from core.reports.answer import VIRTUAL_TEXT, encode_json, to_json
from core.reports.content import DISCLAIMER, VIRTUAL_REMARK, OwnEntry, report_content
from core.reports.pdf import to_pdf
from core.reports.pictures import density_gray, fast_png, figures, with_colorbar
from core.reports.tables import results_csv, tiles_csv
from core.types import Adjustments, Result

_STORED = zipfile.ZIP_STORED
_DEFLATED = zipfile.ZIP_DEFLATED


def to_zip(
    result: Result,
    original: bytes | None,
    *,
    own: OwnEntry | None = None,
    adjusted: Adjusted | None = None,
    colormap: str = COLORMAPS[0],
) -> bytes:
    """Pack one result: full-size pictures, report.pdf, report.json, tiles.csv, nuclei.csv, nuclei.geojson, README.txt.

    Args:
        original: the uploaded file as it came, or None where it is not kept.
        own: the pathologist's own score and comment.
        adjusted: what a person changed about the measurement, and the figures that follow.
    """
    content = report_content(result, own, adjusted)
    answer = to_json(result, pictures=False, adjusted=adjusted)
    if own is not None:
        answer["own"] = {"score": own.score, "comment": own.comment, "author": own.author, "recorded": own.recorded}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, png in _picture_files(result, colormap, content.adjustments):
            archive.writestr(name, png, _STORED)  # PNG is compressed already
        if original is not None:
            archive.writestr(f"original/{_file_name(result)}", original, _STORED)
        archive.writestr("report.pdf", to_pdf(content, result.pictures, colormap=colormap), _STORED)
        archive.writestr("report.json", encode_json(answer, indent=2), _DEFLATED)
        archive.writestr("tiles.csv", tiles_csv(result.analysis), _DEFLATED)
        if result.nuclei is not None:
            archive.writestr("nuclei.csv", nuclei_csv(result.nuclei, content.adjustments), _DEFLATED)
            archive.writestr("nuclei.geojson", nuclei_geojson(result.nuclei, content.adjustments), _DEFLATED)
        archive.writestr("README.txt", _readme(result), _DEFLATED)
    return packed.getvalue()


def results_zip(
    results: Sequence[Result], own: Sequence[OwnEntry | None] = (), adjusted: Sequence[Adjusted | None] = ()
) -> bytes:
    """Pack many results: one PDF an image, and results.csv with one row an image, as measured."""
    packed = io.BytesIO()
    nothing = [None] * len(results)
    with zipfile.ZipFile(packed, "w") as archive:
        entries = zip(results, own or nothing, adjusted or nothing, strict=True)
        for number, (result, entry, changed) in enumerate(entries, start=1):
            stem = PurePosixPath(_file_name(result)).stem
            pdf = to_pdf(report_content(result, entry, changed), result.pictures)
            archive.writestr(f"{number:03d}-{stem}.pdf", pdf, _STORED)
        archive.writestr("results.csv", results_csv([result.analysis for result in results]), _DEFLATED)
    return packed.getvalue()


def _picture_files(result: Result, colormap: str, adjustments: Adjustments) -> list[tuple[str, bytes]]:
    """Render every picture as (file name, PNG); what rests on a virtual stain says so in name and metadata."""
    pictures, analysis = result.pictures, result.analysis
    virtual = analysis.stain_source is StainSource.VIRTUAL
    files = []
    layers = tuple(pictures.heatmaps)
    for figure in figures(
        pictures, analysis, layers=layers, colormap=colormap, nuclei=result.nuclei, adjustments=adjustments
    ):
        text = {"Title": figure.title} | (VIRTUAL_TEXT if figure.virtual else {})
        files.append((_picture_name(figure.key, virtual=figure.virtual), fast_png(with_colorbar(figure), text)))
    for key, plane in (("dab", pictures.dab), ("hematoxylin", pictures.hematoxylin)):
        if plane is not None:
            text = {"Title": f"{key}, optical density 0 (white) to 1.5 (black)"} | (VIRTUAL_TEXT if virtual else {})
            files.append((_picture_name(key, virtual=virtual), fast_png(density_gray(plane)[..., 0], text)))
    return files


def _picture_name(key: str, *, virtual: bool) -> str:
    prefix = "virtual-" if virtual and not key.startswith("virtual") else ""
    return f"pictures/{prefix}{key}.png"


def _file_name(result: Result) -> str:
    return safe_name(result.analysis.name)


def _readme(result: Result) -> str:
    analysis = result.analysis
    lines = [
        f"IHC Workbench {analysis.provenance.version}: {analysis.marker.title}, {analysis.name}",
        f"Outcome: {analysis.outcome}",
        DISCLAIMER,
        "",
        "report.pdf     the report",
        "report.json    the same as data; fields as in the API",
        "tiles.csv      one row a scored tile, in pixels of the uploaded image",
        "pictures/      image, overlays with colour bars, stain channels as gray (white 0, black 1.5 OD)",
    ]
    if result.nuclei is not None:
        lines.append("nuclei.csv     one row a nucleus; those with counted = yes are in the scores")
        lines.append("nuclei.geojson the nuclei that count, and the regions; QuPath opens it (drop it on the image)")
    if analysis.stain_source is StainSource.VIRTUAL:
        lines.insert(3, f"{VIRTUAL_REMARK} Files named virtual-... rest on it.")
    return "\n".join(lines) + "\n"
