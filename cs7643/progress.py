"""The progress bar of every long job: in a terminal, in a notebook, and silent where nobody watches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm

_IN_NOTEBOOK = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)


def progress_bar(iterable: Iterable[Any] | None = None, **options: Any) -> tqdm[Any]:
    """Wrap ``iterable`` in a tqdm bar (the options are tqdm's own).

    Drawn in a notebook, and in a terminal when standard error is one; a log file gets no bar. The environment
    variable ``TQDM_DISABLE=1`` turns every bar off, as the headless runs of the notebooks do.
    """
    if os.environ.get("TQDM_DISABLE") == "1":
        options["disable"] = True
    elif not _IN_NOTEBOOK:
        options.setdefault("disable", None)  # tqdm: drawn only where standard error is a terminal
    return tqdm(iterable, **options)
