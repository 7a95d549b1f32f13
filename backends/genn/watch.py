"""What is told when a GPU fails while a network runs: memory that is not there, an illegal access, a GPU that is gone.

Code that GeNN generates throws an exception then, and GeNN itself ends the process. So the GPU is asked whether all
went well before GeNN fetches what steps have left; what ends the process all the same leaves a sentence.
"""

from __future__ import annotations

import ctypes
import re
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from neuroport.backends.genn import gpus
from neuroport.backends.genn.ending import told
from neuroport.errors import RunFailed

OF_A_GPU = re.compile(r"(?:cuda|hip) (?:(?:runtime|driver) )?error .*", re.IGNORECASE)
OUT_OF_MEMORY = re.compile(r"error 2:|memory alloc|out of memory", re.IGNORECASE)
FEWER, SEE = "take fewer neurons, synapses or copies", "see whether the GPU and its driver work"


def reason(text: str) -> str | None:
    """The last thing that a text says of a GPU that failed."""
    found = OF_A_GPU.findall(text)
    return found[-1].strip() if found else None


def remedy(why: str) -> str:
    """What to do where a GPU failed for a reason."""
    return f"{FEWER if OUT_OF_MEMORY.search(why) else SEE}, or take the device cpu"


class Watch:
    """A GPU on which a network runs. failed: nothing is to be asked of it any more."""

    def __init__(self, device: str) -> None:
        self.failed = False
        self._at, self._settled = _At(), gpus.settled(device)
        ending = ExitStack()
        ending.enter_context(told(self._at.ended, 2, RunFailed.exit_code))
        self.close = weakref.finalize(self, ending.close)

    @contextmanager
    def computing(self, step: Callable[[], int]) -> Iterator[None]:
        """RunFailed where generated code says that the GPU failed, by the step that it has come to."""
        self._at.step = step()
        try:
            yield
        except RuntimeError as error:
            if (said := reason(str(error))) is None:
                raise
            raise self._failure(step(), said) from error

    def settle(self, step: int) -> None:
        """Wait until all is computed up to a step; RunFailed where it was not."""
        if said := self._settled():
            raise self._failure(step, said)

    def _failure(self, step: int, said: str) -> RunFailed:
        self.failed = True
        return RunFailed(f"the GPU failed by step {step}: {said}; {remedy(said)}")


class _At:
    """Where a run is."""

    step = 0

    def ended(self) -> str:
        """Why the process has ended."""
        where = f"in step {self.step} or later, for the reason that it has given"
        return f"GeNN ended the program {where}; what was written until then is there, as after a kill; {remedy('')}"


def keep(thing: Any) -> None:
    """Never free a thing: GeNN ends the process where a GPU that failed does not."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
