"""What the walk hands to the browser is what the model computed."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

import vizvit
from vizvit import explorer, walk
from vizvit.explorer.payload import read_header
from vizvit.figures import figure_bytes
from vizvit.forward.anatomy import dissect
from vizvit.pages.walkthrough import export, keep
from vizvit.pages.walkthrough.meet import OneHead
from vizvit.pages.walkthrough.place import Place
from vizvit.pages.walkthrough.scene import Here
from vizvit.pages.walkthrough.surface import OnPage
from vizvit.walk.handed import handed
from vizvit.walk.stages import STAGES
from vizvit.walk.tour import Tour


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


@pytest.fixture(scope="module")
def here(pictures) -> Here:
    """A place on the walk of the shipped model."""
    vit = vizvit.load_model("vizvit-tiny")
    cap = vizvit.capture(vit, pictures[1])
    choice = SimpleNamespace(vit=vit, image_name="cat")
    place = Place(1, 3, 2, vit.grid.token(4, 5), (4, 5))
    return Here(choice, cap, dissect(vit, cap.view, 3), place, "", OnPage())


def test_a_stage_is_taken_away_as_its_numbers_and_a_figure(here, monkeypatch):
    for name in ("patches", "flatten", "tokens", "position", "scores", "depth", "head"):
        number = next(number for number, stage in enumerate(STAGES, 1) if stage.name == name)
        stage, place = STAGES[number - 1], here.place
        found = keep.arrays(here, stage)
        about = json.loads(str(found["meta"]))
        assert (about["stage"], about["layer"], about["query"]["token"]) == (name, 3, place.token)
        if name == "scores":
            expected = here.cap.attention(3)[2, place.token]
            np.testing.assert_allclose(found["attention"], expected, atol=1e-5)
            assert found["entropy"] == walk.scores(here.anatomy, place.token, 2).entropy
        figure = keep.figure(here, stage)
        assert figure_bytes(figure, "svg").startswith(b"<?xml")


@pytest.mark.parametrize(
    "name", ["deit_tiny_distilled_patch16_224", "vit_small_patch14_reg4_dinov2", "vit_base_patch16_siglip_224"]
)
def test_a_lesson_in_a_file_has_every_stage_of_other_families(vit, picture, name):
    model = vit(name, depth=2, image_size=56 if "dinov2" in name else 64)
    cap = vizvit.capture(model, picture)
    choice = SimpleNamespace(vit=model, image_name="<b>cat</b>", image_key="", model_key=name)
    choice.result = lambda name, make, size=None: make()
    token = model.grid.token(1, 2)
    one = Here(choice, cap, dissect(model, cap.view, 1), Place(1, 1, 0, token, (1, 2)), "", OnPage())
    tour = Tour.of({number: f"Stage {number}: </script><b>look</b>" for number in range(1, len(STAGES) + 1)})
    html = export.build(one, tour)
    assert handed(html).tour == tour and handed(html).place(model.grid) == {"layer": 1, "head": 0, "token": token}
    assert "<b>look" not in html and "<b>cat" not in html
    assert len(re.findall("<section ", html)) == len(re.findall('class="sentence"', html)) == len(STAGES)
    held = [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', html)]
    differences = re.findall(r'data-difference="([\d.e+-]+)', "".join(data.get("html", "") for data in held))
    assert len(differences) >= len(STAGES) - 4 and all(float(found) < 1e-4 for found in differences)
    assert not re.search(r"<math[^>]*>[^\\]*\\", re.sub("<script.*?</script>", "", html, flags=re.DOTALL))
    assert not re.search(r'(src|href)="(?!data:|https://(arxiv|www.lesswrong))', html), "nothing is asked for elsewhere"
