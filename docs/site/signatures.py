"""Signatures with types as the source has them, which `help()` shows too; their names lead to what they stand for."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

from docutils.nodes import Element
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.ext import intersphinx

PYTHON = {
    "AbstractContextManager": "contextlib.AbstractContextManager",
    "Any": "typing.Any",
    "Callable": "collections.abc.Callable",
    "Iterable": "collections.abc.Iterable",
    "Iterator": "collections.abc.Iterator",
    "Mapping": "collections.abc.Mapping",
    "Path": "pathlib.Path",
    "Sequence": "collections.abc.Sequence",
}
"""Where the source imports a name of Python from."""

SHORTER = (
    (re.compile(r"\bNetwork \| Built\b"), "Network"),  # a loaded one and one of calls are taken alike
    (re.compile(r"\bWritten\b"), "Network"),
    (re.compile(r"\b(?:api|executors)\."), ""),
)


MADE_BY_CALLS = {
    "Calibration",
    "Catalogue",
    "Checkpoint",
    "Exchange",
    "Imported",
    "Linked",
    "Program",
    "Remote",
    "Run",
    "Session",
    "Table",
    "Trace",
}
"""Classes of which programs get objects and make none."""


@dataclass(frozen=True)
class Written:
    """An annotation as it is written."""

    text: str

    def __repr__(self) -> str:
        return self.text


def written(annotation: Any) -> Any:
    """The annotation of a signature, without the quotation marks of a text."""
    if not isinstance(annotation, str):
        return annotation
    for pattern, text in SHORTER:
        annotation = pattern.sub(text, annotation)
    return Written(annotation.replace('"', ""))


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, args: str | None, returned: str | None) -> Any:
    if args is None or not callable(obj):
        return None
    if what == "exception" or (what == "class" and name.rpartition(".")[2] in MADE_BY_CALLS):
        return "", None
    signature = inspect.signature(obj)
    parameters = [p.replace(annotation=written(p.annotation)) for p in signature.parameters.values()]
    if what == "method" and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    result = signature.return_annotation
    shown = None if what == "class" or result is inspect.Signature.empty else repr(written(result))
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)), shown


def _missing(app: Sphinx, env: BuildEnvironment, node: Element, contnode: Any) -> Any:
    if node.get("refdomain") != "py" or node.get("reftarget") not in PYTHON:
        return None
    node["reftarget"] = PYTHON[node["reftarget"]]
    return intersphinx.missing_reference(app, env, node, contnode)


def setup(app: Sphinx) -> dict[str, bool]:
    """Have autodoc ask, and Sphinx where it knows no target."""
    app.connect("autodoc-process-signature", _process)
    app.connect("missing-reference", _missing)
    return {"parallel_read_safe": True}
