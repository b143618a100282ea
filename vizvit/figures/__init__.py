"""Attention as pictures: overlays for the screen and figures fit for a lecture or a paper.

One meaning has one colour map everywhere: attention is sequential with dark for none, signed values are
diverging around white, similarity is another sequential map. The query patch is always outlined in the accent
colour. Every function takes plain arrays and returns a new `matplotlib.figure.Figure` (never pyplot: pages
run on threads) or RGB pixels, and raises ValueError where the arrays do not fit, in words that say what came
and what was expected.

All figures take `theme` ("light" or "dark"), `title` and `caption`; the caption, small and wrapped below, is
the place to say what is shown, of which weights, and how it was scaled.
"""

from .charts import (
    depth_figure,
    filters_figure,
    layers_heads_figure,
    position_similarity_figure,
)
from .figure import figure
from .maps import figure_bytes, heads_figure, overlay, overlay_figure, steps_figure
from .page import ACCENT
from .raster import ATTENTION_CMAP, SIGNED_CMAP, SIMILARITY_CMAP
from .scale import limits

__all__ = [
    "ACCENT",
    "ATTENTION_CMAP",
    "SIGNED_CMAP",
    "SIMILARITY_CMAP",
    "depth_figure",
    "figure",
    "figure_bytes",
    "filters_figure",
    "heads_figure",
    "layers_heads_figure",
    "limits",
    "overlay",
    "overlay_figure",
    "position_similarity_figure",
    "steps_figure",
]
