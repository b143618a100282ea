"""What the walk hands to the browser is what the model computed."""

from __future__ import annotations

import numpy as np

import vizvit
from vizvit import explorer
from vizvit.explorer.payload import read_header
from vizvit.pages.walkthrough.meet import OneHead


def test_one_head_is_that_head_of_the_layer(vit, picture):
    for name in ("vit_tiny_patch16_224", "beit_base_patch16_224"):
        cap = vizvit.capture(vit(name, depth=2, num_classes=10), picture)
        one, bias = OneHead(cap, 2), cap.bias(1)
        np.testing.assert_array_equal(one.queries(1), cap.queries(1)[2:3])
        np.testing.assert_array_equal(one.keys(1), cap.keys(1)[2:3])
        assert one.bias(1) is None if bias is None else np.array_equal(one.bias(1)[0], bias[2])
        header = read_header(explorer.encode(one, cap.view[:1, :1], [1]))
        assert (header["num_heads"], header["num_tokens"]) == (1, cap.num_tokens)
        assert [(part["layer"], part["scale"]) for part in header["layers"]] == [(1, cap.scale(1))]
