"""Where the files lie that come with VizViT beside its code: the shipped models, the lessons, the logo."""

from __future__ import annotations

from pathlib import Path


def assets_dir() -> Path:
    """The folder with them, in a checkout and in an installed wheel alike."""
    inside = Path(__file__).parents[1] / "assets"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "assets"
