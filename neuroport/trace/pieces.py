"""The segments of a run that did not end, looked at before they are joined: what is joined is removed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neuroport.disk import hdf5
from neuroport.disk.findings import Kind
from neuroport.disk.hdf5 import HIGHEST, WHOLE, Group
from neuroport.errors import InvalidInput, Place
from neuroport.trace import checked
from neuroport.trace.checked import Extent
from neuroport.trace.segments import RECORDED
from neuroport.trace.write import FORMAT

READABLE = "join what can be read with 'neuroport join --readable', or move it and the later ones away"
KIND = Kind("part of a trace", READABLE, f"it is damaged or cut off; {READABLE}")
ALONE = "it says what the others are, and nothing can be joined without it"
FIRST = Kind("part of a trace", ALONE, f"it is damaged or cut off; {ALONE}")


def check(paths: Sequence[Path], saved: Path | None = None) -> None:
    """Raise InvalidInput if one of the segments, the first of which has the header, is damaged.

    `saved`: a checkpoint that has more that was recorded.
    """
    with hdf5.opened(paths[0], FIRST) as root:
        number = root.group("neuroport").whole("format")
        root.findings.stop()
        if number != FORMAT:
            text = f"has trace format {number}; this version of neuroport joins format {FORMAT}"
            raise InvalidInput.one(Place(str(paths[0])), text)
        extent = _header(root)
        _segment(root, extent)
    for path in paths[1:]:
        with hdf5.opened(path, KIND) as root:
            _segment(root, extent)
    if saved is not None:
        with hdf5.opened(saved, KIND) as root:
            _segment(root.group(RECORDED), extent)


def _header(root: Group) -> Extent:
    """What is known before the first step."""
    group, extent = root.group("neuroport"), checked.sizes(root)
    for item in group.groups("populations").values():
        item.flag("recorded")
    for name in extent.synapses if extent.topology else ():
        checked.pairs(root, name, extent)
    checked.header(group)
    return extent


def _segment(root: Group, extent: Extent) -> None:
    """What was recorded in a while, and what the end of the run told."""
    for name, item in root.groups("spikes").items():
        steps = item.array("steps", WHOLE, (None,))
        neurons = item.array("neurons", WHOLE, (steps.length,))
        if name not in extent.populations:
            item.findings.add(f"{item} is of no population of the trace")
        elif steps.item is not None and neurons.item is not None:
            steps.whole_numbers(0, HIGHEST, ascending=True)
            neurons.whole_numbers(0, extent.populations[name] - 1)
    for name, item in root.groups("rows").items():
        item.whole("every", 0, default=0)
        found = checked.sampled(root.group("rows"), name, extent)
        if found.steps.item is not None and found.raw.item is not None:
            found.steps.whole_numbers(0, HIGHEST, ascending=True)
            found.raw.numbers()
    for item in root.groups("metrics").values():
        checked.metric(item, extent)
    if root.has("end"):
        _end(root.group("end"), extent)


def _end(end: Group, extent: Extent) -> None:
    end.whole("steps", -1)
    end.flag("complete")
    end.text("digest")
    for name in ("build_s", "run_s"):
        end.real(name)
    for name in ("spike_counts", "overflows"):
        checked.counts(end, name)
    for name in checked.all_final(end, extent):
        checked.final(end, name, extent).numbers()
    for name in checked.settings(end, extent):
        checked.setting(end, name, extent).numbers()
