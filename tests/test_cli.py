"""The command line: exit codes, one line for each thing, numbers equal to the library's, files of their kinds."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import skimage.data
from PIL import Image
from safetensors.torch import save_file

import vizvit
from vizvit import cli
from vizvit.cli import options, report
from vizvit.errors import ModelError
from vizvit.model.catalog import CATALOG

MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-", "npz": b"PK\x03\x04"}
ROOT = Path(__file__).parent.parent


class Result(NamedTuple):
    code: int
    out: list[str]
    err: list[str]


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """run(*argv) in an empty current directory, with random weights unless others are named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vizvit"])

    def call(*argv: object) -> Result:
        words = [str(word) for word in argv]
        if words and words[0] in ("attention", "rollout", "position", "heads", "explorer"):
            words += [] if "--weights" in words else ["--weights", "random"]
            words += [] if "--device" in words else ["--device", "cpu"]
        capsys.readouterr()
        code = cli.main(words)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Result(code, out.splitlines(), err.splitlines())

    return call


@pytest.fixture
def sketch(monkeypatch):
    """Figures become empty files, where a test is about something else: printing one takes long."""
    monkeypatch.setattr("vizvit.figures.figure_bytes", lambda figure, kind: b"")


@pytest.fixture
def cat(tmp_path) -> Path:
    path = tmp_path / "cat.jpg"
    Image.fromarray(skimage.data.chelsea()).reduce(2).save(path)
    return path


@pytest.fixture(scope="module")
def tiny() -> vizvit.VitModel:
    return vizvit.load_model("vizvit-tiny", weights="random", device="cpu")


@pytest.fixture
def tiny_capture(tiny, cat) -> vizvit.Capture:
    return vizvit.capture(tiny, vizvit.load_image(cat))


def numbers(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def refused(result: Result, *words: str) -> None:
    """Exit code 2 and one line that begins like all errors and has these words."""
    assert result.code == 2
    assert result.out == []
    assert len(result.err) == 1
    assert result.err[0].startswith("vizvit: ")
    for word in words:
        assert word in result.err[0]


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


# --- the numbers are the library's


def test_attention(run, tiny, tiny_capture, tmp_path):
    result = run("attention", "cat.jpg")
    assert (result.code, result.err) == (0, [])
    assert len(result.out) == 1
    assert result.out[0].startswith("cat.jpg: untrained weights -> ")
    assert files(tmp_path / "vizvit-out") == [
        "cat-attention-by-head.png",
        "cat-attention.npz",
        "cat-attention.png",
    ]
    found = numbers(tmp_path / "vizvit-out/cat-attention.npz")
    np.testing.assert_array_equal(found["attention"], vizvit.attention_map(tiny_capture, -1))
    for head in range(tiny.num_heads):
        np.testing.assert_array_equal(found["heads"][head], vizvit.attention_map(tiny_capture, -1, head=head))
    np.testing.assert_allclose(found["heads"].sum((1, 2)) + found["prefix"].sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found["probabilities"], tiny_capture.probabilities)
    about = json.loads(str(found["about"]))
    assert about["model"] == "vizvit-tiny"
    assert about["trained"] is False
    assert about["layer"] == tiny.num_layers - 1
    assert about["query_token"] == 0
    assert about["picture"] == "cat.jpg"


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("--layer", "2", "--head", "1"), {"layer": 2, "head": 1}),
        (("--layer", "-3", "--head", "all", "--fusion", "max"), {"layer": -3, "head_fusion": "max"}),
        (("--query", "3,5", "--fusion", "min"), {"token": ("patch", 3, 5), "head_fusion": "min"}),
        (("--query", "cls", "--smooth", "--theme", "dark"), {"token": "cls"}),
    ],
)
def test_attention_options(run, sketch, tiny_capture, words, options):
    assert run("attention", "cat.jpg", *words).code == 0
    expected = vizvit.attention_map(tiny_capture, **options)
    np.testing.assert_array_equal(numbers(Path("vizvit-out/cat-attention.npz"))["attention"], expected)


