"""What the tests compare with, and models whose attention is worth comparing."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

# Families whose attention and features are checked: timm's name and a size.
FAMILIES = {
    "vit": ("vit_tiny_patch16_224", (48, 64)),
    "distilled": ("deit_tiny_distilled_patch16_224", (48, 64)),
    "registers": ("vit_small_patch14_reg4_dinov2", (42, 56)),
    "siglip": ("vit_base_patch16_siglip_224", (48, 64)),
    "rotary": ("eva02_tiny_patch14_224", (42, 56)),
}


@torch.no_grad()
def awaken(module: torch.nn.Module) -> None:
    """Fresh weights attend almost evenly, add no bias and barely use their blocks: tests would see nothing.

    Queries and keys become as large as in trained models, and all that starts constant becomes random.
    """
    generator = torch.Generator().manual_seed(1)
    for name, parameter in module.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if any(part in name for part in ("qkv.weight", "q_proj.weight", "k_proj.weight", "in_proj.weight")):
            parameter.copy_(noise * 1.7 / parameter.shape[1] ** 0.5)
        elif parameter.ndim == 1 or "gamma" in name:
            parameter.add_(0.2 * noise)
        elif parameter.std() < 0.01 or "bias_table" in name or "token" in name:
            parameter.copy_(0.3 * noise)


def random_pixels(height: int, width: int, seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def largest_difference(found, expected) -> float:
    """The largest difference between two arrays, as a share of the largest magnitude in `expected`."""
    found, expected = (np.asarray(values, dtype=np.float64) for values in (found, expected))
    assert found.shape == expected.shape, (found.shape, expected.shape)
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def family(vit, name: str):
    """A small random model of one of FAMILIES; vit: the fixture."""
    timm_name, size = FAMILIES[name]
    return vit(timm_name, image_size=size, depth=3, heads=3)
