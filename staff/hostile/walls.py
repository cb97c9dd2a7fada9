"""Submissions that try the walls around a worker: processes, the disk, system calls, memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from coursework.staff.autograder.limits import Limits
from staff.hostile.submission import DESCENT, Hostile, body, folder, solved, top
from staff.hostile.takeover import GONE, HANGS

MODELS, STEPS = "cs7643/pytorch/models.py", "cs7643/pytorch/steps.py"
THREADS = "import torch\ntorch.set_num_threads(4)\nassert (torch.ones(500, 500) @ torch.ones(500, 500)).min() == 500\n"
LIBC = """
import ctypes, errno, os, platform, signal, time
libc = ctypes.CDLL(None, use_errno=True)
def call(x86, arm, *arguments):
    return libc.syscall(ctypes.c_long(x86 if platform.machine() == "x86_64" else arm), *map(ctypes.c_long, arguments))
def refused(result, *errors):
    if result >= 0 or ctypes.get_errno() not in (errors or (errno.EPERM,)):
        raise RuntimeError("REACHED %d %s" % (result, os.strerror(ctypes.get_errno())))
"""
LEADER_ENDS = """
import threading
if os.fork() == 0:
    os.setsid()
    x = []
    threading.Thread(target=WORK).start()
    call(60, 93, 0)  # the first thread ends, and no other
"""
STOP = """
for k in range(4):
    if os.fork() == 0:
        os.setsid()
        for s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)
        while True:
            try: os.kill(-1, signal.SIGSTOP)
            except OSError: pass
