"""Likely errors of gold data, found by models."""