def test_rollout(run, sketch, tiny_capture):
    words = ("--fusion", "max", "--discard", "0.5", "--residual", "0.4", "--start-layer", "2", "--query", "1,2")
    assert run("rollout", "cat.jpg", *words).code == 0
    chain = {"head_fusion": "max", "discard_ratio": 0.5, "residual": 0.4, "start_layer": 2}
    token = ("patch", 1, 2)
    found = numbers(Path("vizvit-out/cat-rollout.npz"))
    np.testing.assert_allclose(
        found["rollout"], vizvit.rollout(tiny_capture, token=token, **chain), rtol=1e-4, atol=1e-9
    )
    np.testing.assert_array_equal(found["steps"], vizvit.rollout_steps(tiny_capture, token=token, **chain))
    assert chain.items() <= json.loads(str(found["about"])).items()
    assert Path("vizvit-out/cat-rollout-by-layer.png").exists()


def test_heads(run, sketch, tiny_capture):
    assert run("heads", "cat.jpg").code == 0
    found = numbers(Path("vizvit-out/cat-heads.npz"))
    np.testing.assert_array_equal(found["distance"], vizvit.attention_distance(tiny_capture))
    np.testing.assert_array_equal(found["entropy"], vizvit.attention_entropy(tiny_capture))
    np.testing.assert_array_equal(found["prefix_share"], vizvit.prefix_share(tiny_capture))


def test_heads_without_prefix_tokens(run, sketch, cat):
    assert run("heads", cat, "--model", "test_vit_relpos").code == 0
    assert "prefix_share" not in numbers(Path("vizvit-out/cat-heads.npz"))
    assert files(Path("vizvit-out")) == ["cat-heads-distance.png", "cat-heads-entropy.png", "cat-heads.npz"]


def test_position(run, tiny):
    result = run("position", "--n-filters", "5")
    assert (result.code, result.err) == (0, [])
    assert result.out[0].startswith("vizvit-tiny: learned position embeddings")
    found = numbers(Path("vizvit-out/vizvit-tiny-position.npz"))
    np.testing.assert_array_equal(found["similarity"], vizvit.position_similarity(tiny))
    np.testing.assert_array_equal(found["filters"], vizvit.embedding_filters(tiny, 5))
    assert len(files(Path("vizvit-out"))) == 3


@pytest.mark.parametrize("name", ["test_vit_relpos", "eva02_tiny_patch14_336"])
def test_position_without_learned_embeddings(run, sketch, name, cat):
    """Such models are run once, on a grey picture or the one given; the numbers do not depend on it."""
    assert run("position", "--model", name).code == 0
    grey = numbers(Path(f"vizvit-out/{name}-position.npz"))
    vit = vizvit.load_model(name, weights="random", device="cpu")
    expected = vizvit.position_map(vizvit.capture(vit, vizvit.load_image(cat)))
    np.testing.assert_array_equal(grey["similarity"], expected.values)
    assert json.loads(str(grey["about"]))["similarity"] == expected.what
    assert run("position", cat, "--model", name, "--out", "other").code == 0
    np.testing.assert_array_equal(numbers(Path(f"other/{name}-position.npz"))["similarity"], expected.values)


def test_position_without_linear_filters(run, sketch):
    result = run("position", "--model", "vit_tiny_r_s16_p8_224")
    assert result.code == 0
    assert len(result.err) == 1
    assert "no filters" in result.err[0]
    assert "filters" not in numbers(Path("vizvit-out/vit_tiny_r_s16_p8_224-position.npz"))


def test_models_of_other_kinds(run, sketch, cat):
    """Without a class token the mean over patch queries stands in its place; a register by its name."""
    vit = vizvit.load_model("test_vit3", weights="random", device="cpu")
    cap = vizvit.capture(vit, vizvit.load_image(cat))
    assert run("attention", cat, "--model", "test_vit3").code == 0
    found = numbers(Path("vizvit-out/cat-attention.npz"))
    np.testing.assert_array_equal(found["attention"], vizvit.attention_map(cap))
    np.testing.assert_allclose(found["heads"].mean(0), found["attention"], rtol=1e-5)
    assert json.loads(str(found["about"]))["query_token"] is None
    for name in ("reg1", "register 1", "register-1"):
        assert run("attention", cat, "--model", "test_vit3", "--query", name).code == 0
        found = numbers(Path("vizvit-out/cat-attention.npz"))
        np.testing.assert_array_equal(found["attention"], vizvit.attention_map(cap, token=0))


def test_image_size(run, sketch, cat):
    assert run("attention", cat, "--model", "test_vit", "--image-size", "64x96").code == 0
    assert numbers(Path("vizvit-out/cat-attention.npz"))["attention"].shape == (4, 6)


