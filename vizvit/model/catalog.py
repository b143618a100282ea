"""The pretrained models worth looking at first, each with the one thing it shows best."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ModelError
from ..texts import words


@dataclass(frozen=True)
class Entry:
    """A model on the hub.

    name: timm's name, with its tag; title: a short one for menus.
    download_mb: size of its weights in MB (10⁶ bytes), from its number of parameters.
    family: the name of the line of work that it belongs to.
    """

    name: str
    title: str
    download_mb: int
    family: str

    @property
    def why(self) -> str:
        """One sentence on what to look for."""
        return words("catalog")[self.name]


CATALOG: tuple[Entry, ...] = (
    Entry(
        name="vit_tiny_patch16_224.augreg_in21k_ft_in1k",
        title="ViT-Ti/16",
        download_mb=23,
        family="ViT",
    ),
    Entry(
        name="vit_small_patch16_224.augreg_in21k_ft_in1k",
        title="ViT-S/16",
        download_mb=88,
        family="ViT",
    ),
    Entry(
        name="vit_base_patch16_224.augreg2_in21k_ft_in1k",
        title="ViT-B/16",
        download_mb=346,
        family="ViT",
    ),
    Entry(
        name="deit_small_distilled_patch16_224.fb_in1k",
        title="DeiT-S/16, distilled",
        download_mb=90,
        family="DeiT",
    ),
    Entry(
        name="deit3_small_patch16_224.fb_in1k",
        title="DeiT III-S/16",
        download_mb=88,
        family="DeiT",
    ),
    Entry(
        name="vit_small_patch16_224.dino",
        title="DINO ViT-S/16",
        download_mb=87,
        family="DINO",
    ),
    Entry(
        name="vit_small_patch14_reg4_dinov2.lvd142m",
        title="DINOv2 ViT-S/14, registers",
        download_mb=88,
        family="DINO",
    ),
    Entry(
        name="vit_small_patch16_dinov3.lvd1689m",
        title="DINOv3 ViT-S/16",
        download_mb=86,
        family="DINO",
    ),
    Entry(
        name="beit_base_patch16_224.in22k_ft_in22k_in1k",
        title="BEiT-B/16",
        download_mb=346,
        family="BEiT",
    ),
    Entry(
        name="eva02_tiny_patch14_336.mim_in22k_ft_in1k",
        title="EVA-02-Ti/14",
        download_mb=23,
        family="EVA-02",
    ),
    Entry(
        name="vit_base_patch16_clip_224.openai_ft_in1k",
        title="CLIP ViT-B/16",
        download_mb=346,
        family="CLIP",
    ),
    Entry(
        name="vit_base_patch16_siglip_224.v2_webli",
        title="SigLIP 2 ViT-B/16",
        download_mb=372,
        family="SigLIP",
    ),
    Entry(
        name="flexivit_small.1200ep_in1k",
        title="FlexiViT-S",
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
