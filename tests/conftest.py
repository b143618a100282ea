"""Pictures and models that the tests share.

Of several processes the first only hands out tests, and the others wait for it: PyTorch is imported where it is used.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if "PYTEST_XDIST_WORKER" in os.environ:  # each of several has a core; the servers that it starts inherit this
    os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("VIZVIT_PATHS", "on")  # Streamlit may first read its settings in a test's own folder

import pytest

if TYPE_CHECKING:
    from PIL import Image

    from vizvit.model.vit import VitModel


LONGEST = ("test_all_of_timms_vision_transformers", "test_ray_gives_the_same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: at the end, one process would work at it and the others wait."""
    items.sort(key=lambda item: item.name not in LONGEST)


def pytest_collection() -> None:
    """What is imported while tests are collected stays; the collector need not look through it, now or later."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def scanned_once() -> Iterator[None]:
    """Each new AppTest has Streamlit read what all installed packages say of themselves, which takes 0.2 s."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Natural pictures of different shapes: an astronaut, a cat, a cup of coffee."""
    import skimage.data
    from PIL import Image

    sources = (skimage.data.astronaut(), skimage.data.chelsea(), skimage.data.coffee())
    return [Image.fromarray(source).reduce(2) for source in sources]


@pytest.fixture(scope="session")
def picture(pictures: list[Image.Image]) -> Image.Image:
    """The cat, 225 x 150 pixels."""
    return pictures[1]


@pytest.fixture(scope="session")
def vit() -> Callable[..., VitModel]:
    """vit(name, **options): `load_model(name, weights="random", **options)` on the CPU, made once.

    Its weights are made to attend unevenly, as trained ones do.

    depth, heads: only so many blocks, and heads of 64 numbers, to be quick with large models; num_classes: another
    classifier.
    """
    return _awake_model


@lru_cache(maxsize=16)
def _awake_model(
    name: str,
    *,
    image_size: int | tuple[int, int] | None = None,
    depth: int | None = None,
    heads: int | None = None,
    num_classes: int | None = None,
) -> VitModel:
    import timm
    import torch
    from reference import awaken

    import vizvit
    from vizvit.model.vit import VitModel

    if depth is None and heads is None and num_classes is None:
        model = vizvit.load_model(name, weights="random", device="cpu", image_size=image_size)
    else:
        wanted = {"img_size": image_size, "depth": depth, "num_classes": num_classes}
        wanted |= {"num_heads": heads, "embed_dim": 64 * heads} if heads else {}
        options = {key: value for key, value in wanted.items() if value is not None}
        size = image_size if isinstance(image_size, tuple) or image_size is None else (image_size, image_size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = timm.create_model(name, **options)
        model = VitModel.wrap(module, name=name, trained=False, image_size=size)
    awaken(model.module)
    return model
