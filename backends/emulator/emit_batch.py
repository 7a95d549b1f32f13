"""Write a program of several copies as the text of one module: what differs from a program of one copy."""

from __future__ import annotations

from neuroport.backends.emulator.body import Site, Writer
from neuroport.backends.emulator.body_batch import BatchWriter
from neuroport.backends.emulator.emit import Emitter, Function
from neuroport.backends.emulator.prelude_batch import BATCH, BATCH_RESERVED
from neuroport.program.machine import Event


class BatchEmitter(Emitter):
    """Collects the parts of one module of a program of several copies."""

    reserved = BATCH_RESERVED
    first_row = "starts"
    series_suffix = "_of_copies"

    def before(self) -> str:
        """The part that does not depend on the program."""
        return super().before() + "\n" + BATCH.strip("\n")

    def _writer(self, function: Function, place: Site, event: Event | None = None) -> BatchWriter:
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
