"""Two faults of the code that GeNN 5.4 generates for GPUs, mended between its generation and its compilation.

Threads of a block learn from the spikes of a step by as many at a time as the block has threads. Nothing keeps the fast
ones from listing the next spikes where slow ones still read the last.

What threads send to a population that is not larger than a block is added up in the block's own memory, without
atomics: of what two threads send to one neuron at the same time, one is lost.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SYNAPSES = "synapseUpdate.cc"
LISTED = re.compile(r"(const unsigned int numSpikesInBlock = [^;]*;\n)(\s*)(if\s?\(threadIdx\.x < numSpikesInBlock\))")
"""Where threads list spikes without having waited for each other."""
ADDED = re.compile(r"\bshOutPost\[(\w+)\] \+= (.*);")


def mended(text: str) -> str:
    """What GeNN has written for synapses on a GPU, without those faults; what has none stays as it is."""
    return ADDED.sub(r"atomicAdd(&shOutPost[\1], \2);", LISTED.sub(r"\1\2__syncthreads();\n\2\3", text))


@contextlib.contextmanager
def before_make() -> Iterator[None]:
    """Let PyGeNN mend what it has generated before it calls `make`: it does both in one function."""
    from pygenn import genn_model

    make = genn_model.check_call

    def mend(command: list[str], *given: Any, **more: Any) -> int:
        if "-C" in command:
            _mend(Path(command[command.index("-C") + 1], SYNAPSES))
        return subprocess.check_call(command, *given, **more)

    genn_model.check_call = mend
    try:
        yield
    finally:
        genn_model.check_call = make


def _mend(file: Path) -> None:
    """What was mended before is not written again: it would be compiled again."""
    found = file.read_text("utf-8")
    if (better := mended(found)) != found:
        file.write_text(better, "utf-8")
