"""Blocks of images, distributed among threads.

NumPy releases Python's global lock while it computes, so threads run in parallel if each call has enough to do. BLAS
would start threads of its own within each of ours, so it is limited to one meanwhile. The blocks depend on the number
and size of the images alone, and results are returned in the order of the blocks, so a sum over them has the same bits
for any number of threads.
"""

from __future__ import annotations

import functools
import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from threadpoolctl import ThreadpoolController

BLOCK_BYTES = 2**20  # the results of a block: small enough for the cache, large enough to be worth the calls
EVEN_SHARES = 4  # the number of blocks is a multiple of this, so that two or four threads get equal parts ...
WORTH_SHARING = 2**19  # ... unless there is little work: then two blocks, or one if starting a thread would take longer

Buffers = TypeVar("Buffers")
Result = TypeVar("Result")
_one_at_a_time = threading.RLock()  # two threads would undo each other's limit on BLAS
_held_from: int | None = None  # how many threads BLAS had before it was limited


def divide(count: int, bytes_each: int) -> list[slice]:
    """Divide ``count`` images, each with ``bytes_each`` of results, into blocks of equal size, give or take one image.

    A block has at least one image, and at most BLOCK_BYTES where an image is smaller than that.
    """
    total = count * bytes_each
    parts = max(1 if total <= WORTH_SHARING else 2, math.ceil(total / BLOCK_BYTES))
    parts = min(count, parts if parts <= 2 else EVEN_SHARES * math.ceil(parts / EVEN_SHARES))
    edges = [count * part // parts for part in range(1, parts + 1)]
    return [slice(start, stop) for start, stop in zip([0, *edges], edges, strict=False)]


def share(
    work: Callable[[Buffers, slice], Result], blocks: Sequence[slice], buffers: Callable[[int], Buffers]
) -> list[Result]:
    """Process blocks on as many threads as BLAS would use.

    Args:
        work: called for each block, with the buffers of the thread that took it.
        blocks: as :func:`divide` makes them.
        buffers: called once in each thread, with the number of images in the largest block. Its arrays are reused for
            every block, because getting new memory from the system takes longer than filling it.

    Returns:
        What ``work`` returned for each block, in the order of the blocks.
    """
    if not blocks:
        return []
    largest = max(block.stop - block.start for block in blocks)
    waiting = list(enumerate(blocks))[::-1]
    results: dict[int, Result] = {}

    def take_blocks() -> None:
        own = buffers(largest)
        while True:
            try:
                number, block = waiting.pop()
            except IndexError:
                return
            results[number] = work(own, block)

    with blas_held():
        helpers = min(num_threads(), len(blocks)) - 1
        if helpers == 0:
            take_blocks()
        else:
            with ThreadPoolExecutor(helpers) as pool:
                futures = [pool.submit(take_blocks) for _ in range(helpers)]
                take_blocks()
                for future in futures:
                    future.result()  # raises the error of the thread, if any
    return [results[number] for number in range(len(blocks))]


@contextmanager
def blas_held() -> Iterator[None]:
    """Limit BLAS to one thread, so that :func:`share` can use the others.

    This pays off around a whole network, too: a BLAS thread that has finished its part of a product spins for some
    20 ms in case there is another one, and takes a core from the threads that have work.
    """
    global _held_from
    with _one_at_a_time:
        if _held_from is not None:  # by an outer call
            yield
            return
        _held_from = num_threads()
        try:
            with _blas().limit(limits=1):
                yield
        finally:
            _held_from = None


def num_threads() -> int:
    """Return how many threads BLAS has: what OMP_NUM_THREADS or threadpoolctl says, else the number of cores."""
    if _held_from is not None:
        return _held_from
    return max((library.num_threads for library in _blas().lib_controllers), default=os.cpu_count()) or 1


@functools.cache
def _blas() -> ThreadpoolController:
    """Return the control of NumPy's BLAS; it has no effect on a BLAS that threadpoolctl does not know."""
    return ThreadpoolController().select(user_api="blas")
