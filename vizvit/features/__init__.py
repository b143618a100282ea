"""What token vectors say, from plain arrays: two populations of norms, cosines, principal components held steady."""

from .components import aligned, chain, principal_components
from .populations import high_population
from .similarity import unit_vectors

__all__ = ["aligned", "chain", "high_population", "principal_components", "unit_vectors"]
