"""From paths to pictures, one by one, and from each to files of its own."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..files import write_bytes
from ..pictures.folder import SUFFIXES
from .options import UsageError
from .report import count, one_line, prediction, progress, say, tell

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from ..forward.capture import Capture
    from ..model.vit import VitModel


@dataclass(frozen=True)
class Picture:
    """path: where it is; name: what to call it; stem: what its results' paths below --out begin with."""

    path: Path
    name: str
    stem: str


@dataclass(frozen=True)
class Findings:
    """What a command found on one picture: figures by what they show ("": the main one), arrays by name.

    files: ready contents by the ending of the file's name.
    """

    figures: dict[str, Figure] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


# --- finding pictures


def find(sources: list[Path], out: Path) -> list[Picture]:
    """The pictures that were named and those in folders, sorted, each once, with stems that differ."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, but --out names a folder for the results.")
    found: dict[Path, Path] = {}  # the picture -> its place among the results
    for source in sources:
        if source.is_dir():
            if source.resolve() == out.resolve():
                raise UsageError(f"Results would go among the pictures of {source}: choose another folder with --out.")
            inside = {path: path.relative_to(source) for path in _inside(source, out)}
            if not inside:
                raise UsageError(f"There is no picture ({', '.join(SUFFIXES)}) in the folder {source}.")
        elif source.exists() or source.is_symlink():
            inside = {source: Path(source.name)}
        else:
            raise UsageError(f"There is no picture or folder at {source}.")
        known = {path.resolve() for path in found}
        found |= {path: place for path, place in inside.items() if path.resolve() not in known}
    ordered = sorted(found.items(), key=lambda item: (item[1].as_posix(), str(item[0])))
    stems = _stems([place for _, place in ordered])
    return [Picture(path, place.as_posix(), stem) for (path, place), stem in zip(ordered, stems, strict=True)]


def _inside(folder: Path, out: Path) -> list[Path]:
    """Pictures of a folder and its subfolders, but neither hidden ones nor earlier results."""
    results, found = out.resolve(), []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not name.startswith(".") and (here / name).resolve() != results]
        found += [here / name for name in files if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES]
    return found


def _stems(places: list[Path]) -> list[str]:
    """One for each place, such as "sub/cat"; "cat.jpg" and "cat.png" keep their endings, equals get a number.

    Upper and lower case are the same: on many disks they are.
    """
    short = [place.with_suffix("").as_posix() for place in places]
    times = Counter(stem.casefold() for stem in short)
    stems, taken = [], {stem.casefold() for stem in short if times[stem.casefold()] == 1}
    for place, stem in zip(places, short, strict=True):
        if times[stem.casefold()] > 1:
            full, number = place.as_posix(), 2
            stem = full
            while stem.casefold() in taken:
                stem, number = f"{full}-{number}", number + 1
            taken.add(stem.casefold())
        stems.append(stem)
    return stems


# --- one picture after another


def each_picture(
    args: argparse.Namespace,
    vit: VitModel,
    pictures: list[Picture],
    look: Callable[[Capture, str], Findings],
    **settings,
) -> int:
    """Capture each picture, look at it, write what was found; the exit code.

    look: from a capture and the picture's name to the findings. settings: what belongs beside the numbers.
    A picture that fails is named and counted, and the rest goes on.
    """
    from ..errors import CaptureError
    from ..forward.capture import capture
    from ..pictures.load import load_image

    writer = Writer(args, pictures)
    failed = 0
    for picture in progress(pictures, "picture"):
        try:
            cap = capture(vit, load_image(picture.path))
            found = look(cap, one_line(picture.name))
            read = "values" if vit.outputs == "value" else "probabilities"
            arrays = {read: cap.predictions} if len(cap.predictions) else {}
            written = writer.save(
                picture.stem,
                replace(found, arrays=found.arrays | arrays),
                about(vit, args.command, picture=picture.name, **settings),
            )
            tell(f"{picture.name}: {prediction(cap)} -> {', '.join(map(str, written))}")
        except (CaptureError, ModelError, UsageError):
            raise  # another picture would fare no better
        except ValueError as error:
            failed += 1
            say(_blame(picture, str(error)))
    if len(pictures) > 1:
        good = len(pictures) - failed
        say(f"{count(good, 'picture')} done, {failed} failed." if failed else f"{count(good, 'picture')} done.")
    return 1 if failed else 0


def _blame(picture: Picture, message: str) -> str:
    own = f"“{picture.path.name}” "  # how the library's messages begin, without the folder
    return f"{picture.name} {message.removeprefix(own)}" if message.startswith(own) else f"{picture.name}: {message}"


def about(vit: VitModel, command: str, **settings) -> dict:
    """Where numbers come from, to stand beside them."""
    from .._version import __version__

    return {"vizvit": __version__, "command": command, **vit.facts(), **settings}


# --- files


class Writer:
    """Writes results below the out folder; whole or not at all, and never over a picture that was read."""

    def __init__(self, args: argparse.Namespace, pictures: Sequence[Picture] = ()):
        self._out: Path = args.out
        self._command: str = args.command
        self._formats = list(dict.fromkeys(args.format or ["png"]))
        self._npz: bool = args.npz
        self._inputs = {key for picture in pictures if (key := _identity(picture.path))}

    def save(self, stem: str, found: Findings, facts: dict) -> list[Path]:
        """Files named STEM-COMMAND[-PART].FORMAT, STEM-COMMAND.ENDING and STEM-COMMAND.npz. Returns their paths."""
        contents: dict[Path, Callable[[], bytes]] = {}
        for part, figure in found.figures.items():
            for kind in self._formats:
                contents[self._path(stem, part, kind)] = partial(_drawn, figure, kind)
        for kind, content in found.files.items():
            contents[self._path(stem, "", kind)] = partial(bytes, content)
        if self._npz:
            contents[self._path(stem, "", "npz")] = lambda: _packed(found.arrays, facts)
        for path in contents:
            if _identity(path) in self._inputs:
                raise ValueError(f"{path} is one of the pictures and is not overwritten. Choose another --out.")
        for path, make in contents.items():
            _write(path, make())
        return list(contents)

    def _path(self, stem: str, part: str, kind: str) -> Path:
        return self._out / f"{stem}-{self._command}{'-' * bool(part)}{part}.{kind}"


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells one file from another, whatever its names; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _drawn(figure: Figure, kind: str) -> bytes:
    from ..figures import figure_bytes

    return figure_bytes(figure, kind)


def _packed(arrays: dict[str, Any], facts: dict) -> bytes:
    import io

    import numpy as np

    buffer = io.BytesIO()
    about = np.array(json.dumps(facts, ensure_ascii=True))
    np.savez_compressed(buffer, **arrays, about=about)
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    try:
        write_bytes(path, content)
    except ModelError as error:
        raise UsageError(f"{error} --out names it.") from error
