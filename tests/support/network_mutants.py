"""Network files with something wrong in them: every shipped network, with its models inside, and a few changes each.

`mutant(seed)` is the text of one. Whatever is done to a file, its answer is a program or a sentence with a place.
"""

from __future__ import annotations

import copy
import random
import re
from functools import cache
from typing import Any

import yaml

from neuroport import networks
from tests.support.checkout import NETWORKS, ROOT

SOURCES = (*networks.names(), "everything.yaml")
HUGE = 10**30
SCALARS: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        0.5,
        -0.5,
        1e-320,
        1e300,
        -1e300,
        1e308,
        HUGE,
        -HUGE,
        2**31,
        2**63,
        2**64,
        10**400,
    ),
    *(float("nan"), float("inf"), -float("inf"), 10**6, 10**9),
    *(
        "",
        " ",
        "x",
        "a.b",
        "nan",
        "inf",
        "-inf",
        "1e300 s",
        "1e-300 s",
        "-3 ms",
        "0 ms",
        "0 steps",
        "1e30 steps",
        "nan ms",
    ),
    *(
        "inf mV",
        "1e400 ms",
        "2.5 steps",
        "5 ms",
        "20 mV",
        "3 nA",
        "1 MOhm",
        "5 Hz",
        "1e300 Hz",
        "1e300 mV",
        "1e-300 mV",
    ),
    *(
        "7 furlongs",
        "mV",
        "5 mV mV",
        "1 / 0",
        "1e999",
        "-50 mV",
        "0.1234567890123456789012345678901234567890",
        "é",
        "\0",
        "−1",
    ),
    *(
        "all",
        "scalar",
        "neuron",
        "int",
        "real",
        "step",
        "shared",
        "plastic",
        "time",
        "ideal",
        "none",
        "lambda",
        "t",
        "dt",
    ),
]
NESTED: list[Any] = [
    *([], {}, [[]], [{}], {"a": 1}, {1: 2}, {"": ""}, [1, 2], [1, [2, 3]], [[1, 2], [3]], [float("nan")] * 3, [None]),
    *({"normal": [0, -1]}, {"normal": [0, 1e300]}, {"uniform": [1e300, -1e300]}, {"lognormal": {"mean": -1, "sd": 1}}),
    *({"uniform": [0, 0]}, {"beta": {"mean": 2, "sd": 1}}, {"file": "none.h5", "dataset": "x"}, {"from": "a.b"}),
    *({"data": "yin_yang", "part": "train", "field": "inputs"}, {"array": 3}, {"pairs": [[-1, 99]]}, {"repeat": HUGE}),
    *(
        {"fixed_probability": 2},
        {"fixed_in_degree": HUGE},
        {"one_to_one": True},
        {"fixed_out_degree": -1},
        {"convolution": {"shape": HUGE, "kernel": [3, 1], "channels": [1, 1], "padding": "same"}},
        {"convolution": {"shape": [1, 3], "kernel": HUGE, "channels": [1, 1], "padding": HUGE, "dilation": HUGE}},
        {"run": "1e300 s"},
        ["0 ms", "1 ms"],
    ),
]
PARTS = [
    *(
        "1e300",
        "1e999",
        "0",
        "-1",
        "(1 / 0)",
        "exp(1e5)",
        "log(0)",
        "log(-1)",
        "sqrt(-1)",
        "1 << 70",
        "1 >> -1",
        "7 // 0",
    ),
    *(
        "7 % 0",
        "2 ** 3",
        "x",
        "uniform()",
        "normal()",
        "poisson(1, 2)",
        "int(2.5)",
        "1e-320",
        "0.1234567890123456789012345678901234567890",
        "t",
        "dt",
    ),
    *(
        "-50 mV",
        "True",
        "nan",
        "inf",
        "10 ** 400",
        str(HUGE),
        "2 ** 63",
        "not 1",
        "(1 < 2)",
        "sigmoid(1e300)",
        "'a'",
        "[1]",
    ),
    *(
        "spiked",
        "pre.x",
        "post.v[d]",
        "twin.w",
        "sum_copies(1)",
        "saturate(1, 2)",
        "relu(-1e300)",
        "tanh(1e300)",
        "item_step",
    ),
    *("1 if 2 > 1 else 0", "lambda: 1", "a.b.c", "clip(1, 2, 0)", "min(1)", "abs(-1e308 * 10)", "(1, 2)", "x = 1", ";"),
]
TOKEN = re.compile(r"[A-Za-z_][A-Za-z_0-9.]*|\d+\.?\d*(?:e-?\d+)?|[-+*/%<>=]+")
NUMBER = re.compile(r"\d+\.?\d*(?:e-?\d+)?")
FACTORS = (0, -1, 2, 0.7, 3, 1e-3, 1000, 1e-6, 10**6, 1e-12, 1e12, 1e30, 1e-30, 1e150, 1e-300)
CHIPS = ("", "ideal", "generic16", "generic8", "loihi1")


