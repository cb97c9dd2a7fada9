"""The files that a training run writes: a log to read, a log for programs, a checkpoint, and the trained model.

Everything is named after the model: ``softmax.log``, ``softmax.jsonl``, ``softmax.checkpoint.pt``, ``softmax.pt``. The
last two hold arrays and plain values only, and are read with ``weights_only=True``: a file from elsewhere runs no code.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import torch

from coursework.files import atomic_writer, make_folder, naming, stand_in, to_disk
from coursework.terminal import explain


class RunFiles:
    """The paths of one run's files, named after it, in a folder that need not exist yet."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.log = folder / f"{name}.log"  # to read, with the test accuracy at the bottom
        self.history = folder / f"{name}.jsonl"  # for programs: one JSON object per line
        self.checkpoint = folder / f"{name}.checkpoint.pt"  # everything that a run needs to continue
        self.model = folder / f"{name}.pt"  # the weights that did best on the validation images, and how to use them

    def picture(self, kind: str) -> Path:
        """Return the path of a picture, as in ``softmax_gridfilt.png``."""
        return self.folder / f"{self.name}_{kind}.png"


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain values, completely or not at all."""
    buffer = io.BytesIO()  # torch.save would replace the system's errors by its own
    torch.save(dict(content), buffer)
    with atomic_writer(path) as stream:
        stream.write(buffer.getbuffer())


def load(path: Path) -> dict[str, Any]:
    """Read what :func:`save` wrote, onto the CPU.

    Raises:
        ValueError: if the file is missing, damaged or of another kind, or holds more than data.
        OSError: if the system cannot read it.
    """
    try:
        if instead := stand_in(path):
            raise ValueError(f"{path}: it is {instead}")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"{path}: there is no such file; `train` makes it") from error
    except (EOFError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        if explain(error):  # not enough memory
            raise
        if "Unsupported global" in str(error) or "Unsupported class" in str(error):
            more = "it holds more than weights and settings, such as a model that was saved whole, and cannot be read"
            raise ValueError(f"{path}: {more}: that could run code. `train` writes a file that can") from error
        raise ValueError(f"{path}: it cannot be read, so it is damaged or not a model: `train` makes one") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a dictionary of weights and settings, got {type(content).__name__}")
    return content


class RunLog:
    """Both logs of a run. A run that continues from a checkpoint truncates them to their length at the checkpoint."""

    def __init__(self, files: RunFiles | None, say: Callable[[str], None], position: tuple[int, int] = (0, 0)) -> None:
        """Open the logs of a run, if it writes files; ``say`` shows a line on the screen.

        ``position`` is the length of both, in bytes, from :meth:`position`; (0, 0) starts them over.
        """
        self._say = say
        self._streams: list[IO[bytes]] = []
        if files is not None:
            make_folder(files.folder)
            self._streams = list(map(_opened_at, (files.log, files.history), position))

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        for stream in self._streams:
            stream.close()

    def line(self, text: str) -> None:
        """Show a line, and write it to the log to read."""
        self._say(text)
        self._write(0, text)

    def record(self, kind: str, **values: Any) -> None:
        """Write a line to the log for programs."""
        self._write(1, json.dumps({"kind": kind, **values}))

    def position(self) -> tuple[int, int]:
        """Write both logs to the disk and return their lengths."""
        for stream in self._streams:
            with naming(Path(stream.name)):
                to_disk(stream)
        first, second = (stream.tell() for stream in self._streams) if self._streams else (0, 0)
        return first, second

    def _write(self, which: int, text: str) -> None:
        if self._streams:
            stream, left = self._streams[which], memoryview(text.encode() + b"\n")
            with naming(Path(stream.name)):
                while left:  # a disk that is nearly full writes only a part
                    left = left[stream.write(left) :]


def _opened_at(path: Path, place: int) -> IO[bytes]:
    stream = open(path, "r+b" if path.exists() else "w+b", buffering=0)  # noqa: SIM115  (closed with the log)
    stream.truncate(place)
    stream.seek(place)
    return stream


def read_history(path: Path) -> list[dict[str, Any]]:
    """Read a log for programs; an unfinished last line, from a run that was killed, is skipped.

    Raises:
        ValueError: if the file is missing, or a line before the last is not JSON.
        OSError: if the system cannot read it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise ValueError(f"{path}: there is no such file; `train` makes it") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: it is not a log of `train`, for it is not text in UTF-8") from error
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            if number < len(lines):
                raise ValueError(f"{path}: line {number} is not JSON ({error})") from error
    return records
