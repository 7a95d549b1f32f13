"""The kinds of metrics, connections, stimuli and data sets that a network file may have, told by their docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import neuroport.connections as connections
import neuroport.datasets as datasets
import neuroport.metrics as metrics
import neuroport.stimuli as stimuli
from neuroport.catalogue.catalogue import Catalogue
from neuroport.connections import Rule
from neuroport.datasets import DataSet
from neuroport.metrics import Metric
from neuroport.pages import Page, Table, Text
from neuroport.pages.plain import shown
from neuroport.stimuli import Kind


def first(text: str) -> str:
    """The first paragraph of a docstring as one line, without the full stop at its end."""
    return " ".join(text.partition("\n\n")[0].split()).removesuffix(".")


def rest(text: str) -> str:
    """The paragraphs after the first one, as one."""
    return " ".join(text.partition("\n\n")[2].split())


def of_class(thing: Any) -> str:
    """The docstring of a class."""
    return inspect.getdoc(thing) or ""


def of_module(thing: Any) -> str:
    """The docstring of the module of a function."""
    return inspect.getdoc(inspect.getmodule(thing)) or ""


def _lines(things: Mapping[str, Any], text: Callable[[Any], str]) -> Mapping[str, str]:
    return {name: first(text(thing)) for name, thing in things.items()}


def _rule(rule: Rule[Any]) -> str:
    return of_module(rule.read)


def _kind(kind: Kind[Any]) -> str:
    return of_module(kind.read)


def _fields(value: Any) -> Text:
    """What the class of a rule or kind says of its fields."""
    return Text(" ".join(of_class(value).split()))


def _metric_page(name: str) -> Page:
    metric = metrics.ALL[name]
    text = of_class(metric)
    bases = [" ".join(of_class(base).split()) for base in metric.__bases__ if base is not Metric]
    further = [key if key in metric.required else f"{key} (may be left out)" for key in metric.further]
    form = ", ".join([f"{name}: …", *(f"{key}: …" for key in metric.required)])
    return Page(
        name,
        first(text),
        (
            Text(f"metric, in a network file under `metrics`: {{NAME: {{{form}}}}}"),
            *map(Text, [rest(text), *bases]),
            Text(f"further keys: {', '.join(further)}" if further else ""),
            Text("gives a number" if metric.one_number else "gives a list of numbers"),
        ),
    )


def _rule_page(name: str) -> Page:
    rule = connections.ALL[name]
    text = _rule(rule)
    drawn = "which pairs, depends on the network's seed" if rule.drawn else ""
    return Page(
        name,
        first(text),
        (
            Text("connections, in a network file as `connect` of a projection"),
            Text(rest(text)),
            _fields(rule.value),
            Text(drawn),
        ),
    )


def _kind_page(name: str) -> Page:
    kind = stimuli.ALL[name]
    text = _kind(kind)
    return Page(
        name, first(text), (Text("stimulus, in a network file under `stimuli`"), Text(rest(text)), _fields(kind.value))
    )


def _data_page(name: str) -> Page:
    data = datasets.ALL[name]
    options = tuple((option, low, high) for option, (low, high) in data.options.items())
    shapes = tuple((field, " x ".join(map(shown, ("samples", *shape)))) for field, shape in data.fields.items())
    return Page(
        name,
        data.title,
        (
            Text(f"data set, in a network file as values: {{data: {name}, part: PART, field: FIELD}}"),
            Text(" ".join(of_module(data.make).split())),
            Table(("part", "samples"), tuple(data.sizes.items())),
            Table(("field", "shape"), shapes),
            Table(("option", "from", "to"), options),
        ),
    )


def _datasets() -> Mapping[str, str]:
    return {name: data.title for name, data in datasets.ALL.items()}


DATASETS: Catalogue[DataSet] = Catalogue("data set", "datasets", _datasets, datasets.ALL.__getitem__, _data_page)
METRICS: Catalogue[type[Metric]] = Catalogue(
    "metric", "metrics", partial(_lines, metrics.ALL, of_class), metrics.ALL.__getitem__, _metric_page
)
CONNECTIONS: Catalogue[Rule[Any]] = Catalogue(
    "connection", "connections", partial(_lines, connections.ALL, _rule), connections.ALL.__getitem__, _rule_page
)
STIMULI: Catalogue[Kind[Any]] = Catalogue(
    "stimulus", "stimuli", partial(_lines, stimuli.ALL, _kind), stimuli.ALL.__getitem__, _kind_page
)
