"""How much memory a network takes at its peak, told before anything of it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING

import neuroport.datasets as datasets
from neuroport.elaborate.memory import estimate, gathered, refuse_too_large
from neuroport.elaborate.network import experiment
from neuroport.elaborate.plan import settings
from neuroport.elaborate.sketch import Sketch, sketched
from neuroport.errors import InvalidInput, Problem, TooLarge, Unsupported
from neuroport.network.values import DataValue
from neuroport.program import building, room
from neuroport.program.building import Peak
from neuroport.program.memory import of_records
from neuroport.program.room import Part
from neuroport.quantise.program import quantise
from neuroport.trace.room import room as trace_room

if TYPE_CHECKING:
    from neuroport.chips.chip import Chip, ChipInstance
    from neuroport.network.network import Network
    from neuroport.program.executor import Backend
    from neuroport.program.machine import Program

GENEROUS, FIXED = 4.0, 128.0 * room.MIB
"""What is at most so many times as large as a first look says, beside what every network takes, is not looked at."""
TOLD = 3
"""So many of the largest parts are told."""


BYTES_PER_RESULT = 4096
"""What one of several runs came to."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Several runs of a network: how many in all, how many at once, on how many specimens.

    trace: whether each writes one.
    """

    runs: int = 1
    at_once: int = 1
    specimens: int = 1
    trace: bool = False

    @property
    def results(self) -> float:
        """What they come to, in bytes."""
        return float(self.runs * BYTES_PER_RESULT)


def require_room(
    network: Network,
    chip: Chip,
    instance: ChipInstance | None,
    executors: Sequence[Backend] = (),
    runs: Runs = Runs(),
) -> Peak | None:
    """Raise InvalidInput where building a network, and running its protocol, takes more memory than there is.

    executors, runs: see `foreseen`.

    Nothing is drawn for that, and networks that are small beside what there is are not looked at closely: for these it
    gives None, else what is foreseen.
    """
    there = room.available()
    programs = max(1, len(executors)) + min(runs.specimens - 1, len(executors))
    if FIXED + estimate(network) * GENEROUS * programs + runs.results <= there.size:
        return None
    refuse_too_large(network)
    found = foreseen(network, chip, instance, executors, runs)
    if found is not None and found.size > there.size:
        text = f"network '{network.name}' does not fit into memory: it takes {described(found)}; {there}; {room.REMEDY}"
        raise TooLarge([Problem(found.parts[0].place or network.place, text)])
    return found


def foreseen(
    network: Network,
    chip: Chip,
    instance: ChipInstance | None,
    executors: Iterable[Backend] = (),
    runs: Runs = Runs(),
) -> Peak | None:
    """The moment at which building and running a network takes most memory; None of one that cannot be built.

    executors: what executes it, at the same time; a backend as often as it has an executor of it. runs: of what.
    TooLarge where what the protocol gathers is more than there is.
    """
    try:
        sketch = sketched(network)
        real, plan = experiment(sketch.network, chip, instance)
        program = quantise(real, chip, settings(sketch.network, real))
        chosen = list(executors)
        each = [*gathered(sketch.network, real, plan.protocol), *of_records(program)]
        each += trace_room(program, plan, sketch.synapses) if runs.trace else ()
        parts = {id(one): (*_of(one, program, sketch), *each) for one in chosen}
        taken = [part for k, one in enumerate(chosen) for part in parts[id(one)] if not (k and part.once)]
        held = building.held(real, program, sketch.synapses)
        others = min(runs.specimens - 1, len(chosen))
        taken += building.others(held, program, sketch.synapses, others)
        taken.append(Part("what the runs come to", runs.results))
    except TooLarge:
        raise
    except (InvalidInput, Unsupported):  # told where it is built
        return None
    return building.peak(held, taken, tuple(_packages(network)))


def _of(backend: Backend, program: Program, sketch: Sketch) -> Iterable[Part]:
    """What an executor of a backend takes, of one that says so."""
    room_of = getattr(backend, "room", None)
    return () if room_of is None else room_of(program, sketch.synapses, sketch.full)


def _packages(network: Network) -> Iterator[Part]:
    """What the packages take that data sets come with."""
    for name in dict.fromkeys(_data((network.stimuli, network.populations, network.projections))):
        yield Part(f"the package that has the data set '{name}'", datasets.ALL[name].package)


def _data(given: object) -> Iterator[str]:
    """The names of the data sets that part of a network mentions."""
    if isinstance(given, DataValue):
        yield given.data
    elif isinstance(given, tuple):
        yield from (name for one in given for name in _data(one))
    elif is_dataclass(given):
        yield from (name for one in fields(given) for name in _data(getattr(given, one.name)))


def described(found: Peak) -> str:
    """How much a peak is, when, and most of what for: "about 2.1 GiB while it runs: 1.7 GiB for …"."""
    parts = [part for part in found.parts if part.size >= room.MIB] or found.parts[:1]
    most = ", ".join(f"{room.shown(part.size)} for {part.what}" for part in parts[:TOLD])
    rest = " and so on" if len(parts) > TOLD else ""
    return f"about {room.shown(found.size)} while {found.doing}: {most}{rest}"
