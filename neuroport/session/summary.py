"""What is told of a session: which network it runs where, how far it is, and what it keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from neuroport.pages import Page, Table, Text
from neuroport.pages.plain import shown, some
from neuroport.session.describe import described

if TYPE_CHECKING:
    from neuroport.session.session import Session


def summary(session: Session) -> Page:
    """A session in a few lines; a closed one, too."""
    projections = [f"{p.name} ({shown(p.synapses)})" for p in session.program.projections]
    return told(described(session), session.closed, projections)


def told(session: Mapping[str, Any], closed: bool, projections: Sequence[str] = ()) -> Page:
    """A session in a few lines, of what it says that it is (see `session.describe`) and which projections it has."""
    seed = session["chip_seed"]
    chip = session["chip"] if seed is None else f"{session['chip']}, chip seed {seed}"
    where = f"({session['arithmetic']}), backend {session['executor']}, seed {session['seed']}"
    populations = [f"{p['name']} ({shown(p['size'])})" for p in session["populations"]]
    ports = [port["name"] for port in session["ports"]]
    return Page(
        f"of {session['network']} on {chip} {where}",
        "",
        (
            Text(_where(session, closed)),
            Text(f"populations {some(populations)}"),
            Text(f"projections {some(projections)}" if projections else ""),
            Text(f"ports {some(ports)}" if ports else ""),
            Text(f"records {some(session['recorded'])}" if session["recorded"] else ""),
            Text(_link(session)),
            Text(_pace(session)),
        ),
    )


def page(session: Session) -> Page:
    """The same, with what can be read by name."""
    whole, arrays = summary(session), session.program.arrays
    named = session.plan.declared
    rows = tuple((name, arrays[name].role, named[name].unit or "-") for name in named if name in arrays)
    return Page(whole.name, whole.title, (*whole.parts, Table(("variable", "is", "unit"), rows)))


def told_page(session: Mapping[str, Any], closed: bool) -> Page:
    """The same as `told`, with what a host may write and set."""
    whole = told(session, closed)
    rows = [(one["name"], kind[:-1], one["unit"] or "-") for kind in ("inputs", "parameters") for one in session[kind]]
    return Page(whole.name, whole.title, (*whole.parts, Table(("variable", "is", "unit"), tuple(rows))))


def _where(session: Mapping[str, Any], closed: bool) -> str:
    """How far it is."""
    step, dt, many = session["step"], session["dt_ms"], session["copies"]
    copies = f", {shown(many)} copies" if many > 1 else ""
    return f"step {step:,} of {dt:g} ms ({shown(step * dt / 1000)} s){copies}{', closed' if closed else ''}"


def _link(session: Mapping[str, Any]) -> str:
    link = session.get("link")
    if link is None:
        return ""
    there, back = link["to_chip"], link["from_chip"]
    lost = f"; {100 * there['drop']:g} % and {100 * back['drop']:g} % are lost" if there["drop"] or back["drop"] else ""
    steps = "step" if there["latency"] == 1 else "steps"
    return f"link of {there['latency']} {steps} to the chip, {back['latency']} from it{lost}"


def _pace(session: Mapping[str, Any]) -> str:
    pace = session.get("pace")
    return "" if pace is None or pace["mode"] == "free" else f"pace {pace['mode']}, rate {pace['rate']:g}"
