"""Scores of predicted sentences against gold ones. Nothing here uses torch."""
