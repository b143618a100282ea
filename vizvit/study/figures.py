"""A study drawn: each head's mean and spread by depth, as the ViT paper's Figure 7 (right) but over many pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ..canvas import BODY, SMALL, Page
from ..charts import finish_by_depth

# measure: (title, axis, what the numbers are)
WORDS = {
    "distance": (
        "Mean attention distance",
        "distance (px of the input)",
        "distance from a patch to those it looks at, weighted by attention, mean over all patches",
    ),
    "entropy": (
        "Entropy of attention",
        "entropy (nats)",
        "0 where every token looks at one token, more where it looks at many; mean over all queries",
    ),
    "prefix_share": (
        "Attention on prefix tokens",
        "share on prefix tokens",
        "share of the patches' attention that goes to prefix tokens",
    ),
    "sink_share": (
        "Attention on sinks",
        "share on sinks",
        "share of all attention that goes to tokens which draw far more than their share",
    ),
    "agreement": (
        "Agreement with boxes",
        "attention in the box ÷ its area",
        "share of the attention on patches that falls into the object's box, over the box's share of the picture: "
        "1 is no preference",
    ),
}


def spread_figure(
    mean: np.ndarray,
    spread: np.ndarray,
    *,
    ylabel: str,
    even: float | None = None,
    title: str = "",
    caption: str = "",
    theme: str = "light",
) -> Figure:
    """A dot a head at its mean over pictures, with a line of one standard deviation to each side, by depth.

    mean, spread: [layer, head]; a spread that is NaN is not drawn. The heads of a layer stand side by side, in order.
    even: a value to mark with a dashed line. The curve runs through the layers' means.
    """
    layers, heads = mean.shape
    page = Page(BODY, 4.1, title, caption, theme)
    left, width = 0.6, BODY - 0.6
    axes, look = page.axes((left, 0.36, width, 3.25), "plot"), page.theme
    aside = np.linspace(-0.3, 0.3, heads) if heads > 1 else np.zeros(1)
    places, middle = np.arange(layers)[:, None] + aside, mean.mean(1)
    known = np.nan_to_num(spread)
    axes.vlines(places.ravel(), (mean - known).ravel(), (mean + known).ravel(), color=look.mark, alpha=0.4, lw=1.2)
    axes.scatter(places.ravel(), mean.ravel(), s=22, color=look.mark, lw=0, zorder=3)
    axes.plot(np.arange(layers), middle, color=look.quiet, linewidth=1.6, zorder=2)
    if even is not None:
        axes.axhline(even, color=look.quiet, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    text = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
    axes.annotate("mean", (layers - 1 + 0.3, middle[-1]), (8, 0), fontsize=SMALL, color=look.quiet, **text)
    axes.set_xlim(-0.5, layers - 0.5 + 0.07 * layers)
    low, high = float((mean - known).min()), float((mean + known).max())
    axes.set_ylim(min(0.0, 1.1 * low), 1.1 * high or 1)
    finish_by_depth(axes, look, layers, (left, width), ylabel)
    return page.figure


def figures(summary: dict) -> dict[str, Figure]:
    """One figure for each measure that the study has, by its name."""
    weights = f"{summary['model']}, {summary['weights']}."
    if not summary["trained"]:
        weights += " Untrained, it shows how the network is built, not what it learned."
    drawn = {}
    for measure, found in summary["heads"].items():
        title, axis, what = WORDS[measure]
        caption = (
            f"{what[0].upper()}{what[1:]}. A dot a head at its mean over {found['count']} pictures, with a line of one "
            f"standard deviation to each side; the curve through each layer's mean; nothing rescaled. {weights}"
        )
        mean, spread = (np.array(found[name], np.float64) for name in ("mean", "spread"))
        even = 1.0 if measure == "agreement" else None
        drawn[measure] = spread_figure(mean, spread, ylabel=axis, even=even, title=title, caption=caption)
    return drawn
