"""A map over a picture by one call, for a notebook."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from vizvit.figures.maps import overlay_figure


def figure(picture: Any, heat: np.ndarray, *, caption: str | None = None, **options: Any) -> Figure:
    """A map [rows, cols] over the picture that it belongs to, with a colour bar between its limits.

    picture: a capture, whose view and model's name are taken; or a PIL image or uint8 [H, W, 3], best
    `vit.view(image)`, the pixels that the map covers. options: those of `vizvit.figures.overlay_figure`, such as
    title, query=(row, col), smooth, opacity, blend, vmax and theme. `.savefig("map.pdf")` keeps it.
    Raises ValueError where picture or map do not fit.
    """
    if not isinstance(picture, (Image.Image, np.ndarray)) and hasattr(picture, "view"):
        caption = f"{picture.vit.name}, {picture.vit.weights}" if caption is None else caption
        picture = picture.view
    return overlay_figure(picture, heat, caption=caption or "", **options)
