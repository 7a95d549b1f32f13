"""Texts of models to statements of the machine."""
