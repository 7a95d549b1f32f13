"""Plain data as readable YAML text: short things in one line, long ones as blocks, numbers exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from neuroport.yaml import nodes

WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z0-9_.+/(-](?:[A-Za-z0-9_.+*/%<>=()^µ -]*[A-Za-z0-9_.+*/%<>=()^µ-])?")
_LITERAL = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]+")


@dataclass(frozen=True, slots=True)
class Code:
    """An expression or statements of the model language, or long text: plain or as a literal block where possible."""

    text: str


def filled(key: str, inner: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of a mapping, if there is anything in it."""
    return {key: inner} if inner else {}


def document(data: Mapping[str, Any]) -> str:
    """A whole file: every section a block."""
    return "\n".join(_entry(key, value, 0, top=True) for key, value in data.items()) + "\n"


def number(value: float | int) -> str:
    """A number that reads back to the same bits, and that YAML 1.1 takes for a number too."""
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}.0e{exponent}" if e and "." not in mantissa else text


def scalar(text: str, code: bool = False) -> str:
    """A text in one line, in quotes where it would read back as something else."""
    resolved = nodes.resolve(text)
    same = isinstance(resolved, str) or (code and isinstance(resolved, int | float) and not isinstance(resolved, bool))
    if same and _PLAIN.fullmatch(text) and text != "-" and not text.startswith(("- ", "---", "...")):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A text in one line, in quotes."""
    return '"' + "".join(_escape(character) for character in text) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _fits(value: Any) -> bool:
    """Whether a mapping or list can be one line at all: it is found without writing what is too long."""
    return sum(1 for _ in islice(_leaves(value), WIDTH // 2)) < WIDTH // 2


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(inner)
    else:
        yield value


def _flow(value: Any) -> str | None:
    """One line, or None if the value needs a block."""
    if isinstance(value, Code):
        return None if _is_literal(value.text) else scalar(value.text, code=True)
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        if not _fits(value):
            return None
        parts = [(scalar(key, code=True), _flow(inner)) for key, inner in value.items()]
        return (
            None if any(inner is None for _, inner in parts) else "{" + ", ".join(f"{k}: {v}" for k, v in parts) + "}"
        )
    if isinstance(value, list) and _are_numbers(value):
        return "[" + ", ".join(map(number, value)) + "]"
    items = [_flow(inner) for inner in value]
    return None if any(inner is None for inner in items) else "[" + ", ".join(str(inner) for inner in items) + "]"


def _is_literal(text: str) -> bool:
    lines = text.split("\n")
    return len(lines) > 1 and bool(_LITERAL.fullmatch(text)) and bool(lines[0]) and lines[0][0] not in " \t"


def _entry(key: str, value: Any, indent: int, top: bool = False) -> str:
    space = " " * indent
    head = f"{space}{scalar(key, code=True)}:"
    flow = _flow(value) if not isinstance(value, list) or _fits(value) else None
    block = isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(part, Mapping) for part in value))
    if flow is not None and (len(head) + len(flow) < WIDTH or not value) and not (top and block and value):
        return f"{head} {flow}"
    if isinstance(value, Mapping):
        return "\n".join([head, *(_entry(name, inner, indent + 2) for name, inner in value.items())])
    if isinstance(value, Code) and flow is None:
        lines = [f"{space}  {line}" if line else "" for line in value.text.split("\n")]
        return "\n".join([f"{head} |", *lines])
    if isinstance(value, list):
        return "\n".join([head, *_items(value, indent + 2)])
    return f"{head} {flow}"


def _items(values: list[Any], indent: int) -> Iterator[str]:
    """The items of a list, each in its own line; numbers and rows of them the quick way, because there may be many."""
    dash = " " * indent + "- "
    for value in values:
        if type(value) is int or type(value) is float:
            yield dash + number(value)
        elif type(value) is list and value and _are_numbers(value):
            yield f"{dash}[{', '.join(map(number, value))}]"
        else:
            yield _item(value, indent)


def _are_numbers(values: list[Any]) -> bool:
    return all(type(value) is int or type(value) is float for value in values)


def _item(value: Any, indent: int) -> str:
    space = " " * indent
    flow = _flow(value)
    nested = isinstance(value, Mapping) and any(_has_mapping(inner) for inner in value.values())
    if flow is not None and not nested and indent + len(flow) < WIDTH:
        return f"{space}- {flow}"
    if isinstance(value, Mapping):
        lines = "\n".join(_entry(name, inner, indent + 2) for name, inner in value.items())
        return f"{space}- {lines[indent + 2 :]}"
    return f"{space}- {flow}"


def _has_mapping(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(part, Mapping) for part in value)
