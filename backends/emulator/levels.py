"""How often each value of a body is computed: as seldom as it can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from neuroport.copies.axis import is_own
from neuroport.program.ir import Expr, Random, Read, Reduce, Round, Sum, Temp, children
from neuroport.program.machine import Program

Level = Literal["row", "element", "copy", "after"]
"""Once for the inner loop, once for every neuron or synapse, once for every copy of it, or once after its copies."""
ORDER: tuple[Level, ...] = ("row", "element", "copy")


@dataclass(slots=True)
class Levels:
    """The levels of a body's values; a program of one copy has no level "copy".

    fixed: which neuron stays the same in the inner loop ("" where none does, and nothing has the level "row").
    once: the body is computed once for all copies. lets: the levels of what it has named so far; sums: those of its
    sums over synapses.
    """

    program: Program
    fixed: str = ""
    once: bool = False
    lets: dict[str, Level] = field(default_factory=dict)
    sums: dict[Expr, Level] = field(default_factory=dict)

    @property
    def innermost(self) -> Level:
        """The level of what is computed most often."""
        return "copy" if self.program.copies > 1 else "element"

    def of_array(self, array: str) -> Level:
        """The level of an element of an array."""
        return self.innermost if is_own(self.program.arrays[array]) else "element"

    def of(self, expr: Expr) -> Level:
        """The level of an expression: that of the part that changes most often."""
        match expr:
            case Read():
                return self._of_read(expr)
            case Temp(name=name):
                return self.lets[name]
            case Reduce():
                return self.sums.get(expr, "element")
            case Sum():
                return "element"
        found = [self.of(part) for part in children(expr)]
        if isinstance(expr, Random) or (isinstance(expr, Round) and expr.mode == "stochastic"):
            found.append("element" if self.once else self.innermost)
        return max(found, key=ORDER.index, default="row" if self.fixed else "element")

    def _of_read(self, read: Read) -> Level:
        level = self.of_array(read.array)
        if level == "element" and self.fixed and read.at in ("scalar", "single", self.fixed) and read.lag != "synapse":
            return "row"
        return level
