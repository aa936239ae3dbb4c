"""Upstream vendors: one shape per file, one registry, one table of how each reports what a call used."""
