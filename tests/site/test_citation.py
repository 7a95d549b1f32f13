"""CITATION.cff has what the citation file format 1.2.0 asks for, and says nothing that is not so."""

from __future__ import annotations

import re

import yaml

import neuroport
from tests.support.checkout import ROOT

ALLOWED = {"cff-version", "message", "type", "title", "authors", "version", "license", "keywords", "abstract"}


def test_the_citation_file_is_valid() -> None:
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert set(found) <= ALLOWED
    assert found["cff-version"] == "1.2.0"
    assert found["type"] == "software"
    assert found["title"] and found["message"]
    assert found["authors"] == [{"name": "neuroport contributors"}]
    assert found["license"] == "MIT"
    assert str(found["version"]) == neuroport.__version__
    assert len(set(found["keywords"])) == len(found["keywords"])


def test_no_identifier_is_made_up() -> None:
    assert re.search(r"doi|10\.\d{4,}/", (ROOT / "CITATION.cff").read_text("utf-8")) is None
