"""The picture in the sidebar: dropped, taken with the camera, or a sample."""

from __future__ import annotations

import hashlib

import streamlit as st
from PIL import Image

from vizvit.errors import ImageError
from vizvit.image import MAX_BYTES, load_image
from vizvit.pages.samples import SAMPLES
from vizvit.pages.store import store

DEFAULT = "cat"


def choose_picture(thumbnail) -> tuple[Image.Image, str, str]:
    """Draw the choice; returns the picture, its name, and the SHA-256 of its bytes. thumbnail: where it is shown."""
    state = st.session_state
    upload = st.file_uploader(
        "Drop a photograph",
        type=["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"],
        max_upload_size=MAX_BYTES // (1 << 20),
        key="upload",
        on_change=_use("upload"),
        help="JPEG, PNG, WebP, GIF, BMP or TIFF up to 32 MB and 64 megapixels. "
        "It stays in this server's memory and is shown to nobody else.",
    )
    with st.popover("Take a picture", icon=":material/photo_camera:", width="stretch"):
        photo = st.camera_input("Camera", key="camera", on_change=_use("camera"), label_visibility="collapsed")
    if state.image not in SAMPLES:
        st.warning(f'The link names a sample picture "{state.image}" that does not exist; the cat stands in for it.')
        state.image = DEFAULT
    state.setdefault("source", "sample")
    state.setdefault("sample_pills", state.image)
    st.pills(
        "or take a sample",
        list(SAMPLES),
        format_func=lambda name: SAMPLES[name].title,
        key="sample_pills",
        required=True,
        on_change=_use_sample,
    )
    source, data, title = state.source, None, ""
    given = {"upload": upload, "camera": photo}.get(source)
    if given is not None:
        data, title = given.getvalue(), given.name if source == "upload" else "camera picture"
        try:
            image = _decode(data)
        except ImageError as error:
            st.error(f"{title}: {error}")
            data = None
    if data is None:
        sample = SAMPLES[state.image]
        data, title = sample.read(), f"sample: {sample.title.lower()}"
        image = _decode(data)
    thumbnail.image(_thumbnail(image), caption=title, alt=f"The chosen picture, {title}")
    return image, title, hashlib.sha256(data).hexdigest()


def _decode(data: bytes) -> Image.Image:
    key = ("image", hashlib.sha256(data).hexdigest())
    return store().results.get(key, lambda: load_image(data), lambda i: i.width * i.height * 3, lambda: None)


def _thumbnail(image: Image.Image) -> Image.Image:
    small = image.copy() if image.width <= 640 else image.resize((640, max(1, 640 * image.height // image.width)))
    return small.crop((0, 0, small.width, min(small.height, 2 * small.width)))


def _use(source: str):
    def take() -> None:
        chosen = st.session_state[source] is not None
        st.session_state.source = source if chosen else "sample"

    return take


def _use_sample() -> None:
    st.session_state.source = "sample"
    st.session_state.image = st.session_state.sample_pills
