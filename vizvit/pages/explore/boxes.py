"""Boxes of a picture, (left, top, right, bottom) as shares of it, and the patches that they are made of."""

from __future__ import annotations

from vizvit.grid import PatchGrid
from vizvit.reading import real

Box = tuple[float, float, float, float]
MIDDLE: Box = (0.2, 0.2, 0.8, 0.8)


def area_box(grid: PatchGrid, area: tuple | None) -> Box | None:
    """An area of patches as a box; None for none, or one that is not on this grid."""
    if not area or not (0 <= area[0] <= area[2] < grid.rows and 0 <= area[1] <= area[3] < grid.cols):
        return None
    top, left, bottom, right = area
    edges = left / grid.cols, top / grid.rows, (right + 1) / grid.cols, (bottom + 1) / grid.rows
    return tuple(round(edge, 4) for edge in edges)  # as exact as a link holds it


def neighbourhood(grid: PatchGrid, token: int) -> Box:
    """The 3 x 3 patches around a query patch, as far as there are; around the middle for a prefix token."""
    patch = grid.num_prefix_tokens <= token < grid.num_tokens
    row, col = grid.patch(token) if patch else ((grid.rows - 1) // 2, (grid.cols - 1) // 2)
    ends = min(row + 1, grid.rows - 1), min(col + 1, grid.cols - 1)
    return area_box(grid, (max(row - 1, 0), max(col - 1, 0), *ends))


def snapped(grid: PatchGrid, box: Box) -> Box:
    """The box of whole patches that is nearest, of at least one."""
    left, right = (round(edge * grid.cols) for edge in box[::2])
    top, bottom = (round(edge * grid.rows) for edge in box[1::2])
    left, top = min(left, grid.cols - 1), min(top, grid.rows - 1)
    return area_box(grid, (top, left, max(bottom - 1, top), max(right - 1, left)))


def box_of(text: str) -> Box | None:
    """The box that `text_of` wrote; None for what is none."""
    edges = [real(edge, 0, 1) for edge in text.split(",")[:5]]
    if len(edges) != 4 or None in edges:
        return None
    left, top, right, bottom = edges
    return (left, top, right, bottom) if 0 <= left < right <= 1 and 0 <= top < bottom <= 1 else None


def text_of(box: Box) -> str:
    """A box as it stands in the address."""
    return ",".join(f"{edge:g}" for edge in box)
