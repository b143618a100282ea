"""Augmentation of a whole batch at once, on the device: one resampling and one colour map a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augment:
    """Random views of pictures.

    scale: smallest share of the area that a crop keeps; ratio: widest aspect of a crop.
    flip: whether pictures may be mirrored. colour: spread of brightness, contrast and saturation (0.3: 0.7 to 1.3).
    randaugment: share of pictures that are also turned, sheared, and at times greyed or solarised.
    erase: share of pictures from which a rectangle is removed.
    """

    scale: float = 0.4
    ratio: float = 4 / 3
    flip: bool = True
    colour: float = 0.3
    randaugment: float = 0.0
    erase: float = 0.0

    def __call__(self, pixels: Tensor, side: int, generator: torch.Generator) -> Tensor:
        """uint8 [batch, 3, h, w] -> normalised float32 [batch, 3, side, side]; mean and deviation are 0.5."""
        return self.with_places(pixels, side, generator)[0]

    def with_places(self, pixels: Tensor, side: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The views, and [batch, 2, 3]: from a place of each view to one in its picture, both from -1 to 1."""
        draw = _Draws(len(pixels), pixels.device, generator)
        places = self._places(draw)
        views = F.grid_sample(
            pixels.float(),
            F.affine_grid(places, [len(pixels), 3, side, side], align_corners=False),
            padding_mode="reflection",
            align_corners=False,
        )
        views = self._recolour(views, draw)
        return self._remove(views, draw) if self.erase else views, places

    def _places(self, draw: _Draws) -> Tensor:
        """[batch, 2, 3]: from a pixel of the view to its place in the picture, both from -1 to 1."""
        area = draw.between(self.scale, 1)
        ratio = torch.exp(draw.between(-1, 1) * math.log(self.ratio))
        wide, high = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
        across, down = draw.between(-1, 1) * (1 - wide), draw.between(-1, 1) * (1 - high)
        if self.flip:
            wide = wide * draw.sign()
        some = draw.chance(self.randaugment)
        turn = draw.between(-1, 1) * math.radians(25) * some
        shear = draw.between(-1, 1) * 0.25 * some
        cos, sin = turn.cos(), turn.sin()
        rows = [wide * cos, high * (shear * cos - sin), across, wide * sin, high * (shear * sin + cos), down]
        return torch.stack(rows, dim=1).view(-1, 2, 3)

    def _recolour(self, views: Tensor, draw: _Draws) -> Tensor:
        """Brightness, contrast and saturation in one matrix [3, 3] and offset [3] a picture, with the scaling."""
        luma = moved(torch.tensor(LUMA), views.device)
        some = draw.chance(self.randaugment)
        greyed, solarised = some * draw.chance(0.15), some * draw.chance(0.15)
        bright, contrast, saturation = (1 + self.colour * draw.between(-1, 1) for _ in range(3))
        saturation = saturation * (1 - greyed)
        grey = (views.mean(dim=(2, 3)) @ luma)[:, None]  # [batch, 1]
        mix = torch.eye(3, device=views.device) * saturation[:, None, None]
        mix = mix + (1 - saturation)[:, None, None] * luma.expand(3, 3)
        matrix = mix * (bright * contrast)[:, None, None]
        offset = bright[:, None] * (1 - contrast)[:, None] * grey
        if self.randaugment:
            limit = torch.where(solarised > 0, 160.0, 256.0)[:, None, None, None]
            views = torch.where(views < limit, views, 255 - views)
        batch, _, height, width = views.shape
        offset = offset.expand(batch, 3)[:, :, None] / 127.5 - 1
        changed = torch.baddbmm(offset, matrix / 127.5, views.reshape(batch, 3, -1))
        return changed.clamp_(-1, 1).view(batch, 3, height, width)

    def _remove(self, views: Tensor, draw: _Draws) -> Tensor:
        side = views.shape[-1]
        share = draw.between(0.05, 0.33) * draw.chance(self.erase)
        ratio = torch.exp(draw.between(-1, 1) * math.log(3))
        inside = []
        for length in ((share * ratio).sqrt(), (share / ratio).sqrt()):
            start = draw.between(0, 1) * (1 - length)
            place = (torch.arange(side, device=views.device) + 0.5) / side
            inside.append((place >= start[:, None]) & (place < (start + length)[:, None]))  # [batch, side]
        return views.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0)


class _Draws:
    """One random number a picture, each time it is asked."""

    def __init__(self, count: int, device: torch.device, generator: torch.Generator) -> None:
        self.count, self.device, self.generator = count, device, generator

    def between(self, low: float, high: float) -> Tensor:
        drawn = torch.rand(self.count, generator=self.generator)  # on the CPU: the same on every device
        return moved(low + (high - low) * drawn, self.device)

    def chance(self, share: float) -> Tensor:
        return (self.between(0, 1) < share).float()

    def sign(self) -> Tensor:
        return 1 - 2 * self.chance(0.5)


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on the device; on a GPU without waiting for what it is doing, which only pinned memory allows."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def plain(pixels: Tensor, side: int, mean: tuple = (0.5,) * 3, std: tuple = (0.5,) * 3) -> Tensor:
    """uint8 [batch, 3, h, w] -> normalised float32 [batch, 3, side, side], as they are."""
    views = pixels.float()
    if views.shape[-1] != side:
        views = F.interpolate(views, (side, side), mode="bicubic", align_corners=False, antialias=True).clamp(0, 255)
    mean, std = (torch.tensor(values, device=views.device).view(1, 3, 1, 1) * 255 for values in (mean, std))
    return (views - mean) / std
