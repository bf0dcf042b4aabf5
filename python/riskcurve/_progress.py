"""A bar while the library works, or a callback."""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Union

#: None: a bar on a terminal or in a notebook, where tqdm is installed; False: none; True: a bar wherever
#: tqdm is installed; or a function of the fraction done, which by False stops the work.
Progress = Union[None, bool, Callable[[float], Any]]


def _watched() -> bool:
    return "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())


class _Bar:
    """Appears after half a second, like the command's."""

    def __init__(self, label: str, tqdm: Any) -> None:
        self.label, self.tqdm, self.begun = label, tqdm, time.monotonic()
        self.bar: Any = None

    def __call__(self, fraction: float) -> None:
        if self.bar is None:
            if time.monotonic() - self.begun < 0.5 or fraction >= 1:
                return
            form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}"
            self.bar = self.tqdm(total=1.0, desc=self.label, bar_format=form, leave=False)
        self.bar.update(max(0.0, fraction - self.bar.n))

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


@contextmanager
def shown(progress: Progress, label: str) -> Iterator[Callable[[float], Any] | None]:
    """What the library calls as it goes, or None."""
    if callable(progress):
        yield progress
        return
    if progress is False or (progress is None and not _watched()):
        yield None
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of notebooks without widgets: there the bar is a text
            from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    bar = _Bar(label, tqdm)
    try:
        yield bar
    finally:
        bar.close()
