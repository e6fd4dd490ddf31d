"""The one training loop, with optimisation and the log of a run."""
