"""Vectors as strips of colours, numbers, bars and badges, as HTML: sharp at every size and fast to send.

What comes from outside (labels of classes, names of models and files) must be escaped in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from vizvit.figures import SIGNED_CMAP
from vizvit.numbers import number, rounding
from vizvit.pages.shared.language import say
from vizvit.pages.shared.pixels import colours, png, png_url

CLEAR = 1e-4  # a difference above this is more than rounding
_MOST_CELLS = 400  # up to here each cell of a strip tells its value under the pointer


def strip(
    values: np.ndarray,
    label: str,
    *,
    name: str = "",
    limit: float | None = None,
    colormap: str = SIGNED_CMAP,
    low: float | None = None,
    tall: bool = False,
    thin: bool = False,
    numbers: bool = True,
) -> str:
    """A vector [n] as a row of colours, signed ones around white.

    label: what it is, above. name: what the drawing is called in the page. limit: the value of the full colour, by
    default the greatest magnitude; low: the value of the first colour, by default −limit. numbers: its extremes beside
    the label.
    """
    values = np.asarray(values, np.float32).ravel()
    limit = limit or float(np.abs(values).max()) or 1.0
    extremes = f"{number(values.min())} … {number(values.max())}" if numbers else ""
    cells = _cells(values, colormap, -limit if low is None else low, limit)
    return (
        f'<figure class="vw-strip{" tall" if tall else " thin" if thin else ""}" data-draw="{escape(name)}">'
        f"<figcaption><span>{label}</span><span>{extremes}</span></figcaption>{cells}</figure>"
    )


def first_numbers(values: np.ndarray, count: int = 8) -> str:
    """The first values of a vector, written out."""
    values = np.asarray(values).ravel()
    rest = ", …" if values.size > count else ""
    return f'<p class="vw-numbers">[{", ".join(map(number, values[:count]))}{rest}]</p>'


def facts(*pairs: tuple[str, str]) -> str:
    """A row of (what, how much), large."""
    cells = "".join(f"<div><dt>{what}</dt><dd>{value}</dd></div>" for what, value in pairs)
    return f'<dl class="vw-facts">{cells}</dl>'


def bars(
    rows: Iterable[tuple[str, float, str]],
    *,
    name: str = "",
    chosen: int | None = None,
    images: Sequence[str] = (),
    top: float = 0.0,
) -> str:
    """Horizontal bars of (label, value, written value); signed values go both ways from the middle.

    chosen: the row in the accent colour, all of them where None. images: data URLs, one before each label.
    top: the value of a full bar, by default the greatest.
    """
    rows = list(rows)
    signed = any(value < 0 for _, value, _ in rows)
    top = top or max((abs(value) for _, value, _ in rows), default=0) or 1.0
    cells = []
    for index, (label, value, written) in enumerate(rows):
        width = min(100 * abs(value) / top, 100) / (2 if signed else 1)
        left = (50 if value >= 0 else 50 - width) if signed else 0
        quiet = " quiet" if chosen is not None and index != chosen else " less" if value < 0 else ""
        picture = f'<img class="vw-tiny" src="{images[index]}" alt="">' if index < len(images) else ""
        cells.append(
            f'<span class="vw-label">{picture}<span>{label}</span></span>'
            f'<i class="vw-rail{" signed" if signed else ""}">'
            f'<b class="{quiet}" style="left:{left:.2f}%;width:{width:.2f}%"></b></i><span>{written}</span>'
        )
    return f'<div class="vw-bars" data-draw="{escape(name)}">{"".join(cells)}</div>'


def badge(difference: float | None) -> str:
    """How far what was computed by hand here is from the model's own."""
    if difference is None:
        return ""
    fine = difference < CLEAR
    text = say("walk")["badge" if fine else "badge_off"].format(difference=f"<nobr>{rounding(difference)}</nobr>")
    return (
        f'<div class="vw-badge{"" if fine else " off"}" data-difference="{difference:.3e}">'
        f"<b>{'✓' if fine else '✗'}</b><span>{text}</span></div>"
    )


def title(text: str, note: str = "") -> str:
    return f'<h4 class="vw-title">{text}</h4>' + (f'<p class="vw-note">{note}</p>' if note else "")


def note(text: str) -> str:
    return f'<p class="vw-note">{text}</p>'


def side_by_side(*parts: str, least: str = "260px") -> str:
    """Parts beside each other as far as there is room for `least` each."""
    cells = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div class="vw-beside" style="--least:{least}">{cells}</div>'


def _cells(values: np.ndarray, colormap: str, low: float, high: float) -> str:
    shades = colours(values, colormap, low, high)
    if len(values) > _MOST_CELLS:
        return f'<img class="vw-cells" src="{png_url(png(shades[None]))}" alt="">'
    rects = "".join(
        f'<rect x="{index}" width="1.03" height="1" fill="#{r:02x}{g:02x}{b:02x}" data-tip="{index}: {number(value)}"/>'
        for index, (value, (r, g, b)) in enumerate(zip(values, shades, strict=True))
    )
    return f'<svg class="vw-cells" viewBox="0 0 {len(values)} 1" preserveAspectRatio="none">{rects}</svg>'
