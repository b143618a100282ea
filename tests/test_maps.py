"""Maps of an area and in both directions, against rows and columns of the whole matrices."""

from __future__ import annotations

import numpy as np
import pytest
from reference import largest_difference
from test_analysis import CLASSLESS, MODELS, POOLED, RECTANGLE, as_map, fuse, matrices, peak_bytes, rollout_of

import vizvit
from vizvit.analysis.fusion import DIRECTIONS, HEAD_FUSIONS
from vizvit.forward.capture import Capture

AREA = (1, 0, 2, 3)  # (top, left, bottom, right), inclusive


@pytest.fixture(scope="module", params=MODELS, ids=[name for name, _ in MODELS])
def cap(request, vit, picture) -> Capture:
    name, options = request.param
    return vizvit.capture(vit(name, **options), picture)


@pytest.fixture(scope="module")
def rectangle(vit, picture) -> Capture:
    return vizvit.capture(vit(RECTANGLE[0], **RECTANGLE[1]), picture)


def area_tokens(cap: Capture) -> list[int]:
    top, left, bottom, right = AREA
    return [cap.grid.token(row, col) for row in range(top, bottom + 1) for col in range(left, right + 1)]


def default_tokens(cap: Capture) -> list[int]:
    names = list(cap.grid.prefix_names)
    return [names.index("class")] if "class" in names else list(range(len(names), cap.num_tokens))


def queries(cap: Capture) -> list[tuple[dict, list[int]]]:
    return [
        ({"area": AREA}, area_tokens(cap)),
        ({"token": ("patch", 2, 1)}, [cap.grid.token(2, 1)]),
        ({"token": 0}, [0]),
        ({}, default_tokens(cap)),
    ]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_attention_map(cap, direction):
    attention = matrices(cap)  # [layer, head, query, key]
    for query, tokens in queries(cap):
        values = attention[:, :, tokens].mean(2) if direction == "from" else attention[..., tokens].mean(-1)
        one = vizvit.attention_map(cap, 1, head=1, direction=direction, **query)
        assert largest_difference(one, as_map(cap, values[1, 1])) < 1e-5
        for fusion in HEAD_FUSIONS:
            found = vizvit.attention_map(cap, head_fusion=fusion, direction=direction, **query)
            assert largest_difference(found, as_map(cap, fuse(values[-1], fusion, axis=0))) < 1e-5


@pytest.mark.parametrize("chain", [{}, {"residual": 0.3, "discard_ratio": 0.5, "start_layer": 1}])
@pytest.mark.parametrize("fusion", HEAD_FUSIONS)
def test_rollout_columns_and_areas(cap, fusion, chain):
    flows = rollout_of(
        cap,
        fuse(matrices(cap), fusion),
        residual=chain.get("residual", 0.5),
        discard=chain.get("discard_ratio", 0.0),
        start=chain.get("start_layer", 0),
    )
    for query, tokens in queries(cap):
        columns = as_map(cap, flows[:, :, tokens].mean(2))
        options = {"head_fusion": fusion, **chain, **query}
        assert largest_difference(vizvit.rollout(cap, direction="to", **options), columns[-1]) < 1e-4
        assert largest_difference(vizvit.rollout_steps(cap, direction="to", **options), columns) < 1e-4
        if query:
            rows = as_map(cap, flows[:, tokens].mean(1))
            assert largest_difference(vizvit.rollout(cap, **options), rows[-1]) < 1e-4
            assert largest_difference(vizvit.rollout_steps(cap, **options), rows) < 1e-4


def test_a_column_agrees_with_attention_to(rectangle):
    token = ("patch", 1, 4)
    columns = rectangle.attention_to(token)  # [layer, head, query]
    for layer in (0, -1):
        found = vizvit.attention_map(rectangle, layer, head=2, token=token, direction="to")
        np.testing.assert_array_equal(found, vizvit.patch_map(columns[layer, 2], rectangle))


def test_an_area_of_one_patch_is_that_patch(rectangle):
    for direction in ("from", "to"):
        for method in (vizvit.attention_map, vizvit.rollout):
            area = method(rectangle, area=(2, 3, 2, 3), direction=direction)
            np.testing.assert_array_equal(area, method(rectangle, token=("patch", 2, 3), direction=direction))


@pytest.mark.parametrize("method", [vizvit.attention_map, vizvit.rollout, vizvit.rollout_steps])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"area": AREA, "token": 0}, "a token or an area, not both"),
        ({"area": (0, 0, 3, 0)}, r"no area \(0, 0, 3, 0\).*rows 0 to 2 and columns 0 to 4"),
        ({"area": (0, 2, 1, 1)}, "no area"),
        ({"area": (-1, 0, 1, 1)}, "no area"),
        ({"area": (0, 0, 1)}, "top, left, bottom, right"),
        ({"area": (0, 0, 1.5, 1)}, "whole patches"),
        ({"area": 7}, "whole patches"),
        ({"direction": "towards"}, '"from" or "to"; received \'towards\''),
    ],
)
def test_what_is_refused(rectangle, method, options, words):
    with pytest.raises(vizvit.CaptureError, match=words):
        method(rectangle, **options)


def test_areas_are_described(vit, rectangle, picture):
    assert vizvit.describe_query(rectangle, area=AREA) == "area of rows 1 to 2, columns 0 to 3"
    assert vizvit.describe_query(rectangle, area=(1, 2, 1, 2)) == "patch at row 1, column 2"
    with pytest.raises(vizvit.CaptureError, match="no area"):
        vizvit.describe_query(rectangle, area=(0, 0, 9, 9))
    for name, options in (CLASSLESS, POOLED):
        other = vizvit.capture(vit(name, **options), picture)
        assert vizvit.describe_query(other, area=(0, 0, 1, 1)) == "area of rows 0 to 1, columns 0 to 1"


def test_one_layer_at_a_time(vit, picture):
    cap = vizvit.capture(vit("vit_tiny_patch16_224", image_size=192), picture)
    one_layer = cap.num_heads * cap.num_tokens**2 * 4
    for options in ({"area": (0, 0, 5, 5)}, {"direction": "to"}):
        for method in (vizvit.attention_map, vizvit.rollout, vizvit.rollout_steps):
            assert peak_bytes(lambda cap, method=method, options=options: method(cap, **options), cap) < 6 * one_layer
