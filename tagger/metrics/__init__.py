"""Scores of predicted layers against gold layers, without torch."""
