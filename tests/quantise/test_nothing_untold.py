"""What a chip makes of a variable is told before a run, or it is what the text says: random texts, step by step."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import neuroport
from tests.support.quantising import Machine

TEMPLATES = (
    "x = x * (1 - {a}) + {b}",
    "x = {b} + (x - {b}) * {1-a}",
    "x = x + {a} * ({b} - x)",
    "x = (x + {b}) * {1-a}",
    "x = x + {ab}",
    "x = min(x + {ab}, 0.9)",
    "x = abs(x - {ab})",
    "x = max(0, x - {ab})",
    "x = x + ({ab} if x > 0.1 else {a})",
    "x = x * ({1-a} if x > {b} else 0.9)",
    "x = x + {a} * ({b} if x > 0.1 else 0.01)",
    "k = {1-a}\n      x = x * k",
    "k = {ab} if x < 1 else {a}\n      x = x + k",
    "x = x * {1+a}",
    "x = x + {a} * (x - {b})",
    "x = x - x / {1/a}",
    "x = x / {1+a}",
    "x = clip(x, 0, 1) * {1-a}",
    "x = x * {1-a}\n      x = x + {ab}",
    "x = x + {a} * (h - x)",
    "x = x + {ab} * (h + h)",
)
NETWORK = """\
neuroport: 1
name: told
dt: 1 ms
chip: generic8
neurons:
  m:
    inputs: {i: {range: [-1, 1]}}
    state:
      h: {init: 0.5, range: [0, 1]}
      x: {init: INIT, range: [LOW, HIGH]}
    update: |
      h = 0.5
      TEXT
populations: {q: {size: 1, neuron: m}}
"""


def written(draw: random.Random, template: str) -> tuple[str, float]:
    """A text, and about how much it moves x in a step."""
    a, b = 10 ** draw.uniform(-5, -0.7), 10 ** draw.uniform(-4, 0)
    numbers = {"a": a, "b": b, "ab": a * b, "1-a": 1 - a, "1+a": 1 + a, "1/a": 1 / a}
    for name, number in numbers.items():
        template = template.replace("{" + name + "}", f"{number:.12f}")
    return template, a


def as_text_says(lines: str, x: float, steps: int) -> list[float]:
    code, found = compile(lines.replace("\n      ", "\n"), "text", "exec"), []
    names = {"clip": lambda v, low, high: min(max(v, low), high), "h": 0.5, "x": x}
    for _ in range(steps):
        exec(code, names)
        found.append(float(names["x"]))
    return found


def untold(seed: int, folder: Path, steps: int = 600) -> str:
    """What differs by more than a tenth of how far x goes and is not told; "" where nothing does."""
    draw = random.Random(seed)
    text, _ = written(draw, draw.choice(TEMPLATES))
    init, high = draw.choice([0.0, 1.0, 0.3, 0.001]), draw.choice([2.0, 16.0, 100.0])
    low = draw.choice([0.0, -high])
    wanted = as_text_says(text, init, steps)
    if not low * 0.99 <= min(wanted) <= max(wanted) < high * 0.99:
        return ""
    path = folder / "told.yaml"
    parts = {"INIT": f"{init}", "LOW": f"{low}", "HIGH": f"{high}", "TEXT": text}
    whole = NETWORK
    for name, part in parts.items():
        whole = whole.replace(name, part)
    path.write_text(whole)
    program = neuroport.compile(neuroport.load(path))
    machine, unit = Machine(program), 2.0 ** -program.arrays["q.x"].type.frac
    worst, gone = 0.0, max(abs(value - init) for value in wanted)
    for value in wanted:
        machine.step()
        worst = max(worst, abs(machine.values["q.x"] * unit - value))
    told = [line.text for line in program.notices if line.subject == "q.x"]
    return f"seed {seed}: {text!r}, {low}..{high} from {init}: {worst} of {gone}" * (worst > 0.1 * gone and not told)


@pytest.mark.parametrize("part", range(2))
def test_what_a_chip_changes_is_told(part: int, tmp_path: Path) -> None:
    assert [fault for seed in range(20 * part, 20 * part + 20) if (fault := untold(seed, tmp_path))] == []


@pytest.mark.slow
def test_what_a_chip_changes_is_told_of_many(tmp_path: Path) -> None:
    assert [fault for seed in range(1000, 2000) if (fault := untold(seed, tmp_path))] == []
