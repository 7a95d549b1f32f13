"""Further specimens of a network: what was made of the first one, with other numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuroport.chips.chip import Chip, ChipInstance
from neuroport.copies.axis import initial_of
from neuroport.elaborate.network import program_of, with_arrays
from neuroport.network.network import Network
from neuroport.program.constants import evaluate
from neuroport.program.ir import Numbers
from neuroport.program.machine import Program
from neuroport.program.plan import Item
from neuroport.program.verify import made as verified
from neuroport.program.whole import NoValue


class Specimens:
    """The real programs of specimens of a chip (`elaborate`), of a network that is elaborated once.

    `protocol`, `steps`: the items that will be run, and how many steps they take.
    """

    def __init__(self, network: Network, chip: Chip, protocol: tuple[Item, ...], steps: int) -> None:
        made = with_arrays(network, chip, None, protocol)
        self._program = program_of(made, steps)
        self._deviating, self._values = made.deviating, made.values
        arrays = made.arrays
        self._follows = [(name, expr) for name, expr in made.derived if arrays[name].designed is not None]

    def of(self, instance: ChipInstance | None) -> Program | None:
        """That of a specimen, with the report of the one as it was designed; None where a number is none."""
        program = self._program
        if instance is None:
            return program
        values, designed = dict(self._values), dict(program.designed)
        made: dict[str, Numbers] = {}
        for one in self._deviating:
            made[one.array], of = one.on(instance)
            if one.array in values:
                values[one.array] = made[one.array]
            if of is not None and one.array in designed:
                designed[one.array] = of
        for name, expr in self._follows:
            try:
                made[name] = values[name] = np.array(evaluate(expr, values))
            except NoValue:
                return None
        if not all(np.isfinite(numbers).all() for numbers in made.values()):
            return None
        arrays = {
            name: replace(array, initial=initial_of(array, made[name], program.copies)) if name in made else array
            for name, array in program.arrays.items()
        }
        constants = {name: values[name] for name in program.constants}
        return verified(replace(program, arrays=arrays, constants=constants, designed=designed), "another specimen")
