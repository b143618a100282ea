"""From the names of files to a run that is ready: whatever can be wrong is said here, before training starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import nn

from ..errors import ModelError
from ..model.loading import load_model
from . import checkpoint, log
from .budget import Budget
from .network import build
from .pixels import Pixels, decode
from .recipe import Recipe
from .run import Machine, Run, Watch
from .sources import Source, read_classes, read_source

Decoding = Callable[[str], Callable[[int, int], None]]


def begin(
    data: Sequence[Path],
    val: Sequence[Path],
    out: Path,
    budget: Budget,
    machine: Machine,
    *,
    classes: Path | None = None,
    given: dict | None = None,
    resume: bool | None = None,
    init: str | None = None,
    hold_out: float = 0.0,
    facts: dict | None = None,
    watch: Watch = lambda event: None,
    decoding: Decoding = lambda what: lambda done, total: None,
) -> Run:
    """A run from scratch, or the one in `out` where it was left.

    data, val: Parquet files or an image folder. classes: a CSV file with label, name.
    given: values of the `Recipe`; those not given are the checkpoint's, or the defaults.
    resume: None goes on where `out` holds a checkpoint, True insists on one, False starts over.
    init: a model of this architecture to start from instead of random weights.
    hold_out: the share of the data that is held out where there is no val.
    facts: entered in the log with the start. decoding: makes the progress function for what is decoded.
    Raises ModelError for data, options or checkpoints that do not fit.
    """
    state = left_off(out, resume, budget)
    recipe = Recipe.made(given or {}, state and state["recipe"])
    names, train, held_out = read_data(data, val, classes)
    pixels, checked = decode_data(train, held_out, recipe.image_size, out, watch, decoding)
    if hold_out and checked is None:
        pixels, checked = pixels.split(hold_out, recipe.seed)
    labels = names or tuple(f"class {index}" for index in range(int(train.labels.max()) + 1))
    network = build(recipe, len(labels))
    if init is not None and state is None:
        start_from(network, init)
    return ready(
        state,
        network,
        recipe,
        budget,
        pixels,
        checked,
        labels,
        out,
        machine,
        model_args=recipe.model_args,
        facts=(facts or {}) | {"init": init},
        watch=watch,
    )


def read_data(
    data: Sequence[Path], val: Sequence[Path], classes: Path | None
) -> tuple[tuple[str, ...], Source, Source | None]:
    """The class names (empty where nothing gives them) and both sources, whose labels fit each other."""
    names = read_classes(classes) if classes else ()
    train = read_source(data, names)
    names = names or train.classes
    if not val:
        return names, train, None
    held_out = read_source(val, names)
    if held_out.labels.max() > train.labels.max() and not names:
        raise ModelError(
            f"The validation data has labels up to {held_out.labels.max()}, the training data up to "
            f"{train.labels.max()}. Both should be of the same classes."
        )
    return names, train, held_out


def decode_data(
    train: Source, val: Source | None, side: int, out: Path, watch: Watch, decoding: Decoding
) -> tuple[Pixels, Pixels | None]:
    """Both decoded, in a cache beside the output folder, with a note of what is broken."""
    decoded = []
    for what, source in (("training", train), ("validation", val)):
        if source is None:
            decoded.append(None)
            continue
        pixels = decode(source, side, out.absolute().parent / "decoded", progress=decoding(what))
        if pixels.broken:
            named = "; ".join(f"{name}: {reason}" for name, reason in pixels.broken[:3])
            text = f"{len(pixels.broken)} of {len(source)} {what} pictures cannot be read and are left out: {named}"
            watch({"event": "note", "text": text})
        decoded.append(pixels)
    return decoded[0], decoded[1]


def start_from(network: nn.Module, model: str) -> None:
    """Take the weights of a model that `load_model` opens."""
    given = load_model(model, device="cpu").module.state_dict()
    own = network.state_dict()
    if {name: value.shape for name, value in given.items()} != {name: value.shape for name, value in own.items()}:
        raise ModelError(
            f"{model} is of another architecture, size or number of classes than this run. Give the same sizes."
        )
    network.load_state_dict(given)


def left_off(out: Path, resume: bool | None, budget: Budget) -> dict | None:
    """The checkpoint to go on from, None to start over."""
    state = None if resume is False else checkpoint.load(out)
    if resume and state is None:
        raise ModelError(f"There is no checkpoint in {out} to go on from. Leave --resume out to start there.")
    if state and state["finished"] and budget.minutes is not None and 60 * budget.minutes <= state["seconds"]:
        raise ModelError(
            f"The run in {out} is finished ({state['step']} steps in {state['seconds'] / 60:.1f} minutes). Give more "
            f"minutes in all to go on with it."
        )
    return state


def ready(
    state: dict | None,
    network: nn.Module,
    recipe: Recipe,
    budget: Budget,
    pixels: Pixels,
    val: Pixels | None,
    labels: tuple[str, ...],
    out: Path,
    machine: Machine,
    *,
    facts: dict,
    **options,
) -> Run:
    """The run, from its checkpoint or in a folder cleared of what an earlier one left."""
    facts = facts | {"val_pictures": len(val) if val else 0}
    out.mkdir(parents=True, exist_ok=True)
    run = Run(network, recipe, budget, pixels, val, labels, out, machine, facts=facts, **options)
    if state is not None:
        run.restore(state)
        return run
    for name in (checkpoint.NAME, log.NAME):
        (out / name).unlink(missing_ok=True)
    shutil.rmtree(out / "snapshots", ignore_errors=True)
    return run
