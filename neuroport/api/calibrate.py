"""Ranges for chips from a run in real numbers, and network files that have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from neuroport import backends, distributions
from neuroport.api.compile import CHIP, lower_and_plan, specimen
from neuroport.api.load import found, load
from neuroport.api.run import to_run
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip
from neuroport.copies.given import of_copy
from neuroport.disk.output import write_bytes
from neuroport.elaborate.values import Materialiser
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.files import network as reader
from neuroport.files import ranges as files
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.network.values import Distribution, Value
from neuroport.numerics.given import FLAG, FUNCTION, LIST, PATH, TEXT, TEXTS, checked_seed, takes
from neuroport.numerics.units import Quantity
from neuroport.program.executor import Backend
from neuroport.program.extremes import with_extremes
from neuroport.program.ir import Int
from neuroport.program.machine import Array, Program
from neuroport.program.plan import Plan
from neuroport.quantise.calibrate import Choice, Held, Why, choose
from neuroport.quantise.formats import Formats, Notes
from neuroport.quantise.program import quantise
from neuroport.session.executing import opened
from neuroport.session.extremes import Extremes, Seen
from neuroport.session.session import Progress, Session
from neuroport.yaml.nodes import read_bytes

Span = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One array: what was declared, what it held, and the range that it gets, in coherent units.

    `unit`: these units. `written`: the range is new to the file. `why`: see neuroport.quantise.calibrate.Choice.
    `step_before`, `step_after`: the smallest difference that the chip holds of it; None where nothing is known.
    """

    array: str
    unit: str
    declared: Span | None
    lowest: float
    highest: float
    range: Span | None
    written: bool
    why: Why
    step_before: float | None
    step_after: float | None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What came out of a calibration; the fields of `neuroport calibrate --json`.

    `digests`: of each run on the chip `ideal`, one per seed, or where independent copies have parameters of their own
    one per seed and copy; the new file's are the same. `problems`: what still keeps
    the network from the chip. `output`: the file that was written.
    """

    network: str
    chip: str
    steps: int
    seeds: tuple[int, ...]
    digests: tuple[str, ...]
    arrays: tuple[Row, ...]
    problems: tuple[str, ...]
    output: str | None = None


@takes(
    net=PATH,
    sets=TEXTS,
    seeds=LIST,
    chip=CHIP,
    output=PATH.or_none,
    overwrite=FLAG,
    progress=FUNCTION.or_none,
    backend=TEXT,
)
def calibrate(
    net: str | Path,
    sets: Sequence[str] = (),
    duration: int | str | Quantity | None = None,
    seeds: Sequence[int] = (),
    chip: str | Chip | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    backend: str = "emulator",
) -> Calibration:
    """Run a network file, or a shipped network, in real numbers, and give every array the range that it needs.

    `sets`, `duration`: see load and run. `seeds`: run seeds whose runs count together [the network's]. `chip`: the one
    whose steps are told [the network's]. `output`: a network file like the first, with these ranges; an existing one is
    an error unless `overwrite`. InvalidInput with every problem found, before anything is computed where that can be.
    """
    path = found(net)
    network, data = load(path, sets), read_bytes(path, str(path))
    experiment = to_run(network, duration)
    original = load(path) if sets else network
    if output is not None:
        _check(original, data, path, Path(output), overwrite)
    seeds = tuple(checked_seed(seed) for seed in seeds) or (network.seed,)
    program, plan = lower_and_plan(experiment, chips.load("ideal"), None)
    runs = _runs(program, plan, seeds, progress, backends.load(backend))
    seen = {name: _together([run.seen[name] for run in runs]) for name in runs[0].seen}
    choices = choose(program, _held(network, program, seen))
    target = specimen(network, chip)[0]
    after = replace(program, arrays=_with_ranges(program, choices))
    (before, _), (later, problems) = _steps(program, target), _steps(after, target)
    rows = tuple(
        Row(
            array=name,
            unit=variable.coherent_unit,
            declared=program.arrays[name].range,
            lowest=seen[name].lowest,
            highest=seen[name].highest,
            range=choices[name].range,
            written=choices[name].range != program.arrays[name].range,
            why=choices[name].why,
            step_before=before.get(name),
            step_after=later.get(name),
        )
        for name, variable in files.variables(network).items()
        if name in seen
    )
    if output is not None:
        _write(original, data, path, Path(output), {row.array: row.range for row in rows if row.written and row.range})
    return Calibration(
        network=network.name,
        chip=target.name,
        steps=runs[0].steps,
        seeds=seeds,
        digests=tuple(run.digest for run in runs),
        arrays=rows,
        problems=problems,
        output=None if output is None else str(output),
    )


# ---------------------------------------------------------------------------------------------------------- computing


@dataclass(frozen=True, slots=True)
class _Run:
    seen: dict[str, Seen]
    steps: int
    digest: str


def _runs(
    program: Program, plan: Plan, seeds: Sequence[int], progress: Progress | None, backend: Backend
) -> list[_Run]:
    """One run per seed, one after another; of copies with parameters of their own each, copy k with the seed plus k."""
    copies = max(map(len, program.per_copy.values()), default=1) if program.copies == 1 else 1
    runs: list[_Run] = []
    for number in range(len(seeds) * copies):
        seed, k = seeds[number // copies] + number % copies, number % copies
        own = of_copy(program, k)
        keeping = with_extremes(own)
        extremes = Extremes(opened(keeping, backend, seed), own, keeping)
        with Session(own, plan, extremes, seed=seed, backend=backend.name, keep=False) as session:
            session.run_protocol(_share(progress, number, len(seeds) * copies))
            runs.append(_Run(extremes.seen(), session.step, session.digest()))
    return runs


def _share(progress: Progress | None, run: int, runs: int) -> Progress | None:
    """How far one of several runs is, as a part of all."""
    return None if progress is None else lambda done, total: progress(run * total + done, runs * total)


def _together(seen: Sequence[Seen]) -> Seen:
    whole = seen[0]
    for other in seen[1:]:
        whole = whole.with_(other)
    return whole


def _held(network: Network, program: Program, seen: dict[str, Seen]) -> dict[str, Held]:
    """What arrays held, with the ends of the distributions that they start with.

    A file is refused where these lie outside a range, whatever was drawn.
    """
    starts = _starts(network)
    return {n: Held(s.lowest, s.highest, s.moved, starts.get(n)) for n, s in seen.items()}


def _starts(network: Network) -> dict[str, Span]:
    made = Materialiser(network)
    given: dict[str, tuple[Value | None, str]] = {}
    for population in network.populations:
        values = dict(population.initial)
        given |= {f"{population.name}.{s.name}": (values.get(s.name, s.init), s.unit) for s in population.neuron.states}
    for projection in network.projections:
        model, values = projection.synapse, dict(projection.initial)
        given |= {f"{projection.name}.{s.name}": (values.get(s.name, s.init), s.unit) for s in model.states}
        if projection.weight is not None:
            given[f"{projection.name}.{model.weight.name}"] = projection.weight, model.weight.unit
    drawn = {name: _drawn(value, unit, made) for name, (value, unit) in given.items()}
    return {name: span for name, span in drawn.items() if span is not None}


def _drawn(value: Value | None, unit: str, made: Materialiser) -> Span | None:
    """Between what a distribution draws, where it says so."""
    if not isinstance(value, Distribution):
        return None
    arguments = dict(value.arguments)
    names = distributions.ALL[value.kind].ends or ("low", "high")
    ends = [made.number(arguments[end], unit) for end in names if end in arguments]
    return (min(ends), max(ends)) if ends and not {"scale", "offset"} & arguments.keys() else None


def _with_ranges(program: Program, choices: dict[str, Choice]) -> dict[str, Array]:
    """The arrays as they are with the ranges chosen, ints and sums over copies of them with the bounds of these."""
    arrays, summed = dict(program.arrays), program.summed()
    for name, choice in choices.items():
        array = arrays[name]
        if choice.range is not None and choice.range != array.range:
            times = program.copies if name in summed else 1
            low, high = choice.range
            type_ = Int(int(low) * times, int(high) * times) if isinstance(array.type, Int) else array.type
            arrays[name] = replace(array, range=choice.range, type=type_)
    return arrays


def _steps(program: Program, chip: Chip) -> tuple[dict[str, float], tuple[str, ...]]:
    """The smallest differences that a chip holds of arrays, and why the program is not for it.

    Of inputs they are known only where the whole program is.
    """
    if not chip.integer:
        return {}, ()
    try:
        arrays, problems = quantise(program, chip).arrays, ()
    except InvalidInput as error:
        formats = Formats(program, chip, Notes())
        formats.run()
        unknown = {name for name, array in program.arrays.items() if array.range is None}
        arrays = {name: array for name, array in formats.arrays.items() if name not in unknown}
        return _units(arrays), tuple(str(problem) for problem in error.problems)
    return _units(arrays), problems


def _units(arrays: dict[str, Array]) -> dict[str, float]:
    return {n: math.ldexp(1.0, -a.type.frac) for n, a in arrays.items() if isinstance(a.type, Int)}


# ------------------------------------------------------------------------------------------------------------ writing


def _check(network: Network, data: bytes, path: Path, output: Path, overwrite: bool) -> None:
    """Refuse an output, before anything is computed, that cannot become a network file like the first."""
    places = [p.neuron.place for p in network.populations] + [p.synapse.place for p in network.projections]
    models = {Path(place.file).resolve() for place in places if place is not None}
    writer.check(output, overwrite, {*models, *map(Path, network.files)} - {path, path.resolve()})
    if output.parent.resolve() != path.parent.resolve():
        _readable(data, output, f"in the folder of {path} it would find them; write it there")


def _readable(data: bytes, output: Path, remedy: str) -> None:
    """InvalidInput if a text is no network in the place of a file: what it refers to is not there."""
    try:
        network = reader.loads(data, str(output), str(output.parent))
        specimen(network)
    except InvalidInput as error:
        text = f"the calibrated file would not be a network there, for the reasons that follow; {remedy}"
        raise InvalidInput([Problem(Place(str(output)), text), *error.problems]) from None


def _write(network: Network, data: bytes, path: Path, output: Path, ranges: dict[str, Span]) -> None:
    """Write the file with new ranges, whole or not at all, in the place of one that is there."""
    text = files.with_ranges(data, str(path), network, ranges)
    _readable(text, output, "calibrate the file as it stands, without changes")
    write_bytes(output, text)
