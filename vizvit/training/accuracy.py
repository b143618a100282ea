"""How often a network names the right class."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .augment import plain
from .pixels import Pixels


@torch.no_grad()
def accuracy(
    network: nn.Module,
    data: Pixels,
    which: np.ndarray | None = None,
    *,
    device: torch.device,
    side: int,
    mean: tuple = (0.5,) * 3,
    std: tuple = (0.5,) * 3,
    precision: torch.dtype = torch.bfloat16,
    batch: int = 250,
) -> dict[str, float]:
    """top1 and top5 as shares, the mean cross-entropy, and the count; of all pictures or of those in `which`.

    No top5 of five classes or fewer, where it says nothing.
    """
    which = np.arange(len(data)) if which is None else which
    first = fifth = loss = 0.0
    network.eval()
    for start in range(0, len(which), batch):
        some = which[start : start + batch]
        views = plain(torch.from_numpy(data.batch(some)).to(device), side, mean, std)
        target = torch.from_numpy(data.labels[some]).to(device)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            logits = network(views)
        logits = logits.float()
        best = logits.topk(min(5, logits.shape[1]), dim=1).indices == target[:, None]  # [batch, 5]
        first += best[:, 0].sum().item()
        fifth += best.any(dim=1).sum().item()
        loss += F.cross_entropy(logits, target, reduction="sum").item()
    count = max(1, len(which))
    found = {"top1": first / count, "top5": fifth / count, "loss": loss / count, "count": len(which)}
    if network.num_classes <= 5:
        del found["top5"]
    return found
