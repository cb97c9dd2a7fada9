"""How much time, memory and disk a submission may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a worker may use.

    Attributes:
        call: seconds of computing until a call must have returned; right code takes less than one.
        start: seconds of computing until the files must have been imported, PyTorch included, on a slow machine.
        wait: seconds that either may take besides where the machine computes something else.
        task: seconds for all calls of a task.
        total: seconds for the whole submission, within the ten minutes that the platform gives.
        memory: megabytes of memory, over all its processes; PyTorch with CUDA, torchvision, SciPy, Matplotlib, SymPy
            and IPython take 440 of them once they are imported.
        address: megabytes of data that one process may allocate.
        disk: megabytes of files.
        processes: processes and threads.
        cpu: seconds of computing, for one process.
    """

    call: float = 10.0
    start: float = 60.0
    wait: float = 50.0
    task: float = 90.0
    total: float = 420.0
    memory: int = 600
    address: int = 2000
    disk: int = 32
    processes: int = 64
    cpu: int = 200

    def of_process(self) -> dict[str, int]:
        """Return the limits of the operating system, by their names there."""
        mega = 1_000_000
        return {
            "RLIMIT_CPU": self.cpu,
            "RLIMIT_DATA": self.address * mega,
            "RLIMIT_NPROC": self.processes,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_FSIZE": self.disk * mega,
            "RLIMIT_CORE": 0,
            "RLIMIT_MSGQUEUE": 0,
        }
