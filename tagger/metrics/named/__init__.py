"""Scores that a head asks for by name, in `heads.NAME.metrics`."""
