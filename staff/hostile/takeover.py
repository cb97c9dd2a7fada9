"""Submissions that end, occupy or flood the machine, and such as reach for the grader and for the results."""

from __future__ import annotations

from coursework.root import ROOT
from staff.hostile.answers import LIAR
from staff.hostile.submission import Hostile, body, top

GONE = "ended the interpreter"
PORT = 45_871  # of the loopback; the tests listen there
HANGS = "gave no answer in time"
REPLY = """
import os, sys, struct, json
fd = int(sys.argv[1])
def frame(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack("<Q", len(body)) + body
def answer(*parts):
    f = sys._getframe()
    while not hasattr(f.f_locals.get("self"), "number"):
        f = f.f_back
    return frame({"tuple": [f.f_locals["self"].number, *parts]})
def result(value):
    return answer("result", value, {"tuple": []})
"""
LOOK = f"""
import os, pathlib
found = []
for place in ("{ROOT}", "/autograder", os.path.dirname(__file__) + "/../..", "/tmp", "/proc/" + str(os.getppid())):
    for name in ("autograder.json", "staff/judge.py", "coursework/staff/autograder/trying.py", "seed.json", "environ",
                 "mem", "maps", "cwd/results.json", "root/tmp"):
        try:
            found.append(pathlib.Path(place, name).read_bytes()[:40])
        except OSError:
            pass
if found:
    raise RuntimeError("FOUND " + repr(found))
"""


def forged(name: str, code: str, says: str = "cannot be read|returned more|wrong in") -> Hostile:
    """Return a submission that answers by itself, past the worker's code."""
    return body(name, code + "\nreturn w", says, REPLY)


