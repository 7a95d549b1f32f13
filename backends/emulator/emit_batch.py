"""Write a program of several copies as the text of one module: what differs from a program of one copy."""

from __future__ import annotations

from neuroport.backends.emulator.body import Place, Writer
from neuroport.backends.emulator.body_batch import BatchWriter
from neuroport.backends.emulator.emit import Emitter, Function
from neuroport.backends.emulator.prelude_batch import BATCH_RESERVED, batch_prelude
from neuroport.program import Event, Series


class BatchEmitter(Emitter):
    """Collects the parts of one module of a program of several copies."""

    reserved = BATCH_RESERVED

    def prelude(self) -> str:
        """The part that does not depend on the program."""
        return super().prelude() + "\n" + batch_prelude(self.boundscheck)

    def _writer(self, function: Function, place: Place, event: Event | None = None) -> BatchWriter:
        return BatchWriter(
            self.program,
            place,
            function.names,
            function.use,
            lambda stream: function.index("stream", self._stream(stream)),
            lambda array: function.index("counter", self._counter(array)),
            once=event is not None and event.once,
        )

    def _inner(self, writer: Writer) -> list[str]:
        assert isinstance(writer, BatchWriter)
        return [*writer.element, *writer.each_copy(writer.lines), *writer.after]

    def _clear(self, writer: Writer, name: str, acc: str) -> None:
        assert isinstance(writer, BatchWriter)
        writer.lines.append(writer.put(writer.current(acc), writer.place_of(name, "own"), "0"))

    def _series(self, run: Function, series: Series) -> str:
        acc, table = run.use("array", series.input), run.use("series_table", series.name)
        hold = run.use("hold", series.name)
        if series.order == "time":
            loop, starts = run.use("loop", series.name), run.use("starts", series.name)
            return f"add_series_of_copies(t, {acc}, {table}, {hold}, {loop}, {starts})"
        schedule, frames = run.use("series_schedule", series.name), run.use("frames", series.name)
        return f"add_scheduled_of_copies(t, item_step, {acc}, {table}, {hold}, {frames}, {schedule})"