WEIGHTS = {"gle_mnist1d": 0.1, "pal_digits": 0.1, "balanced": 0.3}
"""Networks that take seconds to compile are chosen less often."""


@cache
def source(name: str) -> dict[str, Any]:
    """The tree of a network, with the models that it names from the library inside under names of its own."""
    path = NETWORKS / name if name.endswith(".yaml") else networks.path(name)
    tree: dict[str, Any] = yaml.safe_load(path.read_text())
    for section, users, key in (("neurons", "populations", "neuron"), ("synapses", "projections", "synapse")):
        for user in (tree.get(users) or {}).values():
            model = user.get(key)
            if model in _library(section):
                tree.setdefault(section, {})[f"own_{model}"] = copy.deepcopy(_library(section)[model])
                user[key] = f"own_{model}"
    return tree


@cache
def _library(section: str) -> dict[str, Any]:
    models: dict[str, Any] = {}
    for file in sorted((ROOT / "kernels" / section).glob("*.yaml")):
        models |= yaml.safe_load(file.read_text()).get(section) or {}
    return models


def mutant(seed: int) -> tuple[str, str]:
    """The text of a network file with one to three changes, and the chip to try it on ("": its own)."""
    rng = random.Random(seed)
    name = rng.choices(SOURCES, [WEIGHTS.get(name, 1.0) for name in SOURCES])[0]
    tree = copy.deepcopy(source(name))
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        _change(tree, rng)
    text = dumped(tree)
    if rng.random() < 0.05:
        lines = text.splitlines(keepends=True)
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
        text = "".join(lines)
    return text, rng.choice(CHIPS)


def dumped(tree: Any) -> str:
    """The tree as YAML."""
    return str(
        yaml.dump(tree, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True, sort_keys=False)
    )


def _change(tree: Any, rng: random.Random) -> None:
    """Change one place of a tree: down from the root, so that every section has its share."""
    holder, key = tree, rng.choice(list(tree))
    while _keys(holder[key]) and rng.random() < 0.85:
        holder, key = holder[key], rng.choice(_keys(holder[key]))
    value = holder[key]
    if isinstance(value, str) and rng.random() < 0.6:
        holder[key] = _other_text(value, rng)
    elif isinstance(value, int | float) and rng.random() < 0.5:
        holder[key] = _scaled(value, rng)
    else:
        _replace(holder, key, rng)


def _scaled(value: int | float, rng: random.Random) -> int | float:
    factor = rng.choice(FACTORS)
    return value * factor if abs(value) < 1e300 else factor


def _keys(value: Any) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []


def _replace(holder: Any, key: Any, rng: random.Random) -> None:
    wrong = copy.deepcopy(rng.choice(SCALARS if rng.random() < 0.7 else NESTED))
    match rng.choice(["replace"] * 5 + ["delete", "delete", "insert", "rename", "wrap", "sibling"]):
        case "delete":
            del holder[key]
        case "insert" if isinstance(holder, list):
            holder.insert(key, wrong)
        case "insert":
            holder[rng.choice(["x", "unit", "range", "init", "weight", "dynamic", "every", "class", "over_copies"])] = (
                wrong
            )
        case "rename" if isinstance(holder, dict) and not isinstance(wrong, dict | list):
            holder[wrong] = holder.pop(key)
        case "wrap":
            holder[key] = rng.choice([[holder[key]], [holder[key], holder[key]], {"a": holder[key]}])
        case "sibling":
            holder[key] = copy.deepcopy(holder[rng.choice(_keys(holder))])
        case _:
            holder[key] = wrong


def _other_text(text: str, rng: random.Random) -> str:
    """A text, or a quantity, with one of its words replaced, removed or doubled, or one of its numbers scaled."""
    words = list(TOKEN.finditer(text))
    if not words:
        return str(rng.choice(PARTS))
    start, end = rng.choice(words).span()
    word = text[start:end]
    scaled = f"{float(word) * rng.choice(FACTORS):g}" if NUMBER.fullmatch(word) else rng.choice(PARTS)
    others = (scaled, scaled, rng.choice(PARTS), rng.choice(words).group(), word * 2, "")
    return text[:start] + rng.choice(others) + text[end:]


