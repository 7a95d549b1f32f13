"""Chip descriptions as files: load them, print them, and check what fits on a chip."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from neuroport.chips.chip import CLASSES, Chip, Deviation, Limits, WordRule
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.program.ir import Program, Send
from neuroport.quantise.formats import stored
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import Mapping as Table
from neuroport.yaml.nodes import Node, Scalar, parse, read_bytes

MOST_BITS = 63
ROUNDINGS = ("toward_zero", "floor", "nearest", "nearest_even", "stochastic", "floor_min_step")
OVERFLOWS = ("saturate", "wrap", "error")
SIGNS = ("twos_complement", "per_projection")
TABLES = ("normalised", "uniform")
NORMALISED = 512
"""Intervals that a table over one power of two needs."""
ARITHMETICS = ("float64", "float32", "integer")

_WORD_KEYS = ("bits", "rounding", "overflow", "sign", "min_step", "distance_bits")
_KEYS = ("name", "title", "source", "arithmetic", "words", "tables", "limits", "mismatch")
_OWN_KEYS = {"arithmetic", "words", "tables", "limits", "mismatch"}
_LIMITS = (
    "cores",
    "neurons_per_core",
    "synapses_per_core",
    "max_axonal_delay",
    "max_dendritic_delay",
    "max_refractory",
)


def names() -> tuple[str, ...]:
    """The chips that come with neuroport."""
    folder = files("neuroport.backends") / "chips"
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")))


def load(name_or_path: str | Path) -> Chip:
    """A chip that comes with neuroport, by name, or one described in a YAML file, by path.

    Raises InvalidInput with every problem in the description.
    """
    text = str(name_or_path)
    if text in names():
        resource = files("neuroport.backends") / "chips" / f"{text}.yaml"
        return read(resource.read_bytes(), f"{text}.yaml")
    wrong = problem(text) if isinstance(name_or_path, str) else ""
    if wrong:
        raise InvalidInput.one(None, wrong)
    return read(read_bytes(Path(name_or_path), text), text)


def read(data: bytes | str, file: str) -> Chip:
    """A chip from the text of its description; `file` is named in messages."""
    report = Report()
    root = parse(data, file)
    if root is None:
        raise InvalidInput.one(None, f"{file}: the chip description is empty; it needs at least `name` and `words`")
    entries = report.mapping(root, "a chip description", _KEYS, required=("name",))
    name = report.name(entries.get("name"), "name") or "chip"
    arithmetic = report.choice(entries.get("arithmetic"), "arithmetic", ARITHMETICS) or "integer"
    words = _words(report, entries.get("words"))
    if arithmetic == "integer" and isinstance(root, Table):
        missing = [c for c in CLASSES if c not in dict(words)]
        if missing and "words" in entries:
            report.add(
                entries["words"], f"words lacks {', '.join(missing)}; an integer chip needs a rule for each class"
            )
        elif missing:
            report.add(root, "an integer chip needs `words` with the classes " + ", ".join(CLASSES))
    tables = report.mapping(entries.get("tables"), "tables", ("intervals", "bits", "kind"))
    chip = Chip(
        name=name,
        title=report.text(entries.get("title"), "title") or "",
        source=report.text(entries.get("source"), "source") or "",
        arithmetic=cast(Any, arithmetic),
        words=words,
        table_intervals=_integer(report, tables.get("intervals"), "tables.intervals", 2, 65536, 1024),
        table_bits=_integer(report, tables.get("bits"), "tables.bits", 8, 32, 32),
        tables=cast(Any, _tables_kind(report, tables)),
        limits=_limits(report, entries.get("limits")),
        mismatch=_mismatch(report, entries.get("mismatch")),
    )
    report.stop(file)
    return chip


def deviates(chip: Chip) -> bool:
    """Whether the specimens of a chip differ from each other."""
    return any(deviation.sigma or deviation.steps for _, deviation in chip.mismatch)


def is_description(path: Path) -> bool:
    """Whether a file describes a chip, rather than a network; false for what cannot be read."""
    try:
        root = parse(read_bytes(path, str(path)), str(path))
    except InvalidInput:
        return False
    keys = set(root.entries) if isinstance(root, Table) else set[str]()
    return bool(keys & _OWN_KEYS) and not keys & {"neuroport", "dt", "populations"}


def problem(name: str) -> str:
    """ "" or why a name in a network file stands for no chip; the path of a description is not looked at."""
    if name in names() or name.endswith((".yaml", ".yml")) or "/" in name:
        return ""
    near = difflib.get_close_matches(name, names(), 1)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return f"there is no chip '{name}'; {guess}chips are {', '.join(names())}, or the path of a .yaml file"


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


def to_yaml(chip: Chip) -> str:
    """The description of a chip, one that `read` gives back equal."""
    import yaml

    data: dict[str, Any] = {
        "name": chip.name,
        "title": chip.title,
        "source": chip.source,
        "arithmetic": chip.arithmetic,
    }
    data["words"] = {kind: asdict(rule) for kind, rule in chip.words}
    data["tables"] = {"intervals": chip.table_intervals, "bits": chip.table_bits, "kind": chip.tables}
    limits: dict[str, Any] = {n: getattr(chip.limits, n) for n in _LIMITS if getattr(chip.limits, n) is not None}
    limits |= {"plasticity": chip.limits.plasticity, "graded": chip.limits.graded}
    if chip.limits.models is not None:
        limits["models"] = list(chip.limits.models)
    data["limits"] = limits
    data["mismatch"] = {
        kind: {"distribution": d.distribution, "sigma": d.sigma, "steps": d.steps} for kind, d in chip.mismatch
    }
    return yaml.safe_dump(data, sort_keys=False, width=118, allow_unicode=True)


# ---------------------------------------------------------------------------------------------------------- reading


def _integer(report: Report, node: Node | None, what: str, low: int, high: int, default: int) -> int:
    value = report.integer(node, what, low, high)
    return default if value is None else value


def _tables_kind(report: Report, tables: Mapping[str, Node]) -> str:
    """How functions over wide ranges are looked up; over one power of two only with enough intervals for it."""
    kind = report.choice(tables.get("kind"), "tables.kind", TABLES)
    intervals = _integer(report, tables.get("intervals"), "tables.intervals", 2, 65536, 1024)
    if kind == "normalised" and intervals < NORMALISED:
        text = f"tables.kind 'normalised' needs at least {NORMALISED} intervals; this chip has {intervals}"
        report.add(tables["kind"], f"{text}: give more, or write kind: uniform")
    return kind or ("normalised" if intervals >= NORMALISED else "uniform")


def _words(report: Report, node: Node | None) -> tuple[tuple[str, WordRule], ...]:
    words: list[tuple[str, WordRule]] = []
    for kind, described in report.mapping(node, "words", CLASSES).items():
        what = f"words.{kind}"
        entries = report.mapping(described, what, _WORD_KEYS, required=("bits",))
        sign = report.choice(entries.get("sign"), f"{what}.sign", SIGNS) or "twos_complement"
        if sign == "per_projection" and kind != "weight":
            report.add(entries["sign"], f"{what}.sign cannot be 'per_projection'; only words.weight can")
        rounding = report.choice(entries.get("rounding"), f"{what}.rounding", ROUNDINGS) or "nearest"
        overflow = report.choice(entries.get("overflow"), f"{what}.overflow", OVERFLOWS) or "saturate"
        bits = _integer(report, entries.get("bits"), f"{what}.bits", 2, MOST_BITS, 16)
        rule = WordRule(
            bits=bits,
            rounding=cast(Any, rounding),
            overflow=cast(Any, overflow),
            sign=cast(Any, sign),
            min_step=report.boolean(entries.get("min_step"), f"{what}.min_step") or False,
            distance_bits=_integer(report, entries.get("distance_bits"), f"{what}.distance_bits", 0, 24, 0),
        )
        words.append((kind, rule))
    return tuple(words)


def _limits(report: Report, node: Node | None) -> Limits:
    entries = report.mapping(node, "limits", (*_LIMITS, "plasticity", "graded", "models"))
    numbers = {name: report.integer(entries.get(name), f"limits.{name}", 1, 2**40) for name in _LIMITS}
    given = {name: value for name, value in numbers.items() if value is not None}
    plasticity = report.boolean(entries.get("plasticity"), "limits.plasticity")
    graded = report.boolean(entries.get("graded"), "limits.graded")
    models = None
    if "models" in entries:
        listed = [report.name(item, "limits.models") for item in report.items(entries["models"], "limits.models")]
        models = tuple(m for m in listed if m is not None)
    return Limits(
        **cast(Any, given),
        plasticity=True if plasticity is None else plasticity,
        graded=True if graded is None else graded,
        models=models,
    )


def _mismatch(report: Report, node: Node | None) -> tuple[tuple[str, Deviation], ...]:
    deviations: list[tuple[str, Deviation]] = []
    if isinstance(node, Scalar) and node.value == "none":
        return ()
    for kind, _, value in report.named(node, "mismatch", "deviations"):
        what = f"mismatch.{kind}"
        entries = report.mapping(value, what, ("distribution", "sigma", "steps"))
        distribution = report.choice(entries.get("distribution"), f"{what}.distribution", ("lognormal", "normal"))
        deviations.append(
            (
                kind,
                Deviation(
                    distribution=cast(Any, distribution or "lognormal"),
                    sigma=report.number(entries.get("sigma"), f"{what}.sigma", 0, 2) or 0.0,
                    steps=_integer(report, entries.get("steps"), f"{what}.steps", 0, 1000, 0),
                ),
            )
        )
    return tuple(deviations)


# ----------------------------------------------------------------------------------------------------------- limits


def check_limits(program: Program, chip: Chip, models: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    """Everything about a program that does not fit on a chip. `models`: the neuron model of each population."""
    limits, found = chip.limits, list[str]()
    neurons = sum(p.size for p in program.populations)
    cores = -(-neurons // limits.neurons_per_core)
    if limits.cores is not None and cores > limits.cores:
        found.append(
            f"the network has {neurons} neurons, which need {cores} cores of {limits.neurons_per_core}; "
            f"chip '{chip.name}' has {limits.cores} cores. Make it smaller or choose another chip"
        )
    if limits.models is not None:
        for population, model in (models or {}).items():
            if model not in limits.models:
                found.append(
                    f"population '{population}' has neurons of model '{model}'; chip '{chip.name}' has only "
                    f"{', '.join(limits.models)}"
                )
    for projection in program.projections:
        found.extend(_projection_limits(program, projection.name, chip))
    if limits.synapses_per_core is not None:
        found.extend(_synapse_limit(program, chip))
    found.extend(_refractory(program, chip))
    return tuple(Problem(None, text) for text in found)


def _projection_limits(program: Program, name: str, chip: Chip) -> list[str]:
    projection, limits = program.projection(name), chip.limits
    found: list[str] = []
    if limits.max_axonal_delay is not None and projection.delay > limits.max_axonal_delay:
        found.append(
            f"projection '{name}' has a delay of {projection.delay} steps; chip '{chip.name}' allows at most "
            f"{limits.max_axonal_delay}. Shorten it or use a longer dt"
        )
    longest = int(projection.dendritic.max(initial=0)) if projection.dendritic is not None else 0
    if limits.max_dendritic_delay is not None and longest > limits.max_dendritic_delay:
        found.append(
            f"projection '{name}' has a dendritic delay of {longest} steps; chip '{chip.name}' allows at most "
            f"{limits.max_dendritic_delay}. Shorten it or use a longer dt"
        )
    events = [e.body for e in program.events if e.owner == name]
    written = stored([projection.step, projection.arrive, projection.post_body, *events])
    if not limits.plasticity and written:
        found.append(
            f"projection '{name}' changes {', '.join(sorted(written))}; chip '{chip.name}' has static synapses only. "
            f"Use the synapse model 'static' or another chip"
        )
    if not limits.graded and any(isinstance(s, Send) for s in projection.step):
        found.append(
            f"projection '{name}' sends in every step, not only at spikes; chip '{chip.name}' sends spikes only. "
            f"Send in on_pre, or choose another chip"
        )
    return found


def _synapse_limit(program: Program, chip: Chip) -> list[str]:
    most = chip.limits.synapses_per_core or 0
    total = sum(p.synapses for p in program.projections)
    available = most * (chip.limits.cores or 0)
    if not available or total <= available:
        return []
    return [f"the network has {total} synapses; chip '{chip.name}' has room for {available}. Connect fewer pairs"]


def _refractory(program: Program, chip: Chip) -> list[str]:
    """A parameter named t_ref, or whose name contains "refractory", counts steps of rest."""
    longest = chip.limits.max_refractory
    if longest is None:
        return []
    found: list[str] = []
    for array in program.arrays.values():
        variable = array.name.rsplit(".", 1)[-1]
        rests = "refractory" in variable or variable == "t_ref"
        if array.role == "parameter" and rests and array.initial.size:
            steps = float(array.initial.max() if array.designed is None else array.designed[1])
            if steps > longest:
                found.append(
                    f"{array.name} is {steps:g} steps; chip '{chip.name}' allows at most {longest}. "
                    f"Shorten it or use a longer dt"
                )
    return found
