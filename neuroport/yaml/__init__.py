"""YAML text to and from nodes that know where they stand, and the values in them; knows no network beside those."""
