"""The command line: `python -m vizvit COMMAND` writes figures and numbers for pictures, or starts the app.

Each command is one function with its parser beside it, in a file of its own name: `add(commands)` describes
it, and the function takes the parsed arguments and returns the exit code. Only the functions import torch, so
that help and wrong options answer at once.

Exit codes: 0 all good, 1 some pictures failed, 2 wrong usage or a model that cannot be had, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from .. import process
from .._version import __version__
from . import (
    app,
    attention,
    evaluate,
    explorer,
    features,
    finetune,
    heads,
    lesson,
    models,
    position,
    rollout,
    study,
    train,
)
from .options import Parser, UsageError
from .report import one_line, say

COMMANDS = (
    app,
    attention,
    rollout,
    features,
    position,
    heads,
    explorer,
    lesson,
    models,
    train,
    finetune,
    evaluate,
    study,
)

DESCRIPTION = """\
See how a Vision Transformer attends: the app, or figures and numbers for pictures without a browser.

Every figure says which weights it is of; untrained weights are named as such. Beside each figure go
its numbers as a NumPy .npz file. Results go to the folder vizvit-out, which --out changes."""

EPILOG = """\
examples:
  %(prog)s app
  %(prog)s attention cat.jpg
  %(prog)s rollout photos/ --format png,pdf --out results
  %(prog)s heads cat.jpg --model vit_small_patch16_224.dino
  %(prog)s explorer cat.jpg
  %(prog)s lesson --out vit.html
  %(prog)s models dino

exit codes: 0 all good, 1 some pictures failed, 2 wrong usage or a model that cannot be had."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, and prints an error as one line, never a traceback."""
    process.wait_briefly()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name the terminal cannot spell is no reason to stop
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # a file name in a caption
            code = _run(argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        say("interrupted.")
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("VIZVIT_TRACEBACK"):
            raise
        expected = isinstance(error, (UsageError, *_library_errors()))
        reason = one_line(str(error)) or type(error).__name__
        if not expected:
            reason = f"unexpected {type(error).__name__}: {reason}. VIZVIT_TRACEBACK=1 shows where."
        say(reason)
        return 2


def _run(argv: Sequence[str] | None) -> int:
    try:
        args = _parsed(argv)
        args.line = shlex.join(["python", "-m", "vizvit", *(sys.argv[1:] if argv is None else argv)])
    except SystemExit as done:  # --help and --version
        return int(done.code or 0)
    return args.run(args)


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments; those that a command passes on, as `app` does to Streamlit, as `further`."""
    parser = _parser()
    args, further = parser.parse_known_args(argv)
    if further and "further" not in args:
        parser.error(f"unrecognized arguments: {' '.join(further)}")
    args.further = further
    return args


def _parser() -> Parser:
    as_module = Path(sys.argv[0]).name == "__main__.py"
    parser = Parser(prog="python -m vizvit" if as_module else "vizvit", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"vizvit {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser


def _library_errors() -> tuple[type[Exception], ...]:
    from ..errors import CaptureError, ImageError, ModelError

    return CaptureError, ImageError, ModelError
