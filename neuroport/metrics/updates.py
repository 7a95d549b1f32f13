"""How what a learning rule does to weights lies to what back-propagation through the same network would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from neuroport.metrics.descent import Layer, descent
from neuroport.metrics.following import Followed, Following
from neuroport.metrics.metric import Form, Observed, Real, Variable
from neuroport.metrics.weights import angle, over_copies, owner

SLOPES: dict[str, Callable[[Real], Real]] = {
    "linear": np.ones_like,
    "tanh": lambda x: 1 - x * x,
    "sigmoid": lambda x: x * (1 - x),
    "relu": lambda x: np.where(x > 0, 1.0, 0.0),
    "softplus": lambda x: -np.expm1(-x),
}
"""By activation function: its derivative, of its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAngle(Following):
    """The angle between a rule's update of every projection and that of back-propagation through the same weights.

    A list of projections' weights OBJECT.VARIABLE, from the input to the output; the angles are in that order.
    `states`: a samples readout of the source of each, of what it sends. `slopes`: of the source of each but the first,
    a samples readout of the derivative of its activation function, or a word for that function: linear, tanh, sigmoid,
    relu, softplus; one word is for all. `error`: a samples readout of the target of the last, of what its cells lack
    (goal - output); with a minus before it, of what they have too much. `update`: the variable of the synapses that the
    weights are moved by; without it, how much they have changed since the first of the items that the readouts saw
    began. The error goes back through the weights as they were when an item began. The mean over the copies, where they
    have weights of their own. `effective`: through the weights as they act on a chip whose circuits deviate.
    """

    kind: ClassVar[str] = "update_angle"
    unit: ClassVar[str | None] = "degrees"
    further: ClassVar[tuple[str, ...]] = ("states", "slopes", "error", "update", "effective")
    required: ClassVar[tuple[str, ...]] = ("states", "error")
    one_number: ClassVar[bool] = False

    weights: tuple[str, ...]
    states: tuple[str, ...]
    slopes: tuple[str, ...]
    error: str
    too_much: bool = False
    update: str = ""
    effective: bool = False

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        effective = form.true("effective")
        layers = _layers(form, cls.kind)
        if layers is None or not (form.has("states") and form.has("error")):
            return None
        ends = [tuple(map(whole, layer.ends)) for layer in layers if layer.ends is not None]
        states = _readouts(form, "states", [source for source, _ in ends])
        slopes = _slopes(form, [source for source, _ in ends[1:]])
        too_much, error = form.signed("error", ends[-1][1])
        update = _update(form, layers)
        if states is None or slopes is None or error is None or update is None:
            return None
        return cls(
            name=form.name,
            of=", ".join(layer.name for layer in layers),
            weights=tuple(layer.name for layer in layers),
            states=states,
            slopes=slopes,
            error=error,
            too_much=too_much,
            update=update,
            effective=effective,
            place=form.place,
        )

    def written(self) -> dict[str, Any]:
        """See Metric."""
        made: dict[str, Any] = {self.kind: list(self.weights), "states": list(self.states)}
        made |= {"slopes": list(self.slopes)} if self.slopes else {}
        made |= {"error": "-" * self.too_much + self.error}
        made |= {"update": self.update} if self.update else {}
        return made | ({"effective": True} if self.effective else {})

    @property
    def readouts(self) -> tuple[str, ...]:
        """See Metric."""
        return tuple(dict.fromkeys([*self.states, *self._slope_readouts, self.error]))

    @property
    def _slope_readouts(self) -> list[str]:
        return [slope for slope in self.slopes if slope not in SLOPES]

    def taken(self, run: Observed) -> dict[str, Real]:
        """The weights, as the rule has them and, where they are others, as they act."""
        return {name: run.variable(name, False) for name in self.weights} | (
            {_acting(name): run.variable(name, True) for name in self.weights} if self.effective else {}
        )

    def gained(self, run: Observed, began: Mapping[str, Real]) -> dict[str, Real]:
        """What back-propagation adds to all weights, of each copy (weights, copies) where copies have their own."""
        acting = {name: began[_acting(name) if self.effective else name] for name in self.weights}
        updates = [run.variable(f"{owner(name)}.{self.update}", False) for name in self.weights if self.update]
        copies = max((v.shape[1] for v in (*acting.values(), *updates) if v.ndim == 2), default=0)
        each = [
            self._descent(
                run, {n: v[:, c] if v.ndim == 2 else v for n, v in acting.items()}, slice(c, None, copies or 1)
            )
            for c in range(copies or 1)
        ]
        columns = zip(self.weights, zip(*each, strict=True), strict=True)
        return {name: np.stack(found, axis=1) if copies else found[0] for name, found in columns}

    def _descent(self, run: Observed, weights: Mapping[str, Real], rows: slice) -> list[Real]:
        """What back-propagation adds to all weights, for some rows of the item that ended."""
        states = [run.latest(readout)[rows] for readout in self.states]
        slopes = [
            SLOPES[slope](state) if slope in SLOPES else run.latest(slope)[rows]
            for slope, state in zip(self.slopes, states[1:], strict=True)
        ]
        error = run.latest(self.error)[rows] * (-1 if self.too_much else 1)
        return descent(states, slopes, error, [_layer(run, name, weights[name]) for name in self.weights])

    def fits(self, followed: Followed, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """See Following."""
        wanted = {name: shapes[name] for name in self.weights}
        wanted |= {_acting(name): shapes[name] for name in self.weights if self.effective}
        begun = all({n: v.shape for n, v in one.items()} == wanted for one in (followed.first, followed.began))
        sizes = {name: len(value) if value.ndim in (1, 2) else -1 for name, value in followed.gained.items()}
        return begun and sizes in ({}, {name: shapes[name][0] for name in self.weights})

    def value(self, run: Observed) -> list[float]:
        """See Metric."""
        followed = run.followed(self.name)
        if not followed.gained:
            return [float("nan")] * len(self.weights)
        return [
            over_copies(angle, self._moved(run, name, followed.first), followed.gained[name]) for name in self.weights
        ]

    def _moved(self, run: Observed, name: str, first: Mapping[str, Real]) -> Real:
        """What the rule has done to weights, or has had done."""
        now = run.variable(name, False)
        if not self.update:
            return now - first[name]
        by = f"{owner(name)}.{self.update}"
        if run.entry(name) is None:
            return run.of_synapses(by, False)
        if run.entry(by) is not None:
            return run.variable(by, False)
        return _layer(run, name, now).added(run.of_synapses(by, False))


def _layer(run: Observed, name: str, weights: Real) -> Layer:
    """A projection with weights, those of that variable or others."""
    p = run.synapses(owner(name))
    return Layer(p.pre, p.post, weights, (p.source_size, p.target_size), run.entry(name), len(weights))


# ------------------------------------------------------------------------------------------------------ out of a file


def _layers(form: Form, key: str) -> list[Variable] | None:
    """The weights, if they are those of a chain of projections."""
    each = form.each(key)
    found = [one.variable(key) for one in each]
    layers = [variable for variable in found if variable is not None]
    if len(layers) != len(found) or not layers:
        if not found:
            form.add(key, f"{key} of {form.what} names no weights; name those of every projection from input to output")
        return None
    for one, layer, before in zip(each, layers, [None, *layers], strict=False):
        if layer.ends is None or not layer.weight:
            one.add(key, f"{key} of {form.what} goes through weights of projections; found {one.quoted(key)}")
            return None
        if layer.largest:
            text = f"{key} of {form.what}: '{layer.name}' leads to an input that takes the largest (reduce: max), and "
            one.add(key, f"{text}errors go back through sums; name projections to sums alone")
            return None
        if before is not None and before.ends is not None and whole(before.ends[1]) != whole(layer.ends[0]):
            text = f"{key} of {form.what}: '{before.name}' leads to '{before.ends[1]}' and '{layer.name}' comes from "
            one.add(
                key, f"{text}'{layer.ends[0]}'; name projections that follow each other from the input to the output"
            )
            return None
    return layers


def _readouts(form: Form, key: str, populations: Sequence[str]) -> tuple[str, ...] | None:
    """A samples readout of each population."""
    each = form.each(key)
    if len(each) != len(populations):
        text = f"{key} of {form.what} needs a readout for each of {', '.join(populations)}; found {len(each)}"
        form.add(key, text)
        return None
    found = [one.samples_of(key, population) for one, population in zip(each, populations, strict=True)]
    known = tuple(name for name in found if name is not None)
    return known if len(known) == len(found) else None


def _slopes(form: Form, populations: Sequence[str]) -> tuple[str, ...] | None:
    """A word or a samples readout for each population between input and output."""
    key, words = "slopes", ", ".join(SLOPES)
    if not form.has(key):
        if not populations:
            return ()
        form.lacks(key, f"a readout or one of {words} for each of {', '.join(populations)}")
        return None
    each = form.each(key)
    if populations and len(each) == 1 and each[0].word(key) in SLOPES:
        each = [each[0]] * len(populations)
    if len(each) != len(populations):
        text = f"{key} of {form.what} needs one for each population between input and output, which are "
        form.add(key, f"{text}{', '.join(populations) or 'none'}; found {len(each)}")
        return None
    found = [_slope(one, key, population) for one, population in zip(each, populations, strict=True)]
    known = tuple(name for name in found if name is not None)
    return known if len(known) == len(found) else None


def _slope(form: Form, key: str, population: str) -> str | None:
    word = form.word(key)
    if word is None or (word in SLOPES and not form.names_readout(key)):
        return word
    if form.names_readout(key):
        return form.samples_of(key, population)
    form.add(key, f"{key} of {form.what} takes samples readouts and {', '.join(SLOPES)}; found {form.quoted(key)}")
    return None


def _update(form: Form, layers: Sequence[Variable]) -> str | None:
    """The name of a variable that all projections have; "" where there is none."""
    if not form.has("update"):
        return ""
    found = [form.variable_of("update", owner(layer.name)) for layer in layers]
    return None if None in found else found[0]


def whole(population: str) -> str:
    """The population that a part such as cells[0:10] is of."""
    return population.partition("[")[0]


def _acting(name: str) -> str:
    return f"{name} acting"
