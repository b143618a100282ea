"""What can go wrong, in sentences a person can act on: what was received, what was expected, what to do."""


class ImageError(ValueError):
    """A picture that cannot be read or is outside the bounds."""


class ModelError(ValueError):
    """A model or checkpoint that cannot be had, loaded or shown."""


class CaptureError(ValueError):
    """A forward pass whose attention cannot be recorded in full."""
