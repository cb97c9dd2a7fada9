"""The progress bar of every long job: in a terminal or a notebook, and silent elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from tqdm.auto import tqdm

from coursework.terminal import is_live

_IN_NOTEBOOK = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)


def progress_bar(iterable: Iterable[Any] | None = None, **options: Any) -> tqdm[Any]:
    """Wrap ``iterable`` in a tqdm bar (the options are tqdm's own).

    It is drawn in a notebook, and on standard error if that is a terminal that can redraw a line. The environment
    variable ``TQDM_DISABLE=1`` turns every bar off, as in headless runs of the notebooks.
    """
    if os.environ.get("TQDM_DISABLE") == "1":
        options["disable"] = True
    elif not _IN_NOTEBOOK:
        options.setdefault("disable", not is_live(sys.stderr))
    return tqdm(iterable, **options)
