"""One forward pass, watched: the queries and keys of every layer, from which any attention can be derived.

The forward pass stays timm's own, with fused attention. A `TorchFunctionMode` (thread-local) sees each
`scaled_dot_product_attention` call on its way and keeps its queries and keys: O(layers x tokens x dim) instead of the
O(layers x heads x tokens²) of the attention matrices. Attention is derived when somebody looks:
softmax(q kᵀ scale + bias), after rotary embedding and q/k normalisation, exact to float32 rounding.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ..model.given import checked_model
from ..model.tokens import read_tokens
from ..model.vit import VitModel
from ..pictures.load import Source, load_image
from .captured import Capture
from .flow import Flows
from .gradients import output_gradients
from .recorder import Recorder, forward
from .views import checked_view


def capture(vit: VitModel, image: Source, *, target: int | str | None = None) -> Capture:
    """Run the model on one picture and keep what its attention can be derived from.

    image: a PIL image, or anything `load_image` takes.
    target: a class index or name; keeps the gradients that `gradient_rollout` and `relevance` need.
    Memory: queries and keys, layers x tokens x dim x 2 x the model's precision; as much again with a target.
    Raises CaptureError where not every block's attention was seen, or is not of numbers, with the reason; never a
    partial result.
    """
    checked_model(vit)
    index = None if target is None else vit.class_index(target)
    view = vit.view(image if isinstance(image, Image.Image) else load_image(image))
    return capture_input(vit, view, vit.normalise(view), target=index)


def capture_view(vit: VitModel, view: np.ndarray, target: int | str | None = None) -> Capture:
    """`capture` of exactly these pixels, for instance a view that `vizvit.pictures.perturb` has changed.

    view: uint8 [H, W, 3] of the size that `VitModel.view` gives; nothing is resized or cropped.
    Raises CaptureError for another shape or type.
    """
    checked_model(vit)
    view = checked_view(vit, view).copy()
    index = None if target is None else vit.class_index(target)
    return capture_input(vit, view, vit.normalise(view), target=index)


def capture_input(vit: VitModel, view: np.ndarray, pixels: torch.Tensor, *, target: int | None = None) -> Capture:
    """`capture` from the model's own input: view uint8 [H, W, 3], pixels [1, C, H, W]."""
    recorder = Recorder(vit.num_layers, gradients=target is not None)
    if target is not None:
        recorder.flows = _flows(vit)
    with torch.set_grad_enabled(target is not None):
        logits = forward(vit, recorder, pixels.requires_grad_(target is not None))
    gradients, pool_gradient = (None, None) if target is None else output_gradients(recorder, logits, target)
    flows = () if recorder.flows is None else recorder.flows.done
    return Capture(vit, view, logits, recorder, target, gradients, pool_gradient, flows)


def _flows(vit: VitModel) -> Flows | None:
    """None where attention's own backward pass is much quicker than one in blocks, and where a head of attention is
    read, whose weights for the class are known at the end alone."""
    if vit.device.type != "cpu" or vit.read_out == "pooling head" or torch.is_autocast_enabled("cpu"):
        return None
    start, tokens = torch.zeros(vit.grid.num_tokens, dtype=torch.float32), read_tokens(vit)
    start[tokens] = 1 / len(tokens)
    return Flows(start, vit.num_layers)
