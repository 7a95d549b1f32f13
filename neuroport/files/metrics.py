"""Metrics out of YAML nodes: which kind one is, and what a kind may ask of its node and of the rest of the file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from neuroport.errors import InternalError, Place
from neuroport.files.context import Context
from neuroport.files.parts import NEURONS_ONLY, part_of, split_part
from neuroport.metrics import ALL, Metric
from neuroport.metrics.metric import Form, Shown, Variable
from neuroport.network.objects import Projection
from neuroport.network.protocol import Present, Run
from neuroport.network.results import Samples, StateHistogram
from neuroport.network.stimuli import Patterns
from neuroport.numerics.parts import Part, named
from neuroport.numerics.units import quoted, suggestion
from neuroport.yaml.fields import found, listing, meant
from neuroport.yaml.nodes import MapNode, Node, ScalarNode


def metric(context: Context, name: str, at: Node, node: Node) -> Metric | None:
    """One metric, or None with its problems in the report."""
    report = context.report
    what = f"metric '{name}'"
    kinds = [key for key in node.entries if key in ALL] if isinstance(node, MapNode) else []
    if len(kinds) != 1:
        have = ", ".join(kinds) or f"{found(node)}{meant(node, list(ALL))}"
        report.add(node, f"{what} must have one of the keys {', '.join(ALL)}; found {have}")
        return None
    kind = ALL[kinds[0]]
    entries = report.mapping(node, what, (kind.kind, *kind.further), (kind.kind, *kind.required))
    form = _Form(context, name, at.place, node, entries)
    made = kind.read(form)
    if made is not None and (set(made.readouts), made.distribution) != (set(form.readouts), form.compared):
        text = f"metric '{kind.kind}' reads {form.readouts} and '{form.compared}' from a file, and says that it needs "
        raise InternalError(f"{text}{list(made.readouts)} and '{made.distribution}'")
    return made


@dataclass(slots=True)
class _Form:
    """The entries of a metric; see metrics.metric.Form. `readouts`, `compared`: those that it asked for."""

    context: Context
    name: str
    place: Place | None
    node: Node
    entries: dict[str, Node]
    readouts: list[str] = field(default_factory=list)
    compared: str = ""

    @property
    def what(self) -> str:
        """See Form."""
        return f"metric '{self.name}'"

    def add(self, key: str, text: str) -> None:
        """See Form."""
        self.context.report.add(self.entries[key], text)

    def has(self, key: str) -> bool:
        """See Form."""
        return key in self.entries

    def quoted(self, key: str) -> str:
        """See Form."""
        return quoted(self._text(key) or "")

    def number(self, key: str, low: float) -> float | None:
        """See Form."""
        return self.context.report.number(self.entries.get(key), self._of(key), low)

    def true(self, key: str) -> bool:
        """See Form."""
        return self.context.report.boolean(self.entries.get(key), self._of(key)) or False

    def population(self, key: str) -> str | None:
        """See Form."""
        return self.context.report.reference(self.entries.get(key), "population", self.context.populations)

    def neurons(self, key: str) -> tuple[str, Part | None] | None:
        """See Form."""
        report, before = self.context.report, len(self.context.report.problems)
        name, part = self.context.population(self.entries[key], self._of(key))
        return None if name is None or len(report.problems) > before else (name, part)

    def variable(self, key: str) -> Variable | None:
        """See Form."""
        text = self._text(key)
        if text is None:
            return None
        report, at = self.context.report, self.entries[key]
        name, inside = split_part(text)
        pair = self.context.variable(at, self._of(key), name)
        if pair is None:
            return None
        owner, before = pair[0], len(report.problems)
        if isinstance(owner, Projection):
            if inside is not None:
                report.add(at, f"{self._of(key)}: {NEURONS_ONLY}; name {quoted(name)} alone")
            weight, largest = pair[1].weight, self._takes_largest(owner)
            return None if inside is not None else Variable(name, owner.ends, largest=largest, weight=weight)
        part = part_of(report, at, self._of(key), inside, owner.size)
        size = owner.size if part is None else len(part)
        return None if len(report.problems) > before else Variable(name, None, part, size)

    def _takes_largest(self, projection: Projection) -> bool:
        target = self.context.populations[projection.target]
        inputs = () if target is None else target.neuron.inputs
        return any(one.name == projection.input and one.reduce == "max" for one in inputs)

    def names_readout(self, key: str) -> bool:
        """See Form."""
        return self._text(key) in self.context.readouts

    def histogram(self, key: str) -> str | None:
        """See Form."""
        readouts = self.context.readouts
        name = self.context.report.reference(self.entries.get(key), "readout", readouts)
        if isinstance(readouts.get(name or ""), Samples):
            named = [k for k, item in readouts.items() if not isinstance(item, Samples)]
            text = f"{self._of(key)} needs a histogram readout, and '{name}' takes samples"
            self.add(key, f"{text}; histograms are {', '.join(named) or 'none'}")
            return None
        self.readouts += [] if name is None else [name]
        return name

    def samples(self, key: str) -> str | None:
        """See Form."""
        readouts = self.context.readouts
        name = self.context.report.reference(self.entries.get(key), "readout", readouts)
        readout = readouts.get(name or "")
        if isinstance(readout, StateHistogram):
            named = [k for k, item in readouts.items() if item is None or isinstance(item, Samples)]
            text = f"{self._of(key)} needs a samples readout, and '{name}' is a histogram"
            self.add(key, f"{text}; samples readouts are {', '.join(named) or 'none'}")
            return None
        if readout is None:
            return None
        self.readouts += [] if name is None else [name]
        return name

    def lacks(self, key: str, what: str) -> None:
        """See Form."""
        self.context.report.add(self.node, f"{self.what} lacks '{key}': {what}; add it")

    def each(self, key: str) -> list[Form]:
        """See Form."""
        items = self.context.report.items(self.entries.get(key), self._of(key))
        return [replace(self, entries={key: item}) for item in items]

    def word(self, key: str) -> str | None:
        """See Form."""
        return self._text(key)

    def variable_of(self, key: str, owner: str) -> str | None:
        """See Form."""
        text = self._text(key)
        if text is None:
            return None
        projection = self.context.projections[owner]
        names = [] if projection is None else [state.name for state in projection.synapse.states]
        if text in names:
            return text
        hint = suggestion(text.rpartition(".")[2], names)
        self.add(key, f"{self._of(key)}: projection '{owner}' has no variable {quoted(text)}; {hint}{listing(names)}")
        return None

    def samples_of(self, key: str, population: str) -> str | None:
        """See Form."""
        name = self.samples(key)
        readout = self.context.readouts.get(name or "")
        if not isinstance(readout, Samples):
            return None
        if readout.of.partition(".")[0] != population or readout.part is not None:
            text = f"{self._of(key)} needs samples of all neurons of '{population}', and readout '{readout.name}' has "
            self.add(key, f"{text}those of {named(readout.of, readout.part)}; name another one")
            return None
        return name

    def signed(self, key: str, population: str) -> tuple[bool, str | None]:
        """See Form."""
        node = self.entries[key]
        minus = isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value.startswith("-")
        if minus and isinstance(node, ScalarNode) and isinstance(node.value, str):
            node = replace(node, value=node.value[1:].strip(), text=node.text[1:].strip())
        return minus, replace(self, entries={key: node}).samples_of(key, population)

    def distribution(self, key: str, histogram: str) -> str | None:
        """See Form."""
        text = self._text(key)
        if text is None:
            return None
        name, _, quantity = text.partition(".")
        if name not in self.context.targets or quantity != "p":
            known = [f"{target}.p" for target in self.context.targets]
            self.context.report.unknown(self.entries[key], "target", text, known, f" of {self.what}")
            return None
        counted = self.context.readouts[histogram]
        population = self.context.populations.get(counted.population) if isinstance(counted, StateHistogram) else None
        size = self.context.target_sizes().get(name)
        cells = counted.cells(population.size) if population and isinstance(counted, StateHistogram) else size
        if size and cells != size:
            compared = f"{self.what} compares {cells} neurons of readout '{histogram}' with {size} units of "
            self.add(key, f"{compared}target '{name}'; the numbers must be equal")
            return None
        self.compared = text
        return text

    def patterns(self, key: str, samples: str) -> str | None:
        """See Form."""
        patterns = [k for k, item in self.context.stimuli.items() if item is None or isinstance(item, Patterns)]
        name = self.context.report.reference(self.entries.get(key), "patterns", patterns)
        readout = self.context.readouts.get(samples)
        if name is None or not isinstance(readout, Samples):
            return None
        return name if rows_fit(self.context, self.entries[key], self._of(key), name, readout) else None

    def _text(self, key: str) -> str | None:
        return self.context.report.text(self.entries.get(key), self._of(key))

    def _of(self, key: str) -> str:
        return f"{key} of {self.what}"


def rows_fit(context: Context, at: Node, what: str, patterns: str, readout: Samples) -> bool:
    """Whether a readout's rows and patterns have as many cells; if not, why is in the report."""
    stimulus = context.stimuli.get(patterns)
    if not isinstance(stimulus, Patterns):
        return False
    if stimulus.frames != 1:
        text = f"{what}: '{patterns}' has {stimulus.frames} frames per pattern, and a readout gives one row"
        context.report.add(at, f"{text}; choose patterns without frames")
        return False
    sampled = context.populations.get(readout.of.partition(".")[0])
    shown = context.populations.get(stimulus.population)
    if sampled and shown and readout.cells(sampled.size) != stimulus.cells(shown.size):
        cells, theirs = readout.cells(sampled.size), stimulus.cells(shown.size)
        text = f"{what}: readout '{readout.name}' has {cells} cells and '{patterns}' {theirs}"
        context.report.add(at, f"{text}; the numbers must be equal")
        return False
    return True


def check_shown(context: Context, item: Run | Present, metric: Metric) -> None:
    """Whether the patterns of an item have what a metric compares its readout with."""
    shown = None
    if isinstance(item, Present):
        patterns = context.stimuli.get(item.patterns)
        if not isinstance(patterns, Patterns):
            return
        others = (s for s in context.stimuli.values() if isinstance(s, Patterns) and s.beside == patterns.name)
        shown = Shown(patterns.name, patterns.labels is not None, (patterns.name, *(s.name for s in others)))
    wrong = metric.unfit(shown)
    if wrong:
        text = f"metric '{metric.name}' compares readout '{metric.readout}' with {wrong}"
        context.report.add(item.place, text)


def check_together(context: Context, item: Run | Present, metric: Metric) -> None:
    """Whether an item has all readouts of a metric that needs several of one item, or none."""
    missing = [readout for readout in metric.readouts if readout not in item.readouts]
    if 0 < len(missing) < len(metric.readouts):
        text = f"metric '{metric.name}' needs all of its readouts together, and this item lacks {', '.join(missing)}; "
        context.report.add(item.place, f"{text}name all of {', '.join(metric.readouts)}, or none of them")
