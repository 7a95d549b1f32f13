"""What a chip changes of what a network computes, told before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from neuroport.commands.common import plain
from neuroport.errors import InvalidInput, Place, Problem

if TYPE_CHECKING:
    from typing import Any

    from neuroport.program.machine import Program, ReportLine

MOST = 8
"""So many notices are printed; the report has all of them."""
NAMED = 3
"""So many arrays are named of those whose values can leave their range."""
LITTLE = 0.01
"""The part of its range that an array may leave it by without a notice."""


def strict_option(function: Any) -> Any:
    """--strict."""
    text = "Take notices of what the chip changes for errors, and values held at the end of their range."
    return click.option("--strict", is_flag=True, help=text)(function)


def tell(program: Program, net: str, strict: bool) -> None:
    """Say on stderr what the chip of an integer program changes; InvalidInput with it where `strict`."""
    told = _together(program.notices)
    if strict and told:
        raise InvalidInput(_problems(told, program.chip))
    for lines in told[:MOST]:
        click.echo(f"notice: {_who(lines, program.chip)}{_sentence(lines, _where(lines[0].place))}", err=True)
    if len(told) > MOST:
        click.echo(f"notice: chip {program.chip}: and {len(told) - MOST} more", err=True)
    if told:
        click.echo(f"notice: neuroport compile {net} --chip {program.chip} --emit report tells the whole", err=True)
    if any(line.topic in ("stall", "increment", "saturated") for lines in told for line in lines):
        click.echo(
            f"notice: where ranges are wider than a run needs, neuroport calibrate {net} finds narrower ones", err=True
        )


def tell_ends(program: Program) -> None:
    """Say on stderr, where nothing runs, which arrays only a run can tell about; it counts what leaves their ranges."""
    ends = [line.subject for line in program.report if can_leave(line)]
    if ends:
        named = ", ".join(ends[:NAMED]) + (f" and {len(ends) - NAMED} more" if len(ends) > NAMED else "")
        stay = "stays in its range" if len(ends) == 1 else "stay in their ranges"
        text = f"whether {named} {stay} is known after a run, which counts what leaves"
        click.echo(f"notice: chip {program.chip}: {text}", err=True)


def can_leave(line: ReportLine) -> bool:
    """Whether a line tells that an array can leave its range by more than a last step, as every counter can."""
    return line.topic == "saturation" and float(line.values["beyond"]) > LITTLE


def refuse_lost(not_finite: dict[str, int]) -> None:
    """InvalidInput where numbers are none any more at the end; for --strict, after a run."""
    if not_finite:
        named = ", ".join(f"{name} ({count:,})" for name, count in not_finite.items())
        text = f"numbers of {named} are infinite or not a number at the end; take shorter steps, or leave --strict out"
        raise InvalidInput.one(None, text)


def refuse_ends(overflows: dict[str, int]) -> None:
    """InvalidInput where values were held at the end of their range; for --strict, after a run."""
    met = {name: count for name, count in overflows.items() if count}
    if met:
        named = ", ".join(f"{name} ({count:,} times)" for name, count in met.items())
        text = f"values left the range of {named}; widen its range, or leave --strict out"
        raise InvalidInput.one(None, text)


def as_json(program: Program | None) -> list[dict[str, Any]]:
    """The notices of a program, for --json."""
    if program is None:
        return []
    lines = [line for line in program.report if line.notice or can_leave(line)]
    return [
        {
            "array": line.subject,
            "topic": line.topic,
            "text": line.text,
            "place": None if line.place is None else str(line.place),
            "certain": line.notice,
            "values": plain(line.values),
        }
        for line in lines
    ]


def _together(lines: Sequence[ReportLine]) -> list[list[ReportLine]]:
    """Lines that say the same of one line of a model, which several objects have, beside each other."""
    same: dict[tuple[str, str], list[ReportLine]] = {}
    for line in lines:
        same.setdefault((line.text, str(line.place or line.subject)), []).append(line)
    return list(same.values())


def _problems(told: Sequence[list[ReportLine]], chip: str) -> list[Problem]:
    found = [Problem(lines[0].place, f"{_who(lines, chip)}{_sentence(lines, where='')}") for lines in told]
    remedy = "--strict takes notices for errors; narrow the ranges, choose another chip, or leave --strict out"
    return [*found, Problem(None, remedy)]


def _who(lines: Sequence[ReportLine], chip: str) -> str:
    """The chip, of what it changes; nobody, of what would be so on any."""
    return "" if lines[0].topic in ("chance", "rounded") else f"chip {chip}: "


def _where(place: Place | None) -> str:
    return "" if place is None else f" ({place.short})"


def _sentence(lines: Sequence[ReportLine], where: str) -> str:
    """What is told of the first, and of which others likewise."""
    first, others = lines[0], ", ".join(line.subject for line in lines[1:])
    return f"{first.subject}{where} {first.text}" + (f"; likewise {others}" if others else "")
