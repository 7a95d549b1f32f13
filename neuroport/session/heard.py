"""What a host hears of a session: what came out under names since it was last taken, or since a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuroport.errors import InvalidInput
from neuroport.numerics.given import TEXTS
from neuroport.numerics.steps import steps_of
from neuroport.numerics.units import Quantity
from neuroport.session.controls import Controls
from neuroport.session.exchange import Train
from neuroport.session.names import Wanted
from neuroport.session.record import Recorder

MOST_KNOWN = 64
"""So many lists of outputs are looked up once."""


class Heard:
    """Outputs by name, of what a recorder keeps and of values as they are."""

    def __init__(self, controls: Controls, recorder: Recorder, dt: Quantity) -> None:
        self._controls, self._recorder, self._dt = controls, recorder, dt
        self._known: dict[tuple[str, ...], Wanted] = {}

    def wanted(self, names: Sequence[str]) -> Wanted:
        """What is heard under these names; InvalidInput with all that are nothing."""
        key = tuple(TEXTS.checked("outputs", names))
        known = self._known.get(key)
        if known is None:
            known = self._controls.names.outputs(key)
            if len(self._known) < MOST_KNOWN:
                self._known[key] = known
        return known

    def take(self, wanted: Wanted, oldest: int, step: int) -> tuple[dict[str, Train], int]:
        """What came out before `step` since it was last taken, but of steps before `oldest`, and how much is lost.

        What is lost is counted as dropped.
        """
        taken: dict[str, Train] = {}
        dropped = 0
        for name, output in wanted.by_name:
            if output.kind == "values":
                now = self._controls.get(name)
                taken[name] = np.array([step - 1]), now[None]
                continue
            train, gone = self._recorder.take(name, output.of, oldest)
            taken[name] = output.chosen(train, self._controls.program.copies)
            dropped += gone
        self._controls.tally.dropped += dropped
        return taken, dropped

    def first(self, since: int | str | Quantity | None, what: str) -> int:
        """The first step that is asked for; InvalidInput where what was recorded of it is no longer kept."""
        oldest = self._recorder.oldest
        step = oldest if since is None else steps_of(since, self._dt)
        if step < 0:
            raise InvalidInput.one(None, f"since must be a step from 0; found {step}")
        if step < oldest:
            text = f"{what} are kept from step {oldest} on; found since={step}; ask from there, or open with more keep"
            raise InvalidInput.one(None, text)
        return step
