"""Spikes in files of SONATA, as the values of a network that name where they lie."""

from __future__ import annotations

from pathlib import Path

from neuroport.disk.hdf5 import NUMBERS, Group, opened
from neuroport.errors import InvalidInput, Place
from neuroport.network.values import FileValue
from neuroport.numerics.units import quoted
from neuroport.yaml.arrays import KIND, blame
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import Node
from neuroport.yaml.slots import Slot

UNITS = {"ms": "ms", "milliseconds": "ms", "s": "s", "seconds": "s"}
"""The units of times, as files have them and as networks have them."""
TIMES, NEURONS = "timestamps", "node_ids"


def stored_spikes(
    report: Report, file: Node | None, population: Node | None, slot: Slot, place: Place
) -> tuple[FileValue, FileValue] | None:
    """Times and neurons of a population's spikes, the only one where none is named; None, with the reason reported."""
    name = report.text(file, f"the file of {slot.what}")
    wanted = report.text(population, f"the population of {slot.what}")
    if name is None or file is None or (population is not None and wanted is None):
        return None
    report.files.append(str(Path(slot.folder) / name))
    try:
        with opened(Path(slot.folder) / name, KIND) as root:
            known = list(root.groups("spikes"))
            if not known:
                root.findings.fail("there are no /spikes of populations in it, as files of SONATA have them")
            if wanted is None and len(known) == 1:
                wanted = known[0]
            if wanted not in known:
                _ask(report, population or file, wanted, known, name, slot)
                return None
            group = root.group("spikes").group(wanted)
            unit = _unit(group)
            counts = [group.array(part, NUMBERS, (None,)).length for part in (TIMES, NEURONS)]
            if counts[0] != counts[1]:
                root.findings.fail(f"/spikes/{wanted} has {counts[0]} times and {counts[1]} neurons")
    except InvalidInput as error:
        blame(report, file, slot, name, error)
        return None
    inside = f"/spikes/{wanted}"
    times = FileValue(name, f"{inside}/{TIMES}", unit, place=place)
    return times, FileValue(name, f"{inside}/{NEURONS}", place=place)


def _ask(report: Report, at: Node, wanted: str | None, known: list[str], name: str, slot: Slot) -> None:
    """Note that a population is not there, or must be named."""
    if wanted is not None:
        report.unknown(at, "population", wanted, known, f" in {quoted(name)}")
        return
    text = f"{slot.what}: {quoted(name)} has spikes of several populations; name one as `population`"
    report.add(at, f"{text}: {', '.join(known)}")


def _unit(group: Group) -> str:
    """The unit of the times of a group; what says nothing is in ms."""
    said = group.array(TIMES, NUMBERS, (None,)).text("units", "ms")
    if said not in UNITS:
        group.findings.fail(f"{group}/{TIMES} has the unit {quoted(said)}; known are {', '.join(UNITS)}")
    return UNITS[said]
