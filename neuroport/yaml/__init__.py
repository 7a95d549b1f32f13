"""YAML text to and from nodes that know where they stand; knows no network."""
