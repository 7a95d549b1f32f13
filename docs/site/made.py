"""What programs of the pages make while the site is built: where it is kept, and how it is shown.

Pictures are made once, in dark ink, and that ink is replaced in a copy for dark pages. What a program has made is kept
beside Sphinx's own cache until its text, or neuroport's version, changes. `run_examples=0` leaves all of it out.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

HERE = Path(__file__).resolve().parent
INK, LIGHT_INK = "#24292f", "#d0d7de"
LONGEST = 600
"""Seconds for one program."""


def environment() -> dict[str, str]:
    """Of programs: they see this checkout, and draw as the site wants it."""
    path = os.pathsep.join([str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "MATPLOTLIBRC": str(HERE / "matplotlibrc"), "MPLBACKEND": "agg"}


def dark(svg: str) -> str:
    """The same picture for a dark page."""
    return svg.replace(INK, LIGHT_INK)


def kept(app: Sphinx, name: str, text: str) -> Path:
    """The folder for what this program makes: another one when its text changes."""
    key = hashlib.sha256(
        f"{app.config.version}\0{(HERE / 'matplotlibrc').read_text('utf-8')}\0{text}".encode()
    ).hexdigest()
    folder = Path(app.doctreedir) / "examples" / f"{name}-{key[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def images(app: Sphinx, file: Path, alt: str) -> list[nodes.Node]:
    """A picture, once for light pages and once for dark ones."""
    other = file.with_name(f"{file.stem}-dark{file.suffix}")
    if file.suffix == ".svg" and not other.exists():
        other.write_text(dark(file.read_text("utf-8")), "utf-8")
    pairs = [(file, "only-light"), (other, "only-dark")] if file.suffix == ".svg" else [(file, "on-white")]
    where = [(os.path.relpath(path, app.srcdir).replace(os.sep, "/"), name) for path, name in pairs]
    return [nodes.image(uri=f"/{path}", alt=alt, classes=[name]) for path, name in where]


def setup(app: Sphinx) -> dict[str, bool]:
    """The setting."""
    app.add_config_value("run_examples", True, "env", types=(bool, str))
    app.connect("config-inited", _as_bool)
    return {"parallel_read_safe": True}


def _as_bool(app: Sphinx, config: Config) -> None:
    config.run_examples = str(config.run_examples) not in ("0", "False")