ENDS = [
    top("ends Python when it is imported", "import os; os._exit(0)", GONE, 0.0),
    body("ends Python", "import os; os._exit(0)", GONE),
    top("exits when it is imported", "raise SystemExit(0)", "SystemExit", 0.0),
    body("exits", "import sys; sys.exit(0)", "ends the program"),
    body("raises KeyboardInterrupt", "raise KeyboardInterrupt", "ends the program"),
    body("raises GeneratorExit", "raise GeneratorExit", "ends the program"),
    body("crashes", "import ctypes; ctypes.string_at(0)", "signal 11"),
    body("aborts", "import os; os.abort()", "signal 6"),
    body("stops itself", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", HANGS),
    body("loops without an end", "while True: pass", HANGS),
    top("loops without an end when it is imported", "while True: pass", HANGS, 0.0),
    body("sleeps", "import time; time.sleep(1000)", HANGS),
    body("waits for itself", "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()", HANGS),
    body(
        "refuses to end",
        "import signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        HANGS,
    ),
    body("loops where nobody can interrupt", "return (10**7) ** (10**7) % 3", HANGS),
    body("ends at exit only", "import atexit, time; atexit.register(time.sleep, 1000); return w", "wrong in"),
    body(
        "threads without an end",
        "import threading\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()",
        "RuntimeError|ended|in time",
        "import time",
    ),
]

FLOODS = [
    body(
        "a fork bomb",
        "import os\nfor k in range(300):\n    try: os.fork()\n    except OSError: pass\nreturn w",
        "wrong|cannot be read",
    ),
    body(
        "children that detach themselves and wait",
        "import os, time\nfor k in range(5):\n    if os.fork() == 0:\n        os.setsid()\n"
        "        if os.fork() == 0: time.sleep(1000)\n        os._exit(0)\nreturn w",
        "wrong in",
    ),
    top(
        "a child that waits, and right answers",
        "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(1000)",
    ),
    body(
        "500 MB of memory", "x = np.ones(60_000_000); import time; time.sleep(9); return w", "MB of memory|MemoryError"
    ),
    body("memory without an end", "x = []\nwhile True: x.append(bytearray(10**6))", "MB of memory|MemoryError"),
    body(
        "memory of many children",
        """
        import os, time
        for k in range(8):
            if os.fork() == 0:
                x = b"x" * 10**8
                break
        time.sleep(100)
        """,
        "MB of memory|ended",
    ),
    body("asks for 50 GB", "return np.empty(50 * 10**9, np.uint8)", "MemoryError"),
    body("a file without an end", "f = open('x', 'wb')\nwhile True: f.write(bytes(10**6))", "OSError|ended"),
    body("files without an end", "for k in range(10**6): open(f'x{k}', 'w').close()", "OSError|MB of files"),
    body(
        "files elsewhere",
        """
        import os
        for place in ("/", "/etc", "/usr", "/opt", os.path.dirname(__file__), "/tmp", "/var/tmp", "/dev/shm"):
            try:
                open(place + "/cs7643-flood", "w").close()
            except OSError:
                continue
            if place not in ("/tmp", "/var/tmp", "/dev/shm"):  # where it can, what it writes there is removed
                raise RuntimeError("WROTE " + place)
        return w
        """,
        "wrong in",
    ),
    top(
        "output without an end, a while",
        "import os\nfor k in range(3000): os.write(1, b'x' * 65536); os.write(2, b'x' * 65536)",
    ),
    body("opens what can be opened", "x = [open('/dev/null') for k in range(10**5)]", "OSError"),
]

REACHES = [
    body("looks for the grader's files", LOOK + "return w", "wrong in"),
    body(
        "takes the solutions of the repository",
        f"x = {{}}; exec(open('{ROOT}/cs7643/descent.py').read(), x); return x['sgd_step'](w, term, eta)",
        "FileNotFoundError|PermissionError",
    ),
    body("prints the environment", "import os; raise RuntimeError(repr(dict(os.environ)))", "RuntimeError"),
    body(
        "reads the environment of all",
        "import glob\nx = []\nfor p in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):\n"
        "    try: x.append(open(p, 'rb').read()[-300:])\n    except OSError: pass\nraise RuntimeError(repr(x))",
        "RuntimeError",
    ),
    body(
        "ends its parent",
        "import os, signal; os.kill(os.getppid(), signal.SIGKILL); return w",
        "PermissionError|Process",
    ),
    body("ends everybody", "import os, signal; os.kill(-1, signal.SIGKILL); return w", GONE + "|wrong in|Process"),
    body(
        "traces its parent",
        "import ctypes, os; r = ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)\nreturn w + r",
        "wrong in",
    ),
    body("becomes root", "import os; os.setuid(0); return w", "PermissionError"),
    body("mounts", "import ctypes; ctypes.CDLL(None).unshare(0x10000000); return w", "wrong in"),
    body(
        "raises its limits",
        "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999)); return w",
        "ValueError|Error",
    ),
    body(
        "writes results.json",
        "for p in ('/autograder/results/results.json', 'results.json', '../results.json', '../../results.json'):\n"
        "    try: open(p, 'w').write('{\"score\": 41}')\n    except OSError: pass\nreturn w",
        "wrong in",
    ),
    top(
        "writes results.json at exit",
        """
        import atexit
        @atexit.register
        def _():
            open("/autograder/results/results.json", "w").write('{"score": 41}')
        """,
    ),
    top(
        "writes results.json from a child that waits",
        "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(2)\n"
        "    open('/autograder/results/results.json', 'w').write('{\"score\": 41}'); os._exit(0)",
    ),
    body(
        "puts links into its folder",
        """
        import os
        for name in ("results.json", "x.npy"):
            os.symlink("/etc/passwd", name)
        os.symlink("/", "all")
        return w
        """,
        "wrong in",
    ),
    body(
        "patches NumPy",
        "return w",
        "wrong in",
        "for name in ('array_equal', 'allclose', 'isclose', 'all', 'abs', 'max', 'any'):\n"
        "    setattr(np, name, lambda *a, **k: True)\nnp.testing.assert_allclose = print",
    ),
    body(
        "patches the checks that it has",
        "return w",
        "wrong in",
        """
        import coursework.check.comparison, coursework.check.case
        coursework.check.comparison.compare = coursework.check.case.run_case = lambda *a, **k: True
        """,
    ),
    body(
        "patches the worker's protocol",
        "return w",
        "cannot be read|wrong in",
        """
        import coursework.staff.autograder.inside.worker as worker
        worker.pack = lambda value: b"\\x04" + bytes(7) + b"pass"
        worker.Worker.answer = lambda *a: ("result", True, ())
        """,
        points=0.0,
    ),
    body(
        "looks for expected values in frames and objects",
        """
        import gc, sys
        f = sys._getframe()
        while f:
            if any("expected" in name for name in f.f_locals):
                raise RuntimeError("FOUND")
            f = f.f_back
        for o in gc.get_objects():
            if type(o).__name__ in ("Comparison", "Case", "Trial", "Config"):
                raise RuntimeError("FOUND")
        return w
        """,
        "wrong in",
    ),
    body(
        "patches what Python has",
        "return Liar()",
        "wrong in|Error|got",
        "import builtins\nbuiltins.isinstance = lambda *_: True\n" + LIAR,
        points=0.0,
    ),
    body(
        "talks to the network",
        """
        import socket
        for address in (("127.0.0.1", PORT), ("::1", PORT), ("8.8.8.8", 53)):
            try:
                socket.create_connection(address, 1)
            except OSError:
                continue
            raise RuntimeError("REACHED")
        return w
        """,
        "wrong in",
        f"PORT = {PORT}",
    ),
    body(
        "talks to sockets of this machine",
        """
        import socket
        for line in open("/proc/net/unix").read().splitlines()[1:]:
            place = line.split()[-1]
            if place.startswith(("/", "@")):
                s = socket.socket(socket.AF_UNIX)
                s.settimeout(1)
                try:
                    s.connect(place.replace("@", chr(0)))
                except OSError:
                    continue
                raise RuntimeError("REACHED " + place)
        return w
        """,
        "wrong in",
    ),
    body(
        "closes the connection",
        "import os, sys, time; os.close(int(sys.argv[1])); time.sleep(9)",
        "closed the connection|" + GONE,
    ),
]

FORGES = [
    forged("an answer that is no message", "os.write(fd, b'x' * 500)"),
    forged("a message that claims 2^60 bytes", "os.write(fd, struct.pack('<Q', 2**60))"),
    forged("a message of nothing", "os.write(fd, bytes(8))"),
    forged("a message that is not JSON", "os.write(fd, frame(b'{'))"),
    forged("a message of lists in lists", "os.write(fd, frame(b'[' * 100_000))"),
    forged("a verdict instead of a value", "os.write(fd, frame({'tuple': ['outcome', 'right', {'tuple': []}]}))"),
    forged("all points at once", "os.write(fd, frame({'dict': [['score', 41.0], ['max_score', 41.0]]}))"),
    forged("two answers to one question", "os.write(fd, 2 * result(0.5))"),
    forged("an array without its parts", "os.write(fd, result({'array': [7]}))"),
    forged("an array that claims 2^60 numbers", "os.write(fd, result({'array': ['d', [2**60], 'C', '']}))"),
    forged(
        "an array of objects, with a pickle", "os.write(fd, result({'array': ['O', [1], 'C', 'Y29zCl9leGl0Cg==']}))"
    ),
    forged("code for the dtype of an array", "os.write(fd, result({'array': [\"__import__('os')\", [1], 'C', '']}))"),
    forged("a special value of another task", "os.write(fd, result({'special': ['tensor']}))"),
    forged("a value of a type's name without an end", "os.write(fd, result({'opaque': 'x' * 10**5}))"),
    forged("an error that nobody raised", "os.write(fd, answer('error', 'CaseFailed', 'right'))"),
    forged("a call of what was not given", "os.write(fd, answer('callback', 0, {'tuple': []}))"),
    forged("a number with 100,000 digits", "os.write(fd, frame(b'{\"list\": [' + b'9' * 100_000 + b']}'))"),
    forged("900 kB of small values", "os.write(fd, result({'list': [0] * 300_000}))"),
    forged(
        "bytes, one after another, slowly", "import time\nfor k in range(1000): os.write(fd, b'\\1'); time.sleep(0.01)"
    ),
]

SUBMISSIONS = [*ENDS, *FLOODS, *REACHES, *FORGES]
