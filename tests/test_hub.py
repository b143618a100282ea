import errno
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from hub_server import HubServer, use_hub
from huggingface_hub import constants
from timm.models import get_pretrained_cfg

from vizvit.errors import ModelError
from vizvit.model import hub
from vizvit.model.catalog import CATALOG

NAME = "test_vit.r160_in1k"  # 1.5 MB
REPO = f"timm/{NAME}"
LARGE = "vit_tiny_patch16_224.augreg_in21k_ft_in1k"  # 23 MB: huggingface_hub tells of plain HTTP every 10 MB
WAYS_ON = ("vizvit-tiny", ".safetensors", 'weights="random"')


@pytest.fixture(scope="module")
def weights() -> bytes:
    return safetensors.torch.save(_random_state(NAME))


@pytest.fixture(scope="module")
def large_weights() -> bytes:
    return safetensors.torch.save(_random_state(LARGE))


@pytest.fixture
def server(tmp_path, monkeypatch):
    with HubServer() as running:
        use_hub(monkeypatch, running.url, tmp_path)
        yield running
    downloads = [thread for thread in threading.enumerate() if thread.name.startswith("download ")]
    for thread in downloads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in downloads)


def _random_state(name: str) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return timm.create_model(name).state_dict()


def _refusal(name: str = NAME) -> str:
    """The message of the ModelError that `fetch` raises."""
    with pytest.raises(ModelError) as caught:
        hub.fetch(name)
    message = str(caught.value)
    assert name in message
    assert all(way in message for way in WAYS_ON)
    assert "\n" not in message
    assert not hub.is_cached(name)
    return message


END_TO_END = """
import json, timm
from vizvit.model import hub
name, reference = {name!r}, {reference!r}
steps, before = [], hub.is_cached(name)
hub.fetch(name, lambda done, total: steps.append((done, total)))
hub.fetch(name)
import safetensors.torch
expected = safetensors.torch.load_file(reference)
actual = timm.create_model(name, pretrained=True).state_dict()
same = expected.keys() == actual.keys() and all(expected[key].equal(actual[key]) for key in expected)
print(json.dumps(dict(before=before, after=hub.is_cached(name), steps=steps, same=same)))
"""


def test_a_new_process_downloads_once_and_timm_loads_it(tmp_path, large_weights):
    reference = tmp_path / "reference.safetensors"
    reference.write_bytes(large_weights)
    with HubServer({f"timm/{LARGE}": {"model.safetensors": large_weights}}) as server:
        script = END_TO_END.format(name=LARGE, reference=str(reference))
        root = str(Path(hub.__file__).parents[2])
        environment = os.environ | server.environment(tmp_path) | {"PYTHONPATH": root}
        result = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120
        )
        assert result.returncode == 0, result.stderr
        report = json.loads(result.stdout.splitlines()[-1])
        assert server.count("GET", "model.safetensors") == 1
    assert (report["before"], report["after"], report["same"]) == (False, True, True)
    done = [step[0] for step in report["steps"]]
    assert done == sorted(done)
    assert done[-1] == len(large_weights)
    assert {step[1] for step in report["steps"]} == {len(large_weights)}


def test_cached_weights_need_no_hub(server, weights, monkeypatch):
    server.files[REPO] = {"model.safetensors": weights}
    assert not hub.is_cached(NAME)
    hub.fetch(NAME)
    assert hub.is_cached(NAME)
    assert hub.is_cached("test_vit")  # its default tag
    assert hub.cached_file(NAME).read_bytes() == weights
    asked = len(server.requests)
    hub.fetch(NAME)
    assert len(server.requests) == asked
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    state = timm.create_model(NAME, pretrained=True).state_dict()
    expected = safetensors.torch.load(weights)
    assert all(expected[key].equal(state[key]) for key in expected)


