"""Parts of populations in texts: `cells.v[0:10]`, `cells[3, 5, 10:20]`."""

from __future__ import annotations

import re
from itertools import pairwise

from neuroport.numerics.parts import Part
from neuroport.numerics.units import quoted
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import Node

WITH_PART = re.compile(r"([^\[\]]*)\[(.*)\]\s*", re.DOTALL)
NEURONS_ONLY = "a part is one of a population's neurons"
NUMBER = r"\s*(\d{0,18})\s*"
PIECE = re.compile(rf"\s*(\d{{1,18}})\s*|{NUMBER}:{NUMBER}(?::{NUMBER})?", re.ASCII)


def split_part(text: str) -> tuple[str, str | None]:
    """A text without its part, and what stands between the brackets of that; None where there is none."""
    found = WITH_PART.fullmatch(text)
    return (text, None) if found is None else (found[1].strip(), found[2])


def part_of(report: Report, at: Node, what: str, inside: str | None, size: int) -> Part | None:
    """Which neurons a part names, of a population of that size; None for all, and with what is wrong in the report."""
    if inside is None:
        return None
    ranges = _ranges(inside, size)
    wrong = _wrong(ranges, inside, size)
    if wrong:
        report.add(at, f"{what}: {wrong}")
        return None
    part = Part.of(ranges)
    return None if len(part) == size else part


def _ranges(inside: str, size: int) -> list[range]:
    """The ranges in the order of the text, a step of 0 as -1; none where it is not made of numbers and ranges."""
    text = inside.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    ranges = []
    for match in (PIECE.fullmatch(piece) for piece in text.split(",")):
        if match is None:
            return []
        single, first, end, step = match.groups()
        one = (int(single), int(single) + 1) if single else (int(first or 0), int(end) if end else size)
        ranges.append(range(*one, int(step or 1) or -1))
    return ranges


def _wrong(ranges: list[range], inside: str, size: int) -> str:
    """ "" or what is wrong with a part."""
    if not ranges:
        return _no_part(inside)
    for one in ranges:
        first, end = one.start, one.stop
        if one.step < 0:
            return f"{quoted(f'[{inside}]')} has the step 0; give a step from 1, such as {first}:{end}:2"
        if end > size or first >= size:
            return f"{quoted(f'[{inside}]')} is outside of the population, whose neurons are 0 to {size - 1}"
        if first >= end:
            instead = f"for one of them write {first}" if first == end else "write the smaller number first"
            return f"{first}:{end} has no neurons; {instead}"
    for before, after in pairwise(ranges):
        if after[0] <= before[-1]:
            return f"{quoted(f'[{inside}]')} must name each neuron once, in ascending order"
    return ""


def _no_part(inside: str) -> str:
    """What is wrong with what is not made of numbers and ranges."""
    if "[" in inside.strip()[1:]:
        return f"{quoted(f'[{inside}]')} is a part of a part; name its neurons by their numbers in the population"
    text = "neurons are numbers and ranges such as [3, 5], [0:10] (0 to 9) or [0:10:2] (every second one); found "
    return f"{text}{quoted(f'[{inside}]')}" + (", and they count from 0" if "-" in inside else "")
