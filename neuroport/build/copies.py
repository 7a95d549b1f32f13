"""Parameters of which each copy has its own, as they are given in a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from neuroport.build.calls import Call
from neuroport.build.values import Values, entry, scalar
from neuroport.files import library
from neuroport.files.context import Context
from neuroport.files.copies import copies
from neuroport.network.network import Network
from neuroport.numerics.given import Kind
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import MapNode

PARAMS = Kind.of("a mapping from OBJECT.PARAMETER to the values of the copies", Mapping).or_none


def with_own_parameters(network: Network, params: Mapping[str, Any], count: int | None, call: str) -> Network:
    """The network whose copies have these values of parameters, beside those that its file gives them.

    `count`: how many copies there are; None: as many as values are listed. Raises InvalidInput with all that is wrong.
    """
    values = Values(Call(call))
    entries = values.entries({"params": params})
    if count is not None:
        entries["count"] = entry("count", scalar(count, values.call.whole))
    values.stop()
    report = Report()
    context = Context(report, network.folder, network.dt, library.shipped(network.dt))
    context.populations = {item.name: item for item in network.populations}
    context.projections = {item.name: item for item in network.projections}
    number, own = copies(context, MapNode(values.call.whole.file, 0, 0, entries))
    report.stop()
    return replace(network, copies=number, own_parameters=tuple((dict(network.own_parameters) | dict(own)).items()))
