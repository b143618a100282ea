"""The model card beside a set of weights, every figure of it from the run's log or from one evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..analysis import embedding_filters
from ..figures import figure_bytes, filters_figure
from ..files import write_bytes, write_text
from ..model.vit import VitModel
from . import log
from .character import Character
from .curve import curve_figure
from .evaluate import Evaluation
from .network import WEIGHTS, sha256

CURVE = "curve.png"
FILTERS = "filters.png"
NOT_FOR = """\
This model exists so that attention can be looked at without a download. It is small and sees few pixels: it is no
classifier to rely on, and it knows nothing but the classes it was trained on; on any other picture it names the
nearest of them, often with confidence. Where it looks is not why it decides: attention maps describe a step of the
computation, not a cause. Its errors and habits are those of its training pictures. Not for decisions about people."""


def write_card(
    model: Path,
    run: Path,
    vit: VitModel,
    found: Evaluation,
    learned: Character,
    *,
    note: str = "",
    teacher_note: str = "",
    init_note: str = "",
    command: str = "",
) -> Path:
    """README.md with its pictures in the model's directory, from the log of `run` and what was measured of `vit`.

    note: what the data is and on which terms; teacher_note: what the teacher is, and on which; init_note: what the
    weights were that the run started from.
    command: the one that made the evaluation.
    """
    entries = log.read(run)
    config = json.loads((model / "config.json").read_text("utf-8"))
    write_bytes(model / CURVE, figure_bytes(curve_figure(entries)))
    kernels = vit.patch_kernels()
    if kernels is not None:
        shown = embedding_filters(vit, min(28, *np.reshape(kernels, (len(kernels), -1)).shape))
        write_bytes(model / FILTERS, figure_bytes(filters_figure(shown, title="Filters of the patch embedding")))
    sections = {
        f"# {model.name}": _summary(config, found),
        "## Data": _data(entries, note),
        "## Recipe": _recipe(entries, init_note),
        "## Teacher": _teacher(entries, teacher_note),
        "## What it can do": _results(found, command),
        "## What its heads do": _character(learned, kernels is not None),
        "## What it is not good for": NOT_FOR,
        "## Weights": f"SHA-256 of `{WEIGHTS}`:\n\n    {sha256(model / WEIGHTS)}",
    }
    file = model / "README.md"
    told = (f"{head}\n\n{text}" for head, text in sections.items() if text)
    write_text(file, "\n\n".join(told) + "\n")
    return file


def _summary(config: dict, found: Evaluation) -> str:
    args = config.get("model_args", {})
    side = config["pretrained_cfg"]["input_size"][-1]
    patch, classes = args.get("patch_size"), config["num_classes"]
    cells = f", {side // patch}×{side // patch} patches of {patch} pixels" if isinstance(patch, int) else ""
    size = f", {args['embed_dim']} wide, {args['depth']} blocks of {args['num_heads']} heads" if "depth" in args else ""
    return (
        f"A Vision Transformer for {side}×{side} pixels{cells}{size}, {classes} classes, in timm's local-directory "
        f"format (architecture `{config['architecture']}`). Top-1 {_percent(found.top1)} on held-out pictures."
    )


def _data(entries: list[dict], note: str) -> str:
    start = _starts(entries)[-1]
    lines = [note] if note else []
    lines.append(f"Trained on {start['pictures']:,} pictures; {start.get('val_pictures', 0):,} held-out ones were only")
    lines.append("used to follow the training and for the figures below.")
    return "\n".join(lines)


def _recipe(entries: list[dict], init_note: str) -> str:
    starts, last = _starts(entries), [entry for entry in entries if entry["event"] in ("train", "val", "end")][-1]
    recipe = starts[-1]["recipe"]
    speeds = sorted(entry["speed"] for entry in entries if entry["event"] == "train")
    commands = list(dict.fromkeys(start["command"] for start in starts if start.get("command")))
    device = starts[-1].get("device", "")
    steps = f"{last['step']:,} steps of {recipe['batch']}"
    inits = list(dict.fromkeys(f"`{_called(start['init'])}`" for start in starts if start.get("init")))
    lines = [
        f"{last['epoch']:.1f} epochs ({steps}) in {last['seconds'] / 60:.0f} minutes"
        + (f" on {device}" if device else "")
        + (f", {speeds[len(speeds) // 2]:.0f} pictures a second in the median" if speeds else "")
        + f", in {len(starts)} sitting{'s' * (len(starts) > 1)}; seed {recipe['seed']}. {_treatment(starts[-1])}",
        "",
        "The weights are an exponential moving average of the training's."
        + (f" They started from those of {', then '.join(inits)}." if inits else "")
        + (f" {init_note}" if init_note else "")
        + " Made by:",
        "",
        *(f"    {command}" for command in commands),
        "",
        f"![Loss and accuracy over the epochs]({CURVE})",
    ]
    return "\n".join(lines)


def _called(model: str) -> str:
    return Path(model).name if Path(model).is_absolute() else model


def _treatment(start: dict) -> str:
    recipe, open_end = start["recipe"], start.get("schedule", "cosine") != "cosine"
    parts = [f"timm's {recipe['opt']} at {recipe['lr']:g}, weight decay {recipe['weight_decay']:g}, "]
    if open_end:
        parts.append("a constant rate that comes down in the last 15% (1 - √)")
    else:
        parts.append(f"a cosine schedule with {recipe['warmup']:.0%} warm-up")
    parts.append(f"; batch {recipe['batch']}")
    parts.append(f"; random crops of {recipe['crop']:.0%} to 100% of the area, mirroring, colour {recipe['colour']:g}")
    if recipe["mix"]:
        parts.append(
            f"; mixup {recipe['mixup']:g} or CutMix {recipe['cutmix']:g} in {recipe['mix']:.0%} of the batches"
        )
    if recipe["patch_drop"]:
        parts.append(f"; {recipe['patch_drop']:.0%} of the patches left out of a step, none in the last ")
        parts.append("part of the run" if open_end else f"{recipe['full']:.0%} of the run")
    if recipe.get("settle"):
        parts.append(
            f"; the last layer's class-token attention drawn to that of the two before it, weight {recipe['settle']:g}"
        )
    if recipe.get("freeze"):
        held = [f"`{part.strip()}`" for part in recipe["freeze"].split(",")]
        parts.append(f"; {', '.join(held)} left as they were")
    return "".join(parts) + f"; label smoothing {recipe['smoothing']:g}."


def _results(found: Evaluation, command: str) -> str:
    lines = [f"On {found.count:,} held-out pictures:", "", "| | share |", "|---|---|"]
    lines.append(f"| top-1 | {_percent(found.top1)} |")
    if found.top5 is not None:
        lines.append(f"| top-5 | {_percent(found.top5)} |")
    if found.pointing:
        lines += [
            "",
            f"The pointing game on the {found.objects:,} of them whose object fills less than half the picture: does",
            "the centre of the map's greatest patch lie inside the object's box?",
            "",
            "| points at | hits |",
            "|---|---|",
        ]
        names = {
            "last layer": "class-token attention of the last layer, mean of heads",
            "best head": f"its best head, number {found.best_head}, chosen on these pictures",
            "rollout": "attention rollout",
            "relevance": "relevance of the predicted class",
            "centre": "always the centre of the picture",
            "chance": "a random patch",
        }
        lines += [f"| {names.get(name, name)} | {_percent(value)} |" for name, value in found.pointing.items()]
    if command:
        lines += ["", "Measured by:", "", f"    {command}"]
    return "\n".join(lines)


def _teacher(entries: list[dict], note: str) -> str:
    """What is known of the model that the student's tokens were drawn to; empty where there was none."""
    start = _starts(entries)[-1]
    teacher = start.get("teacher")
    if not teacher:
        return ""
    height, width = teacher["input_size"]
    lines = [
        f"Beside the labels (weight 1), the final tokens were drawn to those of `{teacher['name']}` (timm's "
        f"`{teacher['architecture']}`) at the same place, with weight {start['recipe']['teacher_weight']:g}: the",
        f"cosine, through one linear layer, to its tokens for {height}×{width} pixels, standardised and reduced to",
        f"their first {teacher['dim']} principal components ({_percent(teacher['kept'])} of the variance).",
    ]
    if note:
        return "\n".join([*lines, note])
    origin, licence = (teacher.get(name) or "not named in its configuration" for name in ("origin", "licence"))
    return "\n".join([*lines, f"Its origin: {origin}. Its licence: {licence}."])


def _character(learned: Character, filters: bool) -> str:
    lines = [
        f"Means over {learned.looks:,} pictures; even: attention that is alike everywhere, at a distance of "
        f"{learned.even_distance:.1f} pixels and",
        f"an entropy of {learned.even_entropy:.2f} nats.",
        "",
        "| layer | distance, pixels | heads from … to | mean entropy, nats | heads from … to |",
        "|---:|---:|---|---:|---|",
    ]
    for layer, (far, wide) in enumerate(zip(learned.distance, learned.entropy, strict=True)):
        lines.append(
            f"| {layer} | {sum(far) / len(far):.1f} | {min(far):.1f} … {max(far):.1f} "
            f"| {sum(wide) / len(wide):.2f} | {min(wide):.2f} … {max(wide):.2f} |"
        )
    if learned.positions:
        told = ", ".join(f"{name} {_percent(value)}" for name, value in learned.positions.items())
        lines += ["", f"Top-1 on {learned.answers:,} pictures with the position embeddings {told}."]
    if filters:
        lines += ["", f"![The principal components of the patch embedding's kernels]({FILTERS})"]
    return "\n".join(lines)


def _starts(entries: list[dict]) -> list[dict]:
    return [entry for entry in entries if entry["event"] == "start"]


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
