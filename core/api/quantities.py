"""The shapes of measured quantities in answers, as they appear in the API's documentation."""

from pydantic import BaseModel, Field

from core.labels import NucleiMethod


class IntervalPublic(BaseModel):
    """A figure with its 95 % bootstrap interval over fields; all three are equal where there is one field only."""

    value: float
    low: float
    high: float


class HotSpotPublic(BaseModel):
    """The circle with the largest share of stained nuclei, in pixels of the upload."""

    x: float
    y: float
    radius: float
    percent: float
    counted: int


class NuclearPublic(BaseModel):
    """Scores of a nuclear stain."""

    counted: int = Field(description="Nuclei that the scores rest on.")
    left_out: int = Field(description="Nuclei outside the regions, excluded or corrected away.")
    percent_positive: IntervalPublic = Field(description="0-100; also the Ki-67 index.")
    weak: float = Field(description="Percent of all counted nuclei; likewise `moderate` and `strong`.")
    moderate: float
    strong: float
    h_score: IntervalPublic = Field(description="0-300")
    allred: int = Field(description="Proportion plus intensity: 0 or 2-8.")
    allred_proportion: int = Field(description="0-5")
    allred_intensity: int = Field(description="0-3")
    er: str = Field(description='"negative", "low positive" or "positive" (ASCO/CAP 2020); empty without nuclei.')
    pgr: str = Field(description='"negative" or "positive"; empty without nuclei.')
    hot_spot: HotSpotPublic | None
    fields: int = Field(description="Fields that the intervals rest on.")
    second_read: list[str] = Field(description="Why a second person should read it; empty where nobody needs to.")
    corrected: int = Field(description="Nuclei whose class a person changed.")


class ReadingPublic(BaseModel):
    """What the HER2 guideline says about the measured shares of cells."""

    score: str | None = Field(description="null where the guideline defines none.")
    rule: str = Field(description="The rule that fired, with the shares.")
    distances: dict[str, float] = Field(description="Cut-off -> share minus cut-off, in points of percent.")
    source: str
    secondary: str = Field(description="HER2-low or ultralow; empty where neither.")


class MembranePublic(BaseModel):
    """Membrane patterns of the cells of a HER2 stain, in percent of the cells."""

    cells: int
    left_out: int
    none: IntervalPublic
    faint_incomplete: IntervalPublic
    moderate_complete: IntervalPublic
    intense_complete: IntervalPublic
    reading: ReadingPublic | None = Field(description="null where there are too few cells.")
    fields: int
    insufficient: str = Field(description="Why there is not enough tumour tissue; empty where there is.")
    second_read: list[str]
    corrected: int


class NucleiFound(BaseModel):
    """How nuclei were found."""

    found: int
    method: NucleiMethod
    mpp: float = Field(description="Micrometres per pixel that was worked with.")
    mpp_estimated: bool = Field(description="`mpp` was estimated from the size of the nuclei.")


class ThresholdsPublic(BaseModel):
    """DAB optical density of a nucleus (of a membrane, for HER2) from which it is weak, moderate and strong."""

    weak: float | None = Field(description="null: stained or not as detected; membranes by their own limits.")
    moderate: float
    strong: float


class RegionPublic(BaseModel):
    """A closed polygon, cut at the edges of the image."""

    points: list[tuple[float, float]] = Field(description="Corners (x, y) in pixels of the upload.")
    exclude: bool


class AdjustmentsPublic(BaseModel):
    """What a person changed."""

    thresholds: ThresholdsPublic
    regions: list[RegionPublic]
    corrections: dict[str, int] = Field(description='Row of a nucleus -> class 0-3, or -1 for "not counted".')


class AdjustedPublic(BaseModel):
    """Adjustments, and the figures that follow from them; the figures as measured stay in the entry."""

    at: str = Field(description="When they were stored, ISO 8601, UTC; empty where nothing is adjusted.")
    adjustments: AdjustmentsPublic
    nuclear: NuclearPublic | None
    membrane: MembranePublic | None


class Quantification(BaseModel):
    """What was measured without the network that scores."""

    tissue_px: int
    dab_threshold: float = Field(description="DAB optical density from which a pixel is stained.")
    dab_area_percent: float
    dab_od_mean: float
    dab_od_p90: float
    membrane_energy: float
    positive_nuclei_percent: float | None
    nuclei_counted: int | None
    allred: int | None
    h_score: float | None
    rule_label: str | None = Field(description="Class by measurement alone.")
    rule_text: str
    nuclear: NuclearPublic | None = Field(description="Of a nuclear stain; null elsewhere.")
    membrane: MembranePublic | None = Field(description="Of a membrane stain; null elsewhere.")
    nuclei: NucleiFound | None = Field(description="null where none were sought.")
    adjusted: AdjustedPublic | None = Field(description="null where nobody adjusted anything.")
