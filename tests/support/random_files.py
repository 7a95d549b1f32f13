"""Random network files that use every part of the model language and of the time step.

`network(seed)` is the text of a network file. Sizes, connections, delays, parameters, rules, chips and the protocol
vary; a step of any of them must be the same integers on every executor.
"""

from __future__ import annotations

import random

from neuroport.numerics.parts import Part

MODELS = """
neurons:
  leaky:
    params:
      decay: {default: 0.9, range: [0, 1], kind: time}
      threshold: {default: 1, range: [0, 4], kind: threshold}
      drive: {default: 0.2, range: [0, 1], dynamic: true}
      noise: {default: 0, range: [0, 1]}
    inputs: {a: {}, back: {}}
    state:
      v: {init: {uniform: [0, 0.9]}, range: [-8, 8]}
      k: {type: int, init: 0, range: [0, 15]}
      b: {init: {normal: {mean: 0, sd: 0.1, low: -0.5, high: 0.5}}, range: [-1, 1], class: plastic, kind: bias}
    update: |
      v = v * decay + drive + a + 0.25 * back + b + noise * (uniform() - 0.5)
      k = min(k + 1, 15)
    spike: v >= threshold and k > 1
    on_spike: |
      v = v - threshold if k < 9 else 0
      k = 0
    after: |
      b = b - 0.01 * b
    on_event:
      tick: |
        b = clip(b + 0.05 * (0.5 - k / 15), -1, 1)
        most = exp(min(v - max_population(v), 0))
        b = clip(b + 0.1 * (most / max(sum_population(most), 1) - 0.2), -1, 1)
        v = v / 2
      each_step: |
        if v < -4:
          v = -4
  noisy:
    params: {level: {default: 0.3, range: [0, 1], kind: gain}}
    inputs: {a: {}, back: {}}
    state:
      v: {init: 0, range: [-4, 4]}
      u: {init: 0, range: [-4, 4]}
      k: {type: int, init: 7, range: [-8, 7]}
    update: |
      x = level * normal()
      u = 0.75 * u + 0.25 * (a - back)
      v = tanh(v + u + x)
      k = (k * 3 + 1) % 7 - (k // 2) if v > 0 else -k
      k = clip(k + poisson(abs(v) / 4, 1), -8, 7)
    spike: uniform() < sigmoid(3 * v - 2)
    on_spike: |
      v = 0
    on_event:
      each_step: |
        strong = v > 0.5
        k = clip(k + max_population(k) - sum_population(k if strong else 0) // 8, -8, 7)
        if strong:
          u = 0.75 * u
  bursty:
    params: {level: {default: 0.3, range: [0, 1], kind: gain}}
    inputs: {a: {}, back: {}}
    state:
      v: {init: 0, range: [-8, 8]}
      k: {type: int, init: 0, range: [0, 15]}
      n: {type: int, init: 0, range: [0, 5]}
    update: |
      v = 0.8 * v + a - back + 2 * level
      k = (k + 3) % 16
      n = int(clip(v, 0, 4)) + poisson(level, 1) // 8
    spike_count: n
    on_spike: |
      v = v - n
synapses:
  plain:
    state: {w: {weight: true, init: 0.3, range: [-2, 2], kind: weight}}
  traced:
    modulators: {level: {}}
    params: {up: {default: 0.05, range: [0, 1], kind: amplitude}, down: {default: 0.06, range: [0, 1], dynamic: true}}
    traces:
      x: {of: pre, decay: "0.8", increment: "1", range: [0, 8]}
      y: {of: post, decay: "0.7", increment: "1", mode: set, range: [0, 8]}
    state: {w: {weight: true, init: 0.4, range: [0, 1], kind: weight}}
    on_pre: |
      send(target, w)
      w = clip(w - down * post.y * (1 + 0.125 * before(pre.x)), 0, 1)
    on_post: |
      w = clip(w + up * pre.x * (1 - pre.spiked) + 0.02 * level * before(post.y), 0, 1)
  conditional:
    modulators: {whole: {type: int}}
    params: {eta: {default: 0.02, range: [0, 1]}}
    state:
      w: {weight: true, init: 0.2, range: [-1, 1], kind: weight}
      n: {type: int, init: 0, range: [0, 255]}
    step: |
      send(target, w, when=pre.k > 5)
    on_pre: |
      n = n + (2 if post.v > 0 else int(1.5 + abs(w)))
    on_event:
      tick: |
        w = clip(w + eta * (n / T - 0.1), -1, 1)
        n = max_outgoing(n) - min(n, sum_incoming(1 if w > 0 else 0))
        w = clip(w - 0.125 * sum_incoming(w) + 0.125 * max_incoming(w * post.v), -1, 1)
        n = whole if w > 0 else n
  analog:
    params: {eta: {default: 0.01, range: [0, 1]}}
    state: {w: {weight: true, init: 0.1, range: [-1, 1], kind: weight}}
    step: |
      send_back(back, w * post.v)
      w = w + eta * post.v * pre.v if post.v < 2 else w
      send(target, w * pre.v)
  late:
    state: {w: {weight: true, init: 0.25, range: [-1, 1], kind: weight}}
    on_pre: |
      send(target, w + 0.125 * post.v[d])
      w = w * 0.95 + 0.02 * uniform()
    on_post: |
      send_back(back, w)
"""

