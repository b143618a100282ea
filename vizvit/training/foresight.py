"""How long a step of a run takes, before it is made: said, and refused where not one fits into the minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from ..errors import ModelError

if TYPE_CHECKING:
    from .run import Run

FEW = 100  # steps in all, below which little is learned
PROBE = 1 / 16  # of a batch, from which the time of a step is foreseen


def foresee(run: Run) -> None:
    """Time a small part of a step, say what a whole one will take, and refuse where not one fits."""
    step, budget, recipe = _seconds(run), run.budget, run.recipe
    precision = str(run.machine.precision).removeprefix("torch.")
    text = (
        f"a step of {recipe.batch} pictures takes about {step:.2g} s in {precision}, {run.steps_per_epoch:.1f} an epoch"
    )
    if budget.minutes is not None:
        left = 60 * budget.minutes - run.seconds
        if step > left:
            raise ModelError(
                f"A step of {recipe.batch} pictures takes about {step:.0f} s here in {precision}, and "
                f"{max(0.0, left):.0f} s of the minutes are left. Give more minutes, a smaller --batch, fewer or "
                f"larger patches, or a smaller network."
            )
        in_all = run.step + left / step
    else:
        in_all = FEW if budget.open or budget.decay else budget.epochs * run.steps_per_epoch
    if in_all < FEW:
        text += f"; {in_all:.0f} steps in all are few: a smaller --batch, more epochs or minutes teach more"
    run.watch({"event": "note", "text": text})


def _seconds(run: Run) -> float:
    """Seconds of a whole step, from the best of three parts of one."""
    few = max(2, round(run.recipe.batch * PROBE) // 2 * 2)
    batch = run.next_batch().first(few)
    times = []
    for _ in range(3):
        begun = time.monotonic()
        sum(run.losses(batch, run.student)).backward()  # uncompiled: compiling takes longer than many steps
        if run.machine.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.monotonic() - begun)
    run.student.zero_grad(set_to_none=True)
    return min(times) * run.recipe.batch / len(batch.views)
