"""Is a map right about the model? Deletion and insertion curves, their random counterpart, and randomised weights.

curves = vizvit.faithfulness(vit, view, heat)
"""

from .curves import Curves, faithfulness, faithfulness_many
from .random_order import RandomCurves, random_curves
from .sanity import Randomisation, numbers_of_blocks, randomised_map, weight_randomisation
from .stream import FILLS, filled, patch_order, without_order

__all__ = [
    "FILLS",
    "Curves",
    "RandomCurves",
    "Randomisation",
    "faithfulness",
    "faithfulness_many",
    "filled",
    "numbers_of_blocks",
    "patch_order",
    "random_curves",
    "randomised_map",
    "weight_randomisation",
    "without_order",
]
