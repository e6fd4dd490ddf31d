"""The commands about scores, one module each."""
