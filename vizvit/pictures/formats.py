"""A file's bytes as a picture whose header is read and whose size is within bounds, before anything is decoded."""

from __future__ import annotations

import io
import math
import struct

from PIL import ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from ..errors import ImageError
from .containers import reader_of

MAX_PIXELS = 2**26  # 8192 x 8192; the largest sensors of telephones that sum no pixels up have 64.2 million

FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
ADVICE = f"Open it in a picture program, export it as JPEG or PNG, and try again. ({FORMATS} can be read.)"

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


def opened(name: str, data: bytes) -> ImageFile.ImageFile:
    """The picture with its header read and nothing decoded.

    The format's own reader is called rather than `Image.open`, which warns about large pictures: here they
    are refused, and a warning could be silenced only for all threads at once.
    """
    if not data:
        raise ImageError(f"{name} is empty (0 bytes), but a picture was expected. Choose the file again.")
    reader = next((reader for marks, reader in READERS if data.startswith(marks)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        reader = WebPImageFile
    reader = reader or reader_of(data)
    if reader is None:
        raise ImageError(f"{name} is {_kind(data)}, but a picture ({FORMATS}) was expected. {ADVICE}")
    file = _GifFile(data) if reader is GifImageFile else io.BytesIO(data)
    try:
        image = reader(file)
        tile = getattr(image, "_tile_size", image.size)  # a TIFF's stored size, before it is turned upright
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(damaged(name)) from error
    check_size(name, tile)
    return image


def _kind(data: bytes) -> str:
    """What a file that is none of our pictures seems to be, as words after "is"."""
    for marks, kind in FOREIGN:
        if data.startswith(marks):
            return kind
    if data[4:8] == b"ftyp":
        return "a film"
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
    a frame's place and size from the 9 bytes after a comma, of which the last says other things and may be missing.
    """

    last = b""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.last == b"," and size == 9 and len(data) >= 8:
            screen = struct.unpack("<HH", self.getvalue()[6:10])
            left, top, width, height = struct.unpack("<HHHH", data[:8])
            check_size("This GIF", (max(screen[0], left + width), max(screen[1], top + height)))
        self.last = data
        return data


def check_size(name: str, size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width} × {height} pixels, {math.ceil(width * height / 1e5) / 10} megapixels, "
            f"but at most {MAX_PIXELS // 10**5 / 10} can be read. Make it smaller and try again."
        )


def damaged(name: str) -> str:
    return f"{name} begins like a picture but is damaged or incomplete. Copy it again, or choose another."
