"""Larger data for some tests, where a developer has it; elsewhere those tests are skipped with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("VIZVIT_DATA", Path(__file__).parents[2] / "shared" / "data"))


def local_data(*parts: str) -> Path:
    """A file or folder of that data; skips the test where it is not there."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not on this machine (VIZVIT_DATA names the folder)")
    return path