def test_progress_between_start_and_end(server, large_weights):
    server.files[f"timm/{LARGE}"] = {"model.safetensors": large_weights}
    server.hold_at = 12_000_000
    steps = []

    def on_progress(done, total):
        steps.append((done, total))
        if done:
            server.release()

    hub.fetch(LARGE, on_progress)
    done = [step[0] for step in steps]
    assert done == sorted(set(done))
    assert 0 < next(filter(None, done)) < len(large_weights)
    assert steps[-1] == (len(large_weights), len(large_weights))


def test_a_repository_with_a_pickle_only(server, tmp_path):
    state = _random_state(NAME)
    torch.save(state, tmp_path / "weights")
    server.files[REPO] = {"pytorch_model.bin": (tmp_path / "weights").read_bytes()}
    hub.fetch(NAME)
    assert hub.cached_file(NAME).name == "pytorch_model.bin"
    loaded = timm.create_model(NAME, pretrained=True).state_dict()
    assert all(state[key].equal(loaded[key]) for key in state)
    assert server.count("GET", "pytorch_model.bin") == 1


def test_threads_share_one_download(server, weights):
    server.files[REPO] = {"model.safetensors": weights}
    server.hold_at = 1000
    everybody = threading.Barrier(4, action=server.release)
    told = [[] for _ in range(4)]
    failures = []

    def ask(mine):
        def on_progress(done, total):
            if not mine:
                everybody.wait(20)
            mine.append((done, total))

        try:
            hub.fetch(NAME, on_progress)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in told]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert server.count("GET") == 1
    assert all(mine[0] == (0, len(weights)) and mine[-1] == (len(weights),) * 2 for mine in told)


def test_the_download_goes_on_when_a_caller_leaves(server, weights):
    server.files[REPO] = {"model.safetensors": weights}
    server.hold_at = 1000

    def leave(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.fetch(NAME, leave)
    server.release()
    hub.fetch(NAME)
    assert server.count("GET") == 1
    assert hub.cached_file(NAME).read_bytes() == weights


def test_a_dropped_connection_is_resumed(server, large_weights):
    server.files[f"timm/{LARGE}"] = {"model.safetensors": large_weights}
    server.drop_after, server.drops = 12_000_000, 1
    hub.fetch(LARGE)
    assert hub.cached_file(LARGE).read_bytes() == large_weights
    assert [request.range is None for request in server.requests if request.method == "GET"] == [True, False]


def test_a_connection_that_always_drops(server, weights, tmp_path):
    server.files[REPO] = {"model.safetensors": weights}
    server.drop_after = len(weights) // 2
    assert "broke off" in _refusal()
    assert server.count("HEAD") == 2 and server.count("GET") <= 6  # resumed a few times, not for ever
    assert list(tmp_path.rglob("*.incomplete")) == []


def test_missing_repository(server):
    assert f"has no repository {REPO}" in _refusal()
    assert len(server.requests) == 1  # nothing is asked again


def test_repository_without_weights(server):
    server.files[REPO] = {"config.json": b"{}"}
    assert "holds no model.safetensors or pytorch_model.bin" in _refusal()
    assert len(server.requests) == 2  # each name once


def test_gated_repository(server):
    server.gated.add(REPO)
    message = _refusal()
    assert "is gated" in message
    assert "HF_TOKEN" in message
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "words"), [(403, "refuses access"), (429, "HTTP 429"), (503, "HTTP 503")])
def test_error_status(server, status, words):
    server.status = status
    assert words in _refusal()
    assert len(server.requests) == 1


def test_sign_in_page_of_the_network(server):
    server.portal = True
    assert "no model hub" in _refusal()
    assert len(server.requests) == 1


