"""What attention is derived from are numbers, or the layer is named where they are none."""

from __future__ import annotations

import torch

from ..errors import CaptureError
from ..model.vit import VitModel
from .call import Call


class NotFinite(CaptureError):
    """This picture's numbers are none; another picture's may be."""


def check_finite(vit: VitModel, calls: list[Call], logits: torch.Tensor) -> None:
    """NotFinite, which names the layer, for queries, keys or outputs with NaN or infinity.

    calls: of each layer, and then of the pooling head, where there is one.
    """
    found = [value for call in calls for value in (call.q, call.k)] + [logits]
    # A sum is not finite where one of its terms is not; it may overflow besides, so that the terms decide.
    sums = torch.stack([value.detach().float().sum() for value in found])
    for number in (~sums.isfinite()).nonzero().flatten().tolist():
        if not found[number].isfinite().all():
            layer, what = number // 2, ("queries", "keys")[number % 2]
            place = f"layer {layer}" if layer < vit.num_layers else "the pooling head"
            name = "The outputs" if number == len(found) - 1 else f"The {what} of {place}"
            raise NotFinite(
                f"{name} of {vit.name} hold NaN or infinity on this picture, so there is no attention to show. Check "
                f"the weights, which a training that diverged may have spoilt, or use another precision than "
                f"{vit.precision}."
            )
