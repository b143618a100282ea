"""Line charts as inline SVG: curves, points on them, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from vizvit.numbers import number

Numbers = Sequence[float] | np.ndarray

WIDE, HIGH = 400, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 12, 12, 48


class Chart:
    """Axes with their names; lines, points and bars are added, `html` is the picture."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], names: tuple[str, str], name: str = ""):
        self.x, self.y, self.names, self.name = _widened(x), _widened(y), names, name
        self.parts: list[str] = []

    def line(self, xs: Numbers, ys: Numbers, kind: str = "", label: str = "") -> Chart:
        points = " ".join(f"{self._across(x):.1f},{self._down(y):.1f}" for x, y in zip(xs, ys, strict=True))
        self.parts.append(f'<polyline class="vw-line {kind}" points="{points}"/>')
        if label:
            x, y = self._across(xs[-1]), self._down(ys[-1])
            self.parts.append(f'<text class="vw-tick" x="{x:.1f}" y="{y - 8:.1f}" text-anchor="end">{label}</text>')
        return self

    def dots(self, xs: Numbers, ys: Numbers, kind: str = "", titles: Sequence[str] = ()) -> Chart:
        for index, (x, y) in enumerate(zip(xs, ys, strict=True)):
            tip = f'data-tip="{escape(titles[index])}"' if index < len(titles) else ""
            radius = 6.5 if kind == "accent" else 3.5
            place = f'cx="{self._across(x):.1f}" cy="{self._down(y):.1f}"'
            self.parts.append(f'<circle class="vw-dot {kind}" {place} r="{radius}" {tip}/>')
        return self

    def steps(self, edges: np.ndarray, counts: np.ndarray, kind: str = "") -> Chart:
        """A histogram's outline."""
        xs, ys = np.repeat(edges, 2), np.concatenate([[0], np.repeat(counts, 2), [0]])
        points = " ".join(f"{self._across(x):.1f},{self._down(y):.1f}" for x, y in zip(xs, ys, strict=True))
        self.parts.append(f'<polygon class="vw-steps {kind}" points="{points}"/>')
        return self

    def html(self, x_ticks: Numbers | None = None) -> str:
        right, bottom = WIDE - _RIGHT, HIGH - _BOTTOM
        lines = [f'<path class="vw-axis" d="M{_LEFT} {bottom}H{right}"/>']
        for x in ticks(*self.x) if x_ticks is None else x_ticks:
            lines.append(f'<text class="vw-tick" x="{self._across(x):.1f}" y="{bottom + 18}">{number(x)}</text>')
        for y in ticks(*self.y):
            down = self._down(y)
            lines.append(f'<path class="vw-axis" d="M{_LEFT} {down:.1f}H{right}"/>')
            place = f'x="{_LEFT - 8}" y="{down + 5:.1f}"'
            lines.append(f'<text class="vw-tick" {place} style="text-anchor:end">{number(y)}</text>')
        middle = (_LEFT + right) / 2
        lines.append(f'<text class="vw-name" x="{middle}" y="{HIGH - 6}">{escape(self.names[0])}</text>')
        return (
            f'<figure class="vw-chart" data-draw="{escape(self.name)}"><figcaption>{escape(self.names[1])}</figcaption>'
            f'<svg viewBox="0 0 {WIDE} {HIGH}">{"".join(lines + self.parts)}</svg></figure>'
        )

    def _across(self, x: float) -> float:
        low, high = self.x
        return _LEFT + (x - low) / (high - low) * (WIDE - _LEFT - _RIGHT)

    def _down(self, y: float) -> float:
        low, high = self.y
        return HIGH - _BOTTOM - (y - low) / (high - low) * (HIGH - _TOP - _BOTTOM)


def ticks(low: float, high: float) -> list[float]:
    """Three to six round values between the ends."""
    rough = (high - low) / 4
    size = 10 ** np.floor(np.log10(rough))
    step = size * next(part for part in (1, 2, 5, 10) if part * size >= rough)
    return [round(float(value), 12) for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]


def _widened(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = map(float, ends)
    return (low, high) if low < high else (low - 0.5, high + 0.5)
