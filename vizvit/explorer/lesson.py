"""A model with the explorer as one HTML file: dropped on it, any photograph is looked at, with the network off.

The page runs the model itself: the file holds its weights, and the forward pass in JavaScript and WebAssembly.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vizvit.errors import ModelError
from vizvit.explorer.assets import ENTRY, LESSON, WORKER, joined, stylesheet
from vizvit.explorer.page import inline, made, page, printable
from vizvit.explorer.payload import COLOURS, colour_map
from vizvit.explorer.selection import fit
from vizvit.explorer.walk.parts import PARTS, WALK, walk_style
from vizvit.explorer.weights import encode_weights, is_exact
from vizvit.texts import words

MOST = 450_000_000  # bytes: browsers hold no longer text
SAID_ABOVE = 12_000_000  # bytes of a file that nobody need be told of
_HERE = Path(__file__).parent
_POLICY = "script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; img-src data: blob:; worker-src blob:"


@dataclass(frozen=True, eq=False)
class Moment:
    """One set of weights. model, tensors: as `vizvit.model.plain.plain` gives them; weights: where they come from, in a
    few words for captions; title, accuracy (0 to 1): of a moment of the training."""

    model: Mapping
    tensors: Mapping[str, np.ndarray]
    weights: str
    trained: bool = True
    title: str = ""
    accuracy: float | None = None


@dataclass(frozen=True)
class Sample:
    """A picture to begin with: its title, and the bytes of a file that browsers read, such as a JPEG."""

    title: str
    data: bytes
    type: str = "image/jpeg"


def build(
    moments: Sequence[Moment],
    *,
    name: str,
    labels: Sequence[str],
    outputs: str,
    samples: Sequence[Sample],
    language: str = "en",
    python: Sequence[str] = (),
    rounded: bool = False,
    walk: Mapping | None = None,
    first: int = 0,
) -> str:
    """The page, complete in itself; the last moment is shown first, on the sample `first`.

    name: the model's; labels, outputs: of its predictions, as `VitModel` has them.
    python: source lines that load the model and a picture again, for "copy as Python".
    rounded: weights in half precision, come what may; without it each is kept as it is.
    walk: what `vizvit.walk.content.content` gives, for a page that has the walk beside the explorer.
    Raises ModelError for a page that would be too large for a browser, KeyError for a language there is not.
    """
    texts, explorer_texts, rooms = words("lesson", language), words("explorer", language), words("app", language)
    texts |= {"room_explore": rooms["explore"], "room_walk": rooms["walkthrough"]}
    blobs = [base64.b64encode(encode_weights(one.model, one.tensors, rounded=rounded)).decode() for one in moments]
    size = sum(map(len, blobs))
    if size > MOST:
        raise ModelError(
            f"The page of {name} would be {size // 10**6:,} MB, and browsers hold at most {MOST // 10**6} MB. Leave "
            f"out what is not needed: snapshots, or with rounded weights half of each. Or choose a smaller model."
        )
    model, title = moments[-1].model, texts["title"].format(model=name)
    header = {"num_layers": model["layers"], "num_heads": model["heads"], "num_tokens": model["tokens"]}
    header |= {"rows": model["rows"], "cols": model["cols"]}
    height, width = (model[side] * model["patch_size"] for side in ("rows", "cols"))
    caption = explorer_texts["standalone_caption"].format(
        picture="{picture}", model=name, weights="{weights}", width=width, height=height
    )
    lesson = {
        "session": {
            "key": "lesson",
            "standalone": True,
            "own": True,
            "start": 1,
            "selection": fit({"head": None}, header),
            "caption": caption,
            "texts": explorer_texts,
            "python": list(python),
        },
        "texts": texts,
        "labels": list(labels),
        "outputs": outputs,
        "number": len(moments) - 1,
        "first": first,
        "model": dict(model),
        "walk": walk,
        "moments": [
            {"title": one.title, "accuracy": one.accuracy, "weights": one.weights, "trained": one.trained}
            for one in moments
        ],
        "samples": [
            {"title": one.title, "type": one.type, "data": base64.b64encode(one.data).decode()} for one in samples
        ],
        "colours": {key: base64.b64encode(colour_map(value).tobytes()).decode() for key, value in COLOURS.items()},
    }
    weights = "".join(
        f'<script type="application/octet-stream" id="weights-{number}">{blob}</script>\n'
        for number, blob in enumerate(blobs)
    )
    parts = {
        "intro": html.escape(texts["intro"]),
        "needs_script": html.escape(explorer_texts["standalone_needs_script"]),
        "footer": html.escape(_footer(moments, texts, explorer_texts, rounded)),
        "lesson": printable(json.dumps(lesson, ensure_ascii=False).replace("<", "\\u003c")),
        "weights": weights,
        "worker": inline(joined(WORKER)),
        "parts": "".join(part.in_file for part in (*PARTS, WALK)) if walk else "",
        "script": inline(joined(ENTRY, LESSON)),
    }
    style = stylesheet() + (_HERE / "lesson.css").read_text("utf-8") + (walk_style() if walk else "")
    return page(_HERE / "lesson.html", parts, language=language, title=title, policy=_POLICY, style=style)


def _footer(moments: Sequence[Moment], texts: Mapping, explorer_texts: Mapping, rounded: bool) -> str:
    as_they_are = not rounded or all(is_exact(one.tensors) for one in moments)
    return f"{made(explorer_texts)} {texts['weights_exact' if as_they_are else 'weights_rounded']}"
