"""The tables of docs/bench.md, made of the files of results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from benchmarks.rivals import entries, rates
from benchmarks.rivals.cases import ARITHMETICS, MISMATCHES, WORDS, Need
from benchmarks.rivals.entries import Rule
from benchmarks.rivals.found import Found, Some, lasting
from neuroport.disk.output import write_bytes

PAGE = entries.ROOT / "docs" / "bench.md"
CONDITIONS = [(chip, mismatch) for chip in ARITHMETICS for mismatch in MISMATCHES]
WORST = ("generic8", 20)
TITLES = {
    "digits": "digits",
    "yinyang": "yin-yang",
    "conv": "digits, convolutions",
    "online": "digits, online",
}
Row = list[str]


def write(found: Found) -> None:
    """Put the tables into the page. NotWritten where it cannot be written."""
    write_bytes(PAGE, written(PAGE.read_text("utf-8"), found).encode())


def tables(found: Found, quick: bool = False) -> str:
    """All tables, each after its name; of quick runs those that they have."""
    shown = (name for name in TABLES if not (quick and name in ("counts", "words", "rates")))
    return "\n\n".join(f"{name}\n\n{TABLES[name](found)}" for name in shown)


def written(page: str, found: Found) -> str:
    """The page with its tables anew, each between its two marks."""
    for name, table in TABLES.items():
        begin, end = f"<!-- bench: {name} -->", f"<!-- end of {name} -->"
        if begin in page:
            before, _, rest = page.partition(begin)
            page = f"{before}{begin}\n\n{table(found)}\n\n{end}{rest.partition(end)[2]}"
    return page


def markdown(head: Row, rows: Iterable[Row]) -> str:
    """A table in Markdown, without rows and columns of which nothing is known."""
    known = [row for row in rows if any(cell != "-" for cell in row[1:])]
    columns = [k for k in range(len(head)) if k == 0 or any(row[k] != "-" for row in known)]
    lines = [f"| {' | '.join(cells[k] for k in columns)} |" for cells in (head, *known)]
    return "\n".join([lines[0], "|" + "---|" * len(columns), *lines[1:]])


def told(some: Some, usual: int | None = None) -> str:
    """Mean ± standard deviation; how many there are if that is not the usual number, and how many came to nothing."""
    if not some.values:
        return "-"
    text = f"{some.mean:.1f} ± {some.sd:.1f}" if len(some.values) > 1 else f"{some.mean:.1f}"
    notes = [f"n {len(some.values)}"] if usual is not None and len(some.values) != usual else []
    notes += [f"{some.failed} failed"] if some.failed else []
    notes += [f"{some.at_chance} at chance"] if some.at_chance else []
    return f"{text} ({', '.join(notes)})" if notes else text


def degrees(angles: list[float]) -> str:
    """Angles layer by layer."""
    return " ".join(f"{angle:.0f}" for angle in angles) or "-"


def _rules(task: str | None = None) -> Iterator[Rule]:
    return (rule for rule in entries.rules().values() if task is None or task in rule.setups)


def _usual(found: Found, task: str, chip: str, mismatch: int) -> int | None:
    """How many runs most rules have of a condition."""
    numbers = [len(found.of(task, rule.name, chip, mismatch)) for rule in _rules(task)]
    numbers = [number for number in numbers if number]
    return max(set(numbers), key=numbers.count) if numbers else None


def summary(found: Found) -> str:
    """A row for each rule: where it ends up in floating point and on the worst chip, and what it needs."""
    head = ["rule", *(f"{TITLES[task]}: float → 8 bits, 20 %" for task in entries.TASKS)]
    head += ["angle, first layer", "bits per synapse", "operations per pattern", "bits of weight"]

    def row(rule: Rule) -> Row:
        cells = [_linked(rule)]
        for task in entries.TASKS:
            ideal, worst = found.accuracy(task, rule.name, "ideal"), found.accuracy(task, rule.name, *WORST)
            cells.append(f"{_short(ideal)} → {_short(worst)}" if ideal.values else "-")
        learning = "digits" in rule.setups and not rule.setups["digits"].host
        angles = found.angles("digits", rule.name, "ideal") if learning else []
        need = found.needs.get(Need("digits", rule.name))
        cells.append(f"{angles[0]:.0f}°" if angles else "-")
        cells.append(f"{sum(need['bits']['generic16'].values()):.0f}" if need else "-")
        cells.append(_thousands(_all(found, rule.name, "digits")) if need else "-")
        return [*cells, _needed(found, rule)]

    return markdown(head, (row(rule) for rule in _rules()))


def _linked(rule: Rule) -> str:
    return f"[{rule.title}]({rule.page})"


def _short(some: Some) -> str:
    if not some.values:
        return "?"
    return f"{some.mean:.1f}" + (f" (n {len(some.values)})" if len(some.values) < 3 else "")


def _needed(found: Found, rule: Rule) -> str:
    if len(found.bits("digits", rule.name)) < 2:
        return "-"
    needed = found.needed("digits", rule.name)
    return str(needed) if needed is not None else "> 16"


def _all(found: Found, rule: str, task: str) -> float:
    """Multiplications, additions and functions of a pattern."""
    return sum(operations(found, rule, task).values())


def operations(found: Found, rule: str, task: str) -> dict[str, float]:
    """Operations of a pattern by kind, with those of the spikes that there are on the average in floating point."""
    counted = found.needs[Need(task, rule)]["operations"]
    total = {name: counted.get(name, 0.0) for name in ("multiplications", "additions", "functions")}
    runs = [run for run in found.of(task, rule, "ideal") if lasting(run)]
    for population, each in counted["spiked"].items():
        spikes = [run["spikes"].get(population, 0) / run["steps"] / run["copies"] for run in runs]
        for name, number in each.items():
            total[name] += number * counted["steps"] * (float(np.mean(spikes)) if spikes else 0.0)
    return total


def _thousands(number: float) -> str:
    return f"{number / 1000:,.0f} k" if number >= 9_950 else f"{number / 1000:.1f} k"


def accuracies(task: str) -> Callable[[Found], str]:
    """The table of a task: rules by arithmetic and mismatch."""

    def table(found: Found) -> str:
        usual = {one: number for one in CONDITIONS if (number := _usual(found, task, *one))}
        names = [f"{chip}{f', {mismatch} %' if mismatch else ''}" for chip, mismatch in usual]
        head = ["rule", *(f"{name} (n {number})" for name, number in zip(names, usual.values(), strict=True))]

        def row(rule: Rule) -> Row:
            return [rule.title, *(told(found.accuracy(task, rule.name, *one), usual[one]) for one in usual)]

        return markdown(head, (row(rule) for rule in _rules(task)))

    return table


def angles(found: Found) -> str:
    """Angles of updates by layer, from the input to the output."""
    shown = [("ideal", 0), ("generic16", 0), ("generic8", 0), WORST]
    head = ["rule"]
    head += [f"{TITLES[task]}: {chip}{f', {mismatch} %' if mismatch else ''}" for task, chip, mismatch in _shown(shown)]

    def row(rule: Rule) -> Row:
        return [rule.title, *(degrees(found.angles(task, rule.name, chip, mm)) for task, chip, mm in _shown(shown))]

    return markdown(head, (row(rule) for rule in _rules()))


def _shown(conditions: list[tuple[str, int]]) -> list[tuple[str, str, int]]:
    """Conditions of the task of layers; of the others floating point alone."""
    first = [("digits", chip, mismatch) for chip, mismatch in conditions]
    return [*first, *((task, "ideal", 0) for task in entries.TASKS[1:])]


def costs(found: Found) -> str:
    """What rules need, on digits: bits per forward synapse, operations and steps of a pattern, seconds."""
    head = ["rule", "visible", "hidden", "further", "feedback", "all, 16 bits", "all, 8 bits", "steps"]
    head += ["multiplications", "additions", "functions", "s a run"]

    def row(rule: Rule) -> Row | None:
        need = found.needs.get(Need("digits", rule.name))
        if need is None:
            return None
        bits = need["bits"]["generic16"]
        cells = [f"{bits.get(name, 0):.0f}" for name in ("visible", "hidden", "state", "feedback")]
        cells += [f"{sum(need['bits'][chip].values()):.0f}" for chip in ("generic16", "generic8")]
        cells.append(str(need["operations"]["steps"]))
        cells += [_thousands(number) for number in operations(found, rule.name, "digits").values()]
        seconds = [run["run_s"] for run in found.of("digits", rule.name, "generic16") if "run_s" in run]
        return [rule.title, *cells, f"{np.mean(seconds):.1f}" if seconds else "-"]

    return markdown(head, (cells for rule in _rules("digits") if (cells := row(rule)) is not None))


def words(found: Found) -> str:
    """Accuracy on digits by bits of visible weights."""
    head = ["rule", *(str(bits) for bits in WORDS), "16", "float", "needs"]

    def row(rule: Rule) -> Row:
        cells = [told(found.worded("digits", rule.name, bits)) for bits in (*WORDS, 16)]
        return [rule.title, *cells, told(found.accuracy("digits", rule.name, "ideal")), _needed(found, rule)]

    return markdown(head, (row(rule) for rule in _rules("digits") if len(found.bits("digits", rule.name)) > 1))


def counts(found: Found) -> str:
    """How many runs of each task there are."""

    def row(task: str) -> list[int]:
        runs = [case for case in found.runs if case.task == task]
        parts = [
            sum(not case.mismatch and case.bits is None for case in runs),
            sum(case.mismatch > 0 for case in runs),
            sum(case.bits is not None for case in runs),
        ]
        return [*parts, sum(parts)]

    rows = {TITLES[task]: row(task) for task in entries.TASKS}
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    head = ["task", "without mismatch", "with mismatch", "other word lengths", "all"]
    return markdown(head, ([name, *(f"{number:,}" if number else "-" for number in row)] for name, row in rows.items()))


def limits(found: Found) -> str:
    """Stores that left their range, per 1,000 steps of a copy, on each chip and task."""
    shown = [(task, chip) for task in entries.TASKS for chip in ARITHMETICS[1:]]
    head = ["rule", *(f"{TITLES[task]}, {chip}" for task, chip in shown)]

    def row(rule: Rule) -> Row:
        return [rule.title, *(_left(found, rule.name, task, chip) for task, chip in shown)]

    return markdown(head, (row(rule) for rule in _rules()))


def _left(found: Found, rule: str, task: str, chip: str) -> str:
    runs = [r for mismatch in MISMATCHES for r in found.of(task, rule, chip, mismatch) if "error" not in r]
    if not runs:
        return "-"
    rate = float(np.mean([sum(r["overflows"].values()) / r["steps"] / r["copies"] * 1000 for r in runs]))
    return "0" if rate == 0 else f"{rate:.2g}" if rate < 100 else f"{rate:,.0f}"


def tuned(found: Found) -> str:
    """The learning rates that were tried, and what they reached on patterns of their own; the chosen one is bold."""
    known = rates.known()

    def rows() -> Iterator[Row]:
        for rule in _rules():
            for task in rule.setups:
                if one := known.get(rule.name, {}).get(task):
                    tried = (f"{rate:g}: {mean:.1f}" for rate, mean, _ in one["tried"])
                    bold = f"{one['chosen']:g}: "
                    cells = [f"**{text}**" if text.startswith(bold) else text for text in tried]
                    yield [rule.title, TITLES[task], ", ".join(cells)]

    return markdown(["rule", "task", "rate: percent"], rows())


TABLES: dict[str, Callable[[Found], str]] = {
    "summary": summary,
    "counts": counts,
    **{task: accuracies(task) for task in entries.TASKS},
    "angles": angles,
    "costs": costs,
    "words": words,
    "limits": limits,
    "rates": tuned,
}
