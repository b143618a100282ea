"""Any picture a person may bring, as an upright RGB image, or an `ImageError` that says what to do."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from ..errors import ImageError
from .formats import FORMATS, MAX_PIXELS, check_size, damaged, opened
from .rgb import from_array, upright_rgb
from .source import MAX_BYTES, Source, read

__all__ = ["FORMATS", "MAX_BYTES", "MAX_PIXELS", "Source", "load_image"]

# A JPEG above this many pixels is decoded at 1/2, 1/4 or 1/8, never below DRAFT_SIDE pixels on either side.
DRAFT_PIXELS = 24_000_000
DRAFT_SIDE = 2048


def load_image(source: Source) -> Image.Image:
    """Read a picture: RGB, upright, at least 1 × 1, without metadata. What is given is never changed.

    source: a path, the bytes of a file, a file object open for reading bytes (read from its start), a NumPy
    array or a PIL image. Files: JPEG, PNG, WebP, HEIC, AVIF, GIF (first frame), BMP and TIFF (first page), at most
    `MAX_BYTES` long and `MAX_PIXELS` large; the size is checked before anything is decoded. JPEGs of more
    than 24 megapixels are decoded at a half, a quarter or an eighth of their size, but never below 2048
    pixels on either side.

    Turned upright by its EXIF orientation. Transparent pixels are shown on white. Grey values of more than 8
    bits become 8 bits: 16-bit values are divided by 257; 32-bit integers are read as 0..255 or 0..65535 and
    floats as 0..1 or 0..255, whichever range holds them all. Where none does, or where they span less than a
    quarter of it (12 bits in 16), they are stretched from least to greatest, and `image.info["scaled_from"]` is
    those two.

    Arrays: [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] (alpha last); bool (black and white), uint8, uint16
    (0..65535), another integer type (0..255), or float: 0..1 where no value is above 1, otherwise 0..255.

    Raises ImageError, and nothing else, for whatever cannot be read as a picture.
    """
    if isinstance(source, Image.Image):
        return _from_pil(source)
    if isinstance(source, np.ndarray):
        return from_array(source)
    name, data = read(source)
    image = opened(name, data)
    check_size(name, image.size)
    try:
        # Given hostile bytes, decoders raise almost anything: SyntaxError, struct.error, MemoryError ...
        if isinstance(image, JpegImageFile) and image.width * image.height > DRAFT_PIXELS:
            image.draft(None, (DRAFT_SIDE, DRAFT_SIDE))
        image.load()
        return upright_rgb(image)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(damaged(name)) from error


def _from_pil(image: Image.Image) -> Image.Image:
    check_size("This picture", image.size)
    try:
        return upright_rgb(image.copy())  # copy() also loads a picture that was only opened
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(
            f"This PIL image ({image.mode}, {image.width} × {image.height}) cannot be made RGB ({error}). "
            "Give an image that is open, undamaged and at least 1 × 1 pixel."
        ) from error
