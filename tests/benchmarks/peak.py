"""How much memory a process takes, in bytes: now, and at most since it began."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def resident() -> int:
    """What the process holds now; where the system does not say, the most that it ever held."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * resource.getpagesize() if pages.exists() else greatest()


def greatest() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
