"""What the walls around a worker hold back where a submission cannot show it: other graders, other processes, ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from coursework.root import ROOT
from coursework.staff.autograder import build, classrun, exports, sandbox, student_report
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder.limits import Limits
from coursework.staff.autograder.package import Config
from coursework.zips import zipped
from staff.hostile.attack import threads
from staff.hostile.submission import DESCENT, body, folder, solved, top

pytestmark = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root has users to spare")
CONFIG = Config("some seed", (101,), rounds=1)
# A grader whose system refuses namespaces, as an ordinary container does.
BARE = "from coursework.staff.autograder.inside.launch import filter_calls; assert filter_calls()\n"
GRADE = """
import sys
from pathlib import Path
from coursework.staff.autograder.grade import grade
from coursework.staff.autograder import sandbox
from coursework.staff.autograder.package import Config
sandbox.USERS = range(int(sys.argv[3]), int(sys.argv[3]) + 1)
grade(Path(sys.argv[1]), Path(sys.argv[2]), Config("some seed", (101,), rounds=1), tasks=["4"])
"""
DEEP = "import os\nfor k in range(50): os.mkdir('d'); os.chdir('d')"
SHARED = "open('/dev/shm/cs7643-stays', 'w').close()"
INTERPRETER = all(path.stat().st_mode & 0o001 for path in Path(sys.executable).resolve().parents)
CHILD = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)"
STAYS = f"{CHILD}\nwhile True: time.sleep(1)"


def grader(code, place, tmp_path, user):
    """Start a grader in a process of its own."""
    command = [sys.executable, "-c", code, place, tmp_path / "results" / "results.json", str(user)]
    return subprocess.Popen(list(map(str, command)), cwd=ROOT)


def wait_until(holds, seconds=60):
    """Wait until something holds, and return whether it does."""
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.05)
    return holds()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_grader_that_is_ended_leaves_no_process(number, own_user, tmp_path):
    process = grader(GRADE, top("", STAYS).make(tmp_path / "in"), tmp_path, own_user)
    try:
        assert wait_until(lambda: len(set(threads(own_user))) >= 2)
    finally:
        process.send_signal(number)
        process.wait()
    assert wait_until(lambda: not threads(own_user), 10)


def test_without_namespaces_nothing_starts_while_others_can_read_what_is_the_graders(own_user, tmp_path):
    place = tmp_path / "class" / "ada"
    folder({DESCENT: solved(DESCENT)})(place)
    for path in (place, place.parent, tmp_path, tmp_path.parent, tmp_path.parent.parent):
        path.chmod(0o755)
    grader(BARE + GRADE, place, tmp_path, own_user).wait()
    found = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert "take that right from others (chmod go-rwx)" in found["tests"][-1]["output"]
    assert not found["extra_data"]["finished"]
    assert student_report.points(found) == 0


@pytest.mark.skipif(not INTERPRETER, reason="only root can read the interpreter")
@pytest.mark.parametrize("code", [CHILD, DEEP, SHARED], ids=["child", "deep", "shared"])
def test_without_namespaces_the_zip_grades_and_nothing_stays(code, tmp_path):
    """As in an ordinary container."""
    with zipfile.ZipFile(io.BytesIO(zipped(build.files(Config("a seed", (101, 102)))))) as archive:
        archive.extractall(tmp_path / "source")
    top("", code).make(tmp_path / "submission")
    environment = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(tmp_path), "AUTOGRADER_VENV": sys.prefix}
    command = [sys.executable, "-c", f"{BARE}import os, sys\nos.execvp('bash', sys.argv[1:])", "bash"]
    command.append(str(tmp_path / "source" / "run_autograder"))
    subprocess.run(command, env={**environment, "PYTHONPATH": str(ROOT)}, check=True)
    found = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert found["extra_data"]["finished"]
    assert "no namespaces (unshare: Operation not permitted)" in found["tests"][-1]["output"]
    assert student_report.points(found) == 4
    assert not [number for user in sandbox.USERS for number in threads(user)]
    assert not list(Path("/dev/shm").glob("cs7643-stays*"))


def test_a_worker_that_is_ended_from_outside_is_tried_again(own_user, tmp_path):
    place = top("", "import time\ntime.sleep(3)").make(tmp_path / "in")
    ended = []

    def end_once():
        if wait_until(lambda: threads(own_user)):
            time.sleep(1)
            ended.extend(threads(own_user))
            os.kill(ended[0], signal.SIGKILL)

    thread = threading.Thread(target=end_once)
    thread.start()
    found = grade(place, tmp_path / "results" / "results.json", CONFIG, tasks=["4"])
    thread.join()
    assert ended
    assert found["extra_data"]["finished"]
    assert student_report.points(found) == 1.0


def test_memory_of_one_submission_costs_another_nothing(tmp_path):
    code = """
    import mmap, time
    x = mmap.mmap(-1, 840_000_000)
    for k in range(0, len(x), 4096): x[k] = 1
    time.sleep(5)
    """
    place = tmp_path / "class"
    body("", code).make(place / "eve")
    folder({DESCENT: solved(DESCENT)})(place / "ada")
    assert classrun.run(exports.find(place), tmp_path / "out", CONFIG, Limits(), ["4"], 2) == 0
    points = {}
    for name in ("ada", "eve"):
        found = json.loads((tmp_path / "out" / classrun.FOLDER / name / classrun.RESULTS).read_text(encoding="utf-8"))
        points[name] = student_report.points(found)
    assert points == {"ada": 1.0, "eve": 0.5}
