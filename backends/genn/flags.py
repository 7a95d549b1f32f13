"""How generated code is compiled: what GeNN's own flags would do to real numbers, and what is compiled instead."""

from __future__ import annotations

import os
from dataclasses import dataclass

from neuroport.program.machine import Program


@dataclass(frozen=True, slots=True)
class Flags:
    """optimised: GeNN's setting. added: what follows the flags of its makefile, in the variable of the makefile."""

    optimised: bool = True
    variable: str = ""
    added: str = ""


GENN = Flags()
"""GeNN optimises with -ffast-math, or -use_fast_math for a GPU, which reorders and approximates real numbers."""
CPU = Flags(True, "CXXFLAGS", "-fno-fast-math -ffp-contract=off")
CUDA = Flags(False, "NVCCFLAGS", "-O3 --fmad=false")
"""Nothing that follows -use_fast_math takes all of it back, and GeNN gives it to nvcc wherever it optimises."""
HIP = Flags(False, "HIPCCFLAGS", "-O3 -ffp-contract=off")
HIP_ON_CUDA = Flags(False, "HIPCCFLAGS", "-O3 --fmad=false")


def strict(program: Program) -> bool:
    """Whether real operations must keep their order and their rounding: in integer programs they do not matter."""
    return not program.integer and program.precision == "float64"


def flags(program: Program, backend: str) -> Flags:
    """What a program is compiled with for a backend of GeNN."""
    if not strict(program):
        return GENN
    if backend == "hip":
        return HIP_ON_CUDA if os.environ.get("HIP_PLATFORM") == "nvidia" else HIP
    return CUDA if backend == "cuda" else CPU
