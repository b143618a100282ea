"""The picture in the sidebar: dropped, taken with the camera, or a sample."""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from vizvit.errors import ImageError
from vizvit.figures import ACCENT
from vizvit.model.reach import WHOLE, Box
from vizvit.pages.shared import look
from vizvit.pages.shared.address import note_in_address
from vizvit.pages.shared.language import say
from vizvit.pages.shared.photo import decoded, photo_key
from vizvit.pages.shared.pixels import photo_url
from vizvit.pages.shared.store import once
from vizvit.pictures.folder import SUFFIXES
from vizvit.pictures.load import MAX_BYTES
from vizvit.pictures.rgb import SCALED
from vizvit.pictures.samples import SAMPLES

DEFAULT = "cat"
WIDE = 640  # pixels of a thumbnail
EDGE = 0.03  # of a picture: where no side loses so much, there is no frame
PALE = 0.6  # of white over what the model does not see
OWN = "own"  # in the address while a picture is shown that no address can hold


def choose_picture(thumbnail) -> tuple[Image.Image, str, str]:
    """Draw the choice; returns the picture, its name, and the SHA-256 of its bytes.

    thumbnail: where it is shown, at once, with the frame that it had before.
    """
    state, t = st.session_state, say("picture")
    if state.setdefault("picture_lost", OWN in st.query_params):
        st.info(t["lost"])
    upload = st.file_uploader(
        t["drop"],
        type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        max_upload_size=MAX_BYTES // (1 << 20),
        key="upload",
        on_change=_use("upload"),
        help=t["drop_help"],
    )
    with st.popover(t["take"], icon=":material/photo_camera:", width="stretch"):
        photo = st.camera_input(t["camera"], key="camera", on_change=_use("camera"), label_visibility="collapsed")
    if state.image not in SAMPLES:
        st.warning(t["no_sample"].format(name=look.plain(state.image[:200])))
        state.image = DEFAULT
    state.setdefault("source", "sample")
    state.setdefault("sample_pills", state.image if state.source == "sample" else None)
    st.pills(
        t["samples"],
        list(SAMPLES),
        format_func=t.__getitem__,
        key="sample_pills",
        required=True,
        on_change=_use_sample,
    )
    source, data, title = state.source, None, ""
    given = {"upload": upload, "camera": photo}.get(source)
    if given is not None:
        data, title = given.getvalue(), given.name if source == "upload" else t["camera_picture"]
        try:
            image = decoded(data)
        except ImageError as error:
            st.error(look.failure("picture", error, title=title))
            data = None
    if data is None:
        data, title = SAMPLES[state.image].read(), t[f"sample_{state.image}"]
        image = decoded(data)
    note_in_address(OWN, "1" if given is not None or state.picture_lost else "")
    key = photo_key(data)
    last, seen = state.get("framed") or (None, WHOLE)
    _show(thumbnail, (image, title, key), seen if last == key else WHOLE)
    return image, title, key


def frame(thumbnail, chosen: tuple[Image.Image, str, str], seen: Box) -> None:
    """Show what the model sees of the picture that `choose_picture` gave; what is shown already is left alone."""
    key = chosen[2]
    if st.session_state.get("framed") != (key, seen):
        st.session_state.framed = key, seen
        _show(thumbnail, chosen, seen)


def _show(thumbnail, chosen: tuple[Image.Image, str, str], seen: Box) -> None:
    (image, title, key), t, place = chosen, say("picture"), thumbnail.container()
    # In the page itself: of a file, the browser might still ask when the frame has been drawn and the file is gone.
    made = ("thumbnail", key, seen)
    shown = once(made, lambda: photo_url(np.asarray(_thumbnail(image, seen).convert("RGB"))), len)
    place.image(shown, caption=look.plain(title), alt=t["chosen"].format(title=title))
    if SCALED in image.info:
        low, high = (f"{value:g}" for value in image.info[SCALED])
        place.caption(t["scaled"].format(low=low, high=high))


def _thumbnail(image: Image.Image, seen: Box) -> Image.Image:
    height = min(image.height, max(2 * image.width, round(seen[3] * image.height)))
    shown = image.crop((0, 0, image.width, height))  # first: a picture may be very long
    if image.width > WIDE:
        shown = shown.resize((WIDE, max(1, WIDE * shown.height // shown.width)))
    scale = shown.width / image.width * np.array((image.width, image.height) * 2)
    if max(seen[0], seen[1], 1 - seen[2], 1 - seen[3]) < EDGE:
        return shown
    left, top, right, bottom = (int(edge) for edge in np.rint(np.clip(seen, 0, 1) * scale))
    bottom = min(bottom, shown.height)
    framed = Image.blend(shown.convert("RGB"), Image.new("RGB", shown.size, "white"), PALE)
    framed.paste(shown.crop((left, top, right, bottom)), (left, top))
    line = max(2, shown.width // 100)
    ImageDraw.Draw(framed).rectangle((left, top, right - 1, bottom - 1), outline=ACCENT, width=line)
    return framed


def _use(source: str):
    def take() -> None:
        chosen = st.session_state[source] is not None
        st.session_state.source = source if chosen else "sample"
        st.session_state.picture_lost = False
        # No sample stands chosen beside a person's own picture, so that a click on any of them is one.
        st.session_state.sample_pills = None if chosen else st.session_state.image

    return take


def _use_sample() -> None:
    if st.session_state.sample_pills is not None:
        st.session_state.source = "sample"
        st.session_state.picture_lost = False
        st.session_state.image = st.session_state.sample_pills
