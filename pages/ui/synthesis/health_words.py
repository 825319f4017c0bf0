"""What the figures of a generator's health mean, in words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.inference.generator_health import GeneratorHealth

HELP = {
    "frechet": "How far the two sets are apart, each taken as a cloud with one middle and one spread (Heusel 2017).",
    "kernel": "The same without taking the sets as clouds of one kind (KID, Binkowski 2018). Near 0 may be negative.",
    "precision": "Share of synthetic images that lie among real ones (Kynkäänniemi 2019): how true to life they are.",
    "recall": "Share of real tiles that lie among synthetic ones: how much of the variety is reached.",
    "class_consistency": "Share of images of which the classifier names the class that was asked for.",
    "memorised_share": "Share of images nearer to a training tile than 95 % of unseen real tiles are: likely copies.",
    "feature_variety": "How much two images of a class differ in what the classifier sees, real tiles being 1.",
    "picture_variety": "The same for the pictures themselves at 16 x 16 pixels.",
}

BETTER = {
    "frechet": "lower is better",
    "kernel": "lower is better",
    "precision": "higher is better",
    "recall": "higher is better",
    "class_consistency": "higher is better",
    "memorised_share": "5 % is as near as unseen real tiles",
    "feature_variety": "1 is as varied as real tiles",
    "picture_variety": "1 is as varied as real tiles",
}


def alarm(health: "GeneratorHealth") -> str:
    """Say whether the images are all alike, of which class, and what to do."""
    from core.quality.health import Level, level_of

    level = health.judged.level
    poor = [each for each in health.judged.per_class if level_of(each) is level]
    found = ", ".join(f"{each.label} {min(each.feature_variety, each.picture_variety):.0%}" for each in poor)
    if level is Level.COLLAPSED:
        return (
            f"Collapsed: images of a class are nearly all the same one. They differ by this much of what real tiles "
            f"differ by: {found}. Do not use these weights. Train again with differentiable augmentation, spectral "
            "norm or a lower learning rate."
        )
    if level is Level.NARROW:
        return (
            f"Too little variety: images differ by only this much of what real tiles differ by: {found}. A classifier "
            "trained on them learns little. Train longer, or on more cases."
        )
    least = min(min(each.feature_variety, each.picture_variety) for each in health.judged.per_class)
    return f"No collapse: in every class images differ by at least {least:.0%} of what real tiles differ by."


def method(health: "GeneratorHealth") -> str:
    """Say what was compared with what, in which space, and how the intervals were made."""
    named = (
        f"Classes are named by {health.classifier} (weights {health.classifier_sha256[:12]}), which may have learnt "
        "from the same tiles as the generator."
        if health.classifier
        else "No classifier here knows these classes, so class as asked for is not told."
    )
    return f"""
- **{health.count:,} synthetic images** (seeds from {health.seed}, truncation {health.truncation:g}), as frequent by
  class as the held-out tiles, and as many **training tiles** of the same classes, each against
  **{health.held_out:,} held-out tiles of {health.held_out_cases} cases** that the generator never saw. The nearest
  training tile is looked for among all {health.training:,}.
- All of it in what {health.features_title} (weights {health.features_sha256[:12]}) sees in a tile: 128 activations,
  mean and deviation of 64 maps, each in units of its deviation. Figures of another space, or of another number of
  images, are not comparable.
- 95 % intervals: of shares by Wilson; of distances and varieties from drawing images, and whole held-out cases, again
  100 times. With {health.held_out_cases} cases they are wide: two generators whose intervals overlap are not shown to
  differ.
- {named}
- Measured {health.created.replace("T", " ")[:16]} UTC in {health.seconds:.0f} s.
"""
