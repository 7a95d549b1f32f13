"""Which dynamic parameters a text OBJECT.PARAMETER means, where * in OBJECT stands for any text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from neuroport.network.model import Parameter
from neuroport.network.objects import Population, Projection

Owner = Population | Projection


def matching(owners: Iterable[Owner], text: str) -> list[tuple[Owner, Parameter]]:
    """The dynamic parameters that the text means, in the order of the owners."""
    name, _, wanted = text.partition(".")
    pattern = re.compile(".*".join(re.escape(part) for part in name.split("*")))
    found: list[tuple[Owner, Parameter]] = []
    for owner in owners:
        model = owner.neuron if isinstance(owner, Population) else owner.synapse
        if pattern.fullmatch(owner.name):
            found += [(owner, p) for p in model.parameters if p.dynamic and p.name == wanted]
    return found
