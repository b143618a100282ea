"""The explorer as one HTML file: opened from a disk with the network off, it answers as the app does.

    vizvit.save_explorer(vizvit.capture(vit, image), "cat.html", title="A cat")

The layers' queries and keys are in it, with the same script and style sheet. It says how exact its numbers are.
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vizvit.errors import CaptureError
from vizvit.explorer.assets import script, stylesheet
from vizvit.explorer.check import greatest_difference
from vizvit.explorer.features import encode_features, greatest_cosine_difference
from vizvit.explorer.page import inline, made, page, printable
from vizvit.explorer.payload import encode, frame, read_header
from vizvit.explorer.selection import fit
from vizvit.files import write_text
from vizvit.texts import words

LIMIT = 12_000_000  # bytes of a file whose layers nobody has chosen
MARGIN = 100_000  # of them for words and colour maps
_BODY = Path(__file__).parent / "standalone.html"
_POLICY = "script-src 'unsafe-inline' 'wasm-unsafe-eval'; img-src data: blob:; worker-src blob:"


def save_explorer(cap: Any, path: str | Path, **options) -> Path:
    """Write the explorer of a capture as one HTML file that needs no network; returns its path.

    options: those of `vizvit.explorer.standalone.build`, such as title="…", caption="…", language="ja".
    """
    path = Path(path)
    write_text(path, build(cap, **options))
    return path


def build(
    cap: Any,
    *,
    title: str = "",
    caption: str = "",
    selection: Mapping | None = None,
    language: str = "en",
    trained: bool | None = None,
    python: Sequence[str] = (),
    layers: Sequence[int] | str | None = None,
) -> str:
    """The HTML of the explorer over a capture, complete in itself.

    title: the heading; by default the model's name.
    caption: one line below: what is shown, which weights.
    selection: where to start, as in `explorer.mount`.
    language: of the words on the screen, a key of `vizvit.texts.LANGUAGES`.
    trained: False puts "untrained weights" on the picture; by default the capture knows.
    layers: which to hold, from 0, negative from the end, or "all". Without it all where they fit into 12 MB, as up to
        about 700 tokens they do, and else as many as fit, evenly spaced, the last among them; a footer says which.
    python: source lines that load model and picture again and leave `vit`, `image` and `cap`.
    Raises CaptureError where the queries or keys are not numbers and for layers that there are
    not, KeyError for a language there is not.
    """
    held = _fitting(cap) if layers is None else _chosen(cap, layers)
    blob = encode(cap, cap.view, held)
    texts = words("explorer", language)
    header, checked = read_header(blob), greatest_difference(cap, blob)
    selected = fit(selection or {}, header)
    selected["layer"] = min(held, key=lambda layer: (abs(layer - selected["layer"]), -layer))
    selected["rollout"] &= len(held) == cap.num_layers
    title = printable(title or cap.vit.name)
    key, features, cosines = f"standalone-{header['capture']}", b"", None
    try:
        features = frame({"explorer": key, "name": "features"}, encode_features(cap, held))
        cosines = greatest_cosine_difference(cap, held)
    except CaptureError:  # of weights that have changed since: the views of features are left out
        selected["view"] = "attention"
    session = {
        "key": key,
        "standalone": True,
        "start": 1,
        "selection": selected,
        "trained": bool(cap.trained if trained is None else trained),
        "title": title,
        "caption": printable(caption),
        "name": title,
        "texts": texts,
        "python": [printable(line) for line in python],
        "checked": checked,
    }
    parts = {
        "needs_script": html.escape(texts["standalone_needs_script"]),
        "footer": html.escape(_footer(texts, checked, held, cap.num_layers, cosines)),
        "features": base64.b64encode(features).decode("ascii"),
        "payload": base64.b64encode(frame(session, blob)).decode("ascii"),
        "script": inline(script()),
    }
    return page(_BODY, parts, language=language, title=title, policy=_POLICY, style=stylesheet())


def _fitting(cap: Any) -> list[int]:
    """As many layers as a file of LIMIT bytes holds, evenly spaced, the last among them; at least one."""
    queries, bias = cap.queries(0), cap.bias(0)
    layer = 2 * (2 * queries.size + (0 if bias is None else bias.size)) + queries.size  # and vectors, a byte a number
    room = LIMIT - len(script()) - len(stylesheet()) - MARGIN - cap.view.nbytes * 4 / 3
    count = min(cap.num_layers, max(1, int(room / (layer * 4 / 3))))
    last = cap.num_layers - 1
    return [last - round(step * last / max(count - 1, 1)) for step in reversed(range(count))]


def _chosen(cap: Any, layers: Sequence[int] | str) -> list[int]:
    if layers == "all":
        return list(range(cap.num_layers))
    count = cap.num_layers
    known = not isinstance(layers, str) and all(isinstance(one, (int, np.integer)) for one in layers)
    if not known or not len(layers) or not all(-count <= one < count for one in layers):
        raise CaptureError(
            f'The layers to hold are "all" or some of 0 to {count - 1}, such as [0, {count - 1}]; received {layers!r}.'
        )
    return sorted({int(one) % count for one in layers})


def _footer(texts: Mapping[str, str], checked: dict, held: list[int], layers: int, cosines: float | None) -> str:
    """What made the file and when, which layers are in it, and how exact its numbers are."""
    said = made(texts)
    check = texts["standalone_checked" if checked["rows"] == checked["of"] else "standalone_sampled"]
    worst = _rounded_up(100 * checked["worst"])
    if len(held) < layers:
        said += " " + texts["standalone_layers"].format(layers=", ".join(map(str, held)), count=layers)
    said = f"{said} {check.format(rows=checked['rows'], of=checked['of'], worst=f'{worst} %')}"
    return said if cosines is None else f"{said} {texts['standalone_cosines'].format(worst=_rounded_up(cosines))}"


def _rounded_up(value: float) -> str:
    """Two significant digits and never less than the value, as "at most" asks."""
    digits = max(0, 1 - math.floor(math.log10(value))) if value else 0
    return f"{math.ceil(value * 10**digits) / 10**digits:.{digits}f}"
