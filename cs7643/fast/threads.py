"""Blocks of images, shared out among threads.

NumPy lets go of Python's lock while it computes, so threads do run side by side, provided that each call has enough to
do. BLAS, which would start threads of its own inside each of ours, is held to one meanwhile. What makes a block depends
on the number and the size of the images alone, and results come back in the order of the blocks: so a sum over them has
the same bits, however many threads there are.
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

BLOCK_BYTES = 2**20  # what a block computes: small enough to stay in the cache, large enough to be worth the calls
EVEN_SHARES = 4  # the number of blocks is a multiple of this, so that two or four threads get equal parts ...
WORTH_SHARING = 2**19  # ... unless the whole is small: two blocks, or one, as to start a thread would take longer

Buffers = TypeVar("Buffers")
Result = TypeVar("Result")
_one_at_a_time = threading.RLock()  # two would undo each other's setting of BLAS
_held_from: int | None = None  # how many threads BLAS had before it was held


def divide(count: int, bytes_each: int) -> list[slice]:
    """Divide ``count`` images, each of which takes ``bytes_each`` while it is worked on, into blocks of equal size.

    A block is at least one image, and as a rule at most BLOCK_BYTES; sizes differ by one image at most.
    """
    total = count * bytes_each
    parts = max(1 if total <= WORTH_SHARING else 2, math.ceil(total / BLOCK_BYTES))
    parts = min(count, parts if parts <= 2 else EVEN_SHARES * math.ceil(parts / EVEN_SHARES))
    edges = [count * part // parts for part in range(1, parts + 1)]
    return [slice(start, stop) for start, stop in zip([0, *edges], edges, strict=False)]


def share(
    work: Callable[[Buffers, slice], Result], blocks: Sequence[slice], buffers: Callable[[int], Buffers]
) -> list[Result]:
    """Let as many threads as BLAS would use take blocks, one after the other, until none is left.

    Args:
        work: called for each block, with the buffers of the thread that took it.
        blocks: as :func:`divide` makes them.
        buffers: called once in each thread, with the number of images in the largest block. Its arrays serve one block
            after the other: to get new memory from the system takes longer than to fill it.

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
                    future.result()  # raises what was raised in the thread
    return [results[number] for number in range(len(blocks))]


@contextmanager
def blas_held() -> Iterator[None]:
    """Hold BLAS to one thread, for :func:`share` to have the others.

    Worth its while around a whole network, too: a thread of BLAS that has done its part of a product stays awake for
    some 20 ms, in case that there is another, and takes a core from those that have work.
    """
    global _held_from
    with _one_at_a_time:
        if _held_from is not None:  # already, by an outer call
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
    """Return the switch of the BLAS that NumPy has loaded; it switches nothing where the system's own BLAS is used."""
    return ThreadpoolController().select(user_api="blas")
