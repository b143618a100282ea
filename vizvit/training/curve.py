"""The training curve: what the log of a run says, as a figure."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from ..figures import figure_bytes
from ..figures.page import ACCENT, LABEL, SMALL, Page
from ..files import write_bytes
from . import log

HEIGHT, LEFT, RIGHT, FOOT = 3.0, 0.7, 0.75, 0.55  # inches


def curve_figure(entries: list[dict], *, caption: str = "", theme: str = "light") -> Figure:
    """Loss of the training batches and top-1 of the averaged weights on held-out pictures, over epochs."""
    page = Page(6.6, HEIGHT + FOOT, "Training", caption, theme)
    axes = page.axes((LEFT, 0, page.width - LEFT - RIGHT, HEIGHT), "loss")
    colours = page.theme
    steps = [entry for entry in entries if entry["event"] == "train"]
    axes.plot([e["epoch"] for e in steps], [e["loss"] for e in steps], color=colours.mark, linewidth=1)
    axes.set_ylabel("loss of the training batches", fontsize=LABEL, color=colours.mark)
    axes.set_xlabel("epoch", fontsize=LABEL, color=colours.ink)
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(colours.line)
    right = axes.twinx()
    right.spines[:].set_visible(False)
    seen = [entry for entry in entries if entry["event"] in ("val", "end") and "top1" in entry]
    right.plot([e["epoch"] for e in seen], [100 * e["top1"] for e in seen], color=ACCENT, linewidth=1.6)
    right.set_ylim(bottom=0)
    right.set_ylabel("top-1 on held-out pictures, %", fontsize=LABEL, color=ACCENT)
    for each in (axes, right):
        each.tick_params(length=0, labelsize=SMALL, labelcolor=colours.quiet)
    return page.figure


def write_curve(directory: Path) -> Path | None:
    """DIR/curve.png from DIR/log.jsonl; None where there is nothing to draw yet."""
    entries = log.read(directory)
    if not any(entry["event"] == "train" for entry in entries):
        return None
    file = directory / "curve.png"
    write_bytes(file, figure_bytes(curve_figure(entries)))
    return file
