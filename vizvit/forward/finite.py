"""What attention is derived from are numbers, or the layer is named where they are none."""

from __future__ import annotations

import torch

from ..errors import CaptureError
from ..model.vit import VitModel
from .recorder import Call


class NotFinite(CaptureError):
    """This picture's numbers are none; another picture's may be."""


def check_finite(vit: VitModel, calls: list[Call], logits: torch.Tensor) -> None:
    """NotFinite, which names the layer, for queries, keys or outputs with NaN or infinity.

    calls: of each layer, and then of the pooling head, where there is one.
    """
    places = [f"layer {layer}" for layer in range(vit.num_layers)] + ["the pooling head"]
    found = []
    for place, call in zip(places, calls, strict=False):
        found += [(f"The queries of {place}", call.q), (f"The keys of {place}", call.k)]
    found.append(("The outputs", logits))
    # A sum is not finite where one of its terms is not; it may overflow besides, so that the terms decide.
    sums = torch.stack([value.detach().float().sum() for _, value in found])
    for number in (~sums.isfinite()).nonzero().flatten().tolist():
        name, value = found[number]
        if not value.isfinite().all():
            raise NotFinite(
                f"{name} of {vit.name} hold NaN or infinity on this picture, so there is no attention to show. Check "
                f"the weights, which a training that diverged may have spoilt, or use another precision than "
                f"{vit.precision}."
            )
