"""Random models in the language of model files: neurons, and plastic synapses between two populations.

`case(seed)` is one small network whose names all carry its number, so that many cases can stand in one network file:
`network(cases, chip)` is the mapping, `text` the file. Every expression is made together with an interval that it
cannot leave, so divisors are provably not zero, exponents are moderate and ints are limited to 2^50, but for a few
products that 64 bits do not hold and that are refused. A variable is assigned what lies in its declared range: the
interval proves it, or a `clip` to the range does; a few variables with symmetric ranges of powers of two saturate in
their store instead.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

RUNS = (6, 5, 4)
"""Steps of the three runs of every case; between them parameters are switched, and then an event is triggered."""
LEARN = "learn"
"""That event."""
LARGEST = 1e5
"""A real expression that could be larger is limited by a clip."""
WHOLE = 2**50
"""So is an int expression."""
BENT = ("exp", "exprel", "log", "sqrt", "tanh", "sigmoid", "softplus", "relu", "abs")
WHOLES = ("floor", "ceil", "round")
COUNTING = 0.3
"""How many of the cases have t, item_step and T in their texts."""


@dataclass(frozen=True)
class Made:
    """An expression's text and an interval that holds all its values."""

    text: str
    low: float
    high: float

    @property
    def positive(self) -> bool:
        return self.low >= 0.01


@dataclass(frozen=True)
class Case:
    """One small network. `switches`: what is set at the two boundaries between the runs. `shown`: variables, ranges."""

    seed: int
    neurons: dict[str, Any]
    synapses: dict[str, Any]
    populations: dict[str, Any]
    projections: dict[str, Any]
    stimuli: dict[str, Any]
    switches: tuple[dict[str, Any], ...]

    @property
    def learns(self) -> bool:
        """Whether its synapses have a block that is triggered between the runs."""
        return any("on_event" in model for model in self.synapses.values())

    @property
    def shown(self) -> dict[str, tuple[float, float]]:
        """OBJECT.VARIABLE and its declared range."""
        found = {}
        for models, objects, key in (
            (self.neurons, self.populations, "neuron"),
            (self.synapses, self.projections, "synapse"),
        ):
            for name, given in objects.items():
                for variable, state in models[given[key]].get("state", {}).items():
                    found[f"{name}.{variable}"] = tuple(state["range"])
        return found


def network(cases: Sequence[Case], chip: str = "ideal") -> dict[str, Any]:
    """A network of all cases side by side."""
    data: dict[str, Any] = {"neuroport": 1, "name": "random", "dt": "1 ms", "chip": chip}
    for key in ("neurons", "synapses", "populations", "projections", "stimuli"):
        joined = {name: value for c in cases for name, value in getattr(c, key).items()}
        if joined:
            data[key] = joined
    data["protocol"] = [{"run": f"{RUNS[0]} steps"}]
    learning = [{"event": LEARN}] if any(c.learns for c in cases) else []
    for number, steps in enumerate(RUNS[1:]):
        switched = {name: value for c in cases for name, value in c.switches[number].items()}
        data["protocol"] += [{"set": switched}] if switched else []
        data["protocol"] += learning
        data["protocol"].append({"run": f"{steps} steps"})
    return data


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Blocks of statements as they are, and no references to what occurs twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    str, lambda d, s: d.represent_scalar("tag:yaml.org,2002:str", s, style="|" if "\n" in s else None)
)


def text(data: Mapping[str, Any]) -> str:
    """A network file."""
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, width=200)


# ------------------------------------------------------------------------------------------------------- expressions


def number(draw: random.Random, largest: float = 1000.0) -> float:
    """A literal: often a plain one, sometimes tiny or large."""
    plain = (0.0, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 10.0)
    odd = (0.001, 0.0123, 0.05, 0.99, 7.25, 17.0, 33.3, 100.0, 1000.0)
    fitting = [x for x in (plain if draw.random() < 0.75 else odd) if x <= largest]
    return draw.choice(fitting or [0.5])


