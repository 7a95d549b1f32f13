"""A chip in the loop of a Gymnasium environment (https://gymnasium.farama.org): the extra `gym` has what it needs.

import gymnasium
from neuroport.hil.gym import ChipPolicy, episode
policy = ChipPolicy(session, observation="observation", action="action", steps=20, encode=..., decode=..., last=0)
length, reward = episode(gymnasium.make("CartPole-v1"), policy, seed=1)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroport.numerics.units import Quantity


@dataclass(slots=True)
class ChipPolicy:
    """Turns observations into actions by one exchange with a session each: local, linked or served.

    `observation`: a port (or a variable or input) that `encode(observation)` is written to. `steps`: of the network in
    a control step. `decode(values)` makes an action of what the port `action` gave in them: values (k, size) of a
    variable, or neurons (k,) of spikes. While nothing arrives, because nothing has yet or the link lost it, the last
    action goes on, at first the `last` that is given here. Observations are copied: environments may write into theirs
    again.
    """

    session: Any
    observation: str
    action: str
    steps: int | str | Quantity
    encode: Callable[[NDArray[Any]], ArrayLike]
    decode: Callable[[NDArray[Any]], Any]
    last: Any

    def __call__(self, observation: ArrayLike) -> Any:
        """The action for an observation."""
        written = np.array(self.encode(np.array(observation)), np.float64)
        answer = self.session.exchange({self.observation: written}, self.steps, [self.action])
        steps, values = answer.outputs[self.action]
        if len(steps):
            self.last = self.decode(values)
        return self.last


def episode(environment: Any, policy: Callable[[Any], Any], seed: int | None = None) -> tuple[int, float]:
    """How many control steps an episode of a Gymnasium environment lasts, and the sum of its rewards.

    `seed`: that of `environment.reset`. The chip goes on from where it stands: reset the session for a fresh one.
    """
    observation, _ = environment.reset(seed=seed)
    length, total, over = 0, 0.0, False
    while not over:
        observation, reward, ended, cut, _ = environment.step(policy(observation))
        length, total, over = length + 1, total + float(reward), bool(ended or cut)
    return length, total