CHIPS = ("generic16", "generic8", "generic8_stochastic", "generic8_mismatch10")


def network(seed: int) -> str:
    """A network file; equal for equal seeds."""
    draw = random.Random(seed)
    cells = {name: draw.choice(("leaky", "noisy", "bursty")) for name in ("one", "two", "three")[: draw.randint(1, 3)]}
    sizes = {name: draw.randint(1, 9) for name in cells}
    lines = [f"neuroport: 1\nname: random{seed}\ndt: 1 ms\nseed: {seed}\nchip: {draw.choice(CHIPS)}", MODELS]
    lines += ["populations:", "  source: {size: 5, neuron: poisson, params: {rate: 150 Hz}}"]
    for name, model in cells.items():
        params = f"level: {draw.choice((0.2, 0.5, 0.9))}"
        if model == "leaky":
            params = f"decay: {draw.choice((0.5, 0.9, 0.97))}, noise: {draw.choice((0, 0.3))}"
            params += f", drive: {draw.random():.3f}"
        lines.append(f"  {name}: {{size: {sizes[name]}, neuron: {model}, params: {{{params}}}}}")
    lines.append("  single: {size: 1, neuron: leaky, params: {noise: 0.5}}")
    lines.append("projections:")
    lines.append("  tell: {source: source, target: single, input: a, synapse: plain, connect: all_to_all, weight: 0.4}")
    lines += [_projection(draw, number, cells, sizes | {"source": 5}) for number in range(draw.randint(2, 4))]
    shown = draw.choice(list(cells))
    lines += ["stimuli:", "  bump: {series: {values: [0.5, -0.25, 0.125], every: 7 ms, loop: true},"]
    lines += [f"         population: {_some(draw, shown, sizes[shown])[0]}, input: a}}"]
    lines += ["protocol:", "  - repeat: 3", "    as: epoch", "    do:", f"      - run: {draw.randint(20, 60)} steps"]
    lines += ["      - event: tick"] if draw.random() < 0.8 and "leaky" in cells.values() else []
    lines += [f"      - reset: [{draw.choice(list(cells))}]"] if draw.random() < 0.5 else []
    lines += [f"      - run: {draw.randint(5, 40)} steps"]
    lines += ["      - {if: epoch == 1, then: [{set: {source.rate: 60 Hz}}]}"]
    return "\n".join(lines) + "\n"


def _connect(draw: random.Random, source: tuple[str, int], target: tuple[str, int]) -> str:
    """Who is connected, of populations with their sizes."""
    grid = f"grid: [{source[1]}]" + ("" if source[0] == target[0] else f", target_grid: [{target[1]}]")
    profile = draw.choice(("gaussian", "exponential", "linear", "flat"))
    near = f"{{distance_dependent: {{{grid}, profile: {profile}, p: 0.9, length: 2.5, periodic: true}}}}"
    if source[1] >= 2 and target[1] == source[1] - 1 and draw.random() < 0.7:
        return f"{{pool: {{shape: [{source[1]}, 1], kernel: [2, 1], stride: 1, channels: 1}}}}"
    kinds = ["all_to_all", "{fixed_probability: 0.4}", "{fixed_in_degree: 1}", "{fixed_out_degree: 1}", near]
    return draw.choice([*kinds, "all_to_all_but_same"] if source[1] == target[1] else kinds)


def _some(draw: random.Random, name: str, size: int) -> tuple[str, int]:
    """A population or a part of it, as it is named, and of how many neurons it is."""
    if size < 3 or draw.random() < 0.6:
        return name, size
    first = draw.randrange(2)
    part = Part.of([range(first, draw.randint(first + 1, size), draw.randint(1, 3))])
    return (name, size) if len(part) == size else (f'"{name}{part}"', len(part))


def _projection(draw: random.Random, number: int, cells: dict[str, str], sizes: dict[str, int]) -> str:
    target = draw.choice(list(cells))
    rule = draw.choice(("plain", "traced", "conditional", "analog", "late"))
    source = draw.choice(["source", *cells]) if rule in ("plain", "traced") else draw.choice(list(cells))
    (source, sources), (target, targets) = _some(draw, source, sizes[source]), _some(draw, target, sizes[target])
    connect = _connect(draw, (source, sources), (target, targets))
    parts = [f"source: {source}, target: {target}, input: a, synapse: {rule}, connect: {connect}"]
    delay = f"{draw.choice((1, 1, 2, 3, 5))} steps"
    several = rule == "plain" and draw.random() < 0.4
    parts.append(f"delay: {'{uniform: [1 steps, 6 steps]}' if several else delay}")
    if rule == "late" or (rule == "plain" and draw.random() < 0.5):
        parts.append(f"dendritic_delay: {{uniform: [0 steps, {draw.choice((1, 3, 6))} steps]}}")
    modulated = {"traced": "level: single.v", "conditional": "whole: single.k"}
    if rule in modulated:
        parts.append(f"modulators: {{{modulated[rule]}}}")
    if rule in ("plain", "conditional", "late"):
        parts.append("weight: {uniform: [-0.4, 0.6]}")
    return f"  p{number}: {{{', '.join(parts)}}}"