def shown(x: float) -> str:
    """A number as people write it, in brackets where it is negative."""
    plain = f"{x:.0f}" if float(x).is_integer() else f"{x:.6g}"
    plain = plain if "e" not in plain else f"{x:.12f}".rstrip("0")
    return f"({plain})" if x < 0 else plain


class Writer:
    """Writes expressions over the names of a scope: texts with their intervals."""

    def __init__(self, draw: random.Random, reals: Sequence[Made], ints: Sequence[Made], counters: bool) -> None:
        self.draw, self.reals, self.ints = draw, list(reals), list(ints)
        self.counters = counters

    def real(self, depth: int) -> Made:
        """A real expression."""
        return self._limited(self._any(depth))

    def _any(self, depth: int) -> Made:
        if depth <= 0 or self.draw.random() < 0.12:
            return self.leaf()
        makers: list[tuple[float, Callable[[int], Made]]] = [
            (3, self._sum),
            (2.5, self._product),
            (0.8, self._square),
            (0.5, self._power),
            (1.3, self._quotient),
            (2.2, self._function),
            (1.5, self._extreme),
            (0.8, self._clip),
            (1.2, self._select),
            (0.8, self.integer),
        ]
        chosen = self.draw.choices([m for _, m in makers], [w for w, _ in makers])[0]
        return chosen(depth - 1)

    def leaf(self) -> Made:
        """A variable, a literal or a counter."""
        kind = self.draw.random()
        if kind < 0.6 and self.reals:
            return self.draw.choice(self.reals)
        if kind < 0.7 and self.ints:
            return self.draw.choice(self.ints)
        if kind < 0.8 and self.counters:
            return self._counter()
        x = number(self.draw) * (1 if self.draw.random() < 0.8 else -1)
        return Made(shown(x), x, x)

    def _counter(self) -> Made:
        return Made(*self.draw.choice([("t", 0, sum(RUNS)), ("item_step", 0, max(RUNS)), ("T", min(RUNS), max(RUNS))]))

    def _limited(self, made: Made) -> Made:
        if max(abs(made.low), abs(made.high)) <= LARGEST:
            return made
        return Made(f"clip({made.text}, -100, 100)", -100, 100)

    def _sum(self, depth: int) -> Made:
        a, b = self.real(depth), self.real(depth)
        if self.draw.random() < 0.5:
            return Made(f"({a.text} + {b.text})", a.low + b.low, a.high + b.high)
        return Made(f"({a.text} - {b.text})", a.low - b.high, a.high - b.low)

    def _product(self, depth: int) -> Made:
        a, b = self.real(depth), self.real(depth)
        ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        return Made(f"{a.text} * {b.text}", min(ends), max(ends))

    def _square(self, depth: int) -> Made:
        a = self.leaf()
        ends = (a.low * a.low, a.high * a.high)
        text = f"{a.text} * {a.text}" if self.draw.random() < 0.5 else f"{a.text} ** 2"
        return Made(text, 0 if a.low < 0 < a.high else min(ends), max(ends))

    def _power(self, depth: int) -> Made:
        """Of what is not large: so are the intervals between which chips keep the factors."""
        a, exponent = self.real(depth), self.draw.choice((2, 2, 3, 3, 4, 5))
        if max(abs(a.low), abs(a.high)) > 8:
            a = Made(f"clip({a.text}, -1.5, 2)", min(max(a.low, -1.5), 2), min(max(a.high, -1.5), 2))
        ends = (a.low**exponent, a.high**exponent)
        even = exponent % 2 == 0 and a.low < 0 < a.high
        return Made(f"({a.text}) ** {exponent}", 0 if even else min(ends), max(ends))

    def positive(self, depth: int) -> Made:
        """A real expression that is .01 or more, whatever its operands are."""
        c = self.draw.choice((0.1, 0.3, 0.5, 1.0, 2.0))
        kind = self.draw.randrange(6)
        known = [m for m in (*self.reals, *self.ints) if m.positive]
        if kind == 0:
            square = self._square(depth)
            return Made(f"({shown(c)} + {square.text})", c + max(square.low, 0), c + square.high)
        if kind == 1:
            a = self.real(depth)
            return Made(f"({shown(c)} + abs({a.text}))", c, c + max(abs(a.low), abs(a.high)))
        if kind == 2:
            a = self.real(depth)
            return Made(f"max({a.text}, {shown(c)})", max(a.low, c), max(a.high, c))
        if kind == 3 and self.counters:
            a = self._counter()
            return Made(f"({shown(c)} + {a.text})", c + a.low, c + a.high)
        if known:
            return self.draw.choice(known)
        x = self.draw.choice((0.3, 3.0, 7.0, 100.0))
        return Made(shown(x), x, x)

    def _quotient(self, depth: int) -> Made:
        a, b = self.real(depth), self.positive(depth)
        ends = [x / y for x in (a.low, a.high) for y in (b.low, b.high)]
        return Made(
            f"{a.text} / {b.text}" if "*" not in b.text or b.text[0] == "(" else f"{a.text} / ({b.text})",
            min(ends),
            max(ends),
        )

    def _function(self, depth: int) -> Made:
        name = self.draw.choice((*BENT, *WHOLES))
        a = self.real(depth)
        if name in WHOLES:
            return Made(f"{name}({a.text})", math.floor(a.low), math.ceil(a.high))
        if name == "exp":
            if a.high > 9:
                most = max(abs(a.low), abs(a.high))
                a = self.draw.choice(
                    (Made(f"min({a.text}, 3)", min(a.low, 3), 3), Made(f"(0 - abs({a.text}))", -most, 0))
                )
            if a.low < -60:  # a table of smaller values takes minutes to make
                a = Made(f"max({a.text}, (-60))", -60, max(a.high, -60))
            return Made(f"exp({a.text})", math.exp(max(a.low, -700)), math.exp(a.high))
        if name == "exprel":
            a = Made(f"clip({a.text}, -20, 4)", min(max(a.low, -20), 4), min(max(a.high, -20), 4))
            return Made(f"exprel({a.text})", 0, 13.4)
        if name == "log":
            a = self.positive(depth)
            return Made(f"log({a.text})", math.log(a.low), math.log(a.high))
        if name == "sqrt":
            if a.low < 0:
                top = max(abs(a.low), abs(a.high))
                a = self.draw.choice(
                    (
                        Made(f"abs({a.text})", 0, top),
                        Made(f"max({a.text}, 0)", 0, max(a.high, 0)),
                        Made(f"(0.1 + abs({a.text}))", 0.1, top + 0.1),
                    )
                )
            return Made(f"sqrt({a.text})", math.sqrt(a.low), math.sqrt(a.high))
        if name == "tanh":
            return Made(f"tanh({a.text})", math.tanh(a.low), math.tanh(a.high))
        if name == "sigmoid":
            return Made(f"sigmoid({a.text})", 0 if a.low < -300 else 1 / (1 + math.exp(-a.low)), 1)
        if name == "abs":
            return Made(
                f"abs({a.text})",
                0 if a.low < 0 < a.high else min(abs(a.low), abs(a.high)),
                max(abs(a.low), abs(a.high)),
            )
        if name == "relu":
            return Made(f"relu({a.text})", max(a.low, 0), max(a.high, 0))
        return Made(f"softplus({a.text})", 0, max(a.high, 0) + 0.7)

    def _extreme(self, depth: int) -> Made:
        name = self.draw.choice(("min", "max"))
        parts = [self.real(depth) for _ in range(self.draw.choice((2, 2, 3)))]
        choose = min if name == "min" else max
        return Made(
            f"{name}({', '.join(p.text for p in parts)})", choose(p.low for p in parts), choose(p.high for p in parts)
        )

    def _clip(self, depth: int) -> Made:
        a, (low, high) = (
            self.real(depth),
            self.draw.choice(((0.0, 1.0), (-1.0, 1.0), (-0.5, 0.7), (-10.0, 100.0), (0.1, 3.0))),
        )
        return Made(
            f"clip({a.text}, {shown(low)}, {shown(high)})", min(max(a.low, low), high), max(min(a.high, high), low)
        )

    def _select(self, depth: int) -> Made:
        a, b, c = self.real(depth), self.real(depth), self.condition(depth)
        return Made(f"({a.text} if {c} else {b.text})", min(a.low, b.low), max(a.high, b.high))

    def condition(self, depth: int) -> str:
        """A condition."""
        kind, comparison = self.draw.random(), self.draw.choice(("<", "<=", ">", ">="))
        if depth > 0 and kind < 0.2:
            joined = self.draw.choice(("and", "or"))
            return f"({self.condition(depth - 1)} {joined} {self.condition(depth - 1)})"
        if kind < 0.25:
            return f"(not {self.condition(depth - 1)})"
        if kind < 0.4:
            a = self.integer(min(depth, 1))
            return f"{a.text} {self.draw.choice(('<', '<=', '>', '>=', '==', '!='))} {self.draw.randint(-3, 12)}"
        if kind < 0.5:
            a, low = self.real(min(depth, 1)), self.draw.choice((-1.0, 0.0, 0.2))
            return f"{shown(low)} < {a.text} < {shown(low + 1)}"
        a, b = self.real(min(depth, 1)), self.leaf() if self.draw.random() < 0.5 else None
        return f"{a.text} {comparison} {b.text if b else shown(number(self.draw, 5))}"

    # ------------------------------------------------------------------------------------------------------------ ints

    def integer(self, depth: int) -> Made:
        """An int expression."""
        made = self._integer(depth)
        if max(abs(made.low), abs(made.high)) <= WHOLE:
            return made
        return Made(f"saturate({made.text}, 40)", -(2**39), 2**39 - 1)

    def _integer(self, depth: int) -> Made:
        if depth <= 0 or self.draw.random() < 0.15:
            return self._whole_leaf()
        a, kind = self.integer(depth - 1), self.draw.choice((0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9))
        big = max(abs(a.low), abs(a.high))
        if kind == 0:
            b = self.integer(depth - 1)
            return Made(f"({a.text} + {b.text})", a.low + b.low, a.high + b.high)
        if kind == 1:
            b = self.integer(depth - 1)
            return Made(f"({a.text} - {b.text})", a.low - b.high, a.high - b.low)
        if kind in (2, 3):
            b = self.integer(depth - 1) if kind == 2 else a
            ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            if max(map(abs, ends)) > 2**62 and self.draw.random() < 0.7:
                return a
            return Made(f"{a.text} * {b.text}", min(ends), max(ends))
        if kind == 4:
            d = self.draw.choice((2, 3, 7, 10, 1000, 4294967297))
            name = self.draw.choice(("//", "trunc_div"))
            shown_ = f"(({a.text}) // {d})" if name == "//" else f"trunc_div({a.text}, {d})"
            return Made(shown_, a.low // d, max(a.high // d, 0))
        if kind == 5:
            d = self.draw.choice((2, 3, 5, 7, 16, 1000))
            return Made(f"(({a.text}) % {d})", 0, d - 1)
        if kind == 6:
            counts = [m for m in self.ints if 0 <= m.low and m.high <= 20]
            if counts and big < 2**20 and self.draw.random() < 0.5:
                count = self.draw.choice(counts)
                if self.draw.random() < 0.5:
                    return Made(f"(({a.text}) << {count.text})", min(a.low, 0) * 2**20, max(a.high, 0) * 2**20)
                return Made(f"(({a.text}) >> {count.text})", min(a.low, 0), max(a.high, 0))
            s = self.draw.randint(0, 6)
            if self.draw.random() < 0.5 and big < 2**40:
                return Made(f"(({a.text}) << {s})", a.low * 2**s, a.high * 2**s)
            return Made(f"(({a.text}) >> {s})", a.low // 2**s, a.high // 2**s)
        if kind == 7:
            bits = self.draw.choice((3, 5, 8, 16, 33))
            low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
            if self.draw.random() < 0.5:
                return Made(f"wrap({a.text}, {bits})", low, high)
            return Made(f"saturate({a.text}, {bits})", max(low, min(a.low, high)), min(high, max(a.high, low)))
        if kind == 8:
            b, name = self.integer(depth - 1), self.draw.choice(("min", "max"))
            choose = min if name == "min" else max
            return Made(f"{name}({a.text}, {b.text})", choose(a.low, b.low), choose(a.high, b.high))
        b = self._whole_leaf()
        return Made(f"({a.text} if {self.condition(depth - 1)} else {b.text})", min(a.low, b.low), max(a.high, b.high))

    def _whole_leaf(self) -> Made:
        kind = self.draw.random()
        if kind < 0.65 and self.ints:
            return self.draw.choice(self.ints)
        if kind < 0.8 and self.counters:
            return self._counter()
        x = self.draw.choice((0, 1, 2, 3, 5, 7, 12, 100, 12345, 4294967296)) if self.draw.random() < 0.8 else -2
        if x in (3, 7, 12) and self.reals:
            return self._converted(self.draw.choice(self.reals), x)
        return Made(shown(x), x, x)

    def _converted(self, a: Made, factor: int) -> Made:
        """An int made of a real number."""
        ends = factor * a.low, factor * a.high
        form = "int(round({}))" if factor == 7 else "int({})"
        return Made(form.format(f"{factor} * ({a.text})"), math.floor(ends[0]), math.ceil(ends[1]))


# ------------------------------------------------------------------------------------------------------------- models

REALS = ((-1.0, 1.0), (0.0, 1.0), (-4.0, 4.0), (-100.0, 0.0), (-10.0, 10.0), (0.3, 3.0), (0.0, 1000.0), (-0.001, 0.001))
SATURATING = ((-1.0, 1.0), (-2.0, 2.0), (-8.0, 8.0))
INTS = ((0, 15), (-8, 7), (-100, 100), (0, 1000), (-3000000, 3000000))
FLAVOURS = ("mixed", "mixed", "ints", "switches")
"""What a case has much of: `ints` variables and products of ints, `switches` parameters that are switched."""


@dataclass
class _Model:
    """A model in the making."""

    draw: random.Random
    params: dict[str, Any] = field(default_factory=dict)
    derived: dict[str, str] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    reals: list[Made] = field(default_factory=list)
    ints: list[Made] = field(default_factory=list)
    saturating: set[str] = field(default_factory=set)
    switches: tuple[dict[str, Any], dict[str, Any]] = field(default_factory=lambda: ({}, {}))
    counters: bool = False
    flavour: str = "mixed"

    def parameters(self) -> None:
        draw = self.draw
        often = 0.9 if self.flavour == "switches" else 0.5
        for name in ("p", "q")[: draw.randint(0, 2)]:
            low, high = draw.choice(((0.0, 1.0), (0.01, 4.0), (-2.0, 2.0), (0.5, 100.0)))
            self._parameter(
                name, low, high, lambda low=low, high=high: _between(draw, low, high), draw.random() < often
            )
            self.reals.append(Made(name, low, high))
        if draw.random() < often:
            low, high = draw.choice(((0, 7), (0, 100), (1, 20)))
            self._parameter("k", low, high, lambda: draw.randint(low, high), draw.random() < often, "int")
            self.ints.append(Made("k", low, high))
        if draw.random() < often / 2:
            self._parameter("learn", 0.0, 1.0, lambda: draw.choice((0.0, 1.0)), True)
            self.reals.append(Made("learn", 0, 1))
        if self.params and draw.random() < often:
            writer = Writer(draw, self.reals, self.ints, counters=False)
            made = writer.real(2) if draw.random() < 0.7 or not self.ints else writer.integer(2)
            if draw.random() < 0.2:
                made = Made(f"1 if {writer.leaf().text} > 0.5 else 0", 0, 1)
            self.derived["e"] = made.text
            self.reals.append(Made("e", made.low, made.high))

    def _parameter(
        self, name: str, low: float, high: float, value: Callable[[], float], dynamic: bool, type_: str = ""
    ) -> None:
        self.params[name] = {"default": value(), "range": [low, high]} | ({"type": type_} if type_ else {})
        if dynamic:
            self.params[name]["dynamic"] = True
            for switched in self.switches:
                if self.draw.random() < 0.6:
                    switched[name] = value()

    def variables(self, reals: Sequence[str], ints: Sequence[str]) -> None:
        draw = self.draw
        for name in reals:
            saturating = draw.random() < 0.25
            low, high = draw.choice(SATURATING if saturating else REALS)
            self.state[name] = {"init": _between(draw, low, high), "range": [low, high]}
            self.reals.append(Made(name, low, high))
            if saturating:
                self.saturating.add(name)
        for name in ints:
            low, high = draw.choice(INTS[2:] if self.flavour == "ints" else INTS)
            self.state[name] = {"type": "int", "init": draw.randint(low, high), "range": [low, high]}
            self.ints.append(Made(name, low, high))

    def assignment(self, name: str, writer: Writer, depth: int = 3) -> str:
        low, high = self.state[name]["range"]
        made = writer.integer(depth) if self.state[name].get("type") == "int" else writer.real(depth)
        if name in self.saturating or (low <= made.low and made.high <= high):
            return f"{name} = {made.text}"
        return f"{name} = clip({made.text}, {shown(low)}, {shown(high)})"

    def block(self, writer: Writer, names: Sequence[str], locals_: bool = True) -> str:
        """Statements that assign to these names: with local names, and some under conditions."""
        draw, lines = self.draw, []
        if locals_ and draw.random() < 0.5:
            made = writer.real(2)
            lines.append(f"x = {made.text}")
            writer.reals.append(Made("x", made.low, made.high))
        for name in names:
            if draw.random() < 0.25:
                lines += [f"if {writer.condition(1)}:", f"  {self.assignment(name, writer, 2)}"]
                lines += ["else:", f"  {self.assignment(name, writer, 2)}"] if draw.random() < 0.5 else []
            else:
                lines.append(self.assignment(name, writer))
        return "\n".join(lines) + "\n"


def _between(draw: random.Random, low: float, high: float) -> float:
    """A value in a range: an end, the middle, or anything."""
    x = draw.choice((low, high, (low + high) / 2, *(low + (high - low) * draw.random() for _ in range(3))))
    return float(f"{min(max(x, low), high):.6g}")


def case(seed: int) -> Case:
    """A neuron model in two cases out of three, else a plastic synapse between two populations."""
    draw = random.Random(seed)
    return _synapse_case(draw, seed) if seed % 3 == 2 else _neuron_case(draw, seed)


def _neuron_case(draw: random.Random, seed: int) -> Case:
    model = _Model(draw, counters=draw.random() < COUNTING, flavour=draw.choice(FLAVOURS))
    model.parameters()
    reals, ints = ("v", "a", "b")[: draw.randint(1, 3)], ("n", "m")[: draw.randint(0, 2)]
    if model.flavour == "ints":
        reals, ints = ("v",), ("n", "m")
    model.variables(reals, ints)
    writer = Writer(draw, model.reals, model.ints, model.counters)
    data: dict[str, Any] = {}
    for key in ("params", "derived"):
        if getattr(model, key):
            data[key] = getattr(model, key)
    stimuli = {}
    if draw.random() < 0.5:
        data["inputs"] = {"i": {"range": [-2, 2]}}
        writer.reals.append(Made("i", -2, 2))
        values = [draw.randint(-8, 8) / 4 for _ in range(4)]
        stimuli = {
            f"s{seed}": {
                "series": {"values": values, "every": "1 steps", "loop": True},
                "population": f"n{seed}",
                "input": "i",
            }
        }
    data["state"] = model.state
    data["update"] = model.block(writer, [*reals, *ints])
    if draw.random() < 0.4:
        data["spike"] = writer.condition(1)
        after = Writer(draw, model.reals, model.ints, model.counters)
        data["on_spike"] = model.block(after, [draw.choice([*reals, *ints])], locals_=False)
        if draw.random() < 0.4:
            data["after"] = model.block(after, [draw.choice([*reals, *ints])], locals_=False)
    return Case(
        seed,
        {f"m{seed}": data},
        {},
        {f"n{seed}": {"size": 1, "neuron": f"m{seed}"}},
        {},
        stimuli,
        _named(model, f"n{seed}", data),
    )


def _synapse_case(draw: random.Random, seed: int) -> Case:
    source = {
        "state": {
            "r": {"init": 0.25, "range": [-1, 1]},
            "c": {"type": "int", "init": draw.randint(0, 6), "range": [0, 6]},
        },
        "update": "c = (c * 5 + 3) % 7\nr = 0.5 * r + 0.25 * (c - 3) / 3\n",
        "spike": "c > 2",
    }
    target = {
        "inputs": {"i": {"range": [-8, 8]}},
        "state": {"v": {"init": 0.5, "range": [-8, 8]}, "c": {"type": "int", "init": 1, "range": [0, 4]}},
        "update": "v = clip(0.5 * v + i, -8, 8)\nc = (c + 2) % 5\n",
        "spike": "c < 2",
    }
    model = _Model(draw, counters=draw.random() < COUNTING, flavour=draw.choice(FLAVOURS))
    model.parameters()
    decays = [draw.choice((0.5, 0.8, 0.9, 0.95)) for _ in "xy"]
    low, high = draw.choice(((0.0, 1.0), (-2.0, 2.0), (0.0, 3.0)))
    model.variables(("g",) if draw.random() < 0.4 else (), ("n",) if draw.random() < 0.4 else ())
    model.state = {"w": {"weight": True, "init": _between(draw, low, high), "range": [low, high]}, **model.state}
    model.reals.append(Made("w", low, high))
    traces = {
        "x": {"of": "pre", "decay": str(decays[0]), "range": [0, 32]},
        "y": {
            "of": "post",
            "decay": str(decays[1]),
            "increment": "0.5",
            "mode": draw.choice(("add", "set")),
            "range": [0, 32],
        },
    }
    seen = [Made("pre.x", 0, 32), Made("post.y", 0, 32), Made("post.v", -8, 8), Made("pre.r", -1, 1)]
    seen += [Made("before(pre.x)", 0, 32), Made("before(post.y)", 0, 32)]
    whole = [Made("pre.c", 0, 6), Made("post.spiked", 0, 1), Made("pre.spiked", 0, 1)]

    def block(names: Sequence[str]) -> str:
        return model.block(Writer(draw, [*model.reals, *seen], [*model.ints, *whole], model.counters), names)

    data: dict[str, Any] = {key: getattr(model, key) for key in ("params", "derived") if getattr(model, key)}
    data |= {"traces": traces, "state": model.state}
    if draw.random() < 0.4:
        data["step"] = block([draw.choice(list(model.state))])
    data["on_pre"] = "send(target, w)\n" + block([draw.choice(list(model.state))])
    data["on_post"] = block(["w"])
    if draw.random() < 0.6:
        data["on_event"] = {LEARN: block([draw.choice(list(model.state))])}
    some = seed % 3 == 0
    projection = {
        "source": f"a{seed}[::2]" if some else f"a{seed}",
        "target": f"b{seed}",
        "input": "i",
        "synapse": f"m{seed}",
        "connect": "all_to_all",
    }
    return Case(
        seed,
        {f"a{seed}": source, f"b{seed}": target},
        {f"m{seed}": data},
        {f"a{seed}": {"size": 3 if some else 2, "neuron": f"a{seed}"}, f"b{seed}": {"size": 1, "neuron": f"b{seed}"}},
        {f"w{seed}": {**projection, "delay": f"{draw.choice((1, 1, 2))} steps"}},
        {},
        _named(model, f"w{seed}", data),
    )


def _named(model: _Model, owner: str, data: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The switches of parameters that some text uses."""
    texts = [value for value in data.values() if isinstance(value, str)] + list(data.get("on_event", {}).values())
    used = set(re.findall(r"[a-z_]+", " ".join(texts)))
    used |= set(re.findall(r"[a-z_]+", data.get("derived", {}).get("e", ""))) if "e" in used else set()
    return tuple({f"{owner}.{name}": x for name, x in some.items() if name in used} for some in model.switches)
