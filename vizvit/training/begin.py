"""From the names of files to a run that is ready: whatever can be wrong is said here, before training starts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from timm.layers import resample_abs_pos_embed, resample_patch_embed
from torch import nn

from ..errors import ModelError
from ..files import made, removed, sweep
from ..model.loading import load_model
from . import checkpoint, log
from .budget import Budget
from .machine import Machine
from .network import build
from .pixels import Pixels, decode
from .recipe import Recipe, fitting_batch
from .run import Run, Watch
from .sources import Source, read_classes, read_source
from .teacher import Lessons, lessons, open_teacher

MOST = 256  # pictures of a step, where the batch fits itself to the data
FINISH = "finish"  # the folder of the last part of a run with an open end
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
    finish: bool = False,
    hold_out: float = 0.0,
    facts: dict | None = None,
    watch: Watch = lambda event: None,
    decoding: Decoding = lambda what: lambda done, total: None,
) -> Run:
    """A run from scratch, or the one in `out` where it was left.

    data, val: Parquet files or an image folder. classes: a CSV file with label, name.
    given: values of the `Recipe`; those not given are the checkpoint's, or the defaults.
    resume: None goes on where `out` holds a checkpoint, True insists on one, False starts over.
    init: a model of this architecture to start from instead of random weights; another patch size is resampled.
    finish: bring the learning rate of a run with an open end down, in the folder `out`/finish; the run itself stays as
        it is and can go on later.
    hold_out: the share of the data that is held out where there is no val.
    facts: entered in the log with the start. decoding: makes the progress function for what is decoded.
    Raises ModelError for data, options or checkpoints that do not fit.
    """
    if finish:
        out, state, budget = called_off(out, resume)
    else:
        state = left_off(out, resume, budget)
    recipe = Recipe.made(given or {}, state and state["recipe"])
    names, train, held_out = read_data(data, val, classes)
    pixels, checked = decode_data(train, held_out, recipe.image_size, out, watch, decoding)
    if hold_out and checked is None:
        pixels, checked = pixels.split(hold_out, recipe.seed)
    recipe = fitted(recipe, len(pixels), MOST)
    labels = names or tuple(f"class {index}" for index in range(int(train.labels.max()) + 1))
    network = build(recipe, len(labels))
    if init is not None and state is None:
        start_from(network, init)
    facts = (facts or {}) | {"init": init}
    taught = None
    if recipe.teacher:
        taught, told = taught_by(recipe, pixels, out, machine, decoding)
        facts["teacher"] = told
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
        lessons=taught,
        model_args=recipe.model_args,
        facts=facts,
        watch=watch,
    )


def fitted(recipe: Recipe, pictures: int, most: int) -> Recipe:
    """The recipe with a batch of a size."""
    batch = min(recipe.batch, pictures) if recipe.batch else fitting_batch(pictures, most)
    return replace(recipe, batch=batch)


def taught_by(
    recipe: Recipe, pixels: Pixels, out: Path, machine: Machine, decoding: Decoding
) -> tuple[Lessons, dict[str, object]]:
    """What the recipe's teacher says of the pictures, and what is to be said of it."""
    side = recipe.image_size // recipe.patch
    vit = open_teacher(recipe.teacher, (side, side), machine.device)
    found = lessons(vit, pixels, _cache(out), progress=decoding("teacher"))
    config = getattr(vit.module, "pretrained_cfg", None) or {}
    told = {
        "name": vit.name,
        "architecture": vit.architecture,
        "input_size": list(vit.input_size),
        "dim": found.dim,
        "kept": round(found.kept, 4),
        "licence": config.get("license"),
        "origin": config.get("origin_url") or config.get("paper_name"),
    }
    return found.on(machine.device), told


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
    decoded: list[Pixels | None] = []
    for what, source in (("training", train), ("validation", val)):
        if source is None:
            decoded.append(None)
            continue
        pixels = decode(source, side, _cache(out), progress=decoding(what))
        if pixels.broken:
            named = "; ".join(f"{name}: {reason}" for name, reason in pixels.broken[:3])
            text = f"{len(pixels.broken)} of {len(source)} {what} pictures cannot be read and are left out: {named}"
            watch({"event": "note", "text": text})
        decoded.append(pixels)
    return decoded[0], decoded[1]


