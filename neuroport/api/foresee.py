"""How much memory a network takes at its peak, told before anything of it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from neuroport.elaborate.memory import estimate, refuse_too_large
from neuroport.elaborate.network import elaborate
from neuroport.elaborate.plan import settings
from neuroport.elaborate.sketch import Sketch, sketched
from neuroport.errors import InvalidInput, Problem, Unsupported
from neuroport.program import building, room
from neuroport.program.building import Peak
from neuroport.program.room import Part
from neuroport.quantise.program import quantise

if TYPE_CHECKING:
    from neuroport.chips.chip import Chip, ChipInstance
    from neuroport.network.network import Network
    from neuroport.program.executor import Backend
    from neuroport.program.machine import Program

GENEROUS = 4.0
"""What is at most so many times as large as a first look says is not looked at closely."""
TOLD = 3
"""So many of the largest parts are told."""


def require_room(
    network: Network, chip: Chip, instance: ChipInstance | None, executors: Sequence[Backend] = ()
) -> Peak | None:
    """Raise InvalidInput where building a network, and executors of it, takes more memory than there is.

    Nothing is drawn for that, and networks that are small beside what there is are not looked at closely: for these it
    gives None, else what is foreseen.
    """
    there = room.available()
    if estimate(network) * GENEROUS * max(1, len(executors)) <= there.size:
        return None
    refuse_too_large(network)
    found = foreseen(network, chip, instance, executors)
    if found is not None and found.size > there.size:
        text = f"network '{network.name}' does not fit into memory: it takes {described(found)}; {there}; {room.REMEDY}"
        raise InvalidInput([Problem(found.parts[0].place or network.place, text)])
    return found


def foreseen(
    network: Network, chip: Chip, instance: ChipInstance | None, executors: Iterable[Backend] = ()
) -> Peak | None:
    """The moment at which building and running a network takes most memory; None of one that cannot be built.

    executors: what executes it, at the same time; a backend as often as it has an executor of it.
    """
    try:
        sketch = sketched(network)
        real = elaborate(sketch.network, chip, instance)
        program = quantise(real, chip, settings(sketch.network, real))
        chosen = list(executors)
        parts = {id(one): tuple(_of(one, program, sketch)) for one in chosen}
        taken = [part for k, one in enumerate(chosen) for part in parts[id(one)] if not (k and part.once)]
    except (InvalidInput, Unsupported):  # told where it is built
        return None
    return building.peak(building.held(real, program, sketch.synapses), taken)


def _of(backend: Backend, program: Program, sketch: Sketch) -> Iterable[Part]:
    """What an executor of a backend takes, of one that says so."""
    room_of = getattr(backend, "room", None)
    return () if room_of is None else room_of(program, sketch.synapses, sketch.full)


def described(found: Peak) -> str:
    """How much a peak is, when, and most of what for: "about 2.1 GiB while it runs: 1.7 GiB for …"."""
    parts = [part for part in found.parts if part.size >= room.MIB] or found.parts[:1]
    most = ", ".join(f"{room.shown(part.size)} for {part.what}" for part in parts[:TOLD])
    rest = " and so on" if len(parts) > TOLD else ""
    return f"about {room.shown(found.size)} while {found.doing}: {most}{rest}"
