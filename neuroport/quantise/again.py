"""Another specimen of a chip in the integers of one that was quantised: all have the same program but for numbers."""

from __future__ import annotations

from dataclasses import replace

from neuroport.chips.chip import Chip
from neuroport.errors import InvalidInput
from neuroport.program.machine import Array, Program
from neuroport.program.verify import verified
from neuroport.quantise.formats import Formats, Notes


def requantised(program: Program, like: Program, chip: Chip) -> Program | None:
    """The program of a specimen, `quantise(program, chip)`, whose other one came to `like`; with the report of that.

    None where it must be quantised whole: a number that bodies brought with them follows from what deviates.
    """
    notes = Notes()
    formats = Formats(program, chip, notes)
    formats.run()
    if notes.problems:
        raise InvalidInput(notes.problems)
    if any(_follows(array) and name not in formats.arrays for name, array in like.arrays.items()):
        return None
    if any(array.type != like.arrays[name].type for name, array in formats.arrays.items()):
        return None
    return _made(program, like, formats)


def _follows(array: Array) -> bool:
    """Whether an array has other numbers on another specimen."""
    return array.role != "input" and array.designed is not None


@verified
def _made(program: Program, like: Program, formats: Formats) -> Program:
    arrays = {
        name: replace(array, initial=formats.arrays[name].initial) if name in formats.arrays else array
        for name, array in like.arrays.items()
    }
    return replace(like, arrays=arrays, designed=program.designed, constants=like.constants | program.constants)
