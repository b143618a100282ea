"""A picture that asks for too much ends a process, not the app; the next one is decoded all the same."""

from __future__ import annotations

import io
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

import vizvit
from vizvit.pictures.apart import Decoder


@pytest.fixture(scope="module")
def decode():
    decoder = Decoder(megabytes=600, seconds=2)
    yield decoder
    decoder.close()


def bytes_of(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def endless_scans(scans: int) -> bytes:
    """A progressive JPEG of 16 megapixels that says its last scan again and again."""
    data = bytes_of(Image.new("L", (4096, 4096)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


def large_png(width: int, height: int) -> bytes:
    """Some kilobytes of RGBA that are some hundred megabytes decoded."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head, rows = (
        struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0),
        zlib.compress(bytes((1 + 4 * width) * height), 9),
    )
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_it_decodes_as_in_this_process(decode, picture, kind):
    data = bytes_of(picture, kind)
    assert decode(data).tobytes() == vizvit.load_image(data).tobytes()


def test_what_is_no_picture_is_refused_in_the_same_words(decode):
    for data in (b"", b"%PDF-1.7", b"\xff\xd8\xff\xe0 cut off"):
        with pytest.raises(vizvit.ImageError) as here:
            vizvit.load_image(data)
        with pytest.raises(vizvit.ImageError) as there:
            decode(data)
        assert str(there.value) == str(here.value)


def test_one_process_is_kept_and_shared(decode, picture):
    data = bytes_of(picture)
    decode(data)
    number = decode.start().pid
    with ThreadPoolExecutor(8) as pool:
        assert len({image.tobytes() for image in pool.map(decode, [data] * 16)}) == 1
    assert decode.start().pid == number != os.getpid()


@pytest.mark.parametrize("data", [endless_scans(400), large_png(7900, 7900)], ids=["time", "memory"])
def test_one_that_takes_too_much_is_refused_and_the_next_one_decoded(decode, picture, data):
    assert len(data) < 32 << 20
    with pytest.raises(vizvit.ImageError, match="more than 2 seconds or 600 MB to decode"):
        decode(data)
    assert decode(bytes_of(picture)).size == picture.size
