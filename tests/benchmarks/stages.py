"""How long a stage of the walkthrough takes to be drawn again after a change of patch, head or layer, on the server.

python tests/benchmarks/stages.py [--model NAME --weights random] [--repeats 9]

Each figure is the median of whole runs of the page as Streamlit makes them, without the browser: warm, that is with
the forward pass of each layer made before; "first" is a layer's first visit, its forward pass included.
"""

from __future__ import annotations

import argparse
import gc
import logging
import sys
import time
from pathlib import Path
from statistics import median

from streamlit.testing.v1 import AppTest

sys.path.insert(0, str(Path(__file__).parents[2]))
logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").disabled = True  # there is no browser

from vizvit.model.loading import load_model
from vizvit.walk.stages import STAGES


def script() -> None:
    import streamlit as st

    from vizvit.pages.sidebar import choice
    from vizvit.pages.walkthrough import page as walkthrough

    st.session_state.choice = choice.choose()
    walkthrough.page()


def seconds(app: AppTest, stage: int, **place: int) -> float:
    """One run of the page at another place; what is not named stays."""
    app.session_state["selection"] = dict(app.session_state["selection"]) | place
    app.session_state["walk"] = {"stage": stage, "on_prefix": False, "patch": None}
    start = time.perf_counter()
    app.run()
    taken = time.perf_counter() - start
    assert not app.exception, app.exception
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="vizvit-tiny")
    parser.add_argument("--weights", default="pretrained", choices=("pretrained", "random"))
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    vit = load_model(options.model, weights=options.weights)
    gc.freeze()  # as the app does with what it imports
    app = AppTest.from_function(script, default_timeout=120)
    app.query_params |= {"model": options.model, "weights": options.weights}
    app.session_state["selection"] = {"layer": 0, "head": 0}
    first = [seconds(app, 6, layer=layer, token=vit.grid.token(0, 0), head=0) for layer in range(vit.num_layers)][1:]
    print(f"{options.model}: first visit of a layer {1000 * median(first):.0f} ms")
    print("| stage, ms | patch | head | layer |\n|---|---|---|---|")
    for number, stage in enumerate(STAGES, 1):
        seconds(app, number, layer=0)
        changes = {
            "token": lambda i: vit.grid.token((i + 1) % vit.grid.rows, (3 * i + 1) % vit.grid.cols),
            "head": lambda i: (i + 1) % vit.num_heads,
            "layer": lambda i: (i + 1) % vit.num_layers,
        }
        cells = []
        for name, value in changes.items():
            uses = name in stage.uses or (name == "token" and {"patch", "cut"} & set(stage.uses))
            times = [seconds(app, number, **{name: value(i)}) for i in range(options.repeats)] if uses else []
            cells.append(f"{1000 * median(times):.0f}" if times else "")
        print(f"| {number} {stage.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