"""


def tries(name: str, code: str, says: str = "wrong in", points: float = 0.5) -> Hostile:
    """Return a submission whose sgd_step runs this code, with the C library at hand, and returns a wrong answer."""
    return body(name, f"{code.strip()}\nreturn w", says, LIBC, points)


def calls(name: str, x86: int, arm: int, *arguments: int) -> Hostile:
    """Return a submission that makes a system call, which must be refused whatever the arguments are."""
    return tries(name, f"refused(call({', '.join(map(str, (x86, arm, *arguments)))}))")


def searches(name: str, *files: str) -> Hostile:
    """Return a submission that looks for files of these names on the whole disk; everybody can read a neighbour's.

    It leaves out the libraries, which are large.
    """
    code = f"""
    import os, sys
    known = ("/proc", "/sys", "/usr/lib", *(f"{{at}}/lib" for at in (sys.prefix, sys.base_prefix)))
    for place, folders, names in os.walk("/"):
        folders[:] = [each for each in folders if os.path.join(place, each) not in known]
        for each in {files}:
            if each in names and not place.startswith(os.path.dirname(os.path.dirname(__file__))):
                try: raise RuntimeError("FOUND " + place + open(os.path.join(place, each)).read()[:50])
                except OSError: pass
    return w
    """
    found = body(name, code, "wrong in")

    def make(place: Path) -> Path:
        for each in files:
            path = place.parent / "neighbour" / each
            path.parent.mkdir(exist_ok=True)
            path.write_text(solved(DESCENT), encoding="utf-8")
        for path in (place, place.parent):
            path.chmod(0o755)
        return found.make(place)

    return dataclasses.replace(found, make=make)


PROCESSES = [
    tries("stops everybody for ever", STOP + "time.sleep(1000)", HANGS),
    top("stops everybody for ever when it is imported", f"{LIBC}{STOP}time.sleep(1000)", HANGS, 0.0),
    tries("a first thread that ends before another", LEADER_ENDS.replace("WORK", "lambda: time.sleep(1000)")),
    tries(
        "the worker's first thread ends",
        "import threading\nthreading.Thread(target=lambda: time.sleep(1000)).start()\ncall(60, 93, 0)",
        HANGS,
    ),
    tries(
        "a parent in the kernel until its child ends",
        "if os.fork() == 0:\n    os.setsid()\n    if call(58, 220, 0x4111) == 0: libc.pause()\n    os._exit(0)",
    ),
    tries(
        "ends whoever ends it",
        "for p in range(1, 300):\n    for s in (9, 19):\n        try: p - os.getpid() and os.kill(p, s)\n"
        "        except OSError: pass",
        "wrong in|" + GONE,
    ),
    tries("stops its parent", "os.kill(os.getppid(), signal.SIGSTOP)", "PermissionError|wrong in"),
    tries("ends itself from outside, as it looks", "os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
    tries(
        "its child ends it",
        "if os.fork() == 0: os.kill(os.getppid(), signal.SIGKILL); os._exit(0)\ntime.sleep(9)",
        "signal 9",
    ),
    tries(
        "reads what its parent has",
        "for name in ('environ', 'mem', 'maps', 'cwd', 'root/etc/passwd', 'fd/0'):\n"
        "    try: open('/proc/%d/%s' % (os.getppid(), name), 'rb').read(9)\n    except OSError: continue\n"
        "    raise RuntimeError('FOUND ' + name)",
    ),
    tries(
        "lets others be ended first",
        "with open('/proc/self/oom_score_adj', 'w') as f: f.write('-1000')",
        "PermissionError",
    ),
    tries(
        "children that outlive it, thirty", "for k in range(30):\n    if os.fork() == 0: os.setsid(); time.sleep(1000)"
    ),
]

FILES = [
    searches("looks for another clone of the solutions", "descent.py"),
    searches("looks for its neighbours' submissions", "hw1.zip", "predictions.csv", "collaborators.txt"),
    searches("looks for what the platform says about it", "submission_metadata.json"),
    searches("looks for the seeds", "seed.json", "autograder.json", "results.json", "grades.csv"),
    tries(
        "opens the machine's devices",
        "for name in os.listdir('/dev'):\n    if name not in ('null', 'zero', 'full', "
        "'random', 'urandom', 'tty', 'ptmx', 'shm', 'fd', 'mqueue', 'stdin', 'stdout', 'stderr', 'pts'):\n"
        "        try: os.close(os.open('/dev/' + name, os.O_RDWR))\n        except OSError: continue\n"
        "        raise RuntimeError('REACHED ' + name)",
    ),
    tries(
        "changes Python",
        "import json, sys\nfor path in (sys.executable, os.__file__, json.__file__, np.__file__, __file__):\n"
        "    try: open(path, 'r+b')\n    except OSError: continue\n    raise RuntimeError('REACHED ' + path)",
    ),
    tries(
        "folders in folders, 3000 deep",
        "for k in range(3000):\n    os.mkdir('d'); os.chdir('d')",
        "OSError|MB of files",
    ),
    tries(
        "a deep folder that stays", "for k in range(1500):\n    os.mkdir('d'); os.chdir('d')\nopen('cs7643-flood', 'w')"
    ),
    tries(
        "files that are deleted, and stay open",
        "x = []\nfor k in range(100):\n    f = open('x', 'wb', buffering=0)\n"
        "    x.append(f)\n    os.unlink('x')\n    f.write(bytes(10**6))",
        "OSError|MB of files",
    ),
    tries(
        "links to the whole disk, and a thousand more",
        "for k in range(1000): os.symlink('/', 'x%d' % k)",
        "wrong in|MB of files",
    ),
    tries(
        "files in the memory that is shared",
        "for k in range(100):\n    open('/dev/shm/cs7643-flood%d' % k, 'wb').write(bytes(10**6))",
        "OSError|MB of files",
    ),
    tries(
        "semaphores and shared memory that stay",
        "from multiprocessing import shared_memory as m\n"
        "x = [m.SharedMemory(create=True, size=4096) for k in range(20)]\nos._exit(0)",
        GONE,
    ),
]

CALLS = [
    calls("a user namespace", 272, 97, 0x10000000),
    calls("a mount namespace", 272, 97, 0x20000),
    calls("enters a namespace", 308, 268, 0, 0),
    calls("a child in a user namespace", 56, 220, 0x10000011, 0, 0, 0, 0),
    tries(
        "clone3, and threads nevertheless",
        """
