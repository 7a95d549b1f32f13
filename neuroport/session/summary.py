"""What is told of a session: which network it runs where, how far it is, and what it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuroport.pages import Page, Table, Text
from neuroport.pages.plain import shown, some

if TYPE_CHECKING:
    from neuroport.session.session import Session


def summary(session: Session) -> Page:
    """A session in a few lines; a closed one, too."""
    program = session.program
    arithmetic = "integer" if program.integer else program.precision
    chip = program.chip if session.chip_seed is None else f"{program.chip}, chip seed {session.chip_seed}"
    name = f"of {program.name} on {chip} ({arithmetic}), backend {session.backend}, seed {session.seed}"
    populations = [f"{p.name} ({shown(p.size)})" for p in program.populations]
    projections = [f"{p.name} ({shown(p.synapses)})" for p in program.projections]
    ports = [port.name for port in program.ports]
    return Page(
        name,
        "",
        (
            Text(_where(session)),
            Text(f"populations {some(populations)}"),
            Text(f"projections {some(projections)}" if projections else ""),
            Text(f"ports {some(ports)}" if ports else ""),
            Text(f"records {some(session.recorded)}" if session.recorded else ""),
        ),
    )


def page(session: Session) -> Page:
    """The same, with what can be read by name."""
    whole, arrays = summary(session), session.program.arrays
    named = session.plan.declared
    rows = tuple((name, arrays[name].role, named[name].unit or "-") for name in named if name in arrays)
    return Page(whole.name, whole.title, (*whole.parts, Table(("variable", "is", "unit"), rows)))


def _where(session: Session) -> str:
    """How far it is."""
    program, step = session.program, session.step
    copies = f", {shown(program.copies)} copies" if program.copies > 1 else ""
    closed = ", closed" if session.closed else ""
    return f"step {step:,} of {program.dt:g} ms ({shown(step * program.dt / 1000)} s){copies}{closed}"
