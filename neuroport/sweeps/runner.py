"""Points of a sweep run one after another, with what they have in common made once."""

from __future__ import annotations

import math
import pickle
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroport.api import run as api
from neuroport.api.compile import manufactured
from neuroport.errors import NeuroportError
from neuroport.sweeps.forms import DONE, FAILED

if TYPE_CHECKING:
    from neuroport.chips.chip import Chip
    from neuroport.network.network import Network


@dataclass(frozen=True, slots=True)
class Order:
    """A point to be run, as a worker is told: `network` is what the worker knows it by, `pickled` its bytes if it must.

    `trace`: where the trace goes, if one is kept.
    """

    id: str
    point: Mapping[str, Any]
    network: str
    pickled: bytes | None
    chip: Chip
    backend: str
    trace: Path | None = None

    def head(self) -> dict[str, Any]:
        """What every row of the point has."""
        return head(self.id, self.point, self.chip)


def head(key: str, point: Mapping[str, Any], chip: Chip) -> dict[str, Any]:
    """What every row of a point has, with a place for how it ended."""
    named = {"chip": chip.name, "chip_seed": point["chip_seed"], "seed": point["seed"]}
    return {"id": key, "status": "", "point": dict(point), "error": None, **named}


class Runner:
    """Runs points. What it made for the last one is used for the next: the network, its program, that of the specimen.

    All specimens of a chip have one form of program, so that those after the first take little to make.
    """

    def __init__(self) -> None:
        self._known: str | None = None
        self._network: Network | None = None
        self._alike: tuple[Any, api.Alike] | None = None
        self._last: tuple[Any, api.Prepared] | None = None

    def run(self, order: Order) -> dict[str, Any]:
        """The row of a point, whatever comes of it."""
        started = time.perf_counter()
        head = order.head()
        try:
            return {**head, "status": DONE, **self._done(order, started)}
        except NeuroportError as error:
            return failed(head, str(error), started)
        except MemoryError:
            text = "this machine has not enough memory for it; make the network or what it records smaller"
            return failed(head, text, started)
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
            row = failed(head, f"this is a fault of neuroport, or of a backend, not of the network: {said}", started)
            return {**row, "traceback": traceback.format_exc()}

    def _done(self, order: Order, started: float) -> dict[str, Any]:
        point = order.point
        ready = self._ready(order, point["chip_seed"])
        with api.claimed(order.trace, True, ready.network) as parts:
            session = ready.session(point["seed"], parts, True, False)
        with session:
            return told(api.done(session, started, order.trace, None))

    def _ready(self, order: Order, chip_seed: int | None) -> api.Prepared:
        """The network on a specimen of the chip."""
        if order.network != self._known:
            self._alike = self._last = None
            assert order.pickled is not None
            self._network, self._known = pickle.loads(order.pickled), order.network
        assert self._network is not None
        chip = (order.chip, order.backend)
        if self._last is not None and self._last[0] == (chip, chip_seed):
            return self._last[1]
        if self._alike is None or self._alike[0] != chip:
            self._alike = self._last = None
            ready = api.prepare(self._network, order.backend, order.chip, chip_seed)
            self._alike = chip, api.Alike(ready)
        else:
            ready = self._alike[1].on(None if chip_seed is None else manufactured(order.chip, chip_seed))
        self._last = (chip, chip_seed), ready
        return ready


def failed(head: Mapping[str, Any], text: str, started: float, status: str = FAILED) -> dict[str, Any]:
    """The row of a point that came to nothing."""
    return {**head, "status": status, "error": text, "run_s": time.perf_counter() - started}


def told(run: api.Run) -> dict[str, Any]:
    """What came out of a run, as a row has it."""
    return {
        "network": run.network,
        "seed": run.seed,
        "backend": run.backend,
        "steps": run.steps,
        "metrics": {name: _measured(values) for name, values in run.metrics.items()},
        "spikes": run.spikes,
        "overflows": {name: number for name, number in run.overflows.items() if number},
        "not_finite": run.not_finite,
        "digest": run.digest,
        "build_s": run.build_s,
        "run_s": run.run_s,
        "trace": None if run.trace is None else Path(run.trace).name,
    }


def _measured(values: Sequence[tuple[int, Any]]) -> dict[str, Any]:
    """A metric as measured: how often, at which step last, the last value, and of one number the lowest and highest."""
    if not values:
        return {"measured": 0, "step": None, "last": None, "lowest": None, "highest": None}
    step, last = values[-1]
    numbers = [value for _, value in values if isinstance(value, int | float) and math.isfinite(value)]
    lowest, highest = (min(numbers), max(numbers)) if numbers else (None, None)
    return {"measured": len(values), "step": step, "last": plain(last), "lowest": lowest, "highest": highest}


def plain(value: Any) -> Any:
    """A number or a list of numbers as JSON has them; one that is not finite is None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
