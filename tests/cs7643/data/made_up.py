"""Made-up sets with the structure of CIFAR-10, small, written as Python 2 would have written them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cs7643.data.cifar10 import CIFAR10, Catalogue

N = 20  # images in a batch
DTYPE = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def string(text: str | bytes) -> bytes:
    raw = text.encode("ascii") if isinstance(text, str) else text
    if len(raw) < 256:
        return b"U" + bytes([len(raw)]) + raw
    return b"T" + len(raw).to_bytes(4, "little") + raw


def number(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes([value])
    return b"J" + value.to_bytes(4, "little", signed=True)


def array(raw: bytes, shape: tuple[int, ...], dtype: bytes = DTYPE, by_columns: bool = False) -> bytes:
    head = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    flag = b"\x88" if by_columns else b"\x89"
    return head + b"(K\x01(" + b"".join(map(number, shape)) + b"t" + dtype + flag + string(raw) + b"tb"


def python2_pickle(value: Any, memo: bool = True) -> bytes:
    """Return the instructions of Python 2's cPickle, with or without the memory that the official files use."""
    used = 0

    def keep() -> bytes:
        nonlocal used
        used += 1
        if not memo:
            return b""
        return b"q" + bytes([used]) if used < 256 else b"r" + used.to_bytes(4, "little")

    def write(value: Any) -> bytes:
        match value:
            case bytes() as instructions:
                return instructions
            case dict():
                return b"}" + keep() + b"(" + b"".join(write(k) + write(v) for k, v in value.items()) + b"u"
            case list():
                return b"]" + keep() + b"(" + b"".join(map(write, value)) + b"e"
            case str():
                return string(value) + keep()
            case int():
                return number(value)
            case np.ndarray():
                return array(value.tobytes(), value.shape) + keep()
        raise TypeError(type(value))

    return b"\x80\x02" + write(value) + b"."


def batch(name: str, n: int = N, seed: int = 0) -> dict[str, Any]:
    """Return what the file ``name`` holds, in the order of the official files."""
    if name == "batches.meta":
        return {"num_cases_per_batch": n, "label_names": list(CIFAR10.class_names), "num_vis": 3072}
    training = name.startswith("data_batch_")
    place = int(name[-1]) if training else 0
    rng = np.random.default_rng([seed, place])
    return {
        "batch_label": f"training batch {place} of 5" if training else "testing batch 1 of 1",
        "labels": rng.integers(0, 10, n).tolist(),
        "data": rng.integers(0, 256, (n, 3072), dtype=np.uint8),
        "filenames": [f"{name}_{i:05d}.png" for i in range(n)],
    }


def files(n: int = N, seed: int = 0, memo: bool = True) -> dict[str, bytes]:
    """Return the files of a whole set."""
    return {name: python2_pickle(batch(name, n, seed), memo) for name in CIFAR10.files}


def catalogue_of(contents: Mapping[str, bytes], n: int = N) -> Catalogue:
    """Return the catalogue in which these files are the official ones."""
    return replace(
        CIFAR10,
        files={name: hashlib.md5(raw).hexdigest() for name, raw in contents.items()},
        images_per_batch=n,
        folder_bytes=2 * sum(map(len, contents.values())),
        sources=(),
    )


def write_set(folder: Path, contents: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, raw in contents.items():
        (folder / name).write_bytes(raw)


def make_archive(contents: Mapping[str, bytes], extra: Callable[[tarfile.TarFile], None] | None = None) -> bytes:
    """Return a .tar.gz as CIFAR-10 comes in: a folder, the files, a page for readers."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        folder = tarfile.TarInfo(CIFAR10.folder)
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        if extra:
            extra(tar)
        for name, raw in {**contents, "readme.html": b"<p>Read me</p>"}.items():
            add_file(tar, f"{CIFAR10.folder}/{name}", raw)
    return buffer.getvalue()


def add_file(tar: tarfile.TarFile, name: str, raw: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(raw)
    tar.addfile(member, io.BytesIO(raw))


def archive_catalogue(archive: bytes, catalogue: Catalogue, sources: tuple[str, ...] = ()) -> Catalogue:
    md5 = hashlib.md5(archive).hexdigest()
    return replace(catalogue, archive_bytes=len(archive), archive_md5=md5, sources=sources)


def listing(folder: Path) -> dict[str, str]:
    """Return every path under a folder with what it is: the hash of a file, the target of a link, or "folder"."""

    def content(path: Path) -> str:
        if path.is_symlink():
            return f"link to {path.readlink()}"
        if path.is_dir():
            return "folder"
        return hashlib.sha256(path.read_bytes()).hexdigest()

    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*"))}
