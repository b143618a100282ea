"""What attention is derived from are numbers, or the layer is named where they are none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import torch

from ..errors import CaptureError
from ..model.vit import VitModel
from .call import Call


class NotFinite(CaptureError):
    """This picture's numbers are none; another picture's may be."""


def check_finite(
    vit: VitModel, layers: Sequence[Call], pool: Call | None, logits: torch.Tensor, lengths: list[list[list[float]]]
) -> None:
    """NotFinite, which names the layer, for queries, keys or outputs with NaN or infinity.

    lengths: of the layers, as `call.lengths_of` gives them. One that overflowed is of numbers all the same.
    """
    places = [] if pool is None else [("the pooling head", pool)]
    if not all(map(math.isfinite, chain.from_iterable(chain.from_iterable(lengths)))):
        places = [*((f"layer {index}", call) for index, call in enumerate(layers)), *places]
    found = [
        (f"The {name} of {place}", values)
        for place, call in places
        for name, values in (("queries", call.q), ("keys", call.k))
    ]
    for name, values in [*found, ("The outputs", logits)]:
        if not values.isfinite().all():
            raise NotFinite(
                f"{name} of {vit.name} hold NaN or infinity on this picture, so there is no attention to show. Check "
                f"the weights, which a training that diverged may have spoilt, or use another precision than "
                f"{vit.precision}."
            )
