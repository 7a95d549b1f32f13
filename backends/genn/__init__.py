"""GeNN: programs executed by code that PyGeNN generates and compiles. It needs PyGeNN 5.4 and a C++ compiler.

- model: what is to be built, as plain data
- code: bodies of statements as text for GeNN's transpiler
- emit, scopes, printing: a program as models, and those as readable text (without PyGeNN)
- reach, places: events that need what belongs to other groups, and where the values of synapses lie
- parallelism: what a GPU does with the spikes of a step
- split, queues: projections that send to several inputs; ways around faults of GeNN
- bounds, limits: what cannot be executed, and why
- batch: which copies are GeNN's batch, and why others are not
- room: how much memory of the host it takes
- devices, gpus: processors and GPUs
- order: what bits real programs have on a GPU
- examine, installed: what of all that GeNN needs is there
- flags, mending, cache, build: PyGeNN models from that, compiled in the user's cache folder
- ending, watch: what is told where GeNN ends the process, and where a GPU fails
- machine: the network being executed
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from neuroport.backends.genn.installed import OLDEST, version
from neuroport.errors import Unsupported
from neuroport.program.executor import Executor, Part
from neuroport.program.machine import Program
from neuroport.program.verify import given

if TYPE_CHECKING:
    from neuroport.backends.genn.machine import Machine
    from neuroport.program.room import Part as Taken


@dataclass(frozen=True, slots=True)
class Genn:
    """Executes programs with GeNN (neuroport.program.executor). device: cpu, cuda or hip; None for what is there.

    settings: how it uses a GPU, as `tuned` takes them.
    """

    name: str = "genn"
    device: str | None = None
    unrolls: bool = True
    settings: tuple[str, ...] = ()

    def on(self, device: str) -> Genn:
        """The same backend on a device; Unsupported when there is no such device."""
        from neuroport.backends.genn import devices

        return replace(self, device=devices.known(device))

    def tuned(self, settings: Sequence[str]) -> Genn:
        """The same backend with settings: "parallelism=pre:32", "NAME.parallelism=post"; InvalidInput for others."""
        from neuroport.backends.genn import parallelism

        parallelism.asked(settings)
        return replace(self, settings=tuple(settings))

    def missing(self) -> str | None:
        """A sentence saying what must be installed before this backend can run, or None."""
        if importlib.util.find_spec("pygenn") is None:
            return (
                "GeNN needs PyGeNN 5.4 or newer, which is not installed; it is not on PyPI, and its documentation says "
                "how to install it: https://genn-team.github.io"
            )
        found = version()
        if found is not None and found < OLDEST:
            text = ".".join(map(str, found))
            return f"GeNN needs PyGeNN 5.4 or newer, and {text} is installed; install a newer one: https://genn-team.github.io"
        for program in ("g++", "make"):
            if shutil.which(program) is None:
                return f"GeNN compiles C++ and needs '{program}', which is not there; install a compiler and make."
        from neuroport.backends.genn import devices

        return devices.unusable(self.device or devices.default())

    def check(self, program: Program) -> tuple[str, ...]:
        """Every reason why this backend cannot execute the program."""
        from neuroport.backends.genn import limits

        return limits.problems(program, self._is_batch(program))

    def not_promised(self, program: Program) -> str | None:
        """A sentence saying which bits of a program are not the same in every run on this device, or None."""
        from neuroport.backends.genn import devices, order

        device = self.device or devices.default()
        return None if device == "cpu" else order.not_promised(program, device)

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
        """Prepare the program for execution with a run seed, keeping the spikes of these populations."""
        given(program, self.name)
        if program.copies == 1 or self._is_batch(program):
            return self._machine(program, seed, record_spikes)
        from neuroport.copies.views import open_unbatched

        return open_unbatched(self._machine, program, seed, record_spikes)

    def _machine(self, program: Program, seed: int, record_spikes: Sequence[str], seeds: Sequence[int] = ()) -> Machine:
        from neuroport.backends.genn import devices, parallelism
        from neuroport.backends.genn.machine import Machine

        chosen = self._device()
        wanted = parallelism.asked(self.settings)
        if wanted and chosen == "cpu":
            raise Unsupported(
                f"backend '{self.name}': parallelism says how a GPU deals out spikes, and this runs on the device cpu; "
                f"leave it out, or take another device"
            )
        if unusable := devices.unusable(chosen):
            raise Unsupported(f"backend '{self.name}': {unusable}")
        return Machine(program, seed, record_spikes, devices.GENN_NAMES[chosen], wanted, seeds)

    def batches(self) -> bool:
        """See `Batching`: GPUs have batches."""
        return self._device() != "cpu"

    def batched(self, programs: Sequence[Program]) -> Program | str:
        """See `Batching`."""
        from neuroport.backends.genn import batch
        from neuroport.copies import stack

        if not self.batches():
            return batch.NO_GPU
        if len(programs) > 1 and (why := stack.obstacle(programs)):
            return why
        whole = stack.stacked(programs) if len(programs) > 1 else programs[0]
        return batch.obstacle(whole) or whole

    def _is_batch(self, program: Program) -> bool:
        return isinstance(self.batched([program]), Program)

    def _device(self) -> str:
        from neuroport.backends.genn import devices

        return self.device or devices.default()

    def open_batch(self, batch: Program, seeds: Sequence[int], record_spikes: Sequence[str]) -> Executor:
        """Independent copies as one batch, each with a run seed of its own; under names of copies (see `unroll`)."""
        from neuroport.copies.rolled import Rolled

        given(batch, self.name)
        return Rolled(self._machine(batch, seeds[0], record_spikes, seeds), batch)

    def source(self, program: Program) -> str:
        """The models that GeNN gets, as text; PyGeNN is not needed for it."""
        from neuroport.backends.genn import emit

        return emit.text(program, self._is_batch(program))

    def room(self, program: Program, synapses: Mapping[str, float], full: Collection[str]) -> Iterable[Taken]:
        """What an executor takes of the host's memory; see `neuroport.program.executor.Backend`."""
        from neuroport.backends.genn.room import room

        return room(program, synapses)

    def examine(self) -> tuple[Part, ...]:
        """Everything that GeNN needs on this machine; nothing is compiled."""
        from neuroport.backends.genn import examine

        return tuple(replace(part, name=f"GeNN: {part.name}") for part in examine.parts())


__all__ = ["Genn"]
