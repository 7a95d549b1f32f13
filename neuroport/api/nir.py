"""Networks of NIR graphs."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from neuroport.api.calibrate import Calibration, calibrate
from neuroport.api.compile import CHIP
from neuroport.api.load import load
from neuroport.chips import description as chips
from neuroport.errors import InvalidInput, Place
from neuroport.files import writer
from neuroport.nir import network as graphs
from neuroport.nir import samples as data
from neuroport.nir.carried import carried, is_changed
from neuroport.nir.choices import Choice
from neuroport.nir.names import identifier
from neuroport.nir.network import STEPS, Line, Made
from neuroport.nir.text import on_chip, text
from neuroport.nir.tree import OWN, Raw, of_object, read
from neuroport.numerics.given import FLAG, FUNCTION, OUTPUT, PATH, TEXT, Kind, takes
from neuroport.numerics.units import Quantity

if TYPE_CHECKING:
    from neuroport.chips.chip import Chip
    from neuroport.network.network import Network
    from neuroport.session.session import Progress

GRAPH = Kind("the path of a NIR file or a nir.NIRGraph", lambda value: PATH.fits(value) or hasattr(value, "to_dict"))
TIME = Kind("a time such as '0.1 ms'", lambda value: isinstance(value, str | Quantity))
SAMPLES = Kind(
    "an array of samples, a mapping from Inputs to such arrays, or the path of a file of them",
    lambda value: PATH.fits(value) or isinstance(value, Mapping) or hasattr(value, "__array__"),
)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A network that was made of a NIR graph, and what became of the graph.

    `nodes`: for each node what became of it. `choices`: what NIR leaves open, and was taken. `populations`: by node.
    `late`: by how many steps the last node is later than in NIR. `files`: that were written. `calibration`: see
    calibrate. `notes`: of a graph that neuroport wrote.
    """

    network: Network
    nodes: tuple[Line, ...]
    choices: tuple[Choice, ...]
    populations: Mapping[str, str]
    late: int
    files: tuple[Path, ...] = ()
    calibration: Calibration | None = None
    notes: tuple[str, ...] = ()


@takes(
    graph=GRAPH,
    dt=TIME.or_none,
    time_unit=TEXT.or_none,
    integrate=TEXT.or_none,
    current=TEXT.or_none,
    reset=TEXT.or_none,
    input=TEXT.or_none,
    chip=CHIP,
    samples=SAMPLES.or_none,
    output=OUTPUT.or_none,
    overwrite=FLAG,
    progress=FUNCTION.or_none,
    backend=TEXT,
)
def from_nir(
    graph: Any,
    *,
    dt: str | Quantity | None = None,
    time_unit: str | None = None,
    integrate: str | None = None,
    current: str | None = None,
    reset: str | None = None,
    input: str | None = None,
    chip: str | Chip | None = None,
    samples: Any = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    backend: str = "emulator",
) -> Imported:
    """Make a network of a graph of the Neuromorphic Intermediate Representation, a file or a nir.NIRGraph.

    `dt`: the step, "0.1 ms". `time_unit`: of the graph, "s" or "ms". `integrate`: "euler" or "exact". `current`: which
    one v takes, that of the "previous" step or the "updated" one. `reset`: to a "value", or "subtract" the threshold.
    `input`: "values" or "spikes". What is None follows from the graph, or is guessed: see `choices` of the result.
    `samples`: of the input, (steps, shape of the Input) or (samples, steps, shape), of several Inputs by name, or a
    file of them: the network shows them, and its ranges are found in a run in floating point. `chip`: the network's;
    one that calculates with integers needs samples. `output`: the network file, which samples need; large arrays go
    into an HDF5 file beside it. `progress`, `backend`: of the run with samples, see calibrate.
    A graph that to_nir wrote has its network in its metadata: that is taken, whole, if neither nodes nor edges were
    changed, and nothing is asked for.
    InvalidInput with every node that cannot be, by name.
    """
    said = {
        "dt": dt,
        "time_unit": time_unit,
        "integrate": integrate,
        "current": current,
        "reset": reset,
        "input": input,
    }
    if output is not None:
        writer.check(output, overwrite, [given for given in (graph, samples) if PATH.fits(given)])
    if samples is not None and output is None:
        raise InvalidInput.one(None, "samples are for a network file with ranges; give its name as output")
    _check_chip(chip, samples)
    raw, version = read(graph) if PATH.fits(graph) else (of_object(graph), "")
    file = str(graph) if PATH.fits(graph) else ""
    as_it_is = all(value is None for value in (*said.values(), samples, chip))
    if as_it_is and (whole := carried(raw, file or "graph")) is not None:
        return _whole(raw, whole, file, output, overwrite)
    given: Mapping[str, Any] | None = None
    if samples is not None:
        inputs = sorted(name for name, node in raw.nodes.items() if node.kind == "Input")
        if not inputs:
            raise InvalidInput.one(Place(file) if file else None, "the graph has no Input that samples could be of")
        given = data.read(samples, inputs) if PATH.fits(samples) else _by_input(samples, inputs)
    source = str(samples) if PATH.fits(samples) else ""
    made = _made(raw, file, said, given, source, chip if output is None else None)
    network = made.stop(file)
    title = (Path(file).name if file else "a graph") + (f" (NIR {version})" if version else "")
    files: tuple[Path, ...] = ()
    calibration = None
    if output is not None:
        out, inputs = Path(output), [name for name in (file, source) if name]
        written, arrays = text(network, made, out, title)
        if given is not None:
            written, calibration = _calibrated(written, arrays, out.name, chip, progress, backend)
        files = writer.put(out, on_chip(written, _named(chip, out)), arrays, overwrite, inputs)
    return Imported(
        network=load(files[0]) if files else network.build(),
        nodes=tuple(made.lines),
        choices=tuple(made.choices.taken.values()),
        populations=made.populations,
        late=made.depth,
        files=files,
        calibration=calibration,
        notes=(*newer(version), *told(raw, as_it_is)),
    )


