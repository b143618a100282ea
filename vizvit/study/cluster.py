"""A study on Ray Data: the same rows, measured shard by shard wherever Ray has room.

Each worker holds one copy of the model and reads its pictures by their paths, which every machine of the cluster must
see. The shards' files are written here, where the study was started.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from ..errors import ModelError
from ..model import VitModel
from .pictures import PictureSet
from .plan import Plan
from .prepare import prepare
from .rows import Measurer
from .shards import Shards, packed

WINDOW = 1024  # shards that are planned at a time: what is held does not grow with the pictures
LOCAL = "local"


def run_on_ray(
    measurer: Measurer,
    plan: Plan,
    finished: frozenset[int],
    shards: Shards,
    *,
    address: str,
    batch: int,
    workers: int | None,
    progress: Callable[[int], None],
) -> None:
    """Measure and write every shard that is not finished.

    address: of a cluster, "auto", or "local" for processes of this machine alone. workers: how many there are at a
    time; None is one for each CPU of the cluster (or GPU, where the model is on one).
    Raises ModelError where Ray is not installed or does not answer. Ray is ended again where it was begun here.
    """
    with _ray(address, workers) as ray:
        gpu = measurer.vit.device.type == "cuda"
        room = int(ray.cluster_resources().get("GPU" if gpu else "CPU", 1))
        about = ray.put((measurer.vit, measurer.settings, plan.pictures, batch))
        waiting = (shard for shard in plan.shards() if shard.number not in finished)
        while some := list(islice(waiting, WINDOW)):
            tasks = [{"number": shard.number, "shard": pickle.dumps((shard.places, shard.digest))} for shard in some]
            found = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map(
                _Worker,
                fn_constructor_args=[[about]],  # in a list, so that it is fetched by the worker
                compute=ray.data.ActorPoolStrategy(size=max(1, min(workers or room, len(tasks)))),
                num_cpus=1,
                num_gpus=1 if gpu else 0,
            )
            for row in found.iter_rows():
                shards.write(row["number"], row["content"])
                progress(row["pictures"])


class _Worker:
    """One process with the model in it; from a shard's places to the bytes of its file."""

    def __init__(self, about):
        import ray

        vit, settings, pictures, batch = ray.get(about[0])
        self._vit: VitModel = vit
        self._pictures: PictureSet = pictures
        self._batch: int = batch
        self._measure = Measurer(vit, settings, pictures.subfolders)

    def __call__(self, row: dict) -> dict:
        places, digest = pickle.loads(row["shard"])
        items, tables = self._pictures.read(places), []
        while some := [prepare(self._vit, item) for item in islice(items, self._batch)]:
            tables.append(self._measure(some))
        return {"number": row["number"], "pictures": len(places), "content": packed(tables, digest)}


@contextmanager
def _ray(address: str, workers: int | None) -> Iterator:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it warns of what Ray Data itself does
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ModelError('--ray needs Ray, which is not installed: pip install "ray[data]".') from error
    begun = not ray.is_initialized()
    if begun:
        package = str(Path(__file__).parents[1])
        where = {"num_cpus": workers, "include_dashboard": False} if address == LOCAL else {"address": address}
        try:
            ray.init(**where, runtime_env={"py_modules": [package]}, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f'There is no Ray at "{address}" ({reason}). Give its address, or local.') from error
    log, context = logging.getLogger("ray.data"), ray.data.DataContext.get_current()
    before = log.level, context.enable_progress_bars
    log.setLevel(logging.ERROR)
    context.enable_progress_bars = False
    try:
        yield ray
    finally:
        log.setLevel(before[0])
        context.enable_progress_bars = before[1]
        if begun:
            ray.shutdown()
