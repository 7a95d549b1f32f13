"""What a step of the spiking sampling network costs, plasticity included: CPU time, one core.

    python benchmarks/sampling.py [--steps N]

Runs networks/sal_sampling_published.yaml (seven units, 42 plastic synapses) on the emulator and on the reference, and
beside them two loops of their own with the same weights: `event-wise` (tests/oracles/ssn.py: probabilities are kept
until a PSP changes) and `step-wise`, which does in every step what a direct implementation does, as the published code:
PSPs of all units, matrix times vector, a sigmoid and a random number for every unit; pairs of spikes are found from the
stored spike trains afterwards. Only CPU time is compared, best of three: a busy machine lengthens wall time alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport import networks
from tests.oracles import ssn

CHIPS = ("ideal", "ideal32", "generic8", "generic16")


@numba.njit(cache=False)
def _step_wise(w, b, steps, isi_min, psp_length, tau, trains, counts, states, pairs, sal):
    n = b.size
    last = np.full(n, -(1 << 40), dtype=np.int64)
    psp = np.zeros(n)
    log_tau = np.log(tau)
    for t in range(steps):
        for j in range(n):
            psp[j] = 1.0 if t - last[j] <= psp_length else 0.0
        for i in range(n):
            u = b[i]
            for j in range(n):
                u += w[i, j] * psp[j]
            fires = np.random.random() < 1.0 / (1.0 + np.exp(log_tau - u))  # noqa: NPY002 - the only one in Numba
            if fires and t - last[i] >= isi_min:
                trains[i, counts[i]] = t
                counts[i] += 1
        state = 0
        for i in range(n):
            if counts[i] and trains[i, counts[i] - 1] == t:
                last[i] = t
            state = 2 * state + (1 if t + 1 - last[i] <= tau else 0)
        if (t + 1) % 25 == 0:
            states[state] += 1
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            first = 0
            for k in range(counts[i]):
                t = trains[i, k]
                while first < counts[j] and trains[j, first] <= t - tau:
                    first += 1
                m = first
                while m < counts[j] and trains[j, m] < t + tau:
                    d = t - trains[j, m]
                    if d != 0:
                        pairs[i, j] += tau - abs(d)
                        sal[i, j] += tau - abs(d) if d < 0 else abs(d) - tau
                    m += 1


def step_wise(w: np.ndarray, b: np.ndarray, steps: int) -> None:
    """Steps of the direct loop in the published convention, and the sums over pairs of their spikes."""
    n = b.size
    trains, counts = np.zeros((n, steps // 51 + 2), np.int64), np.zeros(n, np.int64)
    states = np.zeros(2**n, np.int64)
    pairs, sal = np.zeros((n, n), np.int64), np.zeros((n, n), np.int64)
    _step_wise(w, b, steps, 51, 49, 50, trains, counts, states, pairs, sal)


def cost(run: Callable[[int], object], steps: int) -> float:
    """CPU microseconds per step, best of three after one that compiles."""
    run(1000)
    found = []
    for _ in range(3):
        started = time.process_time()
        run(steps)
        found.append((time.process_time() - started) / steps * 1e6)
    return min(found)


def item(session: neuroport.Session) -> Callable[[int], None]:
    """An item of the protocol, of so many steps: blank, run with its read-out, epoch_end."""

    def run(length: int) -> None:
        session.trigger("blank")
        session.executor.begin_item(["states"], {})
        session.run(length)
        session.trigger("epoch_end")

    return run


def opened(chip: str) -> neuroport.Session:
    """The network on the emulator."""
    return neuroport.open(neuroport.load(networks.path("sal_sampling_published")), chip=chip, keep=False)


def event_wise() -> Callable[[int], object]:
    """The loop in which probabilities are kept until a PSP changes."""
    w, b = ssn.initial()
    w = np.clip(w, -2, 2) * ~np.eye(7, dtype=bool)
    return lambda length: ssn.simulate(w, b, length, 1)


def emulated(chip: str, steps: int) -> float:
    """CPU microseconds of a step of the emulator."""
    with opened(chip) as session:
        return cost(item(session), steps)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2_000_000)
    steps = parser.parse_args().steps
    w, b = ssn.initial()
    w = np.clip(w, -2, 2) * ~np.eye(7, dtype=bool)
    rows = [("step-wise loop, float64", cost(lambda length: step_wise(w, b, length), steps))]
    rows.append(("event-wise loop, float64", cost(event_wise(), steps)))
    rows += [(f"emulator, {chip}", emulated(chip, steps)) for chip in CHIPS]
    for chip in ("ideal", "generic8"):
        net = neuroport.load(networks.path("sal_sampling_published"))
        with neuroport.open(net, backend="reference", chip=chip, keep=False) as session:
            rows.append((f"reference, {chip}", cost(session.run, max(1000, steps // 200))))
    print(f"{'what':28} {'us per step':>12} {'steps per s':>14} {'of step-wise':>13}")
    for name, found in rows:
        print(f"{name:28} {found:12.3f} {1e6 / found:14,.0f} {found / rows[0][1]:13.2f}")


if __name__ == "__main__":
    main()
