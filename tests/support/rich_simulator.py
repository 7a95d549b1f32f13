"""A simulator of the rich network (small_programs.rich) alone, written from its description."""

from __future__ import annotations

from neuroport.numerics import rng
from tests.support import small_programs as small


class Simulator:
    """The rich network (see small_programs.rich) step by step and synapse by synapse, from its description alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.t = 0
        self.spikes: list[tuple[str, int, int]] = []
        self.w, self.back = list(small.RICH_WEIGHTS), [1, -1, 1, 1, 0]
        self.count = [0] * 4
        self.states: list[dict[str, list[int]]] = []
        self.fired: dict[tuple[str, int], set[int]] = {}
        self.late: dict[int, list[int]] = {}
        self.born: dict[str, int] = {"in": 0, "out": 0}
        self.overflows = 0
        self.wraps = 0
        self.busy = [0] * 16
        self.item_step = 0
        self.now = {"in.v": [0, 3, 6], "in.s": [15] * 3, "out.u": [0] * 4, "out.y": [1, 2, 3, 4]}
        self.first = {name: list(values) for name, values in self.now.items()}

    def past(self, name: str, step: int, cell: int) -> int:
        """A variable in S(step); before the start or the last reset it had its initial value."""
        if step < self.born[name.split(".")[0]] or step < 0:
            return self.first[name][cell]
        return self.states[step][name][cell]

    def reset(self, population: str) -> None:
        for name in self.now:
            if name.startswith(population + "."):
                self.now[name] = list(self.first[name])
        if population == "out":
            self.count = [0] * 4
            self.late = {}
        self.born[population] = self.t
        self.fired = {key: cells for key, cells in self.fired.items() if key[0] != population}

    def flip(self) -> None:
        self.w = [-w for w in self.w]

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        t = self.t
        drive, i = [0, 0, 0], self.late.pop(t, [0, 0, 0, 0])
        synapses = list(enumerate(small.RICH_PAIRS))
        for _, (a, b) in synapses:
            if self.past("in.s", t - 2, a) < 3:
                i[b] += 1
        for k, (a, b) in synapses:
            if a in self.fired.get(("in", t - 2), set()):
                d = small.RICH_DENDRITIC[k]
                inputs = i if d == 0 else self.late.setdefault(t + d, [0, 0, 0, 0])
                inputs[b] += self.w[k]
                # post.y[d] is y in S(t - 1 - d); S(t - 1) is what the last boundary left.
                y = self.now["out.y"][b] if d == 0 else self.past("out.y", t - 1 - d, b)
                w = self.w[k] + y
                self.overflows += not -20 <= w <= 20
                self.w[k] = min(20, max(-20, w))
        for k, (a, b) in enumerate(small.RICH_BACK):
            if a in self.fired.get(("out", t - 1), set()) and self.back[k] > 0:
                drive[b] -= 2
        for k, (a, b) in synapses:
            if b in self.fired.get(("out", t - 1), set()):
                w = self.w[k] - self.past("in.s", t - 2, a)
                self.overflows += not -20 <= w <= 20
                while w < -20:
                    w += 41
                self.w[k] = w
                drive[a] += 1
        for step, cell, value in ((4, 0, 10), (4, 2, 7), (30, 1, 25)):
            if t == step:
                drive[cell] += value
        for cell, value in enumerate([[2, 1, 3], [0, 4, 1]][t // 5 % 2]):
            drive[cell] += value
        self.neurons(t, drive, i)
        self.count = [c + (u > 10) for c, u in zip(self.count, self.now["out.u"], strict=True)]
        if self.item_step % 2 == 1:
            self.busy[sum((y < 3) << (3 - k) for k, y in enumerate(self.now["out.y"]))] += 1
        self.states.append({name: list(values) for name, values in self.now.items()})
        self.t += 1
        self.item_step += 1

    def neurons(self, t: int, drive: list[int], i: list[int]) -> None:
        now = self.now
        for k in range(3):
            v = now["in.v"][k] + drive[k]
            fire = v >= 10
            now["in.v"][k] = v - 10 if fire else v
            now["in.s"][k] = 0 if fire else min(15, now["in.s"][k] + 1)
            self.spike("in", t, k, fire)
        for k in range(4):
            key = rng.step_key(rng.stream_key(self.seed, small.RICH_STREAM), t)
            noise = rng.mix(key + rng.GAMMA * (k + 1)) >> 61
            u = int(now["out.u"][k] * 3 / 4) + i[k] + noise
            fire = u > 20
            now["out.u"][k] = 0 if fire else u
            now["out.y"][k] = 0 if fire else min(4, now["out.y"][k] + 1)
            self.spike("out", t, k, fire)

    def spike(self, population: str, t: int, cell: int, fire: bool) -> None:
        if fire:
            self.fired.setdefault((population, t), set()).add(cell)
            self.spikes.append((population, t, cell))
