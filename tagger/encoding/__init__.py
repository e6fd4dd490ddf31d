"""Sentences as arrays."""
