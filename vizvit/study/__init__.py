"""Studies: a model over many pictures, streamed, resumable, on one machine or on a cluster.

study.run(vit, ["photos/"], "results", study.Settings(methods=("relevance", "random"), faithfulness=True))
study.sweep("results", by="distance", lowest=True)
"""

from .measures import MEASURES
from .settings import Settings
from .study import run
from .summary import find_studies, read_summary, shipped_study
from .sweep import Head, sweep

__all__ = ["MEASURES", "Head", "Settings", "find_studies", "read_summary", "run", "shipped_study", "sweep"]