def test_every_array_is_named_in_the_help(run, sketch, cat, tmp_path):
    for command in ("attention", "rollout", "heads", "position"):
        assert run(command, *([] if command == "position" else [cat])).code == 0
        (path,) = (tmp_path / "vizvit-out").glob(f"*-{command}.npz")
        text = "\n".join(run(command, "--help").out)
        for name in numbers(path):
            assert re.search(rf"^    {name} +(\[|JSON)", text, re.MULTILINE), f"{command}: {name}"


# --- figures


def test_formats(run, cat):
    assert run("attention", cat, "--format", "png,svg", "--format", "PDF", "--format", "png").code == 0
    written = files(Path("vizvit-out"))
    assert len(written) == 7
    for name in written:
        assert Path("vizvit-out", name).read_bytes().startswith(MAGIC[name.rpartition(".")[2]])
    svg = Path("vizvit-out/cat-attention.svg")
    assert svg.read_text("utf-8").rstrip().endswith("</svg>")


def test_no_npz(run, sketch, cat):
    assert run("heads", cat, "--no-npz", "--format", "svg").code == 0
    assert {Path(name).suffix for name in files(Path("vizvit-out"))} == {".svg"}


@pytest.mark.parametrize("command", ["attention", "rollout", "heads", "position"])
def test_captions_say_what_of_which_weights_and_how_scaled(run, cat, monkeypatch, command):
    captions = []

    def keep(figure, kind):
        captions.append(" ".join(text.get_text() for text in figure.texts))
        return b""

    monkeypatch.setattr("vizvit.figures.figure_bytes", keep)
    assert run(command, *([] if command == "position" else [cat])).code == 0
    assert len(captions) in (2, 3)
    for caption in captions:
        assert "vizvit-tiny, untrained weights" in caption
        assert "not what it learned" in caption
        assert "scale" in caption or "0 to" in caption or "−1 to 1" in caption
        assert command == "position" or "cat.jpg" in caption


def test_captions_do_not_call_trained_weights_untrained(tiny):
    trained = vizvit.VitModel.wrap(tiny.module, name="mine", trained=True, weights="weights of mine.pth")
    assert report.weights_note(trained) == "mine, weights of mine.pth, 64×64 px input."


# --- many pictures


