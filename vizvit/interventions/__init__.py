"""Change one thing inside a model and look again: the changed model is a twin, the original stays as it is.

    with vizvit.intervene(vit, vizvit.Temperature(2), vizvit.DropPatches({(3, 4)})) as changed:
        after = vizvit.capture(changed, image)

A change is a frozen dataclass; those of one `intervene` may be given in any order.
"""

from .attention import KnockOutAttention, KnockOutHeads, KnockOutLayers, NoScaling, Temperature, UnseenPatches
from .intervene import Change, intervene
from .order import OrderDifference, shuffled_class_difference
from .positions import PositionEmbedding
from .tokens import DropPatches, ShufflePatches
from .weights import RandomWeights

__all__ = [
    "Change",
    "DropPatches",
    "KnockOutAttention",
    "KnockOutHeads",
    "KnockOutLayers",
    "NoScaling",
    "OrderDifference",
    "PositionEmbedding",
    "RandomWeights",
    "ShufflePatches",
    "Temperature",
    "UnseenPatches",
    "intervene",
    "shuffled_class_difference",
]
