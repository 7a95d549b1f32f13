"""What a session is and what a host may do with it, in plain values: those that JSON and msgpack have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroport.numerics.parts import Part, numbered
from neuroport.program import fixed
from neuroport.program.machine import Array, Port, Record
from neuroport.program.names import written
from neuroport.program.plan import Declared
from neuroport.session.controls import MOST_WAITING

if TYPE_CHECKING:
    from neuroport.session.session import Session


def described(session: Session) -> dict[str, Any]:
    """A session in texts, numbers, truth values, lists and None, by name."""
    program = session.program
    return {
        "kind": "emulator",
        "network": program.name,
        "chip": program.chip,
        "chip_seed": session.chip_seed,
        "executor": session.backend,
        "arithmetic": "integer" if program.integer else program.precision,
        "arithmetic_version": fixed.VERSION if program.integer else None,
        "seed": session.seed,
        "copies": program.copies,
        "dt_ms": program.dt,
        "step": session.step,
        "ports": [_port(port) for port in program.ports],
        "populations": [{"name": p.name, "size": p.size, "spiking": p.spiking} for p in program.populations],
        "inputs": [one for one in _variables(session, "input") if program.arrays[one["name"]].reduce == "sum"],
        "parameters": [one for one in _variables(session, "parameter") if program.arrays[one["name"]].dynamic],
        "recorded": session.recorded,
        "recorded_parts": {written(r.array): _ranges(numbered(r.neurons)) for r in program.records if _is_part(r)},
        "events": sorted({event.name for event in program.events}),
        "limits": {"steps": session.last_step, "waiting_numbers": MOST_WAITING},
        "link": None,
    }


def _variables(session: Session, role: str) -> list[dict[str, Any]]:
    """Arrays of a role that the network file names."""
    arrays = [array for array in session.program.arrays.values() if array.role == role]
    named = session.plan.declared
    return [_variable(array, named[array.name]) for array in arrays if array.name in named]


def _variable(array: Array, declared: Declared) -> dict[str, Any]:
    return {
        "name": written(array.name),
        "size": int(array.initial.size) if array.at != "scalar" else 1,
        "type": declared.type,
        "unit": declared.unit,
        "range": None if array.range is None else list(array.range),
    }


def _is_part(record: Record) -> bool:
    """Whether it is of some neurons, in every run."""
    return not record.readout and record.neurons is not None


def _ranges(part: Part | None) -> list[list[int]] | None:
    """The neurons of a part as [first, end, step]."""
    return None if part is None else [[one.start, one.stop, one.step] for one in part.pieces]


def _port(port: Port) -> dict[str, Any]:
    return {
        "name": port.name,
        "direction": port.direction,
        "target": port.target,
        "size": port.size,
        "type": port.type,
        "unit": port.unit,
        "range": None if port.range is None else list(port.range),
        "writable": port.writable,
        "neurons": _ranges(port.part),
    }
