"""The one way from sentences to predictions, over a backend."""
