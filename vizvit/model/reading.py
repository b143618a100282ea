"""What a file of weights holds, known by its first bytes, never by its ending; no code in it is ever run.

Safetensors is read as such. What `torch.save` wrote is read with `weights_only`: a class that torch does not know (a
run's settings, a whole module) is never imported, an inert shell of that name takes its place.
"""

from __future__ import annotations

import pickletools
import re
import struct
import threading
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from ..errors import ModelError
from ..reading import parsed

TORCH_BEFORE_ZIP = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
HEADER = 100 << 20  # bytes, as the format has it
DOWNLOAD = "Download it again, in full."
EXPORT = 'Save the weights themselves: torch.save(model.state_dict(), "weights.pth").'
# First bytes -> what such a file is, what to do.
KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG", "a picture (PNG)", "Give it as the picture, and a file of weights as the model."),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Give it as the picture, and a file of weights as the model."),
    (b"GIF8", "a picture (GIF)", "Give it as the picture, and a file of weights as the model."),
    (b"BM", "a picture (BMP)", "Give it as the picture, and a file of weights as the model."),
    (b"II*\0", "a picture (TIFF)", "Give it as the picture, and a file of weights as the model."),
    (b"MM\0*", "a picture (TIFF)", "Give it as the picture, and a file of weights as the model."),
    (b"RIFF", "a picture or a sound (RIFF)", "Give the file of weights."),
    (b"%PDF", "a PDF document", "Give the file of weights."),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it and give what is in it."),
    (b"BZh", "compressed with bzip2", "Unpack it and give what is in it."),
    (b"\xfd7zXZ", "compressed with xz", "Unpack it and give what is in it."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it and give what is in it."),
    (b"\x89HDF", "an HDF5 file, as Keras writes it", "Give a PyTorch or safetensors file of the same model."),
    (b"GGUF", "a GGUF file of a language model", "Give a PyTorch or safetensors file of a Vision Transformer."),
    (b"\x93NUMPY", "one NumPy array", "Give a file of a whole model."),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "Fetch the file with: git lfs pull."),
)
# Torch's list of classes that may be rebuilt is one for the process.
_SHELLS = threading.Lock()


class Shell:
    """Stands where a file has an object of a class that is not imported: what it was made with, and its state."""

    def __init__(self, *args: Any, **_: Any):
        self.__dict__["args"] = args

    def __setstate__(self, state: Any) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.__dict__.update((str(key), value) for key, value in part.items())

    def __setitem__(self, key: Any, value: Any) -> None:
        self.__dict__[str(key)] = value

    def __hash__(self) -> int:
        return id(self)


