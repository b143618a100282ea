"""Is a map right about the model? Deletion and insertion curves, their random counterpart, and randomised weights.

curves = vizvit.faithfulness(vit, view, heat)
"""

from .curves import Curves, faithfulness, faithfulness_many
from .fills import FILLS, filled
from .order import patch_order
from .random_order import RandomCurves, random_curves
from .sanity import Randomisation, weight_randomisation

__all__ = [
    "FILLS",
    "Curves",
    "RandomCurves",
    "Randomisation",
    "faithfulness",
    "faithfulness_many",
    "filled",
    "patch_order",
    "random_curves",
    "weight_randomisation",
]
