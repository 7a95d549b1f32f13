"""Whether several executors compute the same: they are walked through one protocol in step and compared as they go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Place, Unsupported
from neuroport.program.executor import Backend
from neuroport.program.machine import Program
from neuroport.program.places import assigned, spiking
from neuroport.program.plan import Capture, If, Item, Plan, Present, Repeat, Run, total_steps
from neuroport.session.record import Chunk
from neuroport.session.sensitivity import Sensitivity, Shadow
from neuroport.session.session import Progress, Session, open_session

CHUNK, LONG_CHUNK = 256, 4096
TOLERANCE = {"float64": 1e-12, "float32": 1e-4}
"""How far arrays of real programs may differ, relative to their scale.

The scale is the largest magnitude that the array has had at a comparison, or that of its declared range if that is
larger: a difference of two sums that nearly cancel is as exact as the sums, however little is left of it.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two executors first differ.

    kind "spike": neuron `element` of population `name` spiked in `step` on one of them (value 1) only.
    "array": element `element` of array `name` differs after `step` (raw values).
    "histogram": the count of joint state `element` of readout `name` differs after `step`.
    "overflows": the number of overflows of array `name` up to `step` differs.
    "samples": readout `name` was sampled at other steps, or more or less often, in the last piece before `step`.

    `declared`: where the model or network file declares it. `assigned`: where statements store into the array or send
    to it, or say when the population spikes.
    """

    kind: Literal["spike", "array", "histogram", "overflows", "samples"]
    step: int
    name: str
    element: int
    executors: tuple[str, str]
    values: tuple[float | int, float | int]
    declared: Place | None = None
    assigned: tuple[Place, ...] = ()

    def __str__(self) -> str:
        known = {
            "declared at": [self.declared] if self.declared is not None else [],
            "assigned at": list(self.assigned),
        }
        where = [f"{what} {', '.join(place.short for place in places)}" for what, places in known.items() if places]
        return f"{self._text()} ({', '.join(where)})" if where else self._text()

    def _text(self) -> str:
        (a, b), (x, y) = self.executors, self.values
        match self.kind:
            case "spike":
                one, other = (a, b) if x else (b, a)
                return f"step {self.step}: neuron {self.element} of '{self.name}' spikes on {one} and not on {other}"
            case "array":
                return f"after step {self.step}: '{self.name}' element {self.element} is {x!r} on {a} and {y!r} on {b}"
            case "histogram":
                return (
                    f"after step {self.step}: readout '{self.name}' has counted state {self.element} {x} times on {a} "
                    f"and {y} times on {b}"
                )
            case "samples":
                return f"up to step {self.step}: readout '{self.name}' has {x} samples on {a} and {y} on {b}"
            case "overflows":
                return f"after step {self.step}: '{self.name}' has overflowed {x} times on {a} and {y} times on {b}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` found. `skipped` says for each backend that did not take part why; `not_promised` for those that
    did, on their devices, which bits of this program may differ from run to run.

    `sensitivity`: of real programs that differ beyond TOLERANCE, what they make of their own last bits. They count as
    identical, without a first difference, where that explains all of it.
    """

    identical: bool
    executors: tuple[str, ...]
    steps: int
    first_difference: Difference | None
    skipped: dict[str, str] = field(default_factory=dict)
    sensitivity: Sensitivity | None = None
    not_promised: dict[str, str] = field(default_factory=dict)


