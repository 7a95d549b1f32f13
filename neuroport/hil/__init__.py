"""The emulated chip in the loop: a link that delays and loses, a server of sessions, and its client (docs/hil.md)."""

from __future__ import annotations
