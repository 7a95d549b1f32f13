"""Tables of sweeps as files: CSV by Python alone, Parquet by pyarrow."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from neuroport.disk.output import check_output, write_bytes
from neuroport.sweeps.table import Table

CSV, PARQUET = ".csv", ".parquet"
WHAT = "a table"


def check(path: str | Path, overwrite: bool) -> None:
    """Raise InvalidInput if there can be no table at a path, Unsupported if what is needed for one is not there."""
    check_output(path, overwrite, WHAT, (CSV, PARQUET), replaces=_is_table)
    if Path(path).suffix.lower() == PARQUET:
        _pyarrow()


def write(table: Table, path: str | Path, overwrite: bool = False) -> None:
    """Write a table as CSV or Parquet, by the ending of its name; see `check`, and NotWritten."""
    check(path, overwrite)
    write_bytes(path, _parquet(table) if Path(path).suffix.lower() == PARQUET else _csv(table).encode())


def _is_table(path: Path) -> bool:
    """Whether a file is empty, of Parquet, or text."""
    with path.open("rb") as file:
        start = file.read(512)
    return start.startswith(b"PAR1") or b"\0" not in start


def _csv(table: Table) -> str:
    out = StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(table.columns)
    for row in table.rows:
        rows.writerow([_cell(value) for value in row.values()])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Lists and mappings are JSON, and nothing is an empty cell."""
    return json.dumps(value) if isinstance(value, list | dict) else value


def _parquet(table: Table) -> bytes:
    arrow, parquet = _pyarrow()
    columns = {name: arrow.array(_alike(table[name])) for name in table.columns}
    out = BytesIO()
    parquet.write_table(arrow.table(columns), out)
    return out.getvalue()


def _alike(values: Sequence[Any]) -> list[Any]:
    """Values of one kind, as a column needs them: real where some are, else texts of those that differ in kind."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and float in kinds:
        return [None if value is None else float(value) for value in values]
    large = any(type(value) is int and value.bit_length() > 63 for value in values)
    if len(kinds) <= 1 and dict not in kinds and not large:
        return list(values)
    return [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]


def _pyarrow() -> tuple[Any, Any]:
    from neuroport.trace.tables import needed

    return needed("pyarrow", "parquet"), needed("pyarrow.parquet", "parquet")
