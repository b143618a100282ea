"""A picture from its bytes, decoded once for all sessions, and the key that it is known by."""

from __future__ import annotations

import hashlib

from PIL import Image

from vizvit.pages.shared.store import once, store


def photo_key(data: bytes) -> str:
    """The SHA-256 of a picture's bytes: equal for equal files alone."""
    return hashlib.sha256(data).hexdigest()


def decoded(data: bytes) -> Image.Image:
    """Raises ImageError for bytes that are no picture."""
    return once(("image", photo_key(data)), lambda: store().decode(data), lambda image: image.width * image.height * 3)
