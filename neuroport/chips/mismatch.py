"""Deviations, as written on a command line too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from neuroport.chips.chip import Chip, Deviation
from neuroport.errors import InvalidInput, Place


def deviates(chip: Chip) -> bool:
    """Whether the specimens of a chip differ from each other."""
    return any(deviation.sigma or deviation.steps for _, deviation in chip.mismatch)


def with_mismatch(chip: Chip, deviations: Mapping[str, Deviation]) -> Chip:
    """The chip with these kinds deviating too, or differently; a Deviation of nothing switches a kind off."""
    merged = {**dict(chip.mismatch), **deviations}
    kept = tuple((kind, d) for kind, d in merged.items() if d.sigma or d.steps)
    return replace(chip, mismatch=kept)


def deviation(text: str) -> tuple[str, Deviation]:
    """A deviation as written on a command line: KIND=SIGMA (0.1 or 10%), or KIND=N steps.

    Raises InvalidInput.
    """
    kind, equals, value = (part.strip() for part in text.partition("="))
    number, _, unit = value.partition(" ")
    try:
        if not equals or not kind.isidentifier():
            raise ValueError
        if unit in ("step", "steps"):
            steps = int(number)
            if not 0 <= steps <= 1000:
                raise ValueError
            return kind, Deviation(steps=steps)
        sigma = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        if not 0 <= sigma <= 2:
            raise ValueError
    except ValueError:
        raise InvalidInput.one(
            None,
            f"'{text}' is no deviation; write KIND=SIGMA with a relative sigma from 0 to 2 (weight=0.1 or weight=10%), "
            f"or KIND=N steps (duration=1 step)",
        ) from None
    return kind, Deviation(sigma=sigma)


def deviating(chip: Chip, kinds: Sequence[str], texts: Sequence[str]) -> Chip:
    """The chip with deviations as written on a command line, named after them. `kinds`: those that a network has.

    Raises InvalidInput.
    """
    found = dict(deviation(text) for text in texts)
    unknown = [kind for kind in found if kind not in kinds]
    if unknown:
        listed = ", ".join(kinds) or "none"
        text = f"no parameter or weight of this network is of kind {', '.join(unknown)}; its kinds are {listed}"
        raise InvalidInput.one(Place("--mismatch"), text)
    shown = (f"{kind}{d.steps}" if d.steps else f"{kind}{100 * d.sigma:g}" for kind, d in found.items())
    name = "_".join((chip.name, *shown)).replace(".", "p")
    return replace(with_mismatch(chip, found), name=name)
