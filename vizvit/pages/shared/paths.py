"""Whether a visitor may name files and folders of this machine: only a person at the machine itself, unless allowed."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

import streamlit as st

# What a proxy tells the server behind it; a browser on the same machine says none of these.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")


def allowed() -> bool:
    """`VIZVIT_PATHS` decides where it is set ("on", anything else is off), otherwise where the visitor is."""
    setting = os.environ.get("VIZVIT_PATHS")
    return setting == "on" if setting else at_the_machine()


def at_the_machine() -> bool:
    """Whether the visitor is a person at the machine itself: the server listens on the loopback address alone, and the
    visitor has called it by such a name, not through a proxy."""
    headers = st.context.headers
    if any(headers.get(name) for name in FORWARDED):
        return False
    called = urlsplit(f"//{headers.get('Host') or 'localhost'}").hostname
    return is_loopback(st.get_option("server.address")) and is_loopback(called)


def is_loopback(name: str | None) -> bool:
    """Whether an address or a host's name is this machine's own, without asking the network."""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name or "").is_loopback
    except ValueError:
        return False
