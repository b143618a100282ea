"""A training run: steps that depend on the seed and their number alone, so that a killed run goes on as if it had not.

The random numbers of step 1,234 (which pictures, their augmentation, mixing, patch dropout) are drawn afresh from
(seed, 1234). Nothing about random generators or the sampler has to be saved, and with an epoch budget a resumed run
on a CPU ends in the same bits as one that was never stopped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from timm.data import Mixup
from timm.loss import SoftTargetCrossEntropy
from timm.optim import create_optimizer_v2
from timm.utils import ModelEmaV3
from torch import nn

from ..errors import ModelError
from . import checkpoint, log, snapshots
from .accuracy import accuracy
from .augment import Augment
from .budget import Budget, rate
from .network import export, see_all_patches, unfuse
from .pixels import Pixels
from .recipe import Recipe

LOG_EVERY = 50  # steps
Watch = Callable[[dict], None]


@dataclass(frozen=True)
class Machine:
    """How the run is carried out; nothing here decides what is learned, but for rounding."""

    device: torch.device
    precision: torch.dtype = torch.bfloat16
    compile: bool = False
    checkpoint_minutes: float = 3.0
    validate_on: int = 2000
    snapshots: bool = False
    half: bool = False


class Run:
    """A network on its way through a budget, in a directory with its checkpoint, log and exported model."""

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        budget: Budget,
        data: Pixels,
        val: Pixels | None,
        labels: tuple[str, ...],
        out: Path,
        machine: Machine,
        *,
        model_args: dict | None = None,
        mean: tuple = (0.5,) * 3,
        std: tuple = (0.5,) * 3,
        facts: dict | None = None,
        watch: Watch = lambda event: None,
    ) -> None:
        self.recipe, self.budget, self.machine = recipe, budget, machine
        self.data, self.val, self.labels, self.out = data, val, labels, out
        self.model_args, self.facts, self.watch = model_args, facts or {}, watch
        self.mean, self.std = mean, std
        self.network = network.to(machine.device)
        if machine.device.type == "cpu":
            unfuse(self.network)
        self.ema = ModelEmaV3(self.network, decay=recipe.ema, use_warmup=True)
        self.optimizer = create_optimizer_v2(
            self.network,
            opt=recipe.opt,
            lr=recipe.lr,
            weight_decay=recipe.weight_decay,
            layer_decay=recipe.layer_decay if recipe.layer_decay < 1 else None,
            **_options(recipe),
        )
        self.batch = min(recipe.batch, len(data)) // 2 * 2
        if not self.batch:
            raise ModelError(f"There are {len(data)} pictures to train on; at least 2 are needed.")
        self.steps_per_epoch = len(data) // self.batch
        self.augment = Augment(recipe.crop, 4 / 3, True, recipe.colour, recipe.randaugment, recipe.erase)
        mixing = recipe.mix > 0 and (recipe.mixup > 0 or recipe.cutmix > 0)
        self.mixup = Mixup(
            recipe.mixup,
            recipe.cutmix,
            prob=recipe.mix if mixing else 0.0,
            label_smoothing=recipe.smoothing,
            num_classes=self.network.num_classes,
        )
        self.mixup.mixup_enabled = mixing
        self.loss = SoftTargetCrossEntropy()
        self.forward = torch.compile(self.network, dynamic=False) if machine.compile else self.network
        self.step, self.seconds, self.taken = 0, 0.0, []
        self._order: tuple[int, np.ndarray] | None = None

    # --- the state on disk

    def restore(self, state: dict) -> None:
        """Go on from a checkpoint; a finished one with a larger budget begins the schedule anew (warm restart)."""
        if state["shapes"] != _shapes(self.network):
            raise ModelError(
                f"The checkpoint in {self.out} is of another architecture or number of classes. Use another output "
                f"folder, or start over with --no-resume."
            )
        if state["data"] != self.data.digest:
            self.watch({"event": "note", "text": "the data is not what the checkpoint was made with"})
        self.network.load_state_dict(state["network"])
        self.ema.module.load_state_dict(state["ema"])
        rates = [(group["weight_decay"], group.get("lr_scale")) for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, (decay, _) in zip(self.optimizer.param_groups, rates, strict=True):
            group["weight_decay"] = decay  # the recipe's, where it was changed
        self.step, self.seconds, self.taken = state["step"], state["seconds"], list(state["taken"])
        start = tuple(state["start"])
        if state["finished"]:
            start, self.taken = (self.step, self.seconds), [moment for moment in self.taken if moment < 1]
        self.budget = Budget(self.budget.epochs, self.budget.minutes, start)
        log.rewind(self.out, self.step)

    def save(self, finished: bool = False) -> None:
        state = {
            "recipe": self.recipe.as_dict(),
            "shapes": _shapes(self.network),
            "data": self.data.digest,
            "network": self.network.state_dict(),
            "ema": self.ema.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "taken": self.taken,
            "start": self.budget.start,
            "finished": finished,
        }
        checkpoint.save(state, self.out)
        export(self.ema.module, self.out / "model", self.labels, model_args=self.model_args, half=self.machine.half)

    # --- the loop

    def train(self, stop: threading.Event | None = None) -> dict:
        """Train until the budget is used; returns the last validation.

        stop: when set, the run saves itself after the step it is in and raises KeyboardInterrupt.
        Raises ModelError where the loss is no number any more.
        """
        begun, before, saved = time.monotonic(), self.seconds, time.monotonic()
        self._note("start", recipe=self.recipe.as_dict(), pictures=len(self.data), **self.facts)
        losses, marked = [], (time.monotonic(), self.step)
        while (fraction := self.fraction) < 1:
            self._snapshot(fraction)
            if fraction >= 1 - self.recipe.full and see_all_patches(self.network):
                self._note("note", text="from here on every patch is seen")
            share = rate(fraction, warmup=self.recipe.warmup, floor=self.recipe.floor)
            losses.append(self._train_step(share))
            self.step += 1
            self.seconds = before + time.monotonic() - begun
            if self.step % LOG_EVERY == 0 or self.step % self.steps_per_epoch == 0:
                mean = torch.stack(losses).mean().item()
                if not np.isfinite(mean):
                    raise ModelError(f"The loss is {mean} at step {self.step}. Resume with a lower learning rate.")
                now = time.monotonic()
                speed = self.batch * (self.step - marked[1]) / max(1e-9, now - marked[0])
                self._note("train", lr=share * self.recipe.lr, loss=mean, speed=speed)
                losses, marked = [], (now, self.step)
            if self.step % self.steps_per_epoch == 0:
                self._note("val", **self.validate(self.machine.validate_on))
                marked = (time.monotonic(), self.step)
            if stop is not None and stop.is_set():
                self.save()
                raise KeyboardInterrupt
            if time.monotonic() - saved > 60 * self.machine.checkpoint_minutes:
                self.save()
                saved = time.monotonic()
            self.watch({"event": "step", "fraction": self.fraction, "step": self.step})
        return self._finish()

    @property
    def fraction(self) -> float:
        return self.budget.fraction(self.step, self.seconds, self.steps_per_epoch)

    def _train_step(self, share: float) -> torch.Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = share * self.recipe.lr * group.get("lr_scale", 1.0)
        views, target = self._batch_of(self.step)
        self.network.train()
        with torch.autocast(
            self.machine.device.type, self.machine.precision, enabled=self.machine.precision != torch.float32
        ):
            logits = self.forward(views)
        loss = self.loss(logits.float(), target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.ema.update(self.network, step=self.step + 1)
        return loss.detach()

    def _batch_of(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The views [batch, 3, side, side] and soft targets [batch, class] of a step."""
        epoch, within = divmod(step, self.steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            order = np.random.default_rng((self.recipe.seed, 1, epoch)).permutation(len(self.data))
            self._order = (epoch, order)
        which = self._order[1][within * self.batch : (within + 1) * self.batch]
        seed = int(np.random.default_rng((self.recipe.seed, 2, step)).integers(2**32))
        np.random.seed(seed)  # noqa: NPY002 - the global generator, which timm's Mixup draws from
        torch.manual_seed(seed)
        pixels = torch.from_numpy(self.data.batch(which)).to(self.machine.device)
        target = torch.from_numpy(self.data.labels[which]).to(self.machine.device)
        generator = torch.Generator().manual_seed(seed)
        views = self.augment(pixels, self.recipe.image_size, generator)
        if (*self.mean, *self.std) != (0.5,) * 6:
            mean, std = (torch.tensor(v, device=views.device).view(1, 3, 1, 1) for v in (self.mean, self.std))
            views = (views * 0.5 + (0.5 - mean)) / std
        return self.mixup(views, target)

    # --- what is seen of it

    def validate(self, count: int | None = None) -> dict:
        """Accuracy of the averaged weights on the validation pictures, or on `count` of them spread over all."""
        if self.val is None:
            return {}
        spread = np.arange(len(self.val)) if count is None or count >= len(self.val) else None
        if spread is None:
            spread = np.unique(np.linspace(0, len(self.val) - 1, count).astype(int))
        return accuracy(
            self.ema.module,
            self.val,
            spread,
            device=self.machine.device,
            side=self.recipe.image_size,
            mean=self.mean,
            std=self.std,
            precision=self.machine.precision,
        )

    def _snapshot(self, fraction: float) -> None:
        if not self.machine.snapshots or (moment := snapshots.due(fraction, self.taken)) is None:
            return
        found = self.validate(None if fraction >= 1 else self.machine.validate_on)
        self.taken.append(moment)
        entry = {"fraction": moment, **self._place(), **found}
        self._note("snapshot", **snapshots.take(self.ema.module, self.out / "snapshots", entry))

    def _finish(self) -> dict:
        self._snapshot(1.0)
        found = self.validate()
        self._note("end", **found)
        self.save(finished=True)
        return found

    def _place(self) -> dict:
        return {
            "step": self.step,
            "epoch": round(self.step / self.steps_per_epoch, 3),
            "seconds": round(self.seconds, 1),
        }

    def _note(self, event: str, **facts) -> None:
        entry = {"event": event, **self._place(), **facts}
        log.append(self.out, entry)
        self.watch(entry)


def _options(recipe: Recipe) -> dict:
    if "muon" in recipe.opt:  # its rule is for matrices between tokens; embeddings and classifier take AdamW's
        fallback = {"fallback_list": ("head.*", "pos_embed", "cls_token"), "fallback_no_weight_decay": True}
        return {"momentum": 0.95, "betas": (0.9, recipe.beta2), **fallback}
    return {"betas": (0.9, recipe.beta2)} if "adam" in recipe.opt else {}


def _shapes(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(value.shape) for name, value in network.state_dict().items()}
