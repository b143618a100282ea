"""Pictures of every kind come out upright and right; all else is an ImageError, at once and with a reason."""

import base64
import io
import struct
import threading
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile
from streamlit.testing.v1 import AppTest

import vizvit.pictures.load
from vizvit.cli.pictures import find
from vizvit.errors import ImageError
from vizvit.pictures.collection import PictureSet
from vizvit.pictures.folder import SUFFIXES
from vizvit.pictures.load import MAX_BYTES, load_image
from vizvit.training.sources import read_source

LOSSLESS = ["PNG", "WEBP", "GIF", "BMP", "TIFF"]
FORMATS = ["JPEG", *LOSSLESS]


def encoded(image: Image.Image, format: str, **options) -> bytes:
    if format == "WEBP":
        options.setdefault("lossless", True)
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def pixels(source) -> np.ndarray:
    image = load_image(source)
    assert image.mode == "RGB"
    return np.asarray(image)


def four_colors(height=6, width=9) -> np.ndarray:
    """[H, W, 3]: each quarter another colour, so that a turn or a flip shows."""
    array = np.zeros((height, width, 3), np.uint8)
    array[: height // 2, : width // 2] = (255, 0, 0)
    array[: height // 2, width // 2 :] = (0, 255, 0)
    array[height // 2 :, : width // 2] = (0, 0, 255)
    array[height // 2 :, width // 2 :] = (255, 255, 255)
    return array


def png(width: int, height: int, depth: int, color: int, rows: bytes, extra: bytes = b"") -> bytes:
    """A PNG put together by hand."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


# --- sources ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", LOSSLESS)
def test_every_source_gives_the_same_pixels(format, tmp_path):
    expected = four_colors()
    data = encoded(Image.fromarray(expected), format)
    path = tmp_path / "ümlaut 写真.bin"
    path.write_bytes(data)
    file = io.BytesIO(data)
    file.read()  # what an upload looks like after somebody else has read it
    sources = [path, str(path), data, bytearray(data), memoryview(data), file, Image.open(io.BytesIO(data))]
    with path.open("rb") as opened:
        for source in [*sources, opened]:
            np.testing.assert_array_equal(pixels(source), expected)


def test_jpeg_is_close_to_what_was_saved():
    ramp = np.repeat(np.linspace(0, 255, 64)[None, :, None], 48, 0).repeat(3, 2).astype(np.uint8)
    assert np.abs(pixels(encoded(Image.fromarray(ramp), "JPEG", quality=95)).astype(int) - ramp).max() <= 4


def test_a_stream_that_cannot_seek_and_gives_little_at_a_time():
    data = encoded(Image.fromarray(four_colors()), "PNG")

    class Stream:
        def __init__(self):
            self.left = io.BytesIO(data)

        def seekable(self):
            return False

        def read(self, size=-1):
            return self.left.read(min(size, 7))

    np.testing.assert_array_equal(pixels(Stream()), four_colors())


def test_the_result_is_new_plain_and_stays_the_same_when_loaded_again():
    image = Image.fromarray(four_colors())
    exif = Image.Exif()
    exif[0x0112] = 6
    loaded = load_image(encoded(image, "JPEG", exif=exif))
    assert type(loaded) is Image.Image
    assert not loaded.info
    assert not dict(loaded.getexif())
    assert load_image(loaded).tobytes() == loaded.tobytes()
    again = load_image(image)
    again.putpixel((0, 0), (9, 9, 9))
    assert image.getpixel((0, 0)) == (255, 0, 0)


def test_what_is_given_is_not_changed():
    array = np.random.default_rng(0).random((5, 7, 3))
    before = array.copy()
    given_image = Image.fromarray(four_colors()).convert("P")
    given_image.info["transparency"] = 0
    bytes_before, info_before = given_image.tobytes(), dict(given_image.info)
    load_image(array)
    load_image(given_image)
    np.testing.assert_array_equal(array, before)
    assert (given_image.mode, given_image.tobytes(), given_image.info) == ("P", bytes_before, info_before)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
@pytest.mark.parametrize("format", FORMATS)
def test_tiny_and_extreme_shapes(size, format):
    assert load_image(encoded(Image.new("RGB", size, "white"), format)).size == size


def test_first_frame_of_a_moving_picture():
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    for format in ("GIF", "PNG", "WEBP", "TIFF"):
        data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
        assert (pixels(data) == (255, 0, 0)).all(), format


# --- orientation -----------------------------------------------------------------------------------------

# How a camera's stored pixels follow from the upright picture, written from the EXIF standard: where the
# stored row 0 and column 0 lie in the upright picture.
STORED = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],  # row 0 is the right side, column 0 the top
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],  # row 0 is the left side, column 0 the bottom
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_upright_by_exif(orientation, format):
    upright = four_colors(32, 48)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    options = {"quality": 100, "subsampling": 0} if format == "JPEG" else {}
    data = encoded(stored, format, exif=exif, **options)
    for source in (data, Image.open(io.BytesIO(data))):
        loaded = pixels(source).astype(int)
        assert loaded.shape == upright.shape
        assert np.abs(loaded - upright).max() < 24


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
def test_damaged_exif_does_not_cost_the_picture():
    data = encoded(Image.new("RGB", (8, 8), "red"), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert load_image(data).size == (8, 8)


# --- colours ---------------------------------------------------------------------------------------------


def test_transparency_is_shown_on_white():
    alpha = np.array([[0, 64, 128, 255]], np.uint8)
    rgb = np.broadcast_to(np.array([200, 100, 0], np.uint8), (1, 4, 3))
    rgba = np.dstack([rgb, alpha])
    weight = alpha[..., None] / 255
    expected = rgb * weight + 255 * (1 - weight)
    for source in (rgba, encoded(Image.fromarray(rgba), "PNG"), encoded(Image.fromarray(rgba), "TIFF")):
        assert np.abs(pixels(source) - expected).max() <= 1
    la = Image.merge("LA", [Image.new("L", (4, 1), 0), Image.fromarray(alpha)])
    assert np.abs(pixels(encoded(la, "PNG"))[..., 0] - (255.0 - alpha)).max() <= 1
    assert np.abs(pixels(Image.fromarray(rgba).convert("RGBa")) - expected).max() <= 2
    assert np.abs(pixels(la.convert("La"))[..., 0] - (255.0 - alpha)).max() <= 2


def test_palettes_with_and_without_transparency():
    image = Image.fromarray(four_colors()).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(pixels(encoded(image, "PNG")), expected)
    red = image.getpixel((0, 0))
    see_through = expected.copy()
    see_through[: see_through.shape[0] // 2, : see_through.shape[1] // 2] = 255
    for format in ("PNG", "GIF"):
        np.testing.assert_array_equal(pixels(encoded(image, format, transparency=red)), see_through)
    half = bytes(127 if index == red else 255 for index in range(4))
    loaded = pixels(encoded(image, "PNG", transparency=half))
    assert np.abs(loaded[0, 0].astype(int) - (255, 128, 128)).max() <= 1


def test_grey_and_black_and_white():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for source in (grey, grey[..., None], encoded(Image.fromarray(grey), "PNG"), Image.fromarray(grey)):
        np.testing.assert_array_equal(pixels(source), np.repeat(grey[..., None], 3, 2))
    bits = grey > 100
    for source in (bits, encoded(Image.fromarray(bits), "PNG"), encoded(Image.fromarray(bits), "TIFF")):
        np.testing.assert_array_equal(pixels(source)[..., 1], np.where(bits, 255, 0))


def test_cmyk():
    inks = np.array([[[255, 0, 0, 0], [0, 255, 0, 0], [0, 0, 255, 0], [0, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    expected = np.array([[[0, 255, 255], [255, 0, 255], [255, 255, 0], [0, 0, 0], [255, 255, 255]]])
    image = Image.fromarray(inks, "CMYK")
    np.testing.assert_array_equal(pixels(encoded(image, "TIFF")), expected)
    big = image.resize((5 * 16, 16), Image.Resampling.NEAREST)
    loaded = pixels(encoded(big, "JPEG", quality=100))[8, 8::16].astype(int)
    assert np.abs(loaded - expected[0]).max() <= 6


def test_other_color_spaces():
    image = Image.fromarray(four_colors(16, 16))
    for mode in ("YCbCr", "HSV"):
        assert np.abs(pixels(image.convert(mode)).astype(int) - four_colors(16, 16)).max() <= 4
    lab = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert pixels(lab).shape == (16, 16, 3)


def test_16_bit_grey_is_a_ramp_and_not_nearly_white(tmp_path):
    ramp = np.linspace(0, 65535, 512).round().astype(np.uint16).reshape(8, 64)
    expected = np.rint(ramp / 65535 * 255)
    by_hand = png(64, 8, 16, 0, b"".join(b"\0" + row.astype(">u2").tobytes() for row in ramp))
    tiff = encoded(Image.fromarray(ramp), "TIFF")
    swapped = Image.frombytes("I;16B", (64, 8), ramp.astype(">u2").tobytes())
    for source in (
        by_hand,
        tiff,
        ramp,
        swapped,
        encoded(swapped, "TIFF"),
        Image.fromarray(ramp.astype("i4")),
    ):
        np.testing.assert_array_equal(pixels(source)[..., 0], expected)


def test_16_bit_color_png():
    rng = np.random.default_rng(1)
    color = rng.integers(0, 65536, (8, 9, 3), dtype=np.uint16)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in color)
    for extra in (
        b"",
        b"\0\0\0\x06tRNS" + b"\xff" * 6 + struct.pack(">I", zlib.crc32(b"tRNS" + b"\xff" * 6)),
    ):
        assert np.abs(pixels(png(9, 8, 16, 2, rows, extra)) - color / 257).max() <= 1


def test_integers_and_floats_of_32_bits():
    values = np.arange(256, dtype=np.int32).reshape(16, 16)
    stretched = np.rint((values * 1000 - 5000 + 5000) / (255 * 1000) * 255)
    cases = [
        (values, values),
        (values * 1000 - 5000, stretched),
        ((values / 255).astype(np.float32), values),
        (values.astype(np.float32), values),
        ((values * 1000 - 5000).astype(np.float32), stretched),
    ]
    for given_values, expected in cases:
        image = Image.fromarray(given_values)
        for source in (image, encoded(image, "TIFF")):
            np.testing.assert_array_equal(pixels(source)[..., 0], expected)
    assert load_image(Image.new("F", (3, 2), 1e9)).size == (3, 2)
    with pytest.raises(ImageError, match="NaN"):
        load_image(Image.fromarray(np.array([[np.nan, 1]], np.float32)))


# --- arrays ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_array_types_agree(channels):
    bytes_ = np.random.default_rng(2).integers(0, 256, (5, 6, channels), dtype=np.uint8)
    bytes_[0, 0] = 255
    expected = pixels(bytes_)
    for array in (
        bytes_.astype(np.int64),
        bytes_.astype(np.uint16) * 257,
        bytes_.astype(np.float64),
        bytes_ / np.float32(255),
        bytes_[:, ::-1][:, ::-1],
        np.asfortranarray(bytes_),
    ):
        np.testing.assert_array_equal(pixels(array), expected)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 8, 8)),
        np.zeros((8, 8, 2)),
        np.zeros((1, 8, 8, 3)),
        np.zeros(8),
        np.zeros(()),
        np.zeros((0, 8, 3)),
        np.zeros((8, 0), np.uint8),
        np.full((4, 4), np.nan),
        np.full((4, 4), np.inf),
        np.full((4, 4), -0.5),
        np.full((4, 4), 256),
        np.zeros((4, 4), complex),
        np.full((4, 4), "x"),
        np.full((4, 4), None),
        np.broadcast_to(np.uint8(0), (60_000, 60_000)),
    ],
    ids=lambda array: f"{array.shape}-{array.dtype}",
)
def test_arrays_that_are_no_picture(array):
    with pytest.raises(ImageError, match=r"expected|at most"):
        load_image(array)


# --- bounds ----------------------------------------------------------------------------------------------


def bomb(format: str) -> bytes:
    """A small file that claims 60,000 x 60,000 pixels (16,383 x 16,383 for WebP, the most it knows)."""
    side = 60_000
    if format == "PNG":
        return png(side, side, 1, 0, bytes(1000))
    if format == "GIF":
        return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + gif_frame(side)
    if format == "GIF odd frame":  # what stands before the frame is damaged, which Pillow skips
        return b"GIF89a" + struct.pack("<HHBBB", 255, 1, 0x80, 0, 0) + bytes(9) + gif_frame(10_000)
    if format == "GIF cut frame":  # behind the frame's size
        return bomb("GIF frame")[: -len(gif_frame(0)) + 17]
    if format == "GIF frame":
        return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + gif_frame(10_000)
    if format == "BMP":
        header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
        return b"BM" + struct.pack("<IHHI", 1000, 0, 0, 54) + header + bytes(900)
    if format == "JPEG":
        data = bytearray(encoded(Image.new("L", (8, 8)), "JPEG"))
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", side, side)
        return bytes(data)
    if format == "WEBP":
        chunk = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16_382).to_bytes(3, "little") * 2
        small = encoded(Image.new("RGB", (8, 8)), "WEBP")[12:]
        return b"RIFF" + struct.pack("<I", 4 + len(chunk) + len(small)) + b"WEBP" + chunk + small
    tags = [
        (256, 4, side),
        (257, 4, side),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (278, 4, side),
    ]
    ifd = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in [*tags, (279, 4, 100)])
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 8) + ifd + bytes(104)


def gif_frame(side: int) -> bytes:
    return b"!\xf9\x04\0\0\0\0\0," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\0;"


def resident_peak() -> int:
    """The most memory this process has held, in bytes."""
    resource = pytest.importorskip("resource")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize(
    "format", ["PNG", "GIF", "GIF frame", "GIF odd frame", "GIF cut frame", "BMP", "JPEG", "WEBP", "TIFF"]
)
def test_a_bomb_is_refused_at_once(format, monkeypatch):
    data = bomb(format)
    assert len(data) < 10_000
    decoded = []
    Image.init()
    for kind in (ImageFile.ImageFile, *ImageFile.ImageFile.__subclasses__()):
        if "load" in vars(kind):
            monkeypatch.setattr(kind, "load", lambda image: decoded.append(image.size))
    peak = resident_peak()
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError) as caught:
            load_image(data)
    traced = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert decoded == []
    assert traced < 5e6
    assert resident_peak() - peak < 50e6
    if format != "WEBP":  # libwebp may refuse it first
        assert "megapixels" in str(caught.value)


def test_a_picture_that_was_only_opened_is_not_decoded():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(io.BytesIO(png(13_000, 13_000, 1, 0, bytes(1000))))
    with pytest.raises(ImageError, match=r"169\.0 megapixels, but at most 67\.1"):
        load_image(image)


def test_a_large_file_is_refused_without_reading_it(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    class Counting(io.FileIO):
        count = 0

        def read(self, size=-1):
            data = super().read(size)
            self.count += len(data)
            return data

    for source in (path, str(path)):
        with pytest.raises(ImageError, match=r"huge\.png.*32 MB"):
            load_image(source)
    with Counting(path) as file, pytest.raises(ImageError, match="32 MB"):
        load_image(file)
    assert file.count == 0
    with pytest.raises(ImageError, match="32 MB"):
        load_image(memoryview(bytes(MAX_BYTES + 1)))


def test_an_endless_stream_is_left_in_time():
    class Endless:
        given = 0

        def seekable(self):
            return False

        def read(self, size):
            self.given += size
            return bytes(size)

    stream = Endless()
    with pytest.raises(ImageError, match="32 MB"):
        load_image(stream)
    assert stream.given <= MAX_BYTES + 1


def test_a_huge_jpeg_is_decoded_smaller_but_not_small(monkeypatch):
    monkeypatch.setattr(vizvit.pictures.load, "DRAFT_PIXELS", 100_000)
    monkeypatch.setattr(vizvit.pictures.load, "DRAFT_SIDE", 100)
    upright = four_colors(480, 640)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(STORED[6](upright)))
    loaded = load_image(encoded(stored, "JPEG", exif=exif))
    assert loaded.size == (160, 120)
    assert np.abs(np.asarray(loaded).astype(int)[10::100, 10::100] - upright[10::400, 10::400]).max() < 10


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, this is not a picture", "a text file"),
        ("これは写真ではありません".encode(), "a text file"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "EPS"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a film"),
        (b"PK\x03\x04....", "ZIP"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"8BPS\0\x01", "Photoshop"),
        (bytes(100), "not a picture"),
    ],
)
def test_foreign_files_are_named(data, words):
    with pytest.raises(ImageError, match=words) as caught:
        load_image(data)
    assert "expected" in str(caught.value)
    assert str(caught.value)[0].isupper() or str(caught.value)[0] == "“"


def test_paths_that_are_no_picture(tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    for source, words in [
        (tmp_path / "nowhere.png", "There is no file"),
        (tmp_path, "a folder"),
        (tmp_path / "notes.txt", "notes.txt.*a text file"),
        ("a\0b.png", "cannot be opened|There is no file"),
        ("x" * 10_000, "cannot be opened|There is no file"),
        ("", "a folder|no file"),
        ("/dev/zero", "not an ordinary file|no file"),
    ]:
        with pytest.raises(ImageError, match=words):
            load_image(source)


@pytest.mark.parametrize("source", [None, 7, 1.5, [[0, 1]], {}, object(), Image])
def test_things_that_are_no_source(source):
    with pytest.raises(ImageError, match="expected"):
        load_image(source)


def test_file_objects_that_do_not_give_bytes(tmp_path):
    closed = io.BytesIO(b"x")
    closed.close()
    write_only = (tmp_path / "w").open("wb")
    for source in (io.StringIO("text"), closed, write_only):
        with pytest.raises(ImageError):
            load_image(source)
    write_only.close()


@pytest.mark.filterwarnings("ignore:.*EXIF|Truncated File Read:UserWarning")
@pytest.mark.parametrize("format", FORMATS)
def test_every_truncation_is_a_picture_or_an_error(format):
    data = encoded(Image.fromarray(four_colors(16, 16)), format)
    refused = 0
    for length in range(len(data)):
        try:
            assert load_image(data[:length]).mode == "RGB"
        except ImageError as error:
            assert str(error)
            refused += 1
    assert refused > len(data) / 2


def seeds() -> list[bytes]:
    noise = np.random.default_rng(3).integers(0, 256, (12, 10, 4), dtype=np.uint8)
    image, grey = Image.fromarray(noise).convert("RGB"), Image.fromarray(noise[..., 0])
    exif = Image.Exif()
    exif[0x0112] = 8
    made = [encoded(image, format) for format in FORMATS]
    made += [encoded(image, format, exif=exif) for format in ("JPEG", "PNG", "WEBP", "TIFF")]
    made += [encoded(image, "TIFF", compression=name) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")]
    made += [encoded(Image.fromarray(noise), format) for format in ("PNG", "WEBP", "TIFF", "BMP")]
    made += [encoded(grey.convert("I;16"), format) for format in ("PNG", "TIFF")]
    made += [encoded(image.convert("P"), format) for format in ("PNG", "GIF", "BMP", "TIFF")]
    made += [encoded(image.convert("CMYK"), format) for format in ("JPEG", "TIFF")]
    made += [encoded(image, format, save_all=True, append_images=[image.rotate(90)]) for format in ("PNG", "WEBP")]
    made += [
        bomb(format)
        for format in ("PNG", "GIF", "GIF frame", "GIF odd frame", "GIF cut frame", "BMP", "JPEG", "WEBP", "TIFF")
    ]
    return made


SEEDS = seeds()


def only_a_picture_or_an_image_error(data: bytes) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            image = load_image(data)
        except ImageError as error:
            assert len(str(error)) > 20
        else:
            assert image.mode == "RGB"
            assert image.width >= 1 <= image.height
    assert not [one for one in caught if issubclass(one.category, Image.DecompressionBombWarning)]


FUZZ = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=150, **FUZZ)
@given(st.binary(max_size=300), st.sampled_from([b"", *{data[:12] for data in SEEDS}]))
def test_any_bytes(data, head):
    only_a_picture_or_an_image_error(head + data)


@settings(max_examples=700, **FUZZ)
@given(st.data())
def test_any_damage_to_a_real_file(data):
    mutated = bytearray(data.draw(st.sampled_from(SEEDS)))
    early = st.integers(0, min(len(mutated), 120) - 1)  # headers, where damage matters most
    anywhere = st.integers(0, len(mutated) - 1)
    for _ in range(data.draw(st.integers(1, 6))):
        mutated[data.draw(early | anywhere)] = data.draw(st.sampled_from([0, 1, 127, 128, 255]) | st.integers(0, 255))
    if data.draw(st.booleans()):
        del mutated[data.draw(anywhere) :]
    only_a_picture_or_an_image_error(bytes(mutated))


# --- neighbours ------------------------------------------------------------------------------------------


def test_pil_itself_is_left_alone_and_threads_do_not_meet():
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    rng = np.random.default_rng(4)
    arrays = [rng.integers(0, 256, (40, 50, 3), dtype=np.uint8) for _ in range(6)]
    wrong = []

    def work(array, format):
        data = encoded(Image.fromarray(array), format)
        for _ in range(10):
            if not np.array_equal(pixels(data), array):
                wrong.append(format)

    jobs = zip(arrays, ["PNG", "WEBP", "BMP", "TIFF"] * 2, strict=False)
    threads = [threading.Thread(target=work, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))


# --- what files of pictures end in


def test_a_file_named_jfif_is_a_picture_everywhere(tmp_path):
    path = tmp_path / "photos" / "cat" / "one.jfif"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8), "red").save(path, "JPEG")
    folder = tmp_path / "photos"
    assert load_image(path).size == (8, 8)
    assert [place.name for place in PictureSet.of([folder]).places()] == ["cat/one.jfif"]
    assert [picture.name for picture in find([folder], tmp_path / "out")] == ["cat/one.jfif"]
    assert list(read_source([folder]).names) == ["cat/one.jfif"]


def test_the_app_offers_to_take_every_ending():
    def sidebar() -> None:
        import streamlit as st

        from vizvit.pages.sidebar import picture

        st.session_state.image = "cat"
        picture.choose_picture(st.container())

    app = AppTest.from_function(sidebar, default_timeout=60).run()
    assert not app.exception
    assert set(SUFFIXES) <= set(app.file_uploader(key="upload").proto.type)


# --- telephones, instruments ------------------------------------------------------------------------------

# four_colors(64, 96) as libheif writes it.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA"
    "AAAERAAAEAAQAAAAABegABAAAAAAAAAOkAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1mlwcnAA"
    "AAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkA"
    "AAAwAAAwAeoDCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABgAAAA"
    "QAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAAPFtZGF0AAAA5SgBrwT42/LpOu3/5MP///5Xruy/yYf4Tul19+OTT/"
    "+myn//ohKBHfJlTejXn3FTf0viaNQQPwpMnaoTa83n+uAhulWbZKl3l7K3A56A3yusdiX31oHEwzV84GEnHm95Q3ArLEcZi6rR8euuLvm6nEKb"
    "/0wGiN/TLDf/9cbcZ1zLn3cLstgkttfn+UUNkyLZU5NIUNJyQQJ4PblTYTg9li/G2jdDd98Zxl0FLSehVVSOlEb9Yl8X4EL3t/X/8gKP/gg/Vb"
    "/g1JX7k8lsGc1KPrrRJ4MZOZ2ANtxB+pqmGT85S/2ZZPA="
)


def test_heic():
    assert np.abs(pixels(HEIC).astype(int) - four_colors(64, 96))[4:28, 4:44].max() <= 12
    assert pixels(HEIC).shape == (64, 96, 3)
    assert np.abs(pixels(HEIC).astype(int) - four_colors(64, 96)).mean() < 8
    renamed = HEIC.replace(b"ftypheic", b"ftypmif1")  # what a file is lies in all its brands
    np.testing.assert_array_equal(pixels(renamed), pixels(HEIC))
    for torn in (HEIC[:16], HEIC[:300], HEIC[:450], b"\0\0\0\x18ftypavif\0\0\0\0"):
        with pytest.raises(ImageError, match="damaged"):
            load_image(torn)


@pytest.mark.parametrize("orientation", [1, 6])
def test_avif(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = pixels(encoded(Image.fromarray(four_colors(64, 96)), "AVIF", quality=95, exif=exif)).astype(int)
    expected = four_colors(64, 96)
    expected = np.rot90(expected, -1) if orientation == 6 else expected
    assert found.shape == expected.shape and np.abs(found - expected).mean() < 4


def test_a_photograph_of_64_megapixels():
    data = encoded(Image.new("RGB", (9248, 6944), (200, 100, 50)), "JPEG")
    image = load_image(data)
    assert image.size == (4624, 3472)
    assert np.abs(np.array(image.getpixel((9, 9))) - (200, 100, 50)).max() <= 2


def test_the_limit_does_not_contradict_itself():
    with pytest.raises(ImageError, match=r"8193 × 8192 pixels, 67\.2 megapixels, but at most 67\.1 can"):
        load_image(png(8193, 8192, 1, 0, bytes(10)))


@pytest.mark.parametrize(("low", "high"), [(0, 4095), (0, 1023), (100, 16_000), (31_000, 35_000), (65_000, 65_535)])
def test_few_of_16_bits_are_stretched_and_said(low, high):
    ramp = np.linspace(low, high, 512).round().astype(np.uint16).reshape(8, 64)
    expected = np.rint((ramp - float(low)) / (high - low) * 255)
    swapped = Image.frombytes("I;16B", (64, 8), ramp.astype(">u2").tobytes())
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in ramp)
    sources = [png(64, 8, 16, 0, rows), encoded(Image.fromarray(ramp), "TIFF"), swapped, encoded(swapped, "TIFF"), ramp]
    for source in (*sources, Image.fromarray(ramp.astype(np.int32)), Image.fromarray(ramp)):
        image = load_image(source)
        np.testing.assert_array_equal(np.asarray(image)[..., 0], expected)
        assert image.info == {"scaled_from": (low, high)}
    assert load_image(load_image(ramp)).info == {"scaled_from": (low, high)}


@pytest.mark.parametrize("top", [0.1, 20.0, 4095.0])
def test_few_of_a_range_of_floats_are_stretched_and_said(top):
    ramp = np.linspace(0, top, 512, dtype=np.float32).reshape(8, 64)
    for source in (Image.fromarray(ramp), encoded(Image.fromarray(ramp), "TIFF")):
        image = load_image(source)
        assert np.abs(np.asarray(image)[..., 0] - ramp / np.float32(top) * 255).max() <= 0.51
        assert image.info["scaled_from"] == (0, np.float32(top))


def test_a_range_that_is_used_is_kept():
    for values in (np.uint16([[0, 17_000]]), np.full((2, 2), 900, np.uint16), np.uint16([[0, 65_535]])):
        image = load_image(values)
        np.testing.assert_array_equal(np.asarray(image)[..., 0], np.rint(values / 257))
        assert not image.info
