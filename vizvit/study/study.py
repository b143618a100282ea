"""A model over a whole set of pictures: statistics of each head, and methods of explanation put to the test."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..errors import ModelError
from ..explanations.methods import find_method
from ..faithful.stream import FILLS, patch_counts
from ..figures import figure_bytes
from ..files import made, removed, write_bytes, write_text
from ..model.vit import VitModel
from ..pictures.collection import PictureSet
from .figures import figures
from .local import run_here
from .measures import MEASURES
from .merge import HEADS, PICTURES, merge, write_summary
from .notes import notes
from .plan import SHARD, Plan, study_identity
from .report import APP, REPORT, report
from .rows import Measurer
from .settings import Settings
from .shards import Shards
from .table import markdown, note

TABLE = "methods.md"
Progress = Callable[[int, int], None]


def run(
    vit: VitModel,
    data: Sequence[str | Path],
    out: str | Path,
    settings: Settings | None = None,
    *,
    limit: int | None = None,
    batch: int = 16,
    workers: int = 0,
    ray: str | None = None,
    resume: bool | None = None,
    shard: int = SHARD,
    app: str = APP,
    command: str | None = None,
    notice: Callable[[str], None] | None = None,
    progress: Progress | None = None,
) -> dict:
    """Measure every picture and write the results into the folder `out`; returns the summary.

    data: a folder of pictures (subfolders may name their classes), or Parquet files, as `PictureSet.of` takes them.
    limit: so many pictures, spread evenly over the set. batch: pictures in one forward pass.
    workers: processes that decode ahead, 0 for none; with `ray` ("local" or an address) the number of Ray's workers, 0
        for one each CPU.
    resume: None goes on where the folder has a part of this very study, and leaves another study alone; True insists
        that there is one; False starts over.
    shard: pictures in one file of the folder `shards`. What an interruption loses is less: what was measured since 16
        pictures or 20 seconds before; with `ray` the shards that are not finished.
    app: what the report's links lead to. command: the command line that would do this again, to stand in the summary.
    notice: called with sentences on what of the data is not used and what will not be measured, before it begins.
    progress: called as (pictures done, pictures in all).

    Files: pictures.parquet (a row a picture), heads.parquet (a row a head), summary.json, methods.md where methods
    were tested, figures/*.png, report.html, and the folder shards. A picture that
    cannot be read, or whose numbers are NaN or infinite, is named, counted and left out of the means.
    Raises ModelError for data, settings or a folder that cannot be, before the first picture is read.
    """
    settings, out = settings or Settings(), Path(out)
    check(vit, settings)
    settings = settings.effective()
    if min(batch, shard) < 1 or workers < 0 or (limit is not None and limit < 1):
        raise ModelError(f"Batch and limit are at least 1, workers at least 0; received {batch}, {limit}, {workers}.")
    pictures = PictureSet.of(data, out)
    plan = Plan(pictures, study_identity(vit, settings, pictures), limit, shard)
    shards = Shards(out)
    _choose_folder(out, shards, resume, pictures)
    kept = shards.kept(plan)
    if shards.any() and not kept.pictures:
        other = f"{out} holds a study of other {shards.difference(plan)}"
        raise ModelError(f"{other}; choose another --out, or --no-resume to replace it.")
    for sentence in notes(vit, settings, pictures) if notice else ():
        notice(sentence)

    if ray is not None:  # its workers measure whole shards
        kept.pictures -= sum(kept.begun.values())
    done, total = kept.pictures, kept.total

    def told(pictures: int) -> None:
        nonlocal done
        done += pictures
        if progress:
            progress(done, total)

    told(0)
    measurer = Measurer(vit, settings, plan.pictures.subfolders)
    if ray is None:
        run_here(measurer, plan, kept.finished, shards, begun=kept.begun, batch=batch, workers=workers, progress=told)
    elif done < total:
        from .cluster import run_on_ray

        run_on_ray(
            measurer, plan, kept.finished, shards, address=ray, batch=batch, workers=workers or None, progress=told
        )
    source = {
        "data": " ".join(str(name) for name in data),
        "limit": limit,
        "command": command,
        "made": datetime.now(UTC).date().isoformat(),
    }
    return _conclude(vit, settings, plan, shards, out, source, total, app)


def _conclude(
    vit: VitModel, settings: Settings, plan: Plan, shards: Shards, out: Path, source: dict, total: int, app: str
) -> dict:
    """Everything that is made of finished shards; what an earlier study has left and this one does not make goes."""
    summary = merge(vit, settings, plan, shards, out, source, total)
    shards.drop_from(math.ceil(total / plan.size))
    drawn = figures(summary)
    for measure in MEASURES:
        path = out / "figures" / f"{measure}.png"
        if measure in drawn:
            write_bytes(path, figure_bytes(drawn[measure]))
        else:
            removed(path)
    if table := markdown(summary):
        write_text(out / TABLE, f"{table}\n\n{note(summary)}\n")
    else:
        removed(out / TABLE)
    write_text(out / REPORT, report(summary, drawn, app))
    write_summary(summary, out)  # the last: a folder with a summary has all the rest
    return summary


def check(vit: VitModel, settings: Settings) -> None:
    """ModelError or CaptureError for settings that this model cannot be studied with."""
    methods = [find_method(name) for name in settings.methods]
    if not vit.labels and (settings.faithfulness or any(method.needs_target for method in methods)):
        raise ModelError(
            f"{vit.name} has no classifier: there is no class whose probability could be followed. Study it without "
            f"--faithfulness and with methods that need no class, or choose a model with classes."
        )
    if settings.faithfulness and not methods:
        raise ModelError("Faithfulness is that of methods: name at least one.")
    if settings.fill not in FILLS:
        raise ModelError(f'Patches are filled with one of {", ".join(FILLS)}; received "{settings.fill}".')
    patch_counts(vit.grid.rows * vit.grid.cols, settings.steps)


def _choose_folder(out: Path, shards: Shards, resume: bool | None, pictures: PictureSet) -> None:
    if out.exists() and not out.is_dir():
        raise ModelError(f"{out} is a file, but a folder for the results is needed.")
    for name in (PICTURES, HEADS):
        if str(out.resolve() / name) in pictures.files:
            raise ModelError(f"Results would be written over {out / name}: choose another --out.")
    if resume and not shards.any():
        raise ModelError(f"There is no study in {out} to go on with. Leave --resume off to begin one.")
    if resume is False:
        shards.clear()
    made(out)
