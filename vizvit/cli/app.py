"""`app`: the app in the browser, from a checkout and from an installed wheel alike."""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path

from .options import count

EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s --port 8600
  %(prog)s --server.headless true

Every other option goes to Streamlit as it is; `streamlit run --help` lists them."""


def add(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        "app",
        help="the app in the browser",
        description="Start the app; Ctrl+C ends it.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--port", type=port, help="where the browser finds it (default: 8501, or the next free one)")
    parser.set_defaults(run=app, command="app", further=[])


def port(text: str) -> int:
    return count(text, 1, 65535)


def app(args: argparse.Namespace) -> int:
    """Become Streamlit: this process serves the app, and what ends it ends the app."""
    port = [] if args.port is None else [f"--server.port={args.port}"]
    sys.argv = ["streamlit", "run", str(script()), *port, *args.further]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)
    return 0


def script() -> Path:
    """The app's file; Streamlit reads `.streamlit/config.toml` beside it, whatever the folder it is started in."""
    inside = Path(__file__).parents[1] / "app" / "app.py"
    return inside if inside.is_file() else Path(__file__).parents[2] / "app.py"