def newer(version: str) -> tuple[str, ...]:
    """What is to be known of a file of a later NIR, if it is of one."""
    found = re.match(r"(\d+)\.(\d+)", version)
    if not found or (int(found[1]), int(found[2])) <= (1, 0):
        return ()
    return (f"the file is of NIR {version}, and 1.0.8 is known here; what its nodes mean may have changed since",)


def told(raw: Raw, as_it_is: bool) -> tuple[str, ...]:
    """What is to be known of a graph that neuroport wrote. `as_it_is`: nothing is asked for that says otherwise."""
    own = raw.metadata.get(OWN)
    if not isinstance(own, Mapping) or "network" not in own:
        return ()
    if is_changed(raw):
        return (
            "neuroport wrote this graph, and it was changed since: the network is made of its nodes, and what NIR has "
            "no word for is not in it",
        )
    if as_it_is:
        return ("neuroport wrote this graph, and nobody changed it: the network is the one that was written, whole",)
    return (
        "neuroport wrote this graph; with what is asked for, the network is made of its nodes instead of taken whole",
    )


def _whole(raw: Raw, network: Network, file: str, output: str | Path | None, overwrite: bool) -> Imported:
    """The network that a graph has in its metadata."""
    files = () if output is None else writer.write(network, output, overwrite, [file] if file else [])
    return Imported(
        network=load(files[0]) if files else network,
        nodes=(),
        choices=(),
        populations={p.name: p.name for p in network.populations if p.name in raw.nodes},
        late=0,
        files=files,
        notes=told(raw, True),
    )


def looked_at(path: str | Path, said: Mapping[str, Any]) -> tuple[Made, tuple[str, ...]]:
    """What would become of the nodes of a file, with all that is refused, and notes; nothing is written."""
    raw, version = read(path)
    notes = (*newer(version), *told(raw, all(value is None for value in said.values())))
    return _made(raw, str(path), said, None, "", None), notes


def _made(raw: Raw, file: str, said: Mapping[str, Any], samples: Any, source: str, chip: Any) -> Made:
    name = identifier(Path(file).stem) if file else "nir"
    name = f"nir_{name}" if name[0].isdigit() else name
    made = graphs.made(raw, said, name, chip=chip, file=file)
    if samples is not None and made.network is not None:
        rows = data.checked(samples, made.shapes, source)
        if said.get("input") is None and made.choices.taken["input"].guessed and data.are_spikes(rows):
            made = graphs.made(raw, {**said, "input": "spikes"}, name, chip=chip, file=file)
            made.choices.taken["input"] = Choice("input", "spikes", "the samples hold 0 and 1 only")
        assert made.network is not None
        data.show(made.network, made, rows)
    elif made.network is not None:
        made.network.protocol({"run": f"{STEPS} steps"})
    return made


def _by_input(samples: Any, inputs: list[str]) -> Mapping[str, Any]:
    if isinstance(samples, Mapping):
        return samples
    if len(inputs) > 1:
        text_ = f"the graph has the Inputs {', '.join(inputs)}; give a mapping with the samples of each"
        raise InvalidInput.one(None, text_)
    return {inputs[0]: samples}


def _check_chip(chip: str | Chip | None, samples: Any) -> None:
    """Refuse a chip of integers for a network without ranges."""
    described = chips.load(chip) if isinstance(chip, str) else chip
    if described is not None and described.integer and samples is None:
        why = f"chip '{described.name}' takes number formats from ranges, and NIR has none; give samples of the input"
        raise InvalidInput.one(None, f"{why}, in which ranges are found in floating point, or leave the chip out")


def _named(chip: str | Chip | None, out: Path) -> str:
    """What a chip is called in a network file: the path of a description begins at the folder of that."""
    if not isinstance(chip, str):
        return "" if chip is None else chip.name
    return os.path.relpath(chip, out.parent) if chip.endswith((".yaml", ".yml")) else chip


def _calibrated(
    written: str,
    arrays: Mapping[str, NDArray[Any]],
    name: str,
    chip: str | Chip | None,
    progress: Progress | None,
    backend: str,
) -> tuple[str, Calibration]:
    """The text of a network file with ranges; what leads to them is put elsewhere, so that nothing is left of it."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder) / name
        writer.put(there, written, arrays, False, ())
        found = calibrate(there, chip=chip, output=there, overwrite=True, progress=progress, backend=backend)
        return there.read_text("utf-8"), found
