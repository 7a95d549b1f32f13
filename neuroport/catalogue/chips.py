"""The chips that come with neuroport."""

from __future__ import annotations

from collections.abc import Mapping

from neuroport.catalogue.catalogue import Catalogue
from neuroport.chips import description
from neuroport.chips.chip import Chip
from neuroport.chips.described import page
from neuroport.pages import Page


def _lines() -> Mapping[str, str]:
    return {name: description.load(name).title for name in description.names()}


def arithmetics() -> Mapping[str, str]:
    """Name -> the arithmetic of a chip."""
    return {name: description.load(name).arithmetic for name in description.names()}


def _page(name: str) -> Page:
    return page(description.load(name))


CHIPS: Catalogue[Chip] = Catalogue("chip", "chips", _lines, description.load, _page)
