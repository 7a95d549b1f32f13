"""Ranges of populations and projections, written into the text of a network file that stays what it is otherwise."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from neuroport.errors import InvalidInput, Place, Problem
from neuroport.network.model import Input, SpikeTrace, State
from neuroport.network.network import Network
from neuroport.network.objects import Population, Projection
from neuroport.numerics import units
from neuroport.yaml import edits, nodes
from neuroport.yaml import text as emit
from neuroport.yaml.edits import Ends

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a population or projection: under which section and name it stands in a file, and its unit.

    `written`: the range in its unit that the network file gives it, if it does.
    """

    section: str
    owner: str
    name: str
    unit: str
    written: Span | None

    @property
    def coherent_unit(self) -> str:
        """The unit in which its numbers are coherent; none for pure numbers and steps."""
        return "" if units.is_step(self.unit) else units.coherent_unit(self.unit)


def variables(network: Network) -> dict[str, Variable]:
    """All that can have a range in a network file and is no parameter, by its full name OBJECT.VARIABLE."""
    found = [v for p in network.populations for v in _of("populations", p, (*p.neuron.states, *p.neuron.inputs))]
    for p in network.projections:
        found += _of("projections", p, (*p.synapse.states, *p.synapse.traces))
    return {f"{v.owner}.{v.name}": v for v in found}


def _of(
    section: str, owner: Population | Projection, declared: tuple[State | Input | SpikeTrace, ...]
) -> Iterator[Variable]:
    given = dict(owner.ranges)
    for item in declared:
        unit = "" if isinstance(item, SpikeTrace) else item.unit
        yield Variable(section, owner.name, item.name, unit, given.get(item.name))


def with_ranges(data: bytes, file: str, network: Network, ranges: Mapping[str, Span]) -> bytes:
    """The text of a network file with other ranges, by OBJECT.VARIABLE, in coherent units.

    InvalidInput, with what to write by hand, where the text cannot be changed without changing more than that.
    """
    known = variables(network)
    missing = [name for name in ranges if name not in known]
    if missing:
        text = f"this file does not have {', '.join(missing)}; calibrate it as it stands, without changes"
        raise InvalidInput.one(Place(file), text)
    changes: dict[str, dict[str, dict[str, dict[str, Ends]]]] = {}
    for name, span in ranges.items():
        variable = known[name]
        section = changes.setdefault(variable.section, {}).setdefault(variable.owner, {})
        section.setdefault("ranges", {})[variable.name] = _ends(variable, span)
    mark, bare = (BOM_UTF8, data[3:]) if data.startswith(BOM_UTF8) else (b"", data)
    before = nodes.parse(bare, file)
    made = edits.changed(bare.decode(), changes)
    if _plain_or_none(made, file) != edits.plain(before, changes):
        raise InvalidInput([Problem(Place(file), line) for line in _by_hand(changes)])
    return mark + made.encode()


def _ends(variable: Variable, span: Span) -> Ends:
    low, high = (_end(end, variable.coherent_unit) for end in span)
    if variable.written is None:
        return Ends(low, high)
    old = [_coherent(end, variable.unit) for end in variable.written]
    return Ends(low, high, (old[0] != span[0], old[1] != span[1]))


def _coherent(end: float, unit: str) -> float:
    return end if units.is_step(unit) else units.coherent(end, unit)[0]


def _end(number: float, unit: str) -> str:
    whole = number.is_integer() and abs(number) < 1e15
    return f"{emit.number(int(number) if whole else number)} {unit}".rstrip()


def _plain_or_none(text: str, file: str) -> object:
    try:
        return edits.plain(nodes.parse(text, file))
    except InvalidInput:
        return None


def _by_hand(changes: edits.Changes) -> Iterator[str]:
    yield "ranges cannot be written into this file without changing more than them; write them by hand:"
    for section, owners in changes.items():
        assert isinstance(owners, Mapping)
        for owner, inner in owners.items():
            assert isinstance(inner, Mapping)
            yield f"{section}: {owner}: ranges: {edits.written(inner['ranges'])}"
