"""Which executor runs a program: the one that is named, and whether that is a bad choice, or one chosen by its work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from neuroport import backends
from neuroport.api.costs import CLEAR, COSTS, WORTH, Better, Span, better, seconds
from neuroport.numerics.processors import processors
from neuroport.program.executor import Backend
from neuroport.program.machine import Program
from neuroport.program.plan import Plan, total_steps
from neuroport.program.work import Work, work

if TYPE_CHECKING:
    from neuroport.program.executor import Batching


@dataclass(frozen=True, slots=True)
class Choice:
    """The backend and device of a run. `reason`: why it was chosen, where nobody named it.

    `seconds`: what executors take by estimate, at the least and at the most, building included; empty where nothing is
    known of the one that was named. `better`: an executor here that is clearly better than the one that was named.
    `copies`: of a network with copies, how a backend that has batches computes them, and why; else None.
    """

    backend: str
    device: str | None
    reason: str | None
    seconds: dict[str, Span]
    better: Better | None = None
    copies: str | None = None

    @property
    def executor(self) -> str:
        """The backend with its device: "genn on cuda"."""
        return _name(self.backend, self.device)


BATCH = "all are one batch"
WRITTEN_OUT = "each is written out as populations of its own, which takes long to build"


Told = Callable[[Choice], None]
"""Called with the choice before anything runs."""


def _name(backend: str, device: str | None) -> str:
    return backend if device is None else f"{backend} on {device}"


def chosen(program: Program, plan: Plan, device: str | None = None, threads: int = 1, runs: int = 1) -> Choice:
    """The executor for a program: the emulator, unless another one here is clearly better or it cannot execute it.

    `device`: what genn would run on. Unsupported for a device that there is not.
    """
    if device is not None:
        backends.load("genn", device)
    todo, lanes = work(program, total_steps(plan.protocol), runs), _lanes(threads, runs)
    fast = seconds(todo, COSTS["emulator"], lanes)
    if fault := _fault(backends.load("emulator"), program):
        for backend, on in (("genn", device), ("reference", None)):
            if not _fault(backends.load(backend, on), program):
                return Choice(backend, on, f"the emulator cannot: {fault}", _seconds(todo, lanes, _name(backend, on)))
        return Choice("emulator", None, "no backend can", {"emulator": fast})
    if not todo.steps:
        return Choice("emulator", None, "nothing tells how long it will run", {"emulator": fast})
    if threads > 1:
        return Choice("emulator", None, "no other computes on several threads", {"emulator": fast})
    on = device or _gpu()
    if on is None:
        return Choice("emulator", None, "there is no GPU here that GeNN can use", {"emulator": fast})
    other = _name("genn", on)
    found, estimates = better(todo, "emulator", [other], lanes), _seconds(todo, lanes, "emulator", other)
    if found is None:
        return Choice("emulator", None, f"{other} is not surely {CLEAR:g} times as fast", estimates)
    if fault := _fault(backends.load("genn", on), program):
        return Choice("emulator", None, f"{other} cannot: {fault}", estimates)
    reason = f"it is at least {int(found.factor)} times as fast as the emulator"
    return Choice("genn", on, reason, estimates, copies=_form_of(program, "genn", on))


def judged(
    program: Program, plan: Plan, backend: str, device: str | None = None, threads: int = 1, runs: int = 1
) -> Choice:
    """The executor that was named, with one that is clearly better if there is such a one here."""
    on = _default() if backend == "genn" and device is None else device
    name, todo, lanes = _name(backend, on), work(program, total_steps(plan.protocol), runs), _lanes(threads, runs)
    estimates, found = _seconds(todo, lanes, name), None
    if name in estimates and estimates[name][0] >= WORTH and backends.missing(backend) is None:
        there = dict(_others(name, program))
        found = better(todo, name, list(there), lanes)
        if found is not None:
            estimates |= _seconds(todo, lanes, found.executor)
            if _fault(there[found.executor], program):
                found = None
    return Choice(backend, on, None, estimates, found, _form_of(program, backend, on))


def batch_of(programs: Sequence[Program], backend: Backend) -> Program | str | None:
    """Copies as the batch that a backend makes of them, or why they are none; see `Batching.batched`.

    None where there is one copy, or a backend has but one form for them.
    """
    if sum(program.copies for program in programs) == 1 or not getattr(backend, "batches", bool)():
        return None
    return cast("Batching", backend).batched(programs)


def form_of_copies(batch: Program | str | None) -> str | None:
    """How copies are computed, and why, as one may read it: of what `batch_of` says."""
    return f"{WRITTEN_OUT}: {batch}" if isinstance(batch, str) else BATCH if batch else None


def _form_of(program: Program, backend: str, device: str | None) -> str | None:
    return form_of_copies(batch_of([program], backends.load(backend, device))) if program.copies > 1 else None


def _others(name: str, program: Program) -> Iterator[tuple[str, Backend]]:
    """The fast executors that are here, but for the one of that name."""
    if name != "emulator":
        yield "emulator", backends.load("emulator")
    gpu = _gpu()
    if gpu is not None and name != _name("genn", gpu):
        yield _name("genn", gpu), backends.load("genn", gpu)


def _seconds(todo: Work, lanes: int, *names: str) -> dict[str, Span]:
    return {name: seconds(todo, COSTS[name], lanes) for name in names if name in COSTS}


def _lanes(threads: int, runs: int) -> int:
    """On how many threads the emulator computes one run, or several."""
    return threads if runs == 1 else processors()


def _fault(backend: Backend, program: Program) -> str | None:
    """Why a backend cannot execute a program here, or None."""
    return backend.missing() or next(iter(backend.check(program)), None)


def _default() -> str:
    """What genn runs on where nobody says it."""
    from neuroport.backends.genn import devices

    return devices.default()


def _gpu() -> str | None:
    """The GPU that genn would use, if there is one; nothing is asked where PyGeNN was not built for one."""
    device = _default()
    return None if device == "cpu" else device
