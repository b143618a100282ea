"""A training run: steps that depend on the seed and their number alone, so that a killed run goes on as if it had not.

The random numbers of step 1,234 (which pictures, their augmentation, mixing, patches left out) are drawn afresh from
(seed, 1234). Nothing about random generators or the sampler has to be saved, and with an epoch budget a resumed run
on a CPU ends in the same bits as one that was never stopped.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from timm.loss import SoftTargetCrossEntropy
from timm.utils import ModelEmaV3
from torch import Tensor, nn

from ..errors import ModelError
from . import checkpoint, log, snapshots
from .accuracy import accuracy
from .batches import Batch, Batches
from .budget import Budget
from .clock import Clock
from .foresight import foresee
from .machine import Machine
from .network import export, freeze, unfuse
from .optimiser import TOWARDS, optimizer_of
from .pixels import Pixels
from .recipe import Recipe
from .student import Student, teacher_loss
from .teacher import Lessons

LOG_EVERY = 50  # steps
LONG = 0.1  # of the minutes: a step that must not overrun them
Watch = Callable[[dict], None]


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
        lessons: Lessons | None = None,
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
        freeze(self.network, recipe.freeze)
        self.ema = ModelEmaV3(self.network, decay=recipe.ema, use_warmup=True)
        self.optimizer = optimizer_of(self.network, recipe)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            student = Student(self.network, lessons.dim if lessons else None, recipe.settle > 0)
        self.student = student.to(machine.device)
        # The layer that leads to the teacher's tokens is no part of the network and learns in its own way.
        self.towards = student.towards and torch.optim.AdamW(student.towards.parameters(), lr=TOWARDS, weight_decay=0.0)
        self.class_token = lessons is not None and lessons.class_token
        self.batches = Batches(data, recipe, self.network.num_classes, machine.device, mean, std, lessons)
        self.loss = SoftTargetCrossEntropy()
        self.forward = torch.compile(self.student, dynamic=False) if machine.compile else self.student
        self.step, self.seconds = 0, 0.0
        self.taken: list[float] = []  # moments of which a snapshot is there
        self._recent: deque[float] = deque(maxlen=20)  # seconds of the last steps

    @property
    def steps_per_epoch(self) -> float:
        return len(self.data) / self.recipe.batch

    @property
    def fraction(self) -> float:
        return self.budget.fraction(self.step, self.seconds, self.steps_per_epoch)

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
        if state["optimizer"]:
            decays = [group["weight_decay"] for group in self.optimizer.param_groups]
            self.optimizer.load_state_dict(state["optimizer"])
            for group, decay in zip(self.optimizer.param_groups, decays, strict=True):
                group["weight_decay"] = decay  # the recipe's, where it was changed
        if self.towards is not None and state.get("towards"):
            self.student.towards.load_state_dict(state["towards"]["layer"])
            self.towards.load_state_dict(state["towards"]["optimizer"])
        self.step, self.seconds, self.taken = state["step"], state["seconds"], list(state["taken"])
        if state["finished"]:
            self.taken = [moment for moment in self.taken if moment < 1]
        if self.budget.decay is None:
            anew = state["finished"] or (self.budget.open and not state["optimizer"])
            self.budget = self.budget.begun(*((self.step, self.seconds) if anew else tuple(state["start"])))
        log.rewind(self.out, self.step)

    def save(self, finished: bool = False) -> None:
        state = {
            "recipe": self.recipe.as_dict(),
            "shapes": _shapes(self.network),
            "network": self.network.state_dict(),
            "ema": self.ema.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "towards": self.towards
            and {"layer": self.student.towards.state_dict(), "optimizer": self.towards.state_dict()},
            **self._standing(finished),
        }
        checkpoint.save(state, self.out)
        export(self.ema.module, self.out / "model", self.labels, model_args=self.model_args, half=self.machine.half)
        checkpoint.save_standing({"recipe": self.recipe.as_dict(), **self._standing(finished)}, self.out)

    def _standing(self, finished: bool) -> dict:
        return {
            "data": self.data.digest,
            "step": self.step,
            "seconds": self.seconds,
            "taken": self.taken,
            "start": self.budget.start,
            "finished": finished,
        }

    # --- the loop

    def train(self, stop: threading.Event | None = None) -> dict:
        """Train until the budget is used; returns the last validation.

        stop: when set, the run saves itself after the step it is in and raises KeyboardInterrupt.
        Raises ModelError where the loss is no number any more, or where not one step fits into the minutes.
        """
        foresee(self)
        told = {"recipe": self.recipe.as_dict(), "schedule": self.budget.schedule, "pictures": len(self.data)}
        self._note("start", **told, **self.facts)
        with Clock() as clock:
            return self._train(clock, self.seconds, stop)

    def _train(self, clock: Clock, before: float, stop: threading.Event | None) -> dict:
        saved, losses, marked = time.monotonic(), [], (clock.seconds(), self.step)
        while self.fraction < 1 and not self._would_overrun():
            self._snapshot(self.fraction)
            share = self.budget.rate(self.step, self.fraction, warmup=self.recipe.warmup, floor=self.recipe.floor)
            begun, epoch = clock.seconds(), self.step * self.recipe.batch // len(self.data)
            losses.append(self._train_step(share))
            self.step += 1
            self.seconds = before + clock.seconds()
            self._recent.append(clock.seconds() - begun)
            ended = self.step * self.recipe.batch // len(self.data) > epoch
            if self.step % LOG_EVERY == 0 or ended:
                mean = torch.stack(losses).mean(0).tolist()
                if not np.isfinite(mean[0]):
                    raise ModelError(f"The loss is {mean[0]} at step {self.step}. Resume with a lower learning rate.")
                now = clock.seconds()
                speed = self.recipe.batch * (self.step - marked[1]) / max(1e-9, now - marked[0])
                others = {"teacher_loss": mean[1]} if self.towards else {}
                others |= {"unsettled": mean[2]} if self.recipe.settle else {}
                self._note("train", lr=share * self.recipe.lr, loss=mean[0], speed=speed, **others)
                losses, marked = [], (now, self.step)
            if ended:
                self._note("val", **self.validate(self.machine.validate_on))
                marked = (clock.seconds(), self.step)
            self.seconds = before + clock.seconds()
            if stop is not None and stop.is_set():
                self.save()
                raise KeyboardInterrupt
            if time.monotonic() - saved > 60 * self.machine.checkpoint_minutes:
                self.save()
                saved = time.monotonic()
            self.watch({"event": "step", "fraction": self.fraction, "step": self.step})
        return self._finish()

    def _train_step(self, share: float) -> Tensor:
        """One step; [loss of the labels, of the teacher, of settling], on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = share * self.recipe.lr * group.get("lr_scale", 1.0)
        loss, taught, unsettled = self.losses(self.next_batch(), self.forward)
        self.optimizer.zero_grad(set_to_none=True)
        if self.towards is not None:
            self.towards.param_groups[0]["lr"] = share * TOWARDS
            self.towards.zero_grad(set_to_none=True)
        (loss + self.recipe.teacher_weight * taught + self.recipe.settle * unsettled).backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        if self.towards is not None:
            self.towards.step()
        self.ema.update(self.network, step=self.step + 1)
        return torch.stack([loss.detach(), taught.detach(), unsettled.detach()])

    def next_batch(self) -> Batch:
        """What the next step learns from; in the last part of a run with an open end no patch is left out."""
        return self.batches.of(self.step, 0.0 if self.budget.decay is not None else self.recipe.drop_at(self.fraction))

    def losses(self, batch: Batch, forward: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        """Losses of the labels, of the teacher, of settling (0 without), in the graph; forward: the student or its
        like."""
        self.student.train()
        with torch.autocast(
            self.machine.device.type, self.machine.precision, enabled=self.machine.precision != torch.float32
        ):
            logits, tokens, apart = forward(batch.views, batch.keep)
        loss = self.loss(logits.float(), batch.target)
        none = loss.new_zeros(())
        taught = none if tokens is None else teacher_loss(tokens, batch.wanted, self.class_token)
        return loss, taught, none if apart is None else apart

    def _would_overrun(self) -> bool:
        """Whether steps are long and the minutes nearer to their end now than they would be after one more."""
        if self.budget.minutes is None or not self._recent:
            return False
        step, end = statistics.median(self._recent), 60 * self.budget.minutes
        return step > LONG * end and self.seconds + step / 2 > end

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
        if not self.machine.snapshots or (self.budget.decay is not None and fraction < 1):
            return
        epoch = self.step / self.steps_per_epoch if self.budget.open else None
        moment = snapshots.due(fraction, self.taken, epoch)
        if moment is None:
            return
        found = self.validate(None if fraction >= 1 else self.machine.validate_on)
        self.taken.append(moment)
        entry = {"fraction": None if self.budget.open else moment, **self._place(), **found}
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


def _shapes(network: nn.Module) -> dict[str, list[int]]:
    return {name: list(value.shape) for name, value in network.state_dict().items()}
