"""Stage 6: one token before and after layer normalisation, and batch normalisation of the same numbers beside it."""

from __future__ import annotations

import numpy as np

from vizvit import walk
from vizvit.forward.anatomy import Anatomy, dissect
from vizvit.numbers import number
from vizvit.pages.shared.language import say
from vizvit.pages.shared.photo import decoded
from vizvit.pages.shared.store import turn
from vizvit.pages.walkthrough.charts import Chart
from vizvit.pages.walkthrough.html import badge, facts, note, side_by_side, strip, title
from vizvit.pages.walkthrough.scene import Here
from vizvit.pictures.samples import SAMPLES
from vizvit.walk.norms import BATCHES


def draw(here: Here) -> None:
    t = say("walk")
    made = walk.layer_norm(here.anatomy, here.place.token)
    here.show(
        "norm",
        badge(made.difference),
        strip(made.before, t["norm_before"].format(query=here.query), name="before"),
        facts((t["mean"], number(made.mean)), (t["variance"], number(made.variance)), ("ε", number(made.eps))),
        strip(made.normalised, t["norm_normalised"], name="normalised"),
        facts((t["mean"], _round(made.normalised.mean())), (t["variance"], number(made.normalised.var()))),
        strip(made.after, t["norm_after"].format(kind=made.kind), name="after", tall=True),
        side_by_side(*_affine(made), _histogram(made), least="250px"),
    )
    _batch(here)


def _affine(made) -> list[str]:
    t = say("walk")
    parts = [strip(made.weight, t["norm_scale"], name="scale")] if made.weight is not None else []
    parts += [strip(made.bias, t["norm_shift"], name="shift")] if made.bias is not None else []
    return ["".join(parts)] if parts else []


def _histogram(made) -> str:
    """Where the token's numbers lie before and after."""
    t = say("walk")
    both = np.concatenate([made.before, made.after])
    edges = np.linspace(both.min(), both.max(), 41)
    before, after = (np.histogram(values, edges)[0] for values in (made.before, made.after))
    chart = Chart(
        (edges[0], edges[-1]), (0, max(before.max(), after.max())), (t["norm_axis"], t["norm_histogram"]), "histogram"
    )
    return chart.steps(edges, before).steps(edges, after, "accent").html()


def _batch(here: Here) -> None:
    t = say("walk")
    here.show("batch_title", title(t["batch_title"], t["batch_note"]))
    here.surface.choose(
        "walk_batch", t["batch_size"], {size: str(size) for size in BATCHES}, lambda size: _batch_of(here, size)
    )


def _batch_of(here: Here, size: int) -> None:
    t, sizes = say("walk"), tuple(sorted({1, size}))
    pictures = [here.anatomy, *_others(here)[: size - 1]] if size > 1 else [here.anatomy]
    found = walk.batch_norm(here.vit, pictures, here.place.layer, here.place.token, sizes)
    limit = float(max(np.abs(found.batch_norm).max(), np.abs(found.layer_norm).max()))
    here.show(
        "batch",
        strip(found.batch_norm[-1], t["batch_bn"].format(count=size), name="batch-norm", limit=limit, tall=True),
        strip(found.layer_norm[-1], t["batch_ln"].format(count=size), name="layer-norm", limit=limit, tall=True),
        facts(
            (t["batch_bn_moved"], _round(float(found.moved_batch[-1]))),
            (t["batch_ln_moved"], _round(float(found.moved_layer[-1]))),
        ),
        note(t["batch_pictures"]),
    )


def _others(here: Here) -> list[Anatomy]:
    """What the model makes of the other samples, then of those mirrored: real pictures all."""

    def run() -> list[Anatomy]:
        samples = [here.vit.view(decoded(sample.read())) for sample in SAMPLES.values()]
        others = [view for view in samples if not np.array_equal(view, here.cap.view)]
        mirrored = [np.ascontiguousarray(view[:, ::-1]) for view in others]
        with turn(heavy=True):
            return [dissect(here.vit, view, 0) for view in [*others, *mirrored][: BATCHES[-1] - 1]]

    return here.choice.result("walk_others", run, lambda found: sum(anatomy.nbytes for anatomy in found))


def _round(value: float) -> str:
    """A number; rounding around zero is zero."""
    return "0" if abs(value) < 5e-6 else number(value)
