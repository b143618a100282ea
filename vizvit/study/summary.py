"""Reading a finished study: its summary, checked before anybody shows it, and the folders that hold one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import ModelError
from ..model.loading import SHIPPED
from ..reading import json_of, kind_of
from ..texts.assets import assets_dir
from .measures import MEASURES
from .merge import SUMMARY

FACTS = {  # what every summary says, with the type of it
    "model": str,
    "architecture": str,
    "weights": str,
    "trained": bool,
    "precision": str,
    "input_size": list,
    "grid": list,
    "prefix_tokens": list,
    "layers": int,
    "heads_per_layer": int,
    "settings": dict,
    "pictures": int,
    "measured": int,
    "broken": int,
    "broken_named": list,
    "objects": int,
    "methods": dict,
    "heads": dict,
}
SCORES = ("deletion", "insertion", "pointing")


def read_summary(folder: str | Path) -> dict:
    """What a finished study found, as in its summary.json.

    Raises ModelError where there is none, and for a file that is not the summary of a study.
    """
    path = Path(folder) / SUMMARY
    try:
        summary = json_of(path)
    except ModelError as error:
        raise ModelError(f"There is no finished study in {folder}. Make one with the command study.") from error
    try:
        _check(summary)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{path} is not the summary of a study ({error}). Make it anew with the command study.") from (
            error
        )
    return summary


def weights_note(summary: dict) -> str:
    """Of which model and weights a study is, and that it saw its pictures in grey where it did."""
    grey = ", pictures seen in grey" if summary.get("channels") == 1 else ""
    return f"{summary['model']}, {summary['weights']}{grey}"


def shipped_study() -> Path:
    """The folder of the study that comes with VizViT: of its own model, without the rows of the single pictures."""
    return assets_dir() / "studies" / SHIPPED


def find_studies(root: str | Path, depth: int = 3, most: int = 2000) -> list[Path]:
    """Folders at most `depth` levels below `root`, or `root` itself, that hold a study's summary; the newest first.

    Hidden folders are not entered, nor links, nor more than `most` folders in all: what is asked is a quick look.
    """
    found = [path for path in _folders(Path(root), depth, most) if _is_study(path)]
    return sorted(found, key=lambda path: (path / SUMMARY).stat().st_mtime, reverse=True)


def _folders(root: Path, depth: int, most: int) -> Iterator[Path]:
    level = [root]
    for _ in range(depth + 1):
        below = []
        for folder in level:
            if most <= 0:
                return
            most -= 1
            yield folder
            below += _inside(folder)
        level = below


def _inside(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if not name.startswith(".")]


def _is_study(folder: Path) -> bool:
    if kind_of(folder / SUMMARY) != "file":
        return False
    try:
        read_summary(folder)
    except ModelError:
        return False
    return True


def _check(summary: object) -> None:
    """KeyError, TypeError or ValueError for what the report and the page could not show."""
    if not isinstance(summary, dict):
        raise TypeError("an object was expected")
    for name, kind in FACTS.items():
        if not isinstance(summary[name], kind):
            raise TypeError(f'"{name}" is no {kind.__name__}')
    for name in ("input_size", "grid"):
        first, second = map(int, summary[name])
        if min(first, second) < 1:
            raise ValueError(f'"{name}" is {first} × {second}')
    for name in ("accuracy", "opened", "source"):
        if not isinstance(summary.get(name), (dict, type(None))):
            raise TypeError(f'"{name}" is no object')
    if accuracy := summary.get("accuracy"):
        _ = [float(accuracy[name]) for name in ("top1", "top5", "count")]
    for broken in summary["broken_named"]:
        _ = str(broken["name"]), str(broken["error"])
    for scores in summary["methods"].values():
        for score in SCORES:
            if score in scores:
                float(scores[score]["mean"]), float(scores[score]["error"] or 0)
    if summary["methods"]:
        _ = str(summary["settings"]["fill"]), int(summary["settings"]["steps"] or 0)
    shape = summary["layers"], summary["heads_per_layer"]
    for measure in MEASURES:
        if found := summary["heads"].get(measure):
            int(found["count"])
            for name in ("mean", "spread"):
                if np.array(found[name], np.float64).shape != shape:
                    raise ValueError(f'the {name} of "{measure}" is not [{shape[0]} layers, {shape[1]} heads]')
