"""Measurements: processors that fold tags into results."""
