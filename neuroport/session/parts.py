"""The parts of a session beside its executor: what a checkpoint has of them, and what goes on from one."""

from __future__ import annotations

from dataclasses import replace

from neuroport.program.executor import Executor
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.program.switchboard import Switchboard
from neuroport.session.checkpoint import Host
from neuroport.session.controls import Controls
from neuroport.session.measure import Measuring
from neuroport.session.patterns import PatternTables
from neuroport.session.record import Recorder, Sink
from neuroport.session.sample import Sampler
from neuroport.session.tallies import Tallies
from neuroport.session.walk import Walk


class Parts:
    """What a session of a plan needs; see Session for `sink`, and Recorder for `keep`."""

    def __init__(
        self, program: Program, plan: Plan, executor: Executor, sink: Sink | None, keep: int | None, seed: int
    ) -> None:
        self.switchboard = Switchboard(program)
        self.sampler = Sampler(plan.windows, program)
        self.controls = Controls(program, plan, executor, self.switchboard)
        tallies = Tallies(plan, program.copies)
        self.recorder = Recorder(program, plan, executor, self.sampler, sink, keep, self.controls, tallies)
        self.patterns = PatternTables(program, executor)
        self.measuring = Measuring(self.controls, self.sampler, self.patterns, tallies, sink)
        self.walk = Walk(self.controls, self.recorder, self.patterns, self.measuring, seed)

    def saved(self) -> Host:
        """What they hold, with all that the executor has recorded."""
        self.recorder.drain()
        return Host(
            position=self.walk.position,
            samples=self.sampler.samples,
            measured=self.measuring.measured,
            captured=self.patterns.captured,
            switches=self.switchboard.switches,
            given=dict(self.controls.given),
            injected=self.controls.injections.injected,
            pending=self.controls.pending,
            tally=replace(self.controls.tally),
            spikes=self.recorder.chains,
            kept=self.recorder.kept,
        )

    def hold(self, host: Host) -> None:
        """Go on from what others held, where the walk stands at its place already."""
        self.sampler.hold(host.samples)
        self.measuring.hold(host.measured)
        self.patterns.hold(host.captured)
        self.switchboard.hold(host.switches)
        self.controls.given = dict(host.given)
        self.controls.hold(host.pending, host.injected, host.tally)
        self.recorder.hold(host.spikes, host.kept)