def read(path: Path) -> Any:
    """The content of a file of weights on the CPU, as it was saved: a state dict, or what contains one.

    Raises ModelError, with what the file is and what to do, for anything else.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not there"
        raise ModelError(f"There is no weights file at {path}: it is {what}. Give the path of a file.")
    with path.open("rb") as file:
        start = file.read(512)
    if start[8:9] == b"{" and not start.lstrip().startswith(b"{"):
        return _safetensors(path)
    if start.startswith(b"PK"):
        return _archive(path)
    if start.startswith(TORCH_BEFORE_ZIP):
        return _torch(path)
    raise _refused(path, *_kind(start))


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of a safetensors file's tensors, read off its header alone; empty for any other file."""
    try:
        with path.open("rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            header = parsed(file.read(size)) if size <= min(HEADER, path.stat().st_size) else {}
        return {key: tuple(entry["shape"]) for key, entry in header.items() if key != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return {}


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = file.read(length) if length <= min(HEADER, size) else b""
    if length > size - 8:
        raise _refused(path, "a safetensors file that was cut short within its header", DOWNLOAD)
    try:
        entries = [entry for key, entry in parsed(header).items() if key != "__metadata__"]
        end = 8 + length + max((entry["data_offsets"][1] for entry in entries), default=0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(path, "no safetensors file, though it begins like one", DOWNLOAD) from error
    if size < end:
        short = f"a safetensors file that was cut short: {size:,} of its {end:,} bytes are there"
        raise _refused(path, short, DOWNLOAD)
    try:
        return load_file(path)
    except Exception as error:
        raise _refused(path, f"a damaged safetensors file ({_line(error)})", DOWNLOAD) from error


def _archive(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        what = "a zip archive, as torch.save writes it, that was cut short"
        raise _refused(path, what, DOWNLOAD) from error
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner:
        raise _refused(path, "a TorchScript program (code with its weights)", EXPORT)
    if "data.pkl" in inner:
        return _torch(path, mmap=True)
    if names and all(name.endswith(".npy") for name in names):
        what = "a NumPy archive, as JAX models are kept in"
        raise _refused(path, what, "Give the same model as a PyTorch or safetensors file.")
    held = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    what = f"a zip archive that holds {held or 'nothing'}"
    raise _refused(path, what, "Unpack it and give the file of weights in it.")


def _torch(path: Path, **options: Any) -> Any:
    names: list[str] = []
    try:
        with _SHELLS:
            try:
                return torch.load(path, map_location="cpu", weights_only=True, **options)
            except Exception:
                names = _strangers(path)
                if not names:
                    raise
            shells = [(type(name.rpartition(".")[2], (Shell,), {"__module__": name}), name) for name in names]
            with torch.serialization.safe_globals(shells):
                return torch.load(path, map_location="cpu", weights_only=True, **options)
    except Exception as error:
        asks = f"it asks for {', '.join(names[:3])}" if names else _line(error)
        raise _refused(path, f"a file of torch.save that weights alone do not explain ({asks})", EXPORT) from error


def _strangers(path: Path) -> list[str]:
    """The classes and functions by which a file would be rebuilt and which torch does not know."""
    if zipfile.is_zipfile(path):
        return torch.serialization.get_unsafe_globals_in_checkpoint(path)
    found: dict[str, None] = {}
    with path.open("rb") as file:
        for _ in range(4):  # torch's mark, its version, the machine, then the content
            for code, argument, _ in pickletools.genops(file):
                if code.name == "GLOBAL":
                    found[".".join(argument.split(" "))] = None
    known = ("torch.", "collections.OrderedDict", "torch._utils.")
    return [name for name in found if not name.startswith(known)]


def asked_for(content: Any) -> list[str]:
    """The names of the classes and functions that shells of a content stand for, where nothing else is in it."""
    found: list[str] = []
    waiting = [content]
    while waiting and len(found) < 3:
        part = waiting.pop()
        if isinstance(part, Shell):
            found.append(type(part).__module__)
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, (list, tuple)):
            waiting += part
    return found


def _kind(start: bytes) -> tuple[str, str]:
    """What a file is by its first bytes, and what to do."""
    if not start:
        return "empty", DOWNLOAD
    for mark, what, advice in KINDS:
        if start.startswith(mark):
            return what, advice
    if start[257:262] == b"ustar":
        return "a tar archive", "Unpack it and give the file of weights in it."
    if start[0] == 0x80 and start[1:2] in b"\x02\x03\x04\x05":
        return "a Python pickle that torch.save did not write", f"Such files need to run code to be read. {EXPORT}"
    text = start.decode("utf-8", "ignore").strip()
    if re.match(r"(?i)<(!doctype html|html|head|\?xml)", text):
        title = re.search(r"(?is)<title>\s*(.*?)\s*</title>", text)
        named = f' ("{title[1][:60]}")' if title else ""
        return f"a web page{named}, such as an error or a sign-in page", "Download the file itself again."
    if text.startswith(("{", "[")):
        advice = "Give the file of weights, or the folder that holds it with its config.json."
        return "JSON text, not weights", advice
    if (len(text.encode()) > 0.9 * len(start.strip()) and text.isprintable()) or text.replace("\n", "").isprintable():
        return f'text that begins "{" ".join(text.split())[:40]}"', "Give a file of weights."
    return "of no kind that is known here", "Give a safetensors file, or what torch.save wrote."


def _refused(path: Path, what: str, advice: str) -> ModelError:
    return ModelError(f"{path.name} cannot be read as weights: it is {what}. {advice}")


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
