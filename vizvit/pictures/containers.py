"""HEIC and AVIF pictures, told apart by the brands that they name."""

from __future__ import annotations

import struct

from PIL import ImageFile

HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
AVIF = (b"avif", b"avis")


def reader_of(data: bytes) -> type[ImageFile.ImageFile] | None:
    """The reader of a picture in an ISO base media file; None for anything else, a film among it."""
    if data[4:8] != b"ftyp":
        return None
    (length,) = struct.unpack(">I", data[:4])
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, min(length, 256), 4))]
    if any(brand in AVIF for brand in brands):
        from PIL.AvifImagePlugin import AvifImageFile

        return AvifImageFile
    if any(brand in HEIF for brand in brands):
        from pi_heif.as_plugin import HeifImageFile  # pi-heif: the decoder alone

        return HeifImageFile
    return None