@pytest.fixture
def album(tmp_path, cat) -> Path:
    folder = tmp_path / "album"
    for name in ("b.png", "a/cat.jpg", "c/cat.jpg", "c/cat.PNG", ".hidden.png", ".trash/x.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(skimage.data.chelsea()).save(path)
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_folder(run, sketch, album):
    (album / "a/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    result = run("attention", "album", "--no-npz")
    assert result.code == 1
    assert [line.partition(":")[0] for line in result.out] == ["a/cat.jpg", "b.png", "c/cat.PNG", "c/cat.jpg"]
    assert len(result.err) == 2
    assert result.err[0].startswith("vizvit: a/broken.jpg ")
    assert result.err[1] == "vizvit: 4 pictures done, 1 failed."
    assert [name for name in files(Path("vizvit-out")) if "by-head" not in name] == [
        "a/cat-attention.png",
        "b-attention.png",
        "c/cat.PNG-attention.png",
        "c/cat.jpg-attention.png",
    ]


def test_folder_of_good_pictures(run, sketch, album):
    result = run("heads", album, "--no-npz", "--model", "test_vit")
    assert (result.code, result.err) == (0, ["vizvit: 4 pictures done."])


def test_one_broken_picture(run, tmp_path):
    (tmp_path / "page.png").write_text("<!doctype html>")
    result = run("rollout", "page.png")
    assert (result.code, result.out) == (1, [])
    assert len(result.err) == 1
    assert result.err[0].startswith("vizvit: page.png is a web page")
    assert not Path("vizvit-out").exists()


def test_results_are_no_pictures_of_the_next_run(run, sketch, cat):
    for _ in range(2):
        result = run("heads", ".", "--no-npz", "--model", "test_vit")
        assert [line.partition(":")[0] for line in result.out] == ["cat.jpg"]


def test_equal_names_from_several_places(run, sketch, album):
    assert run("heads", album / "a/cat.jpg", album / "c/cat.jpg", album / "a", "--model", "test_vit").code == 0
    assert [name for name in files(Path("vizvit-out")) if name.endswith("npz")] == [
        "cat.jpg-2-heads.npz",
        "cat.jpg-heads.npz",
    ]


@pytest.mark.parametrize("link", [False, True])
def test_a_picture_is_never_overwritten(run, tmp_path, cat, link):
    """Not even a former result that is now among the pictures, under whatever name."""
    place = tmp_path / "cat-attention.png"
    if link:
        (tmp_path / "elsewhere").mkdir()
        place.symlink_to(tmp_path / "elsewhere/other.png")
    Image.fromarray(skimage.data.coffee()).save(place)
    before = place.read_bytes()
    result = run("attention", cat, place.resolve(), "--out", ".", "--model", "test_vit")
    assert result.code == 1
    assert "is not overwritten" in result.err[0]
    assert place.read_bytes() == before
    assert cat.exists()


def test_results_do_not_go_among_the_pictures(run, album):
    refused(run("attention", album, "--out", album), "--out")


def test_odd_names(run, tmp_path, cat):
    name = "猫 $x^2$\nnew 100%.jpg"
    cat.rename(tmp_path / name)
    result = run("attention", name, "--model", "test_vit")
    assert (result.code, result.err) == (0, [])
    assert len(result.out) == 1
    assert Path("vizvit-out", "猫 $x^2$\nnew 100%-attention.png").exists()


def test_a_failing_write_leaves_nothing_half_done(run, cat, monkeypatch):
    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    refused(run("attention", cat, "--model", "test_vit"), "The disk is full", "--out")
    assert files(Path("vizvit-out")) == []


# --- the explorer as a file


def test_explorer(run, cat, tmp_path):
    result = run("explorer", "cat.jpg")
    assert (result.code, result.err) == (0, [])
    assert result.out == ["cat.jpg: untrained weights -> vizvit-out/cat-explorer.html"]
    assert files(tmp_path / "vizvit-out") == ["cat-explorer.html"]
    page = Path("vizvit-out/cat-explorer.html").read_text("utf-8")
    assert '<html lang="en">' in page
    assert "<title>cat.jpg</title>" in page


def test_explorer_of_a_folder(run, album):
    (album / "a/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    result = run("explorer", "album", "--model", "test_vit", "--out", "pages")
    assert result.code == 1
    assert result.err[-1] == "vizvit: 4 pictures done, 1 failed."
    names = ["a/cat-explorer.html", "b-explorer.html", "c/cat.PNG-explorer.html", "c/cat.jpg-explorer.html"]
    assert files(Path("pages")) == names


def test_explorer_says_how_to_have_the_same_in_python(run, cat, tiny_capture):
    args = cli._parser().parse_args(["explorer", "cat.jpg", "--weights", "random", "--image-size", "64"])
    names = {}
    exec("\n".join(cli.explorer.python_lines(args, "cat.jpg")), names)
    np.testing.assert_array_equal(names["cap"].attention(-1), tiny_capture.attention(-1))


def test_explorer_in_japanese(run, cat):
    assert run("explorer", cat, "--language", "ja").code == 0
    page = Path("vizvit-out/cat-explorer.html").read_text("utf-8")
    assert '<html lang="ja">' in page
    (footer,) = re.findall(r"<footer[^>]*>(.*)</footer>", page)
    assert re.search("[ぁ-ん]", footer)


def test_explorer_in_a_language_there_is_not(run, cat):
    refused(run("explorer", cat, "--language", "xx"), "--language", "ja")


# --- the model


def test_trained_weights_name_the_class(run, sketch, cat, tmp_path):
    vit = vizvit.load_model("test_vit", weights="random", device="cpu")
    save_file(vit.module.state_dict(), tmp_path / "mine.safetensors")
    (tmp_path / "names.txt").write_text("".join(f"thing {i}, object {i}\n" for i in range(1000)))
    words = ("--model", "test_vit", "--weights", "mine.safetensors", "--labels", "names.txt")
    result = run("attention", cat, *words)
    assert result.code == 0
    best = vizvit.capture(vit, vizvit.load_image(cat)).probabilities
    assert result.out[0].startswith(f"cat.jpg: thing {best.argmax()} {100 * best.max():.1f} % -> ")
    assert json.loads(str(numbers(Path("vizvit-out/cat-attention.npz"))["about"]))["trained"] is True


def test_a_checkpoint_with_its_architecture(run, sketch, cat, tmp_path):
    vit = vizvit.load_model("test_vit", weights="random", device="cpu")
    save_file(vit.module.state_dict(), tmp_path / "mine.safetensors")
    words = ("--model", "mine.safetensors", "--weights", "pretrained")
    refused(run("heads", cat, *words), "--arch")
    assert run("heads", cat, *words, "--arch", "test_vit").code == 0


def test_downloads_are_announced(run, cat, monkeypatch):
    def fetch(name, on_progress):
        on_progress(1_000_000, 23_000_000)
        on_progress(2_000_000, 23_000_000)
        raise ModelError('The hub is away.\nUse random weights (weights="random").')

    monkeypatch.setattr("vizvit.model.loading.hub.fetch", fetch)
    result = run("attention", cat, "--model", "test_vit", "--weights", "pretrained")
    assert (result.code, result.out) == (2, [])
    assert result.err == [
        "vizvit: downloading test_vit, 23 MB.",
        "vizvit: The hub is away. Use random weights (--weights random).",
    ]


def test_download_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with report.Download("some_vit") as on_progress:
        on_progress(10_000_000, 20_000_000)
        on_progress(20_000_000, 20_000_000)
    err = capsys.readouterr().err
    assert "Downloading some_vit" in err
    assert "20.0M" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "vit_base_patch16_22"), ("is not a model of timm", "vit_base_patch16_224", "vizvit-tiny")),
        (("--model", "resnet18"), ("not a plain Vision Transformer",)),
        (("--model", "./nowhere"), ("nowhere",)),
        (("--query", "99,0"), ("rows 0 to ", "--query 99,0")),
        (("--query", "reg1"), ('no token "register 1"', "class", "ROW,COL")),
        (("--layer", "99"), ("layers 0 to ", "--layer 99")),
        (("--layer", "-99"), ("layers 0 to ",)),
        (("--head", "99"), ("heads 0 to ", "--head 99")),
        (("--half",), ("CUDA", "--half")),
        (("--labels", "cat.jpg"), ("class names",)),
        (("--device", "abacus"), ("abacus",)),
        (("--image-size", "9999"), ("4096",)),
    ],
)
def test_what_the_model_cannot_do(run, cat, words, said):
    refused(run("attention", cat, *words), *said)
    assert not Path("vizvit-out").exists()


