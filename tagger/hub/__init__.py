"""Hugging Face datasets, in both directions."""
