"""The model that the app opens with, and the picture that most tests look at with it: made once for all of them."""

from __future__ import annotations

from skimage import data

import vizvit

SHIPPED = vizvit.load_model("vizvit-tiny")
CAT = vizvit.capture(SHIPPED, data.chelsea())
