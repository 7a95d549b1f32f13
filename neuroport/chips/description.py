"""Chip descriptions as files: load them and print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from neuroport.chips.chip import CLASSES, LOOKED_UP, Chip, Deviation, Limits, WordRule
from neuroport.errors import InvalidInput
from neuroport.numerics.given import PATH, takes
from neuroport.numerics.units import suggestion
from neuroport.program.ir import ROUNDINGS
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import MapNode, Node, ScalarNode, parse, read_bytes

MOST_BITS = 63
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


@takes(name_or_path=PATH)
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
    if arithmetic == "integer" and isinstance(root, MapNode):
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


def is_description(path: Path) -> bool:
    """Whether a file describes a chip, rather than a network; false for what cannot be read."""
    try:
        root = parse(read_bytes(path, str(path)), str(path))
    except InvalidInput:
        return False
    keys = set(root.entries) if isinstance(root, MapNode) else set[str]()
    return bool(keys & _OWN_KEYS) and not keys & {"neuroport", "dt", "populations"}


def problem(name: str) -> str:
    """ "" or why a name in a network file stands for no chip; the path of a description is not looked at."""
    if name in names() or name.endswith((".yaml", ".yml")) or "/" in name:
        return ""
    near, known = suggestion(name, list(names())), ", ".join(names())
    return f"there is no chip '{name}'; {near}chips are {known}, or the path of a .yaml file"


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
    for name in ("models", "functions"):
        if (listed := getattr(chip.limits, name)) is not None:
            limits[name] = list(listed)
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
    entries = report.mapping(node, "limits", (*_LIMITS, "plasticity", "graded", "models", "functions"))
    numbers = {name: report.integer(entries.get(name), f"limits.{name}", 1, 2**40) for name in _LIMITS}
    given = {name: value for name, value in numbers.items() if value is not None}
    plasticity = report.boolean(entries.get("plasticity"), "limits.plasticity")
    graded = report.boolean(entries.get("graded"), "limits.graded")
    models = None
    if "models" in entries:
        listed = [report.name(item, "limits.models") for item in report.items(entries["models"], "limits.models")]
        models = tuple(m for m in listed if m is not None)
    functions = None
    if "functions" in entries:
        items = report.items(entries["functions"], "limits.functions")
        chosen = [report.choice(item, "one of limits.functions", LOOKED_UP) for item in items]
        functions = tuple(f for f in chosen if f is not None)
    return Limits(
        **cast(Any, given),
        plasticity=True if plasticity is None else plasticity,
        graded=True if graded is None else graded,
        models=models,
        functions=functions,
    )


def _mismatch(report: Report, node: Node | None) -> tuple[tuple[str, Deviation], ...]:
    deviations: list[tuple[str, Deviation]] = []
    if isinstance(node, ScalarNode) and node.value == "none":
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
