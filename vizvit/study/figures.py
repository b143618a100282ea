"""A study drawn: each head's mean and spread by depth, as the ViT paper's Figure 7 (right) but over many pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ..figures.charts import finish_by_depth
from ..figures.page import BODY, SMALL, Page
from ..numbers import number, thousands
from .summary import weights_note

# measure: (title, axis, what the numbers are)
WORDS = {
    "distance": (
        "Mean attention distance",
        "distance (px of the input)",
        "distance from a patch to those it looks at, weighted by attention, mean over all patches as queries",
    ),
    "entropy": (
        "Mean entropy of attention",
        "mean entropy (nats)",
        "the mean of the entropies of all tokens as queries: 0 where every token looks at one token, more where it "
        "looks at many",
    ),
    "prefix_share": (
        "Attention on prefix tokens",
        "share on prefix tokens",
        "share of the attention that goes to prefix tokens; mean over all patches as queries",
    ),
    "sink_share": (
        "Attention on sinks",
        "share on sinks",
        "share of the attention that goes to tokens which draw far more than their share; mean over all tokens as "
        "queries",
    ),
    "agreement": (
        "Agreement with boxes",
        "attention in the box ÷ its area",
        "share of {whose} on patches that falls into the object's box, over the box's share of the picture: 1 is no "
        "preference",
    ),
}
ARTEFACTS = (
    "Artefact tokens",
    "share of patches",
    "share of the patches whose norms after the block are a small population above all others, fitted in each picture",
)
EVEN = {"agreement": 1.0}  # what no preference would give


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
    axes.set_ylim(*value_range(mean, spread, even))
    finish_by_depth(axes, look, layers, (left, width), ylabel)
    return page.figure


def value_range(mean: np.ndarray, spread: np.ndarray, even: float | None = None) -> tuple[float, float]:
    """The ends of an axis that shows these heads, and `even`: from 0, unless that would press them into its upper half.

    mean, spread: [layer, head]; a spread that is NaN counts as none.
    """
    known = np.nan_to_num(spread)
    marked = [] if even is None else [even]
    low = min(float(np.nanmin(mean - known)), *marked, np.inf)
    high = max(float(np.nanmax(mean + known)), *marked, -np.inf)
    room = 0.06 * (high - low)
    if low < 0:  # lines of one standard deviation may reach below what a share can be
        return low - room, high + room
    if low <= high / 2 or low == high:
        return 0.0, 1.06 * high or 1.0
    step = 10.0 ** np.floor(np.log10(high - low)) / 2
    return float(step * np.floor((low - room) / step)), high + room


def whose_attention(summary: dict) -> str:
    """ "class" where a map is read from the class token, else "patches": the mean over all of them."""
    return "class" if "class" in summary["prefix_tokens"] else "patches"


def figures(summary: dict) -> dict[str, Figure]:
    """One figure for each measure that the study has, by its name, with title and caption."""
    return {
        measure: figure(summary, measure, title=WORDS[measure][0], caption=caption(summary, measure))
        for measure in summary["heads"]
    }


def figure(summary: dict, measure: str, *, title: str = "", caption: str = "", theme: str = "light") -> Figure:
    """One measure of a study drawn."""
    mean, spread = (np.array(summary["heads"][measure][name], np.float64) for name in ("mean", "spread"))
    texts = {"ylabel": WORDS[measure][1], "title": title, "caption": caption}
    return spread_figure(mean, spread, even=EVEN.get(measure), theme=theme, **texts)


def caption(summary: dict, measure: str) -> str:
    """What a measure's figure shows, of which pictures, model and weights."""
    found, source = summary["heads"][measure], summary.get("source") or {}
    whose = {"class": "the class token's attention", "patches": "all patches' mean attention"}
    what = WORDS[measure][2].format(whose=whose[whose_attention(summary)])
    of = f"{thousands(int(found['count']))} pictures" + (f" of {source['data']}" if source.get("data") else "")
    mean, spread = (np.array(found[name], np.float64) for name in ("mean", "spread"))
    low, _ = value_range(mean, spread, EVEN.get(measure))
    start = f"the axis begins at {number(low)}, not at 0" if low > 0 else "nothing rescaled"
    line = "; the dashed line: no preference" if measure in EVEN else ""
    weights = f"{weights_note(summary)}."
    if not summary["trained"]:
        weights += " Untrained, it shows how the network is built, not what it learned."
    return (
        f"{what[0].upper()}{what[1:]}. A dot a head at its mean over {of}, with a line of one standard deviation to "
        f"each side; the curve through each layer's mean{line}; {start}. {weights}"
    )


def artefacts_figure(summary: dict, *, title: str = "", caption: str = "", theme: str = "light") -> Figure:
    """The share of artefact tokens by layer drawn."""
    mean, spread = (np.array(summary["artefact_share"][name], np.float64)[:, None] for name in ("mean", "spread"))
    return spread_figure(mean, spread, ylabel=ARTEFACTS[1], title=title, caption=caption, theme=theme)


def artefacts_caption(summary: dict) -> str:
    """What `artefacts_figure` shows, of which pictures, model and weights."""
    found, source = summary["artefact_share"], summary.get("source") or {}
    of = f"{thousands(int(found['count']))} pictures" + (f" of {source['data']}" if source.get("data") else "")
    weights = f"{weights_note(summary)}."
    return (
        f"{ARTEFACTS[2][0].upper()}{ARTEFACTS[2][1:]} (vizvit.artefact_tokens). A dot a layer at its mean over {of}, "
        f"with a line of one standard deviation to each side. {weights}"
    )
