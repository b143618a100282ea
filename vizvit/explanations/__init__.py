"""Maps of what a prediction rests on, one signature for all methods: own ones, well-kept libraries', and controls.

heat = vizvit.explain(vit, view, "relevance", target="tabby cat")
"""

from .explain import contrast, explain
from .methods import METHODS, Method

__all__ = ["METHODS", "Method", "contrast", "explain"]
