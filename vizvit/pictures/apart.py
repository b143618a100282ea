"""Pictures decoded in a process of their own, with bounded time and memory: what hostile bytes do there ends there.

    decode = Decoder(megabytes=2048, seconds=10)
    image = decode(data)

A few bytes can ask for minutes of work or gigabytes. The process is started once and stays for the next picture.
"""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from PIL import Image

from ..errors import ImageError

PATIENCE = 6  # times the processor's seconds, by the clock: other people's work may be in the way
_ROOT = Path(__file__).parents[2]
_LENGTH, _SIZE = struct.Struct("<Q"), struct.Struct("<?II")  # of what is sent; whether it is a picture, width, height


class Decoder:
    """`load_image` for bytes, in another process; any number of threads may share one, and take turns.

    megabytes: of memory, for what it holds, Python and Pillow among it. seconds: of the processor, for one picture.
    """

    def __init__(self, megabytes: int, seconds: int):
        self.megabytes, self.seconds = megabytes, seconds
        self._turn = threading.Lock()
        self._process: subprocess.Popen | None = None

    def __call__(self, data: bytes) -> Image.Image:
        """Raises ImageError for what is no picture, and for one that takes more time or memory than it may."""
        with self._turn:
            process = self.start()
            late = threading.Timer(PATIENCE * self.seconds, process.kill)
            late.start()
            try:
                _send(process.stdin, data)
                good, width, height = _SIZE.unpack(_exactly(process.stdout, _SIZE.size))
                answer = _exactly(process.stdout, _LENGTH.unpack(_exactly(process.stdout, _LENGTH.size))[0])
            except (OSError, EOFError) as error:
                self.close()
                raise ImageError(
                    f"This picture takes more than {self.seconds} seconds or {self.megabytes} MB to decode, the most "
                    f"that is allowed here. Open it in a picture program, export it as JPEG or PNG, and try again."
                ) from error
            finally:
                late.cancel()
        if not good:
            raise ImageError(answer.decode("utf-8"))
        return Image.frombytes("RGB", (width, height), answer)

    def start(self) -> subprocess.Popen:
        """The process, started where it does not run; the first picture need not wait for it then."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
            command = [sys.executable, "-m", "vizvit.pictures.apart", str(self.megabytes), str(self.seconds)]
            pipe = subprocess.PIPE
            environment = os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)
        return self._process

    def close(self) -> None:
        """End the process; the next picture starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what was not sent yet
                    stream.close()
            process.wait()


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


# --- the other process


def _serve(requests: IO[bytes], answers: IO[bytes], megabytes: int, seconds: int) -> None:
    from .load import load_image

    while head := requests.read(_LENGTH.size):
        data = _exactly(requests, _LENGTH.unpack(head)[0])
        _allow(megabytes, seconds)
        try:
            image = load_image(data)
            answer, said = _SIZE.pack(True, *image.size), image.tobytes()
        except ImageError as error:
            if isinstance(error.__cause__, MemoryError):
                return  # as the system ends a process that takes too much
            answer, said = _SIZE.pack(False, 0, 0), str(error).encode("utf-8", "replace")
        answers.write(answer)
        _send(answers, said)


def _allow(megabytes: int, seconds: int) -> None:
    """So much memory and so much more of the processor's time; the system ends the process that takes more."""
    try:
        import resource
    except ImportError:  # Windows: time alone is bounded there, by the clock
        return
    most, used = megabytes << 20, resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    _serve(sys.stdin.buffer, answers, int(sys.argv[1]), int(sys.argv[2]))
