"""An opened picture or an array of brightness as a new upright RGB image of 8 bits, without metadata."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..errors import ImageError
from .depth import eight_bits
from .formats import check_size

SCALED = "scaled_from"  # in `image.info`: (least, greatest) of grey values that were stretched

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


def upright_rgb(image: Image.Image) -> Image.Image:
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
    rgb.info = {name: value for name, value in rgb.info.items() if name == SCALED}
    return rgb if turn is None else rgb.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _greys(np.asarray(image))
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data or image.mode == "RGBa":
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba.getchannel("A"))
        return white
    return image.convert("RGB")


def _greys(values: np.ndarray) -> Image.Image:
    pixels, scaled = eight_bits(values)
    image = _rgb(Image.fromarray(np.ascontiguousarray(pixels)))
    if scaled is not None:
        image.info[SCALED] = scaled
    return image


def from_array(array: np.ndarray) -> Image.Image:
    given = f"an array of shape {list(array.shape)} and type {array.dtype}"
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not fits or not array.size:
        hint = " Move the channels last with array.transpose(1, 2, 0)." if array.ndim == 3 and array.size else ""
        raise ImageError(f"Got {given}, but [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] was expected.{hint}")
    check_size("This array", (array.shape[1], array.shape[0]))
    if array.dtype.kind not in "buif":
        raise ImageError(f"Got {given}, but bool, integers or floats were expected. Convert it to uint8.")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == np.uint16:
        return upright_rgb(_greys(array))
    pixels = np.ascontiguousarray(_array_bytes(array, given))
    return upright_rgb(Image.fromarray(pixels))


def _array_bytes(array: np.ndarray, given: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * 255
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):  # also catches NaN
        raise ImageError(
            f"Got {given} with values from {low:g} to {high:g}, but 0..1 (floats) or 0..255 was expected. "
            "Rescale the values first."
        )
    if array.dtype.kind == "f" and high <= 1:
        array = array * 255
    return np.rint(array).astype(np.uint8)
