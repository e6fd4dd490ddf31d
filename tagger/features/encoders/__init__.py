"""Pretrained encoders: where they are found, the pieces of words that they read, and windows over long texts."""
