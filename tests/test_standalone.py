"""The explorer as one file: complete, of a bounded size, safe against any title, and honest about its numbers."""

import base64
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from explorer_fake import FakeCapture
from PIL import Image
from test_explorer_payload import decoded_attention

import vizvit
from vizvit import explorer
from vizvit.explorer import check, standalone
from vizvit.explorer.payload import read_header
from vizvit.texts import words

ROOT = Path(vizvit.__file__).parent.parent


class Elements(HTMLParser):
    """The page's elements as (tag, attributes, text), in order."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[list] = []
        self._open: list[list] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append([tag, dict(attributes), ""])
        if tag not in ("meta", "link"):
            self._open.append(self.found[-1])

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if self._open:
            self._open[-1][2] += data

    def all(self, tag: str) -> list[tuple[dict, str]]:
        return [(attributes, text) for name, attributes, text in self.found if name == tag]


def payload(page: str) -> bytes:
    (encoded,) = (text for attributes, text in Elements(page).all("script") if attributes.get("id") == "payload")
    return base64.b64decode(encoded)


def capture_within(frame: bytes) -> bytes:
    return frame[8 + int.from_bytes(frame[4:8], "little") :]


@pytest.fixture(scope="module")
def cap(vit, picture):
    return vizvit.capture(vit("vizvit-tiny"), picture)


def test_all_layers_are_in_the_file_whatever_they_weigh(cap, monkeypatch):
    monkeypatch.setattr(explorer.payload, "BUDGET", 1)
    frame = payload(standalone.build(cap, caption="層", selection={"layer": -2, "head": 99}, python=["import vizvit"]))
    session = read_header(frame)
    assert capture_within(frame) == explorer.encode(cap, cap.view, range(cap.num_layers))
    assert (session["standalone"], session["start"], session["caption"]) == (True, 1, "層")
    assert session["selection"].items() >= {"layer": cap.num_layers - 2, "head": None, "token": 0}.items()
    assert session["texts"] == explorer.TEXTS
    assert session["python"] == ["import vizvit"]
    assert session["trained"] is False


def test_a_base_model_stays_below_twelve_megabytes(vit, picture):
    cap = vizvit.capture(vit("vit_base_patch16_224"), picture)
    assert len(standalone.build(cap).encode()) < 12e6


def test_the_script_and_the_style_sheet_are_the_apps(cap):
    page = standalone.build(cap)
    assert explorer.stylesheet() in page
    assert standalone.inline(explorer.script()) in page


def test_nothing_is_loaded_from_elsewhere(cap):
    page = standalone.build(cap)
    elements = Elements(page)
    assert not any(attributes.get("src") for _, attributes, _ in elements.found)
    assert {attributes["href"] for attributes, _ in elements.all("link")} == {"data:,"}
    assert set(re.findall(r"https?://[^\s\"'`)]+", page)) <= {"http://www.w3.org/2000/svg"}
    (policy,) = (found["content"] for found, _ in elements.all("meta") if "http-equiv" in found)
    assert "default-src 'none'" in policy


@pytest.mark.parametrize(
    "title",
    ['</title></script><script>alert("x")</script>', "a \"b\" 'c' & <d>", "{{payload}}", r"\1 \g<0>", "猫\udc80"],
)
def test_a_title_is_only_text(cap, title):
    plain = standalone.build(cap, title="plain")
    page = standalone.build(cap, title=title, caption=title, python=[title])
    shown = title.replace("\udc80", "?")
    elements = Elements(page)
    assert elements.all("title") == [({}, shown)]
    assert elements.all("h1")[0][1] == shown
    assert [tag for tag, *_ in elements.found] == [tag for tag, *_ in Elements(plain).found]
    assert read_header(payload(page))["caption"] == shown


def test_a_script_cannot_be_ended_from_within():
    assert standalone.inline('"</script>" + "</SCRIPT x" + "<!-- "') == r'"<\/script>" + "<\/SCRIPT x" + "<\!-- "'


def test_the_language_is_said(cap, monkeypatch):
    monkeypatch.setattr(standalone, "words", lambda section, language: words(section) | {"layer": language})
    page = standalone.build(cap, language="ja")
    assert Elements(page).all("html")[0][0]["lang"] == "ja"
    assert read_header(payload(page))["texts"]["layer"] == "ja"


def test_a_language_there_is_not_is_refused(cap):
    with pytest.raises(KeyError, match="no language"):
        standalone.build(cap, language="xx")


@pytest.mark.parametrize("options", [{}, {"bias": 2}, {"bias": 1}, {"prefix": ()}])
def test_the_difference_is_what_the_bytes_give(options):
    cap = FakeCapture(**options)
    blob = explorer.encode(cap, cap.image)
    expected = 0
    for layer in range(cap.num_layers):
        own = cap.attention(layer)
        difference = np.abs(decoded_attention(blob, cap, layer) - own).max(-1) / own.max(-1)
        expected = max(expected, difference.max())
    rows = cap.num_layers * cap.num_heads * cap.num_tokens
    found = check.greatest_difference(cap, blob)
    assert found == {"rows": rows, "of": rows, "worst": pytest.approx(expected)}
    assert 0 < found["worst"] < 2e-3


def test_a_difference_would_be_seen():
    cap, other = FakeCapture(), FakeCapture(seed=1)
    assert check.greatest_difference(other, explorer.encode(cap, cap.image))["worst"] > 0.1


def test_of_many_tokens_a_sample_is_checked_and_said(vit, picture):
    cap = vizvit.capture(vit("vit_tiny_patch16_224", image_size=336, depth=2), picture)
    page = standalone.build(cap)
    checked = read_header(payload(page))["checked"]
    assert checked["rows"] == 2 * 3 * check.SAMPLE
    assert checked["of"] == 2 * 3 * cap.num_tokens
    assert 0 < checked["worst"] < 2e-3
    footer = Elements(page).all("footer")[0][1]
    assert f"sample of {checked['rows']} of {checked['of']} rows" in footer


def test_the_footer_says_how_exact_the_numbers_are(cap):
    page = standalone.build(cap)
    checked = read_header(payload(page))["checked"]
    assert checked["rows"] == checked["of"] == cap.num_layers * cap.num_heads * cap.num_tokens
    assert 0 < checked["worst"] < 5e-3
    footer = Elements(page).all("footer")[0][1]
    assert f"all {checked['rows']} rows" in footer
    stated = float(re.search(r"at most ([\d.e-]+) %", footer)[1]) / 100
    assert checked["worst"] <= stated <= 1.1 * checked["worst"]


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0412, "0.042"), (0.041, "0.041"), (1e-6, "0.0000010"), (3.21, "3.3"), (250, "250")]
)
def test_at_most_is_never_less(value, text):
    assert standalone._rounded_up(value) == text


def test_the_file_is_written_and_needs_neither_streamlit_nor_matplotlibs_pyplot(tmp_path):
    """By the library and by the command."""
    Image.new("RGB", (64, 64)).save(tmp_path / "cat.png")
    words = ["explorer", str(tmp_path / "cat.png"), "--weights", "random", "--out", str(tmp_path / "out")]
    code = (
        "import sys, numpy, vizvit\n"
        "from vizvit.cli import main\n"
        "vit = vizvit.load_model('vizvit-tiny', weights='random', device='cpu')\n"
        "cap = vizvit.capture(vit, numpy.zeros((64, 64, 3), 'uint8'))\n"
        f"path = vizvit.save_explorer(cap, {str(tmp_path / 'a.html')!r}, title='a')\n"
        "assert path.read_text('utf-8').startswith('<!doctype html>')\n"
        f"assert main({words!r}) == 0\n"
        "assert not {'streamlit', 'matplotlib.pyplot', 'vizvit.pages'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