EXTREMES = (
    "1e-320",
    "1e-300",
    "1e-150",
    "1e-60",
    "1e-30",
    "1e-12",
    "1e-3",
    "0.3",
    "1",
    "7",
    "1e3",
    "1e9",
    "1e18",
    "1e30",
)
EXTREMES += ("1e60", "1e150", "1e300", "1.7e308", "5e-324", "0.1000000000000000055511151231257827021181583404541015625")
LARGE_INTS = ("0", "1", "3", "7", "31", "62", "1000", str(2**31), str(2**53), str(2**62), str(2**63 - 1))
UNARY = ("exp", "log", "sqrt", "tanh", "sigmoid", "softplus", "abs", "relu", "-", "max(1e-3, ", "min(10, ")
UNARY += ("exprel", "floor", "ceil", "round")
OPERATORS = ("+", "-", "*", "*", "/")
"""What numbers of models in `extreme` are, and what is done to them."""


def extreme(seed: int) -> tuple[str, str]:
    """The text of a network file whose numbers and ranges are of any magnitude, and the chip to try it on."""
    rng = random.Random(seed)
    numbers = [_signed(rng) for _ in range(8)]
    ranges = [_range(rng) for _ in range(4)]
    ints = sorted(int(rng.choice(LARGE_INTS)) * rng.choice((-1, 1)) for _ in range(2))
    lines = [f"y = {_formula(rng, 2)}", f"x = {_formula(rng, 3)}"]
    lines += [f"k = {rng.choice(('k + 1', 'k * 3', 'k // 7', '(k << 2) % 5', 'clip(k, 0, j)', 'k - j'))}"]
    rng.shuffle(lines)
    body = "\n".join(f"      {line}" for line in lines)
    decay = rng.choice(("exp(-dt / 1e3)", numbers[3], "0.9", "exp(-dt)"))
    weight = _inside(ranges[0], rng)
    text = f"""\
neuroport: 1
name: extreme
dt: {rng.choice(("1 ms", "0.1 ms", "1e-9 s", "1e-300 s", "1e300 s", "0.3 ms"))}
neurons:
  unit:
    params:
      p: {{default: {_inside(ranges[0], rng)}, range: {_listed(ranges[0])}}}
      q: {{default: {_inside(ranges[1], rng)}, range: {_listed(ranges[1])}, dynamic: true}}
      j: {{type: int, default: {ints[0]}, range: {ints}}}
    derived: {{c: {_formula(rng, 2, ("p", "q", "dt"))}}}
    inputs: {{u: {{range: {_listed(ranges[2])}}}}}
    state:
      x: {{init: {_inside(ranges[3], rng)}, range: {_listed(ranges[3])}}}
      y: {{init: {_inside(ranges[1], rng)}, range: {_listed(ranges[1])}}}
      k: {{type: int, init: {ints[0]}, range: {ints}}}
    update: |
{body}
    spike: x > {numbers[1]}
    on_spike: x = {numbers[2]}
synapses:
  line:
    traces: {{z: {{of: pre, decay: {decay}, increment: {numbers[4]}, range: [0, 1e6]}}}}
    state: {{w: {{weight: true, init: {ranges[0][0]}, range: {_listed(ranges[0])}}}}}
    on_pre: send(target, w * {rng.choice(("1", numbers[5]))})
    on_post: w = {rng.choice(("w + pre.z", f"w * {numbers[6]}", "clip(w - pre.z, -1, 1)"))}
populations: {{a: {{size: 2, neuron: unit}}}}
projections:
  l: {{source: a, target: a, input: u, synapse: line, connect: all_to_all, weight: {weight}}}
protocol: [{{run: {rng.choice(("3 steps", "1e18 steps", "1000000 steps"))}}}]
record: {{states: {{a.x: {rng.choice(("1 step", "1e18 steps"))}}}}}
"""
    return text, rng.choice(("generic16", "generic8", "ideal", "ideal32"))


def _signed(rng: random.Random) -> str:
    return rng.choice(("", "", "-")) + rng.choice(EXTREMES)


def _range(rng: random.Random) -> list[str]:
    """Two ends: around 0, on one side of it, or usual ones."""
    low, high = sorted((_signed(rng), _signed(rng)), key=float)
    return rng.choice(
        ([f"-{high.lstrip('-')}", high.lstrip("-")], ["0", high.lstrip("-")], [low, high], ["-8", "8"], ["1", "8"])
    )


def _inside(ends: list[str], rng: random.Random) -> str:
    return rng.choice(ends)


def _listed(ends: list[str]) -> str:
    return f"[{', '.join(ends)}]"


def _formula(
    rng: random.Random, depth: int, names: tuple[str, ...] = ("p", "q", "c", "x", "y", "u", "dt", "k", "t")
) -> str:
    if not depth or rng.random() < 0.15:
        return rng.choice((rng.choice(names), rng.choice(names), f"({_signed(rng)})"))
    if rng.random() < 0.4:
        fn = rng.choice(UNARY)
        return f"{fn}{'' if ',' in fn else '('}{_formula(rng, depth - 1, names)})"
    return f"({_formula(rng, depth - 1, names)} {rng.choice(OPERATORS)} {_formula(rng, depth - 1, names)})"
