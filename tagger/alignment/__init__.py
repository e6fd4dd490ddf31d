"""Predictions on the tokens of gold, where tokens, sentence boundaries or the order of documents differ."""