# --- wrong usage, without torch


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), ("COMMAND",)),
        (("paint",), ("paint", "attention", "--help")),
        (("attention",), ("PICTURE|FOLDER", "attention --help")),
        (("attention", "nowhere.jpg"), ("nowhere.jpg",)),
        (("attention", "empty"), ("no picture", "empty")),
        (("attention", "cat.jpg", "--query", "5;9"), ("5;9", "ROW,COL")),
        (("attention", "cat.jpg", "--head", "first"), ("first",)),
        (("attention", "cat.jpg", "--layer", "last"), ("last",)),
        (("attention", "cat.jpg", "--format", "png,gif"), ("gif", "svg")),
        (("attention", "cat.jpg", "--image-size", "224,336"), ("224x336",)),
        (("attention", "cat.jpg", "--theme", "blue"), ("blue", "dark")),
        (("attention", "cat.jpg", "--out", "cat.jpg"), ("is a file", "--out")),
        (("attention", "cat.jpg", "--model", "mine.pth"), ("no weights file", "mine.pth")),
        (("attention", "cat.jpg", "--labels", "none.txt"), ("none.txt",)),
        (("attention", "cat.jpg", "--lay", "3"), ("--lay",)),
        (("rollout", "cat.jpg", "--discard", "1"), ("below 1",)),
        (("rollout", "cat.jpg", "--residual", "2"), ("from 0 to 1",)),
        (("position", "--n-filters", "0"), ("--n-filters",)),
    ],
)
def test_wrong_usage(run, cat, tmp_path, words, said):
    (tmp_path / "empty").mkdir()
    refused(run(*words), *said)
    assert not Path("vizvit-out").exists()


LAZILY = """
import sys, types
package = types.ModuleType("vizvit")  # its own __init__ aside
package.__path__, package.__version__ = [sys.argv[1]], "0"
sys.modules["vizvit"] = package
from vizvit.cli import main
codes = [main(words) for words in (["--help"], ["rollout", "--help"], ["--version"], ["rollout", "nowhere"], ["x"])]
heavy = {"torch", "timm", "torchvision", "matplotlib", "numpy", "cv2", "streamlit"} & set(sys.modules)
print(codes, sorted(heavy))
"""


def test_help_and_wrong_usage_import_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", LAZILY, ROOT / "vizvit"], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0, 2, 2] []"


