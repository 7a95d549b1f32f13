"""What arithmetic, limits and imperfections a chip has."""

from __future__ import annotations

from neuroport.shelf import shelve

shelve(__name__)
