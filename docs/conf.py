"""How Sphinx makes the site of these pages: `python -m sphinx -W --keep-going docs build/site`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "site")]

from neuroport.version import __version__  # noqa: E402  # the checkout's, not one that is installed

project = "neuroport"
author = "neuroport contributors"
copyright = author
version = release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "docstrings",
    "gallery",
    "notebooks",
    "signatures",
]
exclude_patterns = ["site"]
templates_path = ["site/templates"]
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|np|pandas|xarray|neo)\b.*"),
    (
        "py:.*",
        "|".join(re.findall(r"^\| `(\w+)` \|", (HERE / "reference" / "index.md").read_text("utf-8"), re.MULTILINE)),
    ),
]
highlight_language = "text"
default_role = "code"

myst_heading_anchors = 4
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
maximum_signature_line_length = 80
toc_object_entries_show_parents = "hide"
intersphinx_mapping = {"python": ("https://docs.python.org/3", str(HERE / "site" / "python.inv"))}

html_theme = "furo"
html_title = f"neuroport {version}"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/versions.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