def test_help_does_not_wait_for_pytorch():
    command = [sys.executable, "-X", "importtime", "-m", "vizvit", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert " torch\n" not in done.stderr


@pytest.mark.parametrize("command", ["", *(command.__name__.rpartition(".")[2] for command in cli.COMMANDS)])
def test_help(run, command):
    result = run(*([command] if command else []), "--help")
    assert (result.code, result.err) == (0, [])
    text = "\n".join(result.out)
    assert "examples:" in text
    lines = [line.strip() for line in text.partition("examples:\n")[2].replace("\\\n", " ").splitlines()]
    lines = [re.sub(r"  +\(.*\)$", "", line) for line in lines]  # what is said beside an example
    examples = [shlex.split(line) for line in lines if line.startswith("vizvit ")]
    assert examples
    for words in examples:
        cli._parsed(words[1:])  # raises where an example is wrong


def test_version(run):
    assert run("--version") == Result(0, [f"vizvit {vizvit.__version__}"], [])


# --- models


def test_models(run):
    result = run("models")
    assert (result.code, result.err) == (0, [])
    assert result.out[0].startswith("vizvit-tiny ")
    assert "shipped" in result.out[0]
    for entry in CATALOG:
        (line,) = (number for number, text in enumerate(result.out) if text.startswith(f"{entry.name} "))
        assert f"{entry.download_mb} MB" in result.out[line]
        assert entry.why in result.out[line + 1]


def test_models_that_are_here(run, monkeypatch):
    monkeypatch.setattr("vizvit.model.hub.is_cached", lambda name: name == "vit_small_patch16_224.dino")
    lines = run("models", "*dino*").out
    assert [line for line in lines if "on this machine" in line] == [lines[0]]
    assert lines[0].startswith("vit_small_patch16_224.dino ")
    assert "vit_small_patch16_224.dino  (on this machine)" in run("models", "--all", "dino").out


def test_all_models(run):
    result = run("models", "--all", "vit_tiny_patch16_224*")
    assert result.code == 0
    assert "vit_tiny_patch16_224.augreg_in21k_ft_in1k" in result.out
    everything = run("models", "--all")
    names = [line.split()[0] for line in everything.out]
    assert len(names) == len(set(names)) > 300
    assert everything.err[0].startswith(f"vizvit: {len(names)} names.")
    for family in ("deit3_", "eva02_", "beitv2_", "vit_relpos_", "naflexvit_"):
        assert any(name.startswith(family) for name in names)


def test_no_such_model(run):
    refused(run("models", "resnet"), "resnet", "--all")


# --- breaking off


def test_interrupted(run, cat, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("vizvit.pictures.load.load_image", interrupt)
    assert run("attention", cat, "--model", "test_vit") == Result(130, [], ["vizvit: interrupted."])


def test_a_bug_is_one_line_too(run, cat, monkeypatch):
    def broken(*_, **__):
        raise TypeError("not\nexpected")

    monkeypatch.setattr("vizvit.figures.overlay_figure", broken)
    refused(run("attention", cat, "--model", "test_vit"), "unexpected TypeError: not expected")


def test_as_a_program(tmp_path, cat):
    """Interrupted between two pictures: no traceback, nothing half done, what was done stays."""
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "000.jpg").write_bytes(b"")
    for number in range(1, 200):
        os.link(cat, folder / f"{number:03}.jpg")
    command = [sys.executable, "-m", "vizvit", "heads", folder, "--model", "test_vit", "--weights", "random"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
        # A test run in the background ignores interrupts, and what it starts would do so too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert first.startswith("001.jpg: untrained weights -> ")
    assert process.returncode == 130
    assert err.splitlines()[0].startswith("vizvit: 000.jpg is empty")
    assert err.splitlines()[1:] == ["vizvit: interrupted."]
    assert Path(tmp_path, "vizvit-out/001-heads.npz").exists()
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of a POSIX shell")
def test_a_reader_that_has_seen_enough():
    reading, writing = os.pipe()
    os.close(reading)
    program = "import sys; from vizvit.cli import main; sys.exit(main(['models', '--all']))"
    done = subprocess.run([sys.executable, "-c", program], stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    os.close(writing)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


# --- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5,9", ("patch", 5, 9)),
        (" 0 , 12 ", ("patch", 0, 12)),
        ("cls", "class"),
        ("Class", "class"),
        ("dist", "distillation"),
        ("reg2", "register 2"),
        ("register_12", "register 12"),
    ],
)
def test_query(text, expected):
    assert options.query(text) == expected


def test_image_size_is_height_first():
    assert options.image_size("224x336") == (224, 336)
    assert options.image_size("224") == (224, 224)
