"""Patches that no token looks at, against the knock-out of one token after another."""

import numpy as np
import pytest
from skimage import data

import vizvit
from vizvit.interventions.attention import UnseenPatches

PATCHES = {(2, 3), (0, 0), (5, 7)}


def changed_capture(vit, *changes):
    with vizvit.intervene(vit, *changes) as changed:
        return vizvit.capture(changed, data.chelsea())


@pytest.mark.parametrize("layers", [None, (1, 4)])
def test_it_is_the_knock_out_of_every_token(layers):
    vit = vizvit.load_model("vizvit-tiny", device="cpu")
    cap = changed_capture(vit, UnseenPatches(PATCHES, layers))
    one_by_one = [vizvit.KnockOutAttention(PATCHES, token, layers) for token in range(vit.grid.num_tokens)]
    np.testing.assert_array_equal(cap.logits, changed_capture(vit, *one_by_one).logits)
    unseen = [vit.grid.token(*patch) for patch in PATCHES]
    for layer in range(cap.num_layers):
        within = layers is None or layer in layers
        assert (cap.attention(layer)[:, :, unseen].max() == 0) == within


def test_dropped_patches_do_not_count():
    vit = vizvit.load_model("vizvit-tiny", device="cpu")
    one = changed_capture(vit, vizvit.DropPatches(PATCHES), UnseenPatches({(2, 3), (1, 1)}))
    two = changed_capture(vit, vizvit.DropPatches(PATCHES), UnseenPatches({(1, 1)}))
    np.testing.assert_array_equal(one.logits, two.logits)


def test_something_has_to_be_seen():
    vit = vizvit.load_model("vit_base_patch16_siglip_224", weights="random", device="cpu")
    every = {(row, col) for row in range(vit.grid.rows) for col in range(vit.grid.cols)}
    with pytest.raises(vizvit.CaptureError, match="left"), vizvit.intervene(vit, UnseenPatches(every)):
        pass