def test_no_server(tmp_path, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, never listening
        use_hub(monkeypatch, f"http://127.0.0.1:{closed.getsockname()[1]}", tmp_path)
        # huggingface_hub's own download would try again for minutes.
        monkeypatch.setattr(hub, "hf_hub_download", lambda *_, **__: pytest.fail("it is tried again"))
        assert "cannot be reached" in _refusal()


def test_server_that_never_answers(server, monkeypatch):
    server.hang = True
    monkeypatch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", 1)
    assert "does not answer in time" in _refusal()
    assert [request.status for request in server.requests] == [0]


def test_content_that_comes_too_late(server, weights, monkeypatch):
    server.files[REPO] = {"model.safetensors": weights}
    server.hold_at = 0
    monkeypatch.setattr(hub, "QUIET_HTTP", 1.0)
    assert "no data has come" in _refusal()
    server.release()
    hub.fetch(NAME)
    assert server.count("GET") == 1


def test_offline(server, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in _refusal()
    assert server.requests == []


def test_full_disk(server, weights, monkeypatch):
    server.files[REPO] = {"model.safetensors": weights}
    monkeypatch.setattr(hub, "_free_space", lambda folder: 1_000_000)
    assert "disk is full" in _refusal()


def test_disk_that_fills_up_on_the_way(server, weights, monkeypatch):
    server.files[REPO] = {"model.safetensors": weights}

    def fill_up(bar, n):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub._Bar, "update", fill_up)
    assert "disk is full" in _refusal()


def test_cache_that_cannot_be_written(server, weights, tmp_path):
    server.files[REPO] = {"model.safetensors": weights}
    (tmp_path / "hub").write_bytes(b"a file where the cache folder should be")
    assert "cannot be written" in _refusal()


@pytest.mark.parametrize("name", ["no_such_model", "test_vit.no_such_tag", "vit_tiny_patch16_clip_224"])
def test_names_without_weights(server, name):
    assert "no pretrained weights" in _refusal(name)
    assert server.requests == []


def test_weights_at_a_plain_address_are_left_to_timm(server, tmp_path, monkeypatch):
    name = "vit_huge_patch14_gap_224.in1k_ijepa"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    hub._source.cache_clear()
    hub.fetch(name)
    assert not hub.is_cached(name)
    assert server.requests == []
    kept = tmp_path / "hub" / "checkpoints" / "IN1K-vit.h.14-300e.pth.tar"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert hub.is_cached(name)
    hub._source.cache_clear()


def test_deprecated_names_lead_to_the_same_weights():
    assert hub._source("vit_base_patch16_224_dino") == hub._source("vit_base_patch16_224.dino")


def test_the_file_names_are_those_that_timm_tries():
    alternatives = pytest.importorskip("timm.models._hub")._get_safe_alternatives
    configured = {get_pretrained_cfg(name).hf_hub_filename for name in timm.list_models(pretrained=True)}
    for filename in {name or "pytorch_model.bin" for name in configured} | {
        "open_clip_pytorch_model.bin",
        "x.bin",
    }:
        assert hub._filenames(filename) == (*alternatives(filename), filename)


def test_asking_for_the_whole_catalogue_again_is_a_look_at_the_disk(server, monkeypatch):
    """A look for each of a name's files, and nothing else: the page asks at every run."""
    for item in CATALOG:
        hub.is_cached(item.name)
    looks, real = Counter(), hub.try_to_load_from_cache
    monkeypatch.setattr(hub, "get_pretrained_cfg", lambda name: pytest.fail(f"timm is asked for {name} again"))

    def look(repo, filename, **options):
        looks[repo, filename] += 1
        return real(repo, filename, **options)

    monkeypatch.setattr(hub, "try_to_load_from_cache", look)
    for item in CATALOG:
        hub.is_cached(item.name)
    assert looks and looks.total() <= 2 * len(CATALOG)
    assert server.requests == []


def test_a_disk_that_fills_up_on_the_way_leaves_nothing_that_is_taken_for_the_whole(server, weights):
    server.files[REPO] = {"model.safetensors": weights}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(weights) // 2, before[1]))  # the system refuses what is beyond
    try:
        assert "cannot be written (File too large)" in _refusal()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    hub.fetch(NAME)
    assert hub.cached_file(NAME).read_bytes() == weights
