"""What the commands that train share: budget, device, and what is seen while they run."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tqdm import tqdm

from ..numbers import share
from ..reading import whole
from .options import Parser, amount, count
from .report import say, tell

if TYPE_CHECKING:
    from ..training.budget import Budget
    from ..training.run import Machine, Run


def add_machine(parser: Parser, epochs: float | None = None) -> None:
    group = parser.add_argument_group("budget and machine")
    spent = group.add_mutually_exclusive_group(required=epochs is None)
    spent.add_argument("--minutes", type=amount, metavar="X", help="of training, in all the sittings of the run")
    spent.add_argument(
        "--epochs", type=amount, metavar="X", default=None, help=f"(default: {epochs:g})" if epochs else None
    )
    if epochs is None:
        spent.add_argument("--open-end", action="store_true", help="until Ctrl-C, at the peak rate; see --finish")
        spent.add_argument("--finish", action="store_true", help="bring the rate of a run with an open end down")
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    group.add_argument(
        "--precision",
        choices=("auto", "bf16", "float32"),
        default="auto",
        help="of products; auto: bf16 where the processor or the GPU has units for it (default: %(default)s)",
    )
    group.add_argument("--compile", action="store_true", help="compile the network: a minute at first, faster then")
    group.add_argument(
        "--checkpoint-minutes", type=amount, default=3.0, metavar="X", help="between checkpoints (default: %(default)s)"
    )
    group.add_argument("--half", action="store_true", help="export float16 weights, half as large")
    group.add_argument("--validate-on", type=count, default=2000, metavar="N", help="pictures (default: %(default)s)")


def batch_size(text: str) -> int | None:
    """A number of pictures, or "auto" for what fits the data or stands in the checkpoint."""
    if text == "auto":
        return None
    number = whole(text, 2, 65536)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is not auto or a number of pictures from 2 to 65,536")
    return number


def budget_of(args: argparse.Namespace, epochs: float | None = None) -> Budget:
    """Of --epochs or --minutes; of neither the default number of epochs, or a run with an open end."""
    from ..training.budget import Budget

    if args.epochs is None and args.minutes is None:
        return Budget(epochs) if epochs else Budget(open=True)
    return Budget(args.epochs, args.minutes)


def machine_of(args: argparse.Namespace, snapshots: bool = False) -> Machine:
    from ..model.loading import pick_device
    from ..training.precision import pick_precision
    from ..training.run import Machine

    device = pick_device(args.device)
    return Machine(
        device=device,
        precision=pick_precision(args.precision, device),
        compile=args.compile,
        checkpoint_minutes=args.checkpoint_minutes,
        validate_on=args.validate_on,
        snapshots=snapshots,
        half=args.half,
    )


def name_of(machine: Machine) -> str:
    """The device in words, for the log and the model card."""
    import torch

    if machine.device.type == "cuda":
        return torch.cuda.get_device_name(machine.device)
    return f"{torch.get_num_threads()} CPU threads" if machine.device.type == "cpu" else str(machine.device)


@contextlib.contextmanager
def stopping() -> Iterator[threading.Event]:
    """Ctrl-C and a polite kill set the event; a second one interrupts at once."""
    stop = threading.Event()

    def ask(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say("saving after this step; once more to stop at once.")

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watcher:
    """Shows a run: a bar with the time left on a terminal, and a line for each validation."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._decoding: list[tqdm] = []
        self._loss = self._speed = 0.0
        self._begun, self._first, self._now = time.monotonic(), 0.0, 0.0

    def decoding(self, what: str) -> Callable[[int, int], None]:
        def progress(done: int, total: int) -> None:
            if not self._decoding:
                doing = "asking the teacher about" if what == "teacher" else f"decoding {what}:"
                say(f"{doing} {total} pictures, once.")
                self._decoding.append(tqdm(total=total, unit=" pictures", disable=_silent(), leave=False))
            self._decoding[0].update(done - self._decoding[0].n)
            if done == total:
                self._decoding.pop().close()

        return progress

    def start(self, run: Run) -> None:
        size = sum(value.numel() for value in run.network.parameters()) / 1e6
        done = f", going on from step {run.step}" if run.step else ""
        tell(f"{len(run.data)} pictures of {len(run.labels)} classes, {size:.1f} million parameters{done}")
        if run.budget.open:
            say("the end is open: the rate stays at its peak until Ctrl-C; --finish brings it down later.")
        self._begun, self._first, self._now = time.monotonic(), run.fraction, run.fraction
        self._bar = tqdm(
            total=1.0,
            initial=run.fraction,
            disable=_silent(),
            bar_format="{percentage:4.1f} % |{bar}| {elapsed} < {remaining}{postfix}",
        )

    def __call__(self, event: dict) -> None:
        kind = event["event"]
        if kind == "step" and self._bar is not None:
            self._bar.update(min(1.0, event["fraction"]) - self._bar.n)
            self._now = event["fraction"]
        elif kind == "train":
            self._loss, self._speed = event["loss"], event["speed"]
            if self._bar is not None:
                self._bar.set_postfix_str(f"loss {self._loss:.3f}, {self._speed:.0f} pictures/s")
        elif kind == "note":
            say(event["text"])
        elif kind in ("val", "snapshot", "end") and "top1" in event:
            fifth = f"top-5 {share(event['top5'])}  " if "top5" in event else ""
            tell(
                f"{kind:8} epoch {event['epoch']:7.2f}  {event['seconds'] / 60:6.1f} min  loss {self._loss:.3f}  "
                f"top-1 {share(event['top1'])}  {fifth}of {event['count']}  "
                f"{self._speed:.0f} pictures/s{self._eta()}"
            )

    def _eta(self) -> str:
        gone = self._now - self._first
        if gone <= 0 or self._now >= 1:
            return ""
        left = (time.monotonic() - self._begun) / gone * (1 - self._now)
        return f"  {left / 60:.0f} min left"

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_) -> None:
        for bar in (*self._decoding, self._bar):
            if bar is not None:
                bar.close()


def _silent() -> bool:
    return not sys.stderr.isatty()