def start_from(network: nn.Module, model: str) -> None:
    """Take the weights of a model that `load_model` opens; another patch size is resampled as timm does it."""
    given = dict(load_model(model, device="cpu").module.state_dict())
    own = network.state_dict()
    kernel, table = "patch_embed.proj.weight", "pos_embed"
    if given.keys() == own.keys() and given[kernel].shape[:2] == own[kernel].shape[:2]:
        if given[kernel].shape != own[kernel].shape:
            given[kernel] = resample_patch_embed(given[kernel], list(own[kernel].shape[-2:]))
        if given[table].shape[1] != own[table].shape[1]:
            size = network.patch_embed.grid_size
            given[table] = resample_abs_pos_embed(given[table], list(size), num_prefix_tokens=network.num_prefix_tokens)
    if {name: value.shape for name, value in given.items()} != {name: value.shape for name, value in own.items()}:
        raise ModelError(
            f"{model} is of another architecture, width, depth or number of classes than this run. Give the same "
            f"sizes; only the patch and the picture may differ."
        )
    network.load_state_dict(given)


def left_off(out: Path, resume: bool | None, budget: Budget) -> dict | None:
    """The checkpoint to go on from, None to start over."""
    state = None if resume is False else checkpoint.load(out) or checkpoint.load_light(out)
    if resume and state is None:
        raise ModelError(f"There is no checkpoint in {out} to go on from. Leave --resume out to start there.")
    if state and state["finished"] and budget.minutes is not None and 60 * budget.minutes <= state["seconds"]:
        raise ModelError(
            f"The run in {out} is finished ({state['step']} steps in {state['seconds'] / 60:.1f} minutes). Give more "
            f"minutes in all to go on with it."
        )
    return state


def called_off(out: Path, resume: bool | None) -> tuple[Path, dict, Budget]:
    """The folder, the checkpoint and the budget of the last part of the run with an open end in `out`."""
    whole = checkpoint.load(out) or checkpoint.load_light(out)
    if whole is None or not whole["step"]:
        raise ModelError(f"There is no run in {out} that could be finished. Train there first, without --finish.")
    inner = out / FINISH
    state = None if resume is False else checkpoint.load(inner)
    begun = (whole["step"], whole["seconds"])
    if state is None or tuple(state["start"]) != begun or state["finished"]:
        if state is not None and state["finished"] and tuple(state["start"]) == begun:
            raise ModelError(f"This run is finished: {inner / 'model'}. Train on in {out} before you finish it again.")
        shutil.rmtree(inner, ignore_errors=True)
        made(inner)
        for name in (log.NAME, "snapshots"):
            if (out / name).is_dir():
                shutil.copytree(out / name, inner / name)
            elif (out / name).is_file():
                shutil.copy(out / name, inner / name)
        state = whole | {"finished": False, "taken": []}
    return inner, state, Budget(decay=1).called_off(*begun)


def _cache(out: Path) -> Path:
    """Where decoded pictures and a teacher's tokens lie: beside the folder of the run."""
    folder = out.absolute().parent if out.name != FINISH else out.absolute().parent.parent
    return folder / "decoded"


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
    made(out)
    sweep(out)
    run = Run(network, recipe, budget, pixels, val, labels, out, machine, facts=facts, **options)
    if state is not None:
        run.restore(state)
        return run
    for name in (checkpoint.NAME, log.NAME):
        removed(out / name)
    shutil.rmtree(out / "snapshots", ignore_errors=True)
    return run
