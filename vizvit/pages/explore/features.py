"""Features for the explorer: token vectors, components and norms, handed over when a view of them is chosen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vizvit import explorer
from vizvit.analysis import artefact_tokens, patch_components, patch_map, patch_similarity, token_norms
from vizvit.explorer.features import encode_features, feature_window
from vizvit.explorer.payload import fingerprint
from vizvit.explorer.selection import OPACITY
from vizvit.figures.features import NORM_CMAP, component_colors, feature_colors, feature_limits
from vizvit.figures.handout import Panel
from vizvit.figures.raster import SIMILARITY_CMAP
from vizvit.forward.capture import Capture
from vizvit.numbers import number, share
from vizvit.pages.explore.compare_capture import Comparison
from vizvit.pages.shared import look
from vizvit.pages.shared.language import say
from vizvit.pages.shared.names import token_name
from vizvit.pages.shared.store import turn
from vizvit.pages.sidebar.choice import Choice


def is_featured(selection: Mapping) -> bool:
    """Whether a view of the explorer is one of features."""
    return selection.get("view", "attention") != "attention"


def feed(key: str, choice: Choice, cap: Capture, selection: Mapping, comparison: Comparison | None) -> None:
    """Hand the explorer at `key` the features of its pictures where it shows them, or asks for them."""
    asked = explorer.wanted_vectors(key, fingerprint(cap, cap.view))
    if not is_featured(selection) and asked is None:
        return
    same = comparison is not None and comparison.choice.vit is choice.vit
    pair = (comparison.cap, cap) if same else (None, None)
    _feed(key, "features", choice, cap, selection["layer"] if asked is None else asked, {}, pair[0])
    if comparison is not None:
        asked = explorer.wanted_vectors(key, fingerprint(comparison.cap, comparison.cap.view), compare=True)
        header = {"same_model": same}
        layer = selection["layer"] if asked is None else asked
        _feed(key, "compare_features", comparison.choice, comparison.cap, layer, header, pair[1])


def _feed(
    key: str, name: str, choice: Choice, cap: Capture, layer: int, header: Mapping, other: Capture | None
) -> None:
    """other: what it is compared with, by the same model."""
    layers = feature_window(cap, layer)

    def make() -> bytes:
        with turn():
            for one in (cap, other):
                if one is not None:
                    one.tokens(-1)  # another pass of the model
        return encode_features(cap, layers, other)

    with_other = "" if other is None else fingerprint(other, other.view)
    explorer.feed(key, name, header, choice.result(("features", layers, with_other), make, len))


def arrays(cap: Capture, selection: Mapping, other: tuple[Capture, Mapping] | None = None) -> dict[str, np.ndarray]:
    """The numbers of a view of features, by name; raw.

    similarity: map [rows, cols], and other_map, of the same query, where other is a second picture by the same model.
    components: map [rows, cols, 3], and other_map likewise, of the patches of both. norms: map and artefacts
    [rows, cols], norms [layer + 1, token], threshold.
    """
    view, layer = selection["view"], selection["layer"]
    if view == "components":
        if other is None or other[0].vit is not cap.vit:
            return {"map": patch_components(cap, layer, _components(cap))}
        pairs = {"map": (cap, other[0]), "other_map": (other[0], cap)}
        return {name: patch_components(one, layer, _components(cap), other=two) for name, (one, two) in pairs.items()}
    if view == "norms":
        found, norms = artefact_tokens(cap, layer), token_norms(cap)
        return {
            "map": patch_map(norms[layer + 1], cap),
            "norms": norms,
            "artefacts": found.mask,
            "threshold": np.array(np.nan if found.threshold is None else found.threshold, np.float32),
        }
    made = {"map": _similarity(cap, selection)}
    if other is not None:
        there, linked = other
        same = there.vit is cap.vit
        made["other_map"] = _similarity(cap, selection, there) if same else _similarity(there, linked)
    return made


def panel(cap: Capture, selection: Mapping, choice: Choice, other: Capture | None = None) -> Panel:
    """A view of features on a handout. other: what the picture is compared with."""
    t, view, layer = say("handouts"), selection["view"], selection["layer"]
    both = view == "components" and other is not None and other.vit is cap.vit
    made = arrays(cap, selection, (other, selection) if both else None)
    values = made["map"]
    words, outlined, marked = {"layer": layer}, None, None
    if view == "components":
        colors, heat = component_colors(values, made.get("other_map")), np.zeros(values.shape[:2])
        low, high, colormap = 0.0, 1.0, ""
    else:
        low, high = feature_limits(values)
        colormap = SIMILARITY_CMAP if view == "similarity" else NORM_CMAP
        colors, heat = feature_colors(values, colormap, (low, high)), values
    if view == "similarity":
        area, token = selection.get("area"), selection.get("token", 0)
        if area:
            words["query"] = t["area"].format(**dict(zip(("top", "left", "bottom", "right"), area, strict=True)))
            outlined = tuple(area)
        else:
            words["query"] = token_name(cap, token)
            outlined = None if token < cap.grid.num_prefix_tokens else cap.grid.patch(token) * 2
    if view == "norms":
        found = artefact_tokens(cap, layer)
        marked = found.mask
        words["artefacts"] = t["artefacts_none"]
        if found.threshold is not None:
            words["artefacts"] = t["artefacts"].format(share=share(found.share), threshold=number(found.threshold))
    what = {
        "similarity": t["similarity"],
        "norms": t["norms"],
        "components": t["components_both"] if both else t["components"],
    }
    scale = t["scale_percentile"]
    return Panel(
        heat,
        t["caption"].format(what=what[view].format(**words), scale=scale, weights=look.weights_note(choice.vit)),
        outlined=outlined,
        low=low,
        high=high,
        colormap=colormap,
        colors=colors,
        marked=marked,
        opacity=float(selection.get("opacity", OPACITY)) if view == "similarity" else 1.0,
        label={"similarity": t["cosine"], "norms": t["norm"], "components": t["components_label"]}[view],
    )


def _similarity(cap: Capture, selection: Mapping, other: Capture | None = None) -> np.ndarray:
    area = selection.get("area")
    where = {"area": tuple(area)} if area else {"token": selection.get("token", 0)}
    return patch_similarity(cap, layer=selection["layer"], other=other, **where)


def _components(cap: Capture) -> int:
    return min(3, cap.grid.num_patches)