buffer = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
refused(call(435, 435, ctypes.addressof(buffer), 88), errno.ENOSYS)
import threading
t = threading.Thread(target=lambda: x.append(1)); x = []
t.start(); t.join()
if x != [1]: raise RuntimeError("REACHED nothing")
""",
    ),
    calls("mounts a file system", 165, 40, 0, 0, 0, 0, 0),
    calls("opens a file system", 430, 430, 0, 0),
    calls("unmounts", 166, 39, 0, 2),
    calls("another root", 161, 51, 0),
    calls("another root, by a pivot", 155, 41, 0, 0),
    calls("a key", 248, 217, 0, 0, 0, 0, -3),
    calls("a keyring", 250, 219, 0, -3, 1),
    calls("asks for a key", 249, 218, 0, 0, 0, 0),
    calls("a program for the kernel", 321, 280, 0, 0, 0),
    calls("counts what the processor does", 298, 241, 0, 0, -1, -1, 0),
    calls("handles its own page faults", 323, 282, 0),
    calls("reads the memory of another process", 310, 270, 1, 0, 0, 0, 0, 0),
    calls("writes the memory of another process", 311, 271, 1, 0, 0, 0, 0, 0),
    calls("traces itself", 101, 117, 0, 0, 0, 0),
    calls("takes a descriptor of another process", 438, 438, 0, 0, 0),
    calls("reads the log of the kernel", 103, 116, 3, 0, 0),
    tries("a ring of system calls", "refused(call(425, 425, 8, 0), errno.ENOSYS)"),
    tries(
        "FUSE",
        "os.open('/dev/fuse', os.O_RDWR); raise RuntimeError('REACHED')",
        "FileNotFoundError|PermissionError|REACHED",
    ),
    calls("a queue of messages", 68, 186, 0, 0o1600),
    calls("semaphores of System V", 64, 190, 0, 5, 0o1600),
    calls("a queue of messages, of the other kind", 240, 180, 0, 0o101, 0o600, 0),
]

MEMORY = [
    calls("shared memory of System V, 840 MB", 29, 194, 0, 840_000_000, 0o1600),
    tries(
        "a file in memory, 840 MB",
        "f = os.memfd_create('x')\nfor k in range(840): os.write(f, bytes(10**6))\ntime.sleep(5)",
        "OSError|MB of memory",
    ),
    tries("a secret file in memory", "refused(call(447, 447, 0), errno.ENOSYS)"),
    tries(
        "memory of a thread whose first thread has ended",
        LEADER_ENDS.replace("WORK", "lambda: (x.append(b'x' * 300_000_000), time.sleep(1000))") + "time.sleep(1000)",
        "MB of memory",
    ),
    tries(
        "memory that parent and child share, 300 MB",
        "import mmap\nx = mmap.mmap(-1, 300_000_000)\nfor k in range(0, len(x), 4096): x[k] = 1\ntime.sleep(1000)",
        "MB of memory",
    ),
    tries(
        "memory in a child that hides",
        "import ctypes\nif os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n"
        "    libc.prctl(4, 0, 0, 0, 0)\n    x = b'x' * 300_000_000\n    time.sleep(1000)\ntime.sleep(1000)",
        "MB of memory",
    ),
    tries(
        "memory in pipes",
        "import fcntl\nfor k in range(100):\n    r, w_ = os.pipe()\n"
        "    try: fcntl.fcntl(w_, 1031, 2**20)\n    except OSError: pass\n    os.set_blocking(w_, False)\n"
        "    try: os.write(w_, bytes(2**20))\n    except OSError: pass",
        "wrong in|MB of memory",
    ),
]

HONEST = [
    top(
        "threads, shared memory, temporary files, random numbers",
        """
import multiprocessing.shared_memory, random, subprocess, sys, tempfile, threading, time
assert subprocess.run([sys.executable, "-c", "print(2)"], capture_output=True, check=True).stdout == b"2\\n"
m = multiprocessing.shared_memory.SharedMemory(create=True, size=100); m.close(); m.unlink()
t = threading.Thread(target=time.sleep, args=(0.01,)); t.start(); t.join()
with tempfile.TemporaryFile() as f: f.write(bytes(10**6))
random.random(), time.localtime(), open("notes.txt", "w").close()
""",
    ),
    top(
        "processes",
        """
import multiprocessing
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(abs, [-1, 2]) == [1, 2]
""",
    ),
    Hostile(
        "PyTorch with threads",
        folder({MODELS: solved(MODELS), STEPS: solved(STEPS).replace("import torch\n", THREADS, 1)}),
        1.0,
        "update_step: right",
        ("6.4",),
        limits=Limits(),
    ),
]
