"""Stage 11: the residual sum, and the MLP: its curve with this token's numbers on it, and the change to the token."""

from __future__ import annotations

import numpy as np
import torch

from vizvit import walk
from vizvit.numbers import number, share
from vizvit.pages.shared.language import say
from vizvit.pages.walkthrough.charts import Chart
from vizvit.pages.walkthrough.html import badge, bars, facts, note, side_by_side, strip, title
from vizvit.pages.walkthrough.scene import Here
from vizvit.walk.formulas import activation

_UNITS = 8


def lead(here: Here) -> None:
    """The residual stream of the query through the block."""
    t, made = say("walk"), walk.mlp(here.anatomy, here.place.token)
    # A few dimensions often hold most of the length: without them at full colour, the others would be white.
    limit = float(np.percentile(np.abs([made.before, made.after_attention, made.out, made.after]), 97))
    here.show(
        "stream",
        title(t["mlp_stream"].format(query=here.query)),
        *(
            strip(values, said, name=name, limit=limit, thin=True)
            for said, name, values in (
                (t["mlp_before"], "before", made.before),
                (t["mlp_attention"], "attention", made.after_attention - made.before),
                (t["mlp_between"], "between", made.after_attention),
                (t["mlp_out"], "mlp", made.out),
                (t["mlp_after"], "after", made.after),
            )
        ),
    )


def draw(here: Here) -> None:
    t, n = say("walk"), here.numbers()
    made = walk.mlp(here.anatomy, here.place.token)
    here.show(
        "mlp",
        badge(made.difference),
        facts(
            (t["mlp_norm_before"], number(float(np.linalg.norm(made.before)))),
            (t["mlp_norm_attention"], number(float(np.linalg.norm(made.after_attention - made.before)))),
            (t["mlp_norm_mlp"], number(float(np.linalg.norm(made.out)))),
            (t["mlp_norm_after"], number(float(np.linalg.norm(made.after)))),
        ),
        title(t["mlp_curve"].format(activation=made.activation, **n)),
        side_by_side(_curve(here, made), _units(made), least="250px"),
        note(t["mlp_gated"].format(activation=made.activation)) if made.gate is not None else "",
    )


def _curve(here: Here, made) -> str:
    """The nonlinearity with this token's pre-activations on it; of a gated MLP, what enters the gate's function."""
    t = say("walk")
    low, high = min(float(made.pre.min()), -3.0), max(float(made.pre.max()), 1.0)
    kind = here.anatomy.parts.mlp.activation
    xs = np.linspace(low, high, 241)
    ys, acted = (activation(torch.from_numpy(x), kind, made.activation).numpy() for x in (xs, made.pre))
    chart = Chart((low, high), (ys.min(), ys.max()), (t["mlp_axis"], t["mlp_value"]), "curve")
    chart.line(xs, ys, "quiet")
    return chart.dots(made.pre, acted, titles=[str(unit) for unit in range(len(acted))]).html() + note(
        t["mlp_below"].format(share=share((made.pre < 0).mean(), 0))
    )


def _units(made) -> str:
    t = say("walk")
    top = made.top[:_UNITS]
    rows = [(t["mlp_unit"].format(unit=unit), float(made.hidden[unit]), number(made.hidden[unit])) for unit in top]
    return title(t["mlp_units"]) + bars(rows, name="units")
