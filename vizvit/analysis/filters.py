"""What the patch embedding looks for: principal components of its kernels."""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from ..model.vit import VitModel


def embedding_filters(vit: VitModel, n: int | None = 28) -> np.ndarray:
    """The first n principal components of the patch-embedding kernels as RGB tiles, float32 [n, patch, patch, 3].

    n: None is 28, or all where there are fewer.
    Each component is scaled by its own largest magnitude to 0..1 with 0.5 for zero; its sign is chosen so that the
    largest entry is positive. ViT paper (Dosovitskiy et al., ICLR 2021), Fig. 7 left.
    A model of one channel has grey tiles. Raises ModelError where patches are not embedded by one linear map, for other
    channels than three and one, or where n is more than there are.
    """
    kernels = vit.patch_kernels()
    if kernels is None:
        raise ModelError(f"{vit.name} does not embed patches by one linear map, so there are no filters to show.")
    dim, height, width, channels = kernels.shape
    if channels not in (1, 3):
        raise ModelError(
            f"{vit.name} reads {channels} channels, whose filters are no colours. See vit.patch_kernels()."
        )
    most = min(dim, height * width * channels)
    n = min(28, most) if n is None else n
    if not 1 <= n <= most:
        raise ModelError(f"{vit.name} has 1 to {most} principal components of its filters; {n} were asked for.")
    flat = kernels.reshape(dim, -1).astype(np.float64)
    components = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:n]
    peaks = components[np.arange(n), np.abs(components).argmax(1)]
    scaled = 0.5 + 0.5 * components / peaks[:, None]
    tiles = scaled.reshape(n, height, width, channels).astype(np.float32)
    return tiles if channels == 3 else tiles.repeat(3, axis=-1)
