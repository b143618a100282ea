"""Stage 12: the residual stream over all layers: lengths, likeness of patches, their colours, and the logit lens."""

from __future__ import annotations

from html import escape

import numpy as np

from vizvit import walk
from vizvit.pages.shared import look
from vizvit.pages.shared.classes import told
from vizvit.pages.shared.language import named_or_own, say, say_of
from vizvit.pages.walkthrough.charts import Chart
from vizvit.pages.walkthrough.html import badge, note, side_by_side, title
from vizvit.pages.walkthrough.maps import category_colours, gallery, over_picture, tile
from vizvit.pages.walkthrough.scene import Here

_CLASSES = 8  # in the legend of a lens map


def lead(here: Here) -> None:
    t, step, found = say("walk"), here.place.layer + 1, _found(here)
    here.show(
        "components",
        title(t["depth_rgb"]),
        tile(_rgb(found.rgb[step]), _step(step), name="components", query=here.place.patch),
    )


def draw(here: Here) -> None:
    t, layer, found = say("walk"), here.place.layer, _found(here)
    layers = len(found.norms)
    rgb = [
        tile(_rgb(colours), _step(index), name="pca", chosen=index == layer + 1)
        for index, colours in enumerate(found.rgb)
    ]
    here.show(
        "depth",
        gallery(rgb, "58px"),
        note(t["depth_rgb_note"]),
        side_by_side(_norms(here, found), _similarity(found), least="250px"),
    )
    if found.lens is None:
        here.show(
            "no_lens",
            note(
                t[found.absent].format(
                    model=escape(here.vit.name),
                    dim=here.numbers()["dim"],
                    read_out=escape(named_or_own(found.read_out)),
                )
            ),
        )
        return
    here.show(
        "lens",
        badge(found.difference),
        title(
            say_of("walk", here.vit)["depth_lens"], t["depth_lens_note"].format(read_out=named_or_own(found.read_out))
        ),
        _lens(here, found, layer + 1),
    )
    _patch_lens(here, found, min(layer + 1, layers - 1))


def _found(here: Here) -> walk.Depth:
    return here.choice.result("depth", lambda: walk.depth(here.anatomy), _bytes)


def _rgb(colours: np.ndarray) -> np.ndarray:
    return (255 * colours).astype(np.uint8)


def _step(index: int) -> str:
    t = say("walk")
    return t["depth_input"] if index == 0 else t["depth_after"].format(layer=index - 1)


def _norms(here: Here, found) -> str:
    t, layers = say("walk"), np.arange(len(found.norms))
    low, middle, high, highest = found.patch_norms
    token = found.norms[:, here.place.token]
    ends = (0, layers[-1]), (0, float(max(highest.max(), token.max())))
    chart = Chart(*ends, (t["depth_axis"], t["depth_norms"]), "norms")
    chart.line(layers, low, "quiet").line(layers, high, "quiet").line(layers, middle).line(layers, token, "accent")
    return chart.dots(layers, token, "accent").html(layers[:: max(1, len(layers) // 12)]) + note(
        t["depth_norms_note"].format(query=here.query)
    )


def _similarity(found) -> str:
    t, layers = say("walk"), np.arange(len(found.similarity))
    low = min(0.0, float(found.similarity.min()))
    chart = Chart((0, layers[-1]), (low, 1), (t["depth_axis"], t["depth_similarity"]), "similarity")
    chart.line(layers, found.similarity, "accent").dots(layers, found.similarity, "accent")
    return chart.html(layers[:: max(1, len(layers) // 12)])


def _lens(here: Here, found, chosen: int) -> str:
    """The likeliest classes of the token that is read out, layer by layer."""
    t, rows, count = say("walk"), [], min(3, found.lens.shape[1])
    for index, (classes, predictions) in enumerate(zip(found.lens, found.lens_probability, strict=True)):
        cells = "".join(
            f"<td>{here.label(c)} <small>{told(here.vit, p)}</small></td>"
            for c, p in list(zip(classes, predictions, strict=True))[:count]
        )
        rows.append(f'<tr class="{"chosen" if index == chosen else ""}"><td>{_step(index)}</td>{cells}</tr>')
    columns = "".join(f"<th>{rank}</th>" for rank in range(1, count + 1))
    head = f"<tr><th>{t['choose_layer']}</th>{columns}</tr>"
    return f'<table class="vw-table" data-draw="lens">{head}{"".join(rows)}</table>'


def _patch_lens(here: Here, found, index: int) -> None:
    if here.vit.outputs == "value":
        _patch_values(here, found, index)
        return
    t = say_of("walk", here.vit)
    classes, probability = found.patch_lens[index], found.patch_probability[index]
    kinds, counts = np.unique(classes, return_counts=True)
    frequent = kinds[np.argsort(-counts, kind="stable")][:_CLASSES]
    palette = category_colours(len(frequent))
    rgb = np.full((*classes.shape, 3), 150, np.uint8)
    legend = []
    for kind, colour in zip(frequent, palette, strict=True):
        rgb[classes == kind] = colour
        count = int((classes == kind).sum())
        name = here.label(kind)
        legend.append(
            f'<span><i style="background:rgb({colour[0]} {colour[1]} {colour[2]})"></i>{name} × {count}</span>'
        )
    if len(kinds) > len(frequent):
        others = t["depth_others"].format(count=len(kinds) - len(frequent))
        legend.append(f'<span><i style="background:rgb(150 150 150)"></i>{others}</span>')
    here.show(
        "patch_lens",
        title(t["depth_patch_lens"].format(step=_step(index))),
        side_by_side(
            tile(rgb, t["depth_classes"], name="patch-lens", query=here.place.patch)
            + f'<div class="vw-legend">{"".join(legend)}</div>',
            over_picture(
                here.photo, probability, t["depth_probability"], name="patch-probability", query=here.place.patch
            ),
            least="240px",
        ),
    )


def _patch_values(here: Here, found, index: int) -> None:
    """Of a model of values: the first of them, read off each patch alone, on the scale of this layer."""
    t, values = say_of("walk", here.vit), found.patch_probability[index]
    low, high = float(values.min()), float(values.max())
    here.show(
        "patch_lens",
        title(t["depth_patch_lens"].format(step=_step(index))),
        side_by_side(
            over_picture(here.photo, values, here.label(0), name="patch-value", query=here.place.patch, low=low)
            + look.colour_bar(low, high, ""),
            least="240px",
        ),
    )


def _bytes(found) -> int:
    return sum(getattr(value, "nbytes", 0) for value in vars(found).values())
