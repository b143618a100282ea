"""Maps of well-kept libraries, passed through as they are: Grad-CAM (grad-cam) and integrated gradients (captum).

The libraries are handed a twin of the module, so that no hook of theirs is ever seen by another thread.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..errors import CaptureError
from ..grid import PatchGrid
from ..model.timm_parts import first_norm
from ..model.twin import twin
from .task import Task

BASELINES = {"black": 0, "grey": 128}
STEPS = 50  # of integrated gradients, unless told otherwise


def grad_cam(task: Task, *, layer: int = -1) -> np.ndarray:
    """The library's Grad-CAM at the first norm of the last block, or another, as its documentation sets it up for ViTs.

    Each channel of the patch tokens weighted by its mean gradient over the patches, summed, cut off at 0. These are the
    library's values at patch resolution, before it rescales them to 0..1 and enlarges them to the picture.
    Raises CaptureError for a layer that there is not, that has no such norm, or that the class does not depend on.
    """
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    vit = task.vit
    module = twin(vit.module)
    place = norm_of(module, layer, vit.name)
    pixels = task.pixels().requires_grad_()  # frozen weights make no graph by themselves
    targets = [ClassifierOutputTarget(task.target)]
    cam = GradCAM(module, [place], reshape_transform=lambda tokens: on_grid(tokens, vit.grid))
    seen = cam.activations_and_grads
    try:
        with torch.enable_grad():
            cam(pixels, targets)
        heat = cam.get_cam_image(pixels, place, targets, seen.activations[0].numpy(), seen.gradients[0].numpy())
    except AttributeError:  # the library has no words for it
        if seen.gradients:
            raise
        raise CaptureError(
            f"No class of {vit.name} depends on block {layer}, so Grad-CAM has no map there. "
            "Choose another layer or method."
        ) from None
    finally:
        seen.release()
    return np.maximum(heat[0], 0).astype(np.float32)


def integrated_gradients(
    task: Task,
    *,
    baseline: str = "black",
    steps: int = STEPS,
    batch: int = 10,
    on_progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Captum's integrated gradients of the class's logit, summed over the channels, averaged over each patch; signed.

    baseline: where the path to the picture begins, "black" or "grey" (128 of 255). Pixels that look like the baseline
        get 0, whatever they mean to the model.
    steps: points on the path (Gauss-Legendre); batch: how many of them go through the model at a time.
    on_progress: called as (done, total) steps before each batch; what it raises ends the work.
    """
    from captum.attr import IntegratedGradients

    if baseline not in BASELINES:
        raise CaptureError(f'The baseline is one of {", ".join(BASELINES)}; received "{baseline}".')
    if steps < 1 or batch < 1:
        raise CaptureError(f"Steps and batch are whole numbers from 1; received {steps} and {batch}.")
    vit, grid = task.vit, task.vit.grid
    if task.earlier is not None and task.earlier.rendition:
        raise CaptureError(
            f"Integrated gradients begin at a {baseline} picture, and what {vit.name} was given is none that its own "
            f"normalisation made. Choose another method."
        )
    begin = vit.normalise(np.full_like(task.view, BASELINES[baseline]))
    module, done = twin(vit.module), 0

    def forward(pixels: torch.Tensor) -> torch.Tensor:
        nonlocal done
        if on_progress:
            on_progress(done, steps)
        done += len(pixels)
        return module(pixels)

    with torch.enable_grad():
        found = IntegratedGradients(forward).attribute(
            task.pixels(), begin, target=task.target, n_steps=steps, internal_batch_size=min(batch, steps)
        )
    height, width = grid.image_size
    pixels = found[0].detach().float().sum(0)[:height, :width]  # [pixel row, pixel column]
    patches = pixels.reshape(grid.rows, grid.patch_size, grid.cols, grid.patch_size).mean((1, 3))
    return patches.cpu().numpy()


def norm_of(module: torch.nn.Module, layer: int, name: str) -> torch.nn.Module:
    """A block's first norm: ahead of the attention, or behind it in models that norm what a branch adds."""
    blocks = list(module.blocks)
    if not -len(blocks) <= layer < len(blocks):
        raise CaptureError(f"There is no layer {layer}: {name} has layers 0 to {len(blocks) - 1}.")
    norm = first_norm(blocks[layer])
    if norm is None:
        raise CaptureError(f"The blocks of {name} have no norm1, where Grad-CAM reads them. Choose another method.")
    return norm


def on_grid(tokens: torch.Tensor, grid: PatchGrid) -> torch.Tensor:
    """[picture, token, dim] -> float32 [picture, dim, rows, cols]: each patch at its place, 0 where there is none."""
    patches = tokens[:, grid.num_prefix_tokens :].detach().float()
    placed = patches.new_zeros(len(patches), grid.rows * grid.cols, patches.shape[-1])
    numbers = [row * grid.cols + col for row, col in grid.places]
    placed[:, numbers] = patches
    return placed.unflatten(1, (grid.rows, grid.cols)).permute(0, 3, 1, 2)
