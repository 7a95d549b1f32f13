"""A small network that a host is in the loop with, and what is needed to have it served."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroport.api.compile import lower_and_plan, specimen
from neuroport.backends.reference import Reference
from neuroport.files import network as reader
from neuroport.hil.address import parsed
from neuroport.hil.limits import Limits
from neuroport.program.executor import Executor
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.session.executing import opened as executed
from neuroport.session.session import Session

if TYPE_CHECKING:
    from neuroport.hil.client import Remote

LIMITS = Limits()
TEXT = """
neuroport: 1
name: looped
dt: 1 ms
chip: generic16
neurons:
  cell:
    params:
      gain: {default: 1, range: [0, 2], dynamic: true}
    inputs:
      i: {range: [-8, 8]}
    state:
      v: {init: 0, range: [-8, 8]}
      drive: {init: 0, range: [-2, 2]}
    update: |
      v = 0.5 * v + gain * i + drive
    spike: v >= 1
    on_spike: v = 0
    on_event:
      blank: |
        drive = 0
synapses:
  plain:
    state:
      w: {weight: true, range: [0, 4], init: 1}
    on_pre: |
      send(target, w)
populations:
  cells: {size: 4, neuron: cell}
  others: {size: 2, neuron: cell}
projections:
  across: {source: cells, target: others, synapse: plain, connect: all_to_all, input: i, delay: 2 ms}
record: {spikes: all, states: {cells.v: 1 ms}}
"""


@cache
def _made() -> tuple[Program, Plan]:
    """Four cells that spike in the step in which they are given at least 1, and two that hear them two steps later."""
    network = reader.loads(TEXT, "looped.yaml")
    return lower_and_plan(network, *specimen(network))


def opened(**options: Any) -> Session:
    """A session of the network on the reference."""
    program, plan = _made()

    def executor() -> Executor:
        return executed(program, Reference(), program.seed)

    return Session(program, plan, executor(), backend="reference", again=executor, **options)


def how(**changes: Any) -> dict[str, Any]:
    """How a session of the network was opened, as a record says it."""
    from neuroport.chips import description

    chip = description.to_yaml(description.load("generic16"))
    return {
        "neuroport": "0",
        "network": TEXT,
        "chip": chip,
        "chip_seed": None,
        "seed": 1,
        "backend": "reference",
        "keep": "all",
        "link": None,
        "pace": {},
        "limits": Limits().described(),
    } | changes


@contextmanager
def served(
    folder: Path,
    address: str,
    keys: Path | None = None,
    record: Path | None = None,
    save: Path | None = None,
    **limits: Any,
) -> Iterator[str]:
    """The network served by the reference from a thread of this process; the address of the server."""
    from neuroport.hil.server import Offer, serving

    path = folder / "looped.yaml"
    path.write_text(TEXT, "utf-8")
    offer = Offer(
        networks={"looped": path},
        defaults={"backend": "reference"},
        keys=keys,
        record=record,
        save=save,
        limits=Limits(**limits),
    )
    with serving(parsed(address), offer) as where:
        yield where


@contextmanager
def answering(session: Session, address: str, limits: Limits = LIMITS) -> Iterator[Remote]:
    """A session that answers from a thread of this process, as one of a server does from a process of its own."""
    from neuroport.hil.client import Remote
    from neuroport.hil.endpoints import calling, listening
    from neuroport.hil.paced import Pace, Paced
    from neuroport.hil.process import serve
    from neuroport.hil.served import Effects, Once

    paced = Paced(session, Pace())
    listener = listening(parsed(address), limits, None)
    effects, (parent, never) = Effects(paced, limits), os.pipe()
    thread = threading.Thread(target=serve, args=(listener, Once(effects), "token", limits, parent, paced))
    described = effects("describe", {})["describe"]
    thread.start()
    try:
        with Remote(calling(listener.address, 120.0, None), "token", described) as remote:
            yield remote
    finally:
        os.close(never)
        thread.join()
        os.close(parent)
        listener.close()
        session.close()
