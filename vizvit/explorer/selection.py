"""What is looked at, as a dict that Python and the browser share."""

from __future__ import annotations

from collections.abc import Mapping

from vizvit.reading import finite

CHOICES = {
    "view": ("attention", "similarity", "components", "norms"),
    "direction": ("from", "to"),
    "fuse": ("mean", "max", "min"),
    "steps": ("chain", "changes"),
    "scale": ("own", "shared", "absolute", "percentile", "apart"),
    "curve": ("linear", "log"),
    "colours": ("viridis", "cividis", "inferno"),
    "blend": ("fade", "light", "veil"),
}  # the first of each is where one starts
FOLDS = ("atlas", "numbers", "why")
SWITCHES = {"rollout": False, "smooth": False, "grid_lines": True, "true_pixels": False}
OPACITY = 0.6


def fit(selection: Mapping, header: dict) -> dict:
    """A whole selection that exists in this capture; what is missing or out of range is as at the start.

    layer: negative ones count from the end. head: None fuses the heads by `fuse`. token: the query. area: [top, left,
    bottom, right] of patches, inclusive, whose mean is the query instead. key: the token whose number is explained.
    open: the folds that are open.
    """
    last = header["num_layers"] - 1
    layer = _integer(selection.get("layer"), last)
    layer = layer + last + 1 if layer < 0 else layer
    head, key = _integer(selection.get("head"), -1), _integer(selection.get("key"), -1)
    token, opacity = _integer(selection.get("token"), 0), selection.get("opacity")
    fitted = {
        "layer": min(max(layer, 0), last),
        "head": head if 0 <= head < header["num_heads"] else None,
        "token": token if 0 <= token < header["num_tokens"] else 0,
        "area": _area(selection.get("area"), header),
        "key": key if 0 <= key < header["num_tokens"] else None,
    }
    for name, values in CHOICES.items():
        fitted[name] = selection[name] if selection.get(name) in values else values[0]
    for name, value in SWITCHES.items():
        fitted[name] = bool(selection.get(name, value))
    number = isinstance(opacity, (int, float)) and 0 <= opacity <= 1
    opened = selection.get("open")
    fitted["open"] = [name for name in FOLDS if isinstance(opened, (list, tuple)) and name in opened]
    fitted["rollout"] = fitted["rollout"] and fitted["view"] == "attention"
    return fitted | {"opacity": float(opacity) if number else OPACITY}


def start() -> dict:
    """The display and the directions that one starts with: what a link need not say."""
    return (
        {name: values[0] for name, values in CHOICES.items()}
        | SWITCHES
        | {"opacity": OPACITY, "area": None, "key": None, "open": []}
    )


def _integer(value: object, otherwise: int) -> int:
    return int(value) if isinstance(value, (int, float)) and _is_number(value) else otherwise


def _is_number(value: object) -> bool:
    return finite(value, -1e9, 1e9)


def _area(area: object, header: dict) -> list[int] | None:
    if not isinstance(area, (list, tuple)) or len(area) != 4 or not all(map(_is_number, area)):
        return None
    top, left, bottom, right = map(int, area)
    inside = 0 <= top <= bottom < header["rows"] and 0 <= left <= right < header["cols"]
    return [top, left, bottom, right] if inside else None