def verify(
    program: Program,
    plan: Plan,
    backends: Sequence[Backend | str],
    *,
    steps: int | None = None,
    full: bool = False,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Run the protocol on all backends and compare spikes, states, weights, histograms and overflows.

    The protocol is shortened: no repeat more than 3 times, no run longer than `steps` (1,000); not with `full`.
    A plan without a protocol runs for `steps`. Integer programs must agree in every bit; of real ones the spikes
    must be equal and arrays within TOLERANCE, or within what the network makes of its own last bits (`sensitivity`).
    Unsupported when fewer than two backends can execute the program.
    """
    able, skipped = _able(program, backends)
    if len(able) < 2:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        why = f" ({reasons})" if reasons else ""
        raise Unsupported(f"verifying takes two executors, and {len(able)} can run this network{why}; name another one")
    at_most = 1000 if steps is None else steps
    if not plan.protocol:
        plan = replace(plan, protocol=(Run(at_most),))
    elif not full:
        plan = shorten(plan, steps=at_most)
    names = tuple(backend.name for backend in able)
    chunk = LONG_CHUNK if full else CHUNK
    start, end, difference = _compare(program, plan, able, seed, progress, lambda step: chunk)
    if difference is not None:
        _, _, exact = _compare(
            program, plan, able, seed, None, lambda step: min(chunk, start - step) if step < start else 1
        )
        difference = exact or difference
    if difference is None or program.integer or difference.kind == "overflows":
        found = Verification(difference is None, names, end, difference, skipped)
    else:
        found = _explained(program, plan, able, seed, progress, difference, skipped)
    return replace(
        found,
        first_difference=_located(program, found.first_difference),
        not_promised=_not_promised(program, able),
    )


def _not_promised(program: Program, backends: Sequence[Backend]) -> dict[str, str]:
    """By backend, which bits of the program may differ from run to run, where it says so."""
    asked = ((backend.name, getattr(backend, "not_promised", None)) for backend in backends)
    told = {name: ask(program) for name, ask in asked if ask is not None}
    return {name: text for name, text in told.items() if text}


def _located(program: Program, difference: Difference | None) -> Difference | None:
    """The difference with the places of what differs."""
    if difference is None:
        return None
    name = difference.name
    match difference.kind:
        case "spike":
            return replace(difference, declared=program.population(name).place, assigned=spiking(program, name))
        case "array" | "overflows":
            return replace(difference, declared=program.arrays[name].place, assigned=assigned(program, name))
        case "histogram":
            place = next(readout.place for readout in program.readouts if readout.name == name)
            return replace(difference, declared=place)
        case "samples":
            return difference


def _able(program: Program, backends: Sequence[Backend | str]) -> tuple[list[Backend], dict[str, str]]:
    """The backends that can execute the program, and for the others why they cannot."""
    from neuroport import backends as table

    able: list[Backend] = []
    skipped: dict[str, str] = {}
    for item in backends:
        backend = table.load(item) if isinstance(item, str) else item
        missing = backend.missing()
        reasons = (missing,) if missing else backend.check(program)
        if reasons:
            skipped[backend.name] = " ".join(reasons)
        else:
            able.append(backend)
    return able, skipped


def _compare(
    program: Program,
    plan: Plan,
    backends: Sequence[Backend],
    seed: int | None,
    progress: Progress | None,
    chunk: Chunk,
) -> tuple[int, int, Difference | None]:
    """Walk all backends through the protocol in pieces of `chunk(step)` steps and stop where two differ.

    Gives the step before the last piece, the number of steps computed, and the difference found.
    """
    sessions = [open_session(program, plan, backend, seed, keep=False) for backend in backends]
    scale = _declared(program)
    before = 0
    with _closing(*sessions):
        for _ in _walked(plan, sessions, chunk, progress):
            difference = _difference(program, sessions, scale)
            if difference is not None:
                return before, sessions[0].step, difference
            before = sessions[0].step
        return before, before, _overflow_difference(sessions)


def _explained(
    program: Program,
    plan: Plan,
    backends: Sequence[Backend],
    seed: int | None,
    progress: Progress | None,
    found: Difference,
    skipped: dict[str, str],
) -> Verification:
    """What is left of the difference `found` in a real program beside what it makes of its own last bits."""

    def compare(chunk: Chunk) -> tuple[int, Verification]:
        return _compare_with_shadow(program, plan, backends, seed, progress, found, chunk)

    start, result = compare(lambda step: _finely(step, found.step + 1))
    if result.first_difference is not None and result.steps > start + 1:
        _, exact = compare(lambda step: _finely(step, start) if step < start else 1)
        result = result if exact.first_difference is None else exact
    return replace(result, skipped=skipped)


def _compare_with_shadow(
    program: Program,
    plan: Plan,
    backends: Sequence[Backend],
    seed: int | None,
    progress: Progress | None,
    found: Difference,
    chunk: Chunk,
) -> tuple[int, Verification]:
    """Walk all backends again, beside a run with flipped bits that tells how far they may differ.

    Gives the step before the last piece, and what was found but for `skipped`.
    """
    names = tuple(backend.name for backend in backends)
    base = names.index("reference") if "reference" in names else 0
    sessions = [open_session(program, plan, backend, seed, keep=False) for backend in (*backends, backends[base])]
    shadow = Shadow(program, sessions[base], sessions.pop())
    scale, before, at_found = _declared(program), 0, None
    with _closing(*sessions, shadow.other):
        for _ in _walked(plan, [*sessions, shadow.other], chunk, progress):
            step = sessions[0].step
            for name, values in shadow.base.final().items():
                scale[name] = max(scale.get(name, 0.0), _magnitude(values))
            if not shadow.compare(scale):
                left = None if before else found
                sensitivity = _sensitivity(shadow, found, scale, before)
                return before, Verification(left is None, names, before, left, {}, sensitivity)
            difference = _difference(program, sessions, scale, shadow)
            if difference is not None:
                sensitivity = _sensitivity(shadow, difference, scale)
                return before, Verification(False, names, step, difference, {}, sensitivity)
            before = step
            if at_found is None and before > found.step:
                at_found = _sensitivity(shadow, found, scale)
    at_found = None if at_found is None else replace(at_found, lost=tuple(shadow.lost))
    return before, Verification(True, names, before, None, {}, at_found)


def _finely(step: int, stop: int) -> int:
    """Pieces that are short at the start, for the flipped bits may soon change everything, and end at step `stop`."""
    size = max(1, min(CHUNK, step // 4))
    return min(size, stop - step) if step < stop else size


def _sensitivity(
    shadow: Shadow, found: Difference, scale: dict[str, float], until: int | None = None
) -> Sensitivity | None:
    """What the flipped bits have done to the array that differs; None where none could be flipped."""
    if shadow.flipped is None:
        return None
    size = scale.get(found.name, 0.0) if found.kind == "array" else 0.0
    by = abs(found.values[0] - found.values[1]) / size if size else None
    moved = shadow.moved.get(found.name, 0.0) / size if size else None
    return Sensitivity(
        found.step, found.name, by, moved, shadow.base.backend, shadow.flipped, tuple(shadow.lost), until
    )


@contextmanager
def _closing(*sessions: Session) -> Iterator[None]:
    """Let go of the sessions at the end."""
    try:
        yield
    finally:
        for session in sessions:
            session.__exit__()


def _walked(plan: Plan, sessions: Sequence[Session], chunk: Chunk, progress: Progress | None) -> Iterator[None]:
    """Walk all sessions through the protocol in step."""
    total = total_steps(plan.protocol)
    for _ in zip(*[session.walk_protocol(chunk) for session in sessions], strict=True):
        if progress is not None:
            progress(sessions[0].step, total)
        yield


def _declared(program: Program) -> dict[str, float]:
    """Per array the largest magnitude of its declared range."""
    return {a.name: max(map(abs, a.range)) for a in program.arrays.values() if a.range is not None}


def _difference(
    program: Program, sessions: Sequence[Session], largest: dict[str, float], shadow: Shadow | None = None
) -> Difference | None:
    """The first difference between the first session and another one: spikes, then arrays, then histograms.

    `largest`: per array the largest magnitude declared or seen at earlier comparisons; brought up to date. `shadow`:
    arrays may also differ by what it allows.
    """
    relative = 0.0 if program.integer else TOLERANCE[program.precision]

    def allowed(name: str) -> float:
        return max(relative * largest.get(name, 0.0), 0.0 if shadow is None else shadow.allowed(name))

    first = sessions[0]
    for other in sessions[1:]:
        executors = (first.backend, other.backend)
        spikes = [
            _spike_difference(name, first.latest.spikes[name], other.latest.spikes[name], executors)
            for name in first.latest.spikes
        ]
        if found := [s for s in spikes if s is not None]:
            return min(found, key=lambda d: d.step)
        theirs = other.final()
        for name, ours in first.final().items():
            largest[name] = max(largest.get(name, 0.0), _magnitude(ours), _magnitude(theirs[name]))
            if (k := _unequal(ours, theirs[name], allowed(name))) is not None:
                values = (np.ravel(ours)[k].item(), np.ravel(theirs[name])[k].item())
                return Difference("array", first.step - 1, name, k, executors, values)
        if (sampled := _sample_difference(program, first, other, allowed)) is not None:
            return sampled
        for readout in program.readouts:
            ours, counted = first.executor.histogram(readout.name), other.executor.histogram(readout.name)
            if (k := _unequal(ours, counted, 0.0)) is not None:
                values = (int(ours[k]), int(counted[k]))
                return Difference("histogram", first.step - 1, readout.name, k, executors, values)
    return None


def _sample_difference(
    program: Program, first: Session, other: Session, allowed: Callable[[str], float]
) -> Difference | None:
    """The first sample of a samples readout that differs."""
    executors = (first.backend, other.backend)
    for record in (r for r in program.records if r.readout):
        none = (np.zeros(0, np.int64), np.zeros(0))
        steps, ours = first.latest.records.get(record.name, none)
        their_steps, theirs = other.latest.records.get(record.name, none)
        at = _unequal(steps, their_steps, 0.0) if len(steps) == len(their_steps) else 0
        if at is not None:
            counts = (len(steps), len(their_steps))
            return Difference("samples", first.step - 1, record.name, at, executors, counts)
        k = _unequal(ours, theirs, allowed(record.array))
        if k is not None:
            row, element = divmod(k, ours[0].size)
            if record.neurons is not None:
                copies = ours[0].size // len(record.neurons)
                element = int(record.neurons[element // copies]) * copies + element % copies
            values = (np.ravel(ours)[k].item(), np.ravel(theirs)[k].item())
            return Difference("array", int(steps[row]), record.array, element, executors, values)
    return None


def _spike_difference(
    name: str,
    ours: tuple[NDArray[np.int64], NDArray[np.int64]],
    theirs: tuple[NDArray[np.int64], NDArray[np.int64]],
    executors: tuple[str, str],
) -> Difference | None:
    """The first spike, by (step, neuron), that only one of two lists has."""
    a, b = np.stack(ours, axis=1), np.stack(theirs, axis=1)
    shared = min(len(a), len(b))
    unequal = np.flatnonzero((a[:shared] != b[:shared]).any(axis=1))
    k = int(unequal[0]) if len(unequal) else shared
    candidates: list[tuple[int, int, tuple[int, int]]] = []
    for spikes, values in ((a, (1, 0)), (b, (0, 1))):
        if k < len(spikes):
            candidates.append((int(spikes[k, 0]), int(spikes[k, 1]), values))
    if not candidates:
        return None
    step, neuron, which = min(candidates)
    return Difference("spike", step, name, neuron, executors, which)


def _unequal(ours: NDArray[Any], theirs: NDArray[Any], tolerance: float) -> int | None:
    """The first element in which two arrays differ by more than `tolerance`."""
    a, b = np.ravel(ours), np.ravel(theirs)
    if a.dtype.kind != "f" or not tolerance:
        different = a != b
    else:
        finite = np.isfinite(a) & np.isfinite(b)
        different = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        different[finite] = np.abs(a[finite] - b[finite]) > tolerance
    found = np.flatnonzero(different)
    return int(found[0]) if len(found) else None


def _magnitude(values: NDArray[Any]) -> float:
    """The largest finite magnitude in an array of real numbers; 0 for integers."""
    if values.dtype.kind != "f":
        return 0.0
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def _overflow_difference(sessions: Sequence[Session]) -> Difference | None:
    first = sessions[0]
    ours = first.overflows()
    for other in sessions[1:]:
        theirs = other.overflows()
        for name in sorted({*ours, *theirs}):
            values = (ours.get(name, 0), theirs.get(name, 0))
            if values[0] != values[1]:
                return Difference("overflows", first.step - 1, name, 0, (first.backend, other.backend), values)
    return None


def shorten(plan: Plan, repeats: int = 3, steps: int = 1000) -> Plan:
    """The plan with a protocol in which no repeat runs more often and no item longer than that.

    A `present` item shows as many of its patterns as fit, at least one to every copy; a `capture` item takes what was
    shown.
    """
    return replace(plan, protocol=_shorten(plan.protocol, repeats, steps))


def _shorten(items: tuple[Item, ...], repeats: int, steps: int) -> tuple[Item, ...]:
    short: list[Item] = []
    for item in items:
        match item:
            case Repeat():
                short.append(replace(item, count=min(item.count, repeats), do=_shorten(item.do, repeats, steps)))
            case Run():
                short.append(replace(item, steps=min(item.steps, steps)))
            case Present():
                short.append(replace(item, holds=min(item.holds, max(1, steps // item.hold))))
            case Capture():
                short.append(replace(item, all_shown=False))
            case If():
                then, otherwise = (_shorten(part, repeats, steps) for part in (item.then, item.otherwise))
                short.append(replace(item, then=then, otherwise=otherwise))
            case _:
                short.append(item)
    return tuple(short)
