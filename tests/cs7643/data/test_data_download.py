"""Fetching CIFAR-10 from a local server that stalls, breaks off, is wrong, or gone: completely, or not at all."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from made_up import add_file, archive_catalogue, catalogue_of, files, listing, make_archive

from cs7643.data import DatasetError, find
from cs7643.data.cifar10 import CIFAR10, Catalogue, read
from cs7643.data.download import download

N = 12
SET = files(N)
ARCHIVE = make_archive(SET)
SIZE = len(ARCHIVE)
PATIENT = 60.0  # seconds: a busy machine must not look like a stalled source
QUICK = 0.4  # where the source stalls on purpose
LONG = 600  # seconds, for what takes a few on a machine with nothing else to do
FOLDER = CIFAR10.folder
PART = f"{CIFAR10.archive}.part"


@dataclass
class Mirror:
    """What one path of the server does."""

    content: bytes = ARCHIVE
    status: int = 200
    ranges: bool = True  # does it understand the Range header?
    content_range: str | None = None  # the answer to it, if it is to be wrong
    says_length: bool = True
    cut_after: int | None = None  # bytes, in each connection
    stall_after: int | None = None
    rate: float | None = None  # bytes per second
    location: str | None = None
    dead_after: int | None = None  # answers 503 once it has sent so many bytes
    asked: list[str | None] = field(default_factory=list)  # the Range header of each request
    sent: int = 0


class Server:
    """Mirrors by their path; ``url`` adds one and says where."""

    def __init__(self) -> None:
        self.mirrors: dict[str, Mirror] = {}
        self.closing = threading.Event()
        mirrors, closing = self.mirrors, self.closing

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                serve(self, mirrors[self.path], closing)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, mirror: Mirror) -> str:
        path = f"/{len(self.mirrors)}"
        self.mirrors[path] = mirror
        return self.base + path

    def catalogue(self, *mirrors: Mirror, archive: bytes = ARCHIVE, contents: dict[str, bytes] = SET) -> Catalogue:
        return archive_catalogue(archive, catalogue_of(contents, N), tuple(map(self.url, mirrors)))

    def close(self) -> None:
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()


def serve(handler: BaseHTTPRequestHandler, mirror: Mirror, closing: threading.Event) -> None:
    asked = handler.headers.get("Range")
    mirror.asked.append(asked)
    status, content = mirror.status, mirror.content
    if mirror.dead_after is not None and mirror.sent >= mirror.dead_after:
        status, content = 503, b""
    first = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and mirror.ranges and status == 200 else 0
    handler.send_response(206 if first else status)
    if mirror.location:
        handler.send_header("Location", mirror.location)
    if first:
        right = f"bytes {first}-{len(content) - 1}/{len(content)}"
        handler.send_header("Content-Range", mirror.content_range or right)
    if mirror.says_length:
        handler.send_header("Content-Length", str(len(content) - first))
    handler.end_headers()
    body = content[first : None if mirror.cut_after is None else first + mirror.cut_after]
    step = 8192 if mirror.rate is None else max(1, int(mirror.rate / 50))
    for start in range(0, len(body), step):
        if closing.is_set() or (mirror.stall_after is not None and start >= mirror.stall_after):
            closing.wait(LONG)
            break
        try:
            handler.wfile.write(body[start : start + step])
        except OSError:  # the other side has gone
            return
        mirror.sent += len(body[start : start + step])
        if mirror.rate is not None:
            time.sleep(step / mirror.rate)
    handler.close_connection = True


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def fetch(destination: Path, catalogue: Catalogue, timeout: float = PATIENT) -> list[str]:
    """Download, check that the set is there whole and nothing else is left, and return what was reported."""
    news: list[str] = []
    folder = download(destination, catalogue=catalogue, timeout=timeout, report=news.append)
    assert folder == destination / FOLDER
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == SET
    assert {path.name for path in destination.iterdir()} - {CIFAR10.archive} == {FOLDER, ".download.lock"}
    assert read(folder, catalogue)[1] == ()
    return news


def fail(destination: Path, catalogue: Catalogue, words: str, timeout: float = PATIENT) -> str:
    """Fail to download, check that no set is there, and return the message."""
    with pytest.raises(DatasetError, match=words) as caught:
        download(destination, catalogue=catalogue, timeout=timeout, report=lambda line: None)
    assert {path.name for path in destination.iterdir()} <= {".download.lock", PART, CIFAR10.archive}
    assert find(catalogue=catalogue, datasets=destination).folder is None
    return str(caught.value)


def test_a_set_comes_whole(tmp_path: Path, server: Server) -> None:
    mirror = Mirror()
    fetch(tmp_path / "new folder, née so", server.catalogue(mirror))
    assert mirror.asked == [None]


def nobody_listens() -> str:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}/"


BAD = {
    "404": Mirror(status=404, content=b"not here"),
    "500": Mirror(status=500, content=b"sorry"),
    "204": Mirror(status=204, content=b""),
    "a page": Mirror(content=b"<html>log in first</html>"),
    "a page of no stated length": Mirror(content=b"<html>log in first</html>", says_length=False),
    "nothing": Mirror(content=b""),
    "other bytes": Mirror(content=b"\0" + ARCHIVE[1:]),
    "zeros": Mirror(content=bytes(SIZE)),
    "a byte too many": Mirror(content=ARCHIVE + b"\0"),
    "zeros without end": Mirror(content=bytes(10 * SIZE), says_length=False),
    "a byte too few": Mirror(content=ARCHIVE[:-1]),
    "a byte too few, no stated length": Mirror(content=ARCHIVE[:-1], says_length=False),
    "silence": Mirror(stall_after=0),
    "always cut at the start": Mirror(cut_after=0),
    "a circle": Mirror(status=302, location="/0", content=b""),
    "a file of ours": Mirror(status=302, location="file:///etc/hostname", content=b""),
    "a redirection to nowhere": Mirror(status=301, location="http://127.0.0.1:1/", content=b""),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_source_gives_way(case: str, tmp_path: Path, server: Server) -> None:
    news = fetch(tmp_path, server.catalogue(replace(BAD[case], asked=[]), Mirror()), QUICK)
    assert server.base + "/1" in "".join(news)


@pytest.mark.parametrize("case", BAD)
def test_a_bad_source_alone_is_an_error_that_names_it(case: str, tmp_path: Path, server: Server) -> None:
    message = fail(tmp_path, server.catalogue(replace(BAD[case], asked=[])), "no source delivered it", QUICK)
    assert server.base + "/0: " in message
    assert f"into {tmp_path} and run" in message
    fetch(tmp_path, server.catalogue(Mirror()))  # and what it left does no harm


def test_a_host_that_does_not_answer_gives_way(tmp_path: Path, server: Server) -> None:
    catalogue = server.catalogue(Mirror())
    catalogue = replace(catalogue, sources=(nobody_listens(), "http://no-such-host.invalid/x", *catalogue.sources))
    assert sum("cannot be reached" in line for line in fetch(tmp_path, catalogue)) == 2


def test_every_failure_is_in_the_message(tmp_path: Path, server: Server) -> None:
    message = fail(tmp_path, server.catalogue(BAD["404"], BAD["500"], BAD["a page"]), "no source")
    assert "/0: answered 404" in message
    assert "/1: answered 500" in message
    assert f"/2: is not the archive: it has {len(BAD['a page'].content)} bytes" in message


def test_a_redirection_is_followed(tmp_path: Path, server: Server) -> None:
    goal = server.url(Mirror())
    catalogue = server.catalogue(Mirror(status=302, location=goal, content=b""))
    fetch(tmp_path, catalogue)


def test_a_connection_that_is_cut_again_and_again_goes_on_where_it_was(tmp_path: Path, server: Server) -> None:
    mirror = Mirror(cut_after=60_000)
    fetch(tmp_path, server.catalogue(mirror))
    assert mirror.asked == [None, *(f"bytes={first}-" for first in range(60_000, SIZE, 60_000))]


def test_the_next_source_goes_on_where_the_last_one_died(tmp_path: Path, server: Server) -> None:
    first, second = Mirror(cut_after=100_000, dead_after=100_000), Mirror()
    fetch(tmp_path, server.catalogue(first, second))
    assert second.asked == ["bytes=100000-"]
    assert first.sent + second.sent == SIZE


def test_a_source_without_ranges_starts_again_but_loses_nothing(tmp_path: Path, server: Server) -> None:
    (tmp_path / PART).write_bytes(ARCHIVE[:100_000])
    cut, whole = Mirror(ranges=False, cut_after=50_000), Mirror()
    fetch(tmp_path, server.catalogue(cut, whole))
    assert whole.asked == ["bytes=100000-"]
    (tmp_path / FOLDER).rename(tmp_path / "away")
    (tmp_path / "away").rename(tmp_path.parent / f"{tmp_path.name} away")
    (tmp_path / PART).write_bytes(ARCHIVE[:100_000])
    fetch(tmp_path, server.catalogue(Mirror(ranges=False)))


@pytest.mark.parametrize(
    "wrong", ["bytes 0-99/100", f"bytes 0-{SIZE - 1}/{SIZE}", f"bytes 1000-{SIZE - 1}/{SIZE + 1}", "bytes */*", "?"]
)
def test_a_wrong_range_is_noticed_and_the_whole_fetched(wrong: str, tmp_path: Path, server: Server) -> None:
    (tmp_path / PART).write_bytes(ARCHIVE[:1000])
    mirror = Mirror(content_range=wrong)
    fetch(tmp_path, server.catalogue(mirror))
    assert mirror.asked == ["bytes=1000-", None]


@pytest.mark.parametrize(
    "left",
    [b"", ARCHIVE[:1], ARCHIVE[:-1], ARCHIVE, ARCHIVE + b"\0", bytes(1000), bytes(SIZE), bytes(2 * SIZE)],
    ids=["nothing", "a byte", "all but one", "all", "too much", "other bytes", "all other bytes", "far too much"],
)
def test_whatever_an_earlier_run_left_the_set_comes_whole(left: bytes, tmp_path: Path, server: Server) -> None:
    (tmp_path / PART).write_bytes(left)
    fetch(tmp_path, server.catalogue(Mirror()))


def test_wrong_bytes_of_one_source_do_not_spoil_those_of_the_next(tmp_path: Path, server: Server) -> None:
    wrong = Mirror(content=bytes(SIZE), cut_after=SIZE // 2, dead_after=SIZE // 2)
    right = Mirror()
    fetch(tmp_path, server.catalogue(wrong, right))
    assert right.asked == [f"bytes={SIZE // 2}-", None]


def test_a_source_of_wrong_bytes_is_asked_once(tmp_path: Path, server: Server) -> None:
    mirror = Mirror(content=bytes(SIZE))
    fail(tmp_path, server.catalogue(mirror), "wrong checksum")
    assert mirror.asked == [None]


def test_what_follows_the_archive_is_left_out(tmp_path: Path, server: Server) -> None:
    mirror = Mirror(content=ARCHIVE + b"more", says_length=False)
    fetch(tmp_path, server.catalogue(mirror))
    assert mirror.asked == [None]


def test_two_wrong_sources_come_to_an_end(tmp_path: Path, server: Server) -> None:
    halves = [Mirror(content=bytes([k]) * SIZE, cut_after=SIZE // 2, rate=150_000) for k in (1, 2)]
    fail(tmp_path, server.catalogue(*halves), "wrong checksum")


def test_a_stalled_source_gives_way_and_its_part_is_kept(tmp_path: Path, server: Server) -> None:
    stalled, second = Mirror(stall_after=40_960), Mirror()  # it stalls until the test is over, or for LONG
    start = time.monotonic()
    fetch(tmp_path, server.catalogue(stalled, second), QUICK)
    assert time.monotonic() - start < LONG / 2
    (asked,) = second.asked
    assert asked is not None
    assert 0 < int(asked[len("bytes=") : -1]) <= 40_960


def test_proxies_of_the_environment_are_used(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://mirror.invalid/archive"
    server.mirrors[url] = Mirror()  # a proxy is asked for the whole address
    monkeypatch.setenv("http_proxy", server.base)
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of the first request
    fetch(tmp_path, replace(server.catalogue(), sources=(url,)))


# What already lies there


def test_an_archive_put_there_by_hand_is_used_and_kept(tmp_path: Path, server: Server) -> None:
    (tmp_path / CIFAR10.archive).write_bytes(ARCHIVE)
    fetch(tmp_path, server.catalogue())
    assert (tmp_path / CIFAR10.archive).read_bytes() == ARCHIVE


def test_a_wrong_archive_put_there_by_hand_is_left_alone(tmp_path: Path, server: Server) -> None:
    (tmp_path / CIFAR10.archive).write_bytes(ARCHIVE[:-5])
    fetch(tmp_path, server.catalogue(Mirror()))
    assert (tmp_path / CIFAR10.archive).read_bytes() == ARCHIVE[:-5]


def unpacked_by_a_browser() -> bytes:
    return gzip.decompress(ARCHIVE)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cifar-10-python.tar", unpacked_by_a_browser()),
        ("cifar-10-python.tar.tar", unpacked_by_a_browser()),
        ("cifar-10-python.tar (1).gz", ARCHIVE),
        ("cifar-10-python (1).tar.gz", ARCHIVE),
        ("CIFAR-10-python.tar.gz.crdownload", ARCHIVE),
        ("Unconfirmed 4711.crdownload", ARCHIVE),
        ("cifar-10-python.tar.gz.download", ARCHIVE),
    ],
)
def test_an_archive_under_another_name_is_used_and_kept(
    name: str, content: bytes, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CS7643_CIFAR10", raising=False)
    datasets = tmp_path / "a folder: née so"
    datasets.mkdir()
    (datasets / name).write_bytes(content)
    found = find(catalogue=server.catalogue(), datasets=datasets)
    assert name in found.reason
    assert found.folder is None
    folder = download(datasets, catalogue=server.catalogue(), report=lambda line: None)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == SET
    assert (datasets / name).read_bytes() == content
    assert find(catalogue=server.catalogue(), datasets=datasets).folder == folder


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cifar-10-python.tar.gz.crdownload", ARCHIVE[: SIZE // 2], "cannot be unpacked"),
        ("cifar-10-python.tar", unpacked_by_a_browser()[:100_000], "cannot be unpacked"),
        ("cifar-10-binary.tar.gz", make_archive({}), "lacks"),
        ("cifar-10-python.tar.gz", b"<html>log in first</html>", "a web page"),
        ("cifar-10-python.tar.gz", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("cifar10.tar.gz", make_archive({**SET, "test_batch": b"other"}), "wrong checksum"),
    ],
)
def test_what_is_like_the_archive_but_does_not_hold_it_is_named_and_left_alone(
    name: str, content: bytes, words: str, tmp_path: Path, server: Server
) -> None:
    (tmp_path / name).write_bytes(content)
    news: list[str] = []
    download(tmp_path, catalogue=server.catalogue(Mirror()), timeout=PATIENT, report=news.append)
    assert news[0].startswith(f"Leaving {tmp_path / name} alone: ")
    assert words in news[0]
    assert (tmp_path / name).read_bytes() == content
    assert {path.name for path in tmp_path.iterdir()} == {name, FOLDER, ".download.lock"}


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path, server: Server) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "mine").write_text("!", encoding="utf-8")
    before = listing(tmp_path / FOLDER)
    with pytest.raises(DatasetError, match="exists already"):
        download(tmp_path, catalogue=server.catalogue(Mirror()), report=lambda line: None)
    assert listing(tmp_path / FOLDER) == before


def test_a_full_disk_is_noticed_before_the_download(tmp_path: Path, server: Server) -> None:
    mirror = Mirror()
    catalogue = replace(server.catalogue(mirror), folder_bytes=10**18)
    fail(tmp_path, catalogue, r"1,000,000,000,000 MB are needed there")
    assert mirror.asked == []


# Unpacking: archives with the right checksum and the wrong content


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        tar.addfile(info)

    return add


def without(name: str) -> dict[str, bytes]:
    return {other: raw for other, raw in SET.items() if other != name}


def extra(name: str, raw: bytes) -> Callable[[tarfile.TarFile], None]:
    return lambda tar: add_file(tar, name, raw)


TEST_BATCH = f"{FOLDER}/test_batch"
ARCHIVES = {
    "no archive": (b"no archive at all", "cannot be unpacked"),
    "cut off": (ARCHIVE[: SIZE // 2], "cannot be unpacked"),
    "damaged": (ARCHIVE[: SIZE // 2] + b"damage" + ARCHIVE[SIZE // 2 + 6 :], "cannot be unpacked|wrong checksum|lacks"),
    "empty": (make_archive({}), "lacks cifar-10-batches-py/data_batch_1"),
    "a file missing": (make_archive(without("test_batch")), f"lacks {TEST_BATCH}"),
    "a file with other bytes": (make_archive({**SET, "test_batch": b"other"}), "test_batch in it has the wrong"),
    "elsewhere": (make_archive({f"../{name}": raw for name, raw in SET.items()}), "lacks"),
    "a link out": (make_archive(without("test_batch"), member(TEST_BATCH, tarfile.SYMTYPE, "/etc/passwd")), "regular"),
    "a link within": (make_archive(without("test_batch"), member(TEST_BATCH, tarfile.LNKTYPE, "a")), "regular"),
    "a pipe": (make_archive(without("test_batch"), member(TEST_BATCH, tarfile.FIFOTYPE)), "regular"),
    "a device": (make_archive(without("test_batch"), member(TEST_BATCH, tarfile.CHRTYPE)), "regular"),
    "a folder": (make_archive(without("test_batch"), member(TEST_BATCH, tarfile.DIRTYPE)), "regular"),
    "too large": (make_archive(SET, extra(f"{FOLDER}/big", bytes(10**6))), "unpacks to more than"),
    "another first": (make_archive(SET, extra(TEST_BATCH, b"fake")), "test_batch in it has the wrong checksum"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_a_wrong_archive_leaves_nothing(case: str, tmp_path: Path, server: Server) -> None:
    archive, words = ARCHIVES[case]
    mirror = Mirror(content=archive)
    fail(tmp_path / "datasets", server.catalogue(mirror, archive=archive), words)
    assert set(listing(tmp_path)) == {"datasets", "datasets/.download.lock", f"datasets/{PART}"}


@pytest.mark.parametrize(
    "add",
    [
        extra("../outside", b"!"),
        extra("/tmp/cs7643-outside", b"!"),
        extra(f"{FOLDER}/../../outside", b"!"),
        extra(f"{FOLDER}/data_batch_6", b"!"),
        member(f"{FOLDER}/way_out", tarfile.SYMTYPE, ".."),
        extra(f"{FOLDER}/way_out/outside", b"!"),
    ],
)
def test_what_is_not_expected_is_not_unpacked(
    add: Callable[[tarfile.TarFile], None], tmp_path: Path, server: Server
) -> None:
    archive = make_archive(SET, add)
    fetch(tmp_path / "datasets", server.catalogue(Mirror(content=archive), archive=archive))
    assert [path.name for path in tmp_path.iterdir()] == ["datasets"]
    assert not Path("/tmp/cs7643-outside").exists()


# Killed, stopped, twice at once

RUN = """
import argparse, json, signal, sys
from dataclasses import replace
from pathlib import Path
from cs7643.data import data_command
from cs7643.data.cifar10 import CIFAR10
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, also where the tests run in the background
args = argparse.Namespace(download=True, verify=False, cifar10_dir=None)
catalogue = replace(CIFAR10, **json.loads(sys.argv[2]))
sys.exit(data_command.main(args, catalogue=catalogue, datasets=Path(sys.argv[1])))
"""


def start_download(destination: Path, catalogue: Catalogue) -> subprocess.Popen[str]:
    """Start a download in a process of its own and wait until some of it is there."""
    fields = {key: value for key, value in vars(catalogue).items() if value != getattr(CIFAR10, key)}
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(destination), json.dumps(fields)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + LONG
    while not (destination / PART).exists() or (destination / PART).stat().st_size < 50_000:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_a_killed_download_leaves_no_set_and_goes_on_where_it_was(tmp_path: Path, server: Server) -> None:
    slow = Mirror(rate=200_000)
    process = start_download(tmp_path, server.catalogue(slow))
    process.kill()
    process.communicate()
    assert set(os.listdir(tmp_path)) == {PART, ".download.lock"}
    come = (tmp_path / PART).stat().st_size
    assert 0 < come < SIZE
    fast = Mirror()
    assert find(catalogue=server.catalogue(fast), datasets=tmp_path).folder is None
    fetch(tmp_path, server.catalogue(fast))
    assert fast.asked == [f"bytes={come}-"]


def test_the_folder_appears_whole(tmp_path: Path, server: Server) -> None:
    """No file is ever opened in the final folder: whenever it exists, all of it is there."""
    opened, watching = [], True
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if watching and event == "open" else None)
    download(tmp_path, catalogue=server.catalogue(Mirror()), report=lambda line: None)
    watching = False
    assert any(str(tmp_path) in path for path in opened)
    assert not any(str(tmp_path / FOLDER) in path for path in opened)


def test_a_run_killed_while_unpacking_leaves_no_set(tmp_path: Path, server: Server) -> None:
    half = tmp_path / f".{FOLDER}.part"
    half.mkdir()
    (half / "data_batch_1").write_bytes(b"half")
    (tmp_path / PART).write_bytes(ARCHIVE)
    catalogue = server.catalogue(Mirror())
    assert find(catalogue=catalogue, datasets=tmp_path).folder is None
    fetch(tmp_path, catalogue)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_control_c_keeps_the_part_and_says_so(tmp_path: Path, server: Server) -> None:
    process = start_download(tmp_path, server.catalogue(Mirror(rate=200_000)))
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert complaint.splitlines() == [f"data: stopped; the same command resumes the download in {tmp_path}"]
    assert (tmp_path / PART).stat().st_size >= 50_000


def test_two_downloads_at_once_do_not_mix(tmp_path: Path, server: Server) -> None:
    process = start_download(tmp_path, server.catalogue(Mirror(rate=100_000)))
    with pytest.raises(DatasetError, match="another download into it is running"):
        download(tmp_path, catalogue=server.catalogue(Mirror()), report=lambda line: None)
    news, complaint = process.communicate(timeout=LONG)
    assert (process.returncode, complaint) == (0, "")
    assert f"CIFAR-10 is in {tmp_path / FOLDER}, every file checked" in news
    assert {path.name: path.read_bytes() for path in (tmp_path / FOLDER).iterdir()} == SET
