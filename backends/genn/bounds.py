"""How large the sum of an input can become: GeNN adds synaptic input in floating point, exact only up to a bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from neuroport.program.ir import Const, Expr, Int, Read, Real, Send
from neuroport.program.machine import Program, Projection

FLOAT, DOUBLE = 2**24, 2**53


def largest(program: Program) -> dict[str, int]:
    """For every integer input, a bound on the sum of the magnitudes that synapses can send to one neuron in one step.

    A synapse executes every statement at most once per step, and its dendritic delay is constant, so at most one value
    per statement arrives in a step.
    """
    sums = {name: 0 for name, a in program.arrays.items() if a.role == "input" and isinstance(a.type, Int)}
    for projection, send in sends(program):
        magnitude = _magnitude(send.value, program)
        if send.input in sums and magnitude is not None:
            ends, size = (
                (projection.post, projection.target_size)
                if send.to == "post"
                else (projection.pre, projection.source_size)
            )
            most = int(np.bincount(ends, minlength=max(size, 1)).max(initial=0))
            sums[send.input] += most * magnitude
    return sums


def _magnitude(value: Expr, program: Program) -> int | None:
    """The largest magnitude of an integer value."""
    if isinstance(value, Const):
        return abs(int(value.value))
    type_ = program.arrays[value.array].type if isinstance(value, Read) else value.type
    return max(abs(type_.lo), abs(type_.hi)) if isinstance(type_, Int) else None


def scalar(program: Program) -> Literal["float", "double"]:
    """The type in which the model sums its input."""
    real = any(a.role == "input" and isinstance(a.type, Real) for a in program.arrays.values())
    if real and program.precision == "float64":
        return "double"
    return "float" if max(largest(program).values(), default=0) <= FLOAT else "double"


def problems(program: Program) -> Iterator[str]:
    """Inputs whose sums cannot be exact."""
    for name, bound in largest(program).items():
        if bound > DOUBLE and program.integer:
            yield (
                f"the input '{name}' may receive {bound} in one step, and GeNN adds input in floating point, which is "
                f"exact up to 2**53; give the weights a smaller range or the neurons fewer synapses."
            )


def rounds(program: Program, name: str) -> bool:
    """Whether an input's sum of whole numbers may be rounded in a program without formats: then it is watched."""
    return not program.integer and largest(program).get(name, 0) > DOUBLE


def sends(program: Program) -> Iterator[tuple[Projection, Send]]:
    """Every statement that sends, with its projection (of those that have synapses)."""
    for projection in (p for p in program.projections if p.synapses):
        for body in projection.bodies:
            for stmt in body:
                if isinstance(stmt, Send):
                    yield projection, stmt
