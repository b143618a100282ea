"""Any picture a person may bring, as an upright RGB image, or an `ImageError` that says what to do."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from vizvit.errors import ImageError

MAX_PIXELS = 64_000_000
MAX_BYTES = 32 * 1024 * 1024

# A JPEG above this many pixels is decoded at 1/2, 1/4 or 1/8, never below DRAFT_SIDE pixels on either side.
DRAFT_PIXELS = 24_000_000
DRAFT_SIDE = 2048

FORMATS = "JPEG, PNG, WebP, GIF, BMP or TIFF"
ADVICE = f"Open it in a picture program, export it as JPEG or PNG, and try again. ({FORMATS} can be read.)"

Source = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO | np.ndarray | Image.Image


def load_image(source: Source) -> Image.Image:
    """Read a picture: RGB, upright, at least 1 × 1, without metadata. What is given is never changed.

    source: a path, the bytes of a file, a file object open for reading bytes (read from its start), a NumPy
    array or a PIL image. Files: JPEG, PNG, WebP, GIF (first frame), BMP and TIFF (first page), at most
    `MAX_BYTES` long and `MAX_PIXELS` large; the size is checked before anything is decoded. JPEGs of more
    than 24 megapixels are decoded at a half, a quarter or an eighth of their size, but never below 2048
    pixels on either side.

    Turned upright by its EXIF orientation. Transparent pixels are shown on white. Grey values of more than 8
    bits become 8 bits: 16-bit values are divided by 257; 32-bit integers are read as 0..255 or 0..65535 and
    floats as 0..1 or 0..255, whichever range holds them all, and otherwise stretched from least to greatest.

    Arrays: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] (alpha last); bool (black and white), uint8, uint16
    (0..65535), another integer type (0..255), or float: 0..1 where no value is above 1, otherwise 0..255.

    Raises ImageError, and nothing else, for whatever cannot be read as a picture.
    """
    if isinstance(source, Image.Image):
        return _from_pil(source)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    name, data = _read(source)
    image = _open(name, data)
    _check_size(name, image.size)
    try:
        # Given hostile bytes, decoders raise almost anything: SyntaxError, struct.error, MemoryError ...
        if isinstance(image, JpegImageFile) and image.width * image.height > DRAFT_PIXELS:
            image.draft(None, (DRAFT_SIDE, DRAFT_SIDE))
        image.load()
        return _upright_rgb(image)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(_damaged(name)) from error


# --- from a source to bytes ---------------------------------------------------------------------------------


def _read(source: Source) -> tuple[str, bytes]:
    """(what to call the file, its bytes), never more than `MAX_BYTES`."""
    if isinstance(source, bytes | bytearray | memoryview):
        name = "This file"
        _check_bytes(name, source.nbytes if isinstance(source, memoryview) else len(source))
        return name, bytes(source)
    if isinstance(source, str | os.PathLike):
        return _read_path(source)
    if hasattr(source, "read"):
        return _read_file(source)
    raise ImageError(
        f"A picture was expected, but a Python object of type {type(source).__name__} was given. "
        "Give a path, the bytes of a file, a file object, a NumPy array or a PIL image."
    )


def _read_path(source: str | os.PathLike) -> tuple[str, bytes]:
    path = Path(os.fsdecode(source))
    name = f"“{path.name or path}”"
    try:
        if path.is_dir():
            raise ImageError(f"{name} is a folder, but a picture was expected. Choose a file inside it.")
        if not path.exists():
            raise ImageError(
                f"There is no file at “{path}”. Check the spelling and the folder, or choose the file again."
            )
        if not path.is_file():
            raise ImageError(f"{name} is not an ordinary file, but a picture was expected. Choose a picture file.")
        _check_bytes(name, path.stat().st_size)
        with path.open("rb") as file:
            return name, _read_at_most(name, file)
    except ImageError:
        raise
    except (OSError, ValueError) as error:
        raise ImageError(
            f"The file “{path}” cannot be opened ({error}). Check its name and that you may read it."
        ) from error


def _read_file(file: BinaryIO) -> tuple[str, bytes]:
    given = getattr(file, "name", None)
    name = f"“{Path(given).name}”" if isinstance(given, str) and given else "This file"
    try:
        if not hasattr(file, "seekable") or file.seekable():
            _check_bytes(name, file.seek(0, io.SEEK_END))
            file.seek(0)
        return name, _read_at_most(name, file)
    except ImageError:
        raise
    except Exception as error:  # a foreign object's own code
        raise ImageError(
            f"{name} cannot be read ({error}). Give a file that is open for reading bytes: open(path, 'rb')."
        ) from error


def _read_at_most(name: str, file: BinaryIO) -> bytes:
    parts, total = [], 0
    while part := file.read(MAX_BYTES + 1 - total):
        if not isinstance(part, bytes | bytearray | memoryview):
            raise ImageError(
                f"{name} gives text, but bytes were expected. Open it for reading bytes: open(path, 'rb')."
            )
        parts.append(part)
        total += len(part)
        _check_bytes(name, total)
    return b"".join(parts)


def _check_bytes(name: str, count: int) -> None:
    if isinstance(count, int) and count > MAX_BYTES:
        raise ImageError(
            f"{name} is larger than {MAX_BYTES // 2**20} MB, the most that can be read. "
            "Make the picture smaller, or save it as JPEG, and try again."
        )


# --- from bytes to an opened picture ------------------------------------------------------------------------


READERS: tuple[tuple[tuple[bytes, ...], type[ImageFile.ImageFile]], ...] = (
    ((b"\xff\xd8\xff",), JpegImageFile),
    ((b"\x89PNG\r\n\x1a\n",), PngImageFile),
    ((b"GIF87a", b"GIF89a"), GifImageFile),
    ((b"BM",), BmpImageFile),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
)

# What other files begin with, so that the refusal can say what was received.
FOREIGN: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"%PDF",), "a PDF document"),
    ((b"%!PS", b"\xc5\xd0\xd3\xc6"), "a PostScript (EPS) drawing"),
    ((b"8BPS",), "a Photoshop document"),
    ((b"PK\x03\x04",), "a ZIP archive or an office document"),
    ((b"\0\0\x01\0",), "an icon file (ICO)"),
    ((b"\0\0\0\x0cJXL ", b"\xff\x0a"), "a JPEG XL picture"),
    ((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), "a JPEG 2000 picture"),
    ((b"\x1aE\xdf\xa3", b"RIFF"), "a film or a sound"),
)


def _open(name: str, data: bytes) -> ImageFile.ImageFile:
    """The picture with its header read and nothing decoded.

    The format's own reader is called rather than `Image.open`, which warns about large pictures: here they
    are refused, and a warning could be silenced only for all threads at once.
    """
    if not data:
        raise ImageError(f"{name} is empty (0 bytes), but a picture was expected. Choose the file again.")
    reader = next((reader for marks, reader in READERS if data.startswith(marks)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        reader = WebPImageFile
    if reader is None:
        raise ImageError(f"{name} is {_kind(data)}, but a picture ({FORMATS}) was expected. {ADVICE}")
    file = _GifFile(data) if reader is GifImageFile else io.BytesIO(data)
    try:
        image = reader(file)
        tile = getattr(image, "_tile_size", image.size)  # a TIFF's stored size, before it is turned upright
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(_damaged(name)) from error
    _check_size(name, tile)
    return image


def _kind(data: bytes) -> str:
    """What a file that is none of our pictures seems to be, as words after "is"."""
    for marks, kind in FOREIGN:
        if data.startswith(marks):
            return kind
    if data[4:8] == b"ftyp":
        heif = data[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
        return "a HEIC picture" if heif else "an AVIF picture" if data[8:11] == b"avi" else "a film"
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) and b"<svg" in data[:4096].lower():
        return "an SVG drawing"
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if not any(byte < 9 or 13 < byte < 32 for byte in data[:1024]):
        return "a text file"
    return "not a picture of a kind known here"


class _GifFile(io.BytesIO):
    """The bytes of a GIF, which refuse a first frame that is out of bounds.

    A frame may reach beyond the size in the header; Pillow then enlarges the picture and only warns. It reads
    a frame's place and size as the 9 bytes after a comma.
    """

    last = b""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.last == b"," and size == len(data) == 9:
            screen = struct.unpack("<HH", self.getvalue()[6:10])
            left, top, width, height = struct.unpack("<HHHH", data[:8])
            _check_size("This GIF", (max(screen[0], left + width), max(screen[1], top + height)))
        self.last = data
        return data


def _check_size(name: str, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width} × {height} pixels ({width * height / 1e6:.0f} megapixels), "
            f"but at most {MAX_PIXELS // 10**6} megapixels can be read. Make it smaller and try again."
        )


def _damaged(name: str) -> str:
    return f"{name} begins like a picture but is damaged or incomplete. Copy it again, or choose another."


# --- from an opened picture to upright RGB ------------------------------------------------------------------


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112  # the EXIF tag


def _from_pil(image: Image.Image) -> Image.Image:
    _check_size("This picture", image.size)
    try:
        return _upright_rgb(image.copy())  # copy() also loads a picture that was only opened
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(
            f"This PIL image ({image.mode}, {image.width} × {image.height}) cannot be made RGB ({error}). "
            "Give an image that is open, undamaged and at least 1 × 1 pixel."
        ) from error


def _upright_rgb(image: Image.Image) -> Image.Image:
    """A new RGB image without metadata; `image` is loaded."""
    if not image.width or not image.height:
        raise ImageError(
            f"This picture has {image.width} × {image.height} pixels, but at least 1 × 1 was expected. Choose another."
        )
    try:
        turn = TURNS.get(image.getexif().get(ORIENTATION))
    except Exception:  # damaged EXIF in a sound picture: show it as stored
        turn = None
    rgb = _rgb(image)
    rgb.info.clear()
    return rgb if turn is None else rgb.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data or image.mode == "RGBa":
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """uint8 of grey values that a picture stores in more than 8 bits."""
    if values.dtype.kind == "u":
        return _from_16_bits(values)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(
            "This picture holds values that are not numbers (NaN or infinity), but brightness was expected. "
            "Replace them, or export the picture as 8-bit PNG."
        )
    floats = values.dtype.kind == "f"
    if low >= 0 and high <= 1 and floats:
        return np.rint(values * 255).astype(np.uint8)
    if low >= 0 and high <= 255:
        return np.rint(values).astype(np.uint8)
    if low >= 0 and high <= 65535 and not floats:
        return _from_16_bits(values)
    return np.rint((values - low) * (255 / max(high - low, 1e-30))).astype(np.uint8)


def _from_16_bits(values: np.ndarray) -> np.ndarray:
    return np.rint(np.arange(65536) / 257).astype(np.uint8)[values]


def _from_array(array: np.ndarray) -> Image.Image:
    given = f"an array of shape {list(array.shape)} and type {array.dtype}"
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not fits or not array.size:
        hint = " Move the channels last with array.transpose(1, 2, 0)." if array.ndim == 3 and array.size else ""
        raise ImageError(f"Got {given}, but [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] was expected.{hint}")
    _check_size("This array", (array.shape[1], array.shape[0]))
    if array.dtype.kind not in "buif":
        raise ImageError(f"Got {given}, but bool, integers or floats were expected. Convert it to uint8.")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    pixels = np.ascontiguousarray(_array_bytes(array, given))
    return _upright_rgb(Image.fromarray(pixels))


def _array_bytes(array: np.ndarray, given: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint16:
        return _from_16_bits(array)
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):  # also catches NaN
        raise ImageError(
            f"Got {given} with values from {low:g} to {high:g}, but 0..1 (floats) or 0..255 was expected. "
            "Rescale the values first."
        )
    if array.dtype.kind == "f" and high <= 1:
        array = array * 255
    return np.rint(array).astype(np.uint8)
