"""The pretrained models worth looking at first, each with the one thing it shows best."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import ModelError


@dataclass(frozen=True)
class Entry:
    """A model on the hub.

    name: timm's name, with its tag; title: a short one for menus.
    why: one sentence on what to look for.
    download_mb: size of its weights in MB (10⁶ bytes), from its number of parameters.
    family: the name of the line of work that it belongs to.
    """

    name: str
    title: str
    why: str
    download_mb: int
    family: str


CATALOG: tuple[Entry, ...] = (
    Entry(
        name="vit_tiny_patch16_224.augreg_in21k_ft_in1k",
        title="ViT-Ti/16",
        why="The smallest of the plain ViTs: three heads a layer, so that all 36 heads fit on one screen.",
        download_mb=23,
        family="ViT",
    ),
    Entry(
        name="vit_small_patch16_224.augreg_in21k_ft_in1k",
        title="ViT-S/16",
        why="The same network as DINO's below, but trained with labels: compare the heads of the last layer.",
        download_mb=88,
        family="ViT",
    ),
    Entry(
        name="vit_base_patch16_224.augreg2_in21k_ft_in1k",
        title="ViT-B/16",
        why="The size that most papers draw: twelve layers of twelve heads, local and global side by side.",
        download_mb=346,
        family="ViT",
    ),
    Entry(
        name="deit_small_distilled_patch16_224.fb_in1k",
        title="DeiT-S/16, distilled",
        why="A distillation token, taught by a convolutional network, attends beside the class token.",
        download_mb=90,
        family="DeiT",
    ),
    Entry(
        name="deit3_small_patch16_224.fb_in1k",
        title="DeiT III-S/16",
        why="Labels and ImageNet-1k alone, by a modern recipe: the supervised counterpart to DINO.",
        download_mb=88,
        family="DeiT",
    ),
    Entry(
        name="vit_small_patch16_224.dino",
        title="DINO ViT-S/16",
        why="Trained without labels, yet the class token's heads in the last layer outline objects.",
        download_mb=87,
        family="DINO",
    ),
    Entry(
        name="vit_small_patch14_reg4_dinov2.lvd142m",
        title="DINOv2 ViT-S/14, registers",
        why="Four registers hold what large DINOv2 models otherwise put into high-norm background patches.",
        download_mb=88,
        family="DINO",
    ),
    Entry(
        name="vit_small_patch16_dinov3.lvd1689m",
        title="DINOv3 ViT-S/16",
        why="Positions enter by rotating queries and keys in each layer (RoPE); no embedding is added.",
        download_mb=86,
        family="DINO",
    ),
    Entry(
        name="beit_base_patch16_224.in22k_ft_in22k_in1k",
        title="BEiT-B/16",
        why="Each head adds a learned bias for the offset between two patches to its attention scores.",
        download_mb=346,
        family="BEiT",
    ),
    Entry(
        name="eva02_tiny_patch14_336.mim_in22k_ft_in1k",
        title="EVA-02-Ti/14",
        why="Rotary positions on top of a position embedding, on a fine grid of 24 × 24 patches.",
        download_mb=23,
        family="EVA-02",
    ),
    Entry(
        name="vit_base_patch16_clip_224.openai_ft_in1k",
        title="CLIP ViT-B/16",
        why="CLIP's image tower learned from captions; tuned on ImageNet afterwards, it also names classes.",
        download_mb=346,
        family="CLIP",
    ),
    Entry(
        name="vit_base_patch16_siglip_224.v2_webli",
        title="SigLIP 2 ViT-B/16",
        why="No class token: a learned query in an attention-pooling head reads the patches at the end.",
        download_mb=372,
        family="SigLIP",
    ),
    Entry(
        name="flexivit_small.1200ep_in1k",
        title="FlexiViT-S",
        why="Trained with patches of many sizes: one set of weights for coarse and fine grids, here 15 × 15.",
        download_mb=88,
        family="FlexiViT",
    ),
)


def entry(name: str) -> Entry:
    """The entry of a timm name, with its tag; ModelError where the catalogue has none."""
    for candidate in CATALOG:
        if candidate.name == name:
            return candidate
    names = ", ".join(candidate.name for candidate in CATALOG)
    raise ModelError(f"{name} is not in the catalogue, which has {names}. Any other timm name can be loaded by hand.")
