"""A network on a chip as a program: which specimen, which form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from neuroport.api.foresee import Runs, require_room
from neuroport.build.network import KIND, written
from neuroport.build.network import Network as Built
from neuroport.chips import description as chips
from neuroport.chips import instance as instances
from neuroport.chips.chip import Chip, ChipInstance
from neuroport.chips.limits import check_limits
from neuroport.chips.mismatch import deviates
from neuroport.copies.given import with_own_parameters
from neuroport.elaborate.again import Specimens
from neuroport.elaborate.network import elaborate, experiment
from neuroport.elaborate.plan import settings
from neuroport.errors import InvalidInput, Place
from neuroport.network.network import Network
from neuroport.numerics.given import PATH, TEXT, Kind, checked_seed, takes
from neuroport.program.heap import tidy
from neuroport.quantise import program as quantise
from neuroport.quantise.again import requantised

if TYPE_CHECKING:
    from neuroport.program.executor import Backend
    from neuroport.program.machine import Program
    from neuroport.program.plan import Item, Plan

LARGE = 2**21
"""Numbers of arrays from which on it is worth a while to let go of others."""
NETWORK = KIND
CHIP = Kind("a chip or the name of one", lambda value: isinstance(value, Chip) or (TEXT.fits(value) and value)).or_none
INSTANCE = Kind(
    "a chip instance or the path of one", lambda value: isinstance(value, ChipInstance) or PATH.fits(value)
).or_none


@takes(network=NETWORK, chip=CHIP, instance=INSTANCE)
def specimen(
    network: Network | Built,
    chip: str | Chip | None = None,
    chip_seed: int | None = None,
    instance: str | Path | ChipInstance | None = None,
) -> tuple[Chip, ChipInstance | None]:
    """The chip to run on (default: the network's) and, with a seed, a file or an instance, which specimen of it.

    Without either every circuit of the chip is as designed.
    """
    network = written(network)
    chosen = chip if isinstance(chip, Chip) else None
    if instance is not None:
        if chip_seed is not None:
            raise InvalidInput.one(
                None, "give a chip seed or a chip instance, not both; an instance has its seed in it"
            )
        found = instance if isinstance(instance, ChipInstance) else instances.load(Path(instance))
        named = chip if isinstance(chip, str) else chosen.name if chosen else None
        if named is not None and (chosen or chips.load(str(named))).name != found.chip.name:
            text = f"this is an instance of chip '{found.chip.name}', not of '{named}'; leave the chip out or change it"
            place = None if isinstance(instance, ChipInstance) else Place(str(instance))
            raise InvalidInput.one(place, text)
        return found.chip, found
    if chosen is None:
        chosen = chips.load(_own_chip(network) if chip is None else str(chip))
    return chosen, None if chip_seed is None else manufactured(chosen, chip_seed)


def _own_chip(network: Network) -> str:
    """The chip that a network names; the path of a description starts at the network file's folder."""
    is_path = network.chip.endswith((".yaml", ".yml"))
    return str(Path(network.folder) / network.chip) if is_path else network.chip


def manufactured(chip: Chip, seed: int) -> ChipInstance:
    """The specimen of a chip that this seed stands for. InvalidInput when all specimens are alike."""
    seed = checked_seed(seed, "a chip seed")
    if deviates(chip):
        return instances.manufacture(chip, seed)
    shipped = [name for name in chips.names() if deviates(chips.load(name))]
    raise InvalidInput.one(
        None,
        f"a chip seed stands for a specimen, and all specimens of chip '{chip.name}' are alike; leave the seed out, "
        f"choose one of {', '.join(shipped)}, or describe a chip with `mismatch` in a file of your own, such as "
        "mismatch: {weight: {sigma: 0.1}}, and give its name as that of the chip",
    )


@takes(network=NETWORK, chip=CHIP, instance=INSTANCE)
def compile(
    network: Network | Built,
    chip: str | Chip | None = None,
    chip_seed: int | None = None,
    instance: str | Path | ChipInstance | None = None,
) -> Program:
    """Lower a network to the program that executors run: real numbers on an ideal chip, integers on any other."""
    network = written(network)
    chosen, one = specimen(network, chip, chip_seed, instance)
    return lower(network, chosen, one)


def lower(
    network: Network,
    chip: Chip,
    instance: ChipInstance | None,
    quantised: bool = True,
    protocol: tuple[Item, ...] | None = None,
) -> Program:
    """Elaborate, check the chip's limits, and quantise when the chip calculates with integers.

    `protocol`: the items that will be run, where these are not those of the network. InvalidInput, before anything is
    drawn, for a network that does not fit into memory while it is built.
    """
    require_room(network, chip, instance)
    return alone(on_chip(elaborate(network, chip, instance, protocol), network, chip, quantised))


class Further:
    """What `lower` gives, for further specimens of a chip on which it gave `like`; the report is that of the other.

    `protocol`, `steps`: the items that will be run, and how many steps they take.
    """

    def __init__(self, network: Network, chip: Chip, like: Program, protocol: tuple[Item, ...], steps: int) -> None:
        self._network, self._chip, self._like = network, chip, like
        self._protocol, self._steps = protocol, steps

    @cached_property
    def _specimens(self) -> Specimens:
        return Specimens(self._network, self._chip, self._protocol, self._steps)

    def lower(self, instance: ChipInstance | None) -> Program:
        """The program of a specimen."""
        real = self._specimens.of(instance)
        found = real if real is None or not self._like.integer else requantised(real, self._like)
        if found is not None:
            return with_own_parameters(found)
        program = elaborate(self._network, self._chip, instance, self._protocol, self._steps)
        return on_chip(program, self._network, self._chip)


def lower_and_plan(
    network: Network,
    chip: Chip,
    instance: ChipInstance | None,
    executors: Sequence[Backend] = (),
    runs: Runs = Runs(),  # noqa: B008  it is frozen
) -> tuple[Program, Plan]:
    """The program of a network (see `lower`), and how it is to be run.

    `executors`: which ones are going to run it, at the same time; they have to fit, too. `runs`: of what.
    """
    require_room(network, chip, instance, executors, runs)
    program, plan = experiment(network, chip, instance)
    program = on_chip(program, network, chip)
    return alone(program), plan


def alone(program: Program) -> Program:
    """The program without what it was made from: passes hold themselves, and with them the numbers that they had."""
    if sum(array.initial.size for array in program.arrays.values()) >= LARGE:
        tidy()
    return program


def on_chip(program: Program, network: Network, chip: Chip, quantised: bool = True) -> Program:
    """A real program as the chip has it."""
    problems = check_limits(program, chip, {p.name: p.neuron.name for p in network.populations})
    if problems:
        raise InvalidInput(problems)
    if chip.integer and quantised:
        program = quantise.quantise(program, chip, settings(network, program))
    return with_own_parameters(program)
